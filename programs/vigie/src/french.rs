//! The command line's errors in French: the situation and the remedy. What comes from below keeps its own words as a detail.

mod custodians;

use crate::{
    ConfigError,
    cli::{act::ActError, backup::BackupError, clock::ClockError, law::LawCommandError},
    roles::recorder::RecorderRoleError,
    site::SiteError,
};
use custodians::{journal, keyring, opening};
use recorder::RecorderError;
use std::error::Error;
use vault::{KeeperError, StoreError};
use web::{StampError, TlsError};

/// The message of an error of the command line.
pub fn message(error: &(dyn Error + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<ConfigError>() {
        return config(error);
    }
    if let Some(error) = error.downcast_ref::<SiteError>() {
        return site(error);
    }
    if let Some(error) = error.downcast_ref::<ActError>() {
        return error.text_fr();
    }
    if let Some(error) = error.downcast_ref::<BackupError>() {
        return error.text_fr();
    }
    if let Some(error) = error.downcast_ref::<web::ProviderError>() {
        return provider(error);
    }
    if let Some(error) = error.downcast_ref::<ClockError>() {
        return error.text_fr();
    }
    if let Some(error) = error.downcast_ref::<LawCommandError>() {
        return error.text_fr();
    }
    match error.downcast_ref::<RecorderRoleError>() {
        Some(RecorderRoleError::Site(error)) => return site(error),
        Some(RecorderRoleError::Recorder(RecorderError::Store(error))) => return store(error),
        _ => {}
    }
    error.downcast_ref::<KeeperError>().map_or_else(|| error.to_string(), keeper)
}

fn config(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { path, source } => format!(
            "la configuration `{}` ne peut pas être lue ({source}) ; indiquez-en une autre avec --config",
            path.display()
        ),
        ConfigError::NotToml { path, source } => format!("`{}` n'est pas du TOML : {source}", path.display()),
        ConfigError::Unknown { path, unknown, hint } => {
            let hint = hint
                .replace(": did you mean", " : vouliez-vous dire")
                .replace("; settings are:", " ; les réglages sont :");
            format!("`{}` : il n'y a pas de réglage `{unknown}`{}", path.display(), hint.replace("`?", "` ?"))
        }
        ConfigError::Wrong { path, source } => {
            format!("`{}` : réglage manquant ou de forme inattendue : {source}", path.display())
        }
        ConfigError::UnknownVariable { unknown, hint } => {
            let hint = hint
                .replace(": did you mean", " : vouliez-vous dire")
                .replace("; variables are:", " ; les variables sont :");
            format!("il n'y a pas de variable `{unknown}`{}", hint.replace("`?", "` ?"))
        }
        ConfigError::Missing { path, setting, variable } => {
            format!("`{}` : `{setting}` manque : écrivez-le là, ou donnez-le par `{variable}`", path.display())
        }
        ConfigError::OutOfBounds { place, setting, why: reason } => {
            let bounds = crate::config::Setting::of(setting).map(crate::config::Setting::bounds_fr).unwrap_or_default();
            let why = match *setting {
                "site.name" => "doit être le nom de la commune",
                "store.slot_mebibytes" => "doit valoir de 4 à 64",
                "store.gibibytes_max" => "doit valoir au moins 1",
                "web.listen" => {
                    "doit être une adresse locale (127.0.0.1:8470) tant que `tls.certificate` et `tls.key` ne sont pas donnés"
                }
                "web.address" => {
                    "doit être le nom du certificat (https://…) là où `tls.certificate` est donné ; sinon vide"
                }
                "tls.key" => "doit être donné avec `tls.certificate` (chemins absolus), ou aucun des deux",
                "tls.plain_listen" => "doit être une adresse et un port, et vide sans `tls.certificate`",
                "public.listen" => {
                    "doit être une adresse locale (127.0.0.1:8472) ou vide : un serveur web avec TLS se met devant"
                }
                "oidc.client_id" => "doit être donné avec `oidc.issuer`, ou aucun des deux",
                "oidc.scopes" => "doit contenir `openid` : sans lui, aucun fournisseur ne dit qui est là",
                "store.more" if reason.contains("other folders") => {
                    "doit nommer d'autres dossiers que `store.folder`, distincts, aucun dans un autre"
                }
                "public.address" if reason.contains("public.listen") => {
                    "doit être vide là où `public.listen` n'est pas donné : personne n'y répondrait"
                }
                "public.witnesses" => "doit être le chemin absolu d'un fichier, ou vide",
                "pkcs11.pin_file" if reason.contains("outside") => "doit se trouver hors des deux copies du trousseau",
                "pkcs11.module" | "pkcs11.token" | "pkcs11.pin_file" if reason.contains("together") => {
                    "va avec les autres de `pkcs11.module`, `pkcs11.token`, `pkcs11.pin_file`, ou aucun n'est donné"
                }
                "keyring.passphrase_file" => "doit se trouver hors des deux copies du trousseau",
                "keyring.copies" => "doit nommer deux dossiers, de préférence sur deux supports",
                _ => return format!("`{place}` : `{setting}` doit être : {bounds}"),
            };
            format!("`{place}` : `{setting}` {why}")
        }
    }
}

/// Why the provider of sign-ins is of no use.
fn provider(error: &web::ProviderError) -> String {
    use web::ProviderError as E;
    match error {
        E::NoHttps => "`oidc.issuer` doit être une adresse qui commence par https://".into(),
        E::Away { url, source } => format!("le fournisseur d'identité ne répond pas à `{url}` : {source}"),
        E::Status { url, status } => format!("le fournisseur répond {status} à `{url}` : `oidc.issuer` est-il juste ?"),
        E::Unreadable { url } => format!("ce que dit `{url}` ne se lit pas : `oidc.issuer` est-il juste ?"),
        E::OtherIssuer { found } => format!("le fournisseur se nomme `{found}` : écrivez-le dans `oidc.issuer`"),
        E::Refused => "le fournisseur a refusé le code".into(),
        E::NoToken => "la réponse du fournisseur ne contient pas de jeton lisible".into(),
        E::Busy => "trop de connexions interrogent le fournisseur en ce moment".into(),
    }
}

/// What a configuration can be told of it; the rest is told by the console and in the technical log.
pub fn stamp(error: &StampError) -> String {
    match error {
        StampError::Unset { setting, path, why } => {
            format!("`{}` ne peut pas être lu ({why}) : corrigez `{setting}`", path.display())
        }
        StampError::NoRoot => {
            "`timestamp.roots` ne contient aucune racine : donnez celle qui se tient au-dessus de l'autorité".into()
        }
        error => error.to_string(),
    }
}

/// Why a certificate is not used.
pub fn tls(error: &TlsError) -> String {
    match error {
        TlsError::Unreadable { path, source } => {
            format!("impossible de lire `{}` : {source} ; vérifiez le chemin et ses droits", path.display())
        }
        TlsError::NoCertificate { path } => format!("il n'y a pas de certificat en PEM dans `{}`", path.display()),
        TlsError::NoKey { path } => format!("il n'y a pas de clé privée en PEM dans `{}`", path.display()),
        TlsError::OtherKey { key, certificate } => format!(
            "la clé `{}` n'est pas celle du certificat `{}` : elles doivent être faites ensemble",
            key.display(),
            certificate.display()
        ),
        TlsError::Expired { path, at } => {
            format!("le certificat `{}` est expiré depuis le {at} : renouvelez-le", path.display())
        }
        TlsError::NotYet { path, at } => {
            format!("le certificat `{}` ne vaut qu'à partir du {at} : vérifiez l'heure de la machine", path.display())
        }
        TlsError::Unusable { path, why } => format!("le certificat `{}` ne peut servir : {why}", path.display()),
    }
}

fn site(error: &SiteError) -> String {
    match error {
        SiteError::Tls(error) => tls(error),
        SiteError::NoSite { path } => {
            format!("il n'y a pas de site dans `{}` : lancez d'abord `vigie init`", path.display())
        }
        SiteError::Exists { path } => format!(
            "il y a déjà un site dans `{}` : rien n'a été changé ; premier lien perdu : `vigie account add admin --role administrator`, Vigie démarré",
            path.display()
        ),
        SiteError::Damaged { path } => {
            format!("`{}` est abîmé : restaurez sa sauvegarde, il ne contient aucun secret", path.display())
        }
        SiteError::LaterVersion { path, found } => later(path, u32::try_from(*found).unwrap_or(u32::MAX)),
        SiteError::ProviderSecret { path, source } => format!(
            "le secret du fournisseur d'identité ne se lit pas dans `{}` ({source}) : corrigez `oidc.secret_file`",
            path.display()
        ),
        SiteError::OpenProviderSecret { path, mode } => {
            let path = path.display();
            format!("`{path}` est lisible par d'autres (mode {mode:o}) : `chmod 0400 {path}`")
        }
        SiteError::NoPassphrase { path, source } => {
            format!(
                "la phrase secrète de `{}` ne peut pas être lue ({source}) : réécrivez-la d'après sa copie sur papier (mode 0400)",
                path.display()
            )
        }
        SiteError::NoPin { path, source } => format!(
            "le PIN de `{}` ne peut pas être lu ({source}) : écrivez-y le PIN d'utilisateur du jeton (mode 0400)",
            path.display()
        ),
        SiteError::OpenPassphrase { path, mode } => {
            let path = path.display();
            format!("`{path}` peut être lu par d'autres (mode {mode:o}) : `chmod 0400 {path}`")
        }
        SiteError::SameFolder { first, second } => format!(
            "`{}` et `{}` sont un seul dossier, ou l'un est dans l'autre : le trousseau en veut deux, de préférence sur deux supports",
            first.display(),
            second.display()
        ),
        SiteError::AccountName { name } => {
            format!("`{name}` n'est pas un nom de compte : 1 à 64 caractères, sans espace au début ni à la fin")
        }
        SiteError::InUse { path } => {
            format!("un autre Vigie fonctionne sur `{}` : arrêtez-le d'abord", path.display())
        }
        SiteError::Listen { address, source } => format!(
            "impossible d'écouter sur {address} ({source}) : arrêtez le programme qui s'y trouve, ou choisissez un autre port dans `web.listen`"
        ),
        SiteError::PublicListen { address, source } => format!(
            "impossible d'écouter sur {address} ({source}) : arrêtez le programme qui s'y trouve, ou choisissez un autre port dans `public.listen`"
        ),
        SiteError::Witnesses { path, source } => format!(
            "le fichier des témoins `{}` n'est pas admis ({source}) : une ligne `witness nom clé adresse` par témoin, puis `group`, puis `quorum`",
            path.display()
        ),
        SiteError::Io { what, source } => format!("{what} : {source}"),
        SiteError::Keyring(source) => format!("trousseau de clés : {}", keyring(source)),
        SiteError::Store(source) => store(source),
        SiteError::Journal(source) => format!("registre des actes : {}", journal(source)),
        SiteError::MustRestart => "le registre des actes doit être rouvert : le gardien redémarre".into(),
        SiteError::Keeper(source) => opening(source),
        SiteError::Registry(source) => format!("base du site : {}", registry(source)),
        SiteError::Asked(source) => keeper(source),
        other => new_root(other),
    }
}

/// Why no further root of the store is made; the rest is told as it is.
fn new_root(error: &SiteError) -> String {
    match error {
        SiteError::NotConfigured { path } => format!(
            "`{}` n'est pas un dossier du stockage dans la configuration : inscrivez-le d'abord dans `store.more`",
            path.display()
        ),
        SiteError::NotEmpty { path } => format!(
            "`{}` n'est pas vide : rien n'y a été touché ; un nouveau dossier du stockage commence sur un disque vide",
            path.display()
        ),
        SiteError::NoNumber => {
            "256 disques ont servi à ce stockage et le catalogue connaît encore des bobines sur chacun : attendez que les plus anciennes soient détruites".into()
        }
        other => other.to_string(),
    }
}

/// Files of a later program, which this one leaves alone.
fn later(path: &std::path::Path, version: u32) -> String {
    format!(
        "`{}` est de la version {version}, écrite par un programme plus récent : rien n'a été changé ; réinstallez le programme plus récent",
        path.display()
    )
}

/// What goes wrong with the registry when the keeper starts; the rest is told as it is.
fn registry(error: &catalog::CatalogError) -> String {
    use catalog::CatalogError as Why;
    match error {
        Why::Damaged { path, .. } => format!(
            "`{}` est abîmé : arrêtez Vigie et remettez la sauvegarde la plus récente de la base du site par `vigie restore`",
            path.display()
        ),
        Why::Missing { path, .. } => {
            format!(
                "il n'y a rien dans `{}` : remettez-y la sauvegarde la plus récente de la base du site par `vigie restore`",
                path.display()
            )
        }
        Why::Newer { path, found, .. } => later(path, u32::try_from(*found).unwrap_or(u32::MAX)),
        Why::Full { path, .. } => format!("le disque de `{}` est plein : libérez de la place", path.display()),
        Why::Locked { path, .. } => {
            format!("un autre programme écrit dans `{}` : un seul le peut à la fois, arrêtez l'autre", path.display())
        }
        Why::File { path, source } => {
            format!(
                "`{}` ne peut pas être utilisé ({source}) : vérifiez le dossier, son propriétaire et ses droits",
                path.display()
            )
        }
        other => other.to_string(),
    }
}

fn store(error: &StoreError) -> String {
    match error {
        StoreError::OtherSite { path, found, expected } => format!(
            "le stockage `{}` est celui d'un autre site ({found}, et non {expected}) : rien n'y a été touché ; montez le disque de ce site ou corrigez `store.folder`",
            path.display()
        ),
        StoreError::LaterVersion { path, found } => later(path, *found),
        StoreError::NoMarker { path } => {
            format!("`{}` n'est pas un stockage de Vigie : son disque est-il monté ?", path.display())
        }
        StoreError::OtherRoot { path } => format!(
            "à `{}` se trouve un autre disque que celui du stockage : rien n'y a été touché ; remontez le bon",
            path.display()
        ),
        StoreError::SameNumber { path, other } => format!(
            "`{}` et `{}` sont un seul disque du stockage, ou une copie : ôtez l'un des deux de la configuration",
            path.display(),
            other.display()
        ),
        StoreError::RootAway { number } => {
            format!("le disque n° {number} du stockage, qui porte cela, manque : remontez-le")
        }
        other => format!("stockage : {other}"),
    }
}

fn keeper(error: &KeeperError) -> String {
    match error {
        KeeperError::Away { detail } => {
            format!("le gardien ne répond pas ({detail}) : Vigie est-il démarré (`vigie serve`) ?")
        }
        KeeperError::Forbidden { what } => format!("refusé : {what}"),
        KeeperError::NoPermit => "aucune autorisation : expirée, terminée ou jamais donnée".into(),
        KeeperError::NoSession => "pas de session : connectez-vous à nouveau".into(),
        KeeperError::Closed { hour } => {
            format!("les images de {hour} sont fermées : leur échéance est proche ou passée")
        }
        KeeperError::Malformed { what } => format!("demande refusée : {}", detail(what)),
        KeeperError::NoTrustedTime { .. } => {
            "l'heure n'est pas sûre : `vigie clock` montre chaque horloge, ce qui s'ensuit et le remède".into()
        }
        KeeperError::Failed { what } => format!("le gardien n'a pas pu : {}", detail(what)),
        KeeperError::LedgerAway { what } => {
            format!(
                "ni le registre ni sa réserve ne prennent d'écriture, donc personne ne consulte rien ({what}) : rétablissez l'un des deux disques"
            )
        }
    }
}

/// Details that people meet, English and French; `{}` stands for what they typed. Others keep their own words.
const DETAILS: [(&str, &str); 33] = [
    ("a delay is 1 to {} days (CSI L252-5)", "un délai vaut de 1 à {} jours (CSI L252-5)"),
    (
        "a camera has at least one purpose of CSI L251-2: `--purpose 5`",
        "une caméra a au moins une finalité (CSI L251-2) : `--purpose 5`",
    ),
    ("a camera's name has 1 to {} characters", "un nom de caméra a de 1 à {} caractères"),
    (
        "the camera's address holds a user name or password: give them apart",
        "l'adresse de la caméra contient un nom ou un mot de passe : donnez-les à part (`--user`, `--password-stdin`)",
    ),
    (
        "a camera named `{}` is in service: choose another name",
        "une caméra en service s'appelle déjà `{}` : choisissez un autre nom",
    ),
    (
        "no camera named `{}` is in service: `vigie camera list` names them",
        "aucune caméra en service ne s'appelle `{}` : `vigie camera list` les nomme",
    ),
    ("a password has {} characters", "un mot de passe a {} caractères (nombres extrêmes)"),
    (
        "a name has 1 to {} characters, no space at its ends",
        "un nom a de 1 à {} caractères, sans espace au début ni à la fin",
    ),
    (
        "the account of that name is disabled: choose another name",
        "le compte de ce nom est fermé : choisissez un autre nom",
    ),
    (
        "an account of that name has another role: choose another name",
        "un compte de ce nom a un autre rôle : choisissez un autre nom",
    ),
    (
        "no account has that name: `vigie account list` names them",
        "aucun compte n'a ce nom : `vigie account list` les nomme",
    ),
    (
        "a training that has not been held yet: give the day on which it was",
        "cette formation n'a pas encore eu lieu : donnez le jour où elle a été suivie",
    ),
    (
        "it is the only administrator: add another one first",
        "c'est le seul administrateur : ajoutez-en d'abord un autre",
    ),
    (
        "no provider is set: write `oidc.issuer` and `oidc.client_id` into the configuration and start Vigie again",
        "aucun fournisseur d'identité n'est réglé : écrivez `oidc.issuer` et `oidc.client_id` dans la configuration, puis redémarrez Vigie",
    ),
    (
        "these are no keys of a provider (RFC 7517): is the issuer's address right?",
        "ce ne sont pas les clés d'un fournisseur (RFC 7517) : l'adresse de `oidc.issuer` est-elle juste ?",
    ),
    (
        "a provider has 1 to {} signing keys (RSA, EC P-256)",
        "un fournisseur a de 1 à {} clés de signature (RSA, EC P-256)",
    ),
    (
        "the issuer is not that of `oidc.issuer`: tokens of another one are not taken",
        "ce n'est pas l'émetteur de `oidc.issuer` : les jetons d'un autre ne sont pas acceptés",
    ),
    ("a subject has 1 to {} characters", "un identifiant (subject) a de 1 à {} caractères"),
    (
        "this identity belongs to another account: `vigie account unbind` frees it",
        "cette identité est celle d'un autre compte : `vigie account unbind` la libère",
    ),
    ("this account is closed: it signs nobody in", "ce compte est fermé : il ne connecte plus personne"),
    ("this account has no identity of a provider", "ce compte n'est rattaché à aucune identité"),
    ("camera {} is not in service", "la caméra {} n'est pas en service"),
    (
        "another device answers now than the one that was shown: look again with `vigie camera confirm`",
        "un autre appareil répond que celui qui a été montré : regardez à nouveau avec `vigie camera confirm`",
    ),
    (
        "the camera was changed meanwhile: look again with `vigie camera confirm`",
        "la caméra a été changée entre-temps : regardez à nouveau avec `vigie camera confirm`",
    ),
    (
        "a rebuild of the catalog is ordered already and waits for the recorder: `vigie status` tells",
        "le catalogue est déjà à refaire, et l'ordre attend l'enregistreur : `vigie status` dit où il en est",
    ),
    (
        "the sub-stream is of another device: its host and port must be the camera's",
        "le flux secondaire est d'un autre appareil : son hôte et son port doivent être ceux de la caméra",
    ),
    (
        "the recorder did not look at the camera in time: is it running? `vigie status` tells",
        "l'enregistreur n'a pas regardé la caméra à temps : fonctionne-t-il ? `vigie status` le dit",
    ),
    (
        "the recorder did not take the order: is it running? `vigie status` tells",
        "l'enregistreur n'a pas pris l'ordre : fonctionne-t-il ? `vigie status` le dit",
    ),
    (
        "the camera's credentials do not open: they were sealed under another keyring; add it again",
        "les identifiants de la caméra ne s'ouvrent pas : ils ont été scellés sous un autre trousseau ; ajoutez-la à nouveau",
    ),
    ("no key is minted for {}", "aucune clé n'est faite pour {}"),
    (
        "no act `{}` is entered: `vigie act list --all` names them",
        "aucun acte `{}` n'est inscrit : `vigie act list --all` les nomme",
    ),
    (
        "several acts have the number `{}`: name it by its identity",
        "plusieurs actes portent le numéro `{}` : nommez-le par son identité",
    ),
    (
        "no such scan is kept: `vigie act list` shows which act has one",
        "cette numérisation n'est pas conservée : `vigie act list` montre quel acte en a une",
    ),
];

fn detail(what: &str) -> String {
    let said = DETAILS.iter().find_map(|(english, french)| match english.split_once("{}") {
        None => (*english == what).then(|| (*french).to_owned()),
        Some((before, after)) => {
            let typed = what.strip_prefix(before)?.strip_suffix(after)?;
            Some(french.replace("{}", typed))
        }
    });
    said.unwrap_or_else(|| what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_mistyped_setting_is_told_in_french_with_the_nearest_one() {
        let error = crate::Config::parse("[web]\nlistn = 1", Path::new("vigie.toml")).unwrap_err();
        assert_eq!(
            message(&error),
            "`vigie.toml` : il n'y a pas de réglage `web.listn` : vouliez-vous dire `web.listen` ?"
        );
    }

    #[test]
    fn what_the_keeper_refuses_is_told_in_french_with_what_was_typed() {
        let said = |what: &str| message(&KeeperError::Malformed { what: what.into() });
        assert_eq!(
            said("a camera named `gare` is in service: choose another name"),
            "demande refusée : une caméra en service s'appelle déjà `gare` : choisissez un autre nom"
        );
        assert_eq!(
            said("it is the only administrator: add another one first"),
            "demande refusée : c'est le seul administrateur : ajoutez-en d'abord un autre"
        );
        assert_eq!(said("something else"), "demande refusée : something else");
        for (english, french) in DETAILS {
            assert_eq!(english.matches("{}").count(), french.matches("{}").count(), "{english}");
        }
    }

    #[test]
    fn a_keeper_that_is_away_is_told_with_the_remedy() {
        let text = message(&KeeperError::Away { detail: "x".into() });
        assert!(text.contains("vigie serve"), "{text}");
    }
}
