//! Scene 4, its end: an investigator asks for what is destroyed, and gets the proof that nothing is left.

use super::{
    Shown,
    in_time::{self, Frozen},
    stage::Stage,
    story::Story,
};
use crate::programs::beside_us;
use domain::UtcMicros;
use serde_json::{Value, json};
use simulator::handover::{Desk, SECOND, requisition};
use std::{
    error::Error,
    fs,
    io::Write,
    process::{Command, Stdio},
};

/// Both packages wait for the same batch of the log.
pub fn show(stage: &Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros), frozen: &Frozen) -> Shown {
    let desk = &frozen.desk;
    let windows = json!([{"camera": stage.cameras[0], "from": recorded.0.to_string(), "to": recorded.1.to_string()}]);
    let entered = desk.first(&stage.site)?.post("/api/requisitions", &requisition(&windows, stage.now(), None))?;
    let number = entered["number"].as_str().unwrap_or_default().to_owned();
    story.say(
        format!("Un autre officier requiert toute l'heure (réquisition {number}) : trop tard. Deux personnes habilitées leur répondent."),
        format!("Another officer requires the whole hour (requisition {number}): too late. Two habilitated persons answer them."),
    );
    let late = begin(stage, desk, &entered["id"], &windows)?;
    let in_time = begin(stage, desk, &frozen.requisition, &frozen.windows)?;
    let (holds, told) = read(stage, desk, &late)?;
    story.quote(&format!("vigie-verify evidence\n{}", told.trim()));
    story.claim(
        holds && told.contains("sont détruites"),
        "Le dossier remis ne contient aucune image, et prouve pourquoi : sur l'ordinateur d'un étranger, hors ligne, le registre \
         atteste la destruction de chaque heure demandée.",
        "The package holds no picture and proves why: on a stranger's computer, offline, the log attests the destruction of each \
         hour asked for.",
    );
    in_time::judge(story, &read(stage, desk, &in_time)?)
}

/// A package under way: its export, and what opens it.
struct Begun {
    export: String,
    passphrase: String,
}

fn begin(stage: &Stage, desk: &Desk, requisition: &Value, windows: &Value) -> Result<Begun, Box<dyn Error>> {
    let opened = desk.allow(&stage.site, requisition, windows, SECOND)?;
    let export = opened["id"].as_str().ok_or("no export was opened")?.to_owned();
    let passphrase = desk.make(&stage.site, &export)?;
    Ok(Begun { export, passphrase })
}

/// Takes the package, as its reader checks it.
fn read(stage: &Stage, desk: &Desk, begun: &Begun) -> Result<(bool, String), Box<dyn Error>> {
    desk.until_ready(&stage.site, &begun.export, |_, _| {})?;
    let path = stage.scratch().join("remise.zip.age");
    fs::write(&path, desk.take(&stage.site, &begun.export)?)?;
    let said = stage.site.run(&["public", "key"], None)?;
    let key = said.split_whitespace().find(|word| word.starts_with("vigie/")).ok_or("no key is published")?.to_owned();
    verified(&path.display().to_string(), &key, &begun.passphrase)
}

/// Whether it holds, and what the program says in French.
fn verified(path: &str, key: &str, passphrase: &str) -> Result<(bool, String), Box<dyn Error>> {
    let mut command = Command::new(beside_us("vigie-verify")?);
    command.args(["evidence", path, "--key", key, "--passphrase"]).env("VIGIE_LANG", "fr");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        writeln!(input, "{passphrase}")?;
    }
    let output = child.wait_with_output()?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
}
