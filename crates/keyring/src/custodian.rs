//! What may be said about a custodian: its kind, its copies, and the sentence that every statement must print (K3).

use crate::pkcs11::TokenFault;
use std::{fmt, path::PathBuf};

/// Where keys live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CustodianKind {
    /// The memory of one process: tests.
    Memory,
    /// Files sealed under a passphrase, in two folders.
    File,
    /// The same, and an object of a PKCS#11 token that says it is a device.
    Pkcs11Device,
    /// The same, and an object of a token that is software, such as SoftHSM, or does not say what it is.
    Pkcs11Software,
}

impl CustodianKind {
    /// As entries of the ledger, status and the console's interface write it.
    pub fn name(self) -> &'static str {
        match self {
            CustodianKind::Memory => "memory",
            CustodianKind::File => "file",
            CustodianKind::Pkcs11Device => "pkcs11-device",
            CustodianKind::Pkcs11Software => "pkcs11-software",
        }
    }
}

/// The kind of custodian, its copies and their state, as status, certificates and statements print it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custodian {
    pub kind: CustodianKind,
    pub copies: Vec<CopyStatus>,
    /// The token behind the root record, where there is one.
    pub token: Option<TokenStatus>,
    /// Files of dead pages that could not be removed: ciphertext whose key is gone (K10 step 5).
    pub residual: Vec<PathBuf>,
}

/// One copy of the keyring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyStatus {
    /// `None` for memory.
    pub path: Option<PathBuf>,
    pub state: CopyState,
}

/// The token behind the root record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenStatus {
    pub label: String,
    pub is_hardware: bool,
    /// Away also while it may still hold an object that must be dead.
    pub state: CopyState,
}

/// Whether a copy follows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CopyState {
    /// It holds the present generation in both slots, or the present and the one before.
    Present,
    /// It cannot be used; what was destroyed since may still be revived from it.
    Away(Away),
    /// It was given up by two persons and is not counted any more.
    WrittenOff,
}

/// Why a copy cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Away {
    FolderMissing,
    MarkerMissing,
    MarkerUnreadable,
    OtherSite,
    OtherKeyring,
    Newer,
    /// Written by a later program.
    LaterVersion {
        version: u16,
    },
    Token(Box<TokenFault>),
    Failed {
        what: String,
    },
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Away::FolderMissing => f.write_str("the folder is missing (is the device connected and mounted?)"),
            Away::MarkerMissing => f.write_str("the folder has no keyring marker (is the device mounted?)"),
            Away::MarkerUnreadable => {
                f.write_str("its marker is unreadable (restore the file `marker`, it is no secret)")
            }
            Away::OtherSite => f.write_str("its marker names another site (connect this site's device)"),
            Away::OtherKeyring => f.write_str("it belongs to another keyring (connect this keyring's device)"),
            Away::Newer => f.write_str("it is newer than what is in use (stop, and start again with both copies)"),
            Away::LaterVersion { version } => {
                write!(f, "it is of version {version}, written by a later program (install that one again)")
            }
            Away::Token(fault) => write!(f, "{fault}"),
            Away::Failed { what } => write!(f, "{what}"),
        }
    }
}

/// A sentence in both languages of the product.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Statement {
    pub fr: &'static str,
    pub en: &'static str,
}

impl Custodian {
    /// Whether neither a copy nor the token is away: what was destroyed is gone from every place that counts.
    pub fn confirmed(&self) -> bool {
        let is_away = |state: &CopyState| matches!(state, CopyState::Away(_));
        !self.copies.iter().any(|copy| is_away(&copy.state)) && !self.token.iter().any(|token| is_away(&token.state))
    }

    pub fn copies_present(&self) -> usize {
        self.copies.iter().filter(|copy| copy.state == CopyState::Present).count()
    }

    /// What this kind of custodian cannot promise (K3).
    pub fn statement(&self) -> Statement {
        match self.kind {
            CustodianKind::File => Statement {
                fr: "Les clés sont gardées dans des fichiers. Une image du disque prise avant l'échéance, ou des restes sur \
                     le disque après l'échéance, avec la phrase secrète, font revivre ce qui a été détruit.",
                en: "The keys are kept in files. An image of the disk taken before the deadline, or remnants on it \
                     afterwards, plus the passphrase, revives what was destroyed.",
            },
            CustodianKind::Pkcs11Device => Statement {
                fr: "La racine des clés est dans un jeton PKCS#11 qui se déclare matériel. Une copie de tous les fichiers, avec \
                     la phrase secrète et le jeton d'aujourd'hui, n'ouvre rien de ce qui a été détruit. Une copie du jeton \
                     lui-même (sauvegarde, clone) faite avant l'échéance, avec son PIN, la phrase secrète et les fichiers \
                     d'alors, le ferait revivre.",
                en: "The root of the keys is in a PKCS#11 token that says it is a device. A copy of all files, with the \
                     passphrase and today's token, opens nothing that was destroyed. A copy of the token itself (backup, \
                     clone) made before the deadline, with its PIN, the passphrase and the files of then, would revive it.",
            },
            CustodianKind::Pkcs11Software => Statement {
                fr: "La racine des clés est dans un jeton PKCS#11 logiciel, donc dans des fichiers. Une image du disque prise \
                     avant l'échéance, jeton compris, ou des restes sur le disque après l'échéance, avec la phrase secrète et \
                     le PIN, font revivre ce qui a été détruit. Sans les fichiers du jeton d'alors, une telle image n'ouvre \
                     rien.",
                en: "The root of the keys is in a PKCS#11 token made of software, hence in files. An image of the disk taken \
                     before the deadline, token included, or remnants on it afterwards, plus the passphrase and the PIN, \
                     revives what was destroyed. Without the token's files of then such an image opens nothing.",
            },
            CustodianKind::Memory => Statement {
                fr: "Les clés ne sont gardées que dans la mémoire d'un programme et sont perdues avec lui : pour les essais.",
                en: "The keys are kept in one program's memory only and are lost with it: for tests.",
            },
        }
    }
}

/// The answer to a destruction: never dropped.
#[must_use = "a deletion's answer is never dropped"]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destroyed {
    /// A root generation that no longer has the keys.
    pub generation: u64,
    /// How many keys died by this call; 0 where they were dead already.
    pub keys: usize,
    /// The custodian after the destruction. While a copy is away the state is *condemned, unconfirmed* (K2).
    pub custodian: Custodian,
}

impl Destroyed {
    /// Whether every copy that counts confirmed.
    pub fn confirmed(&self) -> bool {
        self.custodian.confirmed()
    }
}
