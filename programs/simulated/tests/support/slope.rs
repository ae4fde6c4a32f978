//! What processes hold of the machine over time (proc(5)), and whether it grows: slopes by least squares.

use std::{collections::BTreeMap, fs};

/// Values of one thing: seconds since the start, value.
pub type Series = Vec<(f64, f64)>;

/// By process and thing: `recorder descriptors`.
#[derive(Default)]
pub struct Samples(pub BTreeMap<String, Series>);

impl Samples {
    pub fn note(&mut self, name: &str, at: f64, value: f64) {
        self.0.entry(name.to_owned()).or_default().push((at, value));
    }

    /// Resident MB, descriptors and threads of a process.
    pub fn note_process(&mut self, role: &str, pid: u32, at: f64) {
        let count = |folder: &str| fs::read_dir(format!("/proc/{pid}/{folder}")).map(|all| all.count());
        let (Ok(descriptors), Ok(threads)) = (count("fd"), count("task")) else { return };
        self.note(&format!("{role} descriptors"), at, descriptors as f64);
        self.note(&format!("{role} threads"), at, threads as f64);
        if let Some(megabytes) = resident_megabytes(pid) {
            self.note(&format!("{role} resident MB"), at, megabytes);
        }
    }
}

/// Of a process: `VmRSS` of its status.
pub fn resident_megabytes(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let kibibytes: f64 =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1_024.0 / 1e6)
}

/// A line through a series: its mean, and what it gains an hour, with the standard error of that.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub mean: f64,
    pub per_hour: f64,
    pub error: f64,
}

/// Through what came after `from` seconds; `None` with fewer than three values.
pub fn line(series: &[(f64, f64)], from: f64) -> Option<Line> {
    let late: Vec<(f64, f64)> =
        series.iter().filter(|(at, _)| *at >= from).map(|(at, value)| (at / 3_600.0, *value)).collect();
    let count = late.len() as f64;
    if late.len() < 3 {
        return None;
    }
    let mean_at = late.iter().map(|(at, _)| at).sum::<f64>() / count;
    let mean = late.iter().map(|(_, value)| value).sum::<f64>() / count;
    let spread: f64 = late.iter().map(|(at, _)| (at - mean_at).powi(2)).sum();
    let per_hour = late.iter().map(|(at, value)| (at - mean_at) * (value - mean)).sum::<f64>() / spread;
    let rest: f64 = late.iter().map(|(at, value)| (value - mean - per_hour * (at - mean_at)).powi(2)).sum();
    Some(Line { mean, per_hour, error: (rest / (count - 2.0) / spread).sqrt() })
}

/// What is kept of it: the lowest value of each window of so many seconds.
pub fn lows(series: &[(f64, f64)], seconds: f64) -> Series {
    let windows = series.chunk_by(|one, next| (one.0 / seconds).floor() == (next.0 / seconds).floor());
    windows.filter_map(|window| window.iter().copied().min_by(|one, other| one.1.total_cmp(&other.1))).collect()
}

/// A table in Markdown, a row a series.
pub fn table(samples: &Samples, from: f64) -> String {
    let mut text =
        String::from("| what | mean | first | last | an hour more | ± |\n| --- | --- | --- | --- | --- | --- |\n");
    for (name, series) in &samples.0 {
        let (Some(line), Some(first), Some(last)) = (line(series, from), series.first(), series.last()) else {
            continue;
        };
        text += &format!(
            "| {name} | {:.1} | {:.1} | {:.1} | {:+.2} | {:.2} |\n",
            line.mean,
            first.1,
            last.1,
            line.per_hour,
            2.0 * line.error
        );
    }
    text
}
