//! What the tour tells: sentences in French and English, claims that held or did not, pictures. Printed as it goes.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// The same twice.
#[derive(Clone, Debug)]
pub struct Text {
    pub fr: String,
    pub en: String,
}

pub fn text(fr: impl Into<String>, en: impl Into<String>) -> Text {
    Text { fr: fr.into(), en: en.into() }
}

/// One thing of a scene.
pub enum Item {
    Said(Text),
    /// Something that should hold, and whether it did.
    Claim(Text, bool),
    /// What a program printed.
    Quoted(String),
    /// Not there yet, and what it comes with.
    NotBuilt(Text),
    /// A screenshot in the folder, and what it shows.
    Picture(PathBuf, Text),
}

/// One question and its answer.
pub struct Scene {
    pub title: Text,
    pub items: Vec<Item>,
}

/// The whole tour.
pub struct Story {
    pub scenes: Vec<Scene>,
    folder: PathBuf,
    broken: Option<String>,
}

impl Story {
    /// Empties the folder of an earlier tour's pictures.
    pub fn begin(folder: &Path) -> Result<Story, Box<dyn Error>> {
        fs::create_dir_all(folder)?;
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "png" || extension == "html") {
                fs::remove_file(path)?;
            }
        }
        Ok(Story { scenes: Vec::new(), folder: folder.to_owned(), broken: None })
    }

    pub fn scene(&mut self, fr: &str, en: &str) {
        println!("\n{}. {fr}\n   {en}", self.scenes.len() + 1);
        self.scenes.push(Scene { title: text(fr, en), items: Vec::new() });
    }

    pub fn say(&mut self, fr: impl Into<String>, en: impl Into<String>) {
        let said = text(fr, en);
        println!("   {}\n   {}", said.fr, said.en);
        self.push(Item::Said(said));
    }

    /// Something that should hold. The tour goes on and fails at its end when it does not.
    pub fn claim(&mut self, holds: bool, fr: impl Into<String>, en: impl Into<String>) {
        let claim = text(fr, en);
        println!("   {} {}\n     {}", if holds { '✓' } else { '✗' }, claim.fr, claim.en);
        self.push(Item::Claim(claim, holds));
    }

    pub fn quote(&mut self, said: &str) {
        said.lines().for_each(|line| println!("   | {line}"));
        self.push(Item::Quoted(said.to_owned()));
    }

    pub fn not_built(&mut self, fr: &str, en: &str) {
        let missing = text(format!("Pas encore construit : {fr}"), format!("Not built yet: {en}"));
        println!("   ◌ {}\n     {}", missing.fr, missing.en);
        self.push(Item::NotBuilt(missing));
    }

    /// A screenshot, if it was made.
    pub fn picture(&mut self, name: Option<String>, fr: &str, en: &str) {
        if let Some(name) = name {
            let there = fs::metadata(self.folder.join(&name)).is_ok_and(|file| file.len() > 0);
            self.push(Item::Picture(name.into(), text(fr, en)));
            if !there {
                self.claim(false, "La capture d'écran a été faite.", "The screenshot was made.");
            }
        }
    }

    /// The tour could not go on.
    pub fn broken(&mut self, why: &str) {
        self.broken = Some(format!("the tour could not go on: {why}"));
    }

    /// Everything that does not hold.
    pub fn faults(&self) -> Vec<String> {
        let claims = self.scenes.iter().flat_map(|scene| &scene.items).filter_map(|item| match item {
            Item::Claim(claim, false) => Some(claim.en.clone()),
            _ => None,
        });
        claims.chain(self.broken.clone()).collect()
    }

    fn push(&mut self, item: Item) {
        if let Some(scene) = self.scenes.last_mut() {
            scene.items.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_hold_and_what_breaks_the_tour_are_its_faults() {
        let folder = tempfile::tempdir().unwrap();
        let mut story = Story::begin(folder.path()).unwrap();
        story.scene("question", "question");
        story.claim(true, "oui", "yes");
        story.not_built("plus tard.", "later.");
        assert!(story.faults().is_empty(), "a part that is not built yet is no fault");
        story.claim(false, "non", "no");
        story.picture(Some("absent.png".into()), "rien", "nothing");
        story.broken("a socket");
        assert_eq!(story.faults(), ["no", "The screenshot was made.", "the tour could not go on: a socket"]);
    }
}
