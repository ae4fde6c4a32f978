//! Painting in metres: polygons, solids and strokes of the world onto one picture.

use super::lens::{Lens, Point3, at};
use tiny_skia::{Color, FillRule, Mask, Paint, PathBuilder, Pixmap, Transform};

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// Far things fade towards this.
pub const HAZE: Rgb = [206, 216, 226];
/// Metres at which two thirds of a thing's colour have faded.
const HAZE_METRES: f32 = 420.0;
/// Where the light comes from: high, from behind the left shoulder of a camera that looks north.
const LIGHT: Point3 = at(-0.48, -0.62, 0.62);

/// A position and heading on the ground: solids are described along it.
#[derive(Clone, Copy, Debug)]
pub struct Stand {
    pub origin: Point3,
    /// Unit vector on the ground, towards the front.
    pub front: (f32, f32),
}

impl Stand {
    pub const fn facing_north(origin: Point3) -> Stand {
        Stand { origin, front: (0.0, 1.0) }
    }
    /// The point `along` to the front, `left` to the left and `up` above.
    pub fn point(self, along: f32, left: f32, up: f32) -> Point3 {
        let (fx, fy) = self.front;
        at(self.origin.x + fx * along - fy * left, self.origin.y + fy * along + fx * left, self.origin.z + up)
    }
}

/// A box whose top may be smaller than its foot. Metres along, across and above a [`Stand`].
#[derive(Clone, Copy, Debug)]
pub struct Solid {
    pub back: f32,
    pub front: f32,
    pub half_width: f32,
    pub low: f32,
    pub high: f32,
    /// By how much the top is drawn in at the front, at the back, at each side.
    pub inset: (f32, f32, f32),
}

/// The faces of a [`Solid`] that can be seen from above.
pub const FRONT: usize = 0;
pub const BACK: usize = 1;
pub const LEFT: usize = 2;
pub const RIGHT: usize = 3;
pub const TOP: usize = 4;

impl Solid {
    /// The corners of each face, counter-clockwise seen from outside.
    pub fn faces(&self, stand: Stand) -> [[Point3; 4]; 5] {
        let (inset_front, inset_back, inset_side) = self.inset;
        let foot = |along, side: f32| stand.point(along, side * self.half_width, self.low);
        let top = |along, side: f32| stand.point(along, side * (self.half_width - inset_side), self.high);
        let (fl, fr, bl, br) =
            (foot(self.front, 1.0), foot(self.front, -1.0), foot(self.back, 1.0), foot(self.back, -1.0));
        let (front, back) = (self.front - inset_front, self.back + inset_back);
        let (tfl, tfr, tbl, tbr) = (top(front, 1.0), top(front, -1.0), top(back, 1.0), top(back, -1.0));
        [[fr, fl, tfl, tfr], [bl, br, tbr, tbl], [fl, bl, tbl, tfl], [br, fr, tfr, tbr], [tfr, tfl, tbl, tbr]]
    }
}

/// One picture being painted through one lens.
pub struct Canvas<'a> {
    pub pixmap: &'a mut Pixmap,
    pub lens: &'a Lens,
    /// What stands in front: painted only where this is not 0.
    pub mask: Option<&'a Mask>,
}

impl Canvas<'_> {
    /// A flat polygon of the world, with haze.
    pub fn polygon(&mut self, polygon: &[Point3], colour: Rgb) {
        self.glaze(polygon, colour, 255);
    }

    /// The same, translucent: 0 is invisible, 255 opaque.
    pub fn glaze(&mut self, polygon: &[Point3], colour: Rgb, alpha: u8) {
        let pixels = self.lens.project_polygon(polygon);
        let metres = polygon.iter().map(|&point| self.lens.depth(point)).fold(f32::MAX, f32::min).max(0.0);
        self.fill(&pixels, mix(HAZE, colour, (-metres / HAZE_METRES).exp()), alpha);
    }

    /// A polygon in pixels.
    pub fn fill(&mut self, pixels: &[(f32, f32)], colour: Rgb, alpha: u8) {
        let [first, rest @ ..] = pixels else { return };
        let mut path = PathBuilder::new();
        path.move_to(first.0, first.1);
        rest.iter().for_each(|point| path.line_to(point.0, point.1));
        path.close();
        self.fill_path(path, colour, alpha);
    }

    /// An ellipse in pixels.
    pub fn oval(&mut self, centre: (f32, f32), radius: (f32, f32), colour: Rgb, alpha: u8) {
        let rect = tiny_skia::Rect::from_ltrb(
            centre.0 - radius.0,
            centre.1 - radius.1,
            centre.0 + radius.0,
            centre.1 + radius.1,
        );
        if let Some(rect) = rect.filter(|_| radius.0 > 0.05 && radius.1 > 0.05) {
            let mut path = PathBuilder::new();
            path.push_oval(rect);
            self.fill_path(path, colour, alpha);
        }
    }

    /// A straight bar between two points of the world, so many metres thick.
    pub fn bar(&mut self, from: Point3, to: Point3, thickness: f32, colour: Rgb) {
        let (Some(a), Some(b)) = (self.lens.project(from), self.lens.project(to)) else { return };
        let half = |point| (self.lens.px_per_metre(point) * thickness / 2.0).max(0.35);
        self.bar_px(a, b, (half(from), half(to)), colour);
    }

    /// A straight bar in pixels; `half` its half thickness at both ends.
    pub fn bar_px(&mut self, a: (f32, f32), b: (f32, f32), half: (f32, f32), colour: Rgb) {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let length = (dx * dx + dy * dy).sqrt().max(1e-3);
        let (nx, ny) = (-dy / length, dx / length);
        let corners = [
            (a.0 + nx * half.0, a.1 + ny * half.0),
            (b.0 + nx * half.1, b.1 + ny * half.1),
            (b.0 - nx * half.1, b.1 - ny * half.1),
            (a.0 - nx * half.0, a.1 - ny * half.0),
        ];
        self.fill(&corners, colour, 255);
    }

    /// The faces of a solid that the camera sees, each in its colour under the light. Gives those seen.
    pub fn solid(&mut self, solid: &Solid, stand: Stand, colours: [Rgb; 5]) -> [bool; 5] {
        let mut seen = [false; 5];
        for (face, corners) in solid.faces(stand).iter().enumerate() {
            seen[face] = self.faces_camera(corners);
            if seen[face] {
                self.polygon(corners, lit(corners, colours[face]));
            }
        }
        seen
    }

    /// Whether the outer side of a face is turned to the camera.
    pub fn faces_camera(&self, corners: &[Point3; 4]) -> bool {
        normal(corners).dot(self.lens.eye.minus(corners[0])) > 0.0
    }

    fn fill_path(&mut self, path: PathBuilder, colour: Rgb, alpha: u8) {
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color(Color::from_rgba8(colour[0], colour[1], colour[2], alpha));
        if let Some(path) = path.finish() {
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), self.mask);
        }
    }
}

/// `share` of `b`, the rest of `a`.
pub fn mix(a: Rgb, b: Rgb, share: f32) -> Rgb {
    std::array::from_fn(|n| (f32::from(a[n]) + (f32::from(b[n]) - f32::from(a[n])) * share).clamp(0.0, 255.0) as u8)
}

/// Brighter (above 1) or darker.
pub fn shade(colour: Rgb, factor: f32) -> Rgb {
    colour.map(|part| (f32::from(part) * factor).clamp(0.0, 255.0) as u8)
}

/// A face's colour under the light: half of it from the sky, the rest by its slope to the sun.
pub fn lit(corners: &[Point3; 4], colour: Rgb) -> Rgb {
    shade(colour, 0.66 + 0.42 * normal(corners).dot(LIGHT).max(0.0))
}

fn normal(corners: &[Point3; 4]) -> Point3 {
    corners[1].minus(corners[0]).cross(corners[3].minus(corners[0])).unit()
}
