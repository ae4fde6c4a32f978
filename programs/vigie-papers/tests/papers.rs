//! Papers printed by the real program and read back by others: text by pdftotext, structure by qpdf, codes by rqrr.

mod reading;

use documents::{Language, Paper, PapersError, RenderLimits, Says, examples, render};
use domain::{Sensitive, limit::PAPER_JSON_BYTES_MAX};
use reading::{checked, codes, pages, text, words_outside};
use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_vigie-papers");
/// What a stranger may write: marks of Typst, of HTML, of a shell, ends of strings, controls, marks of direction.
const HOSTILE: &str = "#panic(\"1\") #import \"x\": * $ x^2 $ *b* _i_ = t \\ @r <l> `r` // c /* ' ] [ } { ) ( ~ --- #eval(\"1\") </dc:title> $(id) %s \u{0}\u{7}\u{1b}\u{202e}abc\u{2066}\u{200b}\u{feff}";

fn printed(paper: &Paper) -> Vec<u8> {
    render(Path::new(PROGRAM), paper, RenderLimits::default()).unwrap()
}

/// Without spaces, line ends and no-break spaces.
fn squeezed(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace()).collect()
}

fn contains(text: &str, said: &str) {
    assert!(squeezed(text).contains(&squeezed(said)), "`{said}` is missing in:\n{text}");
}

/// What each paper must say: (kind, French, English).
const MUST: [(&str, &[&str], &[&str]); 8] = [
    (
        "delivery",
        &[
            "Procès-verbal de remise",
            "R253-5",
            "Nombre d'exemplaires",
            "19",
            "Le remettant",
            "Le destinataire",
            "INTACT",
        ],
        &["Handover report", "R253-5", "Copies", "19", "Handed over by", "Received by", "INTACT"],
    ),
    ("letter", &["Objet :", "Madame, Monsieur", "ne peut y donner suite"], &["Object:", "cannot comply with it"]),
    (
        "destruction",
        &["Certificat de destruction", "L252-5", "Échéance", "24", "Ce qui reste", "vigie-verify log"],
        &["Certificate of destruction", "L252-5", "Deadline", "24", "What is left", "vigie-verify log"],
    ),
    ("exports", &["Journal des exports", "R253-5"], &["Journal of exports", "R253-5"]),
    (
        "hold_end",
        &["Certificat de fin de gel", "G-0007", "10 301", "Chaque copie du trousseau"],
        &["Certificate of the end of a hold", "G-0007", "10 301", "Every copy of the keyring"],
    ),
    (
        "access",
        &["R253-6", "L253-5", "CNIL", "Commission départementale", "Tribunal administratif", "RGPD, art. 15"],
        &["R253-6", "L253-5", "CNIL", "Departmental commission", "Administrative court", "GDPR, art. 15"],
    ),
    (
        "constat",
        &[
            "Protocole de constat",
            "Le réseau est coupé",
            "vigie-verify evidence",
            "Contre-épreuve",
            "Constat dressé par",
        ],
        &["Protocol of a constat", "The network is off", "vigie-verify evidence", "Counter-check", "Drawn up by"],
    ),
    (
        "report",
        &["Rapport du dossier d'images", "R253-5", "INTACT", "manifeste.json", "Lacunes et leur cause"],
        &["Report of the package", "R253-5", "INTACT", "manifeste.json", "Gaps and their causes"],
    ),
];

#[test]
fn each_paper_whole_and_bare_in_both_languages_is_printed_and_says_what_it_must() {
    for (kind, fr, en) in MUST {
        for (language, must) in [(Language::Fr, fr), (Language::En, en)] {
            for paper in [examples::full(kind, language), examples::minimal(kind, language)] {
                let pdf = printed(&paper);
                assert_standards(&pdf, language);
                checked(&pdf);
                let Some(text) = text(&pdf) else { continue };
                for said in must.iter().chain(&[paper.town.name.as_str(), paper.reference.as_str()]) {
                    contains(&text, said);
                }
                let pages = pages(&text);
                for page in 1..=pages {
                    contains(&text, &format!("Page {page}/{pages}"));
                }
                assert_eq!(words_outside(&pdf), Vec::<String>::new(), "{kind}");
            }
        }
    }
}

/// The metadata stand in clear.
fn assert_standards(pdf: &[u8], language: Language) {
    let clear = String::from_utf8_lossy(pdf);
    let code = if language == Language::Fr { "fr-FR" } else { "en-GB" };
    for said in [
        "%PDF-1.7",
        "<pdfaid:part>3</pdfaid:part>",
        "<pdfaid:conformance>B</pdfaid:conformance>",
        "<pdfuaid:part>1</pdfuaid:part>",
        "<dc:title>",
        &format!("<rdf:li>{code}</rdf:li>"),
    ] {
        assert!(clear.contains(said), "{said}");
    }
}

#[test]
fn every_text_of_a_paper_is_printed_and_none_is_interpreted() {
    for kind in examples::KINDS {
        let paper = serde_json::to_value(examples::full(kind, Language::Fr)).unwrap();
        let (paper, marks) = with_marks(paper);
        assert!(marks > 5, "{kind}: {marks}");
        let pdf = printed(&serde_json::from_value(paper).unwrap());
        checked(&pdf);
        let Some(text) = text(&pdf) else { continue };
        let text = squeezed(&text);
        for mark in 0..marks {
            assert!(text.contains(&format!("Q{mark}Q")), "{kind}: text {mark} is missing");
        }
    }
}

/// Each text that may be any gets a mark and what a stranger writes.
fn with_marks(paper: Value) -> (Value, usize) {
    let (mut made, mut marks) = (paper.clone(), 0);
    for path in texts(&paper, String::new()) {
        let mut tried = made.clone();
        *tried.pointer_mut(&path).unwrap() = Value::String(format!("Q{marks}Q{HOSTILE}"));
        if serde_json::from_value::<Paper>(tried.clone()).is_ok() {
            (made, marks) = (tried, marks + 1);
        }
    }
    (made, marks)
}

fn texts(value: &Value, path: String) -> Vec<String> {
    match value {
        Value::String(_) => vec![path],
        Value::Array(items) => {
            items.iter().enumerate().flat_map(|(at, item)| texts(item, format!("{path}/{at}"))).collect()
        }
        Value::Object(fields) => fields.iter().flat_map(|(name, item)| texts(item, format!("{path}/{name}"))).collect(),
        _ => vec![],
    }
}

fn letter(paragraph: &str) -> Paper {
    let mut paper = examples::full("letter", Language::Fr);
    if let Says::Letter(letter) = &mut paper.says {
        letter.paragraphs = vec![Sensitive::new(paragraph.to_owned())];
    }
    paper
}

#[test]
fn what_a_stranger_wrote_is_printed_and_never_interpreted() {
    let Some(text) = text(&printed(&letter(HOSTILE))) else { return };
    let shown = HOSTILE
        .chars()
        .map(|letter| match letter {
            '\u{0}' | '\u{7}' | '\u{1b}' | '\u{202e}' | '\u{2066}' | '\u{200b}' | '\u{feff}' => {
                format!("[U+{:04X}]", u32::from(letter))
            }
            letter => letter.to_string(),
        })
        .collect::<String>();
    contains(&text, &shown);
}

#[test]
fn a_word_that_never_ends_and_a_text_that_hardly_does_stay_on_the_page() {
    let word = "0123456789abcdef".repeat(200);
    let long = "Une phrase de trente-six caractères. ".repeat(2_800); // 100 kB
    let unbroken = "x".repeat(50_000);
    for given in [&word, &long, &unbroken, &"\n".repeat(3_000), &"é\u{301}".repeat(5_000)] {
        let pdf = printed(&letter(given));
        if let Some(text) = text(&pdf) {
            let read: usize = squeezed(&text).len();
            assert!(read >= squeezed(given).chars().count(), "{read}");
        }
        assert_eq!(words_outside(&pdf), Vec::<String>::new());
    }
    let mut report = examples::full("delivery", Language::Fr);
    if let Says::Delivery(says) = &mut report.says {
        says.segments[0].footage.camera = word.clone();
        says.gaps[0].cause = word.clone();
        says.files[0].path = word.clone();
        says.medium = word.clone();
        says.executed.name = Sensitive::new(word.clone());
        says.recipient = Sensitive::new(word.repeat(4));
    }
    (report.town.name, report.reference) = (word.clone(), word);
    let pdf = printed(&report);
    checked(&pdf);
    assert_eq!(words_outside(&pdf), Vec::<String>::new());
}

#[test]
fn a_journal_of_three_hundred_exports_has_its_header_on_each_page() {
    let mut paper = examples::full("exports", Language::Fr);
    paper.says = Says::Exports(Box::new(examples::journal(300)));
    let Some(text) = text(&printed(&paper)) else { return };
    let pages = pages(&text);
    assert!(pages > 10, "{pages}");
    assert_eq!(text.matches("Exécuté par, avec").count(), pages);
    for number in 1..=300 {
        contains(&text, &format!("2026-{number:04}"));
    }
}

#[test]
fn the_same_paper_has_the_same_bytes() {
    for kind in examples::KINDS {
        let paper = examples::full(kind, Language::Fr);
        assert!(printed(&paper) == printed(&paper), "{kind}");
    }
}

#[test]
fn the_code_on_the_report_reads_back_as_the_digest_that_is_printed() {
    for kind in ["delivery", "constat", "report"] {
        let paper = examples::full(kind, Language::En);
        let digest = match &paper.says {
            Says::Delivery(delivery) => delivery.package.sha256,
            Says::Constat(constat) => constat.sha256,
            Says::Report(report) => report.list,
            _ => unreachable!("three papers have a code"),
        };
        let pdf = printed(&paper);
        if let Some(text) = text(&pdf) {
            contains(&text, &digest.to_string());
        }
        if let Some(codes) = codes(&pdf) {
            assert_eq!(codes, [digest.to_string()], "{kind}");
        }
    }
}

#[test]
fn every_word_of_the_register_has_its_words_in_both_languages() {
    use documents::access::{AccessOutcome, Regime};
    use domain::requisition::{Ground, Means, Outcome, Quality};
    for language in [Language::Fr, Language::En] {
        for at in 0..Means::ALL.len().max(Quality::ALL.len()) {
            let mut paper = examples::full("delivery", language);
            if let Says::Delivery(says) = &mut paper.says {
                says.means = Means::ALL[at % Means::ALL.len()];
                says.authority.quality = Quality::ALL[at % Quality::ALL.len()];
                if let Some(answer) = &mut says.answer {
                    answer.outcome = Outcome::ALL[at % Outcome::ALL.len()];
                    answer.ground = Some(Ground::ALL[at % Ground::ALL.len()]);
                }
            }
            printed(&paper);
        }
        for (at, outcome) in AccessOutcome::ALL.into_iter().enumerate() {
            let mut paper = examples::full("access", language);
            if let Says::Access(says) = &mut paper.says {
                (says.outcome, says.regime) = (outcome, [Regime::General, Regime::Police][at % 2]);
            }
            printed(&paper);
        }
    }
}

#[test]
fn what_is_too_large_or_no_paper_is_refused_in_one_line_without_being_repeated() {
    let too_large = " ".repeat(PAPER_JSON_BYTES_MAX + 1);
    for (given, said) in [(too_large.as_str(), "bytes"), ("{\"Dupont\": 1}", "no paper"), ("", "no paper")] {
        let mut child =
            Command::new(PROGRAM).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let words = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{words}");
        assert!(words.contains(said) && words.lines().count() == 1 && !words.contains("Dupont"), "{words}");
    }
    let mut paper = examples::minimal("letter", Language::Fr);
    paper.format = 9;
    let refused = render(Path::new(PROGRAM), &paper, RenderLimits::default());
    assert!(matches!(&refused, Err(PapersError::NotPrinted { words, .. }) if words.contains("format")), "{refused:?}");
}
