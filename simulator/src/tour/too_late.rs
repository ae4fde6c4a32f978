//! Scene 4, its end: an investigator asks for what is destroyed, and gets the proof that nothing is left.

use super::{Shown, stage::Stage, story::Story};
use crate::programs::{beside_us, password};
use domain::UtcMicros;
use serde_json::json;
use simulator::handover::{Desk, SECOND, requisition};
use std::{
    error::Error,
    fs,
    io::Write,
    process::{Command, Stdio},
};

pub fn show(stage: &Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros)) -> Shown {
    let desk = Desk::open(&stage.site, password()?, password()?)?;
    let windows = json!([{"camera": stage.cameras[0], "from": recorded.0.to_string(), "to": recorded.1.to_string()}]);
    let entered = desk.first(&stage.site)?.post("/api/requisitions", &requisition(&windows, stage.now(), None))?;
    let number = entered["number"].as_str().unwrap_or_default().to_owned();
    story.say(
        format!("Un officier de police judiciaire requiert ces images (réquisition {number}) : trop tard. Deux personnes habilitées lui répondent."),
        format!("An officer of the judicial police requires this footage (requisition {number}): too late. Two habilitated persons answer him."),
    );
    let export = desk.allow(&stage.site, &entered["id"], &windows, SECOND)?;
    let id = export["id"].as_str().ok_or("no export was opened")?.to_owned();
    let passphrase = desk.make(&stage.site, &id)?;
    desk.until_ready(&stage.site, &id, |_, _| {})?;
    let path = stage.scratch().join("remise.zip.age");
    fs::write(&path, desk.take(&stage.site, &id)?)?;
    let said = stage.site.run(&["public", "key"], None)?;
    let key = said.split_whitespace().find(|word| word.starts_with("vigie/")).ok_or("no key is published")?.to_owned();
    let (holds, told) = verified(&path.display().to_string(), &key, &passphrase)?;
    story.quote(&format!("vigie-verify evidence\n{}", told.trim()));
    story.claim(
        holds && told.contains("sont détruites"),
        "Le dossier remis ne contient aucune image, et prouve pourquoi : sur l'ordinateur d'un étranger, hors ligne, le registre \
         atteste la destruction de chaque heure demandée.",
        "The package holds no picture and proves why: on a stranger's computer, offline, the log attests the destruction of each \
         hour asked for.",
    );
    Ok(())
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
