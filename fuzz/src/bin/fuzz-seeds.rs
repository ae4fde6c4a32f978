//! Names the fuzz targets, and writes the seeds of one into a folder: `fuzz-seeds names`, `fuzz-seeds write TARGET FOLDER`.

use std::{env, fs, io, path::Path, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["names"] => {
            fuzz::TARGETS.iter().for_each(|target| println!("{}", target.name));
            Ok(())
        }
        ["write", name, folder] => write(name, Path::new(folder)),
        _ => Err(io::Error::other("usage: fuzz-seeds names | fuzz-seeds write TARGET FOLDER")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz-seeds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write(name: &str, folder: &Path) -> io::Result<()> {
    let target = fuzz::TARGETS.iter().find(|target| target.name == name);
    let target = target.ok_or_else(|| io::Error::other(format!("there is no target `{name}`: `fuzz-seeds names`")))?;
    for (number, seed) in (target.seeds)().iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed)?;
    }
    Ok(())
}
