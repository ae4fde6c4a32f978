//! The independent auditor of destruction beside the town (decision 0053): it sees what its process sees, after every step, and says
//! nothing while destruction is in order.

use super::{Held, broken};
use crate::town::Town;
use auditor::{
    eyes::Eyes,
    judge::{Alarm, Judge, Observed},
};
use disk::Disk;
use domain::{Clock, limit::RETENTION_LOOK_SECONDS, world::BootId};
use std::{path::Path, sync::Arc};

/// The auditor's process: its eyes and its judgement, begun anew with the machine.
pub struct Watch {
    eyes: Eyes,
    judge: Judge,
    boot: BootId,
    standing: Vec<Alarm>,
    /// By seconds since boot.
    looked: Option<i64>,
}

impl Watch {
    pub fn new(disk: Arc<dyn Disk>, stores: impl Iterator<Item = impl AsRef<Path>>, boot: BootId) -> Watch {
        let stores: Vec<_> = stores.map(|store| store.as_ref().to_owned()).collect();
        let eyes = Eyes::new(disk, &stores, Path::new("/log/public"));
        Watch { eyes, judge: Judge::default(), boot, standing: Vec::new(), looked: None }
    }
}

/// One look. While time is trusted and the system clock right, no key is late, gone without a word or dead ahead of its time,
/// and no deadline lies too far away.
pub fn quiet(town: &mut Town) -> Held {
    let Some(core) = town.core().filter(|_| !town.world.disk.is_off()) else { return Ok(()) };
    let Ok(view) = core.retention_view() else { return Ok(()) };
    let (clock, now) = (town.world.clock.clone(), town.now());
    let watch = &mut town.watch;
    if watch.boot != clock.boot_id() {
        watch.judge = Judge::after(&watch.standing);
        (watch.boot, watch.looked) = (clock.boot_id(), None);
    }
    // as often as its process looks: what an order has begun at one second and not ended at the next is no alarm
    let boot_seconds = clock.boot().0 / 1_000_000;
    if watch.looked.is_some_and(|looked| boot_seconds - looked < RETENTION_LOOK_SECONDS) {
        return Ok(());
    }
    watch.looked = Some(boot_seconds);
    let is_trusted = view.now.is_some() && clock.off_seconds() == 0;
    let observed = Observed {
        now: clock.utc(),
        boot_seconds,
        store: watch.eyes.look_at_store(&view.site_key),
        log_size: None, // its public files are another role's
        keeper: Some(view),
    };
    watch.standing = watch.judge.judge(&observed);
    let wrong = watch.standing.iter().find(|alarm| match alarm {
        Alarm::Late { .. } | Alarm::Slow { .. } | Alarm::Clocks { .. } | Alarm::Frozen { .. } => is_trusted,
        Alarm::TooFar { .. } | Alarm::Ahead { .. } | Alarm::Vanished { .. } => true,
        Alarm::Silent { .. } | Alarm::LogStands { .. } | Alarm::NoTime { .. } => false,
    });
    match wrong {
        Some(alarm) => broken("decision 0053", format!("the auditor raises {alarm:?} at {now}")),
        None => Ok(()),
    }
}
