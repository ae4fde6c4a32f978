//! What a town's rules name that nobody entered: a group without a camera, a team without a person. Such a rule permits nothing.

use super::{Context, unexpected};
use keeper::wire::{Answer, Control};
use policy::Law;
use std::{collections::BTreeSet, error::Error};

/// One sentence each; none where every name is known. Without a keeper nobody knows the names, and that is said.
pub fn warnings(context: &Context<'_>, law: &Law) -> Result<Vec<String>, Box<dyn Error>> {
    let groups: BTreeSet<String> = law.town_rules().iter().flat_map(|rule| rule.groups()).collect();
    let teams: BTreeSet<String> = law.town_rules().iter().flat_map(|rule| rule.teams()).collect();
    if groups.is_empty() && teams.is_empty() {
        return Ok(Vec::new());
    }
    if !context.listens() {
        return Ok(vec![
            context
                .pick(
                    "Vigie ne tourne pas : les noms de groupes et d'équipes n'ont pas été comparés aux noms saisis.",
                    "Vigie does not run: names of groups and teams were not compared with those entered.",
                )
                .to_owned(),
        ]);
    }
    let Answer::CameraViews(cameras) = context.ask(Control::CameraList)? else { return Err(unexpected()) };
    let Answer::Accounts(accounts) = context.ask(Control::AccountList)? else { return Err(unexpected()) };
    let entered_groups: BTreeSet<String> = cameras.into_iter().flat_map(|camera| camera.rights.groups).collect();
    let entered_teams: BTreeSet<String> = accounts.into_iter().flat_map(|account| account.teams).collect();
    let group = |name: &String| {
        context.pick(
            format!("Groupe `{name}` : aucune caméra n'y est, la règle n'y permet rien. Saisissez-le : vigie camera rights NOM --group {name}"),
            format!("Group `{name}`: no camera is in it, the rule permits nothing there. Enter it: vigie camera rights NAME --group {name}"),
        )
    };
    let team = |name: &String| {
        context.pick(
            format!("Équipe `{name}` : personne n'en est, la règle ne permet rien à personne. Saisissez-la : vigie account teams NOM {name}"),
            format!("Team `{name}`: nobody is in it, the rule permits nothing to anybody. Enter it: vigie account teams NAME {name}"),
        )
    };
    let groups = groups.difference(&entered_groups).map(group);
    Ok(groups.chain(teams.difference(&entered_teams).map(team)).collect())
}
