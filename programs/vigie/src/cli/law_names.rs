//! What a town's rules name that nobody entered: a group without a camera, a team without a person. Such a rule permits nothing.

use super::{Context, unexpected};
use crate::lines::Language;
use keeper::wire::{Answer, Control};
use policy::Law;
use std::{collections::BTreeSet, error::Error};

type Names = BTreeSet<String>;

/// One sentence each; none where every name is known. Without a keeper nobody knows the names, and that is said.
pub fn warnings(context: &Context<'_>, law: &Law) -> Result<Vec<String>, Box<dyn Error>> {
    let (groups, teams) = named(law);
    if groups.is_empty() && teams.is_empty() {
        return Ok(Vec::new());
    }
    if !context.listens() {
        let fr = "Vigie ne tourne pas : les noms de groupes et d'équipes n'ont pas été comparés aux noms saisis.";
        let en = "Vigie does not run: names of groups and teams were not compared with those entered.";
        return Ok(vec![context.pick(fr, en).to_owned()]);
    }
    let Answer::CameraViews(cameras) = context.ask(Control::CameraList)? else { return Err(unexpected()) };
    let Answer::Accounts(accounts) = context.ask(Control::AccountList)? else { return Err(unexpected()) };
    let entered_groups: Names = cameras.cameras.into_iter().flat_map(|camera| camera.rights.groups).collect();
    let entered_teams: Names = accounts.into_iter().flat_map(|account| account.teams).collect();
    Ok(unknown(law, &entered_groups, &entered_teams, context.language))
}

fn named(law: &Law) -> (Names, Names) {
    let rules = law.town_rules().iter();
    (rules.clone().flat_map(|rule| rule.groups()).collect(), rules.flat_map(|rule| rule.teams()).collect())
}

fn unknown(law: &Law, entered_groups: &Names, entered_teams: &Names, language: Language) -> Vec<String> {
    let (groups, teams) = named(law);
    let group = |name: &String| {
        language.pick(
            format!(
                "Groupe `{name}` : aucune caméra n'y est, la règle n'y permet rien. Saisissez-le : vigie camera rights NOM \
                 --group {name}"
            ),
            format!(
                "Group `{name}`: no camera is in it, the rule permits nothing there. Enter it: vigie camera rights NAME \
                 --group {name}"
            ),
        )
    };
    let team = |name: &String| {
        language.pick(
            format!(
                "Équipe `{name}` : personne n'en est, la règle ne permet rien à personne. Saisissez-la : vigie account \
                 teams NOM {name}"
            ),
            format!(
                "Team `{name}`: nobody is in it, the rule permits nothing to anybody. Enter it: vigie account teams NAME \
                 {name}"
            ),
        )
    };
    groups.difference(entered_groups).map(group).chain(teams.difference(entered_teams).map(team)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::law::files::PackFiles;

    #[test]
    fn a_group_and_a_team_that_nobody_entered_are_named_with_what_to_do_and_known_ones_are_not() {
        let town = r#"@id("a") permit (principal in Vigie::Team::"nuit", action, resource in Vigie::Group::"ecole");
            @id("b") permit (principal, action, resource) when { resource in Vigie::Group::"centre" };"#;
        let law = Law::load(&PackFiles::built_in(), town).expect("a town may write this");
        let names = |names: &[&str]| -> Names { names.iter().map(|name| (*name).to_owned()).collect() };
        let said = |groups: &[&str], teams: &[&str], language| unknown(&law, &names(groups), &names(teams), language);
        assert!(said(&["ecole", "centre"], &["nuit", "jour"], Language::French).is_empty());
        let found = said(&["ecoles", "centre"], &[], Language::French);
        assert!(
            found.len() == 2 && found[0].contains("`ecole`") && found[0].contains("vigie camera rights"),
            "{found:?}"
        );
        assert!(found[1].contains("`nuit`") && found[1].contains("vigie account teams NOM nuit"), "{found:?}");
        assert!(said(&[], &[], Language::English)[0].starts_with("Group `centre`: no camera"));
    }
}
