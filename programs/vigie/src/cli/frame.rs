//! The frame of the help: what the parser says in English only, in both languages, and what a newcomer needs beside it.

use super::Arguments;
use clap::{Command, CommandFactory};
use domain::{ActKind, Role};

const FIRST_STEPS: &str = "\
Pour commencer · to begin
  1. écrire le fichier de configuration (README.md en donne un) · write the configuration file (README.md has one)
  2. vigie config check    ce que cette machine permet · what this machine allows
  3. vigie init            clés, registre, lien du premier administrateur · keys, log, link of the first administrator
  4. vigie serve           ne rend pas la main · does not return
  5. vigie camera add …, vigie account add …, puis les actes · then the papers: vigie act template, vigie act import
  6. vigie status          dit ce qui manque encore, et quoi faire · tells what is still missing, and what to do";

const PURPOSES: &str = "\
Finalités · purposes (CSI L251-2)
   1  bâtiments et installations publics et leurs abords · public buildings, facilities, surroundings
   2  installations utiles à la défense nationale · facilities useful to national defence
   3  flux de transport · traffic flows
   4  infractions aux règles de la circulation · traffic offences
   5  sécurité des personnes et des biens en lieux exposés · safety of persons and property in exposed places
   6  actes de terrorisme · acts of terrorism
   7  risques naturels ou technologiques · natural or technological risks
   8  secours aux personnes, défense contre l'incendie · rescue of persons, fire-fighting
   9  installations accueillant du public, parcs d'attraction · amusement parks
  10  assurance obligatoire des véhicules · compulsory vehicle insurance
  11  abandon d'ordures et de déchets · illegal dumping

Exemple · example
  vigie camera add mairie rtsp://192.0.2.10/main --place \"Place de la Mairie\" --days 15 --purpose 1 --purpose 5";

/// The whole command line, as `Arguments` describes it.
pub fn command() -> Command {
    let mut command = Arguments::command();
    command.build(); // so that what the parser adds by itself is there to be said in French
    framed(command).after_help(FIRST_STEPS)
}

fn framed(command: Command) -> Command {
    let mut command =
        command.subcommand_help_heading("Commandes · commands").mut_args(|argument| match argument.get_id().as_str() {
            "help" => argument.help("Afficher cette aide · show this help"),
            "version" => argument.help("Afficher la version · show the version"),
            _ => argument,
        });
    for below in command.get_subcommands_mut() {
        *below = match below.get_name() {
            "help" => std::mem::take(below).about("Afficher l'aide d'une commande · show a command's help"),
            _ => framed(std::mem::take(below)),
        };
    }
    with_lists(command)
}

/// Closed lists stand whole where one of their names is asked for.
fn with_lists(command: Command) -> Command {
    match command.get_display_name().unwrap_or_default() {
        "vigie-camera-add" => command.after_help(PURPOSES),
        "vigie-account-add" => command.after_help(roles()),
        "vigie-act-template" => command.after_help(kinds()),
        _ => command,
    }
}

fn roles() -> String {
    let line = |role: &Role| format!("\n  {:<18}{}", role.name(), role_words(*role));
    format!("Rôles · roles (CSI R253-3){}", Role::ALL.iter().map(line).collect::<String>())
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Elected => {
            "maire, élu délégué à la police municipale · mayor, councillor in charge of the municipal police"
        }
        Role::MunicipalPolice => "policier municipal habilité par le maire · municipal police officer",
        Role::Operator => "opérateur agréé (L132-14-1), visionne seulement · approved operator, views only",
        Role::StateAgent => "police nationale, gendarmerie, douanes, secours · State police, customs, fire services",
        Role::OtherAuthority => {
            "agent d'une autre autorité publique responsable · agent of another responsible authority"
        }
        Role::PremisesAgent => "agent habilité d'un lieu ouvert au public · agent of a place open to the public",
        Role::PrivateOperator => "opérateur privé d'un lieu ouvert au public · private operator of such a place",
        Role::Dpo => "délégué à la protection des données, sans image · data-protection officer, no picture",
        Role::Inspector => "commission départementale, CNIL, sans image · inspector, no picture",
        Role::Administrator => "installe et entretient, sans image · installs and maintains, no picture",
    }
}

fn kinds() -> String {
    let names: Vec<&str> = ActKind::ALL.iter().map(|kind| kind.name()).collect();
    format!("Genres · kinds\n  {}", names.join("\n  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each command's help, by the words that call it.
    fn helps(command: &mut Command, path: &str, found: &mut Vec<(String, String)>) {
        found.push((path.to_owned(), command.render_help().to_string()));
        let shown = |below: &&mut Command| below.get_name() != "help" && !below.is_hide_set();
        for below in command.get_subcommands_mut().filter(shown) {
            let path = format!("{path} {}", below.get_name());
            helps(below, &path, found);
        }
    }

    fn all() -> Vec<(String, String)> {
        let mut found = Vec::new();
        helps(&mut command(), "vigie", &mut found);
        found
    }

    #[test]
    fn no_help_speaks_english_alone() {
        let all = all();
        assert!(all.len() > 30, "{}", all.len());
        for (path, help) in all {
            for english in ["Print help", "Print version", "Print this message", "\nCommands:"] {
                assert!(!help.contains(english), "{path}: {help}");
            }
            assert!(help.lines().next().is_some_and(|about| about.contains(" · ")), "{path}: {help}");
        }
    }

    #[test]
    fn every_argument_of_every_command_says_what_it_is() {
        fn check(command: &Command, path: &str, unexplained: &mut Vec<String>) {
            let silent = command.get_arguments().filter(|argument| argument.get_help().is_none());
            unexplained.extend(silent.map(|argument| format!("{path}: {}", argument.get_id())));
            let shown = command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set());
            shown.for_each(|below| check(below, &format!("{path} {}", below.get_name()), unexplained));
        }
        let mut unexplained = Vec::new();
        check(&command(), "vigie", &mut unexplained);
        assert!(unexplained.is_empty(), "{unexplained:#?}");
    }

    #[test]
    fn the_help_of_an_account_and_of_a_template_name_the_whole_closed_list() {
        let help_of = |path: &str| all().into_iter().find(|(found, _)| found == path).unwrap().1;
        let (account, template) = (help_of("vigie account add"), help_of("vigie act template"));
        assert!(Role::ALL.iter().all(|role| account.contains(role.name())), "{account}");
        assert!(ActKind::ALL.iter().all(|kind| template.contains(kind.name())), "{template}");
        assert!(help_of("vigie camera add").contains("11  abandon d'ordures"));
    }

    #[test]
    fn the_framed_command_still_parses() {
        let words = ["vigie", "account", "add", "claire", "--role", "dpo"];
        assert!(command().try_get_matches_from(words).is_ok());
        assert!(command().try_get_matches_from(["vigie", "status", "--json"]).is_ok());
    }
}
