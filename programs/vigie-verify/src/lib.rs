//! Checks a public log from outside: signature, tree, growth, witnesses, one entry, programs. Each thing that can be wrong is a named
//! finding with a sentence and an exit code of its own.

mod check;
mod cli;
mod finding;
mod program;
mod source;
mod walk;

pub use check::{LeafAsked, LogQuestion, Verdict, check_log};
pub use cli::main;
pub use finding::Finding;
pub use source::{Source, SourceError};
