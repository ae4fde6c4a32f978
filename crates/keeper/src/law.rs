//! The law in force: which pack and which rules of the town decide, and how two persons change them.
//!
//! At the start: 1 what the registry says is in force · 2 it must be what the ledger named last, or nothing is permitted · 3 it must
//! be signed and fit this program, or nothing is permitted. A new site takes the pack that comes with the program; a newer
//! program does not bring another law by itself.
//!
//! Change: 1 a person proposes: taken whole or refused · 2 entry · 3 the text waits. Then 1 another person approves · 2 entry with
//! the digests that will be in force · 3 registry · 4 every permit ends, the new rules decide · 5 what may not record by the acts
//! that the new pack requires stops, what may begins. A crash between 2 and 3 leaves the old text in the registry and the new digest in the ledger: nothing is permitted until a person approves again.

use crate::{
    core::{KeeperCore, KeeperParts, actor, failed},
    wire::{Answer, LawDone, LawFault, LawProposal, LawView, LawWaiting, PersonProof},
};
use catalog::{Account, Camera, LawKind, LawText, Registry};
use domain::{AccountId, ActKind, CameraId, Films, UtcMicros};
use ledger::{Actor, Digest, Entry, Event};
use policy::{
    CameraFacts, Law, LawError, Paper, PersonFacts, Role,
    golive::missing_of_person,
    law::files::{PackFiles, TOWN},
    territory,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLockReadGuard},
};
use tracing::warn;
use vault::KeeperError;

/// What the ledger named last as in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct LawSeen {
    named: Option<Event>,
}

impl LawSeen {
    pub fn take(&mut self, entry: &Entry) {
        if let Event::Law { change, .. } = &entry.event
            && change != PROPOSED
        {
            self.named = Some(entry.event.clone());
        }
    }

    fn digests(&self) -> Option<(Digest, Digest)> {
        match self.named {
            Some(Event::Law { pack_digest, town_digest, .. }) => Some((pack_digest, town_digest)),
            _ => None,
        }
    }

    /// The entry that says it, to be made again before the month of the first one ends (L2).
    pub fn standing(&self) -> Option<Event> {
        self.named.clone()
    }
}

const IN_FORCE: &str = "in force";
const PROPOSED: &str = "proposed";
const APPROVED: &str = "approved";

/// The rules that decide.
pub(crate) struct InForce {
    law: Arc<Law>,
    /// The texts behind it: the pack's files and the town's rules.
    files: PackFiles,
    town: String,
    fault: Option<LawFault>,
    /// The ledger names these rules already.
    is_entered: bool,
}

impl InForce {
    pub fn at_start(parts: &KeeperParts, seen: &LawSeen) -> Result<InForce, LawError> {
        // whatever was approved was approved before now: no clock has to be believed for it
        let texts = texts_in_force(&parts.registry);
        let (files, town) = match texts {
            Ok(texts) => texts,
            Err(what) => return InForce::closed(LawFault::Refused { what }),
        };
        let digests = (Digest(files.digest()), Digest(policy::law::files::sha256(town.as_bytes())));
        if seen.digests().is_some_and(|named| named != digests) {
            return InForce::closed(LawFault::Changed);
        }
        let is_built_in = files == PackFiles::built_in() && town == TOWN;
        let law = if is_built_in {
            Law::built_in()
        } else {
            Law::load_signed_by(&files, &town, parts.publishers).map(Arc::new)
        };
        match law {
            Ok(law) => Ok(InForce { law, files, town, fault: None, is_entered: seen.digests().is_some() }),
            Err(error) => InForce::closed(LawFault::Refused { what: error.to_string() }),
        }
    }

    /// The law of this program and no permission at all: nothing opens, recording goes on.
    fn closed(fault: LawFault) -> Result<InForce, LawError> {
        warn!(?fault, "the rules in force are not believed: nothing is permitted until two persons put rules in force");
        let (files, town) = (PackFiles::built_in(), String::new());
        let law = Arc::new(Law::load(&files, &town)?);
        Ok(InForce { law, files, town, fault: Some(fault), is_entered: true })
    }
}

/// The pack and the town's rules that the registry says are in force; those of this program for a new site.
fn texts_in_force(registry: &Registry) -> Result<(PackFiles, String), String> {
    let of = |kind| registry.law_in_force(kind, UtcMicros(i64::MAX)).map_err(|error| error.to_string());
    let files = match of(LawKind::Pack)? {
        Some(text) => read_files(&text.content).ok_or("the pack in the registry is damaged")?,
        None => PackFiles::built_in(),
    };
    let town = of(LawKind::Town)?.map_or_else(|| TOWN.to_owned(), |text| text.content);
    Ok((files, town))
}

fn read_files(content: &str) -> Option<PackFiles> {
    let files: BTreeMap<String, String> = serde_json::from_str(content).ok()?;
    Some(PackFiles::new(files))
}

impl KeeperCore {
    /// The law pack in force with the town's own rules.
    pub fn law(&self) -> Arc<Law> {
        self.in_force().law.clone()
    }

    /// Whether the rules in the registry are not believed: nothing is permitted then.
    pub(crate) fn is_law_in_doubt(&self) -> bool {
        self.in_force().fault.is_some()
    }

    fn in_force(&self) -> RwLockReadGuard<'_, InForce> {
        self.law.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters at the first start which rules decide, and keeps them: a later program with another pack does not replace them.
    pub(crate) fn enter_law(&self) -> Result<(), KeeperError> {
        let (law, files, town) = {
            let in_force = self.in_force();
            if in_force.is_entered {
                return Ok(());
            }
            (in_force.law.clone(), in_force.files.clone(), in_force.town.clone())
        };
        let now = self.stamp();
        for (kind, digest, content) in
            [(LawKind::Pack, law.digest(), written(&files)), (LawKind::Town, law.town_digest(), town)]
        {
            let text = LawText {
                kind,
                digest,
                content,
                proposed_at: now,
                proposed_by: None,
                approved_at: Some(now),
                approved_by: None,
            };
            self.parts.registry.law_add(&text).map_err(failed)?;
        }
        self.enter_events(Actor::Role { role: ledger::Role::Keeper }, vec![event(IN_FORCE, None, &law)])?;
        self.law.write().unwrap_or_else(PoisonError::into_inner).is_entered = true;
        Ok(())
    }

    pub(crate) fn law_view(&self) -> Result<LawView, KeeperError> {
        let mut waiting = Vec::new();
        for kind in [LawKind::Pack, LawKind::Town] {
            let texts = self.parts.registry.law_waiting(kind).map_err(failed)?;
            waiting.extend(texts.into_iter().map(|text| LawWaiting {
                is_pack: kind == LawKind::Pack,
                digest: text.digest,
                proposed_at: text.proposed_at,
            }));
        }
        let in_force = self.in_force();
        let (law, head) = (&in_force.law, in_force.law.head());
        let built_in = Law::built_in().map_err(failed)?;
        Ok(LawView {
            pack: name(law),
            pack_digest: law.digest(),
            town_digest: law.town_digest(),
            text_fr: head.text_fr.clone(),
            text_en: head.text_en.clone(),
            rules: u32::try_from(law.rules().len()).unwrap_or(u32::MAX),
            required_acts: u32::try_from(law.required().len()).unwrap_or(u32::MAX),
            permits: law.town_rules().iter().map(|rule| rule.id.clone()).collect(),
            waiting,
            fault: in_force.fault.clone(),
            other_built_in: (built_in.digest() != law.digest()).then(|| name(&built_in)),
        })
    }

    /// A person proposes a pack or the town's rules. A refusal is an answer with its reason.
    pub(crate) fn law_propose(
        &self,
        cli: Actor,
        person: &PersonProof,
        text: &LawProposal,
    ) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let (old, kind, content, new) = match self.proposed(text) {
            Ok(Some(proposed)) => proposed,
            Ok(None) => return Ok(Answer::LawDone(LawDone::Same)),
            Err(error) => return Ok(Answer::LawDone(LawDone::Refused { what: error.to_string() })), // 1
        };
        self.enter_events(actor(&account), vec![event(PROPOSED, Some(&account), &new)])?; // 2
        let digest = if kind == LawKind::Pack { new.digest() } else { new.town_digest() };
        let text = LawText {
            kind,
            digest,
            content,
            proposed_at: self.stamp(),
            proposed_by: Some(account.id),
            approved_at: None,
            approved_by: None,
        };
        self.parts.registry.law_add(&text).map_err(failed)?; // 3
        let (added, removed, changed) = differences(&old, &new);
        Ok(Answer::LawDone(LawDone::Proposed { digest, added, removed, changed }))
    }

    /// Another person puts it in force.
    pub(crate) fn law_approve(
        &self,
        cli: Actor,
        person: &PersonProof,
        digest: [u8; 32],
    ) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let Some(text) = self.waiting(digest)? else { return Ok(Answer::LawDone(LawDone::Unknown)) };
        if let Some(refused) = self.second_person(&account, &text)? {
            return Ok(Answer::LawDone(refused)); // 1
        }
        let loaded = match text.kind {
            LawKind::Pack => read_files(&text.content).map(|files| (files, self.in_force_town())),
            LawKind::Town => Some((self.in_force().files.clone(), text.content.clone())),
        };
        let Some((files, town)) = loaded else { return Err(failed("the proposal in the registry is damaged")) };
        let law = match self.load(&files, &town) {
            Ok(law) => Arc::new(law),
            Err(error) => return Ok(Answer::LawDone(LawDone::Refused { what: error.to_string() })),
        };
        self.enter_events(actor(&account), vec![event(APPROVED, Some(&account), &law)])?; // 2
        let now = self.stamp();
        self.parts.registry.law_approve(text.kind, digest, account.id, now).map_err(failed)?; // 3
        self.keep_the_other(text.kind, &files, &town, &account, now)?;
        let in_force = InForce { law, files, town, fault: None, is_entered: true };
        *self.law.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        self.end_all_permits(); // 4
        self.follow_acts_now(); // 5
        Ok(Answer::LawDone(LawDone::InForce))
    }

    /// The town's rules in the registry also where they are not believed at present: who approves a pack then sees by its
    /// digest in the entry which ones come with it.
    fn in_force_town(&self) -> String {
        let in_force = self.in_force();
        if in_force.fault.is_none() { in_force.town.clone() } else { TOWN.to_owned() }
    }

    /// After a fault the registry's other text is not the one that this approval puts in force beside the proposal.
    fn keep_the_other(
        &self,
        approved: LawKind,
        files: &PackFiles,
        town: &str,
        account: &Account,
        now: UtcMicros,
    ) -> Result<(), KeeperError> {
        let (kind, digest, content) = match approved {
            LawKind::Pack => (LawKind::Town, policy::law::files::sha256(town.as_bytes()), town.to_owned()),
            LawKind::Town => (LawKind::Pack, files.digest(), written(files)),
        };
        let known = self.parts.registry.law_in_force(kind, UtcMicros(i64::MAX)).map_err(failed)?;
        if known.is_some_and(|known| known.digest == digest && known.content == content) {
            return Ok(());
        }
        let by = Some(account.id);
        let text = LawText {
            kind,
            digest,
            content,
            proposed_at: now,
            proposed_by: by,
            approved_at: Some(now),
            approved_by: by,
        };
        self.parts.registry.law_add(&text).map_err(failed)
    }

    /// A text is taken if a publisher that this program knows signed its pack.
    fn load(&self, files: &PackFiles, town: &str) -> Result<Law, LawError> {
        Law::load_signed_by(files, town, self.parts.publishers)
    }

    fn waiting(&self, digest: [u8; 32]) -> Result<Option<LawText>, KeeperError> {
        for kind in [LawKind::Pack, LawKind::Town] {
            let texts = self.parts.registry.law_waiting(kind).map_err(failed)?;
            if let Some(text) = texts.into_iter().find(|text| text.digest == digest) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Why this account may not be the second person; none if it may.
    fn second_person(&self, account: &Account, text: &LawText) -> Result<Option<LawDone>, KeeperError> {
        let Some(first) = text.proposed_by else { return Ok(Some(LawDone::Unknown)) };
        if first == account.id {
            return Ok(Some(LawDone::SamePerson));
        }
        let first = self.parts.registry.account(first).map_err(failed)?;
        let is_administrator = |account: &Account| account.role == Role::Administrator.name();
        let good = first.is_some_and(|first| {
            let both_administrators = is_administrator(&first) && is_administrator(account);
            !first.disabled && !both_administrators && account.created < text.proposed_at
        });
        Ok((!good).then_some(LawDone::NotThisPerson))
    }

    /// What is proposed beside what is in force; none if it is the same.
    #[expect(clippy::type_complexity, reason = "four things that belong together for the length of one call")]
    fn proposed(&self, text: &LawProposal) -> Result<Option<(Arc<Law>, LawKind, String, Law)>, LawError> {
        let (old, old_files, old_town, fault) = {
            let now = self.in_force();
            (now.law.clone(), now.files.clone(), self.in_force_town(), now.fault.is_some())
        };
        let (kind, content, new) = match text {
            LawProposal::Town(town) => (LawKind::Town, town.clone(), self.load(&old_files, town)?),
            LawProposal::BuiltIn | LawProposal::Pack(_) => {
                let files = match text {
                    LawProposal::Pack(files) => PackFiles::new(files.iter().cloned()),
                    _ => PackFiles::built_in(),
                };
                (LawKind::Pack, written(&files), self.load(&files, &old_town)?)
            }
        };
        let is_same = !fault && (old.digest(), old.town_digest()) == (new.digest(), new.town_digest());
        Ok((!is_same).then_some((old, kind, content, new)))
    }
}

fn written(files: &PackFiles) -> String {
    let files: BTreeMap<&str, &str> = files.iter().collect();
    serde_json::to_string(&files).expect("names and texts are plain data")
}

fn name(law: &Law) -> String {
    format!("{} {}", law.head().name, law.head().version)
}

fn event(change: &str, who: Option<&Account>, law: &Law) -> Event {
    Event::Law {
        change: change.into(),
        who: who.map(|account| account.name.clone()),
        pack: name(law),
        pack_digest: Digest(law.digest()),
        town_digest: Digest(law.town_digest()),
    }
}

/// Names of rules that come, go, or read otherwise.
fn differences(old: &Law, new: &Law) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (old, new) = (old.texts(), new.texts());
    let added = new.keys().filter(|id| !old.contains_key(*id)).cloned().collect();
    let removed = old.keys().filter(|id| !new.contains_key(*id)).cloned().collect();
    let changed = new.iter().filter(|(id, text)| old.get(*id).is_some_and(|known| known != *text));
    (added, removed, changed.map(|(id, _)| id.clone()).collect())
}

impl KeeperCore {
    pub(crate) fn person_facts(&self, account: &Account, now: UtcMicros) -> Result<PersonFacts, KeeperError> {
        let role: Role = account.role.parse().map_err(failed)?;
        let (law, acts) = (self.law(), self.known_acts()?);
        let habilitated = missing_of_person(law.required(), &acts, account.id, role, now).is_empty();
        let territories = territory::of_person(&acts, account.id, role, now);
        let teams = self.teams(now)?.remove(&account.id).unwrap_or_default();
        Ok(PersonFacts { account: account.id, role, habilitated, teams, territories })
    }

    /// Whether a person who looks may go on: the habilitation may end, or be withdrawn, in the middle of a look.
    pub(crate) fn may_still_look(&self, account: &Account, now: UtcMicros) -> bool {
        match self.person_facts(account, now) {
            Ok(facts) => facts.habilitated,
            Err(error) => {
                warn!(%error, "nobody looks while habilitations cannot be looked up");
                false
            }
        }
    }

    /// Whether a person's acts still name every commune of a running look's cameras.
    pub(crate) fn is_at_home(&self, account: AccountId, communes: &[String], now: UtcMicros) -> bool {
        let known = || {
            let account = self.parts.registry.account(account).map_err(failed)?.ok_or(KeeperError::NoSession)?;
            let role: Role = account.role.parse().map_err(failed)?;
            Ok::<_, KeeperError>(territory::of_person(&self.known_acts()?, account.id, role, now))
        };
        match known() {
            Ok(territories) => communes.iter().all(|commune| territories.contains(commune)),
            Err(error) => {
                warn!(%error, "nobody looks while habilitations cannot be looked up");
                false
            }
        }
    }

    /// Each camera as the registry and the papers have it; one that the registry does not know has `exists: false`.
    pub(crate) fn camera_facts(&self, cameras: &[CameraId], now: UtcMicros) -> Result<Vec<CameraFacts>, KeeperError> {
        let in_service = self.parts.registry.cameras(now).map_err(failed)?;
        let facts = |id: &CameraId| {
            let recorded = in_service.iter().find(|version| version.camera.id == *id).cloned();
            let recording = recorded.is_some();
            let known = match recorded {
                Some(version) => Some(version),
                None => self.parts.registry.camera(*id, now).map_err(failed)?,
            };
            let Some(version) = known else { return Ok(unknown(*id)) };
            let missing =
                self.go_live_of(&version, now)?.blocking.into_iter().flat_map(|missing| missing.kinds).collect();
            let purposes = self.lawful_purposes(&version, now)?;
            let Camera { name, place, rights, .. } = version.camera;
            Ok(CameraFacts {
                id: *id,
                name,
                place,
                exists: true,
                recording,
                public_road: rights.films == Films::PublicRoad,
                purposes,
                missing,
                territory: territory::of_camera(&rights),
                groups: rights.groups,
            })
        };
        cameras.iter().map(facts).collect()
    }

    /// Papers that hold now and on which gated capabilities depend.
    pub(crate) fn papers(&self, now: UtcMicros) -> Result<Vec<Paper>, KeeperError> {
        let acts = self.acts_at(now)?;
        let recipients = acts.iter().filter_map(|act| act.order()).any(|order| !order.recipients.is_empty());
        let convention = acts.iter().any(|act| act.kind == ActKind::Convention);
        let assessed = acts.iter().any(|act| act.kind == ActKind::Dpia);
        let papers =
            [(recipients, Paper::StateRecipients), (convention, Paper::RelayConvention), (assessed, Paper::Dpia)];
        Ok(papers.into_iter().filter(|(holds, _)| *holds).map(|(_, paper)| paper).collect())
    }
}

fn unknown(id: CameraId) -> CameraFacts {
    CameraFacts {
        id,
        name: String::new(),
        place: String::new(),
        exists: false,
        recording: false,
        public_road: true,
        purposes: vec![],
        missing: vec![],
        groups: vec![],
        territory: territory::OWN.to_owned(),
    }
}
