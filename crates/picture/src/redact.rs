//! Regions of a picture that are covered: outlines drawn by hand at instants, straight lines in between. Pure.
//!
//! What is covered gets one grey that depends on nothing: of what was there no sample, no mean and no edge goes on (decision 0081). Nothing
//! here looks at a picture: an outline is where somebody drew it, and follows nothing.

use domain::limit::{REDACTION_KEYS_MAX, REDACTION_POINTS_MAX, REDACTION_REGIONS_MAX};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Luma and chroma of what is covered: neither black, which a night is, nor white.
const GREY: (u8, u8) = (126, 128);
/// Samples around an outline that are covered too: what a codec's filter drew from inside to outside.
const RIM: f64 = 4.0;

/// A corner, in pixels of the original, from its upper left.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Point(pub f64, pub f64);

/// An outline at an instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// Presentation time in 1/90,000 s.
    pub at: i64,
    pub outline: Vec<Point>,
}

/// One region, from its first key to its last.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    pub keys: Vec<Key>,
}

/// All regions of a stream, looked at: each is one.
#[derive(Clone, PartialEq, Debug)]
pub struct Regions(Vec<Region>);

/// Why regions are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegionError {
    #[error("{regions} regions: 1 to {REDACTION_REGIONS_MAX} can be covered at once")]
    Regions { regions: usize },
    #[error("region {region} has {keys} instants: 1 to {REDACTION_KEYS_MAX} can be drawn")]
    Keys { region: usize, keys: usize },
    #[error("region {region} is drawn at instants that do not rise: draw each once, in order")]
    Order { region: usize },
    #[error("region {region} has {points} corners: 3 to {REDACTION_POINTS_MAX}, the same at each instant")]
    Points { region: usize, points: usize },
    #[error("region {region} has a corner that is no place in a picture")]
    Place { region: usize },
}

/// The samples of a picture in 4:2:0, which are drawn on.
pub struct Planes<'a> {
    pub width: usize,
    pub height: usize,
    /// Luma, and twice chroma; each with the bytes of a row.
    pub planes: [(&'a mut [u8], usize); 3],
}

impl Regions {
    pub fn new(regions: Vec<Region>) -> Result<Regions, RegionError> {
        if regions.is_empty() || regions.len() > REDACTION_REGIONS_MAX {
            return Err(RegionError::Regions { regions: regions.len() });
        }
        regions.iter().enumerate().try_for_each(|(nth, region)| region.check(nth + 1))?;
        Ok(Regions(regions))
    }

    /// Covers what is to be covered at an instant.
    pub fn cover(&self, at: i64, picture: &mut Planes<'_>) {
        for outline in self.0.iter().filter_map(|region| region.outline(at)) {
            Mask::of(&outline, picture.width, picture.height).fill(picture);
        }
    }
}

impl Region {
    fn check(&self, region: usize) -> Result<(), RegionError> {
        let keys = self.keys.len();
        if keys == 0 || keys > REDACTION_KEYS_MAX {
            return Err(RegionError::Keys { region, keys });
        }
        if self.keys.windows(2).any(|two| two[1].at <= two[0].at) {
            return Err(RegionError::Order { region });
        }
        let first = self.keys[0].outline.len();
        let is_usual = |points: usize| (3..=REDACTION_POINTS_MAX).contains(&points) && points == first;
        if let Some(key) = self.keys.iter().find(|key| !is_usual(key.outline.len())) {
            return Err(RegionError::Points { region, points: key.outline.len() });
        }
        // a picture's width on each side of it: outlines may come in and go out
        let is_place = |value: f64| (-16_384.0..=16_384.0).contains(&value);
        let places = self.keys.iter().flat_map(|key| &key.outline);
        if places.into_iter().any(|Point(x, y)| !is_place(*x) || !is_place(*y)) {
            return Err(RegionError::Place { region });
        }
        Ok(())
    }

    /// Where it is at an instant; nowhere before its first key and after its last.
    fn outline(&self, at: i64) -> Option<Vec<Point>> {
        let next = self.keys.partition_point(|key| key.at <= at);
        let before = &self.keys[next.checked_sub(1)?];
        let Some(after) = self.keys.get(next) else {
            return (before.at == at).then(|| before.outline.clone());
        };
        let (from, to) = (before.at as f64, after.at as f64); // no difference of two times overflows
        let share = (at as f64 - from) / (to - from);
        let between = |(Point(x, y), Point(u, v)): (&Point, &Point)| Point(x + (u - x) * share, y + (v - y) * share);
        Some(before.outline.iter().zip(&after.outline).map(between).collect())
    }
}

/// Which samples of chroma, each with its two by two of luma, are covered.
struct Mask {
    width: usize,
    covered: Vec<bool>,
}

impl Mask {
    /// Everything inside, by either meaning of the word where an outline crosses itself, and the rim around it.
    fn of(outline: &[Point], width: usize, height: usize) -> Mask {
        let (columns, rows) = (width.div_ceil(2), height.div_ceil(2));
        let mut mask = Mask { width: columns, covered: vec![false; columns * rows] };
        let edges = || outline.iter().zip(outline.iter().cycle().skip(1));
        let (across, down) =
            (reach(outline.iter().map(|point| point.0), columns), reach(outline.iter().map(|point| point.1), rows));
        for row in down {
            for column in across.clone() {
                let at = Point(column as f64 * 2.0 + 1.0, row as f64 * 2.0 + 1.0);
                let is_near = edges().any(|(from, to)| distance(at, *from, *to) <= RIM + 1.5);
                mask.covered[row * columns + column] = is_near || winding(at, edges()) != 0;
            }
        }
        mask
    }

    fn fill(&self, picture: &mut Planes<'_>) {
        let (width, height) = (picture.width, picture.height);
        for (nth, _) in self.covered.iter().enumerate().filter(|(_, covered)| **covered) {
            let (column, row) = (nth % self.width, nth / self.width);
            for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(y, x)| (row * 2 + y, column * 2 + x)) {
                if x < width && y < height {
                    set(&mut picture.planes[0], x, y, GREY.0);
                }
            }
            picture.planes[1..].iter_mut().for_each(|plane| set(plane, column, row, GREY.1));
        }
    }
}

/// Of so many pairs of samples, those that corners with these places and their rim can touch.
fn reach(places: impl Iterator<Item = f64> + Clone, pairs: usize) -> Range<usize> {
    let (low, high) = (places.clone().fold(f64::INFINITY, f64::min), places.fold(f64::NEG_INFINITY, f64::max));
    // a cast of a number below 0 is 0
    let (first, last) = ((((low - RIM) / 2.0).floor() - 1.0) as usize, (((high + RIM) / 2.0).ceil() + 1.0) as usize);
    first.min(pairs)..last.min(pairs)
}

fn set((plane, stride): &mut (&mut [u8], usize), x: usize, y: usize, value: u8) {
    if let Some(sample) = plane.get_mut(y * *stride + x) {
        *sample = value;
    }
}

/// From a place to a stretch.
fn distance(at: Point, from: Point, to: Point) -> f64 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx * dx + dy * dy;
    let along =
        if length == 0.0 { 0.0 } else { (((at.0 - from.0) * dx + (at.1 - from.1) * dy) / length).clamp(0.0, 1.0) };
    (at.0 - from.0 - along * dx).hypot(at.1 - from.1 - along * dy)
}

/// How often an outline goes round a place.
fn winding<'a>(at: Point, edges: impl Iterator<Item = (&'a Point, &'a Point)>) -> i32 {
    edges
        .map(|(from, to)| {
            let side = (to.0 - from.0) * (at.1 - from.1) - (at.0 - from.0) * (to.1 - from.1);
            match (from.1 <= at.1, to.1 <= at.1) {
                (true, false) if side > 0.0 => 1,
                (false, true) if side < 0.0 => -1,
                _ => 0,
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WIDTH: usize = 64;
    const HEIGHT: usize = 40;

    fn key(at: i64, left: f64, top: f64) -> Key {
        let corners = [(0.0, 0.0), (10.0, 0.0), (10.0, 8.0), (0.0, 8.0)];
        Key { at, outline: corners.map(|(x, y)| Point(left + x, top + y)).to_vec() }
    }

    fn regions(keys: Vec<Key>) -> Result<Regions, RegionError> {
        Regions::new(vec![Region { keys }])
    }

    /// A picture of one shade, and how it is covered at an instant.
    fn covered(regions: &Regions, at: i64, shade: impl Fn(usize, usize) -> u8) -> Vec<Vec<u8>> {
        let mut planes = [(WIDTH, HEIGHT), (WIDTH / 2, HEIGHT / 2), (WIDTH / 2, HEIGHT / 2)].map(|(width, height)| {
            (0..width * height)
                .map(|nth| shade(nth % width * WIDTH / width, nth / width * WIDTH / width))
                .collect::<Vec<u8>>()
        });
        let [luma, first, second] = &mut planes;
        let planes_of: [(&mut [u8], usize); 3] = [(luma, WIDTH), (first, WIDTH / 2), (second, WIDTH / 2)];
        regions.cover(at, &mut Planes { width: WIDTH, height: HEIGHT, planes: planes_of });
        planes.to_vec()
    }

    fn is_covered(picture: &[Vec<u8>], x: usize, y: usize) -> bool {
        picture[0][y * WIDTH + x] == GREY.0 && picture[1][y / 2 * WIDTH / 2 + x / 2] == GREY.1
    }

    #[test]
    fn a_region_is_where_it_was_drawn_and_in_a_straight_line_between() {
        let moving = regions(vec![key(0, 4.0, 4.0), key(100, 44.0, 24.0)]).unwrap();
        let white = |_, _| 200;
        for (at, left, top) in [(0, 4, 4), (50, 24, 14), (25, 14, 9), (100, 44, 24)] {
            let picture = covered(&moving, at, white);
            for (x, y) in [(left, top), (left + 9, top), (left + 9, top + 7), (left + 5, top + 4)] {
                assert!(is_covered(&picture, x, y), "{at}: {x}, {y}");
            }
            assert!(!is_covered(&picture, (left + 30) % WIDTH, (top + 20) % HEIGHT), "{at}: too much");
        }
        for at in [-1, 101] {
            assert!(covered(&moving, at, white)[0].iter().all(|luma| *luma == 200), "{at}: it is not there");
        }
    }

    #[test]
    fn what_is_no_region_is_refused_by_name() {
        let one = key(0, 0.0, 0.0);
        let with = |change: &dyn Fn(&mut Key)| {
            let mut second = key(1, 0.0, 0.0);
            change(&mut second);
            regions(vec![one.clone(), second]).unwrap_err()
        };
        assert_eq!(with(&|key| key.at = 0), RegionError::Order { region: 1 });
        assert_eq!(with(&|key| key.outline.truncate(3)), RegionError::Points { region: 1, points: 3 });
        assert_eq!(with(&|key| key.outline[0].0 = f64::NAN), RegionError::Place { region: 1 });
        assert_eq!(with(&|key| key.outline[0].1 = 1e9), RegionError::Place { region: 1 });
        assert_eq!(regions(vec![]).unwrap_err(), RegionError::Keys { region: 1, keys: 0 });
        assert_eq!(Regions::new(vec![]).unwrap_err(), RegionError::Regions { regions: 0 });
        let two = Key { outline: vec![Point(0.0, 0.0); 2], ..one };
        assert_eq!(regions(vec![two]).unwrap_err(), RegionError::Points { region: 1, points: 2 });
    }

    #[test]
    fn an_outline_that_crosses_itself_is_covered_on_both_sides() {
        let bow = Key {
            at: 0,
            outline: [(8.0, 8.0), (48.0, 32.0), (48.0, 8.0), (8.0, 32.0)].map(|(x, y)| Point(x, y)).to_vec(),
        };
        let picture = covered(&regions(vec![bow]).unwrap(), 0, |_, _| 200);
        assert!(is_covered(&picture, 10, 20) && is_covered(&picture, 46, 20));
        assert!(!is_covered(&picture, 28, 6) && !is_covered(&picture, 28, 34));
    }

    proptest! {
        /// Whatever stood inside, the picture is the same afterwards: nothing of it can be computed back.
        #[test]
        fn two_pictures_that_differ_inside_alone_are_one_afterwards(
            corners in proptest::collection::vec((-20.0f64..90.0, -20.0f64..60.0), 3..9), seed: u8,
        ) {
            let outline: Vec<Point> = corners.into_iter().map(|(x, y)| Point(x, y)).collect();
            let regions = regions(vec![Key { at: 0, outline: outline.clone() }]).unwrap();
            let inside = |x: usize, y: usize| {
                let at = Point(x as f64 + 0.5, y as f64 + 0.5);
                winding(at, outline.iter().zip(outline.iter().cycle().skip(1))) != 0
            };
            let secret = |x: usize, y: usize| if inside(x, y) { seed.wrapping_mul(x as u8 ^ 31).wrapping_add(y as u8) } else { 90 };
            prop_assert_eq!(covered(&regions, 0, secret), covered(&regions, 0, |_, _| 90));
        }
    }
}
