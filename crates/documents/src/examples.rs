//! Papers of a town that does not exist, whole and bare: for tests, for proofs of layout, for whoever fills one in for the first
//! time. Persons have no names here but their office.

use crate::{
    Access, Article, At, Constat, Delivery, Destruction, EndOfHold, Exports, Footage, Language, Letter, LogProof,
    Paper, Report, Says, Sha256, Town,
    access::{AccessOutcome, Regime, Viewing},
    constat::{Opens, Program},
    delivery::{Agent, Authorisation, Authority, CallBack, FileLine, Gap, Package, Reply, Segment},
    exports::ExportLine,
    report::{CopyFile, MovieFile},
};
use domain::{
    HoldEnd, Sensitive, UtcMicros,
    requisition::{Ground, Means, Outcome, Quality},
};

/// The kinds of papers, as JSON and templates name them.
pub const KINDS: [&str; 8] =
    ["delivery", "letter", "destruction", "exports", "hold_end", "access", "constat", "report"];

/// Every field has something in it. Panics: a kind that is none.
pub fn full(kind: &str, language: Language) -> Paper {
    let department = in_words(language, "Département de l'Exemple", "Département of Exemple");
    let service = in_words(language, "Police municipale", "Municipal police");
    let address = vec!["1 place de la Mairie".into(), "00000 Bourg-l'Exemple".into()];
    let town = Town { name: "Commune de Bourg-l'Exemple".into(), department, service, address };
    Paper::new(language, town, "2026/VP/0001", at(0), says(kind, language, true))
}

/// What must be there, and no more. Panics: a kind that is none.
pub fn minimal(kind: &str, language: Language) -> Paper {
    let town = Town { name: "Bourg".into(), ..Town::default() };
    Paper::new(language, town, "", at(0), says(kind, language, false))
}

/// So many seconds after 12 March 2026, 14:00 UTC.
pub fn at(seconds: i64) -> At {
    At(UtcMicros::from_seconds(1_773_324_000 + seconds))
}

/// A journal of so many exports.
pub fn journal(lines: u32) -> Exports {
    let line = |number: u32| {
        let begins = i64::from(number) * 3_600;
        ExportLine {
            entry: 1_000 + u64::from(number) * 7,
            at: at(begins + 86_400),
            requisition: format!("2026-{number:04}"),
            framework: "CPP 77-1-1".into(),
            footage: vec![footage("Place de la Mairie", begins, begins + 600)],
            executed: private("Agent habilité n° 1"),
            second: private("Agent habilité n° 2"),
            sha256: Some(digest(number as u8)),
            handed: Some(at(begins + 90_000)),
        }
    };
    let lines: Vec<ExportLine> = (1..=lines).map(line).collect();
    Exports { from: at(0), to: at(31 * 86_400), lines, log_size: Some(812_345) }
}

fn says(kind: &str, language: Language, whole: bool) -> Says {
    match kind {
        "delivery" => Says::Delivery(Box::new(delivery(language, whole))),
        "letter" => Says::Letter(Box::new(letter(language, whole))),
        "destruction" => Says::Destruction(Box::new(destruction(language, whole))),
        "exports" => Says::Exports(Box::new(Exports {
            log_size: whole.then_some(812_345),
            ..journal(if whole { 12 } else { 0 })
        })),
        "hold_end" => Says::HoldEnd(Box::new(hold_end(language, whole))),
        "access" => Says::Access(Box::new(access(language, whole))),
        "constat" => Says::Constat(Box::new(constat(whole))),
        "report" => Says::Report(Box::new(report(language, whole))),
        unknown => panic!("`{unknown}` is no kind of paper"),
    }
}

fn delivery(language: Language, whole: bool) -> Delivery {
    let mut made = whole_delivery(language);
    if !whole {
        made.authority = Authority { matricule: private(""), service: "".into(), court: "".into(), ..made.authority };
        (made.windows, made.segments, made.gaps, made.files, made.entries) = (vec![], vec![], vec![], vec![], vec![]);
        (made.scan, made.genuine, made.second, made.authorisation, made.receipt) = (None, None, None, None, None);
        (made.own_copy_destroyed, made.answer, made.notes, made.package.bytes) = (None, None, private(""), None);
        (made.log, made.file_format) = (log(false), String::new());
    }
    made
}

fn whole_delivery(language: Language) -> Delivery {
    let agent = |number: u8| Agent {
        name: private(&format!("Agent habilité n° {number}")),
        quality: in_words(language, "chef de service de police municipale", "chief of the municipal police"),
        habilitation: format!("arrêté 2025-{number:03}"),
    };
    Delivery {
        number: "2026-0001".into(),
        received: at(-90_000),
        means: Means::Mail,
        authority: authority(),
        framework: "CPP 77-1-1".into(),
        authorisation: Some(Authorisation::General { signed: at(-40_000_000) }),
        procedure: "PV 2026/000123".into(),
        object: private("Vol avec violences, place de la Mairie"),
        windows: vec![footage("Place de la Mairie", -180_000, -178_200), footage("Gare", -180_000, -178_200)],
        scan: Some(digest(3)),
        genuine: Some(CallBack {
            at: at(-86_000),
            number: "01 00 00 00 00".into(),
            spoken_to: private("le permanent"),
        }),
        validator: private("Le maire"),
        executed: agent(1),
        second: Some(agent(2)),
        segments: segments(),
        gaps: vec![Gap {
            footage: footage("Place de la Mairie", -179_000, -178_990),
            cause: in_words(language, "caméra injoignable", "camera away"),
        }],
        package: Package { name: "2026-0001.zip.age".into(), bytes: Some(1_234_567_890), sha256: digest(1) },
        files: files(),
        log: log(true),
        entries: vec![10_412, 10_418, 10_431],
        file_format: in_words(
            language,
            "MP4 (H.265), lecteur hors ligne joint (lecteur.html)",
            "MP4 (H.265), offline player enclosed (lecteur.html)",
        ),
        medium: in_words(
            language,
            "Disque Blu-ray non réinscriptible, n° BD-00017",
            "Write-once Blu-ray disc, no. BD-00017",
        ),
        key_means: in_words(
            language,
            "Scellé pour la clé publique du service (age1…)",
            "Sealed for the service's public key (age1…)",
        ),
        at: at(0),
        recipient: private("Officier destinataire"),
        quality: in_words(language, "officier de police judiciaire", "officer of the judicial police"),
        receipt: Some(digest(4)),
        copies: 1,
        own_copy_destroyed: Some(at(60)),
        answer: Some(Reply {
            outcome: Outcome::Partial,
            ground: Some(Ground::NeverRecorded),
            reason: private("Dix secondes manquent : la caméra était injoignable."),
        }),
        notes: private("Aucun incident.\nSupport relu après gravure."),
    }
}

fn authority() -> Authority {
    Authority {
        name: private("Officier requérant"),
        quality: Quality::Opj,
        matricule: private("0000001"),
        service: "Commissariat de Bourg-l'Exemple".into(),
        court: "Tribunal judiciaire de l'Exemple".into(),
    }
}

fn segments() -> Vec<Segment> {
    vec![
        segment("Place de la Mairie", -180_000, -179_000),
        segment("Place de la Mairie", -178_990, -178_200),
        segment("Gare", -180_000, -178_200),
    ]
}

fn files() -> Vec<FileLine> {
    let paths =
        ["manifeste.json", "images/place-de-la-mairie-1.mp4", "images/place-de-la-mairie-2.mp4", "images/gare-1.mp4"];
    let line = |(at, path): (usize, &&str)| FileLine {
        path: (*path).into(),
        bytes: 411_522_630,
        sha256: digest(at as u8 + 10),
    };
    paths.iter().enumerate().map(line).collect()
}

fn segment(camera: &str, from: i64, to: i64) -> Segment {
    Segment {
        footage: footage(camera, from, to),
        pictures: Some(25 * (to - from) as u64),
        coding: "H.265, 1920 × 1080".into(),
        masks: "masques v3".into(),
    }
}

fn report(language: Language, whole: bool) -> Report {
    let movie = |nth: i64| MovieFile {
        path: format!("video/camera-1-{nth}.mp4"),
        camera: "Place de la Mairie".into(),
        from: at(-180_000 + nth * 700),
        to: at(-179_400 + nth * 700),
        pictures: 15_000,
        coding: "H.265, 1920 × 1080".into(),
        bytes: 411_522_630,
        sha256: digest(nth as u8),
    };
    let gap = |from, to| Gap {
        footage: footage("Place de la Mairie", from, to),
        cause: in_words(language, "la caméra ne répondait pas", "the camera did not answer"),
    };
    let clock = in_words(
        language,
        "L'heure de chaque image est celle de l'enregistreur à l'arrivée de l'image. Les horloges s'accordaient pendant ces heures.",
        "The time of each picture is the recorder's when the picture arrived. The clocks agreed during these hours.",
    );
    let proof = FileLine { path: "preuves/camera-1.jsonl".into(), bytes: 812_345, sha256: digest(40) };
    let copy = CopyFile {
        path: "visionnage/camera-1-0-copie-pas-une-preuve.mp4".into(),
        of: "video/camera-1-0.mp4".into(),
        lacking: 12,
        bytes: 98_765_432,
        sha256: digest(42),
    };
    Report {
        export: "0f".repeat(16),
        number: "2026-0001".into(),
        framework: "CPP 60-1".into(),
        authority: if whole { "Commissariat de l'Exemple".into() } else { String::new() },
        procedure: if whole { "2026/000123".into() } else { String::new() },
        windows: vec![footage("Place de la Mairie", -180_000, -178_200)],
        movies: if whole { vec![movie(0), movie(1)] } else { vec![] },
        gaps: if whole { vec![gap(-179_400, -179_300)] } else { vec![] },
        proofs: if whole { vec![proof] } else { vec![] },
        copies: if whole { vec![copy] } else { vec![] },
        list: digest(41),
        clock: if whole { clock } else { String::new() },
        log: log(whole),
        program: if whole { "1.0.0".into() } else { String::new() },
    }
}

fn letter(language: Language, whole: bool) -> Letter {
    let words = |fr, en| private(&in_words(language, fr, en));
    let mut made = Letter {
        recipient: vec![
            private("Compagnie d'assurances de l'Exemple"),
            private("2 rue de l'Exemple"),
            private("00000 Bourg-l'Exemple"),
        ],
        their_reference: "SIN-000123".into(),
        object: words(
            "votre demande reçue le 11/03/2026 ; numéro 2026-0001 de notre registre",
            "your request received on 2026-03-11; number 2026-0001 of our register",
        ),
        paragraphs: vec![
            words("Madame, Monsieur,", "Dear Sir or Madam,"),
            words(
                "La commune a examiné votre demande et ne peut y donner suite.",
                "The town has examined your request and cannot comply with it.",
            ),
            words(
                "Les images de vidéoprotection ne sont communiquées qu'aux autorités que la loi désigne. Un assureur ne peut obtenir les images de tiers ; l'officier de police judiciaire ou le magistrat saisi de l'affaire peut les requérir, s'il le fait avant leur destruction.",
                "Footage of video protection is communicated to the authorities that the law names only. An insurer cannot obtain the images of third parties; the officer of the judicial police or the magistrate in charge of the case can require them, before their destruction.",
            ),
        ],
        grounds: vec![
            article(language),
            Article {
                article: "CPP, art. 60-1, 77-1-1, 99-3".into(),
                words: in_words(language, "qui peut requérir des images", "who can require footage"),
            },
        ],
        appeals: vec![
            in_words(
                language,
                "Vous pouvez saisir la commission départementale de vidéoprotection de toute difficulté (CSI, art. L253-5).",
                "You may bring any difficulty before the departmental commission of video protection (CSI, art. L253-5).",
            ),
            in_words(
                language,
                "Vous pouvez saisir la Commission nationale de l'informatique et des libertés.",
                "You may turn to the Commission nationale de l'informatique et des libertés.",
            ),
        ],
        enclosures: vec![in_words(language, "Copie de votre demande", "Copy of your request")],
        signed_as: in_words(language, "Le maire", "The mayor"),
        signatory: private(""),
    };
    if !whole {
        (made.recipient, made.grounds, made.appeals, made.enclosures) = (vec![], vec![], vec![], vec![]);
        (made.their_reference, made.signed_as) = (String::new(), String::new());
    }
    made
}

fn destruction(language: Language, whole: bool) -> Destruction {
    let mut made = Destruction {
        footage: footage("Place de la Mairie", -33 * 86_400, -32 * 86_400),
        hours: 24,
        retention_days: 30,
        deadline: at(-2 * 86_400),
        first: at(-3 * 86_400),
        last: at(-2 * 86_400 - 5),
        cause: in_words(language, "terme du délai de conservation autorisé", "end of the authorised retention"),
        condemned: vec![9_001, 9_040],
        destroyed: vec![9_002, 9_041],
        log: log(whole),
        custodian: in_words(language, "fichiers sur deux supports", "files on two devices"),
        copies_confirmed: 2,
        copies: 2,
        reservation: in_words(
            language,
            "Un support effacé peut garder des traces que seul son constructeur sait lire : la clé y était elle-même chiffrée.",
            "A device may keep traces of what was erased that its maker alone can read: the key there was itself encrypted.",
        ),
        residual_bytes: 10_485_760,
        holds: vec!["G-0007".into()],
    };
    if !whole {
        (made.condemned, made.destroyed, made.holds) = (vec![], vec![], vec![]);
        (made.cause, made.reservation, made.residual_bytes) = (String::new(), String::new(), 0);
    }
    made
}

fn hold_end(language: Language, whole: bool) -> EndOfHold {
    EndOfHold {
        number: "G-0007".into(),
        opened: at(-20 * 86_400),
        requester: private("Commissariat de Bourg-l'Exemple"),
        windows: vec![
            footage("Place de la Mairie", -21 * 86_400, -21 * 86_400 + 600),
            footage("Gare", -21 * 86_400, -21 * 86_400 + 600),
        ],
        requisition: whole.then(|| "2026-0001".into()),
        ended: at(-86_400),
        whys: if whole { HoldEnd::ALL.to_vec() } else { vec![HoldEnd::Deadline] },
        destroyed: at(-86_399),
        made_entries: vec![9_500],
        end_entries: vec![10_300, 10_302],
        death_entries: vec![10_301, 10_303],
        log: log(whole),
        reservation: if whole {
            in_words(language, "Les clés sont gardées dans des fichiers.", "The keys are kept in files.")
        } else {
            String::new()
        },
    }
}

fn access(language: Language, whole: bool) -> Access {
    let words = |fr, en| in_words(language, fr, en);
    let mut made = Access {
        applicant: vec![private("Demandeur"), private("3 rue de l'Exemple"), private("00000 Bourg-l'Exemple")],
        received: at(-10 * 86_400),
        asked: private(&words(
            "Les images de mon passage sur la place de la Mairie, le 1er mars 2026 vers 15 h.",
            "The pictures of my crossing the square of the town hall on 1 March 2026 at about 15:00.",
        )),
        searched: vec![
            footage("Place de la Mairie", -11 * 86_400, -11 * 86_400 + 1_800),
            footage("Gare", -11 * 86_400, -11 * 86_400 + 1_800),
        ],
        outcome: AccessOutcome::Partial,
        found: vec![footage("Place de la Mairie", -11 * 86_400 + 300, -11 * 86_400 + 345)],
        explanation: private(&words(
            "Vous traversez la place du nord au sud.",
            "You cross the square from north to south.",
        )),
        viewing: Some(Viewing {
            place: words("Hôtel de ville, bureau 12", "Town hall, office 12"),
            from: at(5 * 86_400),
            to: at(5 * 86_400 + 3_600),
            how: words("Munissez-vous d'une pièce d'identité.", "Please bring an identity paper."),
        }),
        copy: Some(words("Une copie vous est remise sur place.", "A copy is handed to you there.")),
        others_hidden: true,
        grounds: vec![article(language)],
        kept_until: Some(at(20 * 86_400)),
        regime: Regime::General,
        officer: "dpd@bourg-exemple.example".into(),
        commission: words(
            "Préfecture de l'Exemple, 1 place de la Préfecture, 00000 Exemple",
            "Prefecture of Exemple, 1 place de la Préfecture, 00000 Exemple",
        ),
        signed_as: words("Le maire", "The mayor"),
    };
    if !whole {
        (made.applicant, made.searched, made.found, made.grounds) = (vec![], vec![], vec![], vec![]);
        (made.viewing, made.copy, made.kept_until, made.others_hidden) = (None, None, None, false);
        (made.officer, made.commission, made.signed_as) = (String::new(), String::new(), String::new());
        (made.outcome, made.explanation) = (AccessOutcome::NotFound, private(""));
    }
    made
}

fn constat(whole: bool) -> Constat {
    let program = Program {
        version: "0.1.0".into(),
        sha256: Some(digest(8)),
        address: "https://www.bourg-exemple.example/vigie-verify".into(),
    };
    Constat {
        package: "2026-0001.zip.age".into(),
        sha256: digest(1),
        manifest_sha256: whole.then(|| digest(10)),
        requisition: if whole { "2026-0001".into() } else { String::new() },
        footage: if whole {
            vec![footage("Place de la Mairie", -180_000, -178_200), footage("Gare", -180_000, -178_200)]
        } else {
            vec![]
        },
        log: log(whole),
        opens: if whole { Opens::Key } else { Opens::Clear },
        program: if whole { program } else { Program::default() },
    }
}

fn footage(camera: &str, from: i64, to: i64) -> Footage {
    let place = if camera == "Gare" { "Parvis de la gare" } else { "Angle de la rue de l'Église" };
    Footage { camera: camera.into(), place: place.into(), from: at(from), to: at(to) }
}

fn article(language: Language) -> Article {
    let words = in_words(
        language,
        "L'accès aux images ne s'étend pas à celles des tiers, dont les droits seraient atteints.",
        "Access to pictures does not reach those of others, whose rights it would touch.",
    );
    Article { article: "CSI, art. R253-6, IV".into(), words }
}

fn log(whole: bool) -> LogProof {
    let key = "registre.bourg-exemple.example+0a1b2c3d+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    if !whole {
        return LogProof { key, ..LogProof::default() };
    }
    let address = "https://registre.bourg-exemple.example/".into();
    let witnesses = vec!["temoin.association.example".into(), "temoin.ville-voisine.example".into()];
    LogProof { key, size: Some(10_500), root: Some(digest(9)), address, witnesses }
}

fn digest(seed: u8) -> Sha256 {
    Sha256(std::array::from_fn(|at| seed.wrapping_mul(31).wrapping_add(at as u8 * 7)))
}

fn private(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn in_words(language: Language, fr: &str, en: &str) -> String {
    if language == Language::Fr { fr.into() } else { en.into() }
}
