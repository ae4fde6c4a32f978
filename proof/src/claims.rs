//! What the law closes, as conditions on a request: from the table of capabilities, the acts and the bounds of a look.
//!
//! They are written without a look at the rules that carry them, so that a rule that goes is missed.

use crate::table::{ROWS, Row, Says, Second};
use domain::{ActKind, UtcMicros};
use policy::{Action, Paper, Role, calendar};

/// Requests that no town may open: those of this action to which the condition applies.
pub struct Claim {
    /// What it says; unique within an action.
    pub name: String,
    pub action: Action,
    /// In Cedar; `true` where all requests of the action are meant.
    pub condition: String,
    /// From this day on, ISO; always where there is none.
    pub since: Option<&'static str>,
}

impl Claim {
    /// A permit for exactly these requests: the town's file that the claim says is in vain.
    pub fn permit(&self) -> String {
        let (action, condition) = (self.action.name(), &self.condition);
        format!(r#"permit (principal, action == Vigie::Action::"{action}", resource) when {{ {condition} }};"#)
    }

    /// Whether it is claimed of the rules in force from this instant on.
    pub fn holds_from(&self, from: UtcMicros) -> bool {
        // one whose day cannot be read is claimed always, and fails
        self.since.is_none_or(|since| calendar::written_day(since).map_or(true, |since| since <= from))
    }
}

/// Footage that was lawfully recorded leaves although an act ended since (`law/fr/acts.cedar`).
const LEAVES_WITHOUT_ACTS: [Action; 4] =
    [Action::ExportRequisition, Action::ExportProcedure, Action::AccessRequest, Action::BlurCopy];
/// What the State does with pictures of its own right needs no order of the prefect, as in the table.
const OF_THE_STATE: [Action; 4] =
    [Action::ReadPlates, Action::SearchUnderRequisition, Action::DetectEvent, Action::Count];

/// Every claim.
pub fn all() -> Vec<Claim> {
    ROWS.iter().flat_map(|row| [of_row(row), of_pictures(row), of_acts(row), of_bounds(row)]).flatten().collect()
}

/// Whether the law leaves the row to nobody at all.
pub fn is_closed(row: &Row) -> bool {
    row.commune == Says::Forbidden && row.state == Says::Forbidden
}

fn claim(row: &Row, name: impl Into<String>, condition: impl Into<String>) -> Claim {
    Claim { name: name.into(), action: row.action, condition: condition.into(), since: None }
}

/// Who, for whom, with which papers and until when, cell by cell.
fn of_row(row: &Row) -> Vec<Claim> {
    if is_closed(row) {
        return vec![claim(row, "forbidden", "true")];
    }
    let mut claims = open_row(row);
    if row.commune == Says::Forbidden {
        claims.push(claim(row, "forbidden to whoever is not the State", r#"context.controller != "state""#));
    }
    if row.state == Says::Forbidden {
        claims.push(claim(row, "forbidden to the State", r#"context.controller == "state""#));
    }
    claims
}

fn open_row(row: &Row) -> Vec<Claim> {
    let mut claims: Vec<Claim> = row.papers.iter().map(|paper| without(row, *paper)).collect();
    match row.second_person {
        Second::No => {}
        Second::Yes => claims.push(claim(row, "without a second person", "!context.secondPerson")),
        Second::UnlessWaived(paper, since) => {
            let alone = format!("!context.secondPerson && {}", lacks(paper));
            let alone = claim(row, "without a second person, not waived", alone);
            claims.push(Claim { since: Some(since), ..alone });
        }
    }
    if let Some(until) = row.until {
        claims.push(Claim { since: Some(until), ..claim(row, "after its end", "true") });
    }
    if row.action == Action::Record {
        return claims;
    }
    claims.push(claim(row, "not habilitated", "!principal.habilitated"));
    // the staff of premises is barred from the public road; what they see inside is no row of the table
    let premises = names([Role::PremisesAgent, Role::PrivateOperator]);
    let listed = names(row.roles.iter().copied());
    let strangers =
        format!("!{listed}.contains(principal.role) && (resource.publicRoad || !{premises}.contains(principal.role))");
    claims.push(claim(row, "a capacity that is not listed", strangers));
    if !OF_THE_STATE.contains(&row.action) {
        let unordered = format!(r#"principal.role == "state-agent" && {}"#, lacks(Paper::StateRecipients));
        claims.push(claim(row, "state agents without an order of the prefect", unordered));
    }
    claims
}

fn of_pictures(row: &Row) -> Vec<Claim> {
    let blind = [Role::Administrator, Role::Dpo, Role::Inspector].into_iter().filter(|_| row.shows_pictures);
    blind
        .map(|role| {
            claim(row, format!("a picture for the {}", role.name()), format!(r#"principal.role == "{}""#, role.name()))
        })
        .collect()
}

/// Each kind of act by its name, and whatever else might be missing.
fn of_acts(row: &Row) -> Vec<Claim> {
    if is_closed(row) || LEAVES_WITHOUT_ACTS.contains(&row.action) {
        return vec![];
    }
    let kinds = ActKind::ALL.iter().map(|kind| {
        claim(row, format!("without {} now", kind.name()), format!(r#"resource.missing.contains("{}")"#, kind.name()))
    });
    kinds.chain([claim(row, "any act missing", "!resource.missing.isEmpty()")]).collect()
}

fn of_bounds(row: &Row) -> Vec<Claim> {
    if is_closed(row) {
        return vec![];
    }
    let acts_on_camera = !LEAVES_WITHOUT_ACTS.contains(&row.action);
    let mut bounds = vec![("a camera that nobody entered", "!resource.known".to_owned())];
    if acts_on_camera {
        bounds.push(("a camera without a purpose", "resource.purposes.isEmpty()".to_owned()));
    }
    if [Action::WatchLive, Action::ExternalTrigger, Action::Verbalise].contains(&row.action) {
        bounds.push(("live, out of service", "!resource.inService".to_owned()));
    }
    if [Action::Replay, Action::ExportRequisition, Action::ExportProcedure].contains(&row.action) {
        let backwards = "!(context has from && context has to && context.from < context.to)";
        bounds.push(("without a span", backwards.to_owned()));
        let ahead = r#"context has to && context.to.durationSince(context.now) > duration("5m")"#;
        bounds.push(("footage of the future", ahead.to_owned()));
    }
    if row.action == Action::Replay {
        let old = r#"context has from && context.now.durationSince(context.from) > duration("30d")"#;
        bounds.push(("older than thirty days", old.to_owned()));
    }
    if row.action == Action::Verbalise {
        let other = "!(context has purpose && context.purpose == 4 && resource.purposes.contains(4))";
        bounds.push(("fines for another purpose", other.to_owned()));
        bounds.push(("fines from what was recorded", "context has from || context has to".to_owned()));
    }
    if row.action != Action::Record {
        bounds.extend(of_looks());
    }
    bounds.into_iter().map(|(name, condition)| claim(row, name, condition)).collect()
}

fn of_looks() -> Vec<(&'static str, String)> {
    let bound = names(Role::ALL.into_iter().filter(|role| policy::territory::is_bound(*role)));
    let abroad = format!("{bound}.contains(principal.role) && !principal.territories.contains(resource.territory)");
    vec![
        ("abroad", abroad),
        ("without a purpose", "!(context has purpose)".into()),
        (
            "for a purpose that the camera does not have",
            "context has purpose && !resource.purposes.contains(context.purpose)".into(),
        ),
        ("without a reason", "context.reasonLength < 10 && !context.reasonIsCode".into()),
        ("a reason that says nothing", "context.reasonSigns < 4 && !context.reasonIsCode".into()),
        ("a reason too long", "context.reasonLength > 500".into()),
        ("of no camera", "context.cameras <= 0".into()),
        ("longer than eight hours", "context.seconds > 28800".into()),
        ("for no time", "context.seconds <= 0".into()),
    ]
}

fn without(row: &Row, paper: Paper) -> Claim {
    claim(row, format!("without the paper {}", paper.name()), lacks(paper))
}

fn lacks(paper: Paper) -> String {
    format!(r#"!context.papers.contains("{}")"#, paper.name())
}

fn names(roles: impl IntoIterator<Item = Role>) -> String {
    let quoted: Vec<String> = roles.into_iter().map(|role| format!(r#""{}""#, role.name())).collect();
    format!("[{}]", quoted.join(", "))
}
