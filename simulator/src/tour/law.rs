//! Scene 2, first half: what the town asks and is refused: absent capabilities, a town that permits everything, an act that ends.

use super::{
    Shown,
    stage::{REASON, Stage, clock_text},
    story::Story,
};
use domain::Sensitive;
use serde_json::{Value, json};
use simulator::{dossier, installation::Attempt};
use std::{error::Error, fs};

/// What a town may wish for, and the article by which the law refuses it: each is asked of the rules in force.
const ABSENT: [(&str, &str, &str); 9] = [
    ("recognise-face", "reconnaître un visage", "recognise a face"),
    ("read-plates", "lire les plaques pour retrouver un véhicule", "read plates to find a vehicle"),
    ("capture-sound", "capter le son", "capture sound"),
    ("track-across-cameras", "suivre une personne d'une caméra à l'autre", "track a person from camera to camera"),
    ("categorise", "classer les personnes", "sort persons into categories"),
    ("detect-emotion", "deviner une émotion", "guess an emotion"),
    ("search-attributes", "chercher par couleur ou par allure", "search by colour or appearance"),
    ("detect-other", "signaler un véhicule rapide ou un rôdeur", "signal a fast vehicle or a prowler"),
    ("interconnect", "croiser avec un fichier de police", "connect with a police file"),
];
/// The rules that a town begins with, and goes back to.
const ORDINARY: &str = include_str!("../../../law/town/permits.cedar");
/// What only a careless or a malicious town would write.
const EVERYTHING: &str = "@id(\"tout\")\npermit(principal, action, resource);\n";
/// An order that ends so soon that a visitor sees it.
const ENDS_IN_SECONDS: i64 = 4;

pub fn show(stage: &Stage, story: &mut Story) -> Shown {
    let before = asked(stage)?;
    absent(story, &before);
    let ordinary = town_line(stage)?;
    permit_everything(stage, story)?;
    story.claim(
        asked(stage)? == before && before.iter().all(Option::is_some),
        format!("Avec ce fichier en vigueur, les mêmes {} demandes : refusées dans les mêmes termes.", ABSENT.len()),
        format!("With that file in force, the same {} wishes: refused in the same words.", ABSENT.len()),
    );
    still_refused(stage, story)?;
    an_act_ends(stage, story)?;
    ordinary_again(stage, story, &ordinary)
}

/// Every absent capability, asked of the keeper as it serves: why the law refuses it, or none where it does not.
fn asked(stage: &Stage) -> Result<Vec<Option<String>>, Box<dyn Error>> {
    let mut refusals = Vec::new();
    for (action, _, _) in ABSENT {
        let asked = stage.site.attempt(&["law", "ask", action], None)?;
        let why = asked.stdout.lines().find(|line| line.starts_with('✗') && line.contains('['));
        // nothing that merely lacks a permit counts: the law itself refuses
        let why = why.filter(|why| asked.code == Some(1) && !why.contains("nothing-permits"));
        refusals.push(why.map(str::to_owned));
    }
    Ok(refusals)
}

fn absent(story: &mut Story, refusals: &[Option<String>]) {
    let lines =
        ABSENT.iter().zip(refusals).map(|((_, fr, _), why)| format!("{fr}\n  {}", why.as_deref().unwrap_or("-")));
    story.quote(&format!("vigie law ask …\n{}", lines.collect::<Vec<_>>().join("\n")));
    let named = |pick: fn(&(&str, &str, &str)) -> String| ABSENT.iter().map(pick).collect::<Vec<_>>().join(", ");
    story.claim(
        refusals.iter().all(Option::is_some),
        format!("La commune demande à {} : refusé chaque fois, avec l'article.", named(|one| one.1.into())),
        format!("The town asks to {}: refused each time, with the article.", named(|one| one.2.into())),
    );
}

/// Two persons put in force a file that permits everything.
fn permit_everything(stage: &Stage, story: &mut Story) -> Shown {
    let digest = put_in_force(stage, "tout.cedar", EVERYTHING)?;
    let line = town_line(stage)?;
    story.quote(&format!("{}\n\nvigie law show\n{line}", EVERYTHING.trim()));
    story.claim(
        line.contains("tout") && line.contains(&digest),
        "La commune écrit un fichier qui permet tout. Deux personnes le mettent en vigueur : mot de passe et code, chacune.",
        "The town writes a file that permits everything. Two persons put it in force: password and code, each of them.",
    );
    Ok(())
}

/// Two persons withdraw it: what follows runs under the town's ordinary rules.
fn ordinary_again(stage: &Stage, story: &mut Story, ordinary: &str) -> Shown {
    put_in_force(stage, "ordinaire.cedar", ORDINARY)?;
    let line = town_line(stage)?;
    story.claim(
        line == ordinary && !line.contains("tout"),
        "Deux personnes retirent ce fichier : les règles ordinaires de la commune sont de nouveau en vigueur.",
        "Two persons withdraw that file: the town's ordinary rules are in force again.",
    );
    Ok(())
}

/// The operator proposes and the administrator approves; gives the digest of what is in force from then on.
fn put_in_force(stage: &Stage, name: &str, rules: &str) -> Result<String, Box<dyn Error>> {
    let path = stage.scratch().join(name);
    fs::write(&path, rules)?;
    let town = path.display().to_string();
    let proposed = by(stage, "operateur", &stage.operator, &["law", "propose", "--town", &town])?;
    let digest = proposed.stdout.split("approve ").nth(1).and_then(|rest| rest.split_whitespace().next());
    let digest = digest.ok_or_else(|| format!("no proposal: {}{}", proposed.stdout, proposed.stderr))?.to_owned();
    let approved = by(stage, "admin", &stage.administrator, &["law", "approve", &digest])?;
    if approved.code != Some(0) {
        return Err(format!("not approved: {}{}", approved.stdout, approved.stderr).into());
    }
    Ok(digest)
}

/// What `vigie law show` says of the town's own rules: their names and their digest.
fn town_line(stage: &Stage) -> Result<String, Box<dyn Error>> {
    let shown = stage.site.run(&["law", "show"], None)?;
    let line = shown.lines().find(|line| line.starts_with("Permissions de la commune"));
    Ok(line.ok_or("`law show` does not name the town's rules")?.to_owned())
}

/// A command of a person: password and code on standard input.
fn by(stage: &Stage, account: &str, password: &Sensitive<String>, what: &[&str]) -> Result<Attempt, Box<dyn Error>> {
    let proof = format!("{}\n{}\n", password.reveal(), stage.site.code(account)?.into_revealed());
    let arguments: Vec<&str> = what.iter().copied().chain(["--account", account]).collect();
    Ok(stage.site.attempt(&arguments, Some(&proof))?)
}

fn still_refused(stage: &Stage, story: &mut Story) -> Shown {
    let look = |reason: &str| json!({"kind": "live", "cameras": [stage.cameras[0]], "purpose": 5, "reason": reason});
    let administrator = stage.site.sign_in("admin", &stage.administrator)?;
    let curious = administrator.post("/api/looks", &look(REASON)).err().map(|error| (error.status(), error.body()));
    let silent = stage.operator()?.post("/api/looks", &look("")).err().map(|error| (error.status(), error.body()));
    let opens = stage.operator()?.post("/api/looks", &look(REASON)).is_ok();
    let article = |refused: &Option<(Option<u16>, Value)>| {
        let body = refused.as_ref().filter(|(status, _)| *status == Some(403)).map(|(_, body)| body);
        body.and_then(|body| body["reasons"][0]["article"].as_str()).unwrap_or_default().to_owned()
    };
    let (first, second) = (article(&curious), article(&silent));
    story.claim(
        !first.is_empty() && second == "CSI R253-5" && opens,
        format!("L'administrateur ne voit toujours rien ({first}), ni l'opérateur sans motif ({second}) ; avec un motif, oui."),
        format!("The administrator still sees nothing ({first}), nor the operator without a reason ({second}); with one, yes."),
    );
    Ok(())
}

/// The order ends: no picture is recorded or shown, what is there dies on its day; with the next order all goes on.
fn an_act_ends(stage: &Stage, story: &mut Story) -> Shown {
    let list: Value = serde_json::from_str(&stage.site.run(&["act", "list", "--json"], None)?)?;
    let acts = list.as_array().ok_or("no list of acts")?;
    let order = acts.iter().find(|act| act["facts"]["kind"] == "authorisation").ok_or("no order is entered")?;
    let end = stage.now().plus_seconds(ENDS_IN_SECONDS);
    let id = order["id"].as_str().unwrap_or_default();
    stage.site.run(&["act", "withdraw", id, "--from", &end.to_string()], None)?;
    let health = stage.until("recording stops with the order", || {
        let health = stage.health().ok()?;
        let cameras = health["cameras"].as_array()?;
        cameras.iter().all(|camera| camera["state"] == "refused").then(|| health.clone())
    })?;
    let says_why = |camera: &Value| {
        let told = camera["detail_fr"].as_str().unwrap_or_default();
        camera["missing"][0]["rule"] == "act-authorisation" && told.contains("CSI L252-1")
    };
    let told = health["cameras"][0]["detail_fr"].as_str().unwrap_or_default();
    story.claim(
        health["cameras"].as_array().is_some_and(|cameras| cameras.iter().all(says_why)),
        format!("L'arrêté prend fin à {} : plus aucune caméra n'enregistre. « {told} »", clock_text(end)),
        format!("The order ends at {}: no camera records any more, and each says by which article.", clock_text(end)),
    );
    let look =
        |view: Value| stage.operator().ok()?.post("/api/looks", &view).err().map(|error| error.body().to_string());
    let (past, now) = (end.plus_seconds(-20), end.plus_seconds(-10));
    let live = look(json!({"kind": "live", "cameras": [stage.cameras[0]], "purpose": 5, "reason": REASON}));
    let replay = look(json!({"kind": "replay", "cameras": [stage.cameras[0]], "from": past.to_string(),
        "to": now.to_string(), "purpose": 5, "reason": REASON}));
    story.claim(
        [live, replay].into_iter().all(|refused| refused.is_some_and(|body| body.contains("CSI L252-1"))),
        "Ni direct ni relecture, bien que le fichier de la commune permette tout : CSI L252-1.",
        "Neither live nor replay, although the town's file permits everything: CSI L252-1.",
    );
    let destruction = &health["destruction"];
    let next = destruction["next_at"].as_str().unwrap_or("-");
    story.claim(
        destruction["next_at"].is_string() && destruction["bytes_past_deadline"] == 0,
        format!(
            "Les destructions gardent leur date : la prochaine échéance est {next}, rien n'est au-delà de son terme."
        ),
        format!("Destructions keep their date: the next deadline is {next}, nothing is past its own."),
    );
    stage.site.import(&dossier::authorisation())?;
    stage.until_recorded()?;
    story.claim(
        stage.health()?["cameras"][0]["state"] == "recording",
        "Un nouvel arrêté est inscrit : l'enregistrement reprend de lui-même.",
        "A new order is entered: recording goes on by itself.",
    );
    Ok(())
}
