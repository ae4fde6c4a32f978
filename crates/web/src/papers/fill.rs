//! What the keeper tells, as papers have it.

use documents::{Article, At, Destruction, EndOfHold, Exports, Footage, Language, Letter, LogProof, Sha256, exports};
use domain::{Role, Sensitive, Span};
use keeper::wire::{
    access::AccessView,
    exports::RequisitionView,
    papers::{DestructionPaper, ExportLine, HoldPaper, PaperTown, Pictures, TownPerson},
};

/// Of the two languages the paper's.
pub fn pick<T>(language: Language, fr: T, en: T) -> T {
    match language {
        Language::Fr => fr,
        Language::En => en,
    }
}

pub fn footage(of: Pictures) -> Footage {
    Footage { camera: of.camera, place: of.place, from: At(of.span.from()), to: At(of.span.to()) }
}

pub fn log(town: &PaperTown) -> LogProof {
    let (size, root) = town.checkpoint.map(|(size, root)| (size, Sha256(root.0))).unzip();
    LogProof { key: town.log_key.clone(), size, root, ..LogProof::default() }
}

/// In what quality somebody of the town acted.
pub fn quality(role: &str, language: Language) -> &'static str {
    let (fr, en) = match role.parse::<Role>() {
        Ok(Role::Elected) => ("élu", "elected"),
        Ok(Role::MunicipalPolice) => ("police municipale", "municipal police"),
        Ok(Role::Operator) => ("opérateur vidéo", "video operator"),
        Ok(Role::StateAgent) => ("agent de l'État", "agent of the State"),
        Ok(Role::OtherAuthority) => ("autre autorité publique", "other public authority"),
        Ok(Role::PremisesAgent) => ("agent du responsable", "agent of the controller"),
        Ok(Role::PrivateOperator) => ("opérateur privé", "private operator"),
        Ok(Role::Dpo) => ("délégué à la protection des données", "data-protection officer"),
        Ok(Role::Inspector) => ("contrôleur", "inspector"),
        Ok(Role::Administrator) => ("administrateur", "administrator"),
        Err(_) => ("", ""),
    };
    pick(language, fr, en)
}

/// The register's own paragraphs, the first one the object.
fn letter(
    (fr, en): &(Vec<String>, Vec<String>),
    recipient: Vec<String>,
    their_reference: String,
    language: Language,
) -> Letter {
    let said = pick(language, fr, en);
    let object = said.first().map(String::as_str).unwrap_or_default();
    let object = object.strip_prefix(pick(language, "Objet : ", "Object: ")).unwrap_or(object);
    Letter {
        recipient: recipient.into_iter().filter(|line| !line.trim().is_empty()).map(Sensitive::new).collect(),
        their_reference,
        object: Sensitive::new(object.to_owned()),
        paragraphs: said.iter().skip(1).cloned().map(Sensitive::new).collect(),
        grounds: Vec::<Article>::new(), // they stand in the paragraphs, which the register shows
        appeals: Vec::new(),
        enclosures: Vec::new(),
        signed_as: pick(language, "Pour la commune", "For the town").into(),
        signatory: Sensitive::default(),
    }
}

/// `None`: it is not answered, or with all.
pub fn requisition_letter(view: &RequisitionView, language: Language) -> Option<Letter> {
    let authority = &view.requisition.says.authority;
    let recipient = vec![authority.name.reveal().clone(), authority.service.clone(), authority.court.clone()];
    Some(letter(view.letter.as_ref()?, recipient, view.requisition.says.procedure.clone(), language))
}

/// `None`: it is not answered.
pub fn access_letter(view: &AccessView, language: Language) -> Option<Letter> {
    let says = &view.request.says;
    let lines = says.contact.reveal().lines().map(str::to_owned);
    let recipient = std::iter::once(says.person.reveal().clone()).chain(lines).collect();
    Some(letter(view.letter.as_ref()?, recipient, String::new(), language))
}

pub fn hold_number(number: u32) -> String {
    format!("G-{number:04}")
}

pub fn end_of_hold(hold: HoldPaper, town: &PaperTown, language: Language) -> EndOfHold {
    let [made_entries, end_entries, death_entries] = hold.entries;
    EndOfHold {
        number: hold_number(hold.number),
        opened: At(hold.opened),
        requester: hold.requester,
        windows: hold.pictures.into_iter().map(footage).collect(),
        requisition: hold.requisition,
        ended: At(hold.ended),
        whys: hold.whys,
        destroyed: At(hold.destroyed),
        made_entries,
        end_entries,
        death_entries,
        log: log(town),
        reservation: pick(language, hold.custodian.0, hold.custodian.1),
    }
}

/// `None`: the log does not say all of it any more.
pub fn destruction(dead: DestructionPaper, town: &PaperTown, language: Language) -> Option<Destruction> {
    let deaths = || dead.hours.iter().filter_map(|hour| hour.destroyed_at);
    let (first, last) = (deaths().min()?, deaths().max()?);
    let deadline = dead.hours.iter().filter_map(|hour| hour.deadline).max()?;
    let days = dead.hours.iter().filter_map(|hour| Some(hour.deadline?.since(hour.hour.start()) / DAY_MICROS)).max()?;
    let kind = match dead.kind.as_str() {
        "file" => pick(language, "fichiers du trousseau", "files of the keyring"),
        "pkcs11-device" => pick(language, "jeton PKCS#11 matériel", "PKCS#11 token, a device"),
        "pkcs11-software" => pick(language, "jeton PKCS#11 logiciel", "PKCS#11 token, software"),
        other => other,
    };
    let early = pick(
        language,
        "avant l'échéance pour une part : un ordre d'effacer, ou le manque de place, que le registre nomme",
        "in part before the deadline: an order to erase, or want of room, which the log names",
    );
    let at_deadline = pick(language, "échéance du délai de conservation", "end of the retention period");
    Some(Destruction {
        hours: dead.hours.len() as u64,
        retention_days: u16::try_from(days).ok()?,
        deadline: At(deadline),
        first: At(first),
        last: At(last),
        cause: if dead.early { early } else { at_deadline }.into(),
        condemned: dead.condemned.clone(),
        destroyed: dead.destroyed.clone(),
        log: log(town),
        custodian: kind.into(),
        // an entry says so once every copy was read back (K10)
        copies_confirmed: dead.copies,
        copies: dead.copies,
        reservation: pick(language, dead.custodian.0.clone(), dead.custodian.1.clone()),
        residual_bytes: dead.residual_bytes,
        holds: dead.holds.iter().map(|number| hold_number(*number)).collect(),
        footage: footage(dead.pictures),
    })
}

const DAY_MICROS: i64 = 86_400 * 1_000_000;

pub fn journal(lines: Vec<ExportLine>, span: Span, log_size: u64, language: Language) -> Exports {
    let name = |person: &Option<TownPerson>| match person {
        // an officer's journal says in what quality, not who
        Some(person) if person.name.reveal().is_empty() => quality(&person.role, language).to_owned(),
        Some(person) => person.name.reveal().clone(),
        None => String::new(),
    };
    let line = |line: ExportLine| exports::ExportLine {
        entry: line.entry,
        at: At(line.opened),
        executed: Sensitive::new(name(&line.executed)),
        second: Sensitive::new(name(&line.second)),
        requisition: line.number,
        framework: line.framework,
        footage: line.pictures.into_iter().map(footage).collect(),
        sha256: line.manifest.map(|digest| Sha256(digest.0)),
        handed: line.delivery.map(|delivery| At(delivery.at)),
    };
    Exports {
        from: At(span.from()),
        to: At(span.to()),
        lines: lines.into_iter().map(line).collect(),
        log_size: Some(log_size),
    }
}
