//! The world that Typst sees: our templates and fonts, compiled in, and the values of one paper. No file, no package, no clock.

use std::sync::OnceLock;
use typst::{
    Library, LibraryExt, World,
    diag::{FileError, FileResult},
    foundations::{Bytes, Datetime, Dict, Duration},
    syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot},
    text::{Font, FontBook},
    utils::LazyHash,
};

/// What all papers have: the page, its head and foot, tables, boxes.
const FRAME: &str = "frame";
/// One template a paper, named as its kind is in JSON.
const TEMPLATES: [(&str, &str); 9] = [
    (FRAME, include_str!("../templates/frame.typ")),
    ("delivery", include_str!("../templates/delivery.typ")),
    ("letter", include_str!("../templates/letter.typ")),
    ("destruction", include_str!("../templates/destruction.typ")),
    ("exports", include_str!("../templates/exports.typ")),
    ("hold_end", include_str!("../templates/hold_end.typ")),
    ("access", include_str!("../templates/access.typ")),
    ("constat", include_str!("../templates/constat.typ")),
    ("report", include_str!("../templates/report.typ")),
];

pub struct PaperWorld {
    library: LazyHash<Library>,
    sources: Vec<Source>,
    main: FileId,
}

/// Fonts, as Typst carries them: Libertinus Serif, DejaVu Sans Mono, New Computer Modern.
pub struct Fonts {
    book: LazyHash<FontBook>,
    pub fonts: Vec<Font>,
}

pub fn fonts() -> &'static Fonts {
    static FONTS: OnceLock<Fonts> = OnceLock::new();
    FONTS.get_or_init(|| {
        let fonts: Vec<Font> = typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
        Fonts { book: LazyHash::new(FontBook::from_fonts(&fonts)), fonts }
    })
}

impl PaperWorld {
    /// The template of this kind, with these values as `sys.inputs`.
    pub fn new(kind: &str, inputs: Dict) -> PaperWorld {
        let sources = TEMPLATES.iter().map(|(name, text)| Source::new(id(name), (*text).to_owned())).collect();
        let library = Library::builder().with_inputs(inputs).build();
        PaperWorld { library: LazyHash::new(library), sources, main: id(kind) }
    }
}

fn id(name: &str) -> FileId {
    let path = VirtualPath::new(format!("{name}.typ")).expect("the name of a template is a path");
    RootedPath::new(VirtualRoot::Project, path).intern()
}

impl World for PaperWorld {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &fonts().book
    }

    fn main(&self) -> FileId {
        self.main
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        self.sources.iter().find(|source| source.id() == id).cloned().ok_or(FileError::AccessDenied)
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        fonts().fonts.get(index).cloned()
    }

    /// The paper's date comes with the paper.
    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
