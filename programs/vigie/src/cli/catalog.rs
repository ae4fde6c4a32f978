//! `vigie catalog rebuild`: the recorder makes the footage catalog anew from the reels, while it records on.

use super::{Context, Outcome, unexpected};
use clap::Subcommand;
use keeper::wire::{Answer, Control};
use std::process::ExitCode;
use vault::rebuild::Rebuilt;

#[derive(Subcommand)]
pub enum Command {
    /// Refaire le catalogue des images d'après les bobines ; l'enregistrement continue · make the footage catalog anew from the reels; recording goes on
    Rebuild {
        /// Les bobines qui manquent sont perdues : leurs lignes sont ôtées, leur temps devient une lacune ; inscrit au registre · the
        /// reels that are missing are lost: their rows go, their time becomes a gap; entered in the ledger
        #[arg(long)]
        accept_loss: bool,
    },
}

pub fn run(context: &Context<'_>, command: &Command) -> Outcome {
    match command {
        Command::Rebuild { accept_loss } => rebuild(context, *accept_loss),
    }
}

fn rebuild(context: &Context<'_>, loss_accepted: bool) -> Outcome {
    match context.ask(Control::CatalogRebuild { loss_accepted })? {
        Answer::Rebuilt(rebuilt) => Ok(tell(context, &rebuilt)),
        Answer::RebuildGoesOn => {
            println!(
                "{}",
                context.pick(
                    "Le catalogue est en cours de réfection, l'enregistrement continue ; `vigie status` dira sa fin.",
                    "The catalog is still being made anew, recording goes on; `vigie status` will tell its end."
                )
            );
            Ok(ExitCode::SUCCESS)
        }
        _ => Err(unexpected()),
    }
}

fn tell(context: &Context<'_>, rebuilt: &Rebuilt) -> ExitCode {
    let Rebuilt { reels, entered, corrected, removed, waiting, dead, closed, left_out_count, .. } = rebuilt;
    println!(
        "{}",
        context.pick(
            format!(
                "Catalogue refait : {reels} bobine(s) lue(s), {entered} inscrite(s), {corrected} corrigée(s), {removed} ligne(s) sans bobine ôtée(s), {dead} détruite(s), {closed} fermée(s) pour l'heure."
            ),
            format!(
                "Catalog made anew: {reels} reel(s) read, {entered} entered, {corrected} corrected, {removed} row(s) without a reel removed, {dead} destroyed, {closed} closed for now."
            )
        )
    );
    if *waiting > 0 {
        println!(
            "✗ {}",
            context.pick(
                format!(
                    "{waiting} bobine(s) manquent, trop pour un disque qui serait le bon, ou leur disque n'est pas là : leurs lignes restent. Remettez ce disque (`vigie status` dit lequel) ; si la perte est réelle, `vigie catalog rebuild --accept-loss`."
                ),
                format!(
                    "{waiting} reel(s) are missing, too many for the right disk, or their disk is not there: their rows stay. Put that disk back (`vigie status` says which); if the loss is real, `vigie catalog rebuild --accept-loss`."
                )
            )
        );
    }
    for left in &rebuilt.left_out {
        let reel = left.reel.map_or("?".to_owned(), |reel| reel.to_string());
        let slot = left.slot;
        println!(
            "✗ {}",
            context.pick(
                format!("bobine {reel}, emplacement {slot} : laissée de côté et gardée ({})", left.why),
                format!("reel {reel}, slot {slot}: left out and kept ({})", left.why)
            )
        );
    }
    if *left_out_count == 0 && *waiting == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
