//! Every setting, once: its name, form, default, bounds and words. Parsing, `config show` and the manual page read this table.

use domain::limit::{
    HOLD_DAYS_MAX, LOG_RETENTION_MONTHS_MAX, LOG_RETENTION_MONTHS_MIN, SESSION_IDLE_MINUTES, SESSION_IDLE_MINUTES_MAX,
    STORE_ROOTS_MAX, TOKEN_LABEL_BYTES_MAX,
};

/// What a setting's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    /// The label of a PKCS#11 token, or nothing.
    OptionalLabel,
    Folder,
    /// Or nothing.
    OptionalFolder,
    File,
    /// TCP ports and ranges of them, with commas between.
    Ports,
    /// A file, or nothing: an empty text.
    OptionalFile,
    /// Two folders; in a variable they stand with a colon between them.
    TwoFolders,
    /// Folders, each with a number of GiB; in a variable `folder=GiB`, with a colon between.
    Rooms,
    /// Address and port.
    Address,
    /// Scheme, name and port as a browser shows them, or empty.
    Origin,
    /// Any text, or nothing.
    OptionalText,
    /// The name of a provider, over TLS, or nothing.
    OptionalHttps,
    /// The address of an authority, over TLS or in clear, or nothing.
    OptionalHttp,
    /// A recipient of age, or nothing.
    OptionalRecipient,
    /// Any address and port, or nothing.
    AddressOrNone,
    /// Address and port of this machine, or nothing: an empty text.
    OptionalAddress,
    Integer {
        min: i64,
        max: i64,
    },
    OneOf(&'static [&'static str]),
}

/// One setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `section.name`.
    pub name: &'static str,
    pub form: Form,
    /// As it would stand in the file; `None`: it must be given.
    pub default: Option<&'static str>,
    pub unit_fr: &'static str,
    pub unit_en: &'static str,
    pub text_fr: &'static str,
    pub text_en: &'static str,
}

/// A store of 4 GiB to 4 PiB less one: what 32 bits of GiB can say and a disk can be.
pub const GIBIBYTES: std::ops::RangeInclusive<i64> = 1..=4_194_303;
const MINIMUM_HOURS: Form = Form::Integer { min: 0, max: 720 };

const LOG_RETENTION: Form =
    Form::Integer { min: LOG_RETENTION_MONTHS_MIN as i64, max: LOG_RETENTION_MONTHS_MAX as i64 };

/// In the order of the file.
pub const SETTINGS: [Setting; 40] = [
    Setting {
        name: "site.name",
        form: Form::Text,
        default: None,
        unit_fr: "",
        unit_en: "",
        text_fr: "Le nom de la commune, tel que la console le montre.",
        text_en: "The commune's name, as the console shows it.",
    },
    Setting {
        name: "data.folder",
        form: Form::Folder,
        default: None,
        unit_fr: "",
        unit_en: "",
        text_fr: "Base du site, registre des actes, catalogue des images et sockets.",
        text_en: "Registry, ledger, footage catalog and sockets.",
    },
    Setting {
        name: "backup.recipient",
        form: Form::OptionalRecipient,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Pour qui les sauvegardes de la base du site sont chiffrées (`age1…`) ; l'identité qui les ouvre reste hors de cette machine. Vide : pas de sauvegarde.",
        text_en: "For whom backups of the registry are sealed (`age1…`); the identity that opens them stays off this machine. Empty: no backup.",
    },
    Setting {
        name: "keyring.copies",
        form: Form::TwoFolders,
        default: None,
        unit_fr: "",
        unit_en: "",
        text_fr: "Les deux copies du trousseau de clés, sur deux supports ; elles ne sont jamais sauvegardées.",
        text_en: "The two copies of the keyring, on two devices; they are never backed up.",
    },
    Setting {
        name: "keyring.passphrase_file",
        form: Form::File,
        default: None,
        unit_fr: "",
        unit_en: "",
        text_fr: "La phrase secrète, mode 0400, hors des deux copies ; un secret systemd `vigie-passphrase` passe avant.",
        text_en: "The passphrase, mode 0400, outside both copies; a systemd credential `vigie-passphrase` goes before.",
    },
    Setting {
        name: "pkcs11.module",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "La bibliothèque PKCS#11 du fabricant d'un jeton (HSM) qui garde la racine des clés ; vide : pas de jeton.",
        text_en: "The PKCS#11 library of the maker of a token (HSM) that holds the root of the keys; empty: no token.",
    },
    Setting {
        name: "pkcs11.token",
        form: Form::OptionalLabel,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le nom (label) que le jeton a reçu à son initialisation.",
        text_en: "The label that the token was given when it was initialised.",
    },
    Setting {
        name: "pkcs11.pin_file",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le PIN d'utilisateur du jeton, mode 0400, hors des deux copies ; un secret systemd `vigie-pkcs11-pin` passe avant.",
        text_en: "The token's user PIN, mode 0400, outside both copies; a systemd credential `vigie-pkcs11-pin` goes before.",
    },
    Setting {
        name: "store.folder",
        form: Form::Folder,
        default: None,
        unit_fr: "",
        unit_en: "",
        text_fr: "Où se trouvent les bobines, c'est-à-dire les images scellées.",
        text_en: "Where the reels lie, that is, the sealed footage.",
    },
    Setting {
        name: "store.gibibytes_max",
        form: Form::Integer { min: *GIBIBYTES.start(), max: *GIBIBYTES.end() },
        default: Some("100"),
        unit_fr: "Gio",
        unit_en: "GiB",
        text_fr: "Le stockage ne grandit jamais au-delà ; 1 Mbit/s fait 10 Gio par jour.",
        text_en: "The store never grows beyond this; 1 Mbit/s makes 10 GiB a day.",
    },
    Setting {
        name: "store.slot_mebibytes",
        form: Form::Integer { min: 4, max: 64 },
        default: Some("64"),
        unit_fr: "Mio",
        unit_en: "MiB",
        text_fr: "Taille d'un emplacement du stockage ; fixée par `init`.",
        text_en: "Size of a slot of the store; set by `init`.",
    },
    Setting {
        name: "store.more",
        form: Form::Rooms,
        default: Some("[]"),
        unit_fr: "",
        unit_en: "",
        text_fr: "D'autres dossiers pour les bobines, un par disque : `[{ folder = \"/srv/images-2\", gibibytes_max = 4000 }]`. Les bobines s'y répartissent ; un disque perdu n'emporte que les siennes, l'enregistrement continue sur les autres. Un nouveau : `vigie store add DOSSIER`, puis redémarrer.",
        text_en: "Further folders for the reels, one a disk: `[{ folder = \"/srv/images-2\", gibibytes_max = 4000 }]`. Reels are spread over them; a disk that is lost takes its own only, recording goes on in the others. A new one: `vigie store add FOLDER`, then restart.",
    },
    Setting {
        name: "store.holds_percent",
        form: Form::Integer { min: 1, max: 50 },
        default: Some("5"),
        unit_fr: "%",
        unit_en: "%",
        text_fr: "Part du stockage gardée pour les images gelées, en plus de lui : ce qu'il peut prendre, ou son disque s'il est plus petit. L'enregistrement ne la remplit jamais ; un gel qui n'y tient pas est refusé.",
        text_en: "Part of the store that is kept for held footage, beside it: of what it may take, or of its disk where that is smaller. Recording never fills it; a hold that does not fit is refused.",
    },
    Setting {
        name: "cameras.ports",
        form: Form::Ports,
        default: Some("\"554, 8554\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Les ports TCP des caméras : l'enregistreur ne peut se connecter à aucun autre. Un changement vaut au redémarrage.",
        text_en: "The cameras' TCP ports: the recorder can connect to no other. A change holds from the next start.",
    },
    Setting {
        name: "cameras.names",
        form: Form::OneOf(&["hosts", "dns"]),
        default: Some("\"hosts\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Où se cherche le nom d'une caméra qui n'est pas donnée par son adresse IP : `hosts`, dans `/etc/hosts` seulement ; `dns`, aussi par DNS, ce qui laisse à l'enregistreur l'UDP, que le noyau ne sait pas borner.",
        text_en: "Where the name of a camera that is not given by its IP address is looked up: `hosts`, in `/etc/hosts` only; `dns`, by DNS too, which leaves the recorder UDP, which the kernel cannot limit.",
    },
    Setting {
        name: "retention.minimum_hours",
        form: MINIMUM_HOURS,
        default: Some("0"),
        unit_fr: "heures",
        unit_en: "hours",
        text_fr: "Le délai minimal que l'arrêté fixe, s'il en fixe un (CSI L252-5) ; `config check` refuse un arrêté qui ne peut satisfaire les deux délais.",
        text_en: "The minimum delay of the order, where it sets one (CSI L252-5); `config check` refuses an order that cannot satisfy both delays.",
    },
    Setting {
        name: "retention.hold_days",
        form: Form::Integer { min: 1, max: HOLD_DAYS_MAX },
        default: Some("15"),
        unit_fr: "jours",
        unit_en: "days",
        text_fr: "Combien de temps des images gelées attendent d'être remises, une fois leur réquisition inscrite ; sans réquisition elles finissent à leur propre terme (CSI R253-4).",
        text_en: "How long held footage waits to be handed over, once its requisition is entered; without one it ends with its own deadline (CSI R253-4).",
    },
    Setting {
        name: "ledger.retention_months",
        form: LOG_RETENTION,
        default: Some("12"),
        unit_fr: "mois",
        unit_en: "months",
        text_fr: "Combien de temps les détails du registre restent lisibles après la fin de leur mois ; jamais plus de trois ans après l'acte (CSI R253-5). Les preuves restent.",
        text_en: "How long the ledger's details can be read after the end of their month; never for more than three years after the act (CSI R253-5). Proofs stay.",
    },
    Setting {
        name: "ledger.reserve",
        form: Form::OptionalFolder,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Réserve du registre, sur un autre support : 32 Mio réservés où il écrit quand son disque refuse. Sans elle, une panne de ce disque arrête toute consultation.",
        text_en: "The ledger's reserve, on another device: 32 MiB set aside to which it writes when its own disk refuses. Without it, a failure of that disk stops every look.",
    },
    Setting {
        name: "web.listen",
        form: Form::Address,
        default: Some("\"127.0.0.1:8470\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Où la console répond ; au-delà de cette machine seulement avec un certificat et un administrateur.",
        text_en: "Where the console answers; beyond this machine only with a certificate and an administrator.",
    },
    Setting {
        name: "web.address",
        form: Form::Origin,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "L'adresse de la console telle que les navigateurs la nomment (`https://vigie.ville.fr`) : les liens de compte et les clés d'accès y sont attachés ; vide : `http://localhost` et le port de `web.listen`.",
        text_en: "The console's address as browsers name it (`https://vigie.ville.fr`): account links and passkeys are bound to it; empty: `http://localhost` and the port of `web.listen`.",
    },
    Setting {
        name: "tls.certificate",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le certificat de la console en PEM, suivi de ceux qui mènent à son autorité ; repris sans redémarrage quand il change. Sans lui, la console ne répond qu'à une adresse locale.",
        text_en: "The console's certificate in PEM, with those that lead to its authority behind it; taken without a restart when it changes. Without it the console answers on loopback only.",
    },
    Setting {
        name: "tls.key",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "La clé privée de ce certificat, en PEM, lisible par le seul utilisateur du service.",
        text_en: "The private key of that certificate, in PEM, readable by the service's user only.",
    },
    Setting {
        name: "tls.plain_listen",
        form: Form::AddressOrNone,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Où répondre en HTTP simple (`0.0.0.0:80`) : au défi d'une autorité de certification, et pour renvoyer vers `web.address` ; rien d'autre.",
        text_en: "Where to answer plain HTTP (`0.0.0.0:80`): the challenge of a certificate authority, and the way to `web.address`; nothing else.",
    },
    Setting {
        name: "tls.acme_folder",
        form: Form::OptionalFolder,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Où un client ACME dépose ses réponses (`/.well-known/acme-challenge/`).",
        text_en: "Where an ACME client puts its answers (`/.well-known/acme-challenge/`).",
    },
    Setting {
        name: "session.idle_minutes",
        form: Form::Integer { min: 1, max: SESSION_IDLE_MINUTES_MAX },
        default: Some("10"),
        unit_fr: "minutes",
        unit_en: "minutes",
        text_fr: "Une session que personne ne touche se verrouille après ce temps : ses images s'arrêtent, mot de passe et code sont redemandés.",
        text_en: "A session that nobody touches locks after this: its pictures stop, password and code are asked for again.",
    },
    Setting {
        name: "oidc.issuer",
        form: Form::OptionalHttps,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "L'adresse du fournisseur d'identité (OpenID Connect), exactement comme ses jetons la nomment ; vide : aucun, chacun se connecte par son compte Vigie.",
        text_en: "The identity provider's address (OpenID Connect), exactly as its tokens name it; empty: none, everybody signs in by the account of Vigie.",
    },
    Setting {
        name: "oidc.client_id",
        form: Form::OptionalText,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le nom de Vigie chez ce fournisseur.",
        text_en: "Vigie's name at that provider.",
    },
    Setting {
        name: "oidc.secret_file",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le secret de Vigie chez ce fournisseur, mode 0400 ; vide : aucun, PKCE seul.",
        text_en: "Vigie's secret at that provider, mode 0400; empty: none, PKCE alone.",
    },
    Setting {
        name: "oidc.scopes",
        form: Form::Text,
        default: Some("\"openid\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Ce qui est demandé au fournisseur ; Vigie n'a besoin que de `openid`.",
        text_en: "What the provider is asked for; Vigie needs `openid` only.",
    },
    Setting {
        name: "oidc.acr",
        form: Form::OptionalText,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Les valeurs d'`acr` que la commune tient pour deux facteurs, séparées par des espaces ; sans elles le code du compte Vigie est demandé aussi.",
        text_en: "The values of `acr` that the town takes for two factors, with spaces between; without them the code of Vigie's account is asked for too.",
    },
    Setting {
        name: "oidc.amr",
        form: Form::OptionalText,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "De même pour `amr`, ainsi `mfa`.",
        text_en: "The same for `amr`, such as `mfa`.",
    },
    Setting {
        name: "oidc.name",
        form: Form::OptionalText,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Ce que montre le bouton de connexion, ainsi `ProConnect` ; vide : le nom de machine du fournisseur.",
        text_en: "What the sign-in button shows, such as `ProConnect`; empty: the provider's host name.",
    },
    Setting {
        name: "public.listen",
        form: Form::OptionalAddress,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Où le miroir du registre est servi, en lecture seule ; vide : nulle part. Un serveur web avec TLS se met devant.",
        text_en: "Where the log's mirror is served, read-only; empty: nowhere. A web server with TLS goes in front.",
    },
    Setting {
        name: "public.address",
        form: Form::Origin,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le nom public du serveur web devant `public.listen`, ainsi `https://remise.ville.fr` : les liens à usage unique le portent. Vide : aucun lien, les dossiers se remettent sur un support.",
        text_en: "The public name of the web server in front of `public.listen`, such as `https://remise.ville.fr`: one-time links bear it. Empty: no links, packages are handed over on a medium.",
    },
    Setting {
        name: "public.witnesses",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Le fichier des témoins (C2SP tlog-policy) : leurs clés, leurs adresses, combien suffisent ; vide : aucun.",
        text_en: "The witnesses' file (C2SP tlog-policy): their keys, their addresses, how many are enough; empty: none.",
    },
    Setting {
        name: "timestamp.authority",
        form: Form::OptionalHttp,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "L'autorité d'horodatage (RFC 3161) qui date chaque dossier remis : elle n'en reçoit qu'une empreinte. Vide : aucune, seul le registre le date.",
        text_en: "The timestamp authority (RFC 3161) that dates each package handed over: it is sent a digest and nothing else. Empty: none, the log alone dates it.",
    },
    Setting {
        name: "timestamp.roots",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Les racines en PEM auxquelles la commune se fie pour cette autorité ; prises ailleurs que chez elle (liste de confiance de l'État).",
        text_en: "The roots in PEM that the town trusts for that authority; taken from elsewhere than from it (the state's trusted list).",
    },
    Setting {
        name: "timestamp.certificates",
        form: Form::OptionalFile,
        default: Some("\"\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Les certificats en PEM entre l'autorité et sa racine, si ses jetons ne les portent pas ; gardés dans chaque dossier.",
        text_en: "The certificates in PEM between the authority and its root, where its tokens do not carry them; kept in each package.",
    },
    Setting {
        name: "log.level",
        form: Form::OneOf(&["error", "warn", "info", "debug", "trace"]),
        default: Some("\"info\""),
        unit_fr: "",
        unit_en: "",
        text_fr: "Ce que dit le journal technique.",
        text_en: "What the technical log tells.",
    },
];

// The table says this number as text.
const _: () = assert!(SESSION_IDLE_MINUTES == 10);

impl Setting {
    pub fn of(name: &str) -> Option<&'static Setting> {
        SETTINGS.iter().find(|setting| setting.name == name)
    }

    /// `VIGIE_` and the name in capitals, `_` for the dot.
    pub fn variable(&self) -> String {
        format!("VIGIE_{}", self.name.replace('.', "_").to_uppercase())
    }

    /// Section and name.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').expect("every name in the table has a dot")
    }

    pub fn bounds_fr(&self) -> String {
        match self.form {
            Form::Text => "non vide".into(),
            Form::OptionalLabel => format!("un nom de {TOKEN_LABEL_BYTES_MAX} octets au plus, ou vide"),
            Form::Folder => "un dossier, chemin absolu".into(),
            Form::OptionalFolder => "un dossier, chemin absolu, ou rien".into(),
            Form::File => "un fichier, chemin absolu".into(),
            Form::OptionalFile => "un fichier, chemin absolu, ou vide".into(),
            Form::OptionalAddress => "adresse locale et port, ou vide".into(),
            Form::TwoFolders => "deux dossiers distincts, chemins absolus".into(),
            Form::Rooms => format!("{} dossiers au plus, chemins absolus, chacun avec ses Gio", STORE_ROOTS_MAX - 1),
            Form::Address => "adresse et port, locale sans certificat".into(),
            Form::AddressOrNone => "vide, ou adresse et port".into(),
            Form::OptionalText => "un texte, ou vide".into(),
            Form::OptionalHttps => "`https://…`, ou vide".into(),
            Form::OptionalHttp => "`https://…` ou `http://…`, ou vide".into(),
            Form::Ports => "ports ou intervalles, ainsi `554, 10000-10100`".into(),
            Form::OptionalRecipient => "`age1…`, ou vide".into(),
            Form::Origin => "vide, `https://nom` ou `http://localhost`, avec ou sans port".into(),
            Form::Integer { min, max } => format!("{min} à {max}"),
            Form::OneOf(words) => words.join(", "),
        }
    }

    pub fn bounds_en(&self) -> String {
        match self.form {
            Form::Text => "not empty".into(),
            Form::OptionalLabel => format!("a label of at most {TOKEN_LABEL_BYTES_MAX} bytes, or empty"),
            Form::Folder => "a folder, absolute path".into(),
            Form::OptionalFolder => "a folder, absolute path, or nothing".into(),
            Form::File => "a file, absolute path".into(),
            Form::OptionalFile => "a file, absolute path, or empty".into(),
            Form::OptionalAddress => "loopback address and port, or empty".into(),
            Form::TwoFolders => "two distinct folders, absolute paths".into(),
            Form::Rooms => format!("at most {} folders, absolute paths, each with its GiB", STORE_ROOTS_MAX - 1),
            Form::Address => "address and port, loopback without a certificate".into(),
            Form::AddressOrNone => "empty, or address and port".into(),
            Form::OptionalText => "a text, or empty".into(),
            Form::OptionalHttps => "`https://…`, or empty".into(),
            Form::OptionalHttp => "`https://…` or `http://…`, or empty".into(),
            Form::Ports => "ports or ranges, such as `554, 10000-10100`".into(),
            Form::OptionalRecipient => "`age1…`, or empty".into(),
            Form::Origin => "empty, `https://name` or `http://localhost`, with or without a port".into(),
            Form::Integer { min, max } => format!("{min} to {max}"),
            Form::OneOf(words) => words.join(", "),
        }
    }
}

/// Variables that are no settings.
pub const OTHER_VARIABLES: [(&str, &str, &str); 2] = [
    ("VIGIE_CONFIG", "Le fichier de configuration, comme `--config`.", "The configuration file, as `--config`."),
    (
        "VIGIE_LANG",
        "`fr` ou `en` : la langue de la ligne de commande ; sinon celle du système, sinon le français.",
        "`fr` or `en`: the language of the command line; else the system's, else French.",
    ),
];
