//! `vigie verify`: the whole log against its signed checkpoint, every destruction against its deadline.
//!
//! While Vigie serves, the keeper verifies; otherwise this program reads the journal itself and writes nothing to it.

use super::{Context, Outcome, unexpected};
use crate::site;
use keeper::{
    core::KeyringLogKeys,
    journal::{JournalPlace, verify_folder},
    wire::{Answer, Control, Verified},
};
use ledger::{CheckpointKey, origin};
use seal::sign::SigningKey;
use std::process::ExitCode;
use vault::KeeperError;

pub fn run(context: &Context<'_>) -> Outcome {
    let verified = match context.ask(Control::Verify) {
        Ok(Answer::Verified(verified)) => *verified,
        Ok(_) => return Err(unexpected()),
        // only where nobody listens: a keeper that is slow is not a keeper that is away
        Err(KeeperError::Away { .. }) if !listens(context) => offline(context)?,
        Err(error) => return Err(error.into()),
    };
    tell(context, &verified);
    Ok(if verified.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn listens(context: &Context<'_>) -> bool {
    std::os::unix::net::UnixStream::connect(context.config.control_socket()).is_ok()
}

fn offline(context: &Context<'_>) -> Result<Verified, Box<dyn std::error::Error>> {
    let config = &context.config;
    let _lock = site::lock(config)?;
    let identity = site::identity(config)?;
    let keyring = site::open_keyring(config, identity, &site::passphrase(config)?)?;
    let public = SigningKey::from_seed(&keyring.site_key()).public();
    let key = CheckpointKey::new(&origin(identity.site, identity.log), &public)?;
    let place = JournalPlace::in_folder(&config.ledger());
    let keys = KeyringLogKeys(keyring.clone());
    let now = context.build.clock.utc();
    let report = verify_folder(site::disk(), &place, (identity.site, identity.log), &key, &keys, &[], now)?;
    Ok(Verified::of(&report, &*keyring))
}

fn tell(context: &Context<'_>, verified: &Verified) {
    println!(
        "{} : {} ({} {}, {} {})",
        context.pick("Registre", "Ledger"),
        verified.entries,
        verified.checkpoints,
        context.pick("point(s) de contrôle signé(s)", "signed checkpoint(s)"),
        verified.unsigned,
        context.pick("entrée(s) depuis le dernier", "entries since the last"),
    );
    println!("  {} {}", context.pick("racine", "root"), verified.root_hex);
    println!(
        "{} : {} · {} : {} · {} : {}",
        context.pick("Clés créées", "Keys made"),
        verified.mints,
        context.pick("détruites", "destroyed"),
        verified.destroyed,
        context.pick("vivantes", "alive"),
        verified.live
    );
    for fault in verified.faults.iter().chain(&verified.overdue) {
        println!("✗ {fault}");
    }
    let verdict = if verified.holds {
        context.pick(
            "✓ Le registre est entier ; aucune clé ne vit au-delà de son échéance.",
            "✓ The log is whole; no key lives past its deadline.",
        )
    } else {
        context.pick("✗ Le registre ou une destruction ne tient pas.", "✗ The log, or a destruction, does not hold.")
    };
    println!("{verdict}");
}
