//! A dossier: papers written down in TOML, one or a town's whole file; read with errors that name the field and the remedy.

mod fields;
mod template;

pub use template::{template, title};

use crate::acts::{About, Draft, is_capacity, is_order, takes_parties};
use domain::{
    ActKind, ActTerms, OrderTerms, Purpose, Role, Sensitive,
    limit::{ACTS_AT_ONCE_MAX, DOSSIER_BYTES_MAX},
};
use fields::Fields;
use toml::{Table, Value};

/// A paper of a dossier, and the file of its scan, as the dossier names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entered {
    pub draft: Draft,
    pub scan_file: Option<String>,
}

/// Why a dossier does not read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{text_en}", place(.nth, "act"))]
pub struct DossierError {
    /// Which act of the file, from 1; none for the file as a whole.
    pub nth: Option<usize>,
    pub text_fr: String,
    pub text_en: String,
}

impl DossierError {
    pub fn text_fr(&self) -> String {
        format!("{}{}", place(&self.nth, "acte"), self.text_fr)
    }

    fn new(text_fr: impl Into<String>, text_en: impl Into<String>) -> DossierError {
        DossierError { nth: None, text_fr: text_fr.into(), text_en: text_en.into() }
    }
}

fn place(nth: &Option<usize>, what: &str) -> String {
    nth.map_or(String::new(), |nth| format!("{what} {nth} : "))
}

/// Reads one paper, whose fields stand at the top, or many, each under `[[act]]`.
pub fn read(text: &str) -> Result<Vec<Entered>, DossierError> {
    if DOSSIER_BYTES_MAX < text.len() {
        return Err(DossierError::new(
            format!("le fichier dépasse {} Kio : importez le dossier en plusieurs fichiers", DOSSIER_BYTES_MAX >> 10),
            format!("the file is above {} KiB: import the dossier as several files", DOSSIER_BYTES_MAX >> 10),
        ));
    }
    let mut table: Table = text.parse().map_err(|error: toml::de::Error| not_toml(text, &error))?;
    let Some(acts) = table.remove("act") else { return Ok(vec![one(table)?]) };
    if let Some(stray) = table.keys().next() {
        return Err(DossierError::new(
            format!("`{stray}` est hors de tout acte : placez-le sous `[[act]]`"),
            format!("`{stray}` stands outside of every act: put it under `[[act]]`"),
        ));
    }
    let Value::Array(acts) = acts else {
        return Err(DossierError::new(
            "`act` : écrivez `[[act]]` avant chaque acte",
            "`act`: write `[[act]]` before each act",
        ));
    };
    if !(1..=ACTS_AT_ONCE_MAX).contains(&acts.len()) {
        return Err(DossierError::new(
            format!("un dossier contient 1 à {ACTS_AT_ONCE_MAX} actes : coupez-le en plusieurs fichiers"),
            format!("a dossier holds 1 to {ACTS_AT_ONCE_MAX} acts: cut it into several files"),
        ));
    }
    let numbered = acts.into_iter().zip(1..);
    numbered
        .map(|(act, nth)| {
            let Value::Table(table) = act else {
                return Err(DossierError::new(
                    "écrivez `[[act]]` avant chaque acte",
                    "write `[[act]]` before each act",
                ));
            };
            one(table).map_err(|error| DossierError { nth: Some(nth), ..error })
        })
        .collect()
}

fn not_toml(text: &str, error: &toml::de::Error) -> DossierError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let (line, what) = (before.matches('\n').count() + 1, error.message());
    DossierError::new(
        format!(
            "ligne {line} : ce n'est pas du TOML ({what}) : corrigez cette ligne ; `vigie act template` donne un modèle"
        ),
        format!("line {line}: not TOML ({what}): correct this line; `vigie act template` gives a model"),
    )
}

fn one(table: Table) -> Result<Entered, DossierError> {
    let mut fields = Fields(table);
    let kind: ActKind = fields.named("kind", &ActKind::ALL.map(ActKind::name))?;
    let entered = Entered {
        draft: Draft {
            kind,
            number: fields.text("number")?,
            signed: fields.date("signed")?,
            signatory: Sensitive::new(fields.text("signatory")?),
            from: fields.date("from")?,
            until: fields.date_or_none("until")?,
            about: about(kind, &mut fields)?,
            terms: terms(kind, &mut fields)?,
            scan: None,
        },
        scan_file: fields.text_or_none("scan")?,
    };
    fields.nothing_left(kind)?;
    Ok(entered)
}

fn about(kind: ActKind, fields: &mut Fields) -> Result<About, DossierError> {
    if is_capacity(kind) {
        return Ok(About::Person(Sensitive::new(fields.text("person")?)));
    }
    Ok(fields.texts_or_none("cameras")?.map_or(About::Site, About::Cameras))
}

fn terms(kind: ActKind, fields: &mut Fields) -> Result<ActTerms, DossierError> {
    Ok(match kind {
        _ if is_order(kind) => ActTerms::Order(OrderTerms {
            prefecture: fields.text("prefecture")?,
            purposes: purposes(fields)?,
            retention_days: fields.count("retention_days")?,
            minimum_hours: fields.count_or_none("minimum_hours")?,
            recipients: fields.texts_or_none("recipients")?.unwrap_or_default(),
            hosting_place: fields.text("hosting_place")?,
            event_end: fields.date_or_none("event_end")?,
        }),
        _ if is_capacity(kind) => ActTerms::Capacity {
            role: fields.named("role", &Role::ALL.map(Role::name))?,
            territory: fields.text("territory")?,
        },
        ActKind::MaskStatement => {
            ActTerms::Masks { preset: fields.text("preset")?, masks: fields.count_or_none("masks")? }
        }
        ActKind::HostingContract => {
            ActTerms::Hosting { place: fields.text("place")?, provider: fields.text("provider")? }
        }
        _ if takes_parties(kind) => ActTerms::Parties { parties: fields.text("parties")? },
        _ => ActTerms::Plain,
    })
}

fn purposes(fields: &mut Fields) -> Result<Vec<Purpose>, DossierError> {
    let purpose = |number: u32| u8::try_from(number).ok().and_then(Purpose::from_number);
    let all: Option<Vec<Purpose>> = fields.counts("purposes")?.into_iter().map(purpose).collect();
    all.ok_or_else(|| {
        DossierError::new(
            "`purposes` : les finalités sont numérotées de 1 à 11 (CSI L251-2) : écrivez par exemple `purposes = [1, 5]`",
            "`purposes`: purposes are numbered 1 to 11 (CSI L251-2): write for example `purposes = [1, 5]`",
        )
    })
}

#[cfg(test)]
mod tests;
