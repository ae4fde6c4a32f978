//! Papers: entered, withdrawn, listed as they stood at a time and were known at a time.
//!
//! 1 names become identities, `policy::acts` and the registry say what is wrong: all that is wrong comes back, nothing is done
//! 2 scans lie sealed in the registry's folder ([`crate::scans`])
//! 3 entries: from here on the ledger tells of the papers
//! 4 the registry has them, all or none · the keeper's own copy is forgotten
//!
//! A crash after 3 leaves entries of papers that are not in the registry: nothing records by them, `vigie act list` does not
//! show them, and entering them again is the same way taken again.

use crate::{
    core::{KeeperCore, failed, malformed},
    scans::hex,
    wire::{ActQuery, ActView, Answer, RefusedAct},
};
use aws_lc_rs::digest;
use catalog::{Account, ActVersion};
use domain::{
    Act, ActId, ActScope, CameraId, UtcMicros,
    limit::{ACTS_AT_ONCE_MAX, MESSAGE_BYTES_MAX},
};
use ledger::{Actor, Event};
use policy::acts::{About, Draft, Problem};
use std::{collections::HashMap, sync::Arc};
use tracing::warn;
use vault::KeeperError;

/// Of a list's answer; the rest is room for its frame.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// Every paper as it stands in the registry, whether it holds or not.
pub(crate) type KnownActs = Arc<Vec<Act>>;

/// Names of the registry, both ways.
struct Names {
    cameras: HashMap<CameraId, String>,
    accounts: Vec<Account>,
}

impl KeeperCore {
    /// The papers that hold at `now`.
    pub fn acts_at(&self, now: UtcMicros) -> Result<Vec<Act>, KeeperError> {
        Ok(self.known_acts()?.iter().filter(|act| act.holds_at(now)).cloned().collect())
    }

    /// Every paper as it stands, held in memory: asked for at each look.
    pub(crate) fn known_acts(&self) -> Result<KnownActs, KeeperError> {
        let known = self.moving().acts.clone();
        if let Some(known) = known {
            return Ok(known);
        }
        let read = self.parts.registry.acts_known(UtcMicros(i64::MAX)).map_err(failed)?;
        let known: KnownActs = Arc::new(read.iter().map(ActVersion::standing).collect());
        self.moving().acts = Some(known.clone());
        Ok(known)
    }

    /// Enters papers, all or none; see the steps above.
    pub fn acts_enter(&self, actor: Actor, drafts: Vec<Draft>) -> Result<Answer, KeeperError> {
        let now = self.trusted()?;
        if !(1..=ACTS_AT_ONCE_MAX).contains(&drafts.len()) {
            return Err(malformed(format!("1 to {ACTS_AT_ONCE_MAX} acts are entered at once")));
        }
        let names = self.names(now)?;
        let known = self.known_acts()?;
        let (mut acts, mut refused) = (Vec::new(), Vec::new());
        for (draft, nth) in drafts.into_iter().zip(1..) {
            let number = draft.number.clone();
            match self.act(draft, &names, known.iter().chain(&acts))? {
                Ok(act) => acts.push(act),
                Err(problems) => refused.push(RefusedAct { nth, number, problems }),
            }
        }
        if !refused.is_empty() {
            return Ok(Answer::ActsRefused(refused)); // 1, 2
        }
        let events = acts.iter().map(|act| event("entered", act, act.end(), &names)).collect::<Result<_, _>>()?;
        self.enter_events(actor, events)?; // 3
        self.parts.registry.acts_put(&acts, now).map_err(failed)?; // 4
        self.moving().acts = None;
        self.follow_acts_now();
        Ok(Answer::ActsEntered(acts.iter().map(|act| act.id).collect()))
    }

    /// By identity, or by a number that one paper has that is not withdrawn.
    pub fn act_withdraw(&self, actor: Actor, named: &str, from: Option<UtcMicros>) -> Result<Answer, KeeperError> {
        let now = self.trusted()?;
        let (names, from) = (self.names(now)?, from.unwrap_or(now));
        let known = self.parts.registry.acts_known(now).map_err(failed)?;
        let id = named.parse::<ActId>().ok();
        let is_meant = |version: &&ActVersion| match id {
            Some(id) => version.act.id == id,
            None => version.act.number == named && version.withdrawn_from.is_none(),
        };
        let meant: Vec<&ActVersion> = known.iter().filter(is_meant).collect();
        let act = match meant[..] {
            [one] => &one.act,
            [] => return Err(malformed(format!("no act `{named}` is entered: `vigie act list --all` names them"))),
            _ => return Err(malformed(format!("several acts have the number `{named}`: name it by its identity"))),
        };
        self.enter_events(actor, vec![event("withdrawn", act, Some(from), &names)?])?; // 3
        self.parts.registry.act_withdraw(act.id, from, now).map_err(failed)?; // 4
        self.moving().acts = None;
        self.follow_acts_now();
        let known = self.parts.registry.acts_known(now).map_err(failed)?;
        let withdrawn = known.into_iter().find(|version| version.act.id == act.id);
        let withdrawn = withdrawn.ok_or_else(|| failed("the registry lost the act that it withdrew"))?;
        Ok(Answer::ActWithdrawn(Box::new(view(withdrawn, from.max(now), &names))))
    }

    /// The state at a time, as it was known at a time.
    pub fn act_list(&self, query: &ActQuery) -> Result<Answer, KeeperError> {
        let now = self.decision_time();
        let (at, known_at) = (query.at.unwrap_or(now), query.known_at.unwrap_or(now));
        let registry = &self.parts.registry;
        let versions = if query.all { registry.acts_known(known_at) } else { registry.acts_at(at, known_at) };
        let names = self.names(now)?;
        let (mut acts, mut bytes, mut more) = (Vec::new(), 0, false);
        for version in versions.map_err(failed)?.into_iter().skip(query.after as usize) {
            let view = view(version, at, &names);
            bytes += postcard::to_stdvec(&view).map_err(failed)?.len();
            if PAGE_BYTES_MAX < bytes && !acts.is_empty() {
                more = true;
                break;
            }
            acts.push(view);
        }
        Ok(Answer::Acts { acts, more })
    }

    /// The papers changed, or the law that requires them: what follows is done at once; what of it fails is done at the next second.
    pub(crate) fn follow_acts_now(&self) {
        if let Err(error) = self.follow_acts() {
            warn!(%error, "what follows from an act is done at the next second");
        }
    }

    /// The paper with identities for names, or everything that is wrong with it.
    fn act<'a>(
        &self,
        draft: Draft,
        names: &Names,
        mut known: impl Iterator<Item = &'a Act>,
    ) -> Result<Result<Act, Vec<Problem>>, KeeperError> {
        let mut problems = Vec::new();
        let mut account = None;
        let scope = match &draft.about {
            About::Site => ActScope::Site,
            About::Cameras(cameras) => {
                let of = |name: &String| {
                    let camera = names.cameras.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
                    camera.or_else(|| {
                        problems.push(unknown_camera(name));
                        None
                    })
                };
                ActScope::Cameras(cameras.iter().filter_map(of).collect())
            }
            About::Person(name) => {
                account = names.accounts.iter().find(|account| account.name == *name);
                if account.is_none() {
                    problems.push(unknown_account());
                }
                ActScope::Person(account.map_or(domain::AccountId([0; 16]), |account| account.id))
            }
        };
        if let Some(scan) = &draft.scan
            && !self.parts.registry.has_scan(scan).map_err(failed)?
        {
            return Err(malformed("the act names a scan that is not kept: send the scan first"));
        }
        let Draft { kind, number, signed, signatory, from, until, terms, scan, .. } = draft;
        let id = ActId::draw(&*self.parts.random);
        let act = Act { id, kind, number, signed, signatory, from, until, scope, terms, scan };
        let role = account.and_then(|account| account.role.parse().ok());
        if problems.is_empty() {
            problems = policy::acts::check(&act, role);
        }
        if known.any(|known| is_same(known, &act)) {
            problems.push(entered_already());
        }
        Ok(if problems.is_empty() { Ok(act) } else { Err(problems) })
    }

    fn names(&self, now: UtcMicros) -> Result<Names, KeeperError> {
        let cameras = self.parts.registry.cameras(now).map_err(failed)?;
        let cameras = cameras.into_iter().map(|version| (version.camera.id, version.camera.name)).collect();
        Ok(Names { cameras, accounts: self.parts.registry.accounts().map_err(failed)? })
    }
}

/// One paper is entered once: a dossier that is imported again changes nothing.
fn is_same(known: &Act, new: &Act) -> bool {
    let same =
        (known.kind, &known.number, &known.scope, &known.terms) == (new.kind, &new.number, &new.scope, &new.terms);
    same && known.from == new.from && known.end() == new.end()
}

fn event(change: &str, act: &Act, until: Option<UtcMicros>, names: &Names) -> Result<Event, KeeperError> {
    let (person, cameras) = match &act.scope {
        ActScope::Site => (None, Vec::new()),
        ActScope::Cameras(cameras) => (None, cameras.clone()),
        ActScope::Person(id) => (names.account(*id).map(|account| account.name.clone()), Vec::new()),
    };
    Ok(Event::Act {
        change: change.into(),
        act: act.id,
        kind: act.kind,
        number: act.number.clone(),
        signatory: act.signatory.clone(),
        person,
        cameras,
        from: act.from,
        until,
        digest_hex: act.scan.map(|scan| hex(&scan)),
        content_hex: content_hex(act)?,
    })
}

/// SHA-256 of a paper's facts as JSON, as docs/formats/ledger.md describes it.
pub(crate) fn content_hex(act: &Act) -> Result<String, KeeperError> {
    let json = serde_json::to_vec(act).map_err(failed)?;
    Ok(hex(digest::digest(&digest::SHA256, &json).as_ref()))
}

impl Names {
    fn account(&self, id: domain::AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

fn view(version: ActVersion, at: UtcMicros, names: &Names) -> ActView {
    let standing = version.standing();
    let (end, holds) = (standing.end(), standing.holds_at(at));
    let ActVersion { act, version, recorded_at, withdrawn_from } = version;
    let about = match &act.scope {
        ActScope::Site => About::Site,
        ActScope::Cameras(cameras) => {
            let name = |id: &CameraId| names.cameras.get(id).cloned().unwrap_or_else(|| id.to_string());
            About::Cameras(cameras.iter().map(name).collect())
        }
        ActScope::Person(id) => {
            let unknown = || domain::Sensitive::new(id.to_string());
            About::Person(names.account(*id).map_or_else(unknown, |account| account.name.clone()))
        }
    };
    let Act { id, kind, number, signed, signatory, from, until, terms, scan, .. } = act;
    let facts = Draft { kind, number, signed, signatory, from, until, about, terms, scan };
    ActView { id, facts, end, holds, withdrawn: withdrawn_from.is_some(), version, recorded_at }
}

fn problem(field: &str, text: (String, String), remedy: (&str, &str)) -> Problem {
    Problem {
        field: field.into(),
        article: "CSI R252-3".into(),
        text_fr: text.0,
        text_en: text.1,
        remedy_fr: remedy.0.into(),
        remedy_en: remedy.1.into(),
    }
}

fn unknown_camera(name: &str) -> Problem {
    let name: String = name.chars().take(60).collect();
    problem(
        "cameras",
        (
            format!("Aucune caméra en service ne s'appelle « {name} »."),
            format!("No camera in service is named `{name}`."),
        ),
        (
            "`vigie camera list` les nomme ; ajoutez d'abord la caméra (`vigie camera add`).",
            "`vigie camera list` names them; add the camera first (`vigie camera add`).",
        ),
    )
}

/// The name stays out of the text: it is a person's.
fn unknown_account() -> Problem {
    problem(
        "person",
        ("Aucun compte ne porte le nom que l'acte donne.".into(), "No account has the name that the act gives.".into()),
        (
            "`vigie account list` les nomme ; ajoutez d'abord le compte (`vigie account add`).",
            "`vigie account list` names them; add the account first (`vigie account add`).",
        ),
    )
}

fn entered_already() -> Problem {
    problem(
        "number",
        ("Cet acte est déjà inscrit, à l'identique.".into(), "This act is entered already, just so.".into()),
        (
            "Retirez-le du dossier ; `vigie act list --all` montre ce qui est inscrit.",
            "Take it out of the dossier; `vigie act list --all` shows what is entered.",
        ),
    )
}
