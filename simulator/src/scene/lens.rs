//! A pinhole camera over a street: metres of the world in, pixels of the picture out.

/// A point or direction in metres: x to the right (east), y away (north), z up from the road.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Point3 {
    pub x: f32,
    pub y: f32,
    pub z: f32,
}

/// Short for [`Point3`].
pub const fn at(x: f32, y: f32, z: f32) -> Point3 {
    Point3 { x, y, z }
}

impl Point3 {
    pub fn plus(self, other: Point3) -> Point3 {
        at(self.x + other.x, self.y + other.y, self.z + other.z)
    }
    pub fn minus(self, other: Point3) -> Point3 {
        at(self.x - other.x, self.y - other.y, self.z - other.z)
    }
    pub fn times(self, factor: f32) -> Point3 {
        at(self.x * factor, self.y * factor, self.z * factor)
    }
    pub fn dot(self, other: Point3) -> f32 {
        self.x * other.x + self.y * other.y + self.z * other.z
    }
    pub fn cross(self, other: Point3) -> Point3 {
        let x = self.y * other.z - self.z * other.y;
        let y = self.z * other.x - self.x * other.z;
        at(x, y, self.x * other.y - self.y * other.x)
    }
    pub fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
    /// The same direction, one metre long; zero stays zero.
    pub fn unit(self) -> Point3 {
        let length = self.length();
        if length > 0.0 { self.times(1.0 / length) } else { self }
    }
}

/// Where a camera hangs and what it looks at.
#[derive(Clone, Copy, Debug)]
pub struct Pose {
    pub eye: Point3,
    pub target: Point3,
    /// Horizontal angle of view.
    pub view_degrees: f32,
}

/// Nothing nearer than this is drawn.
const NEAR_METRES: f32 = 0.8;

/// The projection of one camera.
#[derive(Clone, Debug)]
pub struct Lens {
    pub eye: Point3,
    right: Point3,
    up: Point3,
    forward: Point3,
    focal_px: f32,
    centre_px: (f32, f32),
}

impl Lens {
    pub fn new(pose: Pose, width_px: u32, height_px: u32) -> Lens {
        let forward = pose.target.minus(pose.eye).unit();
        let right = forward.cross(at(0.0, 0.0, 1.0)).unit();
        let focal_px = width_px as f32 / 2.0 / (pose.view_degrees.to_radians() / 2.0).tan();
        let centre_px = (width_px as f32 / 2.0, height_px as f32 / 2.0);
        Lens { eye: pose.eye, right, up: right.cross(forward), forward, focal_px, centre_px }
    }

    /// Metres from the camera's plane; negative behind it.
    pub fn depth(&self, point: Point3) -> f32 {
        point.minus(self.eye).dot(self.forward)
    }

    /// Pixels of one metre at a point's depth; 0 behind the camera.
    pub fn px_per_metre(&self, point: Point3) -> f32 {
        let depth = self.depth(point);
        if depth > NEAR_METRES { self.focal_px / depth } else { 0.0 }
    }

    /// The pixel of a point; `None` behind the camera.
    pub fn project(&self, point: Point3) -> Option<(f32, f32)> {
        (self.depth(point) >= NEAR_METRES * 0.999).then(|| self.pixel(point))
    }

    /// The pixels of a flat polygon, cut off at the near plane; fewer than three when nothing is left.
    pub fn project_polygon(&self, polygon: &[Point3]) -> Vec<(f32, f32)> {
        let mut pixels = Vec::with_capacity(polygon.len() + 2);
        let Some(mut previous) = polygon.last().copied() else { return pixels };
        for &point in polygon {
            let (before, now) = (self.depth(previous) - NEAR_METRES, self.depth(point) - NEAR_METRES);
            if (before < 0.0) != (now < 0.0) {
                let share = before / (before - now);
                pixels.push(self.pixel(previous.plus(point.minus(previous).times(share))));
            }
            if now >= 0.0 {
                pixels.push(self.pixel(point));
            }
            previous = point;
        }
        pixels
    }

    /// The picture's line of the horizon.
    pub fn horizon_px(&self) -> f32 {
        let level = at(self.forward.x, self.forward.y, 0.0).unit();
        self.pixel(self.eye.plus(level.times(10_000.0))).1
    }

    fn pixel(&self, point: Point3) -> (f32, f32) {
        let from_eye = point.minus(self.eye);
        let scale = self.focal_px / from_eye.dot(self.forward).max(1e-3);
        (self.centre_px.0 + from_eye.dot(self.right) * scale, self.centre_px.1 - from_eye.dot(self.up) * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens() -> Lens {
        Lens::new(Pose { eye: at(0.0, -10.0, 6.0), target: at(0.0, 10.0, 0.0), view_degrees: 60.0 }, 1024, 576)
    }

    #[test]
    fn the_target_lies_in_the_middle_and_what_is_right_is_right() {
        let (x, y) = lens().project(at(0.0, 10.0, 0.0)).unwrap();
        assert!((x - 512.0).abs() < 0.1 && (y - 288.0).abs() < 0.1, "{x} {y}");
        let (right, _) = lens().project(at(2.0, 10.0, 0.0)).unwrap();
        let (_, higher) = lens().project(at(0.0, 10.0, 2.0)).unwrap();
        assert!(right > x && higher < y);
    }

    #[test]
    fn what_lies_behind_the_camera_is_cut_off() {
        assert_eq!(lens().project(at(0.0, -20.0, 6.0)), None);
        let behind = [at(-1.0, -20.0, 0.0), at(1.0, -20.0, 0.0), at(0.0, -15.0, 0.0)];
        assert!(lens().project_polygon(&behind).is_empty());
        let across = [at(-1.0, -20.0, 0.0), at(1.0, -20.0, 0.0), at(0.0, 50.0, 0.0)];
        assert!(lens().project_polygon(&across).len() >= 3);
    }
}
