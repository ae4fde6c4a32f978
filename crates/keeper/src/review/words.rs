//! What is asked and answered about what was done. Time is the only order; nothing here measures, ranks or adds up a person.

use crate::wire::{MissingAct, PersonProof, RequiredAct};
use domain::{ActKind, Purpose, Role, Sensitive, Span, UtcMicros};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vault::keeper::{Refused, SessionSecret};

/// A person asks for a review; why is entered before anything is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReviewAsk {
    pub session: SessionSecret,
    pub what: ReviewOf,
    pub reason: Sensitive<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ReviewOf {
    /// Looks, refusals, exports and reviews of a span, the newest first; `before`: from that entry's number downwards.
    Trace { span: Span, before: Option<u64> },
    /// Each account with its act, its end, its training.
    Accounts,
    /// What may be worth a question to somebody.
    Questions { span: Span },
    /// Who stands behind a pseudonym of a span: who asks proves it again, and so does a second person.
    Name { span: Span, pseudonym: String, password: Sensitive<String>, code: Sensitive<String>, second: PersonProof },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Reviewed {
    Trace(TracePage),
    Accounts(AccountsPage),
    Questions(QuestionsPage),
    Name(NameShown),
    /// By which rule, and what would make it lawful; the refusal is entered.
    Refused(Refused),
    /// A password or a code is wrong, whoever's; or when to come back.
    Denied {
        wait_seconds: u32,
    },
}

/// A page of what was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracePage {
    /// Number of the entry of this reading; none where a person reads their own trace.
    pub entry: Option<u64>,
    pub lines: Vec<TraceLine>,
    /// There is more: entries before this number.
    pub before: Option<u64>,
    /// Of everybody together, in the whole span, as far as details can be read. None in one's own trace.
    pub totals: Option<Totals>,
    /// The rules that the lines name, in words.
    pub rules: BTreeMap<String, RuleWords>,
    /// Months of the span whose details ended.
    pub ended: Vec<EndedMonth>,
}

/// How many entries of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub looks: u64,
    pub refusals: u64,
    pub exports: u64,
    pub reviews: u64,
    pub names: u64,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// Its number in the ledger.
    pub entry: u64,
    pub at: UtcMicros,
    /// A pseudonym of this span; none in one's own trace.
    pub who: Option<String>,
    pub done: Done,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Done {
    Looked {
        live: bool,
        cameras: Cameras,
        span: Option<Span>,
        purpose: Purpose,
        reason: Sensitive<String>,
    },
    Refused(WasRefused),
    /// Footage left under a requisition, by this person and a second one.
    Exported {
        /// Number in the register of requisitions.
        number: String,
        cameras: Cameras,
        span: Option<Span>,
        purpose: Purpose,
    },
    Reviewed {
        what: String,
        span: Option<Span>,
        reason: Sensitive<String>,
    },
    /// Two persons were shown a name; in one's own trace `of_me`: it was one's own.
    Named {
        pseudonym: String,
        span: Option<Span>,
        reason: Sensitive<String>,
        of_me: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WasRefused {
    /// What was asked for: a name of `policy::Action`, or of a review.
    pub action: String,
    pub cameras: Cameras,
    pub span: Option<Span>,
    pub purpose: Option<Purpose>,
    pub reason: Option<Sensitive<String>>,
    /// Names of the rules that decided.
    pub rules: Vec<String>,
}

/// Cameras by the names that they had then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cameras {
    pub names: Vec<String>,
    /// And so many more.
    pub more: u32,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleWords {
    pub text_fr: String,
    pub text_en: String,
}

/// A month whose details nobody can read any more, and what the log still proves of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedMonth {
    /// `2026-03`.
    pub month: String,
    /// Numbers of its first and of its last entry: so many were made, whatever they say.
    pub first: u64,
    pub last: u64,
    /// Number and time of the entry that says that the key is dead; none while that is not confirmed, or where it ended too.
    pub ended: Option<(u64, UtcMicros)>,
    /// Under this root of so many entries every one of them still has its commitment.
    pub log_size: u64,
    pub root_hex: String,
}

/// Accounts under their names, by name: without a pseudonym and without what anybody did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountsPage {
    pub entry: u64,
    pub accounts: Vec<AccountReview>,
    /// What the law in force requires; the words of what somebody lacks.
    pub required: Vec<RequiredAct>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountReview {
    pub name: Sensitive<String>,
    pub role: Role,
    pub closed: bool,
    /// Habilitations and approvals, the latest end first.
    pub acts: Vec<ActOfPerson>,
    /// What this person lacks today to see pictures in this capacity.
    pub missing: Vec<MissingAct>,
    /// The day of the latest training.
    pub trained: Option<UtcMicros>,
    /// It is longer ago than it should be.
    pub training_is_old: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActOfPerson {
    pub kind: ActKind,
    pub number: String,
    pub from: UtcMicros,
    pub end: Option<UtcMicros>,
    pub holds: bool,
}

/// What may be worth a question: never an answer, never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuestionsPage {
    pub entry: u64,
    /// Looks before this were made before the staff was told, and are left out.
    pub informed_from: UtcMicros,
    /// By the time of the first look that each is about.
    pub questions: Vec<WorthAsking>,
    /// Not all looks of the span, or not all questions: a shorter span tells the rest.
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorthAsking {
    pub about: Asks,
    pub who: String,
    /// Number and time of the looks, by time.
    pub looks: Vec<(u64, UtcMicros)>,
    pub more: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asks {
    /// Looks at night.
    Night,
    /// One place again and again within a day.
    Place { camera: String },
    /// Reasons in a row that say the same words.
    SameWords { reason: Sensitive<String> },
}

/// Who stands behind a pseudonym.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameShown {
    pub entry: u64,
    pub pseudonym: String,
    pub name: Sensitive<String>,
    pub role: Role,
}
