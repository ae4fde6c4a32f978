//! Looking after the roots of the store: whether each disk is there, takes what is written, and holds what the catalog says
//! (decisions 0058 and 0059). What is decided is the vault's; here is when, and what is told.

use crate::mend::Kept;
use catalog::Footage;
use disk::{Disk, PatientDisk};
use domain::{RootId, SiteId, limit::CENSUS_HEADERS_MAX};
use keeper::wire::{Finding, FindingState};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::{error, info, warn};
use vault::{
    LocalStore, StoreError,
    census::{self, Census},
    store::{Place, Trouble},
};

const LOOK: Duration = Duration::from_millis(200);
/// A disk that is back is used again within this.
const PERIOD: Duration = Duration::from_secs(2);
/// What lies there is counted at the start, when a disk is back, and so often.
const CENSUS_PERIOD: Duration = Duration::from_secs(3_600);
/// After a catalog that did not answer.
const CENSUS_AGAIN: Duration = Duration::from_secs(30);

/// How long one of several disks is waited for: one that is made for storage gives a sector up after seven seconds (SCT error
/// recovery control).
pub const PATIENCE: Duration = Duration::from_secs(10);

/// Which root has which number, beside the catalog: disposable, too, and then learnt anew.
const KNOWN: &str = "roots.json";
const KNOWN_BYTES_MAX: usize = 64 * 1024;

/// The store with those of its roots that are there, perhaps none: live pictures and alarms need no disk. A disk of the town's with
/// the number of another one is not taken for it. Errors: the only folder is another site's.
///
/// `patience`: how long each of several disks is waited for (decision 0065); the only one is waited for as long as it takes, there
/// being nothing better to do.
pub fn open(
    disk: &Arc<dyn Disk>,
    places: &[Place],
    site: SiteId,
    footage: &Path,
    patience: Option<Duration>,
) -> Result<LocalStore, StoreError> {
    let path = footage.with_file_name(KNOWN);
    let read = disk::read_all(&**disk, &path, KNOWN_BYTES_MAX).ok();
    let known: BTreeMap<u8, RootId> = read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
    let mut disk_of = |_: &Place| match patience.filter(|_| places.len() > 1) {
        Some(patience) => Arc::new(PatientDisk::new(disk.clone(), patience)) as Arc<dyn Disk>,
        None => disk.clone(),
    };
    let store = LocalStore::open_each(&mut disk_of, places, site, known.clone());
    for absent in store.absent() {
        warn!(path = %absent.path.display(), why = %absent.why, "a root of the store is missing");
    }
    if let (true, [absent]) = (store.roots().is_empty(), store.absent())
        && let StoreError::OtherSite { path, found, expected } = &absent.why
    {
        return Err(StoreError::OtherSite { path: path.clone(), found: *found, expected: *expected });
    }
    if store.known() != known {
        let text = serde_json::to_vec(&store.known()).expect("numbers and identities serialise");
        if let Err(error) = disk::write_all(&**disk, &path, &text) {
            warn!(%error, "which root has which number is not remembered");
        }
    }
    Ok(store)
}

/// Who looks.
pub struct Roots {
    disk: Arc<dyn Disk>,
    kept: Kept,
    /// The catalog, on a connection of its own.
    footage: PathBuf,
    counted: BTreeMap<u8, Census>,
    uncounted: Uncounted,
    next_census: Option<Instant>,
}

/// Roots that failed and were not counted since: until then they are held.
#[derive(Default)]
struct Uncounted(BTreeSet<u8>);

impl Uncounted {
    /// Whether a root is well again and to be counted. A look found it well, or a write that it took between two looks did.
    fn is_back(&mut self, number: u8, before: Option<Trouble>, now: Option<Trouble>) -> bool {
        if before.is_some() {
            self.0.insert(number);
        }
        now.is_none() && self.0.remove(&number)
    }
}

impl Roots {
    pub fn new(disk: Arc<dyn Disk>, kept: Kept, footage: PathBuf) -> Roots {
        Roots { disk, kept, footage, counted: BTreeMap::new(), uncounted: Uncounted::default(), next_census: None }
    }

    /// Looks until `ended`; ends by itself where a disk came that was not there at the start: the recorder then begins anew
    /// with it.
    pub fn start(mut self, ended: Arc<AtomicBool>) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut next = Instant::now();
            while !ended.load(Ordering::SeqCst) {
                if Instant::now() < next {
                    thread::sleep(LOOK);
                    continue;
                }
                next = Instant::now() + PERIOD;
                if self.one_came() {
                    return;
                }
                self.look();
            }
        })
    }

    fn store(&self) -> &LocalStore {
        &self.kept.store
    }

    /// Whether a disk is there now that was not at the start.
    pub fn one_came(&self) -> bool {
        let came = self.store().absent().iter().find(|absent| self.store().has_come(&self.disk, absent));
        if let Some(absent) = came {
            info!(path = %absent.path.display(), "a disk of the store is there again: the recorder begins anew with it");
        }
        came.is_some()
    }

    /// One look at every root; what is found stands on the health page.
    pub fn look(&mut self) {
        let mut is_back = false;
        let store = self.kept.store.clone();
        for root in store.roots() {
            let before = root.trouble();
            if before.is_some() {
                root.hold(true); // what comes back is counted before anything of it is freed
            }
            let now = root.look();
            if let (None, Some(trouble)) = (before, now) {
                error!(path = %root.path.display(), ?trouble, "a root of the store is out");
            }
            if self.uncounted.is_back(root.marker.number, before, now) {
                info!(path = %root.path.display(), "a root of the store is well again");
                is_back = true;
            }
        }
        if is_back || self.next_census.is_none_or(|at| at <= Instant::now()) {
            self.count();
        }
        self.kept.report.note_finding(finding(self.store(), &self.counted));
    }

    /// Counts what lies on each root, and holds those where too much is missing.
    pub fn count(&mut self) {
        let rows = Footage::open_for_reading(&self.footage, self.store().site).and_then(|footage| footage.live_reels());
        match rows {
            Ok(rows) => {
                self.next_census = Some(Instant::now() + CENSUS_PERIOD);
                self.counted = census::take(self.store(), &rows, self.kept.time.now(), CENSUS_HEADERS_MAX);
                for (number, census) in self.counted.iter().filter(|(_, census)| census.is_short()) {
                    error!(
                        number,
                        ?census,
                        "too much of what the catalog knows on a root is missing: nothing is freed there"
                    );
                }
                self.kept.store.counted();
            }
            Err(error) => {
                self.next_census = Some(Instant::now() + CENSUS_AGAIN);
                warn!(%error, "what lies on the roots of the store could not be counted");
            }
        }
    }
}

/// One line for all roots: the worst first.
fn finding(store: &LocalStore, counted: &BTreeMap<u8, Census>) -> Finding {
    let mut lines: Vec<(String, String)> = Vec::new();
    for absent in store.absent() {
        lines.push(away(&absent.path.display().to_string(), &absent.why.to_string()));
    }
    for root in store.roots() {
        let path = root.path.display().to_string();
        match root.trouble() {
            Some(trouble) => lines.push(out(&path, trouble)),
            None if root.is_held() => lines.push(held(&path, counted.get(&root.marker.number))),
            None => {}
        }
    }
    let (count, all) = (lines.len(), store.roots().len() + store.absent().len());
    let state = if count > 0 { FindingState::Alarm } else { FindingState::Ok };
    let (fr, en) = if count > 0 {
        (join(lines.iter().map(|(fr, _)| fr)), join(lines.iter().map(|(_, en)| en)))
    } else if all == 1 {
        (
            "Le disque du stockage est là, avec ce que le catalogue y connaît.".into(),
            "The store's disk is there, with what the catalog knows on it.".into(),
        )
    } else {
        (
            format!("Les {all} disques du stockage sont là, avec ce que le catalogue y connaît."),
            format!("The {all} disks of the store are there, with what the catalog knows on them."),
        )
    };
    Finding {
        id: "roots".into(),
        state,
        title_fr: "Disques du stockage".into(),
        title_en: "Disks of the store".into(),
        detail_fr: fr,
        detail_en: en,
    }
}

fn join<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines.map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn away(path: &str, why: &str) -> (String, String) {
    (
        format!(
            "Le disque de `{path}` manque ({why}) : ses images ne peuvent être montrées, aucune n'est oubliée ; l'enregistrement continue sur les autres. Remontez-le, il sera repris de lui-même ; s'il est perdu, ôtez-le de la configuration, puis `vigie catalog rebuild --accept-loss`."
        ),
        format!(
            "The disk of `{path}` is missing ({why}): its footage cannot be shown, none of it is forgotten; recording goes on in the others. Mount it again, it is taken up by itself; if it is lost, take it out of the configuration, then `vigie catalog rebuild --accept-loss`."
        ),
    )
}

fn out(path: &str, trouble: Trouble) -> (String, String) {
    (
        format!(
            "`{path}` : {} Ses images restent au catalogue ; l'enregistrement continue sur les autres disques, s'il y en a.",
            trouble.text_fr()
        ),
        format!(
            "`{path}`: {} Its footage stays in the catalog; recording goes on on the other disks, if there are any.",
            trouble.text_en()
        ),
    )
}

fn held(path: &str, census: Option<&Census>) -> (String, String) {
    let Census { known, missing, looked, other } = census.copied().unwrap_or_default();
    (
        format!(
            "Sur `{path}`, {missing} bobine(s) manquent sur {known} que le catalogue y connaît, et {other} emplacement(s) sur {looked} lus portent autre chose : un ancien disque y est peut-être. Rien n'y est libéré ni oublié. Remettez le bon disque ; si la perte est réelle, `vigie catalog rebuild --accept-loss`."
        ),
        format!(
            "On `{path}`, {missing} reel(s) of {known} that the catalog knows there are missing, and {other} slot(s) of {looked} read hold something else: an old disk may be there. Nothing of it is freed or forgotten. Put the right disk back; if the loss is real, `vigie catalog rebuild --accept-loss`."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use disk::FaultyDisk;
    use vault::store::{Marker, Root};

    const SITE: SiteId = SiteId([1; 16]);

    #[test]
    fn a_root_that_is_missing_out_or_held_is_an_alarm_that_names_its_folder_and_what_to_do() {
        let disk = FaultyDisk::new(1);
        let paths = ["/srv/un", "/srv/deux", "/srv/trois"];
        let places = paths.map(|path| Place { path: path.into(), slots_max: None });
        for (path, number) in paths.iter().zip(0..2) {
            let root = RootId([number; 16]);
            let marker = Marker { format: 1, site: SITE, root, slot_bytes: 8_192, slots_max: 1, number };
            drop(Root::create(Arc::new(disk.clone()), Path::new(path), marker).unwrap());
        }
        let open = |places: &[Place]| LocalStore::open_all(Arc::new(disk.clone()), places, SITE).unwrap();
        let none = BTreeMap::new();
        assert_eq!(finding(&open(&places[..1]), &none).state, FindingState::Ok);
        let well = finding(&open(&places[..2]), &none);
        assert!(well.state == FindingState::Ok && well.detail_fr.contains("2 disques"), "{well:?}");
        let store = open(&places);
        disk.unplug(Path::new("/srv/deux"));
        store.roots().iter().for_each(|root| assert!(root.look() == root.trouble()));
        store.root(0).unwrap().hold(true);
        let counted = [(0, Census { known: 9, missing: 2, looked: 7, other: 0 })].into();
        let finding = finding(&store, &counted);
        assert_eq!(finding.state, FindingState::Alarm);
        for (text, missing) in
            [(&finding.detail_fr, "2 bobine(s) manquent sur 9"), (&finding.detail_en, "2 reel(s) of 9")]
        {
            assert!(paths.iter().all(|path| text.contains(path)) && text.contains(missing), "{text}");
            assert!(text.contains("--accept-loss") && text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn a_root_is_counted_once_when_it_is_well_again_also_where_a_write_found_it_well_before_a_look() {
        let (mut uncounted, out) = (Uncounted::default(), Some(Trouble::Device));
        assert!(!uncounted.is_back(0, None, None) && !uncounted.is_back(0, None, out));
        assert!(uncounted.is_back(0, out, None) && !uncounted.is_back(0, None, None));
        // the look found it out; a write that followed did not
        assert!(!uncounted.is_back(0, out, out));
        assert!(uncounted.is_back(0, None, None) && !uncounted.is_back(0, None, None));
        assert!(!uncounted.is_back(1, out, out) && !uncounted.is_back(0, None, None), "each for itself");
    }

    #[test]
    fn another_disk_of_the_site_is_not_taken_for_the_one_that_had_its_number_also_at_a_start() {
        let (faulty, path) = (FaultyDisk::new(1), Path::new("/store"));
        let disk: Arc<dyn Disk> = Arc::new(faulty.clone());
        let make = |disk: &FaultyDisk, root: u8| {
            let marker =
                Marker { format: 1, site: SITE, root: RootId([root; 16]), slot_bytes: 8_192, slots_max: 1, number: 0 };
            drop(Root::create(Arc::new(disk.clone()), path, marker).unwrap());
            disk.image(path)
        };
        let right = make(&faulty, 1);
        let other = make(&FaultyDisk::new(2), 2);
        disk.create_dir(Path::new("/data")).unwrap();
        let places = [Place { path: path.into(), slots_max: None }];
        let open = || open(&disk, &places, SITE, Path::new("/data/footage.db"), None).unwrap();
        assert_eq!(open().roots().len(), 1);
        faulty.restore(&other);
        let store = open();
        assert!(store.roots().is_empty() && matches!(store.absent()[0].why, StoreError::OtherRoot { .. }));
        assert!(!store.has_come(&disk, &store.absent()[0]) && store.free_bytes().is_err());
        faulty.restore(&right);
        assert!(store.has_come(&disk, &store.absent()[0]));
        assert_eq!(open().roots().len(), 1);
    }
}
