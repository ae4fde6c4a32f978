//! What a place is made of, as data, and how its unmoving part is painted once.

use super::canvas::{BACK, Canvas, FRONT, HAZE, LEFT, RIGHT, Rgb, Solid, Stand, TOP, mix, shade};
use super::figure::Prop;
use super::font;
use super::lens::{Lens, Point3, Pose, at};
use super::route::Route;
use super::vehicle::Class;
use crate::random::Dice;
use tiny_skia::{Mask, Pixmap};

/// One place of the town, before anything moves.
pub struct Place {
    pub name: &'static str,
    pub pose: Pose,
    pub ground: Rgb,
    /// Flat pieces, painted in this order: pavements, roads, markings, water.
    pub flats: Vec<(Vec<Point3>, Rgb)>,
    pub buildings: Vec<Building>,
    pub signs: Vec<Sign>,
    pub props: Vec<Prop>,
    pub lanes: Vec<Lane>,
    pub walks: Vec<Route>,
    /// Stand still all the time.
    pub parked: Vec<(Class, Stand)>,
    pub vehicle_count: usize,
    pub walker_count: usize,
}

/// A route for vehicles and who uses it.
pub struct Lane {
    pub route: Route,
    pub classes: &'static [Class],
    /// Slowest and fastest, km/h.
    pub speed_kmh: (f32, f32),
}

/// A house along the axes: from (x0, y0) to (x1, y1).
#[derive(Clone, Copy, Debug)]
pub struct Building {
    pub x0: f32,
    pub y0: f32,
    pub x1: f32,
    pub y1: f32,
    pub height: f32,
    pub wall: Rgb,
    pub ground_floor: GroundFloor,
}

/// What a house has at the level of the street.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroundFloor {
    Dwelling,
    Shop(Rgb),
    Public,
}

/// Letters on a wall or on the ground: `right` and `up` are unit vectors of the surface.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    pub text: &'static str,
    pub origin: Point3,
    pub right: Point3,
    pub up: Point3,
    pub letter_metres: f32,
    pub colour: Rgb,
    /// The board behind the letters.
    pub board: Option<Rgb>,
}

/// One wall of a house: its left lower corner seen from outside, and the directions of length and height.
struct Wall {
    origin: Point3,
    along: Point3,
    up: Point3,
}

impl Wall {
    fn quad(&self, x: (f32, f32), z: (f32, f32)) -> [Point3; 4] {
        [(x.0, z.0), (x.1, z.0), (x.1, z.1), (x.0, z.1)]
            .map(|(x, z)| self.origin.plus(self.along.times(x)).plus(self.up.times(z)))
    }
}

/// Windows of dwellings are masked: no interior may be seen (CSI art. L251-3).
const MASKED: Rgb = [96, 104, 112];
const SLATE: Rgb = [92, 98, 112];
const STOREY_METRES: f32 = 3.1;

impl Place {
    pub fn flat(&mut self, corners: &[(f32, f32)], colour: Rgb) {
        self.flat_at(0.0, corners, colour);
    }
    pub fn flat_at(&mut self, z: f32, corners: &[(f32, f32)], colour: Rgb) {
        self.flats.push((corners.iter().map(|&(x, y)| at(x, y, z)).collect(), colour));
    }
    pub fn rectangle(&mut self, x: (f32, f32), y: (f32, f32), colour: Rgb) {
        self.flat(&[(x.0, y.0), (x.1, y.0), (x.1, y.1), (x.0, y.1)], colour);
    }

    /// What is left of the traffic at three in the morning.
    pub fn fall_quiet(&mut self) {
        self.vehicle_count = self.vehicle_count.min(2);
        self.walker_count = self.walker_count.min(1);
        self.lanes.iter_mut().for_each(|lane| lane.classes = &[Class::Car, Class::Car, Class::Van]);
    }

    /// What shines out of houses by night, onto black: nearer houses hide what is behind them.
    pub fn paint_lit_windows(&self, lens: &Lens, pixmap: &mut Pixmap, dice: &mut Dice) {
        let mut canvas = Canvas { pixmap, lens, mask: None };
        let mut buildings: Vec<&Building> = self.buildings.iter().collect();
        buildings.sort_by(|a, b| b.distance(lens.eye).total_cmp(&a.distance(lens.eye)));
        buildings.into_iter().for_each(|building| building.paint_lit(&mut canvas, dice));
    }

    /// Paints sky, ground, buildings and letters.
    pub fn paint_background(&self, lens: &Lens, pixmap: &mut Pixmap, dice: &mut Dice) {
        paint_sky(lens, pixmap, dice);
        let mut canvas = Canvas { pixmap, lens, mask: None };
        paint_ground(&mut canvas, self.ground);
        for (corners, colour) in &self.flats {
            canvas.polygon(corners, *colour);
        }
        let mut buildings: Vec<&Building> = self.buildings.iter().collect();
        buildings.sort_by(|a, b| b.distance(lens.eye).total_cmp(&a.distance(lens.eye)));
        buildings.into_iter().for_each(|building| building.paint(&mut canvas));
        self.signs.iter().for_each(|sign| sign.paint(&mut canvas));
        grain(pixmap, dice);
    }
}

impl Building {
    fn stand(&self) -> Stand {
        Stand::facing_north(at((self.x0 + self.x1) / 2.0, self.y0, 0.0))
    }
    fn body(&self, low: f32, high: f32, overhang: f32, inset: f32) -> Solid {
        let half_width = (self.x1 - self.x0) / 2.0 + overhang;
        let (back, front) = (-overhang, self.y1 - self.y0 + overhang);
        Solid { back, front, half_width, low, high, inset: (inset, inset, inset) }
    }
    fn distance(&self, eye: Point3) -> f32 {
        let (x, y) = (eye.x.clamp(self.x0, self.x1), eye.y.clamp(self.y0, self.y1));
        (eye.x - x).hypot(eye.y - y)
    }

    /// Whether this house stands between the eye and a point of the ground: the point lies behind every face that is
    /// seen.
    pub fn hides(&self, eye: Point3, point: Point3) -> bool {
        let behind = |seen: bool, inside: bool| !seen || inside;
        behind(eye.x < self.x0, point.x > self.x0)
            && behind(eye.x > self.x1, point.x < self.x1)
            && behind(eye.y < self.y0, point.y > self.y0)
            && behind(eye.y > self.y1, point.y < self.y1)
    }

    fn paint(&self, canvas: &mut Canvas) {
        let stand = self.stand();
        let seen = canvas.solid(&self.body(0.0, self.height, 0.0, 0.0), stand, [self.wall; 5]);
        let faces = self.body(0.0, self.height, 0.0, 0.0).faces(stand);
        for face in [FRONT, BACK, LEFT, RIGHT] {
            if seen[face] {
                // Seen from outside, a face begins at its left lower corner.
                self.paint_face(canvas, [faces[face][0], faces[face][1], faces[face][3]]);
            }
        }
        canvas.solid(&self.body(self.height - 0.35, self.height + 0.35, 0.15, 0.0), stand, [shade(self.wall, 1.08); 5]);
        let narrow = (self.x1 - self.x0).min(self.y1 - self.y0) / 2.0;
        let slope = if self.ground_floor == GroundFloor::Public { narrow * 0.7 } else { narrow * 0.45 };
        let rise = (slope * 0.8).min(4.5);
        canvas.solid(
            &self.body(self.height + 0.35, self.height + 0.35 + rise, 0.0, slope),
            stand,
            [SLATE, SLATE, SLATE, SLATE, shade(SLATE, 1.1)],
        );
    }

    /// A few windows behind curtains, the displays of shops: plain colours, no interior.
    fn paint_lit(&self, canvas: &mut Canvas, dice: &mut Dice) {
        let body = self.body(0.0, self.height + 3.0, 0.0, 0.0);
        for corners in body.faces(self.stand()) {
            if canvas.faces_camera(&corners) {
                let pixels = canvas.lens.project_polygon(&corners);
                canvas.fill(&pixels, [0; 3], 255);
            }
        }
        let faces = self.body(0.0, self.height, 0.0, 0.0).faces(self.stand());
        for corners in [FRONT, BACK, LEFT, RIGHT].map(|face| faces[face]) {
            if !canvas.faces_camera(&corners) {
                continue;
            }
            let (along, up) = (corners[1].minus(corners[0]), corners[3].minus(corners[0]));
            let wall = Wall { origin: corners[0], along: along.unit(), up: up.unit() };
            let columns = (along.length() / 3.2).floor().max(1.0);
            let pitch = along.length() / columns;
            for storey in 0..(up.length() / STOREY_METRES).floor().max(1.0) as usize {
                for column in 0..columns as usize {
                    let (middle, floor) = ((column as f32 + 0.5) * pitch, storey as f32 * STOREY_METRES);
                    self.paint_lit_window(canvas, &wall, (middle, floor, pitch), storey, dice);
                }
            }
        }
    }

    fn paint_lit_window(&self, canvas: &mut Canvas, wall: &Wall, at: (f32, f32, f32), storey: usize, dice: &mut Dice) {
        const CURTAINS: [Rgb; 4] = [[196, 150, 84], [176, 132, 78], [150, 128, 100], [110, 128, 150]];
        let (middle, floor, pitch) = at;
        let lit = dice.below(100);
        let (half, z, colour) = match self.ground_floor {
            _ if storey > 0 && lit < 17 => {
                (0.55, (floor + 0.75, floor + 2.38), dice.pick(&CURTAINS).copied().unwrap_or(CURTAINS[0]))
            }
            GroundFloor::Shop(_) if storey == 0 && lit < 45 => (pitch * 0.42, (0.5, 2.2), [58, 50, 36]),
            GroundFloor::Public if storey == 0 && lit < 30 => (0.9, (0.3, 2.6), [104, 96, 72]),
            _ => return,
        };
        canvas.fill(&canvas.lens.project_polygon(&wall.quad((middle - half, middle + half), z)), colour, 255);
    }

    /// Storeys of masked windows over a ground floor. `corners`: left lower, right lower, left upper.
    fn paint_face(&self, canvas: &mut Canvas, corners: [Point3; 3]) {
        let (origin, along, up) = (corners[0], corners[1].minus(corners[0]), corners[2].minus(corners[0]));
        let (length, height) = (along.length(), up.length());
        let (along, up) = (along.unit(), up.unit());
        let quad = |x: (f32, f32), z: (f32, f32)| {
            [(x.0, z.0), (x.1, z.0), (x.1, z.1), (x.0, z.1)].map(|(x, z)| origin.plus(along.times(x)).plus(up.times(z)))
        };
        canvas.polygon(&quad((0.0, length), (0.0, 0.5)), shade(self.wall, 0.62));
        let columns = (length / 3.2).floor().max(1.0);
        let pitch = length / columns;
        let storeys = (height / STOREY_METRES).floor().max(1.0) as usize;
        for storey in 0..storeys {
            let floor = storey as f32 * STOREY_METRES;
            if storey > 0 {
                canvas.polygon(&quad((0.0, length), (floor - 0.1, floor + 0.06)), shade(self.wall, 0.8));
            }
            for column in 0..columns as usize {
                let middle = (column as f32 + 0.5) * pitch;
                if storey == 0 {
                    self.paint_bay(canvas, &quad, middle, pitch, column);
                } else {
                    canvas.polygon(
                        &quad((middle - 0.68, middle + 0.68), (floor + 0.62, floor + 2.5)),
                        shade(self.wall, 1.12),
                    );
                    canvas.polygon(&quad((middle - 0.55, middle + 0.55), (floor + 0.75, floor + 2.38)), MASKED);
                    canvas.polygon(
                        &quad((middle - 0.55, middle + 0.55), (floor + 1.52, floor + 1.58)),
                        shade(MASKED, 1.2),
                    );
                }
            }
        }
        if let GroundFloor::Shop(colour) = self.ground_floor {
            canvas.polygon(&quad((0.3, length - 0.3), (2.55, 3.05)), shade(colour, 0.8));
        }
    }

    fn paint_bay(
        &self,
        canvas: &mut Canvas,
        quad: &dyn Fn((f32, f32), (f32, f32)) -> [Point3; 4],
        middle: f32,
        pitch: f32,
        column: usize,
    ) {
        match self.ground_floor {
            GroundFloor::Shop(colour) => {
                canvas.polygon(&quad((middle - pitch * 0.42, middle + pitch * 0.42), (0.5, 2.5)), [70, 78, 84]);
                let stripe = if column.is_multiple_of(2) { colour } else { mix(colour, [246, 242, 232], 0.7) };
                canvas.polygon(&quad((middle - pitch * 0.46, middle + pitch * 0.46), (2.2, 2.6)), stripe);
            }
            // Doors of dwellings are masked as their windows are.
            GroundFloor::Dwelling if column % 3 == 1 => {
                canvas.polygon(&quad((middle - 0.6, middle + 0.6), (0.0, 2.3)), shade(MASKED, 0.8))
            }
            GroundFloor::Dwelling => canvas.polygon(&quad((middle - 0.5, middle + 0.5), (0.95, 2.3)), MASKED),
            GroundFloor::Public => canvas.polygon(&quad((middle - 0.9, middle + 0.9), (0.3, 2.6)), [78, 86, 96]),
        }
    }
}

impl Sign {
    fn paint(&self, canvas: &mut Canvas) {
        let pixel = self.letter_metres / font::ROWS as f32;
        if let Some(board) = self.board {
            let (right, top) = ((self.text.chars().count() * font::ADVANCE) as f32 + 1.0, font::ROWS as f32 + 2.6);
            let corner = |x: f32, z: f32| self.origin.plus(self.right.times(x * pixel)).plus(self.up.times(z * pixel));
            canvas.polygon(&[corner(-2.0, -1.6), corner(right, -1.6), corner(right, top), corner(-2.0, top)], board);
        }
        for (column, row) in font::pixels(self.text) {
            let (x, z) = (column as f32 * pixel, (font::ROWS as i32 - 1 - row) as f32 * pixel);
            let corner = |dx: f32, dz: f32| self.origin.plus(self.right.times(x + dx)).plus(self.up.times(z + dz));
            // A little larger than the pixel, so that no seam shows between two.
            let size = pixel * 1.06;
            canvas.polygon(&[corner(0.0, 0.0), corner(size, 0.0), corner(size, size), corner(0.0, size)], self.colour);
        }
    }
}

/// Where a house is, for hiding what is behind it: 255 where paint may go.
pub fn mask_without(buildings: &[&Building], lens: &Lens, width_px: u32, height_px: u32) -> Option<Mask> {
    let mut pixmap = Pixmap::new(width_px, height_px)?;
    let mut canvas = Canvas { pixmap: &mut pixmap, lens, mask: None };
    for building in buildings {
        let top = building.height + 3.0;
        for corners in building.body(0.0, top, 0.0, 0.0).faces(building.stand()) {
            if canvas.faces_camera(&corners) {
                canvas.polygon(&corners, [255; 3]);
            }
        }
    }
    let mut mask = Mask::from_pixmap(pixmap.as_ref(), tiny_skia::MaskType::Alpha);
    mask.invert();
    Some(mask)
}

fn paint_sky(lens: &Lens, pixmap: &mut Pixmap, dice: &mut Dice) {
    let (width, height) = (pixmap.width() as f32, pixmap.height() as f32);
    let horizon = lens.horizon_px().clamp(1.0, height);
    let mut canvas = Canvas { pixmap, lens, mask: None };
    const BANDS: usize = 48;
    for band in 0..BANDS {
        let share = band as f32 / BANDS as f32;
        let top = horizon * share;
        canvas.fill(
            &[(0.0, top), (width, top), (width, height), (0.0, height)],
            mix([112, 160, 212], HAZE, share),
            255,
        );
    }
    for _ in 0..9 {
        let (x, y) = (dice.between(0.0, width), dice.between(0.0, horizon * 0.75));
        for _ in 0..5 {
            let centre = (x + dice.between(-0.07, 0.07) * width, y + dice.between(-0.012, 0.012) * height);
            canvas.oval(
                centre,
                (dice.between(0.03, 0.09) * width, dice.between(0.008, 0.025) * height),
                [246, 248, 250],
                60,
            );
        }
    }
}

fn paint_ground(canvas: &mut Canvas, colour: Rgb) {
    // In strips, so that the haze can grow with the distance.
    let mut near = canvas.lens.eye.y - 30.0;
    while near < canvas.lens.eye.y + 900.0 {
        let far = near + 12.0 + (near - canvas.lens.eye.y).max(0.0) * 0.5;
        canvas.polygon(
            &[at(-900.0, near, 0.0), at(900.0, near, 0.0), at(900.0, far + 0.5, 0.0), at(-900.0, far + 0.5, 0.0)],
            colour,
        );
        near = far;
    }
}

/// The fine grain of a sensor, so that flat colours do not look printed.
fn grain(pixmap: &mut Pixmap, dice: &mut Dice) {
    for pixel in pixmap.data_mut().chunks_exact_mut(4) {
        let step = (dice.throw() >> 61) as i16 - 3;
        pixel[..3].iter_mut().for_each(|part| *part = (i16::from(*part) + step).clamp(0, 255) as u8);
    }
}

// Walls take the first four faces of a solid.
const _: () = assert!(FRONT < TOP && BACK < TOP && LEFT < TOP && RIGHT < TOP);
