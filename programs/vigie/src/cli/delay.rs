//! `vigie delay`: a delay made shorter: shown first, asked for, approved by another person, given a day later (R14).

use super::{Context, Outcome, clock::denied, law::proof, unexpected};
use clap::{Args, Subcommand};
use domain::limit::RETENTION_DAYS_MAX;
use keeper::wire::{Answer, DelayDone, DelayLoss, Upkeep};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Montrer ce qui mourrait, sans rien faire · show what would die, and do nothing
    Preview(What),
    /// Demander ; mot de passe puis code se lisent sur l'entrée standard · ask; password, then code, are read from standard input
    Ask {
        #[command(flatten)]
        what: What,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
    /// Approuver, par une autre personne ; l'ordre vaut un jour après · approve, by another person; the order holds a day later
    Approve {
        /// Le numéro de la demande · the request's number
        request: String,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
    /// Annuler, par une seule personne · cancel, by one person
    Cancel {
        /// Le numéro de la demande · the request's number
        request: String,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
    /// Les demandes en attente · the requests that wait
    List,
}

#[derive(Args)]
pub struct What {
    /// Le nouveau délai, en jours · the new delay, in days
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..i64::from(RETENTION_DAYS_MAX)))]
    days: u32,
    /// Une caméra ; répéter ; aucune : toutes celles dont le délai est plus long · a camera; repeat; none: all with a longer delay
    #[arg(long)]
    camera: Vec<String>,
}

pub fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Preview(What { days, camera }) => preview(context, days, camera),
        Command::List => list(context),
        Command::Ask { what: What { days, camera }, account } => {
            done(context, Upkeep::DelayAsk { person: proof(account)?, cameras: camera, delay_days: days })
        }
        Command::Approve { request, account } => {
            done(context, Upkeep::DelayApprove { person: proof(account)?, request })
        }
        Command::Cancel { request, account } => done(context, Upkeep::DelayCancel { person: proof(account)?, request }),
    }
}

fn preview(context: &Context<'_>, delay_days: u32, cameras: Vec<String>) -> Outcome {
    let Answer::DelayLosses(losses) = context.upkeep(Upkeep::DelayPreview { cameras, delay_days })? else {
        return Err(unexpected());
    };
    tell(context, &losses);
    println!(
        "{}",
        context.pick(
            "Rien n'a été fait. Pour le demander : `vigie delay ask`.",
            "Nothing was done. To ask for it: `vigie delay ask`."
        )
    );
    Ok(ExitCode::SUCCESS)
}

fn list(context: &Context<'_>) -> Outcome {
    let Answer::Delays(lines) = context.upkeep(Upkeep::DelayList)? else { return Err(unexpected()) };
    if lines.is_empty() {
        println!("{}", context.pick("Aucune demande n'attend.", "No request waits."));
    }
    for line in lines {
        let state = match line.from {
            Some(from) => {
                context.pick(format!("approuvée, vaut à partir du {from}"), format!("approved, holds from {from}"))
            }
            None => context.pick("attend une seconde personne", "waits for a second person").to_owned(),
        };
        println!("{} · {} · {state}", line.request, line.asked);
        tell(context, &line.losses);
    }
    Ok(ExitCode::SUCCESS)
}

fn done(context: &Context<'_>, control: Upkeep) -> Outcome {
    let done = match context.upkeep(control)? {
        Answer::DelayDone(done) => done,
        Answer::Denied { wait_seconds } => {
            eprintln!("{}", context.language.pick(denied(wait_seconds).0, denied(wait_seconds).1));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let (fr, en) = match &done {
        DelayDone::Asked { request, losses } => {
            tell(context, losses);
            (format!("Demande {request}, inscrite au registre. Une autre personne l'approuve : `vigie delay approve {request}`."),
             format!("Request {request}, entered in the ledger. Another person approves it: `vigie delay approve {request}`."))
        }
        DelayDone::Approved { from, losses } => {
            tell(context, losses);
            (format!("Approuvée : l'ordre vaut à partir du {from}. D'ici là, `vigie delay cancel` l'annule."),
             format!("Approved: the order holds from {from}. Until then `vigie delay cancel` cancels it."))
        }
        DelayDone::Cancelled => ("Annulée, et inscrite au registre : rien ne meurt avant son échéance.".into(), "Cancelled, and entered in the ledger: nothing dies before its deadline.".into()),
        DelayDone::Unknown => ("Aucune demande de ce numéro n'attend : `vigie delay list` les nomme.".into(), "No request of that number waits: `vigie delay list` names them.".into()),
        DelayDone::SamePerson => ("C'est la personne qui l'a demandé : il en faut une autre.".into(), "It is the person who asked for it: another one is needed.".into()),
        DelayDone::NotThisPerson => ("Refusé : il faut une personne d'une autre qualité qu'administrateur pour l'une des deux, dont le compte est plus ancien que la demande.".into(), "Refused: one of the two must not be an administrator, and the account must be older than the request.".into()),
    };
    println!("{fr_or_en}", fr_or_en = context.pick(fr, en));
    let is_taken = matches!(done, DelayDone::Asked { .. } | DelayDone::Approved { .. } | DelayDone::Cancelled);
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Counts, hours, cameras.
fn tell(context: &Context<'_>, losses: &[DelayLoss]) {
    let hours: u64 = losses.iter().map(|loss| loss.hours).sum();
    let cameras = losses.iter().filter(|loss| 0 < loss.hours).count();
    println!(
        "{}",
        context.pick(
            format!("{hours} heure(s) de caméra mourraient, de {cameras} caméra(s) sur {} :", losses.len()),
            format!("{hours} camera-hour(s) would die, of {cameras} camera(s) out of {}:", losses.len()),
        )
    );
    for loss in losses {
        let span = match (loss.first, loss.last) {
            (Some(first), Some(last)) => format!(" · {first} → {last}"),
            _ => String::new(),
        };
        println!(
            "  {} · {} {} · {} h{span}",
            loss.camera,
            loss.delay_days,
            context.pick("jour(s)", "day(s)"),
            loss.hours
        );
    }
}
