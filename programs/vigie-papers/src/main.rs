//! `vigie-papers`: one paper as JSON on its input, its PDF on its output. It reaches no file, no network and no clock.
//!
//! With `--socket` its input is a listening socket: it waits for one caller, prints that one's paper, and ends (decision 0077).
//!
//! Codes: 0 printed, or a caller answered, 1 not printed for a reason of this program or machine, 2 the input is no paper. Whatever is
//! said on the error output repeats nothing of the input: papers name persons.

mod coding;
mod confinement;
mod instants;
mod print;
mod socket;
mod text;
mod values;
mod world;

use documents::{FORMAT, Paper};
use domain::limit::PAPER_JSON_BYTES_MAX;
use std::{
    io::{self, Read, Write},
    process::ExitCode,
};

/// Why there is no paper.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(
        "it takes one paper as JSON on its input and gives its PDF on its output; or `--socket`, and its input is a socket that listens"
    )]
    Arguments,
    #[error("it could not give up what it does not need ({0}): it prints nothing then")]
    Confinement(#[from] confinement::ConfinementError),
    #[error("its input cannot be read ({0})")]
    Input(io::Error),
    #[error("the input has more than {PAPER_JSON_BYTES_MAX} bytes: ask for a shorter time or fewer lines")]
    TooLarge,
    #[error("the input is no paper: {what} at line {line}, column {column}; crate `documents` has the form")]
    NoPaper { what: &'static str, line: usize, column: usize },
    #[error("the paper has another format, this program prints format {FORMAT}: take the program of the same version")]
    Format,
    #[error(transparent)]
    Print(#[from] print::PrintError),
    #[error("the PDF could not be handed over ({0})")]
    Output(io::Error),
    #[error("its input is no socket at which somebody can be awaited ({0}): `vigie serve` starts it with one")]
    Listener(io::Error),
}

impl Failed {
    fn code(&self) -> ExitCode {
        match self {
            Failed::Arguments | Failed::TooLarge | Failed::NoPaper { .. } | Failed::Format => ExitCode::from(2),
            _ => ExitCode::FAILURE,
        }
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("vigie-papers: {failed}");
            failed.code()
        }
    }
}

fn run() -> Result<(), Failed> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [] => print_input(),
        [one] if one == "--socket" => socket::print_one(),
        _ => Err(Failed::Arguments),
    }
}

/// 1 give up files, sockets and room · 2 read · 3 understand · 4 print · 5 hand over. Nothing of the input is read before 1.
fn print_input() -> Result<(), Failed> {
    confinement::enter()?; // 1
    let json = all_of(io::stdin())?; // 2
    let paper = read(&json)?; // 3
    let pdf = print::pdf(&paper)?; // 4
    let mut out = io::stdout().lock(); // 5
    out.write_all(&pdf).and_then(|()| out.flush()).map_err(Failed::Output)
}

/// One byte more than allowed, to be told.
fn all_of(input: impl Read) -> Result<Vec<u8>, Failed> {
    let mut json = vec![];
    input.take(PAPER_JSON_BYTES_MAX as u64 + 1).read_to_end(&mut json).map_err(Failed::Input)?;
    Ok(json)
}

fn read(json: &[u8]) -> Result<Paper, Failed> {
    if json.len() > PAPER_JSON_BYTES_MAX {
        return Err(Failed::TooLarge);
    }
    // what serde says of a value quotes it
    let paper: Paper = serde_json::from_slice(json).map_err(|error| Failed::NoPaper {
        what: match error.classify() {
            serde_json::error::Category::Eof => "it ends too early",
            serde_json::error::Category::Data => "a field that is missing, unknown or of another kind",
            _ => "no JSON",
        },
        line: error.line(),
        column: error.column(),
    })?;
    if paper.format == FORMAT { Ok(paper) } else { Err(Failed::Format) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_paper_is_refused_in_one_line_that_repeats_nothing_of_it() {
        let whole = serde_json::to_string(&documents::examples::full("delivery", documents::Language::Fr)).unwrap();
        let wrong = [
            String::new(),
            "{".into(),
            "Dupont".into(),
            r#"{"Dupont": 1}"#.into(),
            whole.replacen("\"format\":1", "\"format\":2", 1),
            whole.replacen("\"language\":\"fr\"", "\"language\":\"Dupont\"", 1),
            whole.replacen("\"number\":", "\"Dupont\":", 1),
            whole.replacen("2026-0001", "Dupont\",\"unknown\":\"", 1),
            format!("{whole}Dupont"),
            " ".repeat(PAPER_JSON_BYTES_MAX + 1),
        ];
        assert!(read(whole.as_bytes()).is_ok());
        for text in wrong {
            let failed = read(text.as_bytes()).unwrap_err();
            let words = failed.to_string();
            assert!(!words.contains("Dupont") && words.lines().count() == 1, "{words}");
            assert_eq!(format!("{:?}", failed.code()), format!("{:?}", ExitCode::from(2)), "{words}");
        }
    }
}
