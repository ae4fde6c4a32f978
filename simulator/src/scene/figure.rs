//! What stands and walks in a street: abstract pedestrians without faces, trees, lamps, lights, a fountain, a flag.

use super::canvas::{Canvas, Rgb, Solid, Stand, mix, shade};
use super::lens::{Point3, at};

/// A thing that stands still and may hide what passes behind it.
#[derive(Clone, Copy, Debug)]
pub enum Prop {
    Tree {
        x: f32,
        y: f32,
        height: f32,
        hue: f32,
    },
    Lamp {
        x: f32,
        y: f32,
    },
    /// Amber: nobody has to stop, all give way.
    TrafficLight {
        x: f32,
        y: f32,
    },
    Bollard {
        x: f32,
        y: f32,
    },
    Flag {
        x: f32,
        y: f32,
    },
    Fountain {
        x: f32,
        y: f32,
    },
    Shelter {
        x: f32,
        y: f32,
    },
    /// A rail from (x0, y0) to (x1, y1).
    Rail {
        x0: f32,
        y0: f32,
        x1: f32,
        y1: f32,
    },
    /// The barrier of a car park, its arm up or down.
    Barrier {
        x: f32,
        y: f32,
        up: bool,
    },
}

/// The blobs of a tree's crown: aside, up, size, light.
const CROWN: [(f32, f32, f32, f32); 6] = [
    (0.0, 0.5, 0.9, 0.8),
    (-0.55, 0.58, 0.62, 0.86),
    (0.55, 0.6, 0.62, 0.92),
    (0.05, 0.72, 0.8, 1.0),
    (-0.22, 0.82, 0.5, 1.12),
    (-0.4, 0.68, 0.36, 1.16),
];

const POLE: Rgb = [70, 76, 84];
const SHADOW: Rgb = [14, 16, 24];

impl Prop {
    /// Where it stands, for the order of painting.
    pub fn foot(&self) -> Point3 {
        match *self {
            Prop::Tree { x, y, .. }
            | Prop::Lamp { x, y }
            | Prop::TrafficLight { x, y }
            | Prop::Bollard { x, y }
            | Prop::Flag { x, y }
            | Prop::Fountain { x, y }
            | Prop::Shelter { x, y }
            | Prop::Barrier { x, y, .. } => at(x, y, 0.0),
            Prop::Rail { x0, y0, x1, y1 } => at((x0 + x1) / 2.0, (y0 + y1) / 2.0, 0.0),
        }
    }

    /// What a tree hides, in black: light behind it does not shine through.
    pub fn hide_light(&self, canvas: &mut Canvas) {
        let Prop::Tree { height, .. } = *self else { return };
        let (foot, crown) = (self.foot(), height * 0.34);
        let px = canvas.lens.px_per_metre(foot);
        for (side, up, size, _) in CROWN {
            if let Some(centre) = canvas.lens.project(at(foot.x + side * crown, foot.y, up * height)) {
                let radius = px * crown * size;
                canvas.oval(centre, (radius, radius * 0.88), [0; 3], 255);
            }
        }
    }

    pub fn paint(&self, canvas: &mut Canvas) {
        let foot = self.foot();
        let above = |z: f32| at(foot.x, foot.y, z);
        match *self {
            Prop::Tree { height, hue, .. } => tree(canvas, foot, height, hue),
            Prop::Lamp { .. } => {
                canvas.bar(foot, above(6.5), 0.14, POLE);
                canvas.bar(above(6.5), at(foot.x + 1.3, foot.y, 6.7), 0.1, POLE);
                canvas.bar(at(foot.x + 0.8, foot.y, 6.62), at(foot.x + 1.5, foot.y, 6.66), 0.2, [226, 228, 220]);
            }
            Prop::TrafficLight { .. } => traffic_light(canvas, foot),
            Prop::Bollard { .. } => {
                canvas.bar(foot, above(0.9), 0.16, [92, 60, 50]);
                canvas.bar(above(0.8), above(0.9), 0.18, [222, 222, 214]);
            }
            Prop::Flag { .. } => flag(canvas, foot),
            Prop::Fountain { .. } => fountain(canvas, foot),
            Prop::Shelter { .. } => shelter(canvas, foot),
            Prop::Rail { x0, y0, x1, y1 } => rail(canvas, at(x0, y0, 0.0), at(x1, y1, 0.0)),
            Prop::Barrier { up, .. } => barrier(canvas, foot, up),
        }
    }
}

/// One pedestrian: no face, no age, no sex; a coat's colour and a pace.
#[derive(Clone, Copy, Debug)]
pub struct Figure {
    pub coat: Rgb,
    pub height_metres: f32,
}

impl Figure {
    /// Paints the figure at `stand`; `stride` turns once per two steps.
    pub fn paint(&self, canvas: &mut Canvas, stand: Stand, stride: f32) {
        let (foot, h) = (stand.origin, self.height_metres);
        let cast: [Point3; 3] =
            [stand.point(0.25, 0.25, 0.01), stand.point(-0.25, -0.25, 0.01), foot.plus(at(0.7, 0.8, 0.01))];
        canvas.glaze(&cast, SHADOW, 90);
        let swing = stride.sin() * 0.2 * h;
        let hip = stand.point(0.0, 0.0, 0.5 * h);
        for step in [swing, -swing] {
            canvas.bar(hip, stand.point(step, 0.0, 0.0), 0.15, [44, 46, 56]);
            canvas.bar(
                stand.point(0.0, 0.0, 0.76 * h),
                stand.point(-step * 0.7, 0.0, 0.46 * h),
                0.1,
                shade(self.coat, 0.8),
            );
        }
        canvas.bar(stand.point(0.0, 0.0, 0.46 * h), stand.point(0.0, 0.0, 0.82 * h), 0.4, self.coat);
        let px = canvas.lens.px_per_metre(foot);
        if let Some(head) = canvas.lens.project(stand.point(0.03, 0.0, 0.92 * h)) {
            canvas.oval(head, (0.115 * px, 0.14 * px), [92, 82, 78], 255);
        }
    }
}

fn tree(canvas: &mut Canvas, foot: Point3, height: f32, hue: f32) {
    let crown = height * 0.34;
    let above = |x: f32, z: f32| at(foot.x + x, foot.y, z);
    let shadow: Vec<Point3> = (0..16)
        .map(|n| n as f32 * std::f32::consts::TAU / 16.0)
        .map(|turn| at(foot.x + 1.2 + crown * turn.cos(), foot.y + 1.4 + crown * turn.sin(), 0.01))
        .collect();
    canvas.glaze(&shadow, SHADOW, 60);
    canvas.bar(foot, above(0.0, height * 0.55), 0.3, [92, 74, 58]);
    let leaves = mix([74, 116, 58], [128, 140, 62], hue);
    let px = canvas.lens.px_per_metre(foot);
    for (side, up, size, light) in CROWN {
        if let Some(centre) = canvas.lens.project(above(side * crown, up * height)) {
            let radius = px * crown * size;
            canvas.oval(centre, (radius, radius * 0.88), shade(leaves, light), 255);
        }
    }
}

fn traffic_light(canvas: &mut Canvas, foot: Point3) {
    let above = |z: f32| at(foot.x, foot.y, z);
    canvas.bar(foot, above(3.0), 0.12, POLE);
    canvas.bar(above(2.3), above(3.2), 0.34, [34, 36, 40]);
    let px = canvas.lens.px_per_metre(foot);
    if let Some(centre) = canvas.lens.project(above(2.75)) {
        canvas.oval(centre, (px * 0.13, px * 0.13), [250, 176, 40], 255);
    }
}

fn flag(canvas: &mut Canvas, foot: Point3) {
    canvas.bar(foot, at(foot.x, foot.y, 8.0), 0.1, [200, 202, 206]);
    for (n, colour) in [[34, 64, 140], [240, 240, 240], [206, 40, 50]].into_iter().enumerate() {
        let left = foot.x + 0.1 + n as f32 * 0.6;
        let corner = |x: f32, z: f32| at(x, foot.y, z);
        canvas
            .polygon(&[corner(left, 6.6), corner(left + 0.6, 6.6), corner(left + 0.6, 7.8), corner(left, 7.8)], colour);
    }
}

fn fountain(canvas: &mut Canvas, foot: Point3) {
    let ring = |radius: f32, z: f32| -> Vec<Point3> {
        let turn = |n: usize| n as f32 * std::f32::consts::TAU / 24.0;
        (0..24).map(|n| at(foot.x + radius * turn(n).cos(), foot.y + radius * turn(n).sin(), z)).collect()
    };
    canvas.glaze(&ring(3.5, 0.01), SHADOW, 70);
    for (radius, z, colour) in [
        (3.1, 0.0, [150, 144, 132]),
        (3.1, 0.3, [168, 162, 150]),
        (3.1, 0.6, [204, 198, 184]),
        (2.6, 0.62, [120, 160, 178]),
    ] {
        canvas.polygon(&ring(radius, z), colour);
    }
    canvas.bar(at(foot.x, foot.y, 0.6), at(foot.x, foot.y, 2.2), 0.5, [186, 180, 166]);
    canvas.polygon(&ring(1.1, 1.7), [176, 170, 158]);
    canvas.polygon(&ring(0.9, 1.75), [138, 176, 192]);
    canvas.bar(at(foot.x, foot.y, 1.7), at(foot.x, foot.y, 2.9), 0.22, [196, 190, 176]);
}

fn shelter(canvas: &mut Canvas, foot: Point3) {
    let stand = Stand::facing_north(foot);
    for side in [-1.9, 1.9] {
        canvas.bar(stand.point(0.6, side, 0.0), stand.point(0.6, side, 2.4), 0.1, POLE);
        canvas.bar(stand.point(-0.6, side, 0.0), stand.point(-0.6, side, 2.4), 0.1, POLE);
    }
    let pane = [
        stand.point(0.6, 1.9, 0.3),
        stand.point(0.6, -1.9, 0.3),
        stand.point(0.6, -1.9, 2.2),
        stand.point(0.6, 1.9, 2.2),
    ];
    canvas.glaze(&pane, [150, 180, 196], 120);
    let roof = Solid { back: -0.9, front: 0.8, half_width: 2.2, low: 2.4, high: 2.55, inset: (0.0, 0.0, 0.0) };
    canvas.solid(&roof, stand, [[84, 92, 100]; 5]);
}

fn rail(canvas: &mut Canvas, from: Point3, to: Point3) {
    let raised = |point: Point3, z: f32| Point3 { z, ..point };
    let posts = (to.minus(from).length() / 2.0).ceil().max(1.0);
    for n in 0..=posts as usize {
        let post = from.plus(to.minus(from).times(n as f32 / posts));
        canvas.bar(post, raised(post, 1.05), 0.08, [58, 84, 78]);
    }
    for z in [0.35, 0.7, 1.05] {
        canvas.bar(raised(from, z), raised(to, z), 0.07, [66, 94, 88]);
    }
}

fn barrier(canvas: &mut Canvas, foot: Point3, up: bool) {
    let stand = Stand::facing_north(foot);
    let post = Solid { back: -0.2, front: 0.2, half_width: 0.2, low: 0.0, high: 1.1, inset: (0.0, 0.0, 0.0) };
    canvas.solid(&post, stand, [[214, 120, 36]; 5]);
    let reach = |metres: f32| {
        if up { at(foot.x - metres * 0.25, foot.y, 1.0 + metres * 0.96) } else { at(foot.x - metres, foot.y, 1.0) }
    };
    for n in 0..6 {
        let colour = if n % 2 == 0 { [236, 236, 232] } else { [200, 44, 44] };
        canvas.bar(reach(n as f32 * 0.55), reach((n + 1) as f32 * 0.55), 0.12, colour);
    }
}
