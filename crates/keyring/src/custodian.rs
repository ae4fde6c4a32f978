//! What may be said about a custodian: its kind, its copies, and the sentence that every statement must print (K3).

use std::{fmt, path::PathBuf};

/// Where keys live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CustodianKind {
    /// The memory of one process: tests.
    Memory,
    /// Files sealed under a passphrase, in two folders.
    File,
}

/// The kind of custodian, its copies and their state, as status, certificates and statements print it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Custodian {
    pub kind: CustodianKind,
    pub copies: Vec<CopyStatus>,
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
    Failed { what: String },
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
    /// Whether no copy is away: what was destroyed is gone from every copy that counts.
    pub fn confirmed(&self) -> bool {
        self.copies.iter().all(|copy| !matches!(copy.state, CopyState::Away(_)))
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
