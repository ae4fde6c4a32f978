//! `vigie-simulator tour`: five questions to a town's video protection, answered by the real program in three minutes.
//!
//! One file per scene. What a scene shows is real: processes, cameras, keys, browser. What is not built yet says so.

mod browser;
mod destroyed;
mod host;
mod in_time;
mod inspector;
mod law;
mod page;
mod registers;
mod stage;
mod story;
mod too_late;
mod yellow_car;

use stage::Stage;
use std::{error::Error, path::PathBuf};
use story::Story;

#[derive(clap::Args)]
pub struct Arguments {
    /// Dossier des captures et de la page `index.html` · folder of the screenshots and the page `index.html`
    #[arg(long, default_value = "target/tour")]
    out: PathBuf,
    /// Dossier de `tour.mjs`, qui conduit Chromium · folder of `tour.mjs`, which drives Chromium
    #[arg(long, default_value = "ui/e2e")]
    browser_scripts: PathBuf,
    /// Sans captures d'écran, donc sans Chromium · without screenshots, so without Chromium
    #[arg(long)]
    no_screens: bool,
}

/// An answer of a scene: an error is what kept it from being shown; what does not hold is in the story.
type Shown = Result<(), Box<dyn Error>>;

/// The scenes in their order. A later part adds to a scene's file, or a file and a line here.
const SCENES: [fn(&mut Stage, &mut Story) -> Shown; 5] =
    [host::show, yellow_car::show, registers::show, destroyed::show, inspector::show];

pub fn run(arguments: &Arguments) -> Shown {
    let scripts = (!arguments.no_screens).then_some(arguments.browser_scripts.as_path());
    let mut story = Story::begin(&arguments.out)?;
    let mut stage = Stage::open(&arguments.out, scripts)?;
    let shown = SCENES.iter().try_for_each(|scene| scene(&mut stage, &mut story));
    stage.close()?;
    if let Err(error) = &shown {
        story.broken(&error.to_string());
    }
    page::write(&story, &arguments.out)?;
    if let Some(scripts) = scripts {
        browser::inspect_page(scripts, &arguments.out)?;
    }
    let faults = story.faults();
    println!("{}", arguments.out.join("index.html").display());
    if faults.is_empty() {
        println!("✓ Tout ce que la visite affirme tient. · Everything the tour claims holds.");
        return Ok(());
    }
    Err(format!("does not hold: {}", faults.join(" | ")).into())
}
