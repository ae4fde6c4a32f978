//! Table (a), computed: what the pack itself answers to each capability, controller, date and capacity.

use super::super::support::{known, lawful};
use super::super::table::{ROWS, Row};
use domain::{Purpose, Span, UtcMicros};
use jiff::{Timestamp, tz::TimeZoneDatabase};
use policy::{Action, Controller, Decision, Law, Paper, PersonFacts, Request, Role, calendar};

/// Last day of the experiment, the day after, the day after the Conseil d'État's ruling, and beyond every known end.
pub const DATES: [&str; 4] = ["2025-03-31", "2025-04-01", "2026-01-31", "2028-01-01"];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    Allowed,
    Gated,
    Forbidden,
}

impl Cell {
    pub const fn words(self) -> &'static str {
        match self {
            Cell::Allowed => "permis · *allowed*",
            Cell::Gated => "conditions · *gated*",
            Cell::Forbidden => "interdit · *forbidden*",
        }
    }
}

/// One line of the table.
pub struct Capability {
    pub row: &'static Row,
    pub state: bool,
    pub cells: [Cell; 4],
    pub who: String,
    pub papers: String,
    /// What closes it, or asks for its papers.
    pub rules: Vec<String>,
}

/// What else than a permit of the town it takes, for one capacity.
#[derive(Clone, PartialEq, Eq)]
struct Needs {
    role: Role,
    papers: Vec<Paper>,
    second: Second,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Second {
    Not,
    Always,
    UnlessWaived,
}

/// One question of the table.
struct Asked<'a> {
    law: &'a Law,
    row: &'static Row,
    controller: Controller,
    date: &'static str,
}

pub fn all(law: &Law) -> Vec<Capability> {
    let lines = ROWS.iter().flat_map(|row| [(row, Controller::Commune), (row, Controller::State)]);
    lines.map(|(row, controller)| capability(law, row, controller)).collect()
}

fn capability(law: &Law, row: &'static Row, controller: Controller) -> Capability {
    let at = DATES.map(|date| Asked { law, row, controller, date });
    let needs = at.each_ref().map(Asked::needs);
    let cells = needs.each_ref().map(|needs| cell(needs));
    let last = needs.iter().rposition(|needs| !needs.is_empty());
    let (who, papers) = last.map_or_else(Default::default, |last| told(&needs[last]));
    // where it is forbidden today, what closes it; where it is gated, what asks for its papers
    let bare = cells[3] != Cell::Forbidden;
    let rules = if cells[3] == Cell::Allowed { vec![] } else { at[3].rules(bare) };
    Capability { row, state: controller == Controller::State, cells, who, papers, rules }
}

fn cell(needs: &[Needs]) -> Cell {
    match needs {
        [] => Cell::Forbidden,
        _ if needs.iter().any(|needs| needs.papers.is_empty() && needs.second == Second::Not) => Cell::Allowed,
        _ => Cell::Gated,
    }
}

/// Who, and the papers; a paper that one capacity alone needs stands beside that capacity.
fn told(needs: &[Needs]) -> (String, String) {
    let common: Vec<Paper> = needs[0]
        .papers
        .iter()
        .copied()
        .filter(|paper| needs.iter().all(|other| other.papers.contains(paper)))
        .collect();
    let who = needs.iter().map(|needs| {
        let own =
            needs.papers.iter().filter(|paper| !common.contains(paper)).map(|paper| format!("`{}`", paper.name()));
        let own = own.collect::<Vec<_>>().join(", ");
        if own.is_empty() { format!("`{}`", needs.role.name()) } else { format!("`{}` ({own})", needs.role.name()) }
    });
    let who = if needs.len() == Role::ALL.len() {
        "le programme · *the program*".to_owned()
    } else {
        who.collect::<Vec<_>>().join(", ")
    };
    let mut papers: Vec<String> = common.iter().map(|paper| format!("`{}`", paper.name())).collect();
    match needs[0].second {
        Second::Not => {}
        Second::Always => papers.push("seconde personne · *second person*".into()),
        Second::UnlessWaived => {
            papers.push("seconde personne, sauf `mayor-waives-second-person` · *second person, unless waived*".into())
        }
    }
    (who, papers.join(", "))
}

impl Asked<'_> {
    /// The capacities to which it is open, each with what it takes.
    fn needs(&self) -> Vec<Needs> {
        let open = Role::ALL.into_iter().filter(|role| self.is_open(*role, Paper::ALL, true));
        open.map(|role| {
            let without = |left: Paper| Paper::ALL.iter().copied().filter(|paper| *paper != left).collect::<Vec<_>>();
            let needed = Paper::ALL.iter().filter(|paper| !self.is_open(role, &without(**paper), true));
            let unwaived = without(Paper::MayorWaivesSecondPerson);
            let second = match (self.is_open(role, &unwaived, false), self.is_open(role, Paper::ALL, false)) {
                (true, _) => Second::Not,
                (false, true) => Second::UnlessWaived,
                (false, false) => Second::Always,
            };
            Needs { role, papers: needed.copied().collect(), second }
        })
        .collect()
    }

    fn is_open(&self, role: Role, papers: &[Paper], second_person: bool) -> bool {
        matches!(self.law.decide(&self.request(role, papers, second_person)), Decision::Allow { .. })
    }

    /// The rules that refuse the one to whom fewest object: with nothing in hand, or with everything.
    fn rules(&self, bare: bool) -> Vec<String> {
        let papers = if bare { &[][..] } else { Paper::ALL };
        let refused = Role::ALL.into_iter().filter_map(|role| {
            let Decision::Refuse(refusal) = self.law.decide(&self.request(role, papers, !bare)) else { return None };
            Some(refusal.reasons.iter().map(|reason| reason.rule.to_string()).collect::<Vec<_>>())
        });
        refused.min_by_key(Vec::len).unwrap_or_default()
    }

    fn request(&self, role: Role, papers: &[Paper], second_person: bool) -> Request {
        let action = self.row.action;
        let now = calendar::written_day(self.date).expect("a date").plus_seconds(12 * 3_600);
        let recorded = [Action::Replay, Action::ExportRequisition, Action::ExportProcedure].contains(&action);
        let fines = action == Action::Verbalise;
        let mut camera = known(1);
        camera.purposes.push(Purpose::TrafficOffences);
        Request {
            person: PersonFacts { role, habilitated: true, ..lawful(action).person },
            controller: self.controller,
            purpose: Some(if fines { Purpose::TrafficOffences } else { Purpose::SafetyOfPersonsAndProperty }),
            cameras: vec![camera],
            span: recorded.then(|| Span::new(now.plus_seconds(-600), now).expect("forwards")),
            papers: papers.to_vec(),
            second_person,
            now,
            ..lawful(action)
        }
    }
}

/// The day in Paris at an instant, as `2026-03-31`.
pub fn paris_day(at: UtcMicros) -> String {
    let paris = TimeZoneDatabase::bundled().get("Europe/Paris").expect("compiled in");
    paris.to_datetime(Timestamp::from_microsecond(at.0).expect("a day of the law")).date().to_string()
}
