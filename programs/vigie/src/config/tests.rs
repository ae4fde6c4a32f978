//! The table of settings, the file and the variables: what is taken, what is refused and how.

use super::*;

const WHOLE: &str = r#"
        [site]
        name = "Ville"
        [data]
        folder = "/data"
        [keyring]
        copies = ["/one", "/two"]
        passphrase_file = "/secret"
        [store]
        folder = "/store"
    "#;

fn message(text: &str) -> String {
    Config::parse(text, Path::new("vigie.toml")).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
}

#[test]
fn a_whole_configuration_is_taken_with_its_defaults() {
    let config = Config::parse(WHOLE, Path::new("vigie.toml")).unwrap();
    assert_eq!((config.store.slot_mebibytes, config.web.listen.port()), (64, 8470));
    assert_eq!((config.ledger.retention_months, config.reserve()), (12, None));
    assert_eq!((config.retention.hold_days, config.holds_bytes(None) >> 30), (domain::limit::HOLD_DAYS, 5));
    assert_eq!(config.holds_bytes(Some(1 << 30)) >> 20, 51, "never more than that of its disk");
}

#[test]
fn a_mistyped_setting_is_refused_with_the_nearest_one() {
    let mistyped = WHOLE.replace("passphrase_file", "passphrase_flie");
    assert!(message(&mistyped).ends_with("did you mean `keyring.passphrase_file`?"), "{}", message(&mistyped));
    let foreign = format!("{WHOLE}\n[zzz]\nqqq = 1");
    assert!(message(&foreign).contains("settings are: site.name"), "{}", message(&foreign));
}

fn with(variables: &[(&str, &str)], text: &str) -> Result<Effective, String> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let path = Path::new("vigie.toml");
    let sources = Sources { path, text, variables, other_variables: &["VIGIE_TEST"] };
    sources.effective().map_err(|error| error.to_string())
}

#[test]
fn every_setting_can_be_given_by_its_variable_which_goes_before_the_file() {
    let values = [
        "Bourg",
        "/d",
        "age1kkqud7y5pw2nazr9gdp4c8wrr53mu0y27mwhld7r4t0fgcur3q2qtrjfz2",
        "/k1:/k2",
        "/p",
        "/m.so",
        "jeton",
        "/pin",
        "/s",
        "7",
        "8",
        "/s2=9:/s3=10",
        "7",
        "554",
        "dns",
        "24",
        "20",
        "18",
        "/r",
        "127.0.0.1:1",
        "https://vigie.ville.example",
        "/c.pem",
        "/k.pem",
        "127.0.0.1:80",
        "/acme",
        "15",
        "https://id.example",
        "vigie",
        "/secret",
        "openid",
        "two",
        "mfa",
        "Connexion",
        "127.0.0.1:2",
        "https://remise.example",
        "/w",
        "http://horodatage.example:318/tsa",
        "/roots.pem",
        "/between.pem",
        "debug",
    ];
    let names: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
    let variables: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(values).collect();
    for text in ["", WHOLE] {
        let effective = with(&variables, text).unwrap();
        let config = &effective.config;
        assert!(effective.values.iter().all(|(_, _, origin)| *origin == Origin::Environment));
        assert_eq!((config.site.name.as_str(), config.store.gibibytes_max), ("Bourg", 7));
        let rooms: Vec<_> = config.rooms().map(|(path, gibibytes)| (path.to_str().unwrap(), gibibytes)).collect();
        assert_eq!(rooms, [("/s", 7), ("/s2", 9), ("/s3", 10)]);
        assert_eq!(config.keyring.copies, [PathBuf::from("/k1"), PathBuf::from("/k2")]);
        assert_eq!((config.ledger.retention_months, config.reserve()), (18, Some("/r".into())));
        assert_eq!((config.pkcs11.is_on(), config.pkcs11.token.as_str()), (true, "jeton"));
        assert_eq!((config.retention.minimum_hours, config.log.level.as_str()), (24, "debug"));
        assert_eq!((config.retention.hold_days, config.store.holds_percent), (20, 7));
        let timestamp = config.timestamp().unwrap();
        assert_eq!((timestamp.roots, timestamp.certificates), ("/roots.pem".into(), Some("/between.pem".into())));
    }
    let one = with(&[("VIGIE_STORE_SLOT_MEBIBYTES", "8"), ("VIGIE_TEST", "x"), ("VIGIE_LANG", "fr")], WHOLE).unwrap();
    let origin = |name| one.values.iter().find(|(other, _, _)| *other == name).unwrap().2;
    assert_eq!(origin("store.slot_mebibytes"), Origin::Environment);
    assert_eq!((origin("site.name"), origin("log.level")), (Origin::File, Origin::Default));
}

#[test]
fn a_mistyped_variable_is_refused_with_the_nearest_one_and_a_wrong_value_by_its_name() {
    let said = |name: &str, value: &str| with(&[(name, value)], WHOLE).unwrap_err();
    assert_eq!(
        said("VIGIE_STORE_GIBIBYTE_MAX", "1"),
        "there is no variable `VIGIE_STORE_GIBIBYTE_MAX`: did you mean `VIGIE_STORE_GIBIBYTES_MAX`?"
    );
    assert!(said("VIGIE_QQQ", "1").contains("variables are: VIGIE_SITE_NAME"), "{}", said("VIGIE_QQQ", "1"));
    for (name, value) in [
        ("VIGIE_STORE_SLOT_MEBIBYTES", "65"),
        ("VIGIE_STORE_SLOT_MEBIBYTES", "many"),
        ("VIGIE_STORE_MORE", "/s2"),
        ("VIGIE_STORE_MORE", "s2=9"),
        ("VIGIE_STORE_MORE", "/s2=0"),
        ("VIGIE_STORE_MORE", "/store=9"),
        ("VIGIE_STORE_MORE", "/s2=9:/s2/inside=9"),
        ("VIGIE_LEDGER_RETENTION_MONTHS", "11"),
        ("VIGIE_LEDGER_RETENTION_MONTHS", "37"),
        ("VIGIE_LEDGER_RESERVE", "reserve"),
        ("VIGIE_LEDGER_RESERVE", "/data/ledger/reserve"),
        ("VIGIE_LOG_LEVEL", "loud"),
        ("VIGIE_SITE_NAME", " "),
        ("VIGIE_KEYRING_COPIES", "/one"),
        ("VIGIE_KEYRING_COPIES", "/one:"),
        ("VIGIE_STORE_FOLDER", ""),
        ("VIGIE_DATA_FOLDER", "vigie"),
        ("VIGIE_KEYRING_PASSPHRASE_FILE", ""),
        ("VIGIE_PKCS11_MODULE", "module.so"),
        ("VIGIE_PKCS11_MODULE", "/module.so"),
        ("VIGIE_PKCS11_TOKEN", "a label of more than thirty-two bytes"),
        ("VIGIE_PKCS11_TOKEN", "jeton"),
        ("VIGIE_PKCS11_PIN_FILE", "/pin"),
        ("VIGIE_WEB_LISTEN", "0.0.0.0:80"),
        ("VIGIE_CAMERAS_PORTS", "554-"),
        ("VIGIE_CAMERAS_NAMES", "mdns"),
        ("VIGIE_TLS_CERTIFICATE", "certificate.pem"),
        ("VIGIE_TLS_KEY", "/key.pem"),
        ("VIGIE_TLS_PLAIN_LISTEN", "80"),
        ("VIGIE_SESSION_IDLE_MINUTES", "31"),
        ("VIGIE_WEB_ADDRESS", "http://vigie.ville.example"),
        ("VIGIE_WEB_ADDRESS", "https://vigie.ville.example/console"),
        ("VIGIE_PUBLIC_LISTEN", "0.0.0.0:80"),
        ("VIGIE_PUBLIC_LISTEN", "nowhere"),
        ("VIGIE_PUBLIC_WITNESSES", "witnesses"),
        ("VIGIE_TIMESTAMP_AUTHORITY", "ftp://horodatage.example"),
        ("VIGIE_TIMESTAMP_AUTHORITY", "http://horodatage.example:0/"),
        ("VIGIE_TIMESTAMP_AUTHORITY", "http://horodatage.example:99999/"),
        ("VIGIE_TIMESTAMP_AUTHORITY", "https://moi@horodatage.example/"),
        ("VIGIE_TIMESTAMP_ROOTS", "roots.pem"),
        ("VIGIE_TIMESTAMP_ROOTS", "/roots.pem"),
        ("VIGIE_TIMESTAMP_CERTIFICATES", "/between.pem"),
    ] {
        let said = said(name, value);
        assert!(said.contains(name) && said.contains("must be"), "{said}");
    }
}

#[test]
fn further_roots_of_the_store_stand_in_the_file_each_with_its_own_size_and_nothing_else() {
    let with = |room: &str| WHOLE.replace("folder = \"/store\"", &format!("folder = \"/store\"\nmore = [{room}]"));
    let config = Config::parse(&with("{ folder = \"/s2\", gibibytes_max = 40 }"), Path::new("vigie.toml")).unwrap();
    assert_eq!(config.store.more, [MoreRoom { folder: "/s2".into(), gibibytes_max: 40 }]);
    assert_eq!(config.store_places()[1].slots_max, Some(640));
    let mistyped = message(&with("{ folder = \"/s2\", gibibyte_max = 40 }"));
    assert!(mistyped.contains("gibibyte_max"), "{mistyped}");
    let same = message(&with("{ folder = \"/store\", gibibytes_max = 40 }"));
    assert!(same.contains("`store.more` must be other folders"), "{same}");
}

#[test]
fn the_public_role_is_off_until_it_is_given_something_to_do() {
    let public = |text: &str| {
        let text = format!("{WHOLE}\n[public]\n{text}");
        Config::parse(&text, Path::new("vigie.toml")).unwrap().public
    };
    assert!(!public("").is_on() && !public("listen = \"\"").is_on());
    assert_eq!(public("listen = \"127.0.0.1:8472\"").listen.unwrap().port(), 8472);
    assert!(public("witnesses = \"/etc/vigie/witnesses\"").is_on());
    let links = public("listen = \"127.0.0.1:8472\"\naddress = \"https://remise.example\"");
    assert_eq!(links.address, "https://remise.example");
    let nobody = message(&format!("{WHOLE}\n[public]\naddress = \"https://remise.example\""));
    assert!(nobody.contains("public.address") && nobody.contains("public.listen"), "{nobody}");
    // a token in clear on the way is read by whoever is on it
    assert!(
        message(&format!("{WHOLE}\n[public]\nlisten = \"127.0.0.1:1\"\naddress = \"http://remise.example\""))
            .contains("public.address")
    );
}

#[test]
fn an_authority_of_timestamps_is_taken_with_the_roots_that_it_is_judged_by_and_off_until_then() {
    let with = |text: &str| format!("{WHOLE}\n[timestamp]\n{text}");
    assert_eq!(Config::parse(WHOLE, Path::new("vigie.toml")).unwrap().timestamp().map(|on| on.authority), None);
    let whole = with("authority = \"http://horodatage.example\"\nroots = \"/roots.pem\"");
    let on = Config::parse(&whole, Path::new("vigie.toml")).unwrap().timestamp().unwrap();
    assert_eq!((on.authority.as_str(), on.certificates), ("http://horodatage.example", None));
    let lonely = message(&with("authority = \"https://horodatage.example\""));
    assert!(lonely.contains("`timestamp.roots` must be given together with"), "{lonely}");
}

#[test]
fn a_setting_that_is_missing_is_told_with_its_variable() {
    let said = with(&[], &WHOLE.replace("name = \"Ville\"", "")).unwrap_err();
    assert!(said.contains("`site.name` is missing") && said.contains("VIGIE_SITE_NAME"), "{said}");
}

#[test]
fn an_address_that_others_can_reach_is_taken_with_a_certificate_and_its_name_only() {
    let with = |address: &str| {
        format!(
            "{WHOLE}\n[web]\nlisten = \"0.0.0.0:443\"\naddress = \"{address}\"\n[tls]\ncertificate = \"/c\"\nkey = \"/k\""
        )
    };
    assert_eq!(message(&with("https://vigie.ville.example")), "taken");
    assert!(message(&with("")).contains("`web.address` must be"), "{}", message(&with("")));
}

#[test]
fn what_would_be_unsafe_is_refused_with_its_remedy() {
    let open = format!("{WHOLE}\n[web]\nlisten = \"0.0.0.0:80\"");
    assert!(message(&open).contains("must be a loopback address"), "{}", message(&open));
    let inside = WHOLE.replace("\"/secret\"", "\"/one/secret\"");
    assert!(message(&inside).contains("must lie outside both copies"), "{}", message(&inside));
    let pin = format!("{WHOLE}\n[pkcs11]\nmodule = \"/m.so\"\ntoken = \"t\"\npin_file = \"/two/pin\"");
    assert!(message(&pin).contains("`pkcs11.pin_file` must lie outside both copies"), "{}", message(&pin));
    let same = WHOLE.replace("\"/two\"", "\"/one\"");
    assert!(message(&same).contains("must be two folders"), "{}", message(&same));
}
