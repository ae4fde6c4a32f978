//! Scene 2: the yellow car, fast, at the corner, at three in the morning: recorded, watched under a reason, its search refused.

use super::{
    Shown, law,
    stage::{REASON, Stage, clock_text},
    story::Story,
};
use domain::UtcMicros;
use serde_json::{Value, json};
use simulator::scene::{Colour, VehicleTruth};

pub fn show(stage: &mut Stage, story: &mut Story) -> Shown {
    story.scene(
        "La voiture jaune, vite, au carrefour, à trois heures du matin : qui peut la chercher ?",
        "The yellow car, fast, at the corner, at three in the morning: who may look for it?",
    );
    let wall = stage.screen("wall", &["2-mur-de-nuit".into(), "6".into(), REASON.into()])?;
    story.picture(
        wall,
        "Le mur d'images de nuit : six rues en direct, la finalité et le motif affichés au-dessus.",
        "The wall by night: six streets live, purpose and reason shown above.",
    );
    let truth = stage.town.cameras[0].truth()?;
    let car = truth.vehicles.iter().find(|vehicle| vehicle.colour == Colour::Yellow);
    let car = car.ok_or("the yellow car is missing from the scene")?.clone();
    let seen = passage(stage, &car)?;
    stage.car_seen = Some(seen);
    let at = clock_text(seen);
    story.say(
        format!("À {at}, une voiture jaune prend le virage à {:.0} km/h (vérité terrain de la scène).", car.speed_kmh),
        format!("At {at} a yellow car takes the corner at {:.0} km/h (ground truth of the scene).", car.speed_kmh),
    );
    refusals(stage, story)?;
    let (from, to) = (seen.plus_seconds(-3), seen.plus_seconds(3));
    let opens = stage.replay(&stage.cameras[0], from, to)?;
    story.claim(
        opens.is_none(),
        "Sous un motif inscrit d'abord au registre, l'opérateur relit ces secondes.",
        "Under a reason that the ledger had first, the operator replays these seconds.",
    );
    let date = super::stage::paris(seen).date().to_string();
    let arguments =
        ["2-voiture-jaune".into(), stage.cameras[0].clone(), date, clock_text(from), at.clone(), REASON.into()];
    let picture = stage.screen("replay", &arguments)?;
    story.picture(
        picture,
        &format!("Relecture du carrefour à {at} : la voiture jaune dans le virage, sous les réverbères."),
        &format!("Replay of the crossroads at {at}: the yellow car in the corner, under the street lamps."),
    );
    law::show(stage, story)?;
    story.not_built(
        "la seconde moitié de cette scène : la recherche par couleur, réservée à un enquêteur de l'État sous un acte ; aucun \
         chemin n'y mène dans le produit de la commune. Vient avec les preuves scellées pour l'enquêteur.",
        "the second half of this scene: the search by colour, kept to an investigator of the State under an act; no path \
         leads to it in the town's product. Comes with evidence sealed for the investigator.",
    );
    Ok(())
}

/// A look without a reason, a search that does not exist, an administrator who is curious.
fn refusals(stage: &Stage, story: &mut Story) -> Shown {
    let operator = stage.operator()?;
    let look = json!({"kind": "live", "cameras": [stage.cameras[0]], "purpose": 5, "reason": ""});
    let refused = operator.post("/api/looks", &look).err().map(|error| (error.status(), error.body()));
    let (status, body) = refused.unwrap_or((None, Value::Null));
    let reason = body["reasons"].as_array().and_then(|reasons| reasons.first().cloned()).unwrap_or_default();
    let word = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
    story.claim(
        status == Some(403) && word("article") == "CSI R253-5",
        format!("Sans motif, le direct est refusé : « {} » ({}).", word("text_fr"), word("article")),
        format!("Without a reason the live picture is refused: “{}” ({}).", word("text_en"), word("article")),
    );
    let entry = body["entry"].as_u64();
    story.claim(
        entry.is_some(),
        format!("Le refus lui-même est inscrit au registre (entrée n° {}).", entry.unwrap_or_default()),
        format!("The refusal itself stands in the ledger (entry no. {}).", entry.unwrap_or_default()),
    );
    let search = operator.get("/api/search?colour=yellow").err().and_then(|error| error.status());
    story.claim(
        search == Some(404),
        "Chercher « jaune » dans les images : cette fonction n'existe pas (404).",
        "Searching pictures for “yellow”: there is no such function (404).",
    );
    let arguments = ["2-administrateur-refuse".into(), REASON.into()];
    let picture = stage.screen_as("admin", &stage.administrator, "refused", &arguments)?;
    story.picture(
        picture,
        "L'administrateur : sa console n'a pas de porte aux images et dit pourquoi ; demandée sans passer par elle, l'image est refusée.",
        "The administrator: the console has no door to pictures and says why; asked for past the console, a picture is refused.",
    );
    Ok(())
}

/// When the car was best seen within the recorded part of the hour.
fn passage(stage: &Stage, car: &VehicleTruth) -> Result<UtcMicros, Box<dyn std::error::Error>> {
    // round the corner: the box is widest where the car is nearest and shows its side
    let best = car.boxes.iter().max_by_key(|frame| u32::from(frame.width) * u32::from(frame.height));
    let best = best.ok_or("the yellow car is never seen")?.frame;
    let recorded_from = stage.operator()?.get(&format!(
        "/api/cameras/{}/day?date={}",
        stage.cameras[0],
        super::stage::paris(stage.three).date()
    ))?;
    let first = recorded_from["footage"][0]["from"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let first = UtcMicros(first.ok_or("nothing is recorded")?.as_microsecond()).plus_seconds(3);
    let sent = || stage.town.cameras[0].sent().into_iter().find(|sent| sent.truth_frame == best && sent.utc >= first);
    let seen = stage.until("the yellow car passes", sent)?.utc;
    // and what comes after it is on the disk
    stage.until("its pictures are on the disk", || (stage.now() >= seen.plus_seconds(6)).then_some(()))?;
    Ok(seen)
}
