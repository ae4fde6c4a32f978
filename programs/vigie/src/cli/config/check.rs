//! What of a configuration this machine can be asked about: folders, devices, space, rights, port, delays.

mod roots;

use crate::{Build, Config, formats, network_disk, site};
use catalog::Registry;
use domain::{Hour, HourLength, UtcMicros, limit::HOUR_TURN_SECONDS_MAX};
use keeper::{
    KeeperClient,
    wire::{Answer, Control, FindingState},
};
use keyring::{KeyringError, TokenFault};
use policy::retention::{closes_at, deadline};
use rustix::fs::Access;
use std::{
    io::ErrorKind,
    net::{SocketAddr, TcpListener},
    os::unix::{fs::MetadataExt, net::UnixStream},
    path::Path,
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Ok,
    Warning,
    Refused,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    pub setting: &'static str,
    pub state: State,
    pub text_fr: String,
    pub text_en: String,
}

/// Everything that can be checked without starting.
pub fn check(build: &Build, config: &Config) -> Vec<Check> {
    let mut checks = vec![folder("data.folder", &config.data.folder)];
    checks.extend(versions(build, config));
    checks.extend(config.keyring.copies.iter().map(|copy| folder("keyring.copies", copy)));
    checks.push(copies(config));
    let shares = network_disk::shares(config).into_iter();
    checks.extend(shares.map(|share| said(share.setting, State::Warning, share.text_fr(), share.text_en())));
    checks.push(passphrase(config));
    checks.extend(token(config));
    checks.extend(roots::check(config));
    checks.push(delays(build, config));
    checks.extend(certificate(build, config));
    checks.push(port(config, "web.listen", config.web.listen));
    checks.extend(config.public.listen.map(|address| port(config, "public.listen", address)));
    checks.extend(witnesses(config));
    checks.extend(timestamp(config));
    checks
}

fn said(setting: &'static str, state: State, fr: impl Into<String>, en: impl Into<String>) -> Check {
    Check { setting, state, text_fr: fr.into(), text_en: en.into() }
}

/// It is there and ours to write, or `init` can make it.
fn folder(setting: &'static str, path: &Path) -> Check {
    let shown = path.display();
    let there = path.ancestors().find(|folder| folder.exists());
    let Some(there) = there else {
        let fr = format!("`{shown}` n'existe pas et ne peut pas être créé : donnez un chemin absolu.");
        return said(
            setting,
            State::Refused,
            fr,
            format!("`{shown}` does not exist and cannot be made: give an absolute path."),
        );
    };
    if !there.is_dir() {
        let file = there.display();
        let fr = format!("`{file}` est un fichier, pas un dossier : corrigez le chemin.");
        return said(setting, State::Refused, fr, format!("`{file}` is a file, not a folder: correct the path."));
    }
    if let Err(error) = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK) {
        let (user, folder) = (rustix::process::getuid().as_raw(), there.display());
        let fr =
            format!("`{folder}` ne peut pas être écrit par l'utilisateur {user} ({error}) : donnez-le-lui (`chown`).");
        let en = format!("`{folder}` cannot be written by user {user} ({error}): give it to that user (`chown`).");
        return said(setting, State::Refused, fr, en);
    }
    if there == path {
        said(setting, State::Ok, format!("`{shown}` est là."), format!("`{shown}` is there."))
    } else {
        let fr = format!("`{shown}` n'existe pas encore ; `vigie init` le crée. Son disque est-il monté ?");
        said(
            setting,
            State::Warning,
            fr,
            format!("`{shown}` does not exist yet; `vigie init` makes it. Is its disk mounted?"),
        )
    }
}

/// Whether this program may take over what lies there (`docs/formats/policy.md`): asked before an upgrade and before going back.
fn versions(build: &Build, config: &Config) -> Option<Check> {
    if !config.site_file().exists() {
        return None;
    }
    let setting = "data.folder";
    Some(match formats::check(build, config) {
        Ok(()) => said(
            setting,
            State::Ok,
            format!("Ce programme ({}) lit tout ce qui est installé ici.", build.version),
            format!("This program ({}) reads all that is installed here.", build.version),
        ),
        Err(error) => said(setting, State::Refused, crate::french::message(&error), error.to_string()),
    })
}

/// Two folders (K3), better on two devices.
fn copies(config: &Config) -> Check {
    let setting = "keyring.copies";
    if let Err(error) = site::distinct_copies(config) {
        let fr = "Les deux copies sont un seul dossier, ou l'une est dans l'autre : donnez-en deux, sur deux supports.";
        return said(setting, State::Refused, fr, error.to_string());
    }
    let device = |path: &Path| {
        let there = path.ancestors().find(|folder| folder.exists())?;
        std::fs::metadata(there).ok().map(|metadata| metadata.dev())
    };
    let [first, second] = &config.keyring.copies;
    if device(first) == device(second) {
        let fr = "Les deux copies sont sur un seul support : une seule panne les emporte. Placez la seconde ailleurs.";
        let en = "Both copies are on one device: one failure takes both. Put the second elsewhere.";
        return said(setting, State::Warning, fr, en);
    }
    said(setting, State::Ok, "Les deux copies sont sur deux supports.", "The two copies are on two devices.")
}

fn passphrase(config: &Config) -> Check {
    let (setting, path) = ("keyring.passphrase_file", &config.keyring.passphrase_file);
    if !path.exists() && !config.site_file().exists() && std::env::var_os("CREDENTIALS_DIRECTORY").is_none() {
        let fr = "La phrase secrète n'existe pas encore ; `vigie init` la crée.";
        return said(setting, State::Ok, fr, "The passphrase does not exist yet; `vigie init` makes it.");
    }
    match site::passphrase(config) {
        Ok(passphrase) => {
            let from = passphrase.from;
            said(setting, State::Ok, format!("Elle vient de : {from}."), format!("It comes from: {from}."))
        }
        Err(error) => said(setting, State::Refused, crate::french::message(&error), error.to_string()),
    }
}

/// The token is there and takes the PIN; nothing is made in it.
fn token(config: &Config) -> Option<Check> {
    let error = match crate::token::check(config) {
        Ok(known) => {
            let (fr, en) =
                ("Le jeton PKCS#11 répond et accepte le PIN.", "The PKCS#11 token answers and takes the PIN.");
            return known.map(|()| said("pkcs11.token", State::Ok, fr, en));
        }
        Err(error) => error,
    };
    let setting = match &error {
        site::SiteError::Keyring(KeyringError::Token(TokenFault::ModuleMissing { .. })) => "pkcs11.module",
        site::SiteError::Keyring(KeyringError::Token(TokenFault::WrongPin { .. } | TokenFault::LastTry { .. })) => {
            "pkcs11.pin_file"
        }
        site::SiteError::Keyring(_) => "pkcs11.token",
        _ => "pkcs11.pin_file",
    };
    Some(said(setting, State::Refused, crate::french::message(&error), error.to_string()))
}

/// An order whose minimum and maximum delay cannot both be kept (K7).
fn delays(build: &Build, config: &Config) -> Check {
    let setting = "retention.minimum_hours";
    let minimum = config.retention.minimum_hours;
    if minimum == 0 {
        return said(setting, State::Ok, "L'arrêté ne fixe pas de délai minimal.", "The order sets no minimum delay.");
    }
    let Some(cameras) = delays_of_cameras(config) else {
        let fr =
            "Les délais des caméras ne peuvent pas être lus : lancez la vérification sous l'utilisateur du service.";
        return said(
            setting,
            State::Warning,
            fr,
            "The cameras' delays cannot be read: run the check as the service's user.",
        );
    };
    let now = build.clock.utc();
    let too_short = cameras.iter().find(|(_, days)| most_hours(now, *days) < i64::from(minimum));
    match too_short {
        Some((name, days)) => {
            let most = most_hours(now, *days);
            let fr = format!(
                "La caméra « {name} » doit être détruite au bout de {days} jour(s), ce qui ne laisse que {most} h à coup sûr, et conservée {minimum} h : les deux ne se peuvent. Faites corriger l'arrêté ou les réglages."
            );
            let en = format!(
                "Camera `{name}` must be destroyed after {days} day(s), which leaves {most} h for sure, and be kept {minimum} h: both cannot be. Have the order or the settings corrected."
            );
            said(setting, State::Refused, fr, en)
        }
        None => {
            let fr = format!("Les délais de toutes les caméras laissent {minimum} h.");
            said(setting, State::Ok, fr, format!("The delays of all cameras leave {minimum} h."))
        }
    }
}

/// So many whole hours every picture of the coming year is kept for sure: from its hour's end and ten seconds to the closing
/// before its deadline, at the hour of the year for which that is least (clock changes, ends of months).
fn most_hours(now: UtcMicros, days: u32) -> i64 {
    let first = HourLength::PRODUCT.hour_of(now);
    let kept = |hour: Hour| closes_at(deadline(hour, days)).since(hour.end().plus_seconds(HOUR_TURN_SECONDS_MAX));
    let least = (0..366 * 24).map(|n| kept(first.plus(n))).min().unwrap_or_default();
    least.div_euclid(3_600 * 1_000_000)
}

/// Names and authorised days; from the keeper while it serves.
fn delays_of_cameras(config: &Config) -> Option<Vec<(String, u32)>> {
    if UnixStream::connect(config.control_socket()).is_ok() {
        let client = KeeperClient::control(&config.control_socket()).patient(PATIENCE);
        let Ok(Answer::CameraViews(views)) = client.control_ask(Control::CameraList) else { return None };
        return Some(views.cameras.into_iter().map(|camera| (camera.name, camera.delay_days)).collect());
    }
    if !config.registry().exists() {
        return Some(Vec::new());
    }
    // never upgraded by a check: another program may be the one that serves
    let versions = Registry::open_for_reading(&config.registry()).ok()?.cameras(UtcMicros(i64::MAX / 2)).ok()?;
    Some(versions.into_iter().map(|version| (version.camera.name, version.camera.delay_days)).collect())
}

/// Valid now, of that key, and for how long.
fn certificate(build: &Build, config: &Config) -> Option<Check> {
    let (files, now) = (config.tls_files()?, build.clock.utc());
    let setting = "tls.certificate";
    Some(match web::Tls::load(files, now) {
        Err(error) => said(setting, State::Refused, crate::french::tls(&error), error.to_string()),
        Ok(tls) => {
            let finding = web::certificate_finding(tls.expires(), now);
            let state = if finding.state == FindingState::Ok { State::Ok } else { State::Warning };
            said(setting, state, finding.detail_fr, finding.detail_en)
        }
    })
}

fn port(config: &Config, setting: &'static str, address: SocketAddr) -> Check {
    if UnixStream::connect(config.control_socket()).is_ok() {
        return said(setting, State::Ok, "Vigie est démarré et répond.", "Vigie is serving and answers.");
    }
    match TcpListener::bind(address) {
        Ok(_) => said(setting, State::Ok, format!("{address} est libre."), format!("{address} is free.")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let fr = format!("{address} est pris par un autre programme : arrêtez-le ou choisissez un autre port.");
            said(
                setting,
                State::Refused,
                fr,
                format!("{address} is taken by another program: stop it or choose another port."),
            )
        }
        Err(error) => {
            let fr = format!("Impossible d'écouter sur {address} ({error}) : choisissez un autre port.");
            said(setting, State::Refused, fr, format!("Cannot listen on {address} ({error}): choose another port."))
        }
    }
}

/// The witnesses' file reads, and each of them has an address.
fn witnesses(config: &Config) -> Option<Check> {
    let (setting, path) = ("public.witnesses", config.public.witnesses.as_deref()?);
    let policy = match crate::roles::public::policy(Some(path)) {
        Ok(policy) => policy,
        Err(error) => {
            return Some(said(setting, State::Refused, crate::french::message(&error), error.to_string()));
        }
    };
    if let Some(witness) = policy.witnesses.iter().find(|witness| witness.url.is_none()) {
        let name = &witness.name;
        let fr = format!("Le témoin `{name}` n'a pas d'adresse : ajoutez-la en fin de ligne.");
        let en = format!("The witness `{name}` has no address: add it at the end of its line.");
        return Some(said(setting, State::Refused, fr, en));
    }
    let count = policy.witnesses.len();
    Some(said(
        setting,
        State::Ok,
        format!("{count} témoin(s) seront interrogés."),
        format!("{count} witness(es) are asked."),
    ))
}

/// The files that its answers are judged by can be read. The authority itself is not asked: each question is one that it keeps.
fn timestamp(config: &Config) -> Option<Check> {
    let error = match config.timestamp()?.check() {
        Ok(()) => {
            let fr = "Les racines de l'autorité d'horodatage se lisent ; elle-même n'a pas été interrogée.";
            let en = "The roots of the timestamp authority can be read; it was not asked itself.";
            return Some(said("timestamp.roots", State::Ok, fr, en));
        }
        Err(error) => error,
    };
    let setting = match &error {
        web::StampError::Unset { setting, .. } => setting,
        _ => "timestamp.roots",
    };
    Some(said(setting, State::Refused, crate::french::stamp(&error), error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{State, most_hours, timestamp};
    use crate::Config;
    use domain::UtcMicros;
    use std::path::Path;

    #[test]
    fn roots_of_a_timestamp_authority_that_cannot_be_read_are_refused_by_their_setting_in_both_languages() {
        let of = |more: &str| {
            let text = format!(
                "[site]\nname = \"Ville\"\n[data]\nfolder = \"/data\"\n[keyring]\ncopies = [\"/one\", \"/two\"]\n\
                 passphrase_file = \"/secret\"\n[store]\nfolder = \"/store\"\n{more}"
            );
            timestamp(&Config::parse(&text, Path::new("vigie.toml")).unwrap())
        };
        assert_eq!(of(""), None);
        let check = of("[timestamp]\nauthority = \"http://horodatage.example\"\nroots = \"/no/such/file\"").unwrap();
        assert_eq!((check.setting, check.state), ("timestamp.roots", State::Refused));
        assert!(check.text_fr.contains("ne peut pas être lu") && check.text_en.contains("cannot be read"), "{check:?}");
    }

    #[test]
    fn an_hour_that_must_go_soon_leaves_less_than_its_delay() {
        let now = UtcMicros::from_seconds(1_773_324_000);
        // a day from the first instant of an hour, less the hour itself, ten seconds and the ten minutes of the closing,
        // and less one hour at the change of clocks
        assert_eq!(most_hours(now, 1), 21);
        assert_eq!(most_hours(now, 2), 45);
    }
}
