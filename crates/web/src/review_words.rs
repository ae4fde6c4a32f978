//! What reviews say in JSON. Time is the only order; nothing here measures, ranks or adds up a person.

use crate::cameras::MissingAct;
use domain::{ActKind, Sensitive, Span};
use keeper::review::words as told;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// What was done, a page of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trace {
    /// Number of the entry of this reading; null in one's own trace.
    entry: Option<u64>,
    /// The newest first.
    lines: Vec<TraceLine>,
    /// There is more: ask for entries before this number.
    before: Option<u64>,
    /// Null in one's own trace.
    totals: Option<TraceTotals>,
    ended: Vec<EndedMonth>,
}

/// How many entries of each kind the whole period has, of everybody together, as far as they can be read.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceTotals {
    looks: u64,
    refusals: u64,
    /// Footage that left the town.
    exports: u64,
    reviews: u64,
    names: u64,
}

/// One entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
pub struct TraceLine {
    entry: u64,
    /// ISO 8601.
    at: String,
    /// A pseudonym of this period; null in one's own trace.
    who: Option<String>,
    /// `look`, `refusal`, `export` (footage left; its reason is the requisition), `review`, or `name`: two persons were shown a name.
    kind: &'static str,
    /// Of a look.
    live: Option<bool>,
    /// What was asked for: of a refusal, or of a review.
    action: Option<String>,
    /// Cameras by the names that they had then.
    cameras: Vec<String>,
    /// And so many more.
    cameras_more: u32,
    /// ISO 8601: the time in the footage, or the period that was reviewed.
    from: Option<String>,
    /// ISO 8601.
    to: Option<String>,
    /// One of the eleven of CSI L251-2, by its number.
    purpose: Option<u8>,
    #[schema(value_type = Option<String>)]
    reason: Option<Sensitive<String>>,
    /// The rules that refused.
    rules: Vec<TraceRule>,
    /// Whose name was shown, by the pseudonym of that period.
    pseudonym: Option<String>,
    /// In one's own trace: it was one's own name.
    of_me: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct TraceRule {
    rule: String,
    text_fr: String,
    text_en: String,
}

/// A month whose details nobody can read any more, and what the log still proves of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EndedMonth {
    /// `YYYY-MM`.
    month: String,
    /// Numbers of its first and last entry: none was added, taken away or changed.
    first: u64,
    last: u64,
    /// ISO 8601: since when the key is dead; null where that entry ended too.
    ended_at: Option<String>,
    /// Number of the entry that says so.
    ended_entry: Option<u64>,
    /// The log of so many entries under this root, of which proofs can be asked.
    log_size: u64,
    root: String,
}

/// Every account.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    entry: u64,
    /// By name.
    accounts: Vec<ReviewedAccount>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewedAccount {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    role: &'static str,
    closed: bool,
    /// Habilitations and approvals, the latest end first.
    acts: Vec<AccountAct>,
    /// What this person lacks today to see pictures in this capacity.
    missing: Vec<MissingAct>,
    /// ISO 8601: the day of the latest training in data protection; null where none is noted.
    trained_on: Option<String>,
    /// It was more than 24 months ago.
    training_is_old: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccountAct {
    /// `habilitation` or `approval`.
    kind: &'static str,
    number: String,
    /// ISO 8601.
    from: String,
    /// ISO 8601.
    end: Option<String>,
    holds: bool,
}

/// What may be worth a question; no answer says that anything was wrong.
#[derive(Debug, Serialize, ToSchema)]
pub struct Questions {
    entry: u64,
    /// ISO 8601: looks before it were made before the staff was told, and are left out.
    informed_from: String,
    /// By the time of the first look that each is about.
    questions: Vec<Question>,
    /// A shorter period tells the rest.
    more: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Question {
    /// `night`, `place` (one place again and again within a day) or `same-words` (reasons in a row that say the same).
    about: &'static str,
    who: String,
    camera: Option<String>,
    #[schema(value_type = Option<String>)]
    reason: Option<Sensitive<String>>,
    /// By time.
    looks: Vec<QuestionLook>,
    /// Not all of them are named.
    more: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct QuestionLook {
    entry: u64,
    /// ISO 8601.
    at: String,
}

/// Who stands behind a pseudonym.
#[derive(Debug, Serialize, ToSchema)]
pub struct Name {
    entry: u64,
    pseudonym: String,
    #[schema(value_type = String)]
    name: Sensitive<String>,
    role: &'static str,
}

impl Trace {
    pub fn of(page: told::TracePage) -> Trace {
        let told::TracePage { entry, lines, before, totals, rules, ended } = page;
        let totals = totals.map(|told::Totals { looks, refusals, exports, reviews, names }| TraceTotals {
            looks,
            refusals,
            exports,
            reviews,
            names,
        });
        let lines = lines.into_iter().map(|line| TraceLine::of(line, &rules)).collect();
        Trace { entry, lines, before, totals, ended: ended.into_iter().map(EndedMonth::of).collect() }
    }
}

impl TraceLine {
    fn of(line: told::TraceLine, rules: &BTreeMap<String, told::RuleWords>) -> TraceLine {
        let bare = TraceLine {
            entry: line.entry,
            at: line.at.to_string(),
            who: line.who,
            kind: "look",
            live: None,
            action: None,
            cameras: Vec::new(),
            cameras_more: 0,
            from: None,
            to: None,
            purpose: None,
            reason: None,
            rules: Vec::new(),
            pseudonym: None,
            of_me: false,
        };
        match line.done {
            told::Done::Looked { live, cameras, span, purpose, reason } => TraceLine {
                live: Some(live),
                cameras_more: cameras.more,
                cameras: cameras.names,
                purpose: Some(purpose.number()),
                reason: Some(reason),
                ..bare.about(span)
            },
            told::Done::Refused(refused) => TraceLine {
                kind: "refusal",
                action: Some(refused.action),
                cameras_more: refused.cameras.more,
                cameras: refused.cameras.names,
                purpose: refused.purpose.map(domain::Purpose::number),
                reason: refused.reason,
                rules: refused.rules.into_iter().map(|rule| TraceRule::of(rule, rules)).collect(),
                ..bare.about(refused.span)
            },
            told::Done::Exported { number, cameras, span, purpose } => TraceLine {
                kind: "export",
                cameras_more: cameras.more,
                cameras: cameras.names,
                purpose: Some(purpose.number()),
                // why it left is the requisition
                reason: Some(Sensitive::new(number)),
                ..bare.about(span)
            },
            told::Done::Reviewed { what, span, reason } => {
                TraceLine { kind: "review", action: Some(what), reason: Some(reason), ..bare.about(span) }
            }
            told::Done::Named { pseudonym, span, reason, of_me } => {
                TraceLine { kind: "name", pseudonym: Some(pseudonym), reason: Some(reason), of_me, ..bare.about(span) }
            }
        }
    }

    fn about(self, span: Option<Span>) -> TraceLine {
        let (from, to) = (span.map(|span| span.from().to_string()), span.map(|span| span.to().to_string()));
        TraceLine { from, to, ..self }
    }
}

impl TraceRule {
    fn of(rule: String, words: &BTreeMap<String, told::RuleWords>) -> TraceRule {
        let words = words.get(&rule).cloned();
        let (text_fr, text_en) = words.map(|words| (words.text_fr, words.text_en)).unwrap_or_default();
        TraceRule { rule, text_fr, text_en }
    }
}

impl EndedMonth {
    fn of(ended: told::EndedMonth) -> EndedMonth {
        EndedMonth {
            month: ended.month,
            first: ended.first,
            last: ended.last,
            ended_at: ended.ended.map(|(_, at)| at.to_string()),
            ended_entry: ended.ended.map(|(entry, _)| entry),
            log_size: ended.log_size,
            root: ended.root_hex,
        }
    }
}

impl Accounts {
    pub fn of(page: told::AccountsPage) -> Accounts {
        let accounts = page.accounts.into_iter().map(|account| ReviewedAccount {
            name: account.name,
            role: account.role.name(),
            closed: account.closed,
            acts: account.acts.into_iter().map(AccountAct::of).collect(),
            missing: account.missing.iter().filter_map(|act| MissingAct::told(act, &page.required)).collect(),
            trained_on: account.trained.map(|on| on.to_string()),
            training_is_old: account.training_is_old,
        });
        Accounts { entry: page.entry, accounts: accounts.collect() }
    }
}

impl AccountAct {
    fn of(act: told::ActOfPerson) -> AccountAct {
        AccountAct {
            kind: ActKind::name(act.kind),
            number: act.number,
            from: act.from.to_string(),
            end: act.end.map(|end| end.to_string()),
            holds: act.holds,
        }
    }
}

impl Questions {
    pub fn of(page: told::QuestionsPage) -> Questions {
        Questions {
            entry: page.entry,
            informed_from: page.informed_from.to_string(),
            questions: page.questions.into_iter().map(Question::of).collect(),
            more: page.more,
        }
    }
}

impl Question {
    fn of(question: told::WorthAsking) -> Question {
        let (about, camera, reason) = match question.about {
            told::Asks::Night => ("night", None, None),
            told::Asks::Place { camera } => ("place", Some(camera), None),
            told::Asks::SameWords { reason } => ("same-words", None, Some(reason)),
        };
        let look = |(entry, at): (u64, domain::UtcMicros)| QuestionLook { entry, at: at.to_string() };
        let looks = question.looks.into_iter().map(look).collect();
        Question { about, who: question.who, camera, reason, looks, more: question.more }
    }
}

impl Name {
    pub fn of(shown: told::NameShown) -> Name {
        let told::NameShown { entry, pseudonym, name, role } = shown;
        Name { entry, pseudonym, name, role: role.name() }
    }
}
