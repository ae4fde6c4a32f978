//! What can be wrong with a token, with its remedy, in both languages. No message carries a PIN.

use cryptoki::error::{Error, RvError};
use std::{fmt, path::PathBuf};

/// Why the token did not do what it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TokenFault {
    ModuleMissing {
        module: PathBuf,
        what: String,
    },
    Absent {
        label: String,
    },
    Ambiguous {
        label: String,
    },
    WrongPin {
        label: String,
    },
    /// One more wrong PIN would lock the token: Vigie does not take the last try.
    LastTry {
        label: String,
    },
    PinLocked {
        label: String,
    },
    PinNotSet {
        label: String,
    },
    PinExpired {
        label: String,
    },
    Removed {
        label: String,
        what: String,
    },
    MechanismMissing {
        label: String,
        mechanism: &'static str,
    },
    Full {
        label: String,
    },
    WriteProtected {
        label: String,
    },
    /// It made a key that could be read out, or that would not outlive the session.
    Careless {
        label: String,
    },
    /// It does not give the same answer twice.
    Unfaithful {
        label: String,
    },
    /// The key behind the present root record is not in it any more.
    KeyGone {
        label: String,
    },
    /// A key that must be dead may still be in it: a destruction is not finished.
    OldKeyKept {
        label: String,
    },
    Failed {
        label: String,
        what: String,
    },
}

impl TokenFault {
    /// What a return value means; `mechanism` is what the call used.
    pub(super) fn of(error: &Error, label: &str, mechanism: &'static str) -> TokenFault {
        let (label, what) = (label.to_owned(), error.to_string());
        let Error::Pkcs11(value, _) = error else { return TokenFault::Failed { label, what } };
        match value {
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => TokenFault::WrongPin { label },
            RvError::PinLocked => TokenFault::PinLocked { label },
            RvError::UserPinNotInitialized => TokenFault::PinNotSet { label },
            RvError::PinExpired => TokenFault::PinExpired { label },
            RvError::DeviceRemoved
            | RvError::TokenNotPresent
            | RvError::TokenNotRecognized
            | RvError::SlotIdInvalid
            | RvError::SessionHandleInvalid
            | RvError::SessionClosed
            | RvError::UserNotLoggedIn
            | RvError::CryptokiNotInitialized => TokenFault::Removed { label, what },
            RvError::DeviceMemory => TokenFault::Full { label },
            RvError::TokenWriteProtected | RvError::SessionReadOnly => TokenFault::WriteProtected { label },
            RvError::MechanismInvalid | RvError::FunctionNotSupported | RvError::KeyFunctionNotPermitted => {
                TokenFault::MechanismMissing { label, mechanism }
            }
            _ => TokenFault::Failed { label, what },
        }
    }

    pub fn fr(&self) -> String {
        match self {
            TokenFault::ModuleMissing { module, what } => format!(
                "le module PKCS#11 `{}` ne peut pas être chargé ({what}) : installez le logiciel du fabricant, ou corrigez `pkcs11.module`",
                module.display()
            ),
            TokenFault::Absent { label } => format!(
                "le jeton `{label}` n'est pas là : branchez-le ou rétablissez sa liaison, ou corrigez `pkcs11.token`"
            ),
            TokenFault::Ambiguous { label } => format!(
                "plusieurs jetons se nomment `{label}` : débranchez les autres, ou renommez-les avec l'outil du fabricant"
            ),
            TokenFault::WrongPin { label } => format!(
                "le jeton `{label}` refuse le PIN : corrigez le fichier de `pkcs11.pin_file` (ou le secret systemd `vigie-pkcs11-pin`), puis relancez ; le PIN n'est pas essayé deux fois"
            ),
            TokenFault::LastTry { label } => format!(
                "il ne reste qu'un essai de PIN au jeton `{label}` et Vigie ne le prend pas : corrigez le fichier du PIN, ouvrez une fois le jeton avec l'outil du fabricant (`pkcs11-tool --login --test`), puis relancez"
            ),
            TokenFault::PinLocked { label } => format!(
                "le PIN du jeton `{label}` est bloqué : son responsable de sécurité (SO) le débloque avec l'outil du fabricant ; les clés sont intactes"
            ),
            TokenFault::PinNotSet { label } => format!(
                "le jeton `{label}` n'a pas de PIN d'utilisateur : donnez-lui-en un avec l'outil du fabricant (`pkcs11-tool --init-pin`)"
            ),
            TokenFault::PinExpired { label } => {
                format!(
                    "le PIN du jeton `{label}` a expiré : changez-le avec l'outil du fabricant, puis dans son fichier"
                )
            }
            TokenFault::Removed { label, what } => format!(
                "le jeton `{label}` ne répond plus ({what}) : rebranchez-le ou rétablissez sa liaison, il est repris dans la minute"
            ),
            TokenFault::MechanismMissing { label, mechanism } => format!(
                "le jeton `{label}` ne sait pas, ou ne permet pas, `{mechanism}` : autorisez-le dans sa configuration, ou choisissez un autre jeton"
            ),
            TokenFault::Full { label } => format!(
                "le jeton `{label}` est plein : supprimez-y des objets qui ne sont pas de Vigie, ou agrandissez sa partition"
            ),
            TokenFault::WriteProtected { label } => format!(
                "le jeton `{label}` est protégé en écriture : levez la protection, une destruction doit pouvoir y effacer une clé"
            ),
            TokenFault::Careless { label } => format!(
                "le jeton `{label}` fait des clés qui peuvent être lues ou qui ne durent pas : corrigez sa politique, ou choisissez un autre jeton"
            ),
            TokenFault::Unfaithful { label } => {
                format!("le jeton `{label}` ne donne pas deux fois la même réponse : remplacez-le")
            }
            TokenFault::KeyGone { label } => format!(
                "la clé du trousseau n'est plus dans le jeton `{label}` : n'arrêtez pas Vigie, une nouvelle clé est faite dans la minute ; cherchez qui l'a effacée"
            ),
            TokenFault::OldKeyKept { label } => format!(
                "le jeton `{label}` garde encore une ancienne clé : la destruction est reprise dans la minute ; si cela dure, faites examiner le jeton"
            ),
            TokenFault::Failed { label, what } => {
                format!("le jeton `{label}` a échoué ({what}) : consultez son journal et l'outil du fabricant")
            }
        }
    }
}

impl std::error::Error for TokenFault {}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFault::ModuleMissing { module, what } => write!(
                f,
                "the PKCS#11 module `{}` cannot be loaded ({what}): install the maker's software, or correct `pkcs11.module`",
                module.display()
            ),
            TokenFault::Absent { label } => write!(
                f,
                "the token `{label}` is not there: plug it in or restore its connection, or correct `pkcs11.token`"
            ),
            TokenFault::Ambiguous { label } => {
                write!(f, "several tokens are named `{label}`: unplug the others, or rename them with the maker's tool")
            }
            TokenFault::WrongPin { label } => write!(
                f,
                "the token `{label}` refuses the PIN: correct the file of `pkcs11.pin_file` (or the systemd credential `vigie-pkcs11-pin`), then start again; a PIN is not tried twice"
            ),
            TokenFault::LastTry { label } => write!(
                f,
                "one try of the PIN is left on token `{label}` and Vigie does not take it: correct the PIN's file, log in once with the maker's tool (`pkcs11-tool --login --test`), then start again"
            ),
            TokenFault::PinLocked { label } => write!(
                f,
                "the PIN of token `{label}` is locked: its security officer (SO) unlocks it with the maker's tool; the keys are unharmed"
            ),
            TokenFault::PinNotSet { label } => write!(
                f,
                "the token `{label}` has no user PIN: give it one with the maker's tool (`pkcs11-tool --init-pin`)"
            ),
            TokenFault::PinExpired { label } => {
                write!(f, "the PIN of token `{label}` has expired: change it with the maker's tool, then in its file")
            }
            TokenFault::Removed { label, what } => write!(
                f,
                "the token `{label}` does not answer any more ({what}): plug it in again or restore its connection, it is taken back within a minute"
            ),
            TokenFault::MechanismMissing { label, mechanism } => write!(
                f,
                "the token `{label}` cannot do, or does not permit, `{mechanism}`: allow it in its configuration, or choose another token"
            ),
            TokenFault::Full { label } => write!(
                f,
                "the token `{label}` is full: remove objects from it that are not Vigie's, or enlarge its partition"
            ),
            TokenFault::WriteProtected { label } => write!(
                f,
                "the token `{label}` is write protected: lift the protection, a destruction must be able to erase a key in it"
            ),
            TokenFault::Careless { label } => write!(
                f,
                "the token `{label}` makes keys that can be read or that do not last: correct its policy, or choose another token"
            ),
            TokenFault::Unfaithful { label } => {
                write!(f, "the token `{label}` does not give the same answer twice: replace it")
            }
            TokenFault::KeyGone { label } => write!(
                f,
                "the keyring's key is not in token `{label}` any more: do not stop Vigie, a new key is made within a minute; find out who erased it"
            ),
            TokenFault::OldKeyKept { label } => write!(
                f,
                "the token `{label}` still keeps an old key: the destruction is taken up again within a minute; if it stays so, have the token examined"
            ),
            TokenFault::Failed { label, what } => {
                write!(f, "the token `{label}` failed ({what}): consult its log and the maker's tool")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    fn fault(value: RvError) -> TokenFault {
        TokenFault::of(&Error::Pkcs11(value, Function::Login), "jeton", "CKM_SHA256_HMAC")
    }

    #[test]
    fn each_situation_of_a_token_is_told_apart_and_names_its_remedy_in_both_languages() {
        let label = || "jeton".to_owned();
        let what = || "CKR".to_owned();
        let said = [
            (TokenFault::ModuleMissing { module: "/m.so".into(), what: what() }, "pkcs11.module", "pkcs11.module"),
            (TokenFault::Absent { label: label() }, "branchez-le", "plug it in"),
            (TokenFault::Ambiguous { label: label() }, "débranchez les autres", "unplug the others"),
            (fault(RvError::PinIncorrect), "pkcs11.pin_file", "pkcs11.pin_file"),
            (fault(RvError::PinLenRange), "pkcs11.pin_file", "pkcs11.pin_file"),
            (TokenFault::LastTry { label: label() }, "ne le prend pas", "does not take it"),
            (fault(RvError::PinLocked), "(SO)", "(SO)"),
            (fault(RvError::UserPinNotInitialized), "--init-pin", "--init-pin"),
            (fault(RvError::PinExpired), "changez-le", "change it"),
            (fault(RvError::DeviceRemoved), "rebranchez-le", "plug it in again"),
            (fault(RvError::TokenNotPresent), "rebranchez-le", "plug it in again"),
            (fault(RvError::SessionHandleInvalid), "rebranchez-le", "plug it in again"),
            (fault(RvError::MechanismInvalid), "`CKM_SHA256_HMAC`", "`CKM_SHA256_HMAC`"),
            (fault(RvError::DeviceMemory), "est plein", "is full"),
            (fault(RvError::TokenWriteProtected), "levez la protection", "lift the protection"),
            (TokenFault::Careless { label: label() }, "corrigez sa politique", "correct its policy"),
            (TokenFault::Unfaithful { label: label() }, "remplacez-le", "replace it"),
            (TokenFault::KeyGone { label: label() }, "n'arrêtez pas", "do not stop"),
            (TokenFault::OldKeyKept { label: label() }, "faites examiner", "examined"),
            (fault(RvError::GeneralError), "consultez son journal", "consult its log"),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for (fault, fr, en) in said {
            let (french, english) = (fault.fr(), fault.to_string());
            assert!(french.contains(fr) && english.contains(en), "{french}\n{english}");
            // what the module itself says stands in parentheses, in its own words
            let ours = french.split_once('(').map_or(french.as_str(), |(before, _)| before);
            assert!([" the ", " is "].iter().all(|word| !ours.contains(word)), "{french}");
            seen.insert(format!("{:?}", std::mem::discriminant(&fault)));
        }
        assert_eq!(seen.len(), 17, "every situation stands above");
    }
}
