//! Vigie whole, measured as a town runs it: three processes, sealing, digests, ledger, a sync each second; then looks meanwhile.

use crate::{
    Cost, Outcome, handover, looks,
    processes::{cpu_seconds, memory, thread_seconds},
    source::Source,
};
use catalog::Footage;
use disk::RealDisk;
use domain::{Sensitive, SiteId};
use simulator::{installation::Installation, rtsp::Credentials};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};
use vault::LocalStore;

const ROLES: [&str; 3] = ["keeper", "recorder", "web"];
const WARM: Duration = Duration::from_secs(12);
const SLOT_MEBIBYTES: u32 = 64;
/// `camera add` looks at a camera first; its second playing is the recorder's.
const RECORDED: usize = 2;
/// How long all cameras may take until they play.
const PATIENCE: Duration = Duration::from_secs(60);
/// After the last frame: chunk, tick, sync.
const SETTLE: Duration = Duration::from_millis(2_500);
/// Cameras of the package that is made.
const HANDED_OVER: usize = 10;
/// How long the looks may take, for the size of the store.
const LOOKS_SECONDS: u64 = 60;

pub fn measure(
    program: &Path,
    out: &Path,
    source: &Source,
    time: Duration,
    looks: u32,
) -> Outcome<(Cost, looks::Measured, handover::Measured)> {
    let folder = out.join("site");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    let mut site = Installation::new(program, &folder, "Banc d'essai", 0)?;
    let config = folder.join("vigie.toml");
    let text = fs::read_to_string(&config)?
        .replace("slot_mebibytes = 8", &format!("slot_mebibytes = {SLOT_MEBIBYTES}"))
        .replace("gibibytes_max = 4", "gibibytes_max = 16");
    fs::write(&config, text)?;
    let token = site.init()?;
    let written = prepare_slots(&folder, source, time)?;
    println!("vigie: {written} slots written beforehand, as in a store that is some days old");
    site.serve()?;
    site.set_up(&token, &Sensitive::new("mot de passe du banc 5d1c".into()))?;
    let operator = Sensitive::new("mot de passe de l'opérateur 5d1c".into());
    site.add_account("operateur", "operator", &operator)?;
    let credentials = Credentials { user: "vigie".into(), password: Sensitive::new("banc".into()) };
    let mut cameras = Vec::new();
    for camera in 1..=source.cameras {
        let id = site.add_camera(&format!("cam-{camera}"), &source.url(camera), "Banc", 30, &credentials)?;
        cameras.push(id);
    }
    let asked = Instant::now();
    while source.played(RECORDED).0 < source.cameras as usize {
        if asked.elapsed() > PATIENCE {
            return Err(format!("only {} cameras play", source.played(RECORDED).0).into());
        }
        sleep(Duration::from_millis(200));
    }
    sleep(WARM);
    let mut cost = over(&site, source, time)?;
    let looked = looks::measure(&site.sign_in("operateur", &operator)?, &cameras, looks)?;
    source.pause();
    let until = looks::now().plus_seconds(-3);
    sleep(SETTLE);
    let handed = &cameras[..cameras.len().min(HANDED_OVER)];
    let handed = handover::measure(&site, handed, until, out)?;
    site.stop()?;
    let (again, _) = source.played(RECORDED + 1);
    if again > 0 {
        println!("vigie: {again} cameras had to be connected anew");
    }
    let (_, sent) = source.played(RECORDED);
    cost.lost = Some(sent as i64 - recorded(&folder)? as i64);
    fs::remove_dir_all(&folder)?;
    Ok((cost, looked, handed))
}

/// CPU and bytes between two instants.
fn over(site: &Installation, source: &Source, time: Duration) -> Outcome<Cost> {
    let pids = ROLES.map(|role| site.process_of(role).unwrap_or_default());
    let supervisor = parent_of(pids[1])?;
    let read = || {
        let threads = pids.map(thread_seconds);
        (pids.map(cpu_seconds), cpu_seconds(supervisor), threads, source.sent())
    };
    let (before, serve_before, threads_before, sent_before) = read();
    sleep(time);
    let (after, serve_after, threads_after, sent_after) = read();
    let mut cost = Cost {
        name: "Vigie, all processes".into(),
        cpu_seconds: serve_after - serve_before,
        bytes: sent_after.bytes - sent_before.bytes,
        frames: sent_after.frames - sent_before.frames,
        resident: 0,
        proportional: 0,
        parts: Vec::new(),
        lost: None,
        skipped: sent_after.skipped,
    };
    for (role, pid) in pids.iter().enumerate() {
        cost.cpu_seconds += after[role] - before[role];
        cost.parts.push((ROLES[role].to_owned(), after[role] - before[role]));
        let threads: BTreeMap<&String, f64> = threads_after[role]
            .iter()
            .map(|(name, seconds)| (name, seconds - threads_before[role].get(name).unwrap_or(&0.0)))
            .collect();
        for (name, seconds) in threads.into_iter().filter(|(_, seconds)| *seconds > 0.05) {
            cost.parts.push((format!("{}: thread {name}", ROLES[role]), seconds));
        }
        let (resident, proportional) = memory(*pid);
        cost.resident += resident;
        cost.proportional += proportional;
    }
    let (resident, proportional) = memory(supervisor);
    cost.resident += resident;
    cost.proportional += proportional;
    Ok(cost)
}

fn parent_of(pid: u32) -> Outcome<u32> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).ok_or("no parent")?;
    Ok(parent.trim().parse()?)
}

/// A store in its steady state has all its slots: making them is a cost of the first days only (R2).
fn prepare_slots(folder: &Path, source: &Source, time: Duration) -> Outcome<u32> {
    let store = LocalStore::open(Arc::new(RealDisk), &folder.join("store"), site_id(folder)?)?;
    let seconds = (time + WARM).as_secs() + u64::from(source.cameras) * 2 + 30 + LOOKS_SECONDS;
    let bytes = seconds * u64::from(source.cameras) * 700_000;
    let slots = (bytes / (u64::from(SLOT_MEBIBYTES) << 20)) as u32 + 4;
    while store.prepare(slots)? {}
    Ok(slots)
}

/// Frames in the catalog's rows: each was counted when its chunk was sealed.
fn recorded(folder: &Path) -> Outcome<u64> {
    let footage = Footage::open_for_reading(&folder.join("data/footage/footage.db"), site_id(folder)?)?;
    let mut frames = 0;
    for row in footage.live_reels()? {
        frames += footage.streams_of(row.reel)?.iter().map(|stream| stream.frames).sum::<u64>();
    }
    Ok(frames)
}

fn site_id(folder: &Path) -> Outcome<SiteId> {
    let identity: serde_json::Value = serde_json::from_slice(&fs::read(folder.join("data/site.json"))?)?;
    Ok(identity["site"].as_str().ok_or("no site id")?.parse()?)
}
