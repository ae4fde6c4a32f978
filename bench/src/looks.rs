//! What a look adds to the first byte of a picture while every camera is recorded on the same disk.
//!
//! Each time the same seconds of one camera are opened under a permit that was there, once to warm what is cached and once
//! timed; then with a look of their own (decision, durable ledger entry, new permit, its keys), timed from the request of the look.
//! What the look adds is the difference of the two.

use crate::{
    Outcome,
    table::{line, quantiles},
};
use domain::UtcMicros;
use serde_json::json;
use simulator::installation::Browser;
use std::{
    io::{self, Read},
    thread::sleep,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A look may add this at the 95th percentile (docs/progress/2.md).
const ADDED_MS_MAX: f64 = 10.0;
/// Between two looks, so that they meet every phase of the sync of each second.
const PAUSE: Duration = Duration::from_millis(67);
/// How long ago the footage that is looked at was recorded, and how much of it there is.
const AGO_SECONDS: i64 = 20;
const LONG_SECONDS: i64 = 4;

/// Milliseconds of each look.
#[derive(Default)]
pub struct Measured {
    /// The gate's answer: decision, entry, permit.
    gate: Vec<f64>,
    /// From the request of the look to the first byte.
    with_look: Vec<f64>,
    /// The same read under a permit that was there.
    without: Vec<f64>,
    /// What each look added to its own read.
    added: Vec<f64>,
    /// An answer that neither decides nor enters anything: what a round trip costs.
    bare: Vec<f64>,
}

pub fn measure(browser: &Browser<'_>, cameras: &[String], looks: u32) -> Outcome<Measured> {
    let mut measured = Measured::default();
    for camera in cameras.iter().cycle().take(looks as usize) {
        let to = now().plus_seconds(LONG_SECONDS - AGO_SECONDS);
        let from = to.plus_seconds(-LONG_SECONDS);
        measured.one(browser, camera, from, to)?;
        sleep(PAUSE);
    }
    Ok(measured)
}

impl Measured {
    fn one(&mut self, browser: &Browser<'_>, camera: &str, from: UtcMicros, to: UtcMicros) -> Outcome<()> {
        let path = |permit: &str| format!("/media/{permit}/{camera}/replay?from={from}&to={to}");
        let there = look(browser, camera, from.plus_seconds(-1), to.plus_seconds(1))?;
        first_byte(browser, &path(&there), Instant::now())?;
        let without = first_byte(browser, &path(&there), Instant::now())?;
        let begun = Instant::now();
        let permit = look(browser, camera, from, to)?;
        self.gate.push(milliseconds(begun));
        let with_look = first_byte(browser, &path(&permit), begun)?;
        self.with_look.push(with_look);
        self.without.push(without);
        self.added.push(with_look - without);
        let begun = Instant::now();
        browser.get("/api/session")?;
        self.bare.push(milliseconds(begun));
        for permit in [there, permit] {
            browser.delete(&format!("/api/looks/{permit}"))?;
        }
        Ok(())
    }
}

/// The permit's id.
fn look(browser: &Browser<'_>, camera: &str, from: UtcMicros, to: UtcMicros) -> Outcome<String> {
    let ask = json!({"kind": "replay", "cameras": [camera], "from": from.to_string(), "to": to.to_string(),
        "purpose": 5, "reason": "Mesure du banc d'essai"});
    let look = browser.post("/api/looks", &ask)?;
    Ok(look["permit"].as_str().ok_or("a look without a permit")?.to_owned())
}

/// Milliseconds since `begun` when the first byte is there; the rest is read too, as a browser does.
fn first_byte(browser: &Browser<'_>, path: &str, begun: Instant) -> Outcome<f64> {
    let mut stream = browser.open(path)?;
    stream.read_exact(&mut [0])?;
    let milliseconds = milliseconds(begun);
    io::copy(&mut stream, &mut io::sink())?;
    Ok(milliseconds)
}

fn milliseconds(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

pub fn now() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros(since.as_micros() as i64)
}

impl Measured {
    pub fn markdown(&self, cameras: u32) -> String {
        let mut text = format!(
            "{} looks at stored pictures while {cameras} cameras are recorded on the same disk, one run.\n\n",
            self.gate.len()
        );
        text += "| milliseconds | median | 95 % |\n| --- | --- | --- |\n";
        let mut row = |name: &str, values: &[f64]| {
            let (p50, p95) = quantiles(&mut values.to_vec());
            line(&mut text, &format!("| {name} | {p50:.2} | {p95:.2} |"));
            p95
        };
        row("an answer without decision or entry", &self.bare);
        row("the gate's answer: decision, durable entry, permit", &self.gate);
        row("first byte of a read under a permit that was there", &self.without);
        row("first byte with a look of its own", &self.with_look);
        let added = row("what the look added to its own read", &self.added);
        let verdict = if added <= ADDED_MS_MAX { "holds" } else { "DOES NOT HOLD" };
        line(&mut text, &format!("\nGoal: {added:.2} ≤ {ADDED_MS_MAX} ms added at the 95th percentile: {verdict}."));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_add_is_judged_at_its_95th_percentile() {
        let of = |slow: usize| {
            let added = (0..100).map(|nth| if nth < slow { 30.0 } else { 3.0 }).collect();
            Measured { added, ..Measured::default() }.markdown(50)
        };
        assert!(of(5).contains("3.00 ≤ 10 ms added at the 95th percentile: holds"), "{}", of(5));
        assert!(of(6).contains("30.00 ≤ 10 ms added at the 95th percentile: DOES NOT HOLD"), "{}", of(6));
    }
}
