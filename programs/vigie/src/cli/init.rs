//! `vigie init`: 1 passphrase · 2 keyring · 3 registry · 4 store · 5 ledger · 6 identity · 7 first administrator.
//!
//! Nothing that exists is overwritten. The identity is written when everything it names exists, so an init that was cut
//! short is not a site; its message names what to clear away.

use super::{Context, Outcome, store};
use crate::{
    SystemRandom,
    site::{self, SiteError},
};
use catalog::{Registry, Site};
use clap::Args;
use domain::{HourLength, Random, Sensitive, SiteId};
use keeper::{core::SiteLog, journal::Journal, wire::Answer};
use keyring::{FileKeyring, KdfCost, Keyring};
use ledger::{Actor, Entry, Event, LogId};
use policy::Role;
use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path, process::ExitCode, sync::Arc};

#[derive(Args)]
pub struct Arguments {
    /// Nom du premier compte administrateur · name of the first administrator's account
    #[arg(long, default_value = "admin")]
    administrator: String,
}

pub fn run(context: &Context<'_>, arguments: &Arguments) -> Outcome {
    let config = &context.config;
    if config.site_file().exists() {
        return Err(SiteError::Exists { path: config.data.folder.clone() }.into());
    }
    let name = &arguments.administrator;
    if name.is_empty() || name.chars().count() > 64 || name.trim() != name {
        return Err(SiteError::AccountName { name: name.clone() }.into());
    }
    for folder in config.keyring.copies.iter().chain(&config.store_folders()) {
        private_folder(folder)?; // what cannot be made is told before anything else is
    }
    site::distinct_copies(config)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom::new());
    private_folder(&config.data.folder)?;
    let made = make_passphrase(&config.keyring.passphrase_file, &*random)?; // 1
    let passphrase = site::passphrase(config)?;
    let identity = SiteLog { site: SiteId::draw(&*random), log: LogId::draw(&*random) };
    let copies = config.keyring.copies.clone();
    let token = crate::token::token(config, identity.site)?;
    let secret = (passphrase.text.as_str(), KdfCost::REAL);
    let created = FileKeyring::create_with(site::disk(), copies, identity.site, secret, random.clone(), token);
    let created = created.map_err(SiteError::from)?;
    let keyring: Arc<dyn Keyring> = Arc::new(created); // 2
    let now = context.build.clock.utc();
    let site = Site { id: identity.site, name: config.site.name.clone(), created: now };
    drop(Registry::create(&config.registry(), &site)?); // 3
    let mut numbers = 0..;
    for ((folder, gibibytes), number) in config.rooms().zip(&mut numbers) {
        store::make_root(config, identity.site, (folder, gibibytes), number, &*random)?;
    } // 4
    let actor = Actor::Cli { uid: rustix::process::getuid().as_raw() };
    let opened = Event::Opened { site: identity.site, log: identity.log };
    let opening = Entry::new(now, actor.clone(), opened);
    drop(Journal::create(site::journal_parts(config, identity, &keyring), &opening)?); // 5
    drop(keyring);
    write_identity(&config.site_file(), identity)?; // 6
    let keeper = site::open_keeper(context.build, config, Vec::new())?;
    let name = Sensitive::new(arguments.administrator.clone());
    let answer = keeper.account_add(actor, &name, Role::Administrator)?; // 7
    keeper.checkpoint()?;
    tell(context, arguments, made, answer)
}

/// Makes a random passphrase where the file does not exist; true if it was made.
fn make_passphrase(path: &Path, random: &dyn Random) -> Result<bool, SiteError> {
    if path.exists() {
        return Ok(false);
    }
    let failed = || SiteError::io(format!("cannot write the passphrase to `{}`", path.display()));
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed())?;
    }
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(path).map_err(failed())?;
    file.write_all(site::new_passphrase(random).as_bytes()).and_then(|()| file.sync_all()).map_err(failed())?;
    Ok(true)
}

fn write_identity(path: &Path, identity: SiteLog) -> Result<(), SiteError> {
    let text = serde_json::to_vec_pretty(&identity).expect("two identities serialise");
    Ok(disk::write_all(&*site::disk(), path, &text)?)
}

fn private_folder(path: &Path) -> Result<(), SiteError> {
    Ok(site::disk().create_dir(path)?)
}

fn tell(context: &Context<'_>, arguments: &Arguments, made: bool, answer: Answer) -> Outcome {
    let Answer::SetupToken { token, .. } = answer else { return Err(super::unexpected()) };
    let config = &context.config;
    println!("{} « {} ».", context.pick("Site créé :", "Site made:"), config.site.name);
    if made {
        let path = config.keyring.passphrase_file.display();
        println!("{}", context.pick(
            format!("Phrase secrète du trousseau écrite dans {path} (mode 0400). Recopiez-la sur papier, en lieu sûr : sans elle, rien ne s'ouvre."),
            format!("Passphrase of the keyring written to {path} (mode 0400). Copy it to paper, in a safe place: without it nothing opens."),
        ));
    }
    if config.pkcs11.is_on() {
        let token = &config.pkcs11.token;
        println!("{}", context.pick(
            format!("La racine des clés est dans le jeton PKCS#11 « {token} » : perdu ou vidé, plus rien de ce qui est enregistré ne s'ouvre. Un second jeton en miroir est l'affaire du fabricant ; ne le sauvegardez pas."),
            format!("The root of the keys is in the PKCS#11 token `{token}`: lost or emptied, nothing that is recorded opens any more. A second, mirrored token is the maker's matter; do not back it up."),
        ));
    }
    let (administrator, link) = (&arguments.administrator, super::account::setup_link(config, &token));
    println!("{}", context.pick(
        format!("Compte administrateur « {administrator} » : ouvrez ce lien dans les 15 minutes, une seule fois (après `vigie serve`) :"),
        format!("Administrator's account `{administrator}`: open this link within 15 minutes, once (after `vigie serve`):"),
    ));
    println!("{link}");
    if context.build.hour_length != HourLength::PRODUCT {
        println!("{}", context.pick("Programme de simulation : heures courtes.", "Simulation program: short hours."));
    }
    Ok(ExitCode::SUCCESS)
}
