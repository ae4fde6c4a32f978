//! What goes on while a town is broken: somebody replays, somebody watches live, and a probe tells when the machine stalls.

use super::{
    REASON, look_back,
    movie::{Movie, try_fetch},
    now, replay_path,
    witness::assert_true,
};
use domain::{Sensitive, UtcMicros};
use serde_json::json;
use simulator::{
    clock::ShiftedClock,
    installation::{Browser, Installation, InstallationError},
    rtsp::Town,
};
use std::{
    io::{Read, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// A sync that takes longer is the machine's doing (limit::SYNC_LATENCY_MS_MAX).
const SYNC_MS: i64 = domain::limit::SYNC_LATENCY_MS_MAX as i64;
const PROBE_PERIOD: Duration = Duration::from_millis(250);
/// How far back a viewer looks.
const LOOK_BACK_SECONDS: i64 = 20;

/// A site as a browser elsewhere sees it: it starts and stops nothing.
pub struct Eyes {
    pub site: Installation,
    pub operator: Sensitive<String>,
    pub clock: PathBuf,
}

impl Eyes {
    pub fn operator(&self) -> Result<Browser<'_>, InstallationError> {
        self.site.sign_in("operateur", &self.operator)
    }

    /// The program's time.
    pub fn now(&self) -> UtcMicros {
        use domain::Clock;
        ShiftedClock::over_system(&self.clock).utc()
    }
}

/// Three threads that work until they are told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    /// (machine's UTC, µs) of each time in which the machine stood still or its disk was slow.
    stalls: Arc<Mutex<Vec<(UtcMicros, i64)>>>,
    replays: Arc<AtomicU64>,
    live_pictures: Arc<AtomicU64>,
}

impl Load {
    pub fn start(eyes: &Arc<Eyes>, town: &Arc<Town>, ids: &[String], folder: PathBuf) -> Load {
        let stop = Arc::<AtomicBool>::default();
        let (replays, live_pictures) = (Arc::<AtomicU64>::default(), Arc::<AtomicU64>::default());
        let stalls = Arc::<Mutex<Vec<_>>>::default();
        let mut threads = Vec::new();
        {
            let (eyes, town, ids, stop, count) =
                (eyes.clone(), town.clone(), ids.to_vec(), stop.clone(), replays.clone());
            threads.push(thread::spawn(move || replay(&eyes, &town, &ids, &stop, &count)));
        }
        {
            let (eyes, town, id, stop, count) =
                (eyes.clone(), town.clone(), ids[0].clone(), stop.clone(), live_pictures.clone());
            threads.push(thread::spawn(move || watch(&eyes, &town, &id, &stop, &count)));
        }
        {
            let (stop, stalls) = (stop.clone(), stalls.clone());
            threads.push(thread::spawn(move || probe(&folder.join("probe"), &stop, &stalls)));
        }
        Load { stop, threads, stalls, replays, live_pictures }
    }

    /// Nobody looks; only the machine is watched.
    pub fn watching(folder: PathBuf) -> Load {
        let stop = Arc::<AtomicBool>::default();
        let stalls = Arc::<Mutex<Vec<_>>>::default();
        let (told, noted) = (stop.clone(), stalls.clone());
        let threads = vec![thread::spawn(move || probe(&folder.join("probe"), &told, &noted))];
        Load { stop, threads, stalls, replays: Arc::default(), live_pictures: Arc::default() }
    }

    /// For how long the machine did not do what it was asked since `since` (the machine's own time).
    pub fn stalled_since(&self, since: UtcMicros) -> i64 {
        self.stalls.lock().unwrap().iter().filter(|(at, _)| *at >= since).map(|(_, micros)| micros).sum()
    }

    pub fn replays_seen(&self) -> u64 {
        self.replays.load(SeqCst)
    }
    pub fn live_seen(&self) -> u64 {
        self.live_pictures.load(SeqCst)
    }

    /// Panics where a viewer was shown something wrong.
    pub fn end(self) {
        self.stop.store(true, SeqCst);
        for thread in self.threads {
            thread.join().expect("no viewer was ever shown a picture that was not sent");
        }
    }
}

fn replay(eyes: &Eyes, town: &Town, ids: &[String], stop: &AtomicBool, count: &AtomicU64) {
    while !stop.load(SeqCst) {
        thread::sleep(Duration::from_millis(200));
        let Ok(browser) = eyes.operator() else { continue };
        let named: Vec<&str> = ids.iter().map(String::as_str).collect();
        let to = eyes.now();
        let from = to.plus_seconds(-LOOK_BACK_SECONDS);
        let Ok(look) = browser.post("/api/looks", &super::replay_of(&named, from, to)) else { continue };
        let Some(permit) = look["permit"].as_str() else { continue };
        for (camera, id) in town.cameras.iter().zip(ids) {
            if let Some(movie) = try_fetch(&browser, &replay_path(permit, id, from, to)) {
                assert_true(camera, &movie.shown);
                count.fetch_add(1, SeqCst);
            }
        }
    }
}

fn watch(eyes: &Eyes, town: &Town, id: &str, stop: &AtomicBool, count: &AtomicU64) {
    while !stop.load(SeqCst) {
        thread::sleep(Duration::from_millis(200));
        let Ok(browser) = eyes.operator() else { continue };
        let live = json!({"kind": "live", "cameras": [id], "purpose": 5, "reason": REASON});
        let Ok(look) = browser.post("/api/looks", &live) else { continue };
        let Some(permit) = look["permit"].as_str() else { continue };
        let Ok(mut stream) = browser.open(&format!("/media/{permit}/{id}/live")) else { continue };
        let (mut bytes, mut piece, began) = (Vec::new(), [0; 16_384], Instant::now());
        while !stop.load(SeqCst) && began.elapsed() < Duration::from_secs(5) {
            match stream.read(&mut piece) {
                Ok(0) | Err(_) => break,
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
            }
        }
        let movie = Movie::parse(bytes, UtcMicros(0));
        assert_true(&town.cameras[0], &movie.shown);
        count.fetch_add(movie.shown.len() as u64, SeqCst);
    }
}

/// Sleeps and syncs a block four times a second on the store's disk, and notes what took longer than it may.
fn probe(path: &std::path::Path, stop: &AtomicBool, stalls: &Mutex<Vec<(UtcMicros, i64)>>) {
    let mut file = std::fs::File::create(path).unwrap();
    while !stop.load(SeqCst) {
        let began = Instant::now();
        thread::sleep(PROBE_PERIOD);
        let slept = began.elapsed().saturating_sub(PROBE_PERIOD).as_micros() as i64;
        let began = Instant::now();
        file.write_all(&[0; 512]).and_then(|()| file.sync_data()).unwrap();
        let synced = (began.elapsed().as_micros() as i64 - SYNC_MS * 1_000).max(0);
        let stall = synced + if slept > 50_000 { slept } else { 0 };
        if stall > 0 {
            stalls.lock().unwrap().push((now(), stall));
        }
    }
}

/// A replay of several cameras under one permit.
pub fn look_at(browser: &Browser<'_>, ids: &[String], from: UtcMicros, to: UtcMicros) -> String {
    let named: Vec<&str> = ids.iter().map(String::as_str).collect();
    look_back(browser, &named, from, to)
}
