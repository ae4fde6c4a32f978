//! The middle of the town: the crossroads, the square before the town hall, the street of the school.

use super::pieces::*;
use crate::random::Dice;
use crate::scene::figure::Prop;
use crate::scene::lens::{Pose, at};
use crate::scene::place::{Building, GroundFloor, Place, Sign};

pub fn crossroads(dice: &mut Dice) -> Place {
    let mut place = empty(Pose { eye: at(-12.5, -23.0, 8.8), target: at(2.5, 2.0, 0.3), view_degrees: 66.0 }, GRASS);
    roads(&mut place, &[road((-120.0, 0.0), (160.0, 0.0)), road((0.0, -70.0), (0.0, 170.0))], Some((0.0, 0.0)));
    for (x, y, along_x) in [(0.0, 6.4, false), (0.0, -6.4, false), (6.4, 0.0, true), (-6.4, 0.0, true)] {
        crossing(&mut place, (x, y), along_x);
    }
    houses(&mut place, dice, Row { x: (-70.0, -7.5), y: (8.0, 20.0), along_x: true });
    houses(&mut place, dice, Row { x: (7.5, 90.0), y: (8.0, 20.0), along_x: true });
    houses(&mut place, dice, Row { x: (-20.0, -7.5), y: (20.0, 100.0), along_x: false });
    houses(&mut place, dice, Row { x: (7.5, 20.0), y: (20.0, 100.0), along_x: false });
    houses(&mut place, dice, Row { x: (11.0, 90.0), y: (-24.0, -9.0), along_x: true });
    for (x, y) in [(4.6, -4.9), (-4.6, 4.9), (4.6, 4.9), (-4.6, -4.9)] {
        place.props.push(Prop::TrafficLight { x, y });
    }
    trees(
        &mut place,
        dice,
        &[
            (-5.3, 14.0),
            (5.3, 26.0),
            (-5.3, 40.0),
            (5.3, 54.0),
            (16.0, 5.4),
            (28.0, 5.4),
            (40.0, 5.4),
            (24.0, -5.6),
            (-18.0, 5.4),
        ],
    );
    // lamps stand where the arm, which reaches to the right, hangs over a street
    for (x, y) in
        [(5.0, 16.0), (-6.2, 7.0), (-10.5, -5.4), (11.0, 5.0), (5.2, 44.0), (30.0, 5.2), (20.0, -5.4), (60.0, 5.2)]
    {
        place.props.push(Prop::Lamp { x, y });
    }
    place.lanes = vec![
        lane("west to east", &[(-60.0, -1.75), (75.0, -1.75)], MIXED, (36.0, 48.0)),
        lane("east to west", &[(75.0, 1.75), (-60.0, 1.75)], MIXED, (34.0, 46.0)),
        lane("north to south", &[(-1.75, 110.0), (-1.75, -40.0)], MIXED, (32.0, 46.0)),
        lane("south to north", &[(1.75, -40.0), (1.75, 110.0)], LIGHT, (32.0, 46.0)),
        lane(
            "south to east",
            &[(1.75, -40.0), (1.75, -8.0), (1.75, -1.75), (8.0, -1.75), (75.0, -1.75)],
            LIGHT,
            (22.0, 28.0),
        ),
        lane(
            "east to north",
            &[(75.0, 1.75), (9.0, 1.75), (1.75, 1.75), (1.75, 9.0), (1.75, 100.0)],
            LIGHT,
            (24.0, 30.0),
        ),
    ];
    place.walks = vec![
        walk(&[(-30.0, 4.9), (-9.0, 4.9), (-6.4, 4.4), (-6.4, -4.4), (-9.0, -5.2), (-30.0, -5.2)]),
        walk(&[(5.2, 40.0), (5.2, 8.0), (4.6, 6.4), (-4.6, 6.4), (-5.4, 8.0), (-5.4, 40.0)]),
        walk(&[(30.0, 5.0), (8.0, 5.0), (5.4, 8.0), (5.2, 30.0)]),
        walk(&[(40.0, -5.3), (7.0, -5.3), (5.3, -8.0), (5.3, -30.0)]),
        walk(&[(30.0, 4.8), (6.4, 4.6), (6.4, -4.6), (28.0, -5.0)]),
    ];
    place.vehicle_count = 12;
    place.walker_count = 7;
    place
}

pub fn square(dice: &mut Dice) -> Place {
    let mut place = empty(Pose { eye: at(-15.0, -25.0, 9.5), target: at(1.5, 7.0, 0.0), view_degrees: 66.0 }, STONE);
    roads(&mut place, &[road((-140.0, -6.0), (140.0, -6.0))], None);
    for n in 0..14 {
        let x = -42.0 + n as f32 * 6.0;
        place.rectangle((x, x + 0.12), (0.5, 34.0), [176, 166, 148]);
        place.rectangle((-42.0, 42.0), (1.0 + n as f32 * 2.5, 1.08 + n as f32 * 2.5), [182, 172, 154]);
    }
    let wall = [236, 226, 204];
    place.buildings.push(Building {
        x0: -14.0,
        y0: 36.0,
        x1: 14.0,
        y1: 52.0,
        height: 12.4,
        wall,
        ground_floor: GroundFloor::Public,
    });
    place.signs.push(letters("MAIRIE", at(-3.9, 35.9, 8.9), 1.5, [92, 66, 30], Some([244, 236, 214])));
    houses(&mut place, dice, Row { x: (-80.0, -17.0), y: (38.0, 50.0), along_x: true });
    houses(&mut place, dice, Row { x: (17.0, 80.0), y: (38.0, 50.0), along_x: true });
    houses(&mut place, dice, Row { x: (36.0, 50.0), y: (2.0, 36.0), along_x: false });
    houses(&mut place, dice, Row { x: (-60.0, -44.0), y: (2.0, 36.0), along_x: false });
    crossing(&mut place, (-2.0, -6.0), true);
    place.props.extend([
        Prop::Fountain { x: 2.0, y: 15.0 },
        Prop::Flag { x: 6.0, y: 34.0 },
        Prop::Lamp { x: -12.0, y: -0.5 },
        Prop::Lamp { x: 16.0, y: -0.5 },
    ]);
    let spots: Vec<(f32, f32)> =
        (0..5).flat_map(|n| [(-22.0, 4.0 + n as f32 * 6.5), (24.0, 4.0 + n as f32 * 6.5)]).collect();
    trees(&mut place, dice, &spots);
    place.props.extend(
        (0..12)
            .map(|n| Prop::Bollard { x: -16.0 + n as f32 * 3.0, y: -0.6 })
            .filter(|prop| (prop.foot().x + 2.0).abs() > 2.5),
    );
    place.lanes = vec![
        lane("west to east", &[(-60.0, -7.75), (70.0, -7.75)], LIGHT, (24.0, 34.0)),
        lane("east to west", &[(70.0, -4.25), (-60.0, -4.25)], LIGHT, (24.0, 34.0)),
        lane("east to west", &[(70.0, -4.25), (-60.0, -4.25)], BUSES, (24.0, 26.0)),
    ];
    place.walks = vec![
        walk(&[(-2.0, -12.0), (-2.0, 0.0), (-6.0, 10.0), (-4.0, 34.0)]),
        walk(&[(-30.0, 10.0), (-4.0, 9.0), (14.0, 22.0), (32.0, 24.0)]),
        walk(&[(30.0, 6.0), (8.0, 8.0), (-10.0, 24.0), (-32.0, 28.0)]),
        walk(&[(-40.0, -1.6), (40.0, -1.6)]),
        walk(&[(6.0, 34.0), (9.0, 16.0), (20.0, 2.0), (34.0, -1.4)]),
    ];
    place.vehicle_count = 7;
    place.walker_count = 13;
    place
}

pub fn school_street(dice: &mut Dice) -> Place {
    let mut place = empty(Pose { eye: at(7.2, -19.0, 6.6), target: at(-1.0, 9.0, 0.6), view_degrees: 62.0 }, GRASS);
    roads(&mut place, &[road((0.0, -60.0), (0.0, 220.0))], None);
    crossing(&mut place, (0.0, 9.0), false);
    let ground = |text, x, y, size| Sign {
        text,
        origin: at(x, y, 0.02),
        right: at(1.0, 0.0, 0.0),
        up: at(0.0, 1.0, 0.0),
        letter_metres: size,
        colour: PAINT,
        board: None,
    };
    place.signs.push(ground("30", 0.35, -3.0, 1.9));
    let school = Building {
        x0: -26.0,
        y0: 6.0,
        x1: -8.5,
        y1: 44.0,
        height: 9.4,
        wall: [222, 188, 150],
        ground_floor: GroundFloor::Public,
    };
    place.buildings.push(school);
    place.signs.push(Sign {
        text: "ÉCOLE",
        origin: at(-8.4, 13.0, 5.4),
        right: at(0.0, 1.0, 0.0),
        up: at(0.0, 0.0, 1.0),
        letter_metres: 1.5,
        colour: [250, 250, 246],
        board: Some(ENAMEL),
    });
    houses(&mut place, dice, Row { x: (-22.0, -8.0), y: (48.0, 130.0), along_x: false });
    houses(&mut place, dice, Row { x: (8.0, 22.0), y: (4.0, 130.0), along_x: false });
    houses(&mut place, dice, Row { x: (-40.0, 40.0), y: (200.0, 214.0), along_x: true });
    for n in 0..6 {
        let y = 14.0 + n as f32 * 5.0;
        place.props.push(Prop::Rail { x0: -4.3, y0: y, x1: -4.3, y1: y + 4.0 });
    }
    place.props.extend([
        Prop::Lamp { x: -5.0, y: 4.0 },
        Prop::Lamp { x: -5.0, y: 44.0 },
        Prop::Bollard { x: 4.3, y: 6.5 },
        Prop::Bollard { x: 4.3, y: 11.5 },
    ]);
    trees(
        &mut place,
        dice,
        &[(-6.4, 3.0), (-12.0, -1.0), (5.6, 22.0), (-5.6, 54.0), (5.6, 40.0), (5.6, 62.0), (-16.0, 2.0)],
    );
    place.lanes = vec![
        lane("south to north", &[(1.75, -30.0), (1.75, 120.0)], LIGHT, (22.0, 30.0)),
        lane("north to south", &[(-1.75, 120.0), (-1.75, -30.0)], LIGHT, (20.0, 29.0)),
    ];
    place.walks = vec![
        walk(&[(5.6, -10.0), (5.4, 7.0), (4.6, 9.0), (-4.6, 9.0), (-6.6, 14.0), (-6.4, 30.0)]),
        walk(&[(-6.6, 42.0), (-6.4, 12.0), (-4.8, 8.6), (4.8, 8.6), (5.8, 16.0), (5.6, 36.0)]),
        walk(&[(5.2, 60.0), (5.2, -10.0)]),
        walk(&[(-6.2, -10.0), (-6.2, 60.0)]),
        walk(&[(-7.4, 40.0), (-7.0, 10.0), (-12.0, 2.0)]),
    ];
    place.vehicle_count = 6;
    place.walker_count = 12;
    place
}
