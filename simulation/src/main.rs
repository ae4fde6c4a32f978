//! `vigie-simulation`: lives of a simulated town, each from its seed; a promise that does not hold ends it with the command
//! that shows it again.

use clap::Parser;
use simulation::live;
use std::process::ExitCode;

/// Lives of a whole town, each from one seed, with every promise checked after every step.
#[derive(Parser)]
struct Args {
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many seeds.
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    /// Steps of each life.
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// Tell each step, and what keeper and recorder say.
    #[arg(long)]
    tell: bool,
    /// Go on after a life that failed.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.tell {
        tracing_subscriber::fmt()
            .with_writer(std::io::stderr)
            .without_time()
            .with_max_level(tracing::Level::INFO)
            .init();
    }
    let (mut lived, mut failed) = (Vec::new(), 0);
    for seed in args.seed..args.seed + args.seeds {
        let mut tell = |number: usize, step| {
            if args.tell {
                eprintln!("seed {seed} step {number}: {step:?}");
            }
        };
        match live(seed, args.steps, &mut tell) {
            Ok(life) => lived.push(life),
            Err(failure) => {
                eprintln!("{failure}");
                failed += 1;
                if !args.all {
                    break;
                }
            }
        }
    }
    let sum = |of: fn(&simulation::Life) -> u64| lived.iter().map(of).sum::<u64>();
    println!(
        "{} lives of {} steps: {} chunks, {} entries, {} operations of the disk, {} simulated days; {failed} failed",
        lived.len(),
        args.steps,
        sum(|life| life.chunks as u64),
        sum(|life| life.entries as u64),
        sum(|life| life.operations),
        sum(|life| life.seconds as u64) / 86_400,
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
