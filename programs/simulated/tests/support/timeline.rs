//! What the console tells of a camera's time: footage and gaps with their causes, and that nothing between is silence.

use super::{Site, now, until};
use domain::UtcMicros;
use serde_json::Value;

/// A gap of the day as the console tells it, with its French cause.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    pub from: UtcMicros,
    pub to: Option<UtcMicros>,
    pub cause: String,
}

fn micros(value: &Value) -> Option<UtcMicros> {
    let time: jiff::Timestamp = value.as_str()?.parse().ok()?;
    Some(UtcMicros(time.as_microsecond()))
}

/// Footage and gaps of a camera from `from` on: both days, where midnight passes meanwhile.
pub fn timeline(site: &Site, camera: &str, from: UtcMicros) -> (Vec<(UtcMicros, UtcMicros)>, Vec<Told>) {
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let date = |at: UtcMicros| jiff::Timestamp::from_microsecond(at.0).unwrap().to_zoned(paris.clone()).date();
    let mut dates = vec![date(from), date(site.now())];
    dates.dedup();
    let (mut footage, mut gaps) = (Vec::new(), Vec::new());
    for date in dates {
        // a recorder that starts again answers in a moment
        let path = format!("/api/cameras/{camera}/day?date={date}");
        let day = until("the recorder tells of the day", || site.operator().get(&path).ok());
        for span in day["footage"].as_array().unwrap() {
            footage.push((micros(&span["from"]).unwrap(), micros(&span["to"]).unwrap()));
        }
        for gap in day["gaps"].as_array().unwrap() {
            let cause = gap["cause_fr"].as_str().unwrap().to_owned();
            gaps.push(Told { from: micros(&gap["from"]).unwrap(), to: micros(&gap["to"]), cause });
        }
    }
    (footage, gaps)
}

/// Nothing between the first picture and `until` is neither footage nor a gap with a cause. Spans nearer than two seconds are
/// one on the timeline (promise 1); a span ends at its last picture, not at the end of its showing.
pub fn check_covered(site: &Site, camera: &str, from: UtcMicros, until: UtcMicros) {
    let (footage, gaps) = timeline(site, camera, from);
    let mut pieces = footage.clone();
    pieces.extend(gaps.iter().map(|gap| (gap.from, gap.to.unwrap_or(until))));
    pieces.sort();
    let mut covered = pieces.first().unwrap_or_else(|| panic!("nothing of {camera}")).1;
    for (begin, end) in &pieces {
        let hole_ms = begin.since(covered) / 1_000;
        assert!(hole_ms <= 250, "{camera}: {hole_ms} ms before {begin} without a word: {footage:#?} {gaps:#?}");
        covered = covered.max(*end);
    }
    assert!(until.since(covered) <= 4_000_000, "{camera}: nothing since {covered}, it is {until}");
}

pub fn has_cause(gaps: &[Told], words: &str) -> bool {
    gaps.iter().any(|gap| gap.cause.contains(words))
}

/// The disk's check is an alarm in these words.
pub fn until_told(site: &Site, words: &str, remedy: &str) {
    until(&format!("`{words}` is told"), || {
        let check = site.check("disk")?;
        let text = check["detail_fr"].as_str()?;
        (check["state"] == "alarm" && text.contains(words) && text.contains(remedy)).then_some(())
    });
}

/// Pictures of these cameras are durable again, the alarm has ended by itself, and no second is silence.
pub fn until_goes_on(site: &Site, cameras: &[String], start: UtcMicros) {
    site.until_durable_after(cameras, now());
    until("the alarm ends by itself", || site.check("disk").filter(|check| check["state"] != "alarm"));
    cameras.iter().for_each(|camera| check_covered(site, camera, start, now()));
}
