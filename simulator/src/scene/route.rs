//! Routes over the ground: a smooth line, and where a thing is on it after so many metres.

use super::canvas::Stand;
use super::lens::at;

/// A smooth line on the ground.
#[derive(Clone, Debug)]
pub struct Route {
    /// Told in the ground truth: `north to east`.
    pub name: &'static str,
    points: Vec<(f32, f32)>,
    /// Metres from the start to each point.
    marks: Vec<f32>,
}

impl Route {
    /// A route through `corners` in metres, rounded off at each.
    pub fn through(name: &'static str, corners: &[(f32, f32)]) -> Route {
        let points = (0..4).fold(corners.to_vec(), |points, _| round_off(&points));
        let mut marks = vec![0.0];
        for pair in points.windows(2) {
            let step = (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
            marks.push(marks[marks.len() - 1] + step);
        }
        Route { name, points, marks }
    }

    pub fn metres(&self) -> f32 {
        self.marks.last().copied().unwrap_or(0.0)
    }

    /// Place and heading after `metres`; the ends hold beyond them.
    pub fn stand(&self, metres: f32) -> Stand {
        // The heading is taken over two metres, about a wheelbase: a car does not turn on a point.
        let (ax, ay) = self.point(metres - 1.0);
        let (bx, by) = self.point(metres + 1.0);
        let (x, y) = self.point(metres);
        let length = (bx - ax).hypot(by - ay).max(1e-3);
        Stand { origin: at(x, y, 0.0), front: ((bx - ax) / length, (by - ay) / length) }
    }

    /// The route for the ground truth, about a point each five metres.
    pub fn outline(&self) -> Vec<[f32; 2]> {
        let steps = (self.metres() / 5.0).ceil().max(1.0) as usize;
        let tenth = |value: f32| (value * 10.0).round() / 10.0;
        (0..=steps)
            .map(|step| self.point(self.metres() * step as f32 / steps as f32))
            .map(|(x, y)| [tenth(x), tenth(y)])
            .collect()
    }

    fn point(&self, metres: f32) -> (f32, f32) {
        let last = self.points.len() - 1;
        let to = self.marks.partition_point(|&mark| mark <= metres).clamp(1, last);
        let (a, b) = (self.points[to - 1], self.points[to]);
        let share = ((metres - self.marks[to - 1]) / (self.marks[to] - self.marks[to - 1]).max(1e-6)).clamp(0.0, 1.0);
        (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
    }
}

/// One turn of Chaikin's corner cutting; the ends stay.
fn round_off(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    let mut rounded = vec![points[0]];
    for pair in points.windows(2) {
        let part =
            |share: f32| (pair[0].0 + (pair[1].0 - pair[0].0) * share, pair[0].1 + (pair[1].1 - pair[0].1) * share);
        rounded.extend([part(0.25), part(0.75)]);
    }
    rounded.push(points[points.len() - 1]);
    rounded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_route_is_as_long_as_its_ends_are_apart() {
        let route = Route::through("west to east", &[(-10.0, 2.0), (30.0, 2.0)]);
        assert!((route.metres() - 40.0).abs() < 1e-3);
        let stand = route.stand(15.0);
        assert!((stand.origin.x - 5.0).abs() < 1e-3 && stand.front.0 > 0.999);
    }

    #[test]
    fn a_turn_ends_in_the_new_direction() {
        let route = Route::through("south to east", &[(0.0, -20.0), (0.0, 0.0), (20.0, 0.0)]);
        assert!(route.stand(0.0).front.1 > 0.99 && route.stand(route.metres()).front.0 > 0.99);
        assert!(route.metres() < 40.0);
    }
}
