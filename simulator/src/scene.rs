//! The synthetic town: six places with traffic, drawn from a seed, rendered frame by frame, with their ground truth.

mod canvas;
mod figure;
mod font;
mod lens;
mod night;
mod place;
mod places;
mod route;
mod traffic;
mod truth;
mod vehicle;

pub use places::PLACE_NAMES;
pub use truth::{FrameBox, GroundTruth, ParkedTruth, VehicleTruth};
pub use vehicle::{Class, Colour};

use crate::random::Dice;
use canvas::{Canvas, Stand};
use lens::Lens;
use night::Night;
use place::{Building, Place, mask_without};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tiny_skia::{Mask, Pixmap};
use traffic::{Vehicle, Walker};

/// Frames a second of every camera: what TECH-09 asks of narrow views of fast flows (arrêté of 3 August 2007).
pub const FRAMES_PER_SECOND: u32 = 12;

/// When a clip plays, and what happens in it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    #[default]
    Day,
    /// Lamps, lit windows, few cars.
    Night,
    /// The night of the yellow car: at the first place it comes round the corner, fast. Other places: as by night.
    NightCorner,
}

/// How large and how long a clip is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ClipSize {
    /// 1024 × 576, 20 s: what a town records (TECH-07 asks for 704 × 576 at least).
    Town,
    /// 352 × 288, 4 s: for tests, rendered in a second.
    Small,
}

impl ClipSize {
    pub const fn width_px(self) -> u32 {
        match self {
            ClipSize::Town => 1024,
            ClipSize::Small => 352,
        }
    }
    pub const fn height_px(self) -> u32 {
        match self {
            ClipSize::Town => 576,
            ClipSize::Small => 288,
        }
    }
    /// Width and height of the smaller picture of a camera that changes its size in mid-stream.
    pub const fn smaller_px(self) -> (u32, u32) {
        match self {
            ClipSize::Town => (704, 396),
            ClipSize::Small => (176, 144),
        }
    }
    pub const fn seconds(self) -> u32 {
        match self {
            ClipSize::Town => 20,
            ClipSize::Small => 4,
        }
    }
    pub const fn frames(self) -> u32 {
        self.seconds() * FRAMES_PER_SECOND
    }
}

/// One camera's scene: everything that is needed to paint any frame of its clip, in any order.
pub struct Scene {
    camera: u32,
    seed: u64,
    size: ClipSize,
    place: Place,
    lens: Lens,
    background: Pixmap,
    vehicles: Vec<Vehicle>,
    parked: Vec<(Class, Colour, Stand)>,
    walkers: Vec<Walker>,
    /// Paint masks by the set of houses that stand in front (bit n: house n).
    masks: HashMap<u32, Mask>,
    setting: Setting,
    night: Option<Night>,
}

/// A thing to paint in one frame, and how far away it is.
enum Thing<'a> {
    /// The last: it drives.
    Vehicle(Class, Colour, Stand, bool),
    Walker(&'a Walker, f32, Stand),
    Prop(&'a figure::Prop),
}

impl Scene {
    /// The scene of camera `camera` (1 is the first; after the sixth the places begin anew).
    pub fn new(camera: u32, seed: u64, size: ClipSize, setting: Setting) -> Scene {
        let index = camera.saturating_sub(1) as usize % PLACE_NAMES.len();
        let mut dice = Dice::new(seed, index as u64 + 1);
        let mut place = places::build(index, &mut dice);
        if setting != Setting::Day {
            place.fall_quiet();
        }
        let (width, height) = (size.width_px(), size.height_px());
        let lens = Lens::new(place.pose, width, height);
        let mut background = Pixmap::new(width, height).expect("both sizes of a clip are above zero");
        place.paint_background(&lens, &mut background, &mut dice);
        let loop_s = size.seconds() as f32;
        let vehicles = traffic::draw_vehicles(&place, places::known_vehicle(index, setting), loop_s, &mut dice);
        let walkers = traffic::draw_walkers(&place, &vehicles, loop_s, &mut dice);
        let mut colour = || dice.pick(&Colour::FREQUENT).copied().unwrap_or(Colour::Grey);
        let parked = place.parked.iter().map(|&(class, stand)| (class, colour(), stand)).collect();
        let (masks, night) = (HashMap::new(), None);
        let mut scene =
            Scene { camera, seed, size, place, lens, background, vehicles, parked, walkers, masks, setting, night };
        if setting != Setting::Day {
            let mask = |foot| Some(scene.houses_hiding(foot)).filter(|set| *set != 0).map(|set| scene.mask(set));
            scene.night = Some(Night::new(&scene.place, &scene.lens, (width, height), mask, &mut dice));
        }
        scene
    }

    /// Paints frame `frame` of the clip: RGBA, four bytes a pixel, rows from the top.
    pub fn render(&mut self, frame: u32) -> Vec<u8> {
        let mut masks = std::mem::take(&mut self.masks);
        let mut things = self.things(frame);
        things.sort_by(|a, b| b.0.total_cmp(&a.0));
        let sets: Vec<u32> = things.iter().map(|(_, thing)| self.houses_before(thing)).collect();
        let (width, height) = (self.size.width_px(), self.size.height_px());
        for set in sets.iter().copied().filter(|&set| set != 0) {
            masks.entry(set).or_insert_with(|| self.mask(set));
        }
        let mut pixmap = self.background.clone();
        for ((_, thing), set) in things.iter().zip(&sets) {
            let mut canvas = Canvas { pixmap: &mut pixmap, lens: &self.lens, mask: masks.get(set) };
            match thing {
                Thing::Vehicle(class, colour, stand, _) => vehicle::paint(&mut canvas, *class, *colour, *stand),
                // Two steps are about 1.5 m.
                Thing::Walker(walker, metres, stand) => {
                    walker.figure.paint(&mut canvas, *stand, metres * std::f32::consts::TAU / 1.5)
                }
                Thing::Prop(prop) => prop.paint(&mut canvas),
            }
        }
        if let Some(night) = &self.night {
            let driving = things.iter().zip(&sets).filter_map(|((_, thing), set)| match thing {
                Thing::Vehicle(class, _, stand, true) => Some((*class, *stand, masks.get(set))),
                _ => None,
            });
            night.fall(&mut pixmap, &self.lens, &driving.collect::<Vec<_>>(), frame % self.size.frames());
        }
        caption(
            &mut pixmap,
            &self.lens,
            &format!("CAM {}  {}", self.camera, self.place.name),
            frame,
            width,
            height,
            self.size.frames(),
        );
        self.masks = masks;
        pixmap.take()
    }

    /// What really drives through the clip.
    pub fn truth(&mut self) -> GroundTruth {
        let vehicles = self.vehicles.clone();
        let vehicles = vehicles.iter().enumerate().map(|(n, vehicle)| self.vehicle_truth(n, vehicle)).collect();
        let parked = self.parked.iter().map(|&(class, colour, stand)| ParkedTruth {
            class,
            colour,
            at_metres: [stand.origin.x, stand.origin.y],
        });
        GroundTruth {
            camera: self.camera,
            place: self.place.name.to_owned(),
            seed: self.seed,
            setting: self.setting,
            width_px: self.size.width_px(),
            height_px: self.size.height_px(),
            frames_per_second: FRAMES_PER_SECOND,
            frames: self.size.frames(),
            vehicles,
            parked: parked.collect(),
            pedestrians: self.walkers.len() as u32,
        }
    }

    fn things(&self, frame: u32) -> Vec<(f32, Thing<'_>)> {
        let (time_s, loop_s) = (frame as f32 / FRAMES_PER_SECOND as f32, self.size.seconds() as f32);
        let mut things: Vec<(f32, Thing)> = Vec::new();
        let mut push = |origin, thing| things.push((self.lens.depth(origin), thing));
        for vehicle in &self.vehicles {
            for (_, stand) in vehicle.stands(&self.place, time_s, loop_s) {
                push(stand.origin, Thing::Vehicle(vehicle.class, vehicle.colour, stand, true));
            }
        }
        self.parked
            .iter()
            .for_each(|&(class, colour, stand)| push(stand.origin, Thing::Vehicle(class, colour, stand, false)));
        for walker in &self.walkers {
            for (metres, stand) in walker.stands(&self.place, time_s, loop_s) {
                push(stand.origin, Thing::Walker(walker, metres, stand));
            }
        }
        self.place.props.iter().for_each(|prop| push(prop.foot(), Thing::Prop(prop)));
        things
    }

    /// The houses between the eye and a thing, as a set of bits.
    fn houses_before(&self, thing: &Thing) -> u32 {
        let foot = match thing {
            Thing::Vehicle(_, _, stand, _) | Thing::Walker(_, _, stand) => stand.origin,
            Thing::Prop(prop) => prop.foot(),
        };
        self.houses_hiding(foot)
    }
    fn houses_hiding(&self, foot: lens::Point3) -> u32 {
        let hides = |building: &Building| building.hides(self.lens.eye, foot);
        self.place
            .buildings
            .iter()
            .enumerate()
            .filter(|(_, building)| hides(building))
            .fold(0, |set, (n, _)| set | 1 << n)
    }
    fn mask(&self, set: u32) -> Mask {
        let chosen: Vec<&Building> = self
            .place
            .buildings
            .iter()
            .enumerate()
            .filter(|(n, _)| set >> n & 1 == 1)
            .map(|(_, building)| building)
            .collect();
        mask_without(&chosen, &self.lens, self.size.width_px(), self.size.height_px())
            .expect("both sizes of a clip are above zero")
    }

    fn vehicle_truth(&mut self, number: usize, vehicle: &Vehicle) -> VehicleTruth {
        let frames = self.size.frames();
        let route = &self.place.lanes[vehicle.lane].route;
        let (name, path_metres, lane_s) = (route.name, route.outline(), route.metres() / vehicle.speed_kmh * 3.6);
        let first = (vehicle.start_s * FRAMES_PER_SECOND as f32).ceil() as u32;
        let last = ((vehicle.start_s + lane_s) * FRAMES_PER_SECOND as f32).floor() as u32;
        let mut seen = Vec::new();
        for frame in first..=last {
            let metres = (frame as f32 / FRAMES_PER_SECOND as f32 - vehicle.start_s) * vehicle.speed_kmh / 3.6;
            let stand = self.place.lanes[vehicle.lane].route.stand(metres);
            seen.extend(self.frame_box(vehicle.class, stand, frame));
        }
        let seconds = |entry: Option<&FrameBox>| {
            entry.map(|entry| (entry.frame as f32 / FRAMES_PER_SECOND as f32 * 100.0).round() / 100.0)
        };
        let (enters_s, leaves_s) = (seconds(seen.first()), seconds(seen.last()));
        seen.iter_mut().for_each(|entry| entry.frame %= frames);
        let id = format!("cam{}-v{}", self.camera, number + 1);
        let (class, colour, speed_kmh) = (vehicle.class, vehicle.colour, vehicle.speed_kmh);
        VehicleTruth {
            id,
            class,
            colour,
            speed_kmh,
            route: name.to_owned(),
            path_metres,
            enters_s,
            leaves_s,
            boxes: seen,
        }
    }

    /// The box of a vehicle in the picture; `None` outside it or where a house hides its middle.
    fn frame_box(&mut self, class: Class, stand: Stand, frame: u32) -> Option<FrameBox> {
        let corners = vehicle::bounds(class, stand).map(|corner| self.lens.project(corner));
        let pixels: Vec<(f32, f32)> = corners.into_iter().flatten().collect();
        if pixels.len() < 8 {
            return None;
        }
        let (width, height) = (self.size.width_px() as f32, self.size.height_px() as f32);
        let span = |side: fn(&(f32, f32)) -> f32, limit: f32| {
            let low = pixels.iter().map(side).fold(f32::MAX, f32::min).clamp(0.0, limit);
            (low, pixels.iter().map(side).fold(f32::MIN, f32::max).clamp(0.0, limit))
        };
        let ((x0, x1), (y0, y1)) = (span(|p| p.0, width), span(|p| p.1, height));
        if x1 - x0 < 2.0 || y1 - y0 < 2.0 {
            return None;
        }
        let set = self.houses_hiding(stand.origin);
        if set != 0 {
            let mut masks = std::mem::take(&mut self.masks);
            let mask = masks.entry(set).or_insert_with(|| self.mask(set));
            let middle = ((y0 + y1) / 2.0) as usize * self.size.width_px() as usize + ((x0 + x1) / 2.0) as usize;
            let hidden = mask.data().get(middle) == Some(&0);
            self.masks = masks;
            if hidden {
                return None;
            }
        }
        Some(FrameBox { frame, x: x0 as u16, y: y0 as u16, width: (x1 - x0) as u16, height: (y1 - y0) as u16 })
    }
}

/// The strip at the foot of each picture: place and frame counter.
fn caption(pixmap: &mut Pixmap, lens: &Lens, text: &str, frame: u32, width: u32, height: u32, frames: u32) {
    let pixel = if width > 600 { 2.0 } else { 1.0 };
    let (width, height) = (width as f32, height as f32);
    let top = height - 13.0 * pixel;
    let mut canvas = Canvas { pixmap, lens, mask: None };
    canvas.fill(&[(0.0, top), (width, top), (width, height), (0.0, height)], [10, 12, 16], 150);
    let counter = format!("{frame:04}/{frames:04}");
    let right = width - (counter.chars().count() * font::ADVANCE + 3) as f32 * pixel;
    for (line, left) in [(text, 4.0 * pixel), (counter.as_str(), right)] {
        for (column, row) in font::pixels(line) {
            let (x, y) = (left + column as f32 * pixel, top + (4.0 + row as f32) * pixel);
            canvas.fill(&[(x, y), (x + pixel, y), (x + pixel, y + pixel), (x, y + pixel)], [232, 234, 236], 255);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packetise::nal_digest;

    fn pixels(seed: u64, frame: u32) -> [u8; 32] {
        nal_digest(&Scene::new(1, seed, ClipSize::Small, Setting::Day).render(frame))
    }

    #[test]
    fn the_same_seed_paints_the_same_pixels_and_another_seed_others() {
        assert_eq!(pixels(1, 5), pixels(1, 5));
        assert_ne!(pixels(1, 5), pixels(2, 5));
    }

    #[test]
    fn a_frame_does_not_depend_on_the_frames_painted_before_it() {
        let mut scene = Scene::new(3, 1, ClipSize::Small, Setting::Day);
        let alone = scene.render(7);
        scene.render(20);
        assert!(scene.render(7) == alone);
    }

    #[test]
    fn the_end_of_a_clip_joins_its_beginning() {
        // Frame `frames` is where frame 0 is, but for the counter: the picture above the caption is the same.
        let mut scene = Scene::new(2, 1, ClipSize::Small, Setting::Day);
        let above = |picture: Vec<u8>| picture[..352 * 4 * 270].to_vec();
        assert!(above(scene.render(0)) == above(scene.render(ClipSize::Small.frames())));
        assert!(above(scene.render(0)) != above(scene.render(1)));
    }

    #[test]
    fn every_place_has_traffic_that_is_seen() {
        for camera in 1..=PLACE_NAMES.len() as u32 {
            let truth = Scene::new(camera, 1, ClipSize::Town, Setting::Day).truth();
            let seen = truth.vehicles.iter().filter(|vehicle| vehicle.boxes.len() > 6).count();
            assert!(seen >= 3, "{}: {seen} vehicles seen", truth.place);
            assert!(truth.pedestrians >= 1, "{}", truth.place);
        }
    }

    #[test]
    fn the_yellow_car_is_fast_and_is_where_the_truth_says() {
        let mut scene = Scene::new(1, 1, ClipSize::Town, Setting::Day);
        let truth = scene.truth();
        let car = truth.vehicles.iter().find(|vehicle| vehicle.colour == Colour::Yellow).expect("the known vehicle");
        assert!(car.speed_kmh > 50.0);
        let middle = car.boxes[car.boxes.len() / 2];
        let picture = scene.render(middle.frame);
        let (x, y) = (u32::from(middle.x + middle.width / 2), u32::from(middle.y + middle.height / 2));
        let around = (y.saturating_sub(12)..y + 12)
            .flat_map(|y| (x.saturating_sub(12)..x + 12).map(move |x| ((y * 1024 + x) * 4) as usize));
        let yellow = around.filter(|&at| picture[at] > 140 && picture[at + 1] > 110 && picture[at + 2] < 110).count();
        assert!(yellow > 40, "{yellow} yellow pixels");
    }
    #[test]
    fn by_night_the_street_is_dark_and_no_picture_is_black_or_still() {
        let brightness = |picture: &[u8]| {
            let sum: u64 = picture.chunks_exact(4).map(|pixel| u64::from(pixel[1])).sum();
            sum / (picture.len() as u64 / 4)
        };
        for camera in 1..=PLACE_NAMES.len() as u32 {
            let day = brightness(&Scene::new(camera, 1, ClipSize::Small, Setting::Day).render(0));
            let mut scene = Scene::new(camera, 1, ClipSize::Small, Setting::Night);
            let first = scene.render(0);
            let night = brightness(&first);
            assert!(night * 2 < day && night > 8, "camera {camera}: {night} by night, {day} by day");
            assert!(first != scene.render(1), "the sensor's noise never stands still");
        }
    }

    #[test]
    fn the_yellow_car_comes_round_the_corner_by_night_as_the_truth_says() {
        let mut scene = Scene::new(1, 1, ClipSize::Town, Setting::NightCorner);
        let truth = scene.truth();
        let car = truth.vehicles.iter().find(|vehicle| vehicle.colour == Colour::Yellow).expect("the known vehicle");
        assert_eq!((truth.setting, car.route.as_str()), (Setting::NightCorner, "east to north"));
        assert!(car.speed_kmh > 50.0 && car.enters_s.is_some() && car.leaves_s > car.enters_s);
        let yellow = |frame: &FrameBox, picture: &[u8]| {
            let (x, y) = (u32::from(frame.x), u32::from(frame.y));
            let inside = (y..y + u32::from(frame.height)).flat_map(|row| {
                (x..x + u32::from(frame.width)).map(move |column| ((row * 1024 + column) * 4) as usize)
            });
            inside.filter(|&at| picture[at] > 110 && picture[at + 1] > 70 && picture[at + 2] < picture[at] / 2).count()
        };
        let best = car.boxes.iter().step_by(3).map(|frame| yellow(frame, &scene.render(frame.frame))).max();
        assert!(best > Some(200), "{best:?} yellow pixels at best");
    }
}
