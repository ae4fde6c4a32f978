//! Checks from outside what a town publishes and hands over. A public log: signature, tree, growth, witnesses, one entry, programs. A
//! package of evidence: pictures, proofs, manifest. Each thing that can be wrong is a named
//! finding with a sentence and an exit code of its own.

mod archive;
mod check;
mod cli;
mod evidence_cli;
mod finding;
mod package;
mod parts;
mod program;
mod sealed;
mod source;
mod timestamp;
mod walk;

pub use archive::Archive;
pub use check::{LeafAsked, LogQuestion, Verdict, check_log};
pub use cli::main;
pub use finding::Finding;
pub use package::Folder;
pub use sealed::{Opening, SealedReader};
pub use source::{Source, SourceError};
