//! Scene 4, in time: an authority asks to freeze some seconds before they die; they outlive their hour, and nothing else of it does.

use super::{Shown, stage::Stage, story::Story};
use crate::programs::password;
use domain::UtcMicros;
use serde_json::{Value, json};
use simulator::handover::{Desk, requisition};
use std::error::Error;

const HELD_SECONDS: i64 = 10;

/// Who hands footage over, and what was frozen for whom.
pub struct Frozen {
    pub desk: Desk,
    pub requisition: Value,
    pub windows: Value,
}

/// Before the hour closes.
pub fn freeze(stage: &Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros)) -> Result<Frozen, Box<dyn Error>> {
    let desk = Desk::open(&stage.site, password()?, password()?)?;
    let from = recorded.1.plus_seconds(-2 * HELD_SECONDS);
    let to = from.plus_seconds(HELD_SECONDS);
    let windows = json!([{"camera": stage.cameras[0], "from": from.to_string(), "to": to.to_string()}]);
    let browser = desk.first(&stage.site)?;
    let entered = browser.post("/api/requisitions", &requisition(&windows, stage.now(), None))?;
    let number = entered["number"].as_str().unwrap_or_default().to_owned();
    let ask = json!({
        "requester": "commissariat", "reason": "vol avec violence, pièce à venir chercher",
        "windows": windows, "requisition": entered["id"],
    });
    let held = browser.post("/api/holds", &ask)?;
    let kept = stage.until("the reserve has what is frozen", || {
        let told = desk.first(&stage.site).ok()?.get("/api/holds").ok()?;
        let hold = told["holds"].as_array()?.iter().find(|hold| hold["id"] == held["id"])?.clone();
        hold["kept_bytes"].as_u64().filter(|bytes| *bytes > 0)
    })?;
    story.say(
        format!(
            "Un officier requiert {HELD_SECONDS} secondes avant leur destruction (réquisition {number}) : elles sont gelées, {} Kio en réserve, et rien d'autre de l'heure.",
            kept >> 10
        ),
        format!(
            "An officer requires {HELD_SECONDS} seconds before their destruction (requisition {number}): they are frozen, {} KiB in the reserve, and nothing else of the hour.",
            kept >> 10
        ),
    );
    Ok(Frozen { desk, requisition: entered["id"].clone(), windows })
}

/// What leaves when the hour is long dead.
pub fn judge(story: &mut Story, (holds, told): &(bool, String)) -> Shown {
    story.quote(&format!("vigie-verify evidence (gel)\n{}", told.trim()));
    story.claim(
        *holds && told.contains("INTACT :") && !told.contains("INTACT : 0 images"),
        "Gelées à temps, ces secondes partent entières sous leur réquisition alors que la clé de leur heure est détruite ; le dossier est intact.",
        "Frozen in time, these seconds leave whole under their requisition although their hour's key is destroyed; the package is intact.",
    );
    Ok(())
}
