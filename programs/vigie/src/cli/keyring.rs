//! `vigie keyring`: a copy that does not come back is written off by two persons; a new disk takes its place (K2).

use super::{Context, Outcome, clock::denied, law::proof, unexpected};
use clap::Subcommand;
use keeper::wire::{Answer, CopyDone, Upkeep};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Une copie ne reviendra pas, à deux personnes ; mot de passe puis code se lisent sur l'entrée standard · a copy will not come
    /// back, two persons; password, then code, are read from standard input
    WriteOff {
        /// 1 ou 2, dans l'ordre de `keyring.copies` · 1 or 2, in the order of `keyring.copies`
        copy: u8,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
    /// Un dossier neuf est à la place d'une copie abandonnée · a new folder is where a copy that was written off was
    Replace {
        /// 1 ou 2, dans l'ordre de `keyring.copies` · 1 or 2, in the order of `keyring.copies`
        copy: u8,
    },
}

pub fn run(context: &Context<'_>, command: Command) -> Outcome {
    let asked = match command {
        Command::WriteOff { copy, account } => Upkeep::CopyWriteOff { person: proof(account)?, copy },
        Command::Replace { copy } => Upkeep::CopyReplace { copy },
    };
    let done = match context.upkeep(asked)? {
        Answer::CopyDone(done) => done,
        Answer::Denied { wait_seconds } => {
            eprintln!("{}", context.language.pick(denied(wait_seconds).0, denied(wait_seconds).1));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let (fr, en) = match done {
        CopyDone::First => (
            "Inscrit au registre. Une autre personne le confirme dans les 15 minutes.",
            "Entered in the ledger. Another person confirms it within 15 minutes.",
        ),
        CopyDone::WrittenOff => (
            "La copie est abandonnée : les destructions se confirment par celle qui reste. Détruisez l'ancien disque : avec la phrase secrète, il ferait revivre ce qui y était ce jour-là.",
            "The copy is written off: destructions are confirmed by the one that is left. Destroy the old disk: with the passphrase it would revive what was on it that day.",
        ),
        CopyDone::Replaced => (
            "Le dossier neuf est une copie du trousseau désormais.",
            "The new folder is a copy of the keyring from now on.",
        ),
        CopyDone::IsPresent => (
            "Refusé : cette copie répond ; rien n'est à abandonner.",
            "Refused: this copy answers; there is nothing to write off.",
        ),
        CopyDone::NotWrittenOff => (
            "Refusé : cette copie n'est pas abandonnée ; `vigie keyring write-off` d'abord.",
            "Refused: this copy is not written off; `vigie keyring write-off` first.",
        ),
        CopyDone::SamePerson => (
            "Cette personne l'a déjà dit : il en faut une autre.",
            "This person said so already: another one is needed.",
        ),
        CopyDone::NotThisPerson => (
            "Refusé : l'une des deux personnes doit avoir une autre qualité qu'administrateur, et un compte ouvert.",
            "Refused: one of the two persons must be no administrator, and both accounts open.",
        ),
    };
    println!("{}", context.pick(fr, en));
    Ok(if matches!(done, CopyDone::First | CopyDone::WrittenOff | CopyDone::Replaced) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
