//! A whole site with the root of its keys in a PKCS#11 token, that of SoftHSM2: it records, starts again, destroys; and every
//! file of before, with the token of today, opens nothing.

mod support;

use domain::UtcMicros;
use simulator::{
    clock::set_offset,
    installation::{Browser, Installation},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use support::{
    CLOSED_SECONDS, DAY_SECONDS, HOUR_SECONDS, Site, copy_folder, look_back, movie::fetch, now, replay_path, sleep,
    town, until,
};

const PIN: &str = "24681357";
const LABEL: &str = "jeton de la ville";
const MODULES: [&str; 3] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
];

/// SoftHSM2 in a folder of its own.
struct SoftHsm {
    module: &'static str,
    folder: PathBuf,
}

impl SoftHsm {
    /// `None` where the library is not installed.
    fn new(folder: &Path) -> Option<SoftHsm> {
        let Some(module) = MODULES.into_iter().find(|module| Path::new(module).exists()) else {
            eprintln!("skipped: SoftHSM2 is not installed; scripts/setup.sh installs it (Debian package softhsm2)");
            return None;
        };
        let softhsm = SoftHsm { module, folder: folder.join("softhsm") };
        fs::create_dir_all(softhsm.tokens()).unwrap();
        let conf = format!("directories.tokendir = {}\nlog.level = ERROR\n", softhsm.tokens().display());
        fs::write(softhsm.conf(), conf).unwrap();
        fs::write(softhsm.pin_file(), format!("{PIN}\n")).unwrap();
        fs::set_permissions(softhsm.pin_file(), fs::Permissions::from_mode(0o400)).unwrap();
        Some(softhsm)
    }

    fn conf(&self) -> PathBuf {
        self.folder.join("softhsm2.conf")
    }
    fn tokens(&self) -> PathBuf {
        self.folder.join("tokens")
    }
    fn pin_file(&self) -> PathBuf {
        self.folder.join("pin")
    }

    fn init_token(&self) {
        let arguments = ["--init-token", "--free", "--label", LABEL, "--so-pin", "86427531", "--pin", PIN];
        let output = Command::new("softhsm2-util").args(arguments).env("SOFTHSM2_CONF", self.conf()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }

    fn give(&self, installation: &mut Installation) {
        installation.variable("SOFTHSM2_CONF", self.conf().to_str().unwrap());
        installation.variable("VIGIE_PKCS11_MODULE", self.module);
        installation.variable("VIGIE_PKCS11_TOKEN", LABEL);
        installation.variable("VIGIE_PKCS11_PIN_FILE", self.pin_file().to_str().unwrap());
    }

    /// Keys in the token: a file each, beside the token's own.
    fn objects(&self) -> usize {
        let token = fs::read_dir(self.tokens()).unwrap().next().unwrap().unwrap().path();
        let names = fs::read_dir(token).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".object") && name != "token.object").count()
    }
}

#[test]
fn all_files_of_before_with_the_token_of_today_open_nothing_that_was_destroyed() {
    let town = town(2);
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::installed(hour.seconds() + 20 - now().seconds());
    let Some(softhsm) = SoftHsm::new(site.folder.path()) else { return };
    softhsm.give(&mut site.site);
    each_wrong_token_is_told(&site, &softhsm);
    serve_first(&mut site);
    assert_eq!(softhsm.objects(), 1, "the first start leaves one key in the token");
    let (short, long) = (site.add(&town, 1, 1), site.add(&town, 2, 2));
    let _still_watched = [&short, &long].map(|camera| site.until_recording(camera));
    sleep(10.0);
    assert!(opens(&site.operator(), &short, hour, site.now()), "before its deadline the hour opens");
    status_names_the_token(&site);

    // 1 · every file of the site, and, for the control, of the token
    site.site.stop().unwrap();
    let (backup, old_tokens) = (site.folder.path().join("backup"), site.folder.path().join("old-tokens"));
    copy_folder(&site.site.folder, &backup);
    copy_folder(&softhsm.tokens(), &old_tokens);

    // 2 · the hour dies on its day, over two more starts; the other camera's lives
    site.sleep_until(hour.plus_seconds(DAY_SECONDS - CLOSED_SECONDS + 5));
    until("the hour is destroyed", || site.fate(&short, hour).filter(|state| state == "destroyed"));
    assert!(opens(&site.operator(), &long, hour, hour.plus_seconds(HOUR_SECONDS)), "the other camera's hour opens");
    let verified = site.site.run(&["verify"], None).unwrap();
    assert!(verified.contains("✓ Le registre est entier"), "{verified}");
    a_token_taken_away_is_an_alarm_until_it_returns(&site, &softhsm);
    site.site.stop().unwrap();
    assert_eq!(softhsm.objects(), 1, "no key is left over");

    // 3 · all files of before, with the token of today
    let restored = restored(&site, &softhsm, &backup, hour.plus_seconds(60));
    for command in ["serve", "verify"] {
        let attempt = restored.attempt(&[command], None).unwrap();
        let said = format!("{}{}", attempt.stdout, attempt.stderr);
        assert!(attempt.code != Some(0) && said.contains("plus anciens que lui"), "{command}: {said}");
    }

    // 4 · the control: with the token's own files of before it opens, as the statement of a token in files says
    fs::remove_dir_all(softhsm.tokens()).unwrap();
    copy_folder(&old_tokens, &softhsm.tokens());
    let mut control = restored;
    control.serve().unwrap();
    let operator = control.sign_in("operateur", &site.operator).unwrap();
    assert!(opens(&operator, &short, hour, hour.plus_seconds(55)));
    drop(operator);
    control.stop().unwrap();
}

/// Before there is a token, with a wrong PIN, without a PIN: `init` says what it is and what to do, and makes no site.
fn each_wrong_token_is_told(site: &Site, softhsm: &SoftHsm) {
    let refused = |remedy: &str| {
        for command in ["init", "config"] {
            let arguments: &[&str] = if command == "config" { &["config", "check"] } else { &["init"] };
            let attempt = site.site.attempt(arguments, None).unwrap();
            let said = format!("{}{}", attempt.stdout, attempt.stderr);
            assert!(attempt.code != Some(0) && said.contains(remedy), "{command}: {said}");
            assert!(!said.contains(PIN) && !said.contains("11111111"), "{command}: {said}");
        }
    };
    refused("n'est pas là");
    softhsm.init_token();
    let write = |pin: &str, mode: u32| {
        fs::remove_file(softhsm.pin_file()).unwrap();
        fs::write(softhsm.pin_file(), pin).unwrap();
        fs::set_permissions(softhsm.pin_file(), fs::Permissions::from_mode(mode)).unwrap();
    };
    write("11111111", 0o400);
    refused("refuse le PIN");
    write(PIN, 0o644);
    refused("chmod 0400");
    fs::remove_file(softhsm.pin_file()).unwrap();
    refused("le PIN de");
    fs::write(softhsm.pin_file(), "").unwrap();
    write(PIN, 0o400);
    assert_eq!(softhsm.objects(), 0, "what was refused made nothing");
}

fn serve_first(site: &mut Site) {
    let token = site.site.init().unwrap();
    site.site.serve().unwrap();
    site.site.set_up(&token, &site.administrator).unwrap();
    site.site.add_account("operateur", "operator", &site.operator).unwrap();
}

fn status_names_the_token(site: &Site) {
    let said = site.site.attempt(&["status"], None).unwrap().stdout;
    for part in ["pkcs11-software", "jeton PKCS#11", LABEL, "jeton PKCS#11 logiciel", "PIN: file"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains(PIN));
    let keyring = site.health().unwrap()["keyring"].clone();
    assert_eq!(
        (keyring["kind"].as_str(), keyring["token"]["state"].as_str()),
        (Some("pkcs11-software"), Some("present"))
    );
    let log = fs::read_to_string(site.site.log()).unwrap();
    assert!(!log.contains(PIN), "the PIN stands in no log");
}

/// A full minute looks at the token; the clocks move on, nobody waits for it.
fn a_token_taken_away_is_an_alarm_until_it_returns(site: &Site, softhsm: &SoftHsm) {
    let minute = || set_offset(&site.clock, site.now().plus_seconds(60).since(now())).unwrap();
    let said = || site.site.attempt(&["status"], None).unwrap();
    let away = softhsm.folder.join("away");
    fs::rename(softhsm.tokens(), &away).unwrap();
    minute();
    let status =
        until("the token is missed", || Some(said()).filter(|status| status.stdout.contains("restent à confirmer")));
    assert_eq!(status.code, Some(2), "{}", status.stdout);
    assert!(status.stdout.contains("L'enregistrement continue"), "{}", status.stdout);
    fs::rename(&away, softhsm.tokens()).unwrap();
    minute();
    until("the token is taken back", || {
        said().stdout.contains("Toutes les copies du trousseau répondent").then_some(())
    });
}

/// Whether a replay of what was recorded comes.
fn opens(browser: &Browser<'_>, camera: &str, from: UtcMicros, to: UtcMicros) -> bool {
    let permit = look_back(browser, &[camera], from, to);
    let path = replay_path(&permit, camera, from, to);
    browser.open(&path).is_ok() && !fetch(browser, &path).shown.is_empty()
}

/// Another machine's folder with the files of the backup, beside the token.
fn restored(site: &Site, softhsm: &SoftHsm, backup: &Path, at: UtcMicros) -> Installation {
    let program = Path::new(env!("CARGO_BIN_EXE_vigie-simulated"));
    let mut restored = Installation::new(program, backup, "Ville d'essai", 0).unwrap();
    let clock = backup.join("clock");
    set_offset(&clock, at.since(now())).unwrap();
    restored.variable("VIGIE_SIMULATED_CLOCK", clock.to_str().unwrap());
    restored.variable("VIGIE_LANG", "fr");
    softhsm.give(&mut restored);
    restored.persons = site.site.persons.again();
    restored
}
