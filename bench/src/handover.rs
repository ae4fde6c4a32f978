//! What a package of evidence costs: Vigie makes it (opens, cuts, proves, hashes, seals), and beside it `ffmpeg -c copy` and `sha256sum`
//! go over the same pictures.

use crate::{Outcome, looks, processes::cpu_seconds, table::line};
use domain::{Sensitive, UtcMicros};
use evidence::{FileRole, Files, Manifest};
use serde_json::{Value, json};
use simulator::{
    handover::{Desk, SECOND, requisition},
    installation::Installation,
};
use std::{fs, path::Path, process::Command, time::Duration};
use vigie_verify::{Archive, Opening, SealedReader};

/// Vigie may cost so many times what the two programs cost.
const RATIO_MAX: f64 = 1.5;
/// A package is made at least so many times faster than its pictures were filmed.
const SPEED_MIN: f64 = 20.0;
/// How much of each camera leaves.
const LONG_SECONDS: i64 = 30;
/// Between two looks at a package that is made.
const SHORTEST: Duration = Duration::from_millis(200);

/// One package, and the same pictures by the programs that everybody has.
pub struct Measured {
    cameras: usize,
    bytes: u64,
    vigie_seconds: f64,
    copied_seconds: f64,
    /// While pictures were written, without waiting for reels and the log.
    made: Duration,
}

/// Footage of `cameras` up to `until` is handed over; nothing is recorded meanwhile.
pub fn measure(site: &Installation, cameras: &[String], until: UtcMicros, out: &Path) -> Outcome<Measured> {
    let password = |of: &str| Sensitive::new(format!("mot de passe de {of} 5d1c"));
    let desk = Desk::open(site, password("un"), password("deux"))?;
    let from = until.plus_seconds(-LONG_SECONDS);
    let window = |camera: &String| json!({"camera": camera, "from": from.to_string(), "to": until.to_string()});
    let windows = Value::Array(cameras.iter().map(window).collect());
    // received after both accounts were there
    let registered = desk.first(site)?.post("/api/requisitions", &requisition(&windows, looks::now(), None))?;
    let export = desk.allow(site, &registered["id"], &windows, SECOND)?;
    let id = export["id"].as_str().ok_or("no export was opened")?.to_owned();
    let pids = ["keeper", "web"].map(|role| site.process_of(role).unwrap_or_default());
    let cpu = || pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>();
    let before = cpu();
    let passphrase = desk.make(site, &id)?;
    let mut made = Duration::ZERO;
    desk.until_ready(site, &id, |told, since| {
        if told["state"] == "pictures" {
            made += since;
        }
    })?;
    let vigie_seconds = cpu() - before;
    let sealed = out.join("package.zip.age");
    fs::write(&sealed, desk.take(site, &id)?)?;
    let reader = SealedReader::open(fs::File::open(&sealed)?, &Opening::Passphrase(passphrase.into()))?;
    let folder = out.join("package");
    let archive = Archive::open(reader, "package")?;
    archive.unpack(&folder)?;
    let (bytes, copied_seconds) = copied(&archive, &folder)?;
    fs::remove_dir_all(&folder)?;
    fs::remove_file(&sealed)?;
    // shorter than between two looks counts as that
    let made = made.max(SHORTEST);
    Ok(Measured { cameras: cameras.len(), bytes, vigie_seconds, copied_seconds, made })
}

/// Bytes of pictures, and CPU seconds of the two programs over them.
fn copied(archive: &Archive<SealedReader<fs::File>>, folder: &Path) -> Outcome<(u64, f64)> {
    let listed = archive.list()?;
    let manifest = listed.iter().find(|(path, _)| path == evidence::MANIFEST).ok_or("no manifest")?;
    let manifest = Manifest::from_bytes(&archive.read(&manifest.0, 0, manifest.1 as usize)?)?;
    let movies: Vec<_> = manifest.files.iter().filter(|file| file.role == FileRole::Movie).collect();
    let before = cpu_seconds(std::process::id());
    for movie in &movies {
        let (from, to) = (folder.join(&movie.path), folder.join("copy.mp4"));
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-i"]).arg(&from).args(["-c", "copy"]).arg(&to);
        if !ffmpeg.status()?.success() {
            return Err(format!("{} was not copied", movie.path).into());
        }
        if !Command::new("sha256sum").arg(&to).output()?.status.success() {
            return Err(format!("{} was not hashed", movie.path).into());
        }
    }
    Ok((movies.iter().map(|movie| movie.bytes).sum(), cpu_seconds(std::process::id()) - before))
}

impl Measured {
    pub fn markdown(&self) -> String {
        let gigabytes = self.bytes as f64 / 1e9;
        let (vigie, copied) = (self.vigie_seconds / gigabytes, self.copied_seconds / gigabytes);
        let ratio = self.vigie_seconds / self.copied_seconds;
        let filmed = self.cameras as f64 * LONG_SECONDS as f64;
        let speed = filmed / self.made.as_secs_f64();
        let mut text = format!(
            "# A package of {} cameras, {LONG_SECONDS} s each, {:.0} MB\n\n",
            self.cameras,
            self.bytes as f64 / 1e6
        );
        text += "| | CPU s/GB | goal |\n| --- | --- | --- |\n";
        line(&mut text, &format!("| Vigie, keeper and web | {vigie:.2} | |"));
        line(&mut text, &format!("| `ffmpeg -c copy`, then `sha256sum` | {copied:.2} | |"));
        line(&mut text, &format!("| ratio | {ratio:.2} | ≤ {RATIO_MAX} |"));
        line(&mut text, &format!("| times faster than filmed | {speed:.0} | ≥ {SPEED_MIN} |"));
        text
    }
}
