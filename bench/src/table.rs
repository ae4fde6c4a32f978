//! The result as Markdown: one row a recorder, the ratio, the goals, and where the CPU went.

use crate::{Cost, limit::Primitives};
use std::fmt::Write;

/// Vigie may cost this part of FFmpeg.
const RATIO_MAX: f64 = 0.25;
const RESIDENT_MAX: f64 = 3.0;

pub fn markdown(cameras: u32, seconds: u64, costs: &[Cost], primitives: &Primitives) -> String {
    let mut text = format!("{cameras} cameras, H.264 1080p25, {seconds} s of steady state each, one run.\n\n");
    text += "| recorder | CPU s/GB | against FFmpeg | Mbit/s a camera | RSS MB a camera | PSS MB a camera | frames | lost | left out by the source |\n";
    text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    let peer = costs.get(1).map(Cost::per_gigabyte);
    for cost in costs {
        let each = |bytes: u64| bytes as f64 / 1e6 / f64::from(cameras);
        let ratio = peer.map_or("-".into(), |peer| format!("{:.3}", cost.per_gigabyte() / peer));
        let rate = cost.frames as f64 / f64::from(crate::clip::FRAMES_PER_SECOND);
        let megabits = cost.bytes as f64 * 8e-6 / rate;
        line(
            &mut text,
            &format!(
                "| {} | {:.2} | {ratio} | {megabits:.2} | {:.2} | {:.2} | {} | {} | {} |",
                cost.name,
                cost.per_gigabyte(),
                each(cost.resident),
                each(cost.proportional),
                cost.frames,
                cost.lost.map_or("-".into(), |lost| lost.to_string()),
                cost.skipped
            ),
        );
    }
    let vigie = &costs[0];
    let whole = vigie.per_gigabyte();
    text += "\n| of Vigie's CPU | s/GB | share |\n| --- | --- | --- |\n";
    let share = |value: f64| format!("{:.3} | {:.1} %", value, value / whole * 100.0);
    for (name, seconds) in &vigie.parts {
        line(&mut text, &format!("| {name} | {} |", share(seconds / vigie.bytes as f64 * 1e9)));
    }
    line(&mut text, &format!("| BLAKE3 over every record, measured alone | {} |", share(primitives.blake3)));
    line(&mut text, &format!("| AES-256-GCM and key derivation, measured alone | {} |", share(primitives.aes_gcm)));
    text += "\nThe ledger's share is at most the keeper's. ";
    let resident = vigie.resident as f64 / 1e6 / f64::from(cameras);
    let verdict = |holds: bool| if holds { "holds" } else { "DOES NOT HOLD" };
    if let Some(peer) = peer {
        let ratio = whole / peer;
        line(&mut text, &format!("Goals: ratio {ratio:.3} ≤ {RATIO_MAX}: {};", verdict(ratio <= RATIO_MAX)));
    }
    line(&mut text, &format!("RSS {resident:.2} ≤ {RESIDENT_MAX} MB a camera: {};", verdict(resident <= RESIDENT_MAX)));
    line(&mut text, &format!("no frame lost: {}.", verdict(vigie.lost == Some(0))));
    text
}

pub fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String takes every text");
}

/// The median and the 95th percentile; sorts what it is given.
pub fn quantiles(values: &mut [f64]) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let index = (values.len() as f64 * part).ceil() as usize;
        values.get(index.saturating_sub(1)).copied().unwrap_or_default()
    };
    (at(0.50), at(0.95))
}
