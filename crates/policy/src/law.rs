//! The law pack: rules that can be read, dated facts, messages; loaded whole or not at all, and what decides by it.
//!
//! `forbid` is the law and comes from the pack, which its publisher signs; `permit` is the town and comes from a file of its
//! own. A forbid always wins (Cedar), so nothing that a town writes can open what the law closes.

mod bounds;
mod emergency;
pub mod facts;
pub mod files;
mod messages;
mod model;
mod rules;
pub mod signature;

use crate::decide::{Decision, Reason, Refusal, RuleId};
use crate::explain::{Confidence, Language};
use crate::glass::Glass;
use crate::request::Request;
use crate::required::{self, RequiredAct};
use cedar_policy::{Authorizer, PolicySet, PolicySetError, Response, Schema, Template};
use domain::{CameraId, UtcMicros};
use facts::Facts;
use files::{PackFiles, PackHead};
use messages::Messages;
use rules::About;
pub use rules::{LawRule, TownRule};
use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// What a refusal names when no permit of the town covers the request, when the request's date lies before the pack, and
/// when a rule could not be evaluated.
const NOTHING_PERMITS: &str = "nothing-permits";
const BEFORE_THE_PACK: &str = "before-the-pack";
const NOT_DECIDABLE: &str = "rule-not-decidable";

/// Why a law pack or a town's file is not taken. Nothing of it is in force then.
#[derive(Debug, thiserror::Error)]
pub enum LawError {
    #[error("the law pack has no file `{file}`: a pack is complete or it is none")]
    FileMissing { file: String },
    #[error("`{file}` of the law pack cannot be read: {what}")]
    Malformed { file: String, what: String },
    #[error("`{file}`: {what}; rules are checked against `schema.cedarschema` before any is in force")]
    Rules { file: String, what: String },
    #[error("rule `{rule}` of `{file}`: {what}")]
    Rule { file: String, rule: String, what: String },
    #[error(
        "the law pack bears no signature of a publisher that this program knows ({known}): ask its publisher for a signed one"
    )]
    Signature { known: String },
    #[error("the signature is over another pack: signed is {signed}, this one is {digest}")]
    OtherPack { signed: String, digest: String },
    #[error(
        "rule `{rule}` of the town's file: {what}; a town's file only permits: prohibitions, dates and legal bases come with \
         the law pack"
    )]
    Town { rule: String, what: String },
}

/// The rules that are in force from an instant on.
struct Period {
    from: UtcMicros,
    set: PolicySet,
    /// The law's prohibitions alone, with the template of break-glass.
    forbids: PolicySet,
}

/// A law pack and a town's rules, checked and ready to decide.
pub struct Law {
    head: PackHead,
    digest: [u8; 32],
    town_digest: [u8; 32],
    schema: Schema,
    rules: Vec<LawRule>,
    town: Vec<TownRule>,
    periods: Vec<Period>,
    messages: Messages,
    facts: Facts,
    required: Vec<RequiredAct>,
}

impl Law {
    /// The pack that comes with this program and the rules that a town starts with; read once in a program's life.
    ///
    /// # Errors
    /// [`LawError`] if what is compiled in is not signed by a known publisher: such a program must not be shipped.
    pub fn built_in() -> Result<Arc<Law>, LawError> {
        static LAW: OnceLock<Arc<Law>> = OnceLock::new();
        if let Some(law) = LAW.get() {
            return Ok(law.clone());
        }
        let law = Arc::new(Law::load(&PackFiles::built_in(), files::TOWN)?);
        Ok(LAW.get_or_init(|| law).clone())
    }

    /// Takes a pack, if a known publisher signed exactly these files, with a town's own rules.
    pub fn load(files: &PackFiles, town: &str) -> Result<Law, LawError> {
        Law::load_signed_by(files, town, signature::PUBLISHERS)
    }

    /// The same with the keys that are trusted: the product's are [`signature::PUBLISHERS`].
    pub fn load_signed_by(files: &PackFiles, town: &str, publishers: &[&str]) -> Result<Law, LawError> {
        signature::verify(files, publishers)?;
        Law::load_unsigned(files, town)
    }

    /// The same without asking who signed: for a publisher who is about to sign, and for tests.
    pub fn load_unsigned(files: &PackFiles, town: &str) -> Result<Law, LawError> {
        let head = files.head()?;
        let schema = rules::schema(files)?;
        let laws = rules::of_pack(files, &schema)?;
        let town_rules = rules::of_town(town, &schema)?;
        let messages = Messages::read(files)?;
        let builtin = [NOTHING_PERMITS, BEFORE_THE_PACK, NOT_DECIDABLE];
        messages.check(laws.iter().map(|rule| rule.id.as_str()).chain(builtin))?;
        model::check(&schema)?;
        let periods = periods(&head, &laws, &town_rules, &emergency::template(&schema)?)?;
        let facts = Facts::read(files)?;
        let required = required::of_pack(files)?;
        distinct(&laws, &required)?;
        Ok(Law {
            digest: files.digest(),
            town_digest: files::sha256(town.as_bytes()),
            head,
            schema,
            rules: laws,
            town: town_rules,
            periods,
            messages,
            facts,
            required,
        })
    }

    pub fn head(&self) -> &PackHead {
        &self.head
    }
    /// SHA-256 over all files of the pack, as [`PackFiles::digest`]: what the ledger names.
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
    /// SHA-256 of the town's file.
    pub fn town_digest(&self) -> [u8; 32] {
        self.town_digest
    }
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
    /// The papers that the law requires: what records, and who sees, only while they hold.
    pub fn required(&self) -> &[RequiredAct] {
        &self.required
    }
    pub fn rules(&self) -> &[LawRule] {
        &self.rules
    }
    pub fn town_rules(&self) -> &[TownRule] {
        &self.town
    }
    /// The rules of law and town by which requests from each instant on are decided: for whoever proves something about them.
    pub fn periods(&self) -> impl Iterator<Item = (UtcMicros, &PolicySet)> {
        self.periods.iter().map(|period| (period.from, &period.set))
    }
    /// The words in which rules speak and requests are put.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Why a rule refuses and what would make it lawful; empty for a name that no rule bears.
    pub fn says(&self, rule: &str, language: Language) -> (&str, &str) {
        if !self.rules.iter().any(|known| known.id == rule) {
            return ("", "");
        }
        let says = self.messages.of(rule);
        let words = if language == Language::French { says.fr } else { says.en };
        (&words.text, &words.remedy)
    }

    /// Whether a rule refuses because a paper is missing.
    pub fn is_about_acts(&self, rule: &str) -> bool {
        self.rules.iter().any(|known| known.id == rule && known.file == "acts.cedar")
    }

    /// Each rule's text by its name, the town's and the required acts' too: what two laws differ in.
    pub fn texts(&self) -> BTreeMap<String, String> {
        let laws = self.rules.iter().filter_map(|rule| Some((rule.id.clone(), rule.policy.as_ref()?.to_string())));
        let acts = self.required.iter().map(|row| (row.id.clone(), format!("{row:#?}")));
        laws.chain(self.town.iter().map(|rule| (rule.id.clone(), rule.policy.to_string()))).chain(acts).collect()
    }

    /// Decides one request: allowed if each camera's request is permitted by the town and forbidden by no rule in force.
    ///
    /// A refusal lists every reason, so that the one who asks repairs everything at once.
    pub fn decide(&self, request: &Request) -> Decision {
        self.decide_under(request, None)
    }

    /// The same while break-glass is open: a camera that no rule of the town permits and no rule of the law forbids is asked for
    /// again, with the permit of break-glass in the place of the town's.
    pub fn decide_under(&self, request: &Request, glass: Option<&Glass>) -> Decision {
        let Some(period) = self.in_force(request.now) else {
            return Decision::Refuse(Refusal { reasons: vec![self.plain_reason(BEFORE_THE_PACK)] });
        };
        let mut found = Found::default();
        for (camera, question) in model::questions(request, &self.schema) {
            match question {
                Ok((question, entities)) => {
                    let mut response = Authorizer::new().is_authorized(&question, &period.set, &entities);
                    let names = |glass: &&Glass| glass.names(request.person.account, camera, request.now);
                    if is_unpermitted(&response) && glass.as_ref().is_some_and(names) {
                        let uids = question.principal().cloned().zip(question.resource().cloned());
                        let set = uids.and_then(|(who, what)| emergency::set_for(&period.forbids, who, what));
                        response =
                            set.map_or(response, |set| Authorizer::new().is_authorized(&question, &set, &entities));
                    }
                    self.take(&mut found, camera, &response);
                }
                Err(_) => found.undecidable = true,
            }
        }
        self.decision(found, request)
    }

    /// The rules in force at `now`; none before the pack's own beginning.
    fn in_force(&self, now: UtcMicros) -> Option<&Period> {
        self.periods.iter().rev().find(|period| period.from <= now)
    }

    fn take(&self, found: &mut Found, camera: CameraId, response: &Response) {
        let diagnostics = response.diagnostics();
        // a rule that fails is skipped by the engine: a prohibition must not vanish by that
        found.undecidable |= diagnostics.errors().next().is_some();
        let allowed = response.decision() == cedar_policy::Decision::Allow;
        let mut by: Vec<String> = diagnostics.reason().map(ToString::to_string).collect();
        by.sort_unstable();
        match (allowed, by.is_empty()) {
            (true, _) => by.into_iter().for_each(|id| found.permits.push(id)),
            (false, true) => found.unpermitted.push(camera),
            (false, false) => by.into_iter().for_each(|id| found.forbids.entry(id).or_default().push(camera)),
        }
    }

    fn decision(&self, mut found: Found, request: &Request) -> Decision {
        let mut reasons: Vec<Reason> = self
            .rules
            .iter()
            .filter_map(|rule| {
                let cameras = found.forbids.remove(&rule.id)?;
                let cameras = if rule.about == About::Camera { cameras } else { vec![] };
                Some(self.reason(rule, cameras))
            })
            .collect();
        if found.undecidable {
            reasons.push(self.plain_reason(NOT_DECIDABLE));
        }
        if reasons.is_empty() && !found.unpermitted.is_empty() {
            let all = found.unpermitted.len() >= request.cameras.len();
            let mut reason = self.plain_reason(NOTHING_PERMITS);
            reason.cameras = if all { vec![] } else { found.unpermitted };
            reasons.push(reason);
        }
        if !reasons.is_empty() {
            return Decision::Refuse(Refusal { reasons });
        }
        found.permits.sort_unstable();
        found.permits.dedup();
        Decision::Allow { rules: found.permits.into_iter().map(|id| RuleId(Cow::Owned(id))).collect() }
    }

    fn reason(&self, rule: &LawRule, cameras: Vec<CameraId>) -> Reason {
        let says = self.messages.of(&rule.id);
        Reason {
            rule: RuleId(Cow::Owned(rule.id.clone())),
            article: Cow::Owned(rule.source.clone()),
            confidence: rule.confidence,
            text_fr: Cow::Owned(says.fr.text.clone()),
            text_en: Cow::Owned(says.en.text.clone()),
            remedy_fr: Cow::Owned(says.fr.remedy.clone()),
            remedy_en: Cow::Owned(says.en.remedy.clone()),
            cameras,
        }
    }

    fn plain_reason(&self, id: &str) -> Reason {
        let rule = LawRule {
            id: id.to_owned(),
            file: String::new(),
            source: "CSI R253-3".to_owned(),
            confidence: Confidence::Reading,
            from: self.head.from,
            to: None,
            about: About::Request,
            policy: None,
        };
        self.reason(&rule, vec![])
    }
}

/// What the rules said of all cameras together.
#[derive(Default)]
struct Found {
    permits: Vec<String>,
    forbids: BTreeMap<String, Vec<CameraId>>,
    unpermitted: Vec<CameraId>,
    undecidable: bool,
}

/// Refused only because no rule permits it.
fn is_unpermitted(response: &Response) -> bool {
    let diagnostics = response.diagnostics();
    response.decision() == cedar_policy::Decision::Deny
        && diagnostics.reason().next().is_none()
        && diagnostics.errors().next().is_none()
}

/// A name is of one rule: what a refusal names can be looked up.
fn distinct(laws: &[LawRule], required: &[RequiredAct]) -> Result<(), LawError> {
    match required.iter().find(|row| laws.iter().any(|rule| rule.id == row.id)) {
        Some(row) => {
            let what = "a rule of the pack bears this id, too: give each its own".to_owned();
            Err(LawError::Rule { file: "acts.toml".into(), rule: row.id.clone(), what })
        }
        None => Ok(()),
    }
}

/// One set of rules from each date at which a rule begins or ends; none from before the pack's own beginning.
fn periods(
    head: &PackHead,
    laws: &[LawRule],
    town: &[TownRule],
    emergency: &Template,
) -> Result<Vec<Period>, LawError> {
    let wrong = |error: PolicySetError| LawError::Rules { file: "*.cedar".into(), what: error.to_string() };
    let dates = laws.iter().flat_map(|rule| [Some(rule.from), rule.to]).flatten();
    let mut starts: Vec<UtcMicros> = dates.filter(|date| head.from < *date).chain([head.from]).collect();
    starts.sort_unstable();
    starts.dedup();
    starts
        .into_iter()
        .map(|from| {
            let in_force = laws.iter().filter(|rule| rule.from <= from && rule.to.is_none_or(|to| from < to));
            let mut forbids =
                PolicySet::from_policies(in_force.filter_map(|rule| rule.policy.clone())).map_err(wrong)?;
            let mut set = forbids.clone();
            for rule in town {
                set.add(rule.policy.clone()).map_err(wrong)?;
            }
            forbids.add_template(emergency.clone()).map_err(wrong)?;
            Ok(Period { from, set, forbids })
        })
        .collect()
}
