//! The pieces of a place: colours, roads and their paint, rows of houses, trees, letters, lanes.

use crate::random::Dice;
use crate::scene::canvas::Rgb;
use crate::scene::figure::Prop;
use crate::scene::lens::{Point3, Pose, at};
use crate::scene::place::{Building, GroundFloor, Lane, Place, Sign};
use crate::scene::route::Route;
use crate::scene::vehicle::Class;

pub(super) const ASPHALT: Rgb = [96, 98, 103];
pub(super) const PAVEMENT: Rgb = [186, 180, 170];
pub(super) const KERB: Rgb = [210, 207, 200];
pub(super) const PAINT: Rgb = [228, 228, 222];
pub(super) const GRASS: Rgb = [128, 148, 92];
/// The blue of French street signs.
pub(super) const ENAMEL: Rgb = [36, 62, 122];
pub(super) const STONE: Rgb = [200, 190, 170];
pub(super) const WALLS: [Rgb; 7] = [
    [232, 220, 196],
    [222, 204, 176],
    [238, 230, 214],
    [214, 188, 160],
    [204, 200, 190],
    [228, 210, 180],
    [196, 168, 146],
];
pub(super) const AWNINGS: [Rgb; 5] = [[150, 44, 50], [40, 88, 76], [44, 72, 124], [176, 120, 44], [98, 60, 96]];

pub(super) const MIXED: &[Class] = &[Class::Car, Class::Car, Class::Car, Class::Van, Class::TwoWheeler, Class::Lorry];
pub(super) const LIGHT: &[Class] = &[Class::Car, Class::Car, Class::Van, Class::TwoWheeler];
pub(super) const BUSES: &[Class] = &[Class::Bus];

pub(super) fn empty(pose: Pose, ground: Rgb) -> Place {
    Place {
        name: "",
        pose,
        ground,
        flats: Vec::new(),
        buildings: Vec::new(),
        signs: Vec::new(),
        props: Vec::new(),
        lanes: Vec::new(),
        walks: Vec::new(),
        parked: Vec::new(),
        vehicle_count: 0,
        walker_count: 0,
    }
}

/// A road of two lanes, along one axis.
#[derive(Clone, Copy)]
pub(super) struct Road {
    from: (f32, f32),
    to: (f32, f32),
}

pub(super) fn road(from: (f32, f32), to: (f32, f32)) -> Road {
    Road { from, to }
}

impl Road {
    fn paint(self, place: &mut Place, half_width: f32, colour: Rgb) {
        if self.from.1 == self.to.1 {
            place.rectangle((self.from.0, self.to.0), (self.from.1 - half_width, self.from.1 + half_width), colour);
        } else {
            place.rectangle((self.from.0 - half_width, self.from.0 + half_width), (self.from.1, self.to.1), colour);
        }
    }
}

/// Pavements, kerbs, asphalt of all roads in that order, so that crossings are open; then dashes but near a junction.
pub(super) fn roads(place: &mut Place, roads: &[Road], junction: Option<(f32, f32)>) {
    for (half_width, colour) in [(6.4, PAVEMENT), (3.72, KERB), (3.5, ASPHALT)] {
        roads.iter().for_each(|road| road.paint(place, half_width, colour));
    }
    for road in roads {
        let (dx, dy) = (road.to.0 - road.from.0, road.to.1 - road.from.1);
        let length = dx.hypot(dy);
        for n in 0..(length / 6.0) as usize {
            let point = |metres: f32| (road.from.0 + dx * metres / length, road.from.1 + dy * metres / length);
            let (from, to) = (point(n as f32 * 6.0), point(n as f32 * 6.0 + 3.0));
            let near = |(x, y): (f32, f32)| (to.0 - x).hypot(to.1 - y) < 11.0;
            if !junction.is_some_and(near) {
                Road { from, to }.paint(place, 0.07, PAINT);
            }
        }
    }
}

/// A zebra crossing over a road of seven metres; `along_x`: the road runs along x.
pub(super) fn crossing(place: &mut Place, centre: (f32, f32), along_x: bool) {
    for stripe in 0..7 {
        let offset = -3.25 + stripe as f32;
        let (wide, long) = ((offset, offset + 0.5), (-1.5, 1.5));
        let (x, y) = if along_x { (long, wide) } else { (wide, long) };
        place.rectangle((centre.0 + x.0, centre.0 + x.1), (centre.1 + y.0, centre.1 + y.1), PAINT);
    }
}

/// A row of houses wall to wall.
pub(super) struct Row {
    pub x: (f32, f32),
    pub y: (f32, f32),
    pub along_x: bool,
}

pub(super) fn houses(place: &mut Place, dice: &mut Dice, row: Row) {
    let (mut from, end) = if row.along_x { row.x } else { row.y };
    while end - from > 6.0 {
        let mut to = from + dice.between(11.0, 19.0);
        if end - to < 8.0 {
            to = end;
        }
        let (x, y) = if row.along_x { ((from, to), row.y) } else { (row.x, (from, to)) };
        let ground_floor = match dice.below(3) {
            0 => GroundFloor::Dwelling,
            _ => GroundFloor::Shop(dice.pick(&AWNINGS).copied().unwrap_or(AWNINGS[0])),
        };
        let wall = dice.pick(&WALLS).copied().unwrap_or(WALLS[0]);
        let height = 3.1 * (2 + dice.below(3)) as f32;
        // The set of houses in front of a thing is kept in 32 bits.
        if place.buildings.len() < 32 {
            place.buildings.push(Building { x0: x.0, y0: y.0, x1: x.1, y1: y.1, height, wall, ground_floor });
        }
        from = to;
    }
}

pub(super) fn trees(place: &mut Place, dice: &mut Dice, spots: &[(f32, f32)]) {
    for &(x, y) in spots {
        place.props.push(Prop::Tree { x, y, height: dice.between(4.6, 6.4), hue: dice.between(0.0, 1.0) });
    }
}

pub(super) fn letters(text: &'static str, origin: Point3, letter_metres: f32, colour: Rgb, board: Option<Rgb>) -> Sign {
    Sign { text, origin, right: at(1.0, 0.0, 0.0), up: at(0.0, 0.0, 1.0), letter_metres, colour, board }
}

pub(super) fn lane(
    name: &'static str,
    corners: &[(f32, f32)],
    classes: &'static [Class],
    speed_kmh: (f32, f32),
) -> Lane {
    Lane { route: Route::through(name, corners), classes, speed_kmh }
}

pub(super) fn walk(corners: &[(f32, f32)]) -> Route {
    Route::through("on foot", corners)
}
