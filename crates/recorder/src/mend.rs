//! Mending the footage catalog while recording goes on: at a start that found it missing, damaged or behind, when it did not
//! take rows, and on command. What is done is `vault::rebuild`; here is when.

use crate::{report::Report, role::RunTime};
use catalog::{CatalogError, Footage};
use domain::ReelId;
use keeper::{
    KeeperClient,
    wire::{Finding, FindingState},
};
use seal::sign::SigningKey;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::{info, warn};
use vault::{
    LocalStore,
    admit::Admitter,
    keeper::RunGrant,
    rebuild::{RebuildError, Rebuilder, Rebuilt, Scope, Turn},
    recover::{Closer, Recovered},
};

const LOOK: Duration = Duration::from_secs(1);
/// After a rebuild that could not go on, or that met hours which are closed now.
const AGAIN: Duration = Duration::from_secs(30);
const AGAIN_MAX: Duration = Duration::from_secs(3_600);

/// What is to be mended.
#[derive(Clone, Debug, Default)]
pub struct Leftovers {
    /// Reels that a recovery closed: what the catalog knew of their streams may be a second behind; and those of which it knows none.
    pub closed: BTreeSet<ReelId>,
    /// Reels that it could not close, mostly because a full disk had no room for their end: nothing of them is shown.
    pub open: BTreeSet<ReelId>,
    /// There may be reels that the catalog does not name.
    pub is_behind: bool,
}

impl Leftovers {
    pub fn of(recovered: &Recovered, store: &LocalStore) -> Leftovers {
        let (mut closed, open) = (recovered.reels(), recovered.left_open.clone());
        closed.extend(&recovered.unfinished);
        Leftovers { closed, open, is_behind: !store.kept().is_empty() }
    }

    pub fn are_none(&self) -> bool {
        self.closed.is_empty() && self.open.is_empty() && !self.is_behind
    }

    /// Whether a look, which reads the header of every slot, is worth its while: what is open waits for room.
    pub fn may_be_mended(&self, store: &LocalStore) -> bool {
        self.is_behind || !self.closed.is_empty() || (!self.open.is_empty() && store.has_room())
    }

    /// After a rebuild in which no hour was closed.
    pub fn were_mended(&mut self, closer: &Closer<'_>) {
        self.closed.clear();
        self.is_behind = false;
        self.open = closer.still_open(&self.open);
    }
}

/// What is kept, and what all threads know of it.
#[derive(Clone)]
pub struct Kept {
    pub admitter: Arc<Mutex<Admitter>>,
    pub store: Arc<LocalStore>,
    pub footage: Arc<Footage>,
    pub report: Arc<Report>,
    pub time: RunTime,
    /// Set whenever the catalog was made anew from the reels: the writer then settles gaps.
    pub mended: Arc<AtomicBool>,
}

impl Kept {
    pub fn of(
        admitter: &Arc<Mutex<Admitter>>,
        store: &Arc<LocalStore>,
        footage: &Arc<Footage>,
        report: &Arc<Report>,
        time: &RunTime,
    ) -> Kept {
        let (admitter, store, footage) = (admitter.clone(), store.clone(), footage.clone());
        Kept { admitter, store, footage, report: report.clone(), time: time.clone(), mended: Arc::default() }
    }
}

/// A rebuild that was asked for on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    pub number: u64,
    /// What is missing is lost (decision 0059).
    pub loss_accepted: bool,
}

/// Who mends, and with what.
pub struct Mender {
    pub keeper: Arc<KeeperClient>,
    pub kept: Kept,
    /// The catalog's file, to be marked where it is damaged.
    pub path: PathBuf,
    pub grant: RunGrant,
    pub run_key: SigningKey,
    pub turn: Arc<Turn>,
    /// Slots that the disk did not give at the start.
    pub unreadable: usize,
}

impl Mender {
    /// Works until `ended`; ends by itself where the catalog is damaged: the recorder then begins anew, and makes another.
    /// Orders to rebuild everything go into the channel, by their number.
    pub fn start(self, mut left: Leftovers, ended: Arc<AtomicBool>) -> (JoinHandle<()>, Sender<Order>) {
        let (sender, orders) = channel();
        let work = move || {
            let (mut failures, mut again) = (0, AGAIN);
            let mut due = (!left.are_none()).then(Instant::now);
            if self.is_damaged() {
                return;
            }
            while !ended.load(Ordering::SeqCst) {
                let order = match orders.recv_timeout(LOOK) {
                    Ok(order) => Some(order),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                };
                let failed = self.kept.admitter.lock().unwrap_or_else(PoisonError::into_inner).catalog_failures();
                if failed != failures {
                    failures = failed;
                    left.is_behind = true;
                    if self.is_damaged() {
                        return;
                    }
                    due = due.or(Some(Instant::now() + AGAIN));
                }
                let (scope, why) = match (order, due) {
                    (Some(Order { loss_accepted: false, .. }), _) => (Scope::All, "ordered on the command line"),
                    (Some(_), _) => (Scope::LossAccepted, "ordered on the command line, a loss accepted"),
                    (None, Some(at)) if at <= Instant::now() && left.may_be_mended(&self.kept.store) => {
                        (Scope::Missing { also: left.closed.clone() }, "the catalog was missing, damaged or behind")
                    }
                    _ => continue,
                };
                let result = self.mend(&scope, why);
                let settled = result.as_ref().is_ok_and(|rebuilt| rebuilt.closed == 0);
                if settled {
                    left.were_mended(&self.closer());
                }
                let settled = settled && left.are_none();
                // hours may stay closed for days while clocks disagree, and each look reads every slot's header
                again = if settled { AGAIN } else { (again * 2).min(AGAIN_MAX) };
                due = (!settled).then(|| Instant::now() + again);
                if let Some(Order { number, .. }) = order {
                    self.answer(number, result.as_ref().map(Clone::clone).map_err(ToString::to_string));
                }
                if self.found_damaged(result.err().as_ref().and_then(catalog_error)) {
                    return;
                }
            }
        };
        (thread::spawn(work), sender)
    }

    fn closer(&self) -> Closer<'_> {
        Closer {
            store: &self.kept.store,
            footage: &self.kept.footage,
            grant: &self.grant,
            run_key: &self.run_key,
            now: self.kept.time.now(),
        }
    }

    fn mend(&self, scope: &Scope, why: &str) -> Result<Rebuilt, RebuildError> {
        self.kept.report.note_finding(mending());
        let rebuilder = Rebuilder { closer: self.closer(), keeper: &*self.keeper, turn: &self.turn };
        let result = rebuilder.rebuild(scope, why);
        self.kept.report.note_unknown_slots(self.kept.store.kept().len() + self.unreadable);
        match result {
            Ok((rebuilt, facts)) => {
                info!(reels = rebuilt.reels, entered = rebuilt.entered, left_out = rebuilt.left_out_count, "mended");
                let mut admitter = self.kept.admitter.lock().unwrap_or_else(PoisonError::into_inner);
                facts.into_iter().for_each(|fact| admitter.tell(fact));
                drop(admitter);
                self.kept.mended.store(true, Ordering::SeqCst);
                self.kept.report.note_finding(mended(&rebuilt));
                Ok(rebuilt)
            }
            Err(error) => {
                warn!(%error, "the catalog could not be rebuilt yet");
                self.kept.report.note_finding(not_mended(&error.to_string()));
                Err(error)
            }
        }
    }

    /// On a connection of its own: the writer of rows waits for nobody.
    fn is_damaged(&self) -> bool {
        let site = self.grant.certificate.site;
        let checked = Footage::open_for_reading(&self.path, site).and_then(|footage| footage.check_whole());
        self.found_damaged(checked.err().as_ref())
    }

    fn answer(&self, number: u64, result: Result<Rebuilt, String>) {
        if let Err(error) = self.keeper.rebuilt(number, result) {
            warn!(%error, "the keeper did not hear what became of the rebuild");
        }
    }

    /// Marks a damaged catalog for the next start.
    fn found_damaged(&self, error: Option<&CatalogError>) -> bool {
        let Some(CatalogError::Damaged { .. }) = error else { return false };
        warn!("the footage catalog is damaged: the recorder begins anew and makes another from the reels");
        if let Err(error) = Footage::mark_damaged(&self.path) {
            warn!(%error, "the damaged catalog could not be marked");
        }
        true
    }
}

fn catalog_error(error: &RebuildError) -> Option<&CatalogError> {
    match error {
        RebuildError::Footage(error) => Some(error),
        RebuildError::Recover(vault::recover::RecoverError::Footage(error)) => Some(error),
        _ => None,
    }
}

fn finding(state: FindingState, fr: String, en: String) -> Finding {
    Finding {
        id: "catalog".into(),
        state,
        title_fr: "Catalogue des images".into(),
        title_en: "Catalog of footage".into(),
        detail_fr: fr,
        detail_en: en,
    }
}

fn mending() -> Finding {
    finding(
        FindingState::Warning,
        "Le catalogue est refait d'après les bobines ; l'enregistrement continue, d'anciennes images peuvent manquer à l'écran d'ici là.".into(),
        "The catalog is being made anew from the reels; recording goes on, older footage may be missing from the screen until then.".into(),
    )
}

fn mended(rebuilt: &Rebuilt) -> Finding {
    let Some(first) = rebuilt.left_out.first() else {
        return finding(
            FindingState::Ok,
            "Le catalogue nomme toutes les bobines du stockage.".into(),
            "The catalog names all reels of the store.".into(),
        );
    };
    let (count, slot, why) = (rebuilt.left_out_count, first.slot, &first.why);
    finding(
        FindingState::Warning,
        format!(
            "{count} bobine(s) n'ont pas pu être inscrites au catalogue, d'abord dans l'emplacement {slot} ({why}). Elles sont gardées ; vérifiez le disque, puis lancez `vigie verify`."
        ),
        format!(
            "{count} reel(s) could not be entered in the catalog, first in slot {slot} ({why}). They are kept; check the disk, then run `vigie verify`."
        ),
    )
}

fn not_mended(why: &str) -> Finding {
    finding(
        FindingState::Warning,
        format!(
            "Le catalogue n'a pas encore pu être refait ({why}). Un nouvel essai suit ; les images restent dans leurs bobines."
        ),
        format!("The catalog could not be made anew yet ({why}). Another attempt follows; footage stays in its reels."),
    )
}
