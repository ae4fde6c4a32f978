//! Instants and spans as papers write them: in the time of Paris, with its distance to UTC, so that the hour that comes twice in
//! October is told apart.

use documents::Language;
use jiff::{
    Timestamp, Zoned,
    tz::{TimeZone, TimeZoneDatabase},
};
use std::sync::OnceLock;
use typst::foundations::{Datetime, Dict, dict};

const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

/// `short`: for tables; `long`: for sentences; `day`: without the clock.
pub fn forms(at: Timestamp, language: Language) -> Dict {
    let local = paris(at);
    dict! {
        "short" => short(&local, language),
        "long" => long(&local, language),
        "day" => day_in_words(&local, language),
    }
}

/// A span in one line, and how long it is.
pub fn span(from: Timestamp, to: Timestamp, language: Language) -> Dict {
    let (begins, ends) = (paris(from), paris(to));
    let words = if begins.date() == ends.date() && begins.offset() == ends.offset() {
        let (day, zone) = (day(&begins, language), zone(&begins));
        match language {
            Language::Fr => format!("{day}, de {} à {} ({zone})", clock(&begins), clock(&ends)),
            Language::En => format!("{day}, {} to {} ({zone})", clock(&begins), clock(&ends)),
        }
    } else {
        match language {
            Language::Fr => format!("du {} au {}", short(&begins, language), short(&ends, language)),
            Language::En => format!("{} to {}", short(&begins, language), short(&ends, language)),
        }
    };
    dict! { "span" => words, "lasts" => lasts(to.as_second().saturating_sub(from.as_second()), language) }
}

/// For the PDF's own metadata.
pub fn datetime(at: Timestamp) -> Option<Datetime> {
    let utc = at.to_zoned(TimeZone::UTC);
    let (month, day) = (utc.month().try_into().ok()?, utc.day().try_into().ok()?);
    let clock = [utc.hour(), utc.minute(), utc.second()].map(|part| u8::try_from(part).unwrap_or_default());
    Datetime::from_ymd_hms(utc.year().into(), month, day, clock[0], clock[1], clock[2])
}

fn paris(at: Timestamp) -> Zoned {
    static PARIS: OnceLock<TimeZone> = OnceLock::new();
    let zone = PARIS.get_or_init(|| {
        let paris = TimeZoneDatabase::bundled().get("Europe/Paris");
        paris.expect("jiff's feature tzdb-bundle-always compiles Europe/Paris in")
    });
    at.to_zoned(zone.clone())
}

fn short(at: &Zoned, language: Language) -> String {
    format!("{} {} ({})", day(at, language), clock(at), zone(at))
}

fn long(at: &Zoned, language: Language) -> String {
    let (hour, minute) = (at.hour(), at.minute());
    match language {
        Language::Fr => format!("{} à {hour} h {minute:02} ({})", day_in_words(at, language), zone(at)),
        Language::En => format!("{} at {hour:02}:{minute:02} ({})", day_in_words(at, language), zone(at)),
    }
}

fn day(at: &Zoned, language: Language) -> String {
    let form = if language == Language::Fr { "%d/%m/%Y" } else { "%Y-%m-%d" };
    at.strftime(form).to_string()
}

fn day_in_words(at: &Zoned, language: Language) -> String {
    let month = MONTHS[at.month() as usize - 1];
    match (language, at.day()) {
        (Language::Fr, 1) => format!("1er {month} {}", at.year()),
        (Language::Fr, day) => format!("{day} {month} {}", at.year()),
        (Language::En, day) => format!("{day} {}", at.strftime("%B %Y")),
    }
}

fn clock(at: &Zoned) -> String {
    at.strftime("%H:%M:%S").to_string()
}

fn zone(at: &Zoned) -> String {
    let minutes = at.offset().seconds() / 60;
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("UTC{hours:+}"),
        // before 1911 Paris had a time of its own
        (hours, minutes) => format!("UTC{hours:+}:{:02}", minutes.abs()),
    }
}

fn lasts(seconds: i64, language: Language) -> String {
    let day = if language == Language::Fr { "j" } else { "d" };
    let parts = [(seconds / 86_400, day), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<String> =
        parts.iter().filter(|(count, _)| *count != 0).map(|(count, unit)| format!("{count}\u{a0}{unit}")).collect();
    if said.is_empty() { "0\u{a0}s".into() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn field(forms: &Dict, name: &str) -> String {
        forms.get(name).unwrap().clone().cast::<typst::foundations::Str>().unwrap().to_string()
    }

    #[test]
    fn an_instant_is_written_in_the_time_of_paris_with_its_distance_to_utc() {
        let forms_of = |text, language| {
            let forms = forms(at(text), language);
            ["short", "long", "day"].map(|name| field(&forms, name))
        };
        assert_eq!(
            forms_of("2026-03-12T14:00:03.25Z", Language::Fr),
            ["12/03/2026 15:00:03 (UTC+1)", "12 mars 2026 à 15 h 00 (UTC+1)", "12 mars 2026"]
        );
        assert_eq!(
            forms_of("2026-07-31T22:05:00Z", Language::Fr),
            ["01/08/2026 00:05:00 (UTC+2)", "1er août 2026 à 0 h 05 (UTC+2)", "1er août 2026"]
        );
        assert_eq!(
            forms_of("2026-07-31T22:05:00Z", Language::En),
            ["2026-08-01 00:05:00 (UTC+2)", "1 August 2026 at 00:05 (UTC+2)", "1 August 2026"]
        );
    }

    #[test]
    fn a_span_within_a_day_names_it_once_and_one_over_the_change_of_clocks_both_times() {
        let said = |from, to, language| {
            let forms = span(at(from), at(to), language);
            (field(&forms, "span"), field(&forms, "lasts"))
        };
        assert_eq!(
            said("2026-03-12T14:00:00Z", "2026-03-12T14:10:00Z", Language::Fr),
            ("12/03/2026, de 15:00:00 à 15:10:00 (UTC+1)".into(), "10\u{a0}min".into())
        );
        let changed = said("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", Language::Fr);
        assert_eq!(changed.0, "du 25/10/2026 02:30:00 (UTC+2) au 25/10/2026 02:30:00 (UTC+1)");
        assert_eq!(changed.1, "1\u{a0}h");
        let days = said("2026-03-12T22:59:59Z", "2026-03-14T00:00:00Z", Language::En);
        assert_eq!(days.0, "2026-03-12 23:59:59 (UTC+1) to 2026-03-14 01:00:00 (UTC+1)");
        assert_eq!(days.1, "1\u{a0}d 1\u{a0}h 1\u{a0}s");
    }
}
