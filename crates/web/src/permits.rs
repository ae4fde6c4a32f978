//! Permits behind their opaque ids (P8): an id lives 60 s since its last use, belongs to one session, dies with its permit.

use crate::problem::{self, Problem};
use domain::{
    CameraId, Clock, PermitId, Random, Secret32, UtcMicros,
    limit::{PERMIT_IDLE_SECONDS_MAX, PERMIT_SECONDS_MAX},
    world::BootMicros,
};
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use tokio::sync::watch;
use vault::keeper::{Permit, SessionSecret};

/// Open streams of one permit: a wall is one, a replay with a few seeks under way is a handful. Each replay holds a thread.
const STREAMS_MAX: usize = 32;

/// All permits that were given to sessions of this process. Nothing of it is on disk.
pub struct Permits {
    clock: Arc<dyn Clock>,
    owner_key: Secret32,
    rows: Mutex<HashMap<PermitId, Row>>,
}

/// A session without its secret: keyed BLAKE3, so that a dump of this table signs nobody in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Owner([u8; 32]);

struct Row {
    permit: Permit,
    owner: Owner,
    last_used: BootMicros,
    /// See [`end_of`].
    ends: BootMicros,
    streams: usize,
    /// Dropped with the row: open streams see it.
    alive: watch::Sender<()>,
}

/// A permit in use by an open stream.
pub struct InUse {
    permits: Arc<Permits>,
    permit: Permit,
    ends: BootMicros,
    alive: watch::Receiver<()>,
}

impl Permits {
    pub fn new(clock: Arc<dyn Clock>, random: &dyn Random) -> Arc<Permits> {
        Arc::new(Permits { clock, owner_key: Secret32::draw(random), rows: Mutex::default() })
    }

    pub fn owner(&self, session: &SessionSecret) -> Owner {
        Owner(*blake3::keyed_hash(self.owner_key.expose(), session.reveal().as_bytes()).as_bytes())
    }

    /// The answer that tells the id counts as its first use.
    pub fn add(&self, permit: Permit, owner: Owner) {
        let (alive, _) = watch::channel(());
        let boot = self.clock.boot();
        let ends = end_of(permit.expires, self.clock.utc(), boot);
        let row = Row { owner, last_used: boot, ends, streams: 0, alive, permit };
        self.rows().insert(row.permit.id, row);
    }

    /// Uses a permit. Unknown, expired, left alone for too long or another session's: the same answer for all.
    pub fn use_by(self: &Arc<Permits>, id: &str, owner: Owner) -> Result<InUse, Problem> {
        let id: PermitId = id.parse().map_err(|_| Problem::from(&problem::NO_PERMIT))?;
        let now = self.clock.boot();
        let mut rows = self.rows();
        let row = rows.get_mut(&id).filter(|row| row.owner == owner).ok_or(&problem::NO_PERMIT)?;
        if row.streams >= STREAMS_MAX {
            return Err((&problem::TOO_MANY_STREAMS).into());
        }
        row.streams += 1;
        row.last_used = now;
        Ok(InUse { permits: self.clone(), permit: row.permit.clone(), ends: row.ends, alive: row.alive.subscribe() })
    }

    /// The permit was given back: its streams end at once.
    pub fn end(&self, id: PermitId, owner: Owner) {
        self.rows().retain(|_, row| row.permit.id != id || row.owner != owner);
    }

    /// Permits of streams that are open now.
    pub fn streaming(&self) -> Vec<Permit> {
        self.rows().values().filter(|row| row.streams > 0).map(|row| row.permit.clone()).collect()
    }

    /// The keeper said no.
    pub fn end_these(&self, ids: &HashSet<PermitId>) {
        self.rows().retain(|id, _| !ids.contains(id));
    }

    /// The session ended.
    pub fn end_all_of(&self, owner: Owner) {
        self.rows().retain(|_, row| row.owner != owner);
    }

    /// The server stops.
    pub fn end_all(&self) {
        self.rows().clear();
    }

    /// The table, without what has died since.
    fn rows(&self) -> MutexGuard<'_, HashMap<PermitId, Row>> {
        let boot = self.clock.boot();
        let mut rows = self.rows.lock().expect("no thread panics while it holds the permits");
        rows.retain(|_, row| row.lives(boot));
        rows
    }
}

/// When a permit that was just given ends, by the time since boot. Its end is told in trusted time, which this process does not
/// have: a system clock that somebody set may put it in the past or far ahead. Then the longest life stands here, and the keeper,
/// who is asked for each key and each second about each stream, ends it at its own time.
fn end_of(expires: UtcMicros, utc: UtcMicros, boot: BootMicros) -> BootMicros {
    let longest = PERMIT_SECONDS_MAX * 1_000_000;
    let left = expires.since(utc);
    BootMicros(boot.0.saturating_add(if (1..=longest).contains(&left) { left } else { longest }))
}

impl Row {
    fn lives(&self, boot: BootMicros) -> bool {
        let idle = boot.0.saturating_sub(self.last_used.0);
        boot < self.ends && (self.streams > 0 || idle < PERMIT_IDLE_SECONDS_MAX * 1_000_000)
    }
}

impl InUse {
    pub fn permit(&self) -> &Permit {
        &self.permit
    }

    /// The camera named in an address, if the permit covers it.
    pub fn camera(&self, text: &str) -> Result<CameraId, Problem> {
        let camera: CameraId = text.parse().map_err(|_| Problem::from(&problem::OUTSIDE_PERMIT))?;
        let covered = self.permit.cameras.contains(&camera);
        if covered { Ok(camera) } else { Err((&problem::OUTSIDE_PERMIT).into()) }
    }

    /// Waits until the permit is given back, its session ends, it expires, or the server stops.
    pub async fn ended(&self) {
        let left = self.ends.0.saturating_sub(self.permits.clock.boot().0).max(0);
        let mut alive = self.alive.clone();
        let gone = async { while alive.changed().await.is_ok() {} };
        tokio::select! {
            () = gone => {}
            () = tokio::time::sleep(Duration::from_micros(left.unsigned_abs())) => {}
        }
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        let now = self.permits.clock.boot();
        if let Some(row) = self.permits.rows().get_mut(&self.permit.id) {
            row.streams = row.streams.saturating_sub(1);
            row.last_used = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Purpose, Sensitive, world::BootId};
    use std::sync::atomic::{AtomicI64, Ordering};
    use vault::keeper::View;

    #[derive(Default)]
    struct Hands(AtomicI64);

    impl Hands {
        fn seconds(&self, seconds: i64) {
            self.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
        }
    }
    impl Clock for Hands {
        fn utc(&self) -> UtcMicros {
            UtcMicros(self.0.load(Ordering::Relaxed))
        }
        fn boot(&self) -> BootMicros {
            BootMicros(self.0.load(Ordering::Relaxed))
        }
        fn boot_id(&self) -> BootId {
            BootId::default()
        }
    }
    struct Fixed;
    impl Random for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn table() -> (Arc<Hands>, Arc<Permits>, Owner, String) {
        let clock = Arc::new(Hands::default());
        let permits = Permits::new(clock.clone(), &Fixed);
        let owner = permits.owner(&Sensitive::new("first".into()));
        let permit = Permit {
            id: PermitId([1; 16]),
            account: [0; 16],
            cameras: vec![CameraId([2; 16])],
            view: View::Live,
            purpose: Purpose::Terrorism,
            leaf: 1,
            expires: UtcMicros::from_seconds(1_000),
            glass: None,
            code: [0; 32],
        };
        permits.add(permit, owner);
        (clock, permits, owner, PermitId([1; 16]).to_string())
    }

    #[test]
    fn an_id_dies_sixty_seconds_after_its_last_use_and_an_open_stream_is_a_use() {
        let (clock, permits, owner, id) = table();
        clock.seconds(59);
        let stream = permits.use_by(&id, owner).unwrap();
        clock.seconds(300);
        drop(stream);
        clock.seconds(59);
        drop(permits.use_by(&id, owner).unwrap());
        clock.seconds(60);
        assert_eq!(permits.use_by(&id, owner).err().map(|problem| problem.text.id), Some("unknown-permit"));
    }

    #[test]
    fn an_id_dies_with_its_permit_although_it_is_used() {
        let (clock, permits, owner, id) = table();
        let _stream = permits.use_by(&id, owner).unwrap();
        clock.seconds(1_000);
        assert!(permits.use_by(&id, owner).is_err());
    }

    #[test]
    fn a_system_clock_that_was_set_ends_no_permit_and_lengthens_none_beyond_the_longest() {
        let (boot, seconds) = (BootMicros(7), UtcMicros::from_seconds);
        let left = |utc| (end_of(seconds(1_000), seconds(utc), boot).0 - boot.0) / 1_000_000;
        assert_eq!(left(100), 900);
        for wrong in [1_000, 1_000 + 40 * 86_400, 1_000 - 40 * 86_400] {
            assert_eq!(left(wrong), PERMIT_SECONDS_MAX, "{wrong}");
        }
        assert_eq!(end_of(seconds(i64::MAX / 1_000_000), seconds(-1), BootMicros(i64::MAX)), BootMicros(i64::MAX));
    }

    #[test]
    fn another_session_s_permit_is_unknown_and_a_camera_outside_is_refused() {
        let (_clock, permits, owner, id) = table();
        let other = permits.owner(&Sensitive::new("second".into()));
        assert!(permits.use_by(&id, other).is_err());
        let stream = permits.use_by(&id, owner).unwrap();
        assert!(stream.camera(&CameraId([2; 16]).to_string()).is_ok());
        assert!(stream.camera(&CameraId([3; 16]).to_string()).is_err());
    }

    #[tokio::test]
    async fn a_permit_given_back_ends_its_streams() {
        let (_clock, permits, owner, id) = table();
        let stream = permits.use_by(&id, owner).unwrap();
        permits.end(PermitId([1; 16]), owner);
        stream.ended().await;
    }

    #[test]
    fn one_permit_has_a_bounded_number_of_streams() {
        let (_clock, permits, owner, id) = table();
        let open: Vec<InUse> = (0..STREAMS_MAX).map(|_| permits.use_by(&id, owner).unwrap()).collect();
        assert_eq!(permits.use_by(&id, owner).err().map(|problem| problem.text.id), Some("too-many-streams"));
        drop(open);
        assert!(permits.use_by(&id, owner).is_ok());
    }
}
