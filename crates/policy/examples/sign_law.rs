//! Signs the law pack in `law/fr` with a publisher's key: `cargo run -p policy --example sign_law -- SEED_FILE [NAME]`.
//!
//! The seed file is 64 hexadecimal digits, kept outside the repository; a missing one is created, readable by its owner only.
//! `law/publisher.key` gets the key that programs pin: review it like code, because it decides whose law is obeyed.

use policy::law::{
    Law,
    files::{NAMES, PackFiles, SIGNATURE, TOWN},
    signature::{Publisher, hex},
};
use std::{env, error::Error, fs, io::Read, os::unix::fs::OpenOptionsExt, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let seed_file = arguments.next().ok_or("name the file of the publisher's seed")?;
    let name = arguments.next().unwrap_or_else(|| "vigie-law".to_owned());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../law");
    let read =
        |name: &&str| Ok::<_, Box<dyn Error>>(((*name).to_owned(), fs::read_to_string(folder.join("fr").join(name))?));
    let named: Vec<&str> = NAMES.into_iter().filter(|name| *name != SIGNATURE).collect();
    let files = PackFiles::new(named.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    let law = Law::load_unsigned(&files, TOWN)?; // nothing is signed that would not be taken
    let publisher = Publisher::new(&name, &seed(Path::new(&seed_file))?);
    fs::write(folder.join("fr").join(SIGNATURE), publisher.sign(&files)?)?;
    fs::write(folder.join("publisher.key"), format!("{}\n", publisher.verifier_key()))?;
    println!("{} rules signed, digest {}", law.rules().len(), hex(&files.digest()));
    Ok(())
}

fn seed(path: &Path) -> Result<[u8; 32], Box<dyn Error>> {
    if !path.exists() {
        let mut seed = [0; 32];
        fs::File::open("/dev/urandom")?.read_exact(&mut seed)?;
        let mut options = fs::OpenOptions::new();
        std::io::Write::write_all(
            &mut options.write(true).create_new(true).mode(0o600).open(path)?,
            hex(&seed).as_bytes(),
        )?;
        return Ok(seed);
    }
    let text = fs::read_to_string(path)?;
    let bytes: Result<Vec<u8>, _> =
        (0..32).map(|at| u8::from_str_radix(text.trim().get(at * 2..at * 2 + 2).unwrap_or("x"), 16)).collect();
    Ok(bytes?.try_into().map_err(|_| "64 hexadecimal digits expected")?)
}
