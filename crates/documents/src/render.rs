//! Has a paper printed by the program `vigie-papers`: JSON on its input, a PDF on its output, in bounded time and room.

use crate::Paper;
use domain::limit::{PAPER_BYTES_MAX, PAPER_JSON_BYTES_MAX, PAPER_SECONDS_MAX, PAPER_WORDS_BYTES_MAX};
use std::{
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often it is looked whether the program has ended.
const LOOK: Duration = Duration::from_millis(5);

/// What one paper may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RenderLimits {
    pub time: Duration,
    /// Of the PDF.
    pub bytes: u64,
}

impl Default for RenderLimits {
    fn default() -> RenderLimits {
        RenderLimits { time: Duration::from_secs(PAPER_SECONDS_MAX), bytes: PAPER_BYTES_MAX as u64 }
    }
}

/// Why there is no PDF. Nothing of the paper's content is repeated.
#[derive(Debug, thiserror::Error)]
pub enum PapersError {
    #[error("the paper cannot be written as JSON: a date lies outside the calendar")]
    Json,
    #[error("the paper has {bytes} bytes, {PAPER_JSON_BYTES_MAX} are read: ask for a shorter time or fewer lines")]
    TooLarge { bytes: usize },
    #[error("`{program}` does not start ({source}): install it beside `vigie`, or name where it is", program = program.display())]
    NotStarted { program: PathBuf, source: io::Error },
    #[error(
        "`vigie-papers` ended without a paper ({status}): {words}; take the program of the same version as `vigie`"
    )]
    NotPrinted { status: ExitStatus, words: String },
    #[error("`vigie-papers` was stopped after {seconds} s: ask for a shorter time or fewer lines")]
    Slow { seconds: u64 },
    #[error("the PDF is larger than {bytes} bytes: ask for a shorter time or fewer lines")]
    PdfTooLarge { bytes: u64 },
    #[error("`vigie-papers` could not be spoken to ({source}): try again")]
    Pipe { source: io::Error },
    #[error("nobody prints at `{socket}`: install `vigie-papers` beside `vigie`, and start `vigie serve` again", socket = socket.display())]
    NotInstalled { socket: PathBuf },
    #[error("`vigie-papers` did not print this paper ({words}): take the program of the same version as `vigie`")]
    Refused { words: String },
    #[error("`vigie-papers` ended in the middle of its answer: try again; the technical log tells why")]
    CutOff,
}

/// The PDF of a paper. It blocks until the program has ended.
pub fn render(program: &Path, paper: &Paper, limits: RenderLimits) -> Result<Vec<u8>, PapersError> {
    let json = written(paper)?;
    let mut command = Command::new(program);
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let not_started = |source| PapersError::NotStarted { program: program.to_owned(), source };
    let mut child = command.spawn().map_err(not_started)?;
    let input = child.stdin.take().map(|pipe| thread::spawn(move || write_all(pipe, &json)));
    let output = child.stdout.take().map(|pipe| thread::spawn(move || read_up_to(pipe, limits.bytes + 1)));
    let words = child.stderr.take().map(|pipe| thread::spawn(move || read_up_to(pipe, PAPER_WORDS_BYTES_MAX as u64)));
    // one that was ended is not waited for further: its pipes may have been inherited
    let status = wait(&mut child, limits.time)?.ok_or(PapersError::Slow { seconds: limits.time.as_secs() })?;
    let sent = joined(input);
    let (output, words) = (joined(output), joined(words));
    let pdf = output.map_err(|source| PapersError::Pipe { source })?;
    if pdf.len() as u64 > limits.bytes {
        return Err(PapersError::PdfTooLarge { bytes: limits.bytes });
    }
    if !status.success() {
        return Err(PapersError::NotPrinted { status, words: first_line(&words.unwrap_or_default()) });
    }
    // a program that read less than all of it has printed something else
    sent.map_err(|source| PapersError::Pipe { source })?;
    Ok(pdf)
}

/// As `vigie-papers` reads it.
pub(crate) fn written(paper: &Paper) -> Result<Vec<u8>, PapersError> {
    let json = serde_json::to_vec(paper).map_err(|_| PapersError::Json)?;
    if json.len() > PAPER_JSON_BYTES_MAX { Err(PapersError::TooLarge { bytes: json.len() }) } else { Ok(json) }
}

/// `None`: its time was over, and it was ended.
fn wait(child: &mut Child, time: Duration) -> Result<Option<ExitStatus>, PapersError> {
    let pipe = |source| PapersError::Pipe { source };
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().map_err(pipe)? {
            return Ok(Some(status));
        }
        if begun.elapsed() >= time {
            child.kill().map_err(pipe)?;
            child.wait().map_err(pipe)?;
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

fn write_all(mut pipe: ChildStdin, bytes: &[u8]) -> io::Result<Vec<u8>> {
    pipe.write_all(bytes)?;
    Ok(vec![])
}

/// Reads no more than so much; the pipe is closed then, which ends whoever goes on writing.
fn read_up_to(pipe: impl Read, bytes: u64) -> io::Result<Vec<u8>> {
    let mut read = vec![];
    pipe.take(bytes).read_to_end(&mut read)?;
    Ok(read)
}

fn joined(thread: Option<JoinHandle<io::Result<Vec<u8>>>>) -> io::Result<Vec<u8>> {
    let ended = thread.map(JoinHandle::join);
    ended.and_then(Result::ok).unwrap_or_else(|| Err(io::Error::other("a pipe is missing")))
}

pub(crate) fn first_line(words: &[u8]) -> String {
    let words = String::from_utf8_lossy(words);
    let line = words.lines().next().unwrap_or_default().trim();
    if line.is_empty() { "it said nothing".into() } else { line.trim_start_matches("vigie-papers: ").to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, examples};
    use std::{fs, os::unix::fs::PermissionsExt};

    const FAST: RenderLimits = RenderLimits { time: Duration::from_secs(20), bytes: 1_000 };

    /// What [`render`] says of a program that does this.
    fn check(script: &str, limits: RenderLimits) -> Result<Vec<u8>, PapersError> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        render(&program, &examples::minimal("letter", Language::Fr), limits)
    }

    #[test]
    fn the_program_gets_the_paper_and_no_environment_and_its_output_comes_back() {
        let json = serde_json::to_vec(&examples::minimal("letter", Language::Fr)).unwrap();
        let limits = RenderLimits { bytes: 100_000, ..FAST };
        assert_eq!(check("exec /bin/cat", limits).unwrap(), json);
        // what a shell sets by itself
        let own = ["PWD=", "SHLVL=", "_=", "OLDPWD="];
        let environment = check("/bin/cat >/dev/null; exec /usr/bin/env", limits).unwrap();
        let environment = String::from_utf8(environment).unwrap();
        let foreign: Vec<&str> =
            environment.lines().filter(|line| !own.iter().any(|name| line.starts_with(name))).collect();
        assert_eq!(foreign, Vec::<&str>::new());
    }

    #[test]
    fn a_program_that_fails_is_quoted_in_one_line() {
        let failed = check("echo 'vigie-papers: no JSON' >&2; echo more >&2; exit 2", FAST).unwrap_err().to_string();
        assert!(failed.contains("no JSON; take the program") && !failed.contains("more"), "{failed}");
        let silent = check("exit 1", FAST).unwrap_err().to_string();
        assert!(silent.contains("it said nothing"), "{silent}");
        let flood = check("while echo x; do :; done >&2", FAST).unwrap_err();
        assert!(matches!(flood, PapersError::NotPrinted { .. } | PapersError::Slow { .. }), "{flood}");
    }

    #[test]
    fn a_program_that_does_not_end_is_ended() {
        let limits = RenderLimits { time: Duration::from_millis(50), ..FAST };
        assert!(matches!(check("exec /bin/sleep 600", limits), Err(PapersError::Slow { .. })));
    }

    #[test]
    fn more_bytes_than_allowed_are_no_paper() {
        let exact = check("/bin/cat >/dev/null; exec /usr/bin/head -c 1000 /dev/zero", FAST);
        assert_eq!(exact.unwrap().len(), 1_000);
        let more = check("/bin/cat >/dev/null; exec /usr/bin/head -c 9000000 /dev/zero", FAST);
        assert!(matches!(more, Err(PapersError::PdfTooLarge { bytes: 1_000 })), "{more:?}");
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let program = Path::new("/nowhere/vigie-papers");
        let missing = render(program, &examples::minimal("letter", Language::Fr), FAST).unwrap_err().to_string();
        assert!(missing.contains("`/nowhere/vigie-papers` does not start"), "{missing}");
    }

    #[test]
    fn a_paper_that_is_too_large_is_not_sent() {
        let mut paper = examples::minimal("letter", Language::Fr);
        paper.reference = "x".repeat(PAPER_JSON_BYTES_MAX);
        assert!(matches!(render(Path::new("/bin/true"), &paper, FAST), Err(PapersError::TooLarge { .. })));
    }

    #[test]
    fn every_paper_reads_back_as_it_was_written() {
        for kind in examples::KINDS {
            for paper in [examples::full(kind, Language::Fr), examples::minimal(kind, Language::En)] {
                let json = serde_json::to_string(&paper).unwrap();
                assert_eq!(serde_json::from_str::<Paper>(&json).unwrap(), paper, "{kind}");
                assert_eq!(paper.says.kind(), kind);
                assert!(!format!("{paper:?}").contains("Officier"), "a person's name prints: {paper:?}");
            }
        }
    }
}
