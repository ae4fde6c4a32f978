//! `vigie store`: the roots of the store, and a further one made on a new disk.

use super::{Context, Outcome};
use crate::{
    Config, SystemRandom,
    site::{self, SiteError},
};
use catalog::{CatalogError, Footage};
use clap::Subcommand;
use domain::{Random, RootId, SiteId};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::ExitCode,
};
use vault::{
    LocalStore, Location,
    store::{Marker, Root},
};

#[derive(Subcommand)]
pub enum Command {
    /// Les disques du stockage, et ce que le catalogue y connaît · the store's disks, and what the catalog knows on them
    List,
    /// Préparer un dossier vide de `store.more`, sur un nouveau disque · prepare an empty folder of `store.more`, on a new disk
    Add {
        /// Tel qu'il est configuré · as it is configured
        folder: PathBuf,
    },
}

pub fn run(context: &Context<'_>, command: &Command) -> Outcome {
    match command {
        Command::List => list(context),
        Command::Add { folder } => add(context, folder),
    }
}

/// Makes a root. Nothing is overwritten.
pub fn make_root(
    config: &Config,
    site: SiteId,
    (folder, gibibytes): (&Path, u32),
    number: u8,
    random: &dyn Random,
) -> Result<(), SiteError> {
    site::disk().create_dir(folder)?;
    let slot_bytes = u64::from(config.store.slot_mebibytes) << 20;
    let slots_max = config.slots(gibibytes);
    let marker = Marker { format: 1, site, root: RootId::draw(random), slot_bytes, slots_max, number };
    drop(Root::create(site::disk(), folder, marker)?);
    Ok(())
}

/// 1 it is configured and empty · 2 a number that no root had, as far as disks and catalog tell · 3 its marker.
fn add(context: &Context<'_>, folder: &Path) -> Outcome {
    let config = &context.config;
    let identity = site::identity(config)?;
    let Some(room) = config.rooms().find(|(path, _)| *path == folder) else {
        return Err(SiteError::NotConfigured { path: folder.to_owned() }.into());
    };
    if std::fs::read_dir(folder)
        .is_ok_and(|mut inside| inside.any(|entry| entry.is_ok_and(|entry| entry.file_name() != "lost+found")))
    {
        return Err(SiteError::NotEmpty { path: folder.to_owned() }.into());
    } // 1
    let number = free_number(config, identity.site)?; // 2
    make_root(config, identity.site, room, number, &SystemRandom::new())?; // 3
    let shown = folder.display();
    println!(
        "{}",
        context.pick(
            format!(
                "`{shown}` est le disque n° {number} du stockage. Redémarrez Vigie : l'enregistrement s'y répartira."
            ),
            format!("`{shown}` is disk no. {number} of the store. Restart Vigie: recording will be spread over it.")
        )
    );
    Ok(ExitCode::SUCCESS)
}

/// Rows of the catalog name roots by their numbers, also of disks that are away: none is given twice.
fn free_number(config: &Config, site: SiteId) -> Result<u8, SiteError> {
    let mut used: BTreeSet<u8> = known(config, site)?.into_iter().map(|(number, _)| number).collect();
    let there = config.store_folders().into_iter().filter_map(|path| Root::open(site::disk(), &path, site).ok());
    used.extend(there.map(|root| root.marker.number));
    let after = used.last().map_or(Some(0), |last| last.checked_add(1));
    after.or_else(|| (0..=u8::MAX).find(|number| !used.contains(number))).ok_or(SiteError::NoNumber)
}

/// Roots that the catalog knows, and how many reels on each; none where there is no catalog yet.
fn known(config: &Config, site: SiteId) -> Result<Vec<(u8, u64)>, SiteError> {
    let rows = match Footage::open_for_reading(&config.footage(), site).and_then(|footage| footage.live_reels()) {
        Err(CatalogError::Missing { .. } | CatalogError::Older { .. }) => Vec::new(),
        rows => rows?,
    };
    let roots = rows.iter().filter_map(|row| Location::from_bytes(&row.location)?.root());
    let mut counts = std::collections::BTreeMap::<u8, u64>::new();
    roots.for_each(|number| *counts.entry(number).or_default() += 1);
    Ok(counts.into_iter().collect())
}

fn list(context: &Context<'_>) -> Outcome {
    let config = &context.config;
    let site = site::identity(config)?.site;
    let known = known(config, site)?;
    let store = LocalStore::open_all(site::disk(), &config.store_places(), site)?;
    let reels = |number: u8| known.iter().find(|(other, _)| *other == number).map_or(0, |(_, reels)| *reels);
    for root in store.roots() {
        let (number, path) = (root.marker.number, root.path.display());
        let (reels, gibibytes) = (reels(number), root.free_bytes()? >> 30);
        println!(
            "✓ {}",
            context.pick(
                format!("n° {number} `{path}` : {reels} bobine(s), place pour {gibibytes} Gio de plus"),
                format!("no. {number} `{path}`: {reels} reel(s), room for {gibibytes} GiB more")
            )
        );
    }
    for absent in store.absent() {
        let (path, why) = (absent.path.display(), &absent.why);
        println!("✗ `{path}` : {why}");
    }
    let is_there = |number: u8| store.root(number).is_ok();
    let lost: Vec<_> = known.iter().filter(|(number, _)| !is_there(*number)).collect();
    for (number, reels) in &lost {
        println!(
            "✗ {}",
            context.pick(
                format!("n° {number} : {reels} bobine(s) que le catalogue y connaît, et son disque n'est pas là"),
                format!("no. {number}: {reels} reel(s) that the catalog knows there, and its disk is not there")
            )
        );
    }
    Ok(if store.absent().is_empty() && lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
