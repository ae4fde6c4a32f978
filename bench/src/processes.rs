//! CPU time and memory of processes and threads, from `/proc` (proc(5)).

use std::{collections::BTreeMap, fs};

/// USER_HZ, which is 100 on every Linux that Vigie runs on (sysconf(3), _SC_CLK_TCK).
const TICKS_PER_SECOND: f64 = 100.0;

/// User and system seconds of a process and of its children that were waited for.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat(&format!("/proc/{pid}/stat"), 4)
}

/// Seconds by name of thread; threads of one name together.
pub fn thread_seconds(pid: u32) -> BTreeMap<String, f64> {
    let mut found: BTreeMap<String, f64> = BTreeMap::new();
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let path = task.path();
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default().trim().to_owned();
        *found.entry(name).or_default() += stat(&path.join("stat").to_string_lossy(), 2);
    }
    found
}

/// Seconds of the calling thread.
pub fn own_thread_seconds() -> f64 {
    stat("/proc/thread-self/stat", 2)
}

/// Resident and proportional bytes.
pub fn memory(pid: u32) -> (u64, u64) {
    let of = |file: &str, field: &str| {
        let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap_or_default();
        line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok()).unwrap_or(0) * 1_024
    };
    (of("status", "VmRSS:"), of("smaps_rollup", "Pss:"))
}

/// The sum of `fields` numbers from utime on: field 14, the twelfth after the name.
fn stat(path: &str, fields: usize) -> f64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let after = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after.split_whitespace().skip(11).take(fields).filter_map(|number| number.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_PER_SECOND
}
