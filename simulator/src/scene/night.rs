//! A street by night: what the lamps, the windows and the head lights leave of a picture painted by day, and sensor noise.

use super::canvas::{Canvas, Rgb, Stand};
use super::figure::Prop;
use super::lens::{Lens, Point3, at};
use super::place::Place;
use super::vehicle::Class;
use crate::random::Dice;
use tiny_skia::{BlendMode, Color, FillRule, Mask, Paint, PathBuilder, Pixmap, PixmapPaint, Rect, Transform};

/// What the sky gives when no lamp is near: of 255, a little blue.
const AMBIENT: Rgb = [22, 28, 48];
/// Street lamps of the warm kind.
const LAMP: Rgb = [255, 196, 128];
const HEAD_LIGHT: Rgb = [255, 246, 224];
const TAIL_LIGHT: Rgb = [255, 36, 30];
const LAMP_POOL_METRES: f32 = 13.0;
const LAMP_HEIGHT_METRES: f32 = 6.6;
/// How far dipped head lights reach.
const BEAM_METRES: f32 = 24.0;
const RINGS: usize = 22;
/// Noise pictures that take turns.
const NOISES: usize = 5;
/// The brightest grain, of 255: a small sensor at high gain.
const GRAIN: u64 = 15;

/// The unmoving part of a night.
pub struct Night {
    /// Each pixel of the day is multiplied with this.
    light: Pixmap,
    /// What shines by itself, added after that.
    shine: Pixmap,
    noises: Vec<Pixmap>,
}

impl Night {
    /// `mask` hides what stands behind the houses that stand before a point.
    pub fn new(
        place: &Place,
        lens: &Lens,
        size: (u32, u32),
        mask: impl Fn(Point3) -> Option<Mask>,
        dice: &mut Dice,
    ) -> Night {
        let blank = || Pixmap::new(size.0, size.1).expect("both sizes of a clip are above zero");
        let (mut light, mut shine) = (blank(), blank());
        light.fill(Color::from_rgba8(AMBIENT[0], AMBIENT[1], AMBIENT[2], 255));
        shine.fill(Color::BLACK);
        place.paint_lit_windows(lens, &mut shine, dice);
        for prop in &place.props {
            let mask = mask(prop.foot());
            prop.hide_light(&mut Canvas { pixmap: &mut shine, lens, mask: mask.as_ref() });
        }
        for prop in &place.props {
            let foot = prop.foot();
            let mask = mask(foot);
            match prop {
                Prop::Lamp { .. } => lamp(&mut light, &mut shine, lens, foot, mask.as_ref()),
                Prop::TrafficLight { .. } => {
                    glow(&mut shine, lens, at(foot.x, foot.y, 2.75), (0.9, [255, 170, 40], 70), mask.as_ref());
                }
                Prop::Shelter { .. } => {
                    pool(&mut light, lens, foot, (5.0, [200, 220, 255], 120), mask.as_ref());
                }
                _ => {}
            }
        }
        let noises = (0..NOISES).map(|_| noise(blank(), dice)).collect();
        Night { light, shine, noises }
    }

    /// Turns a frame painted by day into one by night; `vehicles` with the mask of what stands in front of each.
    pub fn fall(&self, picture: &mut Pixmap, lens: &Lens, vehicles: &[(Class, Stand, Option<&Mask>)], frame: u32) {
        let (mut light, mut shine) = (self.light.clone(), self.shine.clone());
        for &(class, stand, mask) in vehicles {
            beam(&mut light, lens, class, stand, mask);
            lamps_of(&mut shine, lens, class, stand, mask);
        }
        lay(picture, &light, BlendMode::Multiply);
        lay(picture, &shine, BlendMode::Screen);
        lay(picture, &self.noises[(frame as usize * 3) % NOISES], BlendMode::Plus);
    }
}

fn lay(picture: &mut Pixmap, over: &Pixmap, blend_mode: BlendMode) {
    let paint = PixmapPaint { blend_mode, ..PixmapPaint::default() };
    picture.draw_pixmap(0, 0, over.as_ref(), &paint, Transform::identity(), None);
}

/// Light on the ground, on what stands near, and the lamp's own head.
fn lamp(light: &mut Pixmap, shine: &mut Pixmap, lens: &Lens, foot: Point3, mask: Option<&Mask>) {
    let head = at(foot.x + 1.15, foot.y, LAMP_HEIGHT_METRES);
    pool(light, lens, at(head.x, head.y, 0.0), (LAMP_POOL_METRES, LAMP, 235), mask);
    glow(light, lens, at(head.x, head.y, 4.0), (10.0, LAMP, 62), mask);
    glow(shine, lens, head, (1.7, LAMP, 150), mask);
    glow(shine, lens, head, (0.34, [255, 244, 220], 400), mask);
}

/// Rings on the ground that add up to `sum` (of 255) in the middle and fade to nothing at `radius` metres.
fn pool(onto: &mut Pixmap, lens: &Lens, centre: Point3, (radius, colour, sum): (f32, Rgb, u32), mask: Option<&Mask>) {
    for ring in 1..=RINGS {
        let metres = radius * (ring as f32 / RINGS as f32).powf(1.25);
        let turn = |n: usize| n as f32 * std::f32::consts::TAU / 40.0;
        let circle: Vec<Point3> =
            (0..40).map(|n| at(centre.x + metres * turn(n).cos(), centre.y + metres * turn(n).sin(), 0.0)).collect();
        add(onto, path_of(&lens.project_polygon(&circle)), step(colour, sum), mask);
    }
}

/// The same around a point, as the lens sees it.
fn glow(onto: &mut Pixmap, lens: &Lens, centre: Point3, (radius, colour, sum): (f32, Rgb, u32), mask: Option<&Mask>) {
    let Some((x, y)) = lens.project(centre) else { return };
    let px = lens.px_per_metre(centre) * radius;
    for ring in 1..=RINGS {
        let reach = px * (ring as f32 / RINGS as f32).powf(1.6);
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_ltrb(x - reach, y - reach, x + reach, y + reach) {
            path.push_oval(rect);
            add(onto, path, step(colour, sum), mask);
        }
    }
}

/// What dipped head lights throw on the road.
fn beam(light: &mut Pixmap, lens: &Lens, class: Class, stand: Stand, mask: Option<&Mask>) {
    let (length, width, _) = class.metres();
    let front = length / 2.0;
    for ring in 1..=RINGS {
        let share = ring as f32 / RINGS as f32;
        let (reach, aside) = (BEAM_METRES * share, width / 2.0 + BEAM_METRES * share * 0.16);
        let ground: Vec<Point3> = [
            (front, width * 0.4),
            (front, -width * 0.4),
            (front + reach * 0.5, -aside),
            (front + reach * 0.92, -aside * 0.8),
            (front + reach, 0.0),
            (front + reach * 0.92, aside * 0.8),
            (front + reach * 0.5, aside),
        ]
        .map(|(along, left)| stand.point(along, left, 0.0))
        .into();
        add(light, path_of(&lens.project_polygon(&ground)), step(HEAD_LIGHT, 210), mask);
    }
    pool(light, lens, stand.point(-front - 0.8, 0.0, 0.0), (2.4, TAIL_LIGHT, 90), mask);
}

/// The lamps of a vehicle that face the camera.
fn lamps_of(shine: &mut Pixmap, lens: &Lens, class: Class, stand: Stand, mask: Option<&Mask>) {
    let (length, width, _) = class.metres();
    let (eye, front) = (lens.eye.minus(stand.origin), stand.front);
    let facing = eye.x * front.0 + eye.y * front.1 > 0.0;
    let sides: &[f32] = if class == Class::TwoWheeler { &[0.0] } else { &[0.36, -0.36] };
    for side in sides {
        if facing {
            let spot = stand.point(length / 2.0 - 0.05, side * width, 0.66);
            glow(shine, lens, spot, (1.5, HEAD_LIGHT, 110), mask);
            glow(shine, lens, spot, (0.24, [255, 255, 250], 500), mask);
        } else {
            let spot = stand.point(-length / 2.0 - 0.02, side * width, 0.72);
            glow(shine, lens, spot, (0.7, TAIL_LIGHT, 110), mask);
            glow(shine, lens, spot, (0.17, [255, 70, 60], 420), mask);
        }
    }
}

/// One ring's part of a sum, at least 1 where the colour has any.
fn step(colour: Rgb, sum: u32) -> Rgb {
    colour.map(|part| (u32::from(part) * sum / 255).div_ceil(RINGS as u32).min(255) as u8)
}

fn path_of(pixels: &[(f32, f32)]) -> PathBuilder {
    let mut path = PathBuilder::new();
    if let [first, rest @ ..] = pixels
        && rest.len() >= 2
    {
        path.move_to(first.0, first.1);
        rest.iter().for_each(|point| path.line_to(point.0, point.1));
        path.close();
    }
    path
}

fn add(onto: &mut Pixmap, path: PathBuilder, colour: Rgb, mask: Option<&Mask>) {
    let mut paint = Paint { anti_alias: true, blend_mode: BlendMode::Plus, ..Paint::default() };
    paint.set_color(Color::from_rgba8(colour[0], colour[1], colour[2], 255));
    if let Some(path) = path.finish() {
        onto.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), mask);
    }
}

fn noise(mut pixmap: Pixmap, dice: &mut Dice) -> Pixmap {
    for pixel in pixmap.data_mut().chunks_exact_mut(4) {
        let throw = dice.throw();
        // more often little than much; a little of it coloured, as a small sensor's
        let grey = (throw & 0xff) * (throw >> 8 & 0xff) * GRAIN / 65_025;
        let tint = |shift: u64| (grey + (throw >> shift & 3)) as u8;
        pixel.copy_from_slice(&[tint(16), tint(18), tint(20), 255]);
    }
    pixmap
}
