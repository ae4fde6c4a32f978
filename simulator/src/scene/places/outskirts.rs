//! Around the middle: the forecourt of the station, the bridge over the river, the entrance of the car park.

use super::pieces::*;
use crate::random::Dice;
use crate::scene::canvas::Stand;
use crate::scene::figure::Prop;
use crate::scene::lens::{Pose, at};
use crate::scene::place::{Building, GroundFloor, Lane, Place, Sign};
use crate::scene::vehicle::Class;

pub fn station(dice: &mut Dice) -> Place {
    let mut place =
        empty(Pose { eye: at(17.0, -24.0, 9.2), target: at(-1.0, 7.0, 0.0), view_degrees: 66.0 }, [192, 184, 172]);
    roads(&mut place, &[road((-140.0, -4.0), (140.0, -4.0))], None);
    place.rectangle((-24.0, 24.0), (6.5, 13.0), ASPHALT);
    place.rectangle((-24.0, -17.0), (-1.0, 8.0), ASPHALT);
    place.rectangle((17.0, 24.0), (-1.0, 8.0), ASPHALT);
    place.rectangle((-15.0, 15.0), (1.2, 5.2), GRASS);
    let ground = |text, x, y| Sign {
        text,
        origin: at(x, y, 0.02),
        right: at(1.0, 0.0, 0.0),
        up: at(0.0, 1.0, 0.0),
        letter_metres: 2.6,
        colour: [236, 196, 60],
        board: None,
    };
    place.signs.push(ground("BUS", -5.0, 8.4));
    let wall = [226, 212, 186];
    place.buildings.push(Building {
        x0: -20.0,
        y0: 20.0,
        x1: 20.0,
        y1: 32.0,
        height: 8.2,
        wall,
        ground_floor: GroundFloor::Public,
    });
    place.buildings.push(Building {
        x0: -6.0,
        y0: 17.0,
        x1: 6.0,
        y1: 33.0,
        height: 12.6,
        wall: [238, 226, 204],
        ground_floor: GroundFloor::Public,
    });
    place.signs.push(letters("GARE", at(-2.9, 16.9, 9.4), 1.7, [250, 250, 246], Some(ENAMEL)));
    houses(&mut place, dice, Row { x: (-90.0, -26.0), y: (22.0, 34.0), along_x: true });
    houses(&mut place, dice, Row { x: (26.0, 90.0), y: (22.0, 34.0), along_x: true });
    place.props.extend([
        Prop::Shelter { x: -9.0, y: 14.6 },
        Prop::Shelter { x: 9.0, y: 14.6 },
        Prop::Lamp { x: -14.0, y: 5.6 },
        Prop::Lamp { x: 12.0, y: 5.6 },
        Prop::Flag { x: 15.0, y: 17.0 },
    ]);
    trees(
        &mut place,
        dice,
        &[(-11.0, 3.2), (-4.0, 3.2), (3.5, 3.2), (10.5, 3.2), (-30.0, 8.0), (-34.0, 14.0), (30.0, 8.0), (36.0, 13.0)],
    );
    crossing(&mut place, (0.0, -4.0), true);
    place.lanes = station_lanes();
    place.walks = vec![
        walk(&[(-3.0, 16.2), (-14.0, 15.5), (-34.0, 17.0)]),
        walk(&[(30.0, 16.5), (10.0, 16.0), (2.0, 16.0)]),
        walk(&[(0.0, -12.0), (0.0, 1.0), (0.0, 14.0), (1.0, 16.2)]),
        walk(&[(-30.0, 0.6), (30.0, 0.6)]),
        walk(&[(30.0, -9.0), (-30.0, -9.0)]),
    ];
    place.vehicle_count = 8;
    place.walker_count = 11;
    place
}

fn station_lanes() -> Vec<Lane> {
    vec![
        lane("west to east", &[(-65.0, -5.75), (65.0, -5.75)], LIGHT, (30.0, 44.0)),
        lane("east to west", &[(65.0, -2.25), (-65.0, -2.25)], LIGHT, (30.0, 44.0)),
        lane(
            "east by the station to west",
            &[
                (65.0, -2.25),
                (27.0, -2.25),
                (20.5, -1.0),
                (20.5, 5.0),
                (20.5, 9.75),
                (14.0, 9.75),
                (-14.0, 9.75),
                (-20.5, 9.75),
                (-20.5, 5.0),
                (-20.5, -1.0),
                (-27.0, -2.25),
                (-65.0, -2.25),
            ],
            &[Class::Bus, Class::Bus, Class::Car],
            (22.0, 27.0),
        ),
    ]
}

pub fn bridge(dice: &mut Dice) -> Place {
    let mut place = empty(Pose { eye: at(-9.5, -26.0, 8.4), target: at(1.5, 8.0, -0.6), view_degrees: 64.0 }, GRASS);
    let water = -5.0;
    place.flat(&[(-300.0, -14.0), (300.0, -14.0), (300.0, 46.0), (-300.0, 46.0)], [112, 104, 92]);
    place.flat_at(water, &[(-300.0, -16.0), (300.0, -16.0), (300.0, 52.0), (-300.0, 52.0)], [92, 128, 142]);
    for _ in 0..90 {
        let (x, y, length) = (dice.between(-90.0, 90.0), dice.between(-8.0, 50.0), dice.between(1.5, 6.0));
        let ripple = if dice.below(2) == 0 { [116, 150, 162] } else { [82, 116, 132] };
        place.flat_at(water, &[(x, y), (x + length, y), (x + length, y + 0.14), (x, y + 0.14)], ripple);
    }
    place.flat(&[(-300.0, 46.0), (300.0, 46.0), (300.0, 50.0), (-300.0, 50.0)], PAVEMENT);
    place.flats.push((
        vec![at(-6.3, -14.0, -1.4), at(-6.3, 47.0, -1.4), at(-6.3, 47.0, 0.0), at(-6.3, -14.0, 0.0)],
        [150, 140, 122],
    ));
    for n in 0..4 {
        let (y0, y1) = (-7.0 + n as f32 * 15.0, -4.5 + n as f32 * 15.0);
        place.flats.push((
            vec![at(-6.3, y0, -5.0), at(-6.3, y1, -5.0), at(-6.3, y1, -1.0), at(-6.3, y0, -1.0)],
            [132, 122, 106],
        ));
    }
    roads(&mut place, &[road((0.0, -70.0), (0.0, 200.0))], None);
    houses(&mut place, dice, Row { x: (-110.0, -9.0), y: (58.0, 70.0), along_x: true });
    houses(&mut place, dice, Row { x: (9.0, 110.0), y: (58.0, 70.0), along_x: true });
    houses(&mut place, dice, Row { x: (-22.0, -9.0), y: (70.0, 140.0), along_x: false });
    houses(&mut place, dice, Row { x: (9.0, 22.0), y: (70.0, 140.0), along_x: false });
    for n in 0..6 {
        let y = -14.0 + n as f32 * 10.0;
        place.props.extend([
            Prop::Rail { x0: -6.1, y0: y, x1: -6.1, y1: y + 10.0 },
            Prop::Rail { x0: 6.1, y0: y, x1: 6.1, y1: y + 10.0 },
        ]);
    }
    place.props.extend([
        Prop::Lamp { x: 5.6, y: 2.0 },
        Prop::Lamp { x: 5.6, y: 34.0 },
        Prop::Lamp { x: -5.7, y: 18.0 },
    ]);
    let spots: Vec<(f32, f32)> =
        (0..7).flat_map(|n| [(-12.0 - n as f32 * 9.0, 53.0), (12.0 + n as f32 * 9.0, 53.0)]).collect();
    trees(&mut place, dice, &spots);
    place.lanes = vec![
        lane("south to north", &[(1.75, -40.0), (1.75, 130.0)], MIXED, (38.0, 50.0)),
        lane("north to south", &[(-1.75, 130.0), (-1.75, -40.0)], MIXED, (38.0, 50.0)),
    ];
    place.walks = vec![
        walk(&[(5.2, -16.0), (5.2, 50.0)]),
        walk(&[(-5.0, 54.0), (-5.0, -18.0)]),
        walk(&[(4.7, 52.0), (4.7, -14.0)]),
    ];
    place.vehicle_count = 8;
    place.walker_count = 6;
    place
}

pub fn car_park(dice: &mut Dice) -> Place {
    let mut place = empty(Pose { eye: at(-16.0, -22.0, 9.6), target: at(5.0, 9.0, 0.0), view_degrees: 66.0 }, GRASS);
    roads(&mut place, &[road((-140.0, -5.0), (140.0, -5.0))], None);
    place.rectangle((-6.0, 44.0), (7.0, 34.0), [112, 113, 116]);
    place.rectangle((6.6, 13.4), (-2.0, 8.0), ASPHALT);
    for (row, front) in [(9.0, 1.0), (26.5, -1.0)] {
        for bay in 0..16 {
            let x = -5.0 + bay as f32 * 3.0;
            if (5.0..14.0).contains(&x) && front > 0.0 {
                continue;
            }
            place.rectangle((x - 0.06, x + 0.06), (row - 1.0, row + 4.5), PAINT);
            if dice.below(10) < 7 {
                place.parked.push((
                    if dice.below(6) == 0 { Class::Van } else { Class::Car },
                    Stand { origin: at(x + 1.5, row + 1.8, 0.0), front: (0.0, front) },
                ));
            }
        }
    }
    houses(&mut place, dice, Row { x: (-70.0, -12.0), y: (22.0, 36.0), along_x: true });
    houses(&mut place, dice, Row { x: (-14.0, 90.0), y: (42.0, 54.0), along_x: true });
    place.buildings.push(Building {
        x0: 15.0,
        y0: 2.0,
        x1: 18.0,
        y1: 5.0,
        height: 2.9,
        wall: [60, 96, 150],
        ground_floor: GroundFloor::Public,
    });
    place.signs.push(letters("P", at(16.1, 1.9, 3.6), 1.4, [250, 250, 250], Some(ENAMEL)));
    place.signs.push(Sign {
        text: "P",
        origin: at(7.6, 2.0, 0.02),
        right: at(1.0, 0.0, 0.0),
        up: at(0.0, 1.0, 0.0),
        letter_metres: 3.0,
        colour: PAINT,
        board: None,
    });
    place.props.extend([
        Prop::Barrier { x: 9.8, y: 5.4, up: false },
        Prop::Barrier { x: 13.8, y: 5.4, up: true },
        Prop::Lamp { x: -7.0, y: 6.0 },
        Prop::Lamp { x: 22.0, y: 6.0 },
    ]);
    trees(
        &mut place,
        dice,
        &[(-4.0, 4.2), (1.5, 4.0), (22.0, 3.6), (28.0, 3.8), (34.0, 3.6), (-9.0, 14.0), (-9.0, 24.0), (40.0, 4.0)],
    );
    place.lanes = car_park_lanes();
    place.walks = vec![
        walk(&[(-30.0, -0.2), (5.0, -0.2)]),
        walk(&[(34.0, 20.0), (16.0, 16.5), (4.0, 16.0), (-4.0, 18.0)]),
        walk(&[(40.0, -10.0), (-30.0, -10.0)]),
        walk(&[(-2.0, 22.0), (24.0, 23.0)]),
        walk(&[(40.0, 0.0), (15.0, 0.0)]),
    ];
    place.vehicle_count = 8;
    place.walker_count = 6;
    place
}

fn car_park_lanes() -> Vec<Lane> {
    vec![
        lane("west to east", &[(-60.0, -6.75), (70.0, -6.75)], MIXED, (30.0, 46.0)),
        lane("east to west", &[(70.0, -3.25), (-60.0, -3.25)], MIXED, (30.0, 46.0)),
        lane(
            "east into the car park",
            &[
                (48.0, -3.25),
                (19.0, -3.25),
                (11.7, -2.6),
                (11.7, 4.0),
                (11.7, 12.0),
                (12.0, 19.5),
                (20.0, 20.5),
                (44.0, 20.5),
            ],
            &[Class::Car],
            (14.0, 17.0),
        ),
    ]
}
