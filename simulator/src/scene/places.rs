//! The six places of the town: invented, but built as French towns are. Metres, origin in the middle of each place.

mod centre;
mod outskirts;
mod pieces;

use super::Setting;
use super::place::Place;
use super::traffic::Vehicle;
use super::vehicle::{Class, Colour};
use crate::random::Dice;

/// The cameras' places, in order.
pub const PLACE_NAMES: [&str; 6] = [
    "CARREFOUR DE LA HALLE",
    "PLACE DE LA MAIRIE",
    "RUE DE L'ÉCOLE",
    "PARVIS DE LA GARE",
    "PONT DU MOULIN",
    "ENTRÉE DU PARKING",
];

/// The place of one camera; `dice` choose colours and heights.
pub fn build(index: usize, dice: &mut Dice) -> Place {
    let mut place = match index {
        0 => centre::crossroads(dice),
        1 => centre::square(dice),
        2 => centre::school_street(dice),
        3 => outskirts::station(dice),
        4 => outskirts::bridge(dice),
        _ => outskirts::car_park(dice),
    };
    place.name = PLACE_NAMES[index.min(5)];
    place
}

/// The vehicle that is in a place whatever the seed: the fast yellow car at the crossroads, by day straight on, in its
/// night round the corner; a car that enters the car park.
pub fn known_vehicle(index: usize, setting: Setting) -> Option<Vehicle> {
    let car = |colour, speed_kmh, lane| Vehicle { class: Class::Car, colour, speed_kmh, lane, start_s: 1.5 };
    match (index, setting) {
        (0, Setting::Day) => Some(car(Colour::Yellow, 63.0, 0)),
        (0, Setting::NightCorner) => Some(car(Colour::Yellow, 58.0, 5)),
        (5, Setting::Day) => Some(car(Colour::Green, 16.0, 2)),
        _ => None,
    }
}
