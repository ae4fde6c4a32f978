//! Vehicles: classes, known colours, and how one is painted. No vehicle carries a plate.

use super::canvas::{BACK, Canvas, FRONT, LEFT, RIGHT, Rgb, Solid, Stand, TOP, shade};
use super::lens::Point3;
use serde::{Deserialize, Serialize};

/// What kind of vehicle.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    Car,
    Van,
    Lorry,
    Bus,
    TwoWheeler,
}

/// A colour that a witness would name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    White,
    Grey,
    Black,
    Red,
    Blue,
    Green,
    Yellow,
    Orange,
}

impl Colour {
    /// About as often as they are met in French streets: yellow and orange are rare.
    pub const FREQUENT: [Colour; 10] = [
        Colour::White,
        Colour::Grey,
        Colour::Grey,
        Colour::Black,
        Colour::White,
        Colour::Red,
        Colour::Blue,
        Colour::Blue,
        Colour::Green,
        Colour::Orange,
    ];

    pub const fn rgb(self) -> Rgb {
        match self {
            Colour::White => [236, 238, 240],
            Colour::Grey => [142, 148, 155],
            Colour::Black => [44, 46, 52],
            Colour::Red => [188, 38, 40],
            Colour::Blue => [36, 84, 168],
            Colour::Green => [44, 118, 76],
            Colour::Yellow => [250, 204, 21],
            Colour::Orange => [230, 122, 32],
        }
    }
}

impl Class {
    /// Length, width, height in metres.
    pub const fn metres(self) -> (f32, f32, f32) {
        match self {
            Class::Car => (4.3, 1.8, 1.48),
            Class::Van => (5.3, 2.0, 2.3),
            Class::Lorry => (8.2, 2.4, 3.4),
            Class::Bus => (11.4, 2.5, 3.05),
            Class::TwoWheeler => (2.0, 0.7, 1.65),
        }
    }
}

const GLASS: Rgb = [52, 66, 78];
const DARK: Rgb = [38, 39, 42];
const TYRE: Rgb = [26, 26, 28];
const CARGO: Rgb = [222, 222, 216];

/// One block of a body: its shape and the colours of front, back, left, right, top.
type Block = (Solid, [Rgb; 5]);

/// The corners of the box around a vehicle.
pub fn bounds(class: Class, stand: Stand) -> [Point3; 8] {
    let (length, width, height) = class.metres();
    std::array::from_fn(|n| {
        let sign = |bit: usize| if n >> bit & 1 == 0 { -0.5 } else { 0.5 };
        stand.point(length * sign(0), width * sign(1), height * (sign(2) + 0.5))
    })
}

/// Paints one vehicle standing on the ground.
pub fn paint(canvas: &mut Canvas, class: Class, colour: Colour, stand: Stand) {
    let (length, width, _) = class.metres();
    shadow(canvas, length, width, stand);
    let mut blocks = blocks(class, colour.rgb());
    // Lower blocks first; of two on one level, the farther first.
    let away = |block: &Block| canvas.lens.depth(stand.point((block.0.back + block.0.front) / 2.0, 0.0, block.0.low));
    blocks.sort_by(|a, b| a.0.low.total_cmp(&b.0.low).then(away(b).total_cmp(&away(a))));
    for (index, (solid, colours)) in blocks.iter().enumerate() {
        let seen = canvas.solid(solid, stand, *colours);
        if index == 0 && class != Class::TwoWheeler {
            wheels(canvas, class, stand, seen);
            lights(canvas, solid, stand, seen);
        }
    }
    if class == Class::TwoWheeler {
        rider(canvas, stand, colour.rgb());
    }
}

fn block(span: (f32, f32), half_width: f32, height: (f32, f32), inset: (f32, f32, f32), colours: [Rgb; 5]) -> Block {
    (Solid { back: span.0, front: span.1, half_width, low: height.0, high: height.1, inset }, colours)
}

fn blocks(class: Class, body: Rgb) -> Vec<Block> {
    let plain = [body; 5];
    let cabin = [GLASS, GLASS, GLASS, GLASS, body];
    let none = (0.0, 0.0, 0.0);
    match class {
        Class::Car => vec![
            block((-2.15, 2.15), 0.9, (0.28, 0.86), (0.12, 0.08, 0.04), plain),
            block((-1.85, 0.95), 0.84, (0.86, 1.42), (0.75, 0.45, 0.16), cabin),
            block((-1.38, 0.18), 0.67, (1.42, 1.48), none, plain),
        ],
        Class::Van => vec![
            block((-2.65, 2.65), 1.0, (0.32, 1.15), (0.1, 0.0, 0.02), plain),
            block((-2.65, 0.5), 0.98, (1.15, 2.3), (0.0, 0.0, 0.06), plain),
            block((0.5, 2.1), 0.98, (1.15, 2.2), (0.85, 0.0, 0.1), [GLASS, body, GLASS, GLASS, body]),
        ],
        Class::Lorry => vec![
            block((-4.1, 4.1), 1.15, (0.5, 0.95), none, [DARK; 5]),
            block((2.1, 4.1), 1.18, (0.95, 1.75), none, plain),
            block((2.1, 4.1), 1.18, (1.75, 2.75), (0.25, 0.0, 0.05), [GLASS, body, GLASS, GLASS, body]),
            block((-4.1, 1.9), 1.2, (0.95, 3.4), none, [CARGO, CARGO, CARGO, CARGO, shade(CARGO, 1.05)]),
        ],
        Class::Bus => vec![
            block((-5.7, 5.7), 1.25, (0.35, 1.3), none, plain),
            block((-5.7, 5.7), 1.25, (1.3, 2.4), (0.08, 0.0, 0.03), cabin),
            block((-5.6, 5.6), 1.22, (2.4, 3.05), (0.15, 0.1, 0.1), [body, body, body, body, CARGO]),
        ],
        Class::TwoWheeler => vec![block((-0.75, 0.7), 0.16, (0.35, 0.8), (0.2, 0.1, 0.05), plain)],
    }
}

fn shadow(canvas: &mut Canvas, length: f32, width: f32, stand: Stand) {
    let (l, w) = (length / 2.0 + 0.25, width / 2.0 + 0.2);
    // The sun stands behind the left shoulder of the cameras: shadows fall to the right and away.
    let cast = |along, left| {
        let point = stand.point(along, left, 0.02);
        Point3 { x: point.x + 0.3, y: point.y + 0.35, ..point }
    };
    canvas.glaze(&[cast(l, w), cast(-l, w), cast(-l, -w), cast(l, -w)], [12, 14, 20], 110);
}

fn wheels(canvas: &mut Canvas, class: Class, stand: Stand, seen: [bool; 5]) {
    let (length, width, _) = class.metres();
    let radius = if matches!(class, Class::Car | Class::Van) { 0.33 } else { 0.5 };
    for (face, side) in [(LEFT, 1.0), (RIGHT, -1.0)] {
        for along in [-0.31 * length, 0.32 * length] {
            let disc = |scale: f32| -> Vec<Point3> {
                let turn = |n: usize| n as f32 * std::f32::consts::TAU / 14.0;
                let reach = radius * scale;
                (0..14)
                    .map(|n| {
                        stand.point(
                            along + reach * turn(n).cos(),
                            side * (width / 2.0 + 0.01),
                            radius + reach * turn(n).sin(),
                        )
                    })
                    .collect()
            };
            if seen[face] {
                canvas.polygon(&disc(1.0), TYRE);
                canvas.polygon(&disc(0.5), [120, 122, 126]);
            }
        }
    }
}

fn lights(canvas: &mut Canvas, body: &Solid, stand: Stand, seen: [bool; 5]) {
    let height = body.low + (body.high - body.low) * 0.55;
    for (face, along, colour) in [(FRONT, body.front - 0.04, [252, 248, 222]), (BACK, body.back + 0.02, [206, 30, 34])]
    {
        for side in [1.0, -1.0] {
            let corner = |left: f32, up: f32| stand.point(along, side * body.half_width * left, height + up);
            if seen[face] {
                canvas
                    .polygon(&[corner(0.62, -0.08), corner(0.94, -0.08), corner(0.94, 0.1), corner(0.62, 0.1)], colour);
            }
        }
    }
}

/// An abstract figure on a two-wheeler: wheels, trunk, helmet.
fn rider(canvas: &mut Canvas, stand: Stand, body: Rgb) {
    for along in [-0.68, 0.68] {
        canvas.bar(stand.point(along, 0.0, 0.0), stand.point(along, 0.0, 0.62), 0.3, TYRE);
    }
    canvas.bar(stand.point(-0.15, 0.0, 0.75), stand.point(0.08, 0.0, 1.4), 0.46, [58, 62, 70]);
    if let Some(helmet) = canvas.lens.project(stand.point(0.16, 0.0, 1.52)) {
        let radius = canvas.lens.px_per_metre(stand.origin) * 0.16;
        canvas.oval(helmet, (radius, radius), shade(body, 0.9), 255);
    }
}

// The order of the faces is the order of the colours in a block.
const _: () = assert!(FRONT == 0 && BACK == 1 && LEFT == 2 && RIGHT == 3 && TOP == 4);
