//! Scene 3: which towns run which software, and who was told. Not built yet.

use super::{Shown, stage::Stage, story::Story};

pub fn show(stage: &mut Stage, story: &mut Story) -> Shown {
    story.scene(
        "Quelles communes utilisent quel logiciel, et qui en a été informé ?",
        "Which towns run which software, and who was told?",
    );
    let site = stage.site.nobody().get("/api/site")?;
    let version = site["version"].as_str().unwrap_or_default();
    story.claim(
        !version.is_empty(),
        format!("Sans compte, chacun peut lire le nom du site et la version du logiciel ({version})."),
        format!("Without an account anybody can read the site's name and the software's version ({version})."),
    );
    story.not_built(
        "le registre public des communes, des logiciels et des informations données ; le rôle public le servira.",
        "the public register of towns, software and notices given; the public role will serve it.",
    );
    Ok(())
}
