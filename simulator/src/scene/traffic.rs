//! Who drives and walks when: drawn by dice, periodic with the clip, without two vehicles in one spot.

use super::canvas::Stand;
use super::figure::Figure;
use super::place::{Lane, Place};
use super::route::Route;
use super::vehicle::{Class, Colour};
use crate::random::Dice;

/// A vehicle that enters its lane once per turn of the clip.
#[derive(Clone, Copy, Debug)]
pub struct Vehicle {
    pub class: Class,
    pub colour: Colour,
    pub speed_kmh: f32,
    /// Index among the place's lanes.
    pub lane: usize,
    /// Seconds of the clip at which it is at its lane's start.
    pub start_s: f32,
}

/// A pedestrian on one of the place's walks, in the same way.
#[derive(Clone, Copy, Debug)]
pub struct Walker {
    pub figure: Figure,
    pub speed_kmh: f32,
    pub walk: usize,
    pub start_s: f32,
}

/// Draws the vehicles of a place. `first` is one that must be there.
pub fn draw_vehicles(place: &Place, first: Option<Vehicle>, loop_s: f32, dice: &mut Dice) -> Vec<Vehicle> {
    let mut vehicles: Vec<Vehicle> = first.into_iter().collect();
    // Forty throws a vehicle are plenty: where the street is full, it is full.
    for _ in 0..place.vehicle_count * 40 {
        if vehicles.len() >= place.vehicle_count {
            break;
        }
        let lane = dice.below(place.lanes.len());
        let Lane { classes, speed_kmh: (slow, fast), .. } = place.lanes[lane];
        let class = dice.pick(classes).copied().unwrap_or(Class::Car);
        let colour = dice.pick(&Colour::FREQUENT).copied().unwrap_or(Colour::White);
        let speed_kmh = (dice.between(slow, fast) * 2.0).round() / 2.0;
        let vehicle = Vehicle { class, colour, speed_kmh, lane, start_s: dice.between(0.0, loop_s) };
        if vehicles.iter().all(|other| apart(place, &vehicle, other, loop_s))
            && apart_from_itself(place, &vehicle, loop_s)
        {
            vehicles.push(vehicle);
        }
    }
    vehicles
}

/// Draws the pedestrians; none steps in front of a vehicle.
pub fn draw_walkers(place: &Place, vehicles: &[Vehicle], loop_s: f32, dice: &mut Dice) -> Vec<Walker> {
    const COATS: [[u8; 3]; 7] =
        [[58, 64, 92], [96, 54, 58], [60, 84, 70], [120, 108, 88], [46, 48, 54], [150, 92, 52], [92, 100, 116]];
    let mut walkers = Vec::new();
    for _ in 0..place.walker_count * 20 {
        if walkers.len() >= place.walker_count || place.walks.is_empty() {
            break;
        }
        let coat = dice.pick(&COATS).copied().unwrap_or(COATS[0]);
        let figure = Figure { coat, height_metres: dice.between(1.55, 1.85) };
        let walk = dice.below(place.walks.len());
        let walker = Walker { figure, speed_kmh: dice.between(3.8, 5.4), walk, start_s: dice.between(0.0, loop_s) };
        let clear = samples(loop_s).all(|time_s| {
            let steps = walker.stands(place, time_s, loop_s);
            let mut cars = vehicles.iter().flat_map(|vehicle| {
                vehicle.stands(place, time_s, loop_s).into_iter().map(|(_, stand)| (vehicle.class, stand))
            });
            cars.all(|car| steps.iter().all(|(_, step)| !runs_over(car, *step)))
        });
        if clear {
            walkers.push(walker);
        }
    }
    walkers
}

impl Vehicle {
    /// Where it is at `time_s`, as (metres of its lane, place): nowhere, once, or twice where one turn runs into the
    /// next.
    pub fn stands(&self, place: &Place, time_s: f32, loop_s: f32) -> Vec<(f32, Stand)> {
        positions(&place.lanes[self.lane].route, self.speed_kmh, self.start_s, time_s, loop_s)
    }
}

impl Walker {
    /// As for a vehicle.
    pub fn stands(&self, place: &Place, time_s: f32, loop_s: f32) -> Vec<(f32, Stand)> {
        positions(&place.walks[self.walk], self.speed_kmh, self.start_s, time_s, loop_s)
    }
}

fn positions(route: &Route, speed_kmh: f32, start_s: f32, time_s: f32, loop_s: f32) -> Vec<(f32, Stand)> {
    let mut stands = Vec::new();
    let mut metres = (time_s - start_s).rem_euclid(loop_s) * speed_kmh / 3.6;
    while metres <= route.metres() {
        stands.push((metres, route.stand(metres)));
        metres += loop_s * speed_kmh / 3.6;
    }
    stands
}

fn samples(loop_s: f32) -> impl Iterator<Item = f32> {
    // Four looks a second: at 60 km/h a vehicle moves 4 m between two, less than its own length.
    (0..(loop_s * 4.0) as usize).map(|n| n as f32 / 4.0)
}

fn apart(place: &Place, a: &Vehicle, b: &Vehicle, loop_s: f32) -> bool {
    samples(loop_s).all(|time_s| {
        let others = b.stands(place, time_s, loop_s);
        let mine = a.stands(place, time_s, loop_s);
        mine.iter().all(|(_, mine)| others.iter().all(|(_, other)| !overlap((a.class, *mine), (b.class, *other))))
    })
}

fn apart_from_itself(place: &Place, vehicle: &Vehicle, loop_s: f32) -> bool {
    let turn_metres = loop_s * vehicle.speed_kmh / 3.6;
    place.lanes[vehicle.lane].route.metres() < turn_metres || turn_metres > vehicle.class.metres().0 + 4.0
}

/// Whether two vehicles are too near to each other, judged along each one's own heading.
fn overlap(a: (Class, Stand), b: (Class, Stand)) -> bool {
    let ((a_length, a_width, _), (b_length, b_width, _)) = (a.0.metres(), b.0.metres());
    let near = |own: Stand, other: Stand| {
        let (dx, dy) = (ground(other).0 - ground(own).0, ground(other).1 - ground(own).1);
        let along = (dx * own.front.0 + dy * own.front.1).abs();
        let aside = (dx * own.front.1 - dy * own.front.0).abs();
        let turned = (own.front.0 * other.front.0 + own.front.1 * other.front.1).abs() < 0.8;
        let reach = if turned { (a_length + b_length) / 2.0 } else { (a_width + b_width) / 2.0 };
        along < (a_length + b_length) / 2.0 + 3.0 && aside < reach + 0.3
    };
    near(a.1, b.1) && near(b.1, a.1)
}

/// Whether a pedestrian stands in a vehicle's way or too near to its side.
fn runs_over((class, car): (Class, Stand), step: Stand) -> bool {
    let (length, width, _) = class.metres();
    let (dx, dy) = (ground(step).0 - ground(car).0, ground(step).1 - ground(car).1);
    let (along, aside) = (dx * car.front.0 + dy * car.front.1, dx * car.front.1 - dy * car.front.0);
    along.abs() < length / 2.0 + 1.5 && aside.abs() < width / 2.0 + 0.6
}

fn ground(stand: Stand) -> (f32, f32) {
    (stand.origin.x, stand.origin.y)
}
