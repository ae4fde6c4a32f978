//! Rights by group, team and commune: entered before they count, and running looks follow them.

use crate::{glass::town_with, sockets::Served, support::*};
use domain::{CameraRights, Films, Sensitive};
use keeper::wire::{Answer, Control, Question};
use ledger::Event;
use vault::{
    Keeper,
    keeper::{Beat, Permit, Verdict, View},
};

const RULES: &str = r#"
@id("team-and-group") permit (principal in Vigie::Team::"ecoles", action, resource in Vigie::Group::"ecoles");
@id("anywhere") permit (principal in Vigie::Team::"partout", action, resource);
"#;

struct Town {
    world: World,
    opened: Opened,
    served: Served,
}

impl Town {
    fn new(seed: u64) -> Town {
        let world = town_with(RULES, seed);
        let opened = world.open_with_session();
        let served = Served::new(&opened);
        Town { world, opened, served }
    }

    fn done(&self, control: Control) -> Result<(), String> {
        match self.served.control.ask(&Question::Control(control)) {
            Ok(Answer::Done) => Ok(()),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    fn rights(&self, nth: u8, groups: &[&str], commune: Option<&str>) {
        let rights = CameraRights {
            films: Films::PublicRoad,
            commune: commune.map(|code| code.parse().unwrap()),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        };
        self.done(Control::CameraRights { name: format!("camera {nth}"), rights }).unwrap();
    }

    fn teams(&self, teams: &[&str]) {
        let teams = teams.iter().map(|team| (*team).to_owned()).collect();
        self.done(Control::AccountTeams { name: Sensitive::new("operator".into()), teams }).unwrap();
    }

    /// The permit, or the first rule that refuses.
    fn looks(&self, cameras: &[u8]) -> Result<Permit, String> {
        match self.served.web.pass(&self.opened.session, &ask(View::Live, cameras)).unwrap() {
            Verdict::Allowed(permit) => Ok(permit),
            Verdict::Refused(refused) => Err(refused.reasons[0].rule.clone()),
        }
    }

    fn alive(&self, permit: &Permit) -> bool {
        let beat = Beat { permits: vec![permit.clone()], ..Beat::default() };
        self.served.recorder.check(&beat).unwrap().alive[0]
    }
}

#[test]
fn a_rule_by_team_and_group_counts_from_their_entry_on_and_its_end_ends_a_running_look() {
    let town = Town::new(90);
    let refused = Err("nothing-permits".to_owned());
    assert_eq!(town.looks(&[1]).map(drop), refused);
    town.teams(&["ecoles"]);
    assert_eq!(town.looks(&[1]).map(drop), refused);
    town.rights(1, &["ecoles", "centre"], None);
    let permit = town.looks(&[1]).unwrap();
    assert!(town.alive(&permit));
    assert_eq!(town.looks(&[2]).map(drop), refused);
    assert_eq!(town.looks(&[1, 2]).map(drop), refused);
    town.rights(1, &["centre"], None);
    assert!(!town.alive(&permit), "the camera left the group");
    town.rights(1, &["ecoles"], None);
    let permit = town.looks(&[1]).unwrap();
    town.teams(&[]);
    assert!(!town.alive(&permit), "the person left the team");
    assert_eq!(town.looks(&[1]).map(drop), refused);
}

#[test]
fn each_change_is_in_the_ledger_and_in_the_lists_and_a_wrong_name_changes_nothing() {
    let town = Town::new(91);
    town.teams(&["ecoles", "nuit"]);
    town.rights(1, &["centre"], Some("33063"));
    let entries = town.opened.entries();
    let said = |wanted: &str| {
        entries.iter().any(|entry| match &entry.event {
            Event::Camera { change, details, .. } => change == "rights" && details.contains(wanted),
            Event::Account { change, .. } => change == wanted,
            _ => false,
        })
    };
    assert!(said("films voie_publique · commune 33063 · groups centre") && said("teams: ecoles, nuit"));
    let before = town.opened.core.journal().size();
    let rights = CameraRights { groups: vec!["a\"b".into()], ..CameraRights::default() };
    assert!(town.done(Control::CameraRights { name: "camera 1".into(), rights: rights.clone() }).is_err());
    assert!(town.done(Control::CameraRights { name: "nowhere".into(), rights: CameraRights::default() }).is_err());
    let nobody = Control::AccountTeams { name: Sensitive::new("nobody".into()), teams: vec![] };
    assert!(town.done(nobody).is_err());
    assert_eq!(town.opened.core.journal().size(), before);
    let Answer::CameraViews(views) = town.served.control.ask(&Question::Control(Control::CameraList)).unwrap() else {
        panic!()
    };
    assert_eq!(views.cameras[0].rights.groups, ["centre"]);
    let Answer::Accounts(lines) = town.served.control.ask(&Question::Control(Control::AccountList)).unwrap() else {
        panic!()
    };
    let line = lines.iter().find(|line| line.name.reveal() == "operator").unwrap();
    assert_eq!(line.teams, ["ecoles", "nuit"]);
}

/// CSI R253-3 II 2°: an operator approved for one commune sees none of another's cameras, whatever the town permits.
#[test]
fn an_approval_opens_the_cameras_of_its_communes_only_and_its_end_ends_looks_there_alone() {
    let town = Town::new(92);
    town.teams(&["partout"]);
    let abroad = Err("only-on-the-communes-territory".to_owned());
    town.rights(2, &[], Some("33281"));
    assert!(town.looks(&[1]).is_ok());
    assert_eq!(town.looks(&[2]).map(drop), abroad);
    assert_eq!(town.looks(&[1, 2]).map(drop), abroad);
    crate::acts::approve_for(&town.opened, "operator", "agrément voisin", "33281 Mérignac, 33063");
    let (home, there) = (town.looks(&[1]).unwrap(), town.looks(&[2]).unwrap());
    assert!(town.alive(&home) && town.alive(&there));
    town.opened.core.act_withdraw(ledger::Actor::Cli { uid: 0 }, "agrément voisin", None).unwrap();
    town.world.clock.pass(1);
    assert!(town.alive(&home) && !town.alive(&there));
    assert_eq!(town.looks(&[2]).map(drop), abroad);
}
