//! What the auditor's alarms mean and what to do, in both languages.

use crate::{judge::Alarm, verdict::Verdict};
use domain::UtcMicros;
use keeper::wire::{Finding, FindingState};

/// French, English.
pub(crate) type Words = (String, String);

pub(crate) fn finding(id: &str, state: FindingState, (detail_fr, detail_en): Words) -> Finding {
    Finding {
        id: id.into(),
        state,
        title_fr: "Contrôle indépendant de la destruction".into(),
        title_en: "Independent check of destruction".into(),
        detail_fr,
        detail_en,
    }
}

pub(crate) fn of_alarm(alarm: &Alarm, since_seconds: i64) -> Finding {
    let state = match alarm {
        Alarm::Slow { .. } | Alarm::LogStands { .. } => FindingState::Warning,
        _ => FindingState::Alarm,
    };
    let since = UtcMicros::from_seconds(since_seconds);
    let (fr, en) = situation(alarm);
    finding(id(alarm), state, (format!("{fr} Constaté depuis le {since}."), format!("{en} Found since {since}.")))
}

pub(crate) fn no_word() -> Words {
    (
        "Le contrôleur n'a encore rien écrit : nul ne vérifie la destruction. Si cela dure plus d'une minute, lisez le journal technique et redémarrez Vigie.".into(),
        "The auditor has written nothing yet: nobody checks destruction. If that lasts more than a minute, read the technical log and start Vigie again.".into(),
    )
}

pub(crate) fn silent(minutes: i64) -> Words {
    (
        format!(
            "Le contrôleur n'a rien dit depuis {minutes} min : nul ne vérifie la destruction. Vérifiez l'heure de la machine, lisez le journal technique, redémarrez Vigie."
        ),
        format!(
            "The auditor has said nothing for {minutes} min: nobody checks destruction. Check the machine's clock, read the technical log, start Vigie again."
        ),
    )
}

pub(crate) fn in_order(verdict: &Verdict) -> Words {
    let Verdict { hours, slots, .. } = verdict;
    let (mut fr, mut en) = (
        format!(
            "{hours} heure(s) suivies, {slots} emplacement(s) lus : rien n'est en retard, figé ni détruit trop tôt."
        ),
        format!("{hours} hour(s) followed, {slots} slot(s) read: nothing is late, frozen or destroyed too early."),
    );
    if let Some(over) = verdict.over.last() {
        let until = UtcMicros::from_seconds(over.until_seconds);
        fr = format!("{fr} Dernière alerte finie le {until}.");
        en = format!("{en} The last alarm ended on {until}.");
    }
    (fr, en)
}

fn id(alarm: &Alarm) -> &'static str {
    match alarm {
        Alarm::Late { .. } => "retention-late",
        Alarm::Slow { .. } => "retention-slow",
        Alarm::TooFar { .. } => "retention-too-far",
        Alarm::Frozen { .. } => "retention-frozen",
        Alarm::Silent { .. } => "retention-silent",
        Alarm::LogStands { .. } => "retention-log",
        Alarm::Ahead { .. } => "retention-ahead",
        Alarm::Vanished { .. } => "retention-vanished",
        Alarm::Clocks { .. } => "retention-clocks",
        Alarm::NoTime { .. } => "retention-no-time",
    }
}

fn situation(alarm: &Alarm) -> Words {
    match alarm {
        Alarm::Late { hours, keys, oldest } => (
            format!(
                "En retard : {keys} clé(s) de {hours} heure(s) vivent au-delà de leur échéance, la plus ancienne du {oldest}. Lancez `vigie destroy --due`, puis `vigie clock` ; prévenez le DPO."
            ),
            format!(
                "Late: {keys} key(s) of {hours} hour(s) live past their deadline, the oldest of {oldest}. Run `vigie destroy --due`, then `vigie clock`; tell the DPO."
            ),
        ),
        Alarm::Slow { hours, keys } => (
            format!(
                "{keys} clé(s) de {hours} heure(s) devraient déjà mourir et vivent encore, avant leur échéance. Lancez `vigie destroy --due` : sa réponse dit ce qui manque."
            ),
            format!(
                "{keys} key(s) of {hours} hour(s) should be dying and live, before their deadline. Run `vigie destroy --due`: its answer says what is lacking."
            ),
        ),
        Alarm::TooFar { hours, first } => (
            format!(
                "{hours} heure(s) portent une échéance plus lointaine que la loi ou l'autorisation, la première du {first}. Gardez la machine telle quelle et prévenez le DPO et l'éditeur."
            ),
            format!(
                "{hours} hour(s) bear a deadline further away than law or authorisation, the first of {first}. Keep the machine as it is and tell the DPO and the vendor."
            ),
        ),
        Alarm::Frozen { minutes } => (
            format!(
                "Figée : la destruction n'a pas fait son tour depuis {minutes} min. Lancez `vigie destroy --due` ; sans effet, redémarrez Vigie et lisez le journal technique."
            ),
            format!(
                "Frozen: destruction has not had its turn for {minutes} min. Run `vigie destroy --due`; if that does nothing, start Vigie again and read the technical log."
            ),
        ),
        Alarm::Silent { minutes } => (
            format!(
                "Figée : le gardien ne répond plus depuis {minutes} min, rien n'est détruit. Redémarrez Vigie et lisez le journal technique ; prévenez le DPO si cela dure."
            ),
            format!(
                "Frozen: the keeper has not answered for {minutes} min, nothing is destroyed. Start Vigie again and read the technical log; tell the DPO if it lasts."
            ),
        ),
        Alarm::LogStands { minutes } => (
            format!(
                "Le registre n'a pas grandi depuis {minutes} min. Voyez la ligne du registre : son disque, sa réserve."
            ),
            format!("The ledger has not grown for {minutes} min. See the ledger's line: its disk, its reserve."),
        ),
        Alarm::Ahead { hours, keys, last } => ahead(*hours, *keys, *last),
        Alarm::Vanished { hours } => vanished(*hours),
        Alarm::Clocks { ahead_seconds } => clocks(ahead_seconds.abs()),
        Alarm::NoTime { minutes } => no_time(*minutes),
    }
}

fn ahead(hours: u64, keys: u64, last: UtcMicros) -> Words {
    (
        format!(
            "En avance : {keys} clé(s) de {hours} heure(s) sont mortes avant leur échéance sans ordre inscrit (vu le {last}). Ces images sont perdues. Lancez `vigie verify` et `vigie clock` ; prévenez le DPO."
        ),
        format!(
            "Ahead: {keys} key(s) of {hours} hour(s) died before their deadline without an order in the ledger (seen on {last}). That footage is lost. Run `vigie verify` and `vigie clock`; tell the DPO."
        ),
    )
}

fn vanished(hours: u64) -> Words {
    (
        format!(
            "En avance : des clés de {hours} heure(s) ont disparu avant leur échéance et le registre n'en dit rien. Lancez `vigie verify` ; cherchez si un ancien trousseau a été remis ; prévenez le DPO."
        ),
        format!(
            "Ahead: keys of {hours} hour(s) are gone before their deadline and the ledger says nothing of it. Run `vigie verify`; find out whether an old keyring was put back; tell the DPO."
        ),
    )
}

fn clocks(seconds: i64) -> Words {
    (
        format!(
            "L'heure du gardien et celle de la machine diffèrent de {seconds} s : l'une des deux est fausse, et avec elle la destruction. `vigie clock` montre chaque horloge ; corrigez la fausse."
        ),
        format!(
            "The keeper's time and the machine's differ by {seconds} s: one of them is wrong, and destruction with it. `vigie clock` shows each clock; set the wrong one right."
        ),
    )
}

fn no_time(minutes: i64) -> Words {
    (
        format!(
            "Le gardien n'a pas d'heure sûre depuis {minutes} min : rien n'est détruit. `vigie clock` montre chaque horloge et le remède."
        ),
        format!(
            "The keeper has had no sure time for {minutes} min: nothing is destroyed. `vigie clock` shows each clock and the remedy."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Over;

    const AT: UtcMicros = UtcMicros::from_seconds(1_800_000_000);

    /// Each alarm, what it is called, how bad it is, and what its text must name in both languages.
    fn alarms() -> [(Alarm, &'static str, FindingState, &'static [&'static str]); 10] {
        use FindingState::{Alarm as Bad, Warning};
        const DAY: &str = "2027-01-15";
        [
            (
                Alarm::Late { hours: 31, keys: 42, oldest: AT },
                "retention-late",
                Bad,
                &["31", "42", DAY, "`vigie destroy --due`"],
            ),
            (Alarm::Slow { hours: 31, keys: 42 }, "retention-slow", Warning, &["31", "42", "`vigie destroy --due`"]),
            (Alarm::TooFar { hours: 31, first: AT }, "retention-too-far", Bad, &["31", DAY, "DPO"]),
            (Alarm::Frozen { minutes: 53 }, "retention-frozen", Bad, &["53 min", "`vigie destroy --due`"]),
            (Alarm::Silent { minutes: 53 }, "retention-silent", Bad, &["53 min", "Vigie"]),
            (Alarm::LogStands { minutes: 53 }, "retention-log", Warning, &["53 min"]),
            (
                Alarm::Ahead { hours: 31, keys: 42, last: AT },
                "retention-ahead",
                Bad,
                &["31", "42", DAY, "`vigie verify`"],
            ),
            (Alarm::Vanished { hours: 31 }, "retention-vanished", Bad, &["31", "`vigie verify`"]),
            (Alarm::Clocks { ahead_seconds: -400 }, "retention-clocks", Bad, &[" 400 s", "`vigie clock`"]),
            (Alarm::NoTime { minutes: 53 }, "retention-no-time", Bad, &["53 min", "`vigie clock`"]),
        ]
    }

    #[test]
    fn each_alarm_says_what_is_wrong_and_what_to_do_in_both_languages() {
        for (alarm, id, state, named) in alarms() {
            let told = of_alarm(&alarm, 1_900_000_000);
            assert_eq!((told.id.as_str(), told.state), (id, state));
            assert!(told.detail_fr.contains("Constaté depuis le 2030-03-17"), "{}", told.detail_fr);
            assert!(told.detail_en.contains("Found since 2030-03-17"), "{}", told.detail_en);
            let (fr, en) = situation(&alarm);
            assert_ne!(fr, en);
            for text in [fr, en] {
                assert!(text.matches(['.', ':']).count() >= 2 && text.ends_with('.'), "{text}");
                for name in named {
                    assert!(text.contains(name), "`{name}` in {text}");
                }
            }
        }
    }

    #[test]
    fn an_auditor_without_a_word_a_silent_one_and_one_that_finds_all_in_order_are_told_apart_in_words() {
        let (fr, en) = no_word();
        assert!(fr.contains("redémarrez Vigie") && en.contains("start Vigie again"), "{fr} {en}");
        let (fr, en) = silent(53);
        assert!(fr.contains("depuis 53 min") && en.contains("for 53 min"), "{fr} {en}");
        let verdict = Verdict { hours: 31, slots: 42, ..Verdict::default() };
        let (fr, en) = in_order(&verdict);
        assert!(fr.contains("31 heure(s)") && fr.contains("42 emplacement(s)"), "{fr}");
        assert!(en.contains("31 hour(s)") && en.contains("42 slot(s)"), "{en}");
        assert!(!fr.contains("Dernière alerte") && !en.contains("last alarm"));
        let over = Over { alarm: Alarm::NoTime { minutes: 53 }, since_seconds: 5, until_seconds: 1_800_000_000 };
        let (fr, en) = in_order(&Verdict { over: vec![over], ..verdict });
        assert!(fr.contains("Dernière alerte finie le 2027-01-15") && en.contains("ended on 2027-01-15"), "{fr} {en}");
        let told = finding("retention-auditor", FindingState::Ok, (fr, en));
        assert_eq!(told.title_en, "Independent check of destruction");
    }
}
