//! Scene 1: our thirty days sit at a host that cannot read them. Today: what stands on the disk; the host itself comes later.

use super::{Shown, stage::Stage, story::Story};
use simulator::scene::PLACE_NAMES;
use std::{collections::HashSet, fs, io, path::Path};

/// Bytes of a picture that are looked for on the disk, and where a picture's slice has them.
const SAMPLE_BYTES: usize = 16;
const SAMPLE_AT: usize = 64;

pub fn show(stage: &mut Stage, story: &mut Story) -> Shown {
    story.scene(
        "Nos trente jours dorment chez un hébergeur : peut-il les regarder ?",
        "Our thirty days sit at a host: can he look at them?",
    );
    // pictures of some seconds are on the disk
    let used = stage.until("footage is on the disk", || {
        let used = stage.health().ok()?["store"]["bytes_used"].as_u64()?;
        (used > 2_000_000).then_some(used)
    })?;
    story.say(
        format!("Six caméras enregistrent ; {} Mo sont sur le disque, comme chez un hébergeur.", used / 1_000_000),
        format!("Six cameras are recorded; {} MB are on the disk, as at a host.", used / 1_000_000),
    );
    let samples = samples(stage);
    let (mut pictures, mut names, mut bytes) = (0, 0, 0);
    search(&stage.site.folder.join("store"), &mut |content| {
        bytes += content.len();
        pictures += content.windows(SAMPLE_BYTES).filter(|window| samples.contains(*window)).count();
        names += PLACE_NAMES.iter().filter(|name| contains(content, name.as_bytes())).count();
    })?;
    story.claim(
        bytes > 0 && !samples.is_empty() && pictures == 0,
        format!(
            "Aucune image en clair : {} extraits d'images envoyées par les caméras, aucun sur le disque.",
            samples.len()
        ),
        format!("No picture in clear: {} extracts of pictures that the cameras sent, none on the disk.", samples.len()),
    );
    story.claim(
        names == 0,
        "Aucun nom de rue ni de caméra : l'hébergeur voit des heures et des volumes.",
        "No name of a street or camera: the host sees hours and volumes.",
    );
    story.not_built(
        "le stockage chez un hébergeur (S3) et ce qu'il coûte ; vient avec le stockage distant.",
        "storage at a host (S3) and what it costs; comes with the remote store.",
    );
    Ok(())
}

/// Extracts of the pictures that the cameras send.
fn samples(stage: &Stage) -> HashSet<Vec<u8>> {
    let frames = stage.town.cameras.iter().flat_map(|camera| &camera.clip().frames);
    let slices = frames.flat_map(|frame| &frame.slices);
    slices.filter_map(|slice| slice.get(SAMPLE_AT..SAMPLE_AT + SAMPLE_BYTES)).map(<[u8]>::to_vec).collect()
}

fn search(folder: &Path, look: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            search(&path, look)?;
        } else if path.is_file() {
            look(written(&fs::read(&path)?));
        }
    }
    Ok(())
}

/// Slots are prepared with zeros: what lies behind the last written byte is nothing.
fn written(content: &[u8]) -> &[u8] {
    let end = content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &content[..end]
}

fn contains(content: &[u8], wanted: &[u8]) -> bool {
    content.windows(wanted.len()).any(|window| window == wanted)
}
