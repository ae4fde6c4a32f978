//! Scene 5: a camera that sends plates is refused, and an inspector sees the state on a past date. Today: what is absent.

use super::{Shown, stage::Stage, story::Story};

pub fn show(stage: &mut Stage, story: &mut Story) -> Shown {
    story.scene(
        "Une caméra qui lirait les plaques est-elle refusée, et l'inspecteur voit-il l'état à une date passée ?",
        "Is a camera that reads plates refused, and does the inspector see the state on a past date?",
    );
    let audio = &stage.town.counters;
    let asked = audio.audio_setups.load(std::sync::atomic::Ordering::SeqCst);
    story.claim(
        asked == 0,
        "Les six caméras proposent du son : Vigie ne l'a jamais demandé.",
        "The six cameras offer sound: Vigie never asked for it.",
    );
    story.say(
        "Aucun type du programme ne peut dire un visage, une personne ou une plaque : les essais (`cargo xtask tidy`) le vérifient.",
        "No type of the program can say a face, a person or a plate: tests (`cargo xtask tidy`) check it.",
    );
    story.not_built(
        "le refus d'une caméra qui envoie des plaques (vient avec ONVIF) et l'état à une date passée (vient avec l'espace de \
         l'inspecteur).",
        "the refusal of a camera that sends plates (comes with ONVIF) and the state on a past date (comes with the \
         inspector's rooms).",
    );
    Ok(())
}
