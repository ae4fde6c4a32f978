//! What a look adds to the first byte of a picture while every camera is recorded on the same disk.
//!
//! Each look asks the gate (decision, ledger entry, permit) for a few seconds of one camera and opens them; the same read is then
//! opened again under the same permit, without an entry. What the look adds is the gate's whole answer over HTTP.

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
    /// The same read once more, under the same permit.
    without: Vec<f64>,
    /// An answer that neither decides nor enters anything: what a round trip costs.
    bare: Vec<f64>,
}

pub fn measure(browser: &Browser<'_>, cameras: &[String], looks: u32) -> Outcome<Measured> {
    let mut measured = Measured::default();
    for camera in cameras.iter().cycle().take(looks as usize) {
        let to = now().plus_seconds(LONG_SECONDS - AGO_SECONDS);
        let from = to.plus_seconds(-LONG_SECONDS);
        let ask = json!({"kind": "replay", "cameras": [camera], "from": from.to_string(), "to": to.to_string(),
            "purpose": 5, "reason": "Mesure du banc d'essai"});
        let begun = Instant::now();
        let look = browser.post("/api/looks", &ask)?;
        measured.gate.push(milliseconds(begun));
        let permit = look["permit"].as_str().ok_or("a look without a permit")?.to_owned();
        let path = format!("/media/{permit}/{camera}/replay?from={from}&to={to}");
        measured.with_look.push(first_byte(browser, &path, begun)?);
        measured.without.push(first_byte(browser, &path, Instant::now())?);
        let begun = Instant::now();
        browser.get("/api/session")?;
        measured.bare.push(milliseconds(begun));
        browser.delete(&format!("/api/looks/{permit}"))?;
        sleep(PAUSE);
    }
    Ok(measured)
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

fn now() -> UtcMicros {
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
        row("first byte of a read under a permit that there is", &self.without);
        row("first byte with the look: gate, entry, permit, then the same read", &self.with_look);
        let added = row("what the look adds: decision, durable entry, permit, and its round trip", &self.gate);
        let verdict = if added <= ADDED_MS_MAX { "holds" } else { "DOES NOT HOLD" };
        line(&mut text, &format!("\nGoal: {added:.2} ≤ {ADDED_MS_MAX} ms added at the 95th percentile: {verdict}."));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_judges_the_gate_at_its_95th_percentile() {
        let of = |slow: usize| {
            let gate = (0..100).map(|nth| if nth < slow { 30.0 } else { 3.0 }).collect();
            Measured { gate, ..Measured::default() }.markdown(50)
        };
        assert!(of(5).contains("3.00 ≤ 10 ms added at the 95th percentile: holds"), "{}", of(5));
        assert!(of(6).contains("30.00 ≤ 10 ms added at the 95th percentile: DOES NOT HOLD"), "{}", of(6));
    }
}
