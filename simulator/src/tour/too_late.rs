//! Scene 4, its end: an investigator asks for what is destroyed, and gets the proof that nothing is left.

use super::{Shown, stage::Stage, story::Story};
use crate::programs::{beside_us, password};
use domain::{Sensitive, UtcMicros};
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const FIRST: &str = "brigadier";
const SECOND: &str = "cheffe";
/// A batch of the log closes within a minute; a machine under load takes longer.
const PATIENCE: Duration = Duration::from_secs(240);

pub fn show(stage: &Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros)) -> Shown {
    let (first, second) = (password()?, password()?);
    stage.site.add_account(FIRST, "municipal-police", &first)?;
    stage.site.add_account(SECOND, "municipal-police", &second)?;
    let browser = stage.site.sign_in(FIRST, &first)?;
    let windows = json!([{"camera": stage.cameras[0], "from": recorded.0.to_string(), "to": recorded.1.to_string()}]);
    let entered = browser.post("/api/requisitions", &requisition(&windows, stage.now()))?;
    let number = entered["number"].as_str().unwrap_or_default().to_owned();
    story.say(
        format!("Un officier de police judiciaire requiert ces images (réquisition {number}) : trop tard. Deux personnes habilitées lui répondent."),
        format!("An officer of the judicial police requires this footage (requisition {number}): too late. Two habilitated persons answer him."),
    );
    let export = browser.post("/api/exports", &ask(stage, &entered, &windows, &first, &second)?)?;
    let id = export["id"].as_str().ok_or("no export was opened")?.to_owned();
    let begun = browser.post(&format!("/api/exports/{id}/package"), &Value::Null)?;
    let passphrase = begun["passphrase"].as_str().ok_or("no passphrase was told")?.to_owned();
    let asked = Instant::now();
    while browser.get(&format!("/api/exports/{id}"))?["state"] != "ready" {
        if asked.elapsed() > PATIENCE {
            return Err("the package is not ready".into());
        }
        thread::sleep(Duration::from_millis(500));
    }
    let path = stage.scratch().join("remise.zip.age");
    fs::write(&path, browser.stream(&format!("/media/exports/{id}"), u64::MAX)?.1)?;
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

/// Urgent and oral: its paper follows within 24 hours.
fn requisition(windows: &Value, at: UtcMicros) -> Value {
    let at = at.to_string();
    json!({
        "known": null, "received": at, "means": "oral", "framework": "cpp60-1", "framework_other": "",
        "authority": {"name": "officier de permanence", "quality": "opj", "matricule": "1", "service": "commissariat", "court": ""},
        "authorisation_reference": null, "authorisation_general": null, "procedure": "visite guidée",
        "object": "excès de vitesse", "windows": windows, "scan": null,
        "genuine": {"at": at, "number": "17", "spoken_to": "chef de poste"}, "validator": "le maire",
    })
}

fn ask(
    stage: &Stage,
    entered: &Value,
    windows: &Value,
    first: &Sensitive<String>,
    second: &Sensitive<String>,
) -> Result<Value, Box<dyn Error>> {
    Ok(json!({
        "requisition": entered["id"], "windows": windows, "purpose": 5, "recipient": null,
        "password": first.reveal(), "code": stage.site.code(FIRST)?.reveal(),
        "second_name": SECOND, "second_password": second.reveal(), "second_code": stage.site.code(SECOND)?.reveal(),
    }))
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
