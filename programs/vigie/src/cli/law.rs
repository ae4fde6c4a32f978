//! `vigie law`: which rules decide, what they say, and how two persons of the town change them.

mod ask;

use super::{Context, Outcome, unexpected};
use clap::{Args, Subcommand};
use domain::{Role, Sensitive};
use keeper::wire::{Answer, Control, LawDone, LawFault, LawProposal, LawView, PersonProof};
use policy::{
    Action, Law,
    law::files::{NAMES, PackFiles, TOWN},
    law::signature::hex,
    required::{Effect, RequiredAct},
};
use std::{
    fs,
    io::BufRead,
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum Command {
    /// Les règles en vigueur et ce qui attend une seconde personne · the rules in force and what waits for a second person
    Show,
    /// Le texte d'une règle du recueil, avec ses articles · the text of a rule of the pack, with its articles
    Rule {
        /// Son nom, ainsi `no-face` · its name, such as `no-face`
        name: String,
    },
    /// Ce que les règles en vigueur disent d'une capacité, tous les actes étant là · what the rules in force say of a capability,
    /// with every paper there
    Ask {
        /// Ainsi `recognise-face`, `watch-live` · such as
        #[arg(value_parser = ask::action)]
        action: Action,
        /// La qualité de qui demande · the capacity of who asks
        #[arg(long, default_value = "municipal-police")]
        role: Role,
    },
    /// Contrôler un recueil ou les règles de la commune avant de les proposer · check a pack or the town's rules before proposing
    Check(What),
    /// Proposer ; mot de passe puis code se lisent sur l'entrée standard · propose; password, then code, are read from standard
    /// input
    Propose {
        #[command(flatten)]
        what: What,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
    /// Approuver, par une autre personne · approve, by another person
    Approve {
        /// L'empreinte montrée à la proposition · the digest shown when it was proposed
        digest: String,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct What {
    /// Le recueil livré avec ce programme · the pack that comes with this program
    #[arg(long)]
    built_in: bool,
    /// Dossier d'un recueil signé · folder of a signed pack
    #[arg(long)]
    pack: Option<PathBuf>,
    /// Fichier des règles de la commune, en Cedar · file of the town's rules, in Cedar
    #[arg(long)]
    town: Option<PathBuf>,
}

/// What is asked cannot be asked so.
#[derive(Debug, thiserror::Error)]
pub enum LawCommandError {
    #[error("cannot read `{path}`: {source}")]
    File { path: String, source: std::io::Error },
    #[error("password and code come on standard input, one line each: they are never arguments")]
    NoProof,
    #[error("`{text}` is no digest: the 64 hexadecimal digits that the proposal showed expected")]
    Digest { text: String },
    #[error("no rule of the pack is called `{name}`: `vigie law show` names them")]
    NoRule { name: String },
}

impl LawCommandError {
    pub fn text_fr(&self) -> String {
        match self {
            LawCommandError::File { path, source } => format!("impossible de lire `{path}` : {source}"),
            LawCommandError::NoProof => {
                "le mot de passe puis le code se lisent sur l'entrée standard, un par ligne : jamais en argument".into()
            }
            LawCommandError::Digest { text } => {
                format!("`{text}` n'est pas une empreinte : les 64 chiffres hexadécimaux montrés à la proposition")
            }
            LawCommandError::NoRule { name } => {
                format!("aucune règle du recueil ne s'appelle `{name}` : `vigie law show` les nomme")
            }
        }
    }
}

pub(super) fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Show => show(context),
        Command::Rule { name } => rule(context, &name),
        Command::Ask { action, role } => ask::run(context, action, role),
        Command::Check(what) => check(context, &what),
        Command::Propose { what, account } => {
            let text = proposal(&what)?;
            done(context, Control::LawPropose { person: proof(account)?, text })
        }
        Command::Approve { digest, account } => {
            let digest = read_digest(&digest)?;
            done(context, Control::LawApprove { person: proof(account)?, digest })
        }
    }
}

fn show(context: &Context<'_>) -> Outcome {
    let Answer::Law(view) = context.ask(Control::Law)? else { return Err(unexpected()) };
    for line in lines(context, &view) {
        println!("{line}");
    }
    Ok(if view.fault.is_some() { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn lines(context: &Context<'_>, view: &LawView) -> Vec<String> {
    let mut lines = vec![
        format!("{} : {}", context.pick("Recueil de règles", "Law pack"), view.pack),
        format!("  {}", context.pick(&view.text_fr, &view.text_en)),
        format!(
            "  {} {}, {} {} · {} {}",
            view.rules,
            context.pick("interdictions", "prohibitions"),
            view.required_acts,
            context.pick("actes exigés", "required acts"),
            context.pick("empreinte", "digest"),
            hex(&view.pack_digest)
        ),
        format!(
            "{} : {} · {} {}",
            context.pick("Permissions de la commune", "The town's permissions"),
            if view.permits.is_empty() { "-".to_owned() } else { view.permits.join(", ") },
            context.pick("empreinte", "digest"),
            hex(&view.town_digest)
        ),
    ];
    if let Some(fault) = &view.fault {
        lines.push(fault_line(context, fault));
    }
    for waiting in &view.waiting {
        let what = if waiting.is_pack {
            context.pick("recueil", "pack")
        } else {
            context.pick("règles de la commune", "the town's rules")
        };
        let waits = context.pick("attend une seconde personne depuis le", "waits for a second person since");
        lines.push(format!("  {what} {} {waits} {}", hex(&waiting.digest), waiting.proposed_at));
    }
    if let Some(other) = &view.other_built_in {
        let fr = "Ce programme apporte un autre recueil ; deux personnes le mettent en vigueur : vigie law propose --built-in";
        let en = "This program brings another pack; two persons put it in force: vigie law propose --built-in";
        lines.push(format!("{} ({other})", context.pick(fr, en)));
    }
    lines
}

fn fault_line(context: &Context<'_>, fault: &LawFault) -> String {
    match fault {
        LawFault::Changed => context
            .pick(
                "ALARME : les règles enregistrées ne sont pas celles que le registre nomme. Rien n'est permis tant que deux \
                 personnes n'ont pas remis des règles en vigueur.",
                "ALARM: the rules in the registry are not those that the ledger names. Nothing is permitted until two \
                 persons put rules in force again.",
            )
            .to_owned(),
        LawFault::Refused { what } => format!(
            "{} {what}",
            context.pick(
                "ALARME : les règles enregistrées sont refusées par ce programme ; rien n'est permis.",
                "ALARM: this program refuses the rules in the registry; nothing is permitted.",
            )
        ),
    }
}

fn rule(context: &Context<'_>, name: &str) -> Outcome {
    let law = Law::built_in()?;
    if let Some(row) = law.required().iter().find(|row| row.id == name) {
        return Ok(required_act(context, row));
    }
    let texts = law.texts();
    let known = law.rules().iter().find(|rule| rule.id == name);
    let (Some(rule), Some(text)) = (known, texts.get(name)) else {
        return Err(LawCommandError::NoRule { name: name.chars().take(60).collect() }.into());
    };
    println!("{} · {} · {}", rule.id, rule.source, rule.confidence.label(context.language.pick(FR, EN)));
    let (says, remedy) = law.says(name, context.language.pick(FR, EN));
    println!("{says}\n{} {remedy}\n\n{text}", context.pick("Pour que ce soit licite :", "To make it lawful:"));
    Ok(ExitCode::SUCCESS)
}

fn required_act(context: &Context<'_>, row: &RequiredAct) -> ExitCode {
    let effect = match row.effect {
        Effect::Block => context.pick("sans lui, arrêt", "without it, a stop"),
        Effect::Alarm => context.pick("sans lui, alarme", "without it, an alarm"),
    };
    println!("{} · {} · {} · {effect}", row.id, row.source, row.confidence.label(context.language.pick(FR, EN)));
    println!("{} : {}", context.pick(&row.title_fr, &row.title_en), context.pick(&row.text_fr, &row.text_en));
    println!("{}", context.pick(&row.remedy_fr, &row.remedy_en));
    ExitCode::SUCCESS
}

const FR: policy::Language = policy::Language::French;
const EN: policy::Language = policy::Language::English;

/// Offline, but for the names of groups and teams, which a keeper that runs is asked for.
fn check(context: &Context<'_>, what: &What) -> Outcome {
    let law = match proposal(what)? {
        LawProposal::BuiltIn => Law::load(&PackFiles::built_in(), TOWN)?,
        LawProposal::Pack(files) => Law::load(&PackFiles::new(files), TOWN)?,
        LawProposal::Town(town) => Law::load(&PackFiles::built_in(), &town)?,
    };
    println!(
        "{} : {} {}, {} {}",
        context.pick("Accepté", "Taken"),
        law.rules().len(),
        context.pick("interdictions", "prohibitions"),
        law.town_rules().len(),
        context.pick("permissions", "permissions")
    );
    super::law_names::warnings(context, &law)?.iter().for_each(|warning| println!("! {warning}"));
    Ok(ExitCode::SUCCESS)
}

fn proposal(what: &What) -> Result<LawProposal, LawCommandError> {
    if let Some(folder) = &what.pack {
        let file = |name: &str| Ok((name.to_owned(), read(&folder.join(name))?));
        return Ok(LawProposal::Pack(NAMES.iter().map(|name| file(name)).collect::<Result<_, LawCommandError>>()?));
    }
    match &what.town {
        Some(path) => Ok(LawProposal::Town(read(path)?)),
        None => Ok(LawProposal::BuiltIn),
    }
}

fn read(path: &Path) -> Result<String, LawCommandError> {
    fs::read_to_string(path).map_err(|source| LawCommandError::File { path: path.display().to_string(), source })
}

pub(super) fn proof(account: String) -> Result<PersonProof, LawCommandError> {
    let stdin = std::io::stdin();
    let mut lines = stdin.lock();
    let mut line = || {
        let mut text = Zeroizing::new(String::new());
        let read = lines.read_line(&mut text);
        let text = text.trim_end_matches(['\n', '\r']).to_owned();
        if read.is_err() || text.is_empty() { Err(LawCommandError::NoProof) } else { Ok(Sensitive::new(text)) }
    };
    Ok(PersonProof { account: Sensitive::new(account), password: line()?, code: line()? })
}

fn read_digest(text: &str) -> Result<[u8; 32], LawCommandError> {
    let wrong = || LawCommandError::Digest { text: text.chars().take(70).collect() };
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    let mut digest = [0; 32];
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).map_err(|_| wrong())?;
    }
    Ok(digest)
}

fn done(context: &Context<'_>, control: Control) -> Outcome {
    let done = match context.ask(control)? {
        Answer::LawDone(done) => done,
        Answer::Denied { wait_seconds } => {
            let (fr, en) = super::clock::denied(wait_seconds);
            eprintln!("{}", context.pick(fr, en));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let is_taken = matches!(done, LawDone::Proposed { .. } | LawDone::InForce | LawDone::Same);
    println!("{}", context.pick(said_fr(&done), said_en(&done)));
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn said_fr(done: &LawDone) -> String {
    match done {
        LawDone::Proposed { digest, added, removed, changed } => format!(
            "Proposé et inscrit au registre. Règles ajoutées : {} ; retirées : {} ; changées : {}.\nUne autre personne \
             l'approuve : vigie law approve {} --account NOM",
            list(added),
            list(removed),
            list(changed),
            hex(digest)
        ),
        LawDone::InForce => "En vigueur. Toutes les consultations en cours ont pris fin.".into(),
        LawDone::Unknown => {
            "Rien de cette empreinte n'attend d'approbation : `vigie law show` montre ce qui attend.".into()
        }
        LawDone::Same => "C'est déjà ce qui est en vigueur.".into(),
        LawDone::SamePerson => "Refusé : cette personne l'a proposé ; il en faut une autre.".into(),
        LawDone::NotThisPerson => {
            "Refusé : il faut une seconde personne dont le compte existait avant la proposition, et l'une \
                                   des deux n'est pas administrateur."
                .into()
        }
        LawDone::Refused { what } => format!("Refusé, rien n'a changé : {what}"),
    }
}

fn said_en(done: &LawDone) -> String {
    match done {
        LawDone::Proposed { digest, added, removed, changed } => format!(
            "Proposed and entered in the ledger. Rules added: {}; removed: {}; changed: {}.\nAnother person approves it: vigie \
             law approve {} --account NAME",
            list(added),
            list(removed),
            list(changed),
            hex(digest)
        ),
        LawDone::InForce => "In force. All looks under way have ended.".into(),
        LawDone::Unknown => "Nothing of that digest waits for approval: `vigie law show` tells what waits.".into(),
        LawDone::Same => "It is what is in force already.".into(),
        LawDone::SamePerson => "Refused: this person proposed it; another one is needed.".into(),
        LawDone::NotThisPerson => {
            "Refused: it takes a second person whose account existed before the proposal, and one of \
                                   the two is not an administrator."
                .into()
        }
        LawDone::Refused { what } => format!("Refused, nothing has changed: {what}"),
    }
}

fn list(rules: &[String]) -> String {
    if rules.is_empty() { "-".to_owned() } else { rules.join(", ") }
}
