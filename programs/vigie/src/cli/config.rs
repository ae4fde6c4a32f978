//! `vigie config check|show|page`: what is set, where it comes from, and whether this machine can do it.

mod check;

use super::Outcome;
use crate::{
    Build, Config,
    config::{Effective, Origin, Setting, page},
    lines::Language,
};
use clap::Subcommand;
use std::{path::Path, process::ExitCode};

#[derive(Subcommand)]
pub enum Command {
    /// Vérifier la configuration et ce que cette machine permet · check the configuration and what this machine allows
    Check {
        /// En JSON, pour des programmes · JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Chaque réglage, sa valeur et son origine · each setting, its value and where it comes from
    Show {
        /// En JSON, pour des programmes · JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// La page du manuel, en Markdown · the manual page, in Markdown
    Page,
}

pub fn run(build: &Build, path: &Path, command: &Command, language: Language) -> Outcome {
    match command {
        Command::Page => {
            print!("{}", page());
            Ok(ExitCode::SUCCESS)
        }
        Command::Show { json } => show(&Effective::read(path, build.variables)?, *json, language),
        Command::Check { json } => {
            let config = Effective::read(path, build.variables)?.config;
            tell(&check::check(build, &config), *json, language)
        }
    }
}

fn show(effective: &Effective, json: bool, language: Language) -> Outcome {
    if json {
        let values = effective.values.iter().map(|(name, value, origin)| {
            let variable = Setting::of(name).map(Setting::variable);
            serde_json::json!({"setting": name, "value": value, "from": origin, "variable": variable})
        });
        println!("{}", serde_json::to_string_pretty(&values.collect::<Vec<_>>())?);
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value, origin) in &effective.values {
        let unit = Setting::of(name).map_or("", |setting| language.pick(setting.unit_fr, setting.unit_en));
        let origin = match origin {
            Origin::Default => language.pick("défaut", "default"),
            Origin::File => language.pick("fichier", "file"),
            Origin::Environment => language.pick("environnement", "environment"),
        };
        let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
        println!("{name} = {value}{unit}  ({origin})");
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(checks: &[check::Check], json: bool, language: Language) -> Outcome {
    if json {
        println!("{}", serde_json::to_string_pretty(checks)?);
    } else {
        for check in checks {
            let mark = match check.state {
                check::State::Ok => "✓",
                check::State::Warning => "!",
                check::State::Refused => "✗",
            };
            println!("{mark} {} : {}", check.setting, language.pick(&check.text_fr, &check.text_en));
        }
    }
    let refused = checks.iter().any(|check| check.state == check::State::Refused);
    Ok(if refused { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The configuration that every other command works with.
pub fn read(build: &Build, path: &Path) -> Result<Config, crate::ConfigError> {
    Ok(Effective::read(path, build.variables)?.config)
}
