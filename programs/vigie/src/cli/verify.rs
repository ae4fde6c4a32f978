//! `vigie verify`: ledger, keyring, catalog and store, each by itself and all against each other.
//!
//! 1 the whole log against its signed checkpoint, every destruction against its deadline, by trusted time; the papers in the
//!   registry against their entries
//! 2 what keyring and ledger say of each living hour, from the keeper while Vigie serves, else read here
//! 3 store and catalog, read here, as slowly as asked
//! 4 what disagrees is looked at once more: Vigie records meanwhile
//!
//! Nothing is written and nothing is opened. Ends with 0 where everything agrees, 1 where the log or a destruction does not
//! hold or nothing can be said, 3 where the log holds and store, catalog or keyring contradict it, 4 where all that can be
//! held agrees and no time can be believed: then nobody can say that no key lives past its deadline.

use super::{Context, Outcome, unexpected};
use crate::site;
use catalog::{Footage, Registry};
use clap::Args;
use domain::{UtcMicros, limit::CLOSED_BEFORE_DEADLINE_SECONDS};
use keeper::{
    audit::BookKeeper,
    core::{KeyringLogKeys, SiteLog},
    journal::{each_entry, verify_folder},
    verify::Reading,
    wire::{Answer, Control, Verified},
};
use keyring::Keyring;
use ledger::{CheckpointKey, origin};
use seal::sign::{PublicKey, SigningKey};
use std::{
    cell::Cell,
    error::Error,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};
use vault::{
    KeeperError, LocalStore,
    audit::{Audit, Auditor, Books},
};

const CONTRADICTION: u8 = 3;
const UNSURE: u8 = 4;
/// The recorder enters a reel within seconds of its end.
const SECOND_LOOK: Duration = Duration::from_secs(4);

#[derive(Args)]
pub struct Arguments {
    /// En JSON, pour des programmes · JSON, for programs
    #[arg(long)]
    json: bool,
    /// Le registre et ses destructions seulement, sans lire le stockage · the log and its destructions only, without reading the store
    #[arg(long)]
    ledger_only: bool,
    /// Lire le stockage à ce débit au plus, en Mio par seconde · read the store no faster than this, in MiB a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    mebibytes_per_second: u32,
}

/// Where keyring and ledger are read.
enum Source {
    Serving,
    /// Nobody serves: this program holds the keeper's lock meanwhile.
    Here {
        keyring: Arc<dyn Keyring>,
        identity: SiteLog,
        /// The time that the clocks and the ledger come to.
        at: UtcMicros,
        _lock: std::fs::File,
    },
}

/// Everything that was found.
#[derive(serde::Serialize)]
struct Whole {
    holds: bool,
    ledger: Verified,
    /// `None`: not asked for.
    footage: Option<Audit>,
}

pub fn run(context: &Context<'_>, arguments: &Arguments) -> Outcome {
    let (ledger, source) = match context.ask(Control::Verify) {
        Ok(Answer::Verified(verified)) => (*verified, Source::Serving),
        Ok(_) => return Err(unexpected()),
        // only where nobody listens: a keeper that is slow is not a keeper that is away
        Err(KeeperError::Away { .. }) if !context.listens() => offline(context)?,
        Err(error) => return Err(error.into()),
    }; // 1
    let footage = if arguments.ledger_only { None } else { Some(audit(context, &source, arguments)?) };
    let agrees = footage.as_ref().is_none_or(|audit| audit.disagreements.is_empty());
    let whole = Whole { holds: ledger.holds && agrees && ledger.time_is_sure, ledger, footage };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&whole)?);
    } else {
        tell_ledger(context, &whole.ledger);
        whole.footage.iter().for_each(|audit| tell_footage(context, audit));
    }
    Ok(match (whole.ledger.holds, agrees, whole.ledger.time_is_sure) {
        (false, _, _) => ExitCode::FAILURE,
        (true, false, _) => ExitCode::from(CONTRADICTION),
        (true, true, false) => ExitCode::from(UNSURE),
        (true, true, true) => ExitCode::SUCCESS,
    })
}

fn offline(context: &Context<'_>) -> Result<(Verified, Source), Box<dyn Error>> {
    let config = &context.config;
    let lock = site::lock(config)?;
    let identity = site::identity(config)?;
    let keyring = site::open_keyring(config, identity, &site::passphrase(config)?)?;
    let public = SigningKey::from_seed(&keyring.site_key()).public();
    let key = CheckpointKey::new(&origin(identity.site, identity.log), &public)?;
    let place = site::journal_place(config);
    let keys = KeyringLogKeys(keyring.clone());
    let site_log = (identity.site, identity.log);
    let mut reading = Reading::default();
    each_entry(site::disk(), &place, site_log, &keys, &mut |entry| reading.take(entry))?;
    let time = reading.time(&*keyring, &*context.build.clock);
    let report = verify_folder(site::disk(), &place, site_log, &key, &keys, &[], time.at_most)?;
    let verified = reading.verified(&report, &*keyring, &Registry::open(&config.registry())?, time)?;
    Ok((verified, Source::Here { keyring, identity, at: time.at, _lock: lock }))
}

fn audit(context: &Context<'_>, source: &Source, arguments: &Arguments) -> Result<Audit, Box<dyn Error>> {
    let config = &context.config;
    let identity = site::identity(config)?;
    let store = LocalStore::open_all(site::disk(), &config.store_places(), identity.site)?;
    let footage = Footage::open_for_reading(&config.footage(), identity.site)?;
    let ready = Cell::new(Instant::now());
    let bytes_per_second = f64::from(arguments.mebibytes_per_second) * 1_048_576.0;
    let pace = |bytes: u64| {
        std::thread::sleep(ready.get().saturating_duration_since(Instant::now()));
        ready.set(Instant::now() + Duration::from_secs_f64(bytes as f64 / bytes_per_second));
    };
    let (books, site_key, now) = source.books(context)?; // 2
    // what closes within these minutes is dying: its parts vanish one after the other
    let now = now.plus_seconds(CLOSED_BEFORE_DEADLINE_SECONDS);
    let auditor = Auditor { store: &store, footage: &footage, site_key, now, pace: &pace };
    let audit = auditor.audit(&books)?; // 3
    if audit.disagreements.is_empty() {
        return Ok(audit);
    }
    if matches!(source, Source::Serving) {
        std::thread::sleep(SECOND_LOOK);
    }
    let (books, _, _) = source.books(context)?;
    Ok(auditor.confirm(&books, audit)?) // 4
}

impl Source {
    fn books(&self, context: &Context<'_>) -> Result<(Books, PublicKey, UtcMicros), Box<dyn Error>> {
        match self {
            Source::Serving => asked_books(context),
            Source::Here { keyring, identity, at, .. } => {
                let place = site::journal_place(&context.config);
                let keys = KeyringLogKeys(keyring.clone());
                let mut keeper = BookKeeper::default();
                let site_log = (identity.site, identity.log);
                each_entry(site::disk(), &place, site_log, &keys, &mut |entry| keeper.take(entry))?;
                let site_key = SigningKey::from_seed(&keyring.site_key()).public();
                Ok((keeper.finish(&**keyring, *at), site_key, *at))
            }
        }
    }
}

fn asked_books(context: &Context<'_>) -> Result<(Books, PublicKey, UtcMicros), Box<dyn Error>> {
    let (mut books, mut after) = (Books::new(), None);
    loop {
        let answer = context.ask(Control::AuditHours { after })?;
        let Answer::AuditHours { hours, more, site_key, now } = answer else { return Err(unexpected()) };
        after = hours.last().map(|book| book.hour);
        books.extend(hours.into_iter().map(|book| (book.hour, book)));
        if !more || after.is_none() {
            return Ok((books, site_key, now));
        }
    }
}

fn tell_ledger(context: &Context<'_>, verified: &Verified) {
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
    for fault in &verified.faults {
        println!("✗ {fault}");
    }
    let list = |keys: &[String], sign: &str, what: &str| keys.iter().for_each(|key| println!("{sign} {what} : {key}"));
    let overdue = context.pick("échue et non détruite", "past its deadline and not destroyed");
    list(&verified.overdue, "✗", overdue);
    let perhaps = context.pick("peut-être échue, et non détruite", "perhaps past its deadline, and not destroyed");
    list(&verified.perhaps_overdue, "?", perhaps);
    let verdict = if verified.holds && !verified.time_is_sure {
        let at = verified.judged_at;
        context.pick(
            format!(
                "? Le registre est entier, mais aucune heure ne fait foi (il est au moins {at}) : nul ne peut dire qu'aucune clé ne vit au-delà de son échéance. `vigie clock` montre chaque horloge et le remède."
            ),
            format!(
                "? The log is whole, but no time can be believed (it is at least {at}): nobody can say that no key lives past its deadline. `vigie clock` shows each clock and the remedy."
            ),
        )
    } else if verified.holds {
        context.pick(
            "✓ Le registre est entier ; aucune clé ne vit au-delà de son échéance.".to_owned(),
            "✓ The log is whole; no key lives past its deadline.".to_owned(),
        )
    } else {
        let fr = "✗ Le registre ou une destruction ne tient pas.".to_owned();
        context.pick(fr, "✗ The log, or a destruction, does not hold.".to_owned())
    };
    println!("{verdict}");
}

fn tell_footage(context: &Context<'_>, audit: &Audit) {
    let Audit { reels, bytes, rows, hours, open, disagreements } = audit;
    let mebibytes = bytes >> 20;
    println!(
        "{}",
        context.pick(
            format!(
                "Stockage : {reels} bobine(s) relue(s) en entier, {mebibytes} Mio, {open} en cours · catalogue : {rows} ligne(s) · trousseau et registre : {hours} heure(s)"
            ),
            format!(
                "Store: {reels} reel(s) read whole, {mebibytes} MiB, {open} being written · catalog: {rows} row(s) · keyring and ledger: {hours} hour(s)"
            )
        )
    );
    for disagreement in disagreements {
        println!("✗ {}", context.pick(disagreement.text_fr(), disagreement.text_en()));
    }
    let verdict = if disagreements.is_empty() {
        context.pick(
            "✓ Stockage, catalogue, trousseau et registre disent la même chose.",
            "✓ Store, catalog, keyring and ledger say the same.",
        )
    } else {
        context.pick(
            "✗ Stockage, catalogue, trousseau et registre se contredisent.",
            "✗ Store, catalog, keyring and ledger contradict each other.",
        )
    };
    println!("{verdict}");
}
