//! `vigie break-glass show|acknowledge`: what two persons opened in an emergency, and that the data-protection officer examined it.

use super::{Context, Outcome, law, unexpected};
use clap::Subcommand;
use domain::{GlassId, Sensitive};
use keeper::wire::{Answer, Control, GlassDone, GlassLine, GlassState};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Ce qui est demandé, ouvert, ou attend le DPO · what is asked for, open, or waits for the DPO
    Show,
    /// Le DPO en prend acte ; mot de passe puis code se lisent sur l'entrée standard · the DPO acknowledges it; password, then
    /// code, are read from standard input
    Acknowledge {
        /// Son numéro, que `show` donne · its number, which `show` gives
        glass: GlassId,
        /// Le compte du DPO · the DPO's account
        #[arg(long)]
        account: String,
    },
}

pub fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Show => show(context),
        Command::Acknowledge { glass, account } => acknowledge(context, glass, account),
    }
}

fn show(context: &Context<'_>) -> Outcome {
    let Answer::BreakGlass(view) = context.ask(Control::BreakGlass)? else { return Err(unexpected()) };
    if view.lines.is_empty() {
        println!(
            "{}",
            context.pick(
                "Aucun accès d'urgence n'est demandé, ouvert, ni en attente du DPO.",
                "No break-glass is asked for, open, or waits for the DPO."
            )
        );
    }
    for line in &view.lines {
        print_line(context, line);
    }
    Ok(if view.lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn print_line(context: &Context<'_>, line: &GlassLine) {
    let state = match line.state {
        GlassState::Asked => {
            context.pick("demandé, attend une seconde personne", "asked for, waits for a second person")
        }
        GlassState::Open => context.pick("OUVERT", "OPEN"),
        GlassState::Ended => context.pick("terminé, attend l'acte du DPO", "ended, waits for the DPO"),
    };
    let name = |name: &Option<Sensitive<String>>| name.as_ref().map_or("-".to_owned(), |name| name.reveal().clone());
    let until = line.until.map_or(String::new(), |until| format!(" → {until}"));
    println!("{}  {state}  {}{until}", line.id, line.at);
    println!(
        "    {} + {} · {} {} · {} {}",
        name(&line.who),
        name(&line.second),
        line.cameras.len(),
        context.pick("caméra(s)", "camera(s)"),
        line.looks,
        context.pick("consultation(s)", "look(s)")
    );
    println!("    {} {}", context.pick("Motif :", "Reason:"), name(&line.reason));
}

fn acknowledge(context: &Context<'_>, glass: GlassId, account: String) -> Outcome {
    let person = law::proof(account)?;
    let done = match context.ask(Control::BreakGlassAcknowledge { person, glass })? {
        Answer::GlassDone(done) => done,
        Answer::Denied { wait_seconds } => {
            let (fr, en) = super::clock::denied(wait_seconds);
            eprintln!("{}", context.pick(fr, en));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let (fr, en) = said(done);
    println!("{}", context.pick(fr, en));
    Ok(if done == GlassDone::Acknowledged { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn said(done: GlassDone) -> (&'static str, &'static str) {
    match done {
        GlassDone::Acknowledged => {
            ("Acte pris, inscrit au registre ; l'alerte prend fin.", "Acknowledged in the ledger; the alarm ends.")
        }
        GlassDone::StillOpen => (
            "Refusé : il est encore ouvert. Le DPO peut y mettre fin dans la console, puis en prendre acte.",
            "Refused: it is open still. The DPO can end it in the console, then acknowledge it.",
        ),
        GlassDone::NotTheOfficer => (
            "Refusé : seul le délégué à la protection des données en prend acte (compte de qualité `dpo`).",
            "Refused: only the data-protection officer acknowledges it (an account with the role `dpo`).",
        ),
        _ => (
            "Rien de ce numéro n'attend : `vigie break-glass show` nomme ce qui attend.",
            "Nothing of that number waits: `vigie break-glass show` names what waits.",
        ),
    }
}
