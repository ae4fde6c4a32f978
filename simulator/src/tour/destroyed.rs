//! Scene 4: destroyed on time, for real: before, at the closing, after, when somebody requires it, and after a backup came back.

use super::{
    Shown, in_time,
    stage::{DAY_SECONDS, HOUR_SECONDS, REASON, Stage, clock_text, paris},
    story::Story,
    too_late,
};
use domain::{UtcMicros, limit};
use simulator::installation::Attempt;
use std::{fs, io, path::Path};

/// Of `vigie verify`: the log holds, and the store contradicts it.
const EXIT_CONTRADICTION: i32 = 3;
/// Closing and destruction come by the second; a machine under load may be late with them, the deadline is ten minutes off.
const LATE_SECONDS_MAX: i64 = 60;
/// Before the closing: enough for a visitor to see the hour open, and not long to wait.
const BEFORE_SECONDS: i64 = 40;

pub fn show(stage: &mut Stage, story: &mut Story) -> Shown {
    story.scene(
        "Détruit à l'heure, et nul ne peut y revenir : est-ce vrai ?",
        "Destroyed on time, and nobody can bring it back: is that so?",
    );
    let hour = stage.three;
    let deadline = hour.plus_seconds(DAY_SECONDS);
    let closing = deadline.plus_seconds(-limit::CLOSED_BEFORE_DEADLINE_SECONDS);
    story.say(
        format!(
            "Pour la visite, une heure dure dix minutes et un jour quarante. Échéance de la caméra 1 : {} ; elle ferme à {}.",
            clock_text(deadline),
            clock_text(closing)
        ),
        format!(
            "For the tour an hour lasts ten minutes and a day forty. Deadline of camera 1: {}; it closes at {}.",
            clock_text(deadline),
            clock_text(closing)
        ),
    );
    story.say(
        "Entre deux actes, la visite arrête Vigie et avance l'horloge : la frise montre ces arrêts comme des interruptions.",
        "Between two acts the tour stops Vigie and moves the clock on: the timeline shows these stops as interruptions.",
    );
    let recorded = (hour.plus_seconds(10), stage.now().min(hour.plus_seconds(HOUR_SECONDS)));
    let keys = verify(stage)?;
    back_up(stage)?;
    stage.sleep_until(closing.plus_seconds(-BEFORE_SECONDS))?;
    before(stage, story, recorded)?;
    let frozen = in_time::freeze(stage, story, recorded)?;
    at_the_closing(stage, story, deadline, recorded)?;
    after(stage, story, deadline, recorded)?;
    too_late::show(stage, story, recorded, &frozen)?;
    the_ledger_is_whole(stage, story, &keys)?;
    the_backup_comes_back(stage, story, recorded)?;
    story.not_built(
        "le plan des caméras, la demande d'accès d'un citoyen et l'attestation signée ; viennent avec les papiers.",
        "the camera plan, a citizen's request for access and the signed statement; come with the papers.",
    );
    Ok(())
}

/// Somebody keeps a copy of disk and catalog, as a town's backup does. (The keyring is never part of it.)
fn back_up(stage: &mut Stage) -> Shown {
    let backup = stage.scratch().join("backup");
    stage.site.stop()?;
    copy_folder(&stage.site.folder.join("store"), &backup.join("store"), "")?;
    copy_folder(&stage.site.folder.join("data"), &backup.join("data"), "footage")?;
    Ok(())
}

fn before(stage: &Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros)) -> Shown {
    let opens = stage.replay(&stage.cameras[0], recorded.0, recorded.1)?;
    story.claim(
        opens.is_none(),
        format!("Avant, à {} : la relecture s'ouvre.", clock_text(stage.now())),
        format!("Before, at {}: the replay opens.", clock_text(stage.now())),
    );
    let shown = stage.car_seen.unwrap_or(recorded.1.plus_seconds(-12));
    let arguments = [
        "4-avant".into(),
        stage.cameras[0].clone(),
        paris(shown).date().to_string(),
        clock_text(shown.plus_seconds(-3)),
        clock_text(shown),
        REASON.into(),
    ];
    let picture = stage.screen("replay", &arguments)?;
    story.picture(
        picture,
        "Avant la fermeture : les secondes de la voiture jaune se relisent.",
        "Before the closing: the yellow car's seconds can be replayed.",
    );
    Ok(())
}

fn at_the_closing(stage: &Stage, story: &mut Story, deadline: UtcMicros, recorded: (UtcMicros, UtcMicros)) -> Shown {
    let closing = deadline.plus_seconds(-limit::CLOSED_BEFORE_DEADLINE_SECONDS);
    let (first, second) = (&stage.cameras[0], &stage.cameras[1]);
    stage.until("the hour is closed", || {
        stage.replay(first, recorded.0, recorded.1).ok().flatten().filter(|kind| kind == "closed")
    })?;
    let closed_at = stage.now();
    story.claim(
        (closing.plus_seconds(-1)..=closing.plus_seconds(LATE_SECONDS_MAX)).contains(&closed_at),
        format!("À {} : fermé. Plus aucune image ne sort, dix minutes avant l'échéance.", clock_text(closed_at)),
        format!("At {}: closed. No picture leaves any more, ten minutes before the deadline.", clock_text(closed_at)),
    );
    let fate = stage
        .until("the key is dead", || stage.fate(first, stage.three).filter(|fate| fate["state"] == "destroyed"))?;
    let died = fate["destroyed_at"].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let died = UtcMicros(died.ok_or("the day does not say when the key died")?.as_microsecond());
    story.claim(
        closing.plus_seconds(-1) <= died && died < deadline,
        format!("La clé de cette heure est détruite à {} ; l'heure ne s'ouvrira plus.", clock_text(died)),
        format!("This hour's key is destroyed at {}; the hour will never open again.", clock_text(died)),
    );
    story.claim(
        stage.replay(second, recorded.0, recorded.1)?.is_none(),
        "La caméra 2, gardée un jour de plus par son arrêté, se relit encore.",
        "Camera 2, kept a day longer by its order, can still be replayed.",
    );
    Ok(())
}

fn after(stage: &mut Stage, story: &mut Story, deadline: UtcMicros, recorded: (UtcMicros, UtcMicros)) -> Shown {
    stage.sleep_until(deadline.plus_seconds(5))?;
    let kind = stage.replay(&stage.cameras[0], recorded.0, recorded.1)?;
    story.claim(
        kind.as_deref() == Some("closed"),
        format!("Après l'échéance, à {} : rien ne s'ouvre.", clock_text(stage.now())),
        format!("After the deadline, at {}: nothing opens.", clock_text(stage.now())),
    );
    let at = stage.car_seen.unwrap_or(recorded.0.plus_seconds(15));
    let arguments =
        ["4-apres".into(), stage.cameras[0].clone(), paris(at).date().to_string(), clock_text(at), REASON.into()];
    let picture = stage.screen("day", &arguments)?;
    story.picture(
        picture,
        "Après : la journée de la caméra dit que l'heure est détruite, et depuis quand.",
        "After: the camera's day says that the hour is destroyed, and since when.",
    );
    let picture = stage.screen("health", &["4-sante".into()])?;
    story.picture(
        picture,
        "L'état de marche : zéro octet au-delà de son terme. À surveiller, et c'est dit : cette ville d'essai a les deux \
         copies de ses clés sur un seul disque.",
        "The health page: zero bytes past their deadline. A warning, and it is told: this demo town has both copies of its \
         keys on one disk.",
    );
    let health = stage.health()?;
    story.claim(
        health["destruction"]["bytes_past_deadline"] == 0,
        "Octets au-delà de leur échéance dont la clé existe : 0.",
        "Bytes past their deadline whose key exists: 0.",
    );
    Ok(())
}

fn the_backup_comes_back(stage: &mut Stage, story: &mut Story, recorded: (UtcMicros, UtcMicros)) -> Shown {
    let backup = stage.scratch().join("backup");
    stage.site.stop()?;
    let (store, data) = (stage.site.folder.join("store"), stage.site.folder.join("data"));
    fs::remove_dir_all(&store)?;
    copy_folder(&backup.join("store"), &store, "")?;
    for entry in fs::read_dir(&data)? {
        let path = entry?.path();
        if path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("footage")) {
            fs::remove_file(path)?;
        }
    }
    copy_folder(&backup.join("data"), &data, "footage")?;
    stage.site.serve()?;
    let (first, second) = (stage.cameras[0].clone(), stage.cameras[1].clone());
    let other = stage.until("what lives opens from the backup", || {
        stage.replay(&second, recorded.0, recorded.1).ok().filter(Option::is_none)
    });
    let kind = stage.replay(&first, recorded.0, recorded.1)?;
    story.claim(
        kind.as_deref() == Some("closed") && other.is_ok(),
        "La sauvegarde du disque et du catalogue, faite avant, est remise : la caméra 2 s'ouvre, l'heure détruite non.",
        "The backup of disk and catalog, made before, is put back: camera 2 opens, the destroyed hour does not.",
    );
    let found = verify(stage)?;
    story.quote(&format!("la sauvegarde remise · the backup put back\n{}", found.stdout.trim()));
    story.claim(
        found.code == Some(EXIT_CONTRADICTION) && found.stdout.contains("✓ Le registre est entier"),
        "`vigie verify` le remarque : le registre est entier, et il nomme les bobines qu'un disque aussi vieux n'a pas.",
        "`vigie verify` notices: the log is whole, and it names the reels that a disk so old does not have.",
    );
    Ok(())
}

fn the_ledger_is_whole(stage: &Stage, story: &mut Story, before: &Attempt) -> Shown {
    let after = verify(stage)?;
    story.quote(&format!("avant · before\n{}\n\naprès · after\n{}", before.stdout.trim(), after.stdout.trim()));
    story.claim(
        before.code == Some(0) && after.code == Some(0),
        "`vigie verify`, avant et après : le registre est entier, aucune clé ne vit au-delà de son échéance.",
        "`vigie verify`, before and after: the log is whole, no key lives past its deadline.",
    );
    let died = keys_destroyed(&after.stdout).zip(keys_destroyed(&before.stdout));
    story.claim(
        died.is_some_and(|(after, before)| after > before),
        "Le registre compte les clés mortes entre les deux ; la vérification les tient chacune contre sa création.",
        "The ledger counts the keys that died in between; verification holds each against its making.",
    );
    Ok(())
}

fn verify(stage: &Stage) -> Result<Attempt, Box<dyn std::error::Error>> {
    Ok(stage.site.attempt(&["verify"], None)?)
}

/// The count that `vigie verify` prints behind `détruites :`.
fn keys_destroyed(said: &str) -> Option<u64> {
    said.split("détruites :").nth(1)?.split_whitespace().next()?.parse().ok()
}

/// Files whose name begins so, with everything in folders below. Sockets are of processes, not of data.
fn copy_folder(from: &Path, to: &Path, begins: &str) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, path) = (entry.file_type()?, to.join(entry.file_name()));
        if !entry.file_name().to_string_lossy().starts_with(begins) {
            continue;
        }
        if kind.is_dir() {
            copy_folder(&entry.path(), &path, "")?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &path)?;
        }
    }
    Ok(())
}
