//! `vigie-bench`: what the ledger takes, what a month's catalog costs; CPU per gigabyte, memory per camera and frames lost, of Vigie and of FFmpeg beside it;
//! what a look costs meanwhile, and what a package of evidence costs. As tables.
//!
//! Everything runs on 127.0.0.1 and ends by itself. Ratios within one run hold; absolute figures move with the machine.

mod catalog;
mod clip;
mod counting;
mod ffmpeg;
mod handover;
mod ledger;
mod limit;
mod looks;
mod processes;
mod source;
mod table;
mod town;

use clap::{Parser, ValueEnum};
use source::Source;
use std::{error::Error, fs, path::PathBuf, process::ExitCode, time::Duration};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What recording, looking and the ledger cost
#[derive(Parser)]
#[command(name = "vigie-bench", version)]
struct Arguments {
    /// The program to be measured, built with optimisation
    #[arg(long)]
    program: PathBuf,
    /// Where clip, footage and the table go; footage is removed at the end
    #[arg(long)]
    out: PathBuf,
    #[arg(long, default_value_t = 50)]
    cameras: u32,
    #[arg(long, default_value_t = 4_000)]
    kilobits: u32,
    /// Measured time of each recorder, after it has warmed up
    #[arg(long, default_value_t = 40)]
    seconds: u64,
    /// Only Vigie
    #[arg(long)]
    alone: bool,
    /// How many entries the ledger gets
    #[arg(long, default_value_t = 1_000_000)]
    entries: u64,
    /// How many looks are timed while all cameras are recorded
    #[arg(long, default_value_t = 200)]
    looks: u32,
    /// Days of footage in the catalog that is measured
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Only this part
    #[arg(long, value_enum)]
    only: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Entries a second, to prove one, to open it again
    Ledger,
    /// A month of footage: to open it, to draw a day, to let an hour die
    Catalog,
    /// CPU and memory of 50 cameras, and looks meanwhile
    Recording,
}

/// What one recorder cost over the measured time.
pub struct Cost {
    pub name: String,
    pub cpu_seconds: f64,
    pub bytes: u64,
    pub frames: u64,
    /// Resident and proportional memory of all its processes, bytes.
    pub resident: u64,
    pub proportional: u64,
    /// Parts of its CPU, by name.
    pub parts: Vec<(String, f64)>,
    /// Frames sent and not recorded; `None` where it was not counted.
    pub lost: Option<i64>,
    /// Frames that the source itself left out because nobody read them.
    pub skipped: u64,
}

impl Cost {
    /// CPU seconds for 10⁹ bytes.
    pub fn per_gigabyte(&self) -> f64 {
        self.cpu_seconds / self.bytes as f64 * 1e9
    }
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    fs::create_dir_all(&arguments.out)?;
    let asked = |part| arguments.only.is_none_or(|only| only == part);
    if asked(Part::Ledger) {
        let measured = ledger::measure(&arguments.out.join("log"), arguments.entries)?;
        tell(arguments, "ledger.md", &measured.markdown())?;
    }
    if asked(Part::Catalog) {
        let measured = catalog::measure(&arguments.out.join("catalog"), arguments.cameras, arguments.days)?;
        tell(arguments, "catalog.md", &measured.markdown())?;
    }
    if asked(Part::Recording) {
        record(arguments)?;
    }
    Ok(())
}

fn record(arguments: &Arguments) -> Outcome<()> {
    let coded = clip::prepare(&arguments.out, arguments.kilobits)?;
    let time = Duration::from_secs(arguments.seconds);
    let source = || Source::start(coded.clone(), arguments.cameras);
    let (vigie, looks, handed) = town::measure(&arguments.program, &arguments.out, &source()?, time, arguments.looks)?;
    tell(arguments, "looks.md", &looks.markdown(arguments.cameras))?;
    tell(arguments, "handover.md", &handed.markdown())?;
    let mut costs = vec![vigie];
    if !arguments.alone {
        costs.push(ffmpeg::measure(&arguments.out, &source()?, time)?);
        costs.push(limit::drain(&source()?, time / 2)?);
    }
    let text = table::markdown(arguments.cameras, arguments.seconds, &costs, &limit::primitives());
    tell(arguments, "recording.md", &text)
}

fn tell(arguments: &Arguments, name: &str, text: &str) -> Outcome<()> {
    println!("\n{text}");
    let path = arguments.out.join(name);
    fs::write(&path, text)?;
    println!("written to {}", path.display());
    Ok(())
}
