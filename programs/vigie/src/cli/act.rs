//! `vigie act add|import|list|withdraw|template|scan`: the legal papers that the system relies on.

mod scan;
mod show;

use super::{Context, Outcome, unexpected};
use clap::Subcommand;
use domain::{ActKind, UtcMicros, limit::DOSSIER_BYTES_MAX};
use keeper::wire::{ActQuery, ActView, Answer, Control, RefusedAct};
use policy::{
    acts::Draft,
    calendar,
    dossier::{self, DossierError, Entered},
};
use std::{
    error::Error,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Subcommand)]
pub enum Command {
    /// Inscrire un acte décrit par un fichier TOML · enter one act, described in TOML
    Add {
        /// Le fichier (`vigie act template` donne le modèle) · the file (`vigie act template` gives the model)
        file: PathBuf,
        /// Numérisation de l'acte, 16 Mio au plus ; scellée · scan of the paper, sealed
        #[arg(long)]
        scan: Option<PathBuf>,
    },
    /// Inscrire tout un dossier : tous les actes ou aucun · enter a whole dossier: all its acts or none
    Import {
        /// Le fichier du dossier, chaque acte à son tour · the dossier's file, one paper after the other
        dossier: PathBuf,
    },
    /// Actes en vigueur, ou à une date · acts in force, or at a date
    List {
        /// L'état à cette date, par exemple 2026-03-12T14:00 · the state at that time
        #[arg(long, value_parser = time)]
        at: Option<UtcMicros>,
        /// Tel qu'on le connaissait à cette date · as it was known then
        #[arg(long, value_parser = time)]
        known_at: Option<UtcMicros>,
        /// Aussi ceux qui ne valent pas · those that do not hold, too
        #[arg(long)]
        all: bool,
        /// En JSON, pour des programmes · JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Retirer un acte : il ne vaut plus · withdraw an act: it holds no more
    Withdraw {
        /// Son numéro, ou son identité (`vigie act list --all`) · its number, or its identity
        act: String,
        /// À partir de cette date ; sinon maintenant · from this time on; else now
        #[arg(long, value_parser = time)]
        from: Option<UtcMicros>,
    },
    /// Un modèle commenté à remplir · a commented model to fill in
    Template {
        /// Un des genres nommés plus bas · one of the kinds named below
        kind: ActKind,
    },
    /// Relire la numérisation d'un acte ; la lecture est inscrite au registre · read an act's scan; the reading is entered
    Scan {
        /// Son numéro, ou son identité · its number, or its identity
        act: String,
        /// Fichier à écrire · file to write
        #[arg(long)]
        out: PathBuf,
    },
}

/// Why a command about papers fails, in both languages.
#[derive(Debug, thiserror::Error)]
#[error("{en}")]
pub struct ActError {
    fr: String,
    en: String,
}

impl ActError {
    pub fn text_fr(&self) -> String {
        self.fr.clone()
    }

    fn new(fr: impl Into<String>, en: impl Into<String>) -> ActError {
        ActError { fr: fr.into(), en: en.into() }
    }
}

pub(super) fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Add { file, scan } => add(context, &file, scan),
        Command::Import { dossier } => import(context, &dossier),
        Command::List { at, known_at, all, json } => list(context, ActQuery { at, known_at, all, after: 0 }, json),
        Command::Withdraw { act, from } => withdraw(context, act, from),
        Command::Template { kind } => {
            print!("{}", dossier::template(kind));
            Ok(ExitCode::SUCCESS)
        }
        Command::Scan { act, out } => read_scan(context, &act, &out),
    }
}

fn add(context: &Context<'_>, file: &Path, scan: Option<PathBuf>) -> Outcome {
    let mut entered = read(file)?;
    let [one] = &mut entered[..] else {
        return Err(ActError::new(
            "ce fichier décrit plusieurs actes : `vigie act import` les inscrit ensemble",
            "this file describes several acts: `vigie act import` enters them together",
        )
        .into());
    };
    if let Some(scan) = scan {
        // the path given here is relative to where the command runs
        one.scan_file = Some(std::path::absolute(scan)?.display().to_string());
    }
    enter(context, file, entered)
}

fn import(context: &Context<'_>, file: &Path) -> Outcome {
    enter(context, file, read(file)?)
}

fn read(file: &Path) -> Result<Vec<Entered>, Box<dyn Error>> {
    let shown = file.display();
    let unreadable = |what: String| {
        ActError::new(
            format!("`{shown}` ne peut pas être lu ({what}) : vérifiez le chemin et les droits"),
            format!("`{shown}` cannot be read ({what}): check the path and the rights"),
        )
    };
    let bytes = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if (DOSSIER_BYTES_MAX as u64) < bytes {
        return Err(dossier_error(file, dossier::read(&" ".repeat(DOSSIER_BYTES_MAX + 1)).err()).into());
    }
    let text = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    Ok(dossier::read(&text).map_err(|error| dossier_error(file, Some(error)))?)
}

fn dossier_error(file: &Path, error: Option<DossierError>) -> ActError {
    let (fr, en) = error.map_or_else(Default::default, |error| (error.text_fr(), error.to_string()));
    ActError::new(format!("`{}` : {fr}", file.display()), format!("`{}`: {en}", file.display()))
}

/// 1 the scans, which no act names yet · 2 all acts, or none.
fn enter(context: &Context<'_>, file: &Path, entered: Vec<Entered>) -> Outcome {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut drafts: Vec<Draft> = Vec::new();
    for Entered { mut draft, scan_file } in entered {
        if let Some(scan) = scan_file {
            draft.scan = Some(scan::send(context, &folder.join(scan))?); // 1
        }
        drafts.push(draft);
    }
    match context.ask(Control::ActsEnter(drafts))? {
        Answer::ActsEntered(acts) => {
            let count = acts.len();
            println!(
                "{}",
                context.pick(
                    format!("{count} acte(s) inscrit(s) au registre."),
                    format!("{count} act(s) entered in the ledger.")
                )
            );
            Ok(ExitCode::SUCCESS)
        }
        Answer::ActsRefused(refused) => {
            tell_refused(context, &refused);
            Ok(ExitCode::FAILURE)
        }
        _ => Err(unexpected()),
    }
}

fn tell_refused(context: &Context<'_>, refused: &[RefusedAct]) {
    for act in refused {
        for problem in &act.problems {
            eprintln!(
                "✗ {} {} ({}) · `{}` : {} [{}]\n  {}",
                context.pick("acte", "act"),
                act.nth,
                act.number,
                problem.field,
                context.pick(&problem.text_fr, &problem.text_en),
                problem.article,
                context.pick(&problem.remedy_fr, &problem.remedy_en)
            );
        }
    }
    eprintln!("{}", context.pick("Rien n'a été inscrit.", "Nothing was entered."));
}

fn list(context: &Context<'_>, query: ActQuery, json: bool) -> Outcome {
    let acts = all(context, query)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&acts)?);
        return Ok(ExitCode::SUCCESS);
    }
    for act in &acts {
        show::print(context, act);
    }
    if acts.is_empty() {
        println!(
            "{}",
            context.pick(
                "Aucun acte. `vigie act template authorisation` donne un modèle à remplir.",
                "No act. `vigie act template authorisation` gives a model to fill in."
            )
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// All pages of a list.
fn all(context: &Context<'_>, mut query: ActQuery) -> Result<Vec<ActView>, Box<dyn Error>> {
    let mut all = Vec::new();
    loop {
        let Answer::Acts { acts, more } = context.ask(Control::ActList(query))? else { return Err(unexpected()) };
        all.extend(acts);
        if !more {
            return Ok(all);
        }
        query.after = u32::try_from(all.len())?;
    }
}

fn withdraw(context: &Context<'_>, act: String, from: Option<UtcMicros>) -> Outcome {
    let Answer::ActWithdrawn(act) = context.ask(Control::ActWithdraw { act, from })? else { return Err(unexpected()) };
    println!("{}", context.pick("Acte retiré :", "Act withdrawn:"));
    show::print(context, &act);
    Ok(ExitCode::SUCCESS)
}

fn read_scan(context: &Context<'_>, named: &str, out: &Path) -> Outcome {
    let acts = all(context, ActQuery { all: true, ..ActQuery::default() })?;
    let mut meant = acts.iter().filter(|act| act.facts.number == named || act.id.to_string() == named);
    let digest = meant.find_map(|act| act.facts.scan).ok_or_else(|| {
        ActError::new(
            format!("aucun acte `{named}` n'a de numérisation : `vigie act list --all` montre lesquels en ont une"),
            format!("no act `{named}` has a scan: `vigie act list --all` shows which ones have"),
        )
    })?;
    scan::fetch(context, &digest, out)?;
    println!("{} {}", context.pick("Numérisation écrite :", "Scan written:"), out.display());
    Ok(ExitCode::SUCCESS)
}

fn time(text: &str) -> Result<UtcMicros, String> {
    calendar::read(text).ok_or_else(|| "2026-03-12 | 2026-03-12T14:00 (Europe/Paris) | 2026-03-12T13:00:00Z".to_owned())
}
