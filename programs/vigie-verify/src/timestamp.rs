//! What `vigie-verify evidence` says of a package's timestamp: sentences in both languages, and JSON.

use crate::cli::pick;
use domain::UtcMicros;
use evidence::{
    Told,
    stamp::{NotCheckable, Outcome, Stamp},
};

/// What a time in whole seconds may hide, where the authority says no accuracy.
const SECOND_MICROS: u64 = 1_000_000;

/// One line each. What is refused is told among the findings.
pub fn lines(told: &Told) -> Vec<String> {
    let Some(outcome) = &told.timestamp else {
        return vec![pick(
            "  aucun horodatage : seul le registre de la commune dit quand ce dossier a été remis".into(),
            "  no timestamp: only the town's log says when this package was handed over".into(),
        )];
    };
    let (said, not_checkable) = match outcome {
        Outcome::Good { stamp, root, not_checkable } => (
            pick(
                format!("  horodaté {} ; racine « {root} », à laquelle vous vous fiez", by_fr(stamp)),
                format!("  timestamp {}; root `{root}`, which you trust", by_en(stamp)),
            ),
            not_checkable,
        ),
        Outcome::NoRoot { stamp, issuer, not_checkable } => (
            pick(
                format!(
                    "  horodatage {} : l'empreinte et la signature tiennent. PAS ENCORE FIABLE : il faut se fier à « {issuer} » ; obtenez son certificat d'ailleurs que de ce dossier et donnez --tsa-root",
                    by_fr(stamp)
                ),
                format!(
                    "  timestamp {}: imprint and signature hold. NOT TRUSTED YET: who must be trusted is `{issuer}`; get its certificate from elsewhere than this package and give --tsa-root",
                    by_en(stamp)
                ),
            ),
            not_checkable,
        ),
        Outcome::Refused { .. } => {
            return vec![pick("  horodatage refusé : voir ci-dessous".into(), "  timestamp refused: see below".into())];
        }
    };
    let ahead = ahead(outcome, told.handed_over).map(|micros| {
        pick(
            format!(
                "    l'horloge de la commune avançait d'au moins {} : elle inscrit la remise après cet horodatage",
                seconds(micros, ",")
            ),
            format!(
                "    the town's clock was ahead by {} at least: it entered the handover after this timestamp",
                seconds(micros, ".")
            ),
        )
    });
    std::iter::once(said).chain(not_checkable.iter().map(unknown)).chain(ahead).collect()
}

/// What is stamped holds the entry of the handover, so that one was made before: where the entry says a later time, the town's clock
/// was wrong by the difference. Only an authority that the reader trusts says so.
fn ahead(outcome: &Outcome, handed_over: Option<UtcMicros>) -> Option<u64> {
    let Outcome::Good { stamp, .. } = outcome else { return None };
    let latest = stamp.at.plus_micros(stamp.accuracy_micros.unwrap_or(SECOND_MICROS).try_into().ok()?);
    u64::try_from(handed_over?.since(latest)).ok().filter(|micros| *micros > 0)
}

pub fn as_json(told: &Told) -> serde_json::Value {
    let Some(outcome) = &told.timestamp else { return serde_json::Value::Null };
    let stamp = outcome.stamp().map(|stamp| {
        serde_json::json!({
            "at": stamp.at.to_string(),
            "accuracy_micros": stamp.accuracy_micros,
            "authority": stamp.authority,
            "serial": stamp.serial,
            "policy": stamp.policy,
            "says_qualified": stamp.is_qualified,
        })
    });
    let revocation = |not_checkable: &[NotCheckable]| {
        let one = |one: &NotCheckable| serde_json::json!({ "certificate": one.certificate, "why": one.why.name() });
        not_checkable.iter().map(one).collect::<Vec<_>>()
    };
    match outcome {
        Outcome::Good { root, not_checkable, .. } => serde_json::json!({
            "verdict": "good", "stamp": stamp, "root": root, "revocation_not_checkable": revocation(not_checkable),
            "town_clock_ahead_micros": ahead(outcome, told.handed_over).unwrap_or_default(),
        }),
        Outcome::NoRoot { issuer, not_checkable, .. } => serde_json::json!({
            "verdict": "no-root", "stamp": stamp, "issuer": issuer, "revocation_not_checkable": revocation(not_checkable),
        }),
        Outcome::Refused { refusal, .. } => serde_json::json!({
            "verdict": "refused", "stamp": stamp, "name": refusal.name(), "code": refusal.code(),
        }),
    }
}

fn by_fr(stamp: &Stamp) -> String {
    let qualified = if stamp.is_qualified { " (se dit qualifié, règlement (UE) n° 910/2014)" } else { "" };
    let accuracy = stamp.accuracy_micros.map_or_else(|| "précision non dite".into(), |micros| within(micros, ","));
    format!("le {} ({accuracy}) par « {} »{qualified}", instant(stamp.at), stamp.authority)
}

fn by_en(stamp: &Stamp) -> String {
    let qualified = if stamp.is_qualified { " (says that it is qualified, Regulation (EU) 910/2014)" } else { "" };
    let accuracy = stamp.accuracy_micros.map_or_else(|| "accuracy not said".into(), |micros| within(micros, "."));
    format!("of {} ({accuracy}) by `{}`{qualified}", instant(stamp.at), stamp.authority)
}

fn instant(at: UtcMicros) -> String {
    at.to_string()
}

fn within(micros: u64, mark: &str) -> String {
    format!("± {}", seconds(micros, mark))
}

/// `1,5 s`
fn seconds(micros: u64, mark: &str) -> String {
    let fraction = format!("{:06}", micros % 1_000_000);
    let fraction = fraction.trim_end_matches('0');
    let mark = if fraction.is_empty() { "" } else { mark };
    format!("{}{mark}{fraction} s", micros / 1_000_000)
}

fn unknown(one: &NotCheckable) -> String {
    pick(
        format!("    révocation non vérifiable pour « {} » : {}", one.certificate, one.why.text_fr()),
        format!("    revocation not checkable for `{}`: {}", one.certificate, one.why.text_en()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accuracy_is_said_in_seconds_without_zeros() {
        for (micros, said) in [(1_000_000, "± 1 s"), (1_500_100, "± 1,5001 s"), (20, "± 0,00002 s"), (0, "± 0 s")] {
            assert_eq!(within(micros, ","), said);
        }
    }

    #[test]
    fn a_handover_that_is_entered_after_its_timestamp_shows_a_clock_that_is_ahead() {
        let at = UtcMicros::from_seconds(1_773_324_000);
        let stamp = |accuracy_micros| Stamp {
            at,
            accuracy_micros,
            authority: String::new(),
            serial: evidence::Hex(vec![1]),
            policy: String::new(),
            is_qualified: false,
        };
        let good = |accuracy| Outcome::Good { stamp: stamp(accuracy), root: String::new(), not_checkable: vec![] };
        assert_eq!(ahead(&good(Some(500_000)), Some(at.plus_micros(700_000))), Some(200_000));
        assert_eq!(ahead(&good(None), Some(at.plus_micros(700_000))), None);
        assert_eq!(ahead(&good(None), Some(at.plus_seconds(-60))), None);
        assert_eq!(ahead(&good(None), None), None);
        let issuer = String::new();
        let untrusted = Outcome::NoRoot { stamp: stamp(None), issuer, not_checkable: vec![] };
        assert_eq!(ahead(&untrusted, Some(at.plus_seconds(60))), None);
    }
}
