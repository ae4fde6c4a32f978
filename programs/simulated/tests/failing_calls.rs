//! System calls that fail under real processes (libfiu, Debian fiu-utils): a sync that fails, a quota, chance failures.
//!
//! What this kernel has no quota for is told to the process as the kernel would tell it: EDQUOT.

mod support;

use domain::UtcMicros;
use seal::Kind;
use simulator::rtsp::Town;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};
use support::{
    Site,
    load::look_at,
    movie::fetch,
    now, replay_path, sleep,
    store::{assert_rows_and_bytes_agree, records_of_slots},
    timeline::{has_cause, timeline, until_goes_on, until_told},
    town, until,
};

const PRELOAD: [&str; 2] = ["/usr/lib/fiu/fiu_run_preload.so", "/usr/lib/fiu/fiu_posix_preload.so"];
/// errno(3)
const EIO: u32 = 5;
const EDQUOT: u32 = 122;
const ESTALE: u32 = 116;

/// A site whose processes take orders about their system calls; `None`: says why.
fn site() -> Option<Site> {
    let missing = PRELOAD.iter().chain(&["/usr/bin/fiu-ctrl"]).find(|path| !Path::new(path).exists());
    if let Some(missing) = missing {
        println!("skipped: there is no `{missing}`: scripts/setup.sh installs it");
        return None;
    }
    let mut site = Site::installed(0);
    site.site.variable("LD_PRELOAD", &PRELOAD.join(" "));
    site.site.variable("FIU_CTRL_FIFO", fifo(&site).to_str().unwrap());
    site.begin();
    Some(site)
}

fn fifo(site: &Site) -> PathBuf {
    site.folder.path().join("fiu")
}

/// An order to a role: from now on these calls fail, or no longer.
fn order(site: &Site, role: &str, orders: &[String]) {
    let process = site.site.process_of(role).unwrap().to_string();
    let mut command = Command::new("fiu-ctrl");
    command.arg("-f").arg(fifo(site));
    let output = command.args(orders.iter().flat_map(|order| ["-c", order])).arg(process).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn failing(call: &str, errno: u32) -> String {
    format!("enable name=posix/io/{call},failinfo={errno}")
}

fn right(call: &str) -> String {
    format!("disable name=posix/io/{call}")
}

#[test]
fn a_chunk_whose_sync_failed_is_suspect_and_said_so_and_the_next_ones_are_kept() {
    let Some(site) = site() else { return };
    let town = town(1);
    let start = now();
    let ids = vec![site.add(&town, 1, 30)];
    site.until_durable_after(&ids, start);
    for (call, errno, words, remedy, cause) in [
        ("sync/fdatasync", EIO, "panne", "smartctl", "n'a pas pu être écrit"),
        ("rw/pwrite", EDQUOT, "plein", "Libérez", "plein"),
        ("rw/pwrite", EIO, "panne", "smartctl", "n'a pas pu être écrit"),
        // a network share whose handles have gone stale
        ("rw/pwrite", ESTALE, "n'est plus là", "montez", "n'a pas pu être écrit"),
    ] {
        println!("{call} {errno}");
        order(&site, "recorder", &[failing(call, errno)]);
        until_told(&site, words, remedy);
        order(&site, "recorder", &[right(call)]);
        until_goes_on(&site, &ids, start);
        sleep(3.0);
        let (_, gaps) = timeline(&site, &ids[0], start);
        assert!(has_cause(&gaps, cause), "{gaps:#?}");
    }
    println!("by chance");
    let chance = |call: &str| format!("enable_random name=posix/io/{call},probability=0.3,failinfo={EIO}");
    order(&site, "recorder", &[chance("sync/fdatasync"), chance("rw/pwrite")]);
    sleep(8.0);
    order(&site, "recorder", &[right("sync/fdatasync"), right("rw/pwrite")]);
    until_goes_on(&site, &ids, start);
    let site = end(site, &town, &ids, start);
    let records = records_of_slots(&site.site.folder.join("store"));
    let cut = records.iter().filter(|record| record.header.kind == Kind::RecoveryFooter).count();
    assert!(cut >= 3, "{cut} reels were cut at their last sound sync");
}

#[test]
fn a_keeper_whose_syncs_fail_refuses_looks_and_recording_goes_on() {
    let Some(site) = site() else { return };
    let town = town(1);
    let start = now();
    let ids = vec![site.add(&town, 1, 30)];
    site.until_durable_after(&ids, start);
    sleep(2.0);
    let looks = || {
        let browser = site.site.sign_in("operateur", &site.operator)?;
        browser.post("/api/looks", &support::replay_of(&[&ids[0]], start, now()))
    };
    assert!(looks().is_ok());
    order(&site, "keeper", &[failing("sync/fdatasync", EIO), failing("sync/fsync", EIO), failing("rw/pwrite", EIO)]);
    until("a look is refused", || looks().err().filter(|error| error.status().is_some()));
    let before = now();
    sleep(4.0);
    order(&site, "keeper", &[right("sync/fdatasync"), right("sync/fsync"), right("rw/pwrite")]);
    until("looks are let in again", || looks().ok());
    until_goes_on(&site, &ids, start);
    let (_, gaps) = timeline(&site, &ids[0], start);
    assert!(gaps.iter().all(|gap| gap.to.is_some_and(|to| to < before)), "recording did not care: {gaps:#?}");
    end(site, &town, &ids, start);
}

/// Nothing that is shown is wrong, all of it verifies, rows and bytes agree.
fn end(mut site: Site, town: &Town, ids: &[String], start: UtcMicros) -> Site {
    // the timeline first: all that is on it is shown afterwards
    let (spans, gaps) = timeline(&site, &ids[0], start);
    let (operator, to) = (site.operator(), now());
    let permit = look_at(&operator, ids, start, to);
    let shown = fetch(&operator, &replay_path(&permit, &ids[0], start, to)).shown;
    support::witness::assert_true(&town.cameras[0], &shown);
    let near = 250_000; // a gap's edges are times of pictures, two of which may be missing
    let kept = |at: UtcMicros| spans.iter().any(|(from, to)| at.since(*from) > near && to.since(at) > near);
    let lost = |at: UtcMicros| {
        gaps.iter().any(|gap| at.since(gap.from) > -near && gap.to.is_none_or(|to| at.since(to) < near))
    };
    let frames: BTreeSet<u64> = shown.iter().map(|shown| shown.mark.frame).collect();
    // what refers to a lost picture cannot be decoded, up to the next key picture
    let mut decodable = false;
    let owed = town.cameras[0].sent().into_iter().filter(|frame| {
        decodable = !lost(frame.utc) && (decodable || frame.idr);
        decodable && kept(frame.utc)
    });
    let owed: Vec<u64> = owed.map(|frame| frame.number).collect();
    assert!(owed.len() > 24, "{} pictures of {spans:?} without {gaps:?}", owed.len());
    let missing: Vec<_> = owed.into_iter().filter(|frame| !frames.contains(frame)).collect();
    assert!(missing.is_empty(), "on the timeline and not shown: {missing:?} of {spans:?} without {gaps:?}");
    drop(operator);
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let verify = || site.site.attempt(&["verify"], None).unwrap();
    until("all of it verifies after the next start", || {
        let verified = verify();
        println!("{}", verified.stdout);
        (verified.code == Some(0)).then_some(())
    });
    site.site.stop().unwrap();
    assert_rows_and_bytes_agree(&site.site.folder, now());
    site
}
