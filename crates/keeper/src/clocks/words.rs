//! The clocks in words: each state its own sentence, situation, consequence and remedy, in French and in English.

use crate::{
    health::finding,
    wire::{ClockLine, ClockView, FindingState},
};
use domain::world::NtpState;
use policy::{
    clocks::Word,
    time::{Clocks, Doubt, Judgement, State},
};

/// What follows while no time stands: within a boot the recorder has keys of the next hours, after one it has none (P6).
fn consequence(doubt: Doubt) -> (&'static str, &'static str) {
    match doubt {
        Doubt::InOneBoot => (
            "Ce qui pourrait être échu est fermé, aucune clé n'est détruite ; l'enregistrement continue avec les clés déjà \
             données, deux heures au plus.",
            "What may be due is closed, no key is destroyed; recording goes on with the keys that were given already, for two \
             hours at most.",
        ),
        Doubt::Alone | Doubt::Contradiction | Doubt::BeforeLedger => (
            "Ce qui pourrait être échu est fermé, aucune clé n'est détruite ; aucune clé n'est donnée non plus : un \
             enregistreur qui vient de démarrer n'enregistre rien.",
            "What may be due is closed, no key is destroyed; none is given either: a recorder that has just started records \
             nothing.",
        ),
    }
}

/// Why no time stands, in a few words for an error.
pub fn doubt_en(state: State) -> &'static str {
    match state {
        State::Doubt(Doubt::InOneBoot) => {
            "no clock agrees with the time kept since the start: `vigie clock` shows each"
        }
        State::Doubt(Doubt::Alone) => {
            "after the start one clock alone is heard, without a time server (NTP): `vigie clock`"
        }
        State::Doubt(Doubt::Contradiction) => {
            "after the start the clocks contradict each other: `vigie clock` shows each"
        }
        State::Doubt(Doubt::BeforeLedger) => {
            "every clock lies before the ledger's last entry: `vigie clock` shows each"
        }
        State::Listening => {
            "after the start the cameras' clocks are listened for first, two minutes at most: try again then"
        }
        State::FirstStart | State::Agree | State::UnderNtp | State::Confirmed => "it stands again: try once more",
    }
}

/// Each clock with its word, and the finding that sums them up.
pub fn view(judgement: &Judgement, clocks: Clocks<'_>, waits_for_a_second: bool) -> ClockView {
    let lines = lines(judgement, clocks);
    let (state, mut fr, mut en) = sentences(judgement, clocks);
    let list = |pick: fn(&ClockLine) -> (&str, &str)| {
        let each = lines.iter().map(|line| {
            let (name, word) = pick(line);
            format!("{name} : {word}")
        });
        each.collect::<Vec<_>>().join(" ; ")
    };
    fr = format!("{fr} [{}]", list(|line| (&line.name_fr, &line.word_fr)));
    en = format!("{en} [{}]", list(|line| (&line.name_en, &line.word_en)));
    ClockView {
        trusted: judgement.trusted,
        at_least: judgement.at_least,
        finding: finding("clock", state, ("Heure de confiance", "Trusted time"), (fr, en)),
        clocks: lines,
        waits_for_a_second,
    }
}

fn sentences(judgement: &Judgement, clocks: Clocks<'_>) -> (FindingState, String, String) {
    let differs = |clock| !matches!(judgement.word(clock), Word::Agrees | Word::Silent);
    let deviates = differs(Some(clocks.system)) || differs(clocks.cameras.clock());
    match judgement.state {
        State::FirstStart => first_start(),
        State::Listening => listening(),
        State::Agree | State::UnderNtp if deviates => said(
            FindingState::Warning,
            "L'heure tient, mais une horloge s'en écarte ; après un redémarrage elle pourrait la mettre en doute. Réglez-la.",
            "The time stands, but one clock differs; after a restart it could put it in doubt. Set it right.",
        ),
        State::Agree => said(FindingState::Ok, "Les horloges s'accordent.", "The clocks agree."),
        State::UnderNtp => said(
            FindingState::Ok,
            "Après le démarrage : l'horloge du système, réglée par un serveur de temps (NTP), fait foi.",
            "After the start: the system clock, under a time server (NTP), stands.",
        ),
        State::Confirmed => said(
            FindingState::Warning,
            "Deux personnes ont confirmé l'heure ; aucune horloge ne s'y accorde encore. Réglez l'horloge du système (NTP).",
            "Two persons confirmed the time; no clock agrees with it yet. Set the system clock right (NTP).",
        ),
        State::Doubt(doubt @ Doubt::InOneBoot) => alarm(
            doubt,
            (
                "Aucune horloge ne s'accorde avec l'heure tenue depuis le démarrage.",
                "No clock agrees with the time kept since the start.",
            ),
            (
                "Réglez l'horloge du système (NTP) ; si c'est l'heure tenue qui est fausse, deux personnes disent l'heure : « vigie clock confirm ».",
                "Set the system clock right (NTP); if the time kept is the wrong one, two persons say what time it is: `vigie clock confirm`.",
            ),
        ),
        State::Doubt(doubt @ Doubt::Alone) => alarm(
            doubt,
            (
                "Après le démarrage une seule horloge est crédible, et aucun serveur de temps (NTP) ne la règle.",
                "After the start one clock alone is credible, and no time server (NTP) disciplines it.",
            ),
            (
                "Activez NTP sur la machine, ou réglez l'heure des caméras : il en faut deux qui s'accordent avec la machine. Sinon deux personnes confirment l'heure : « vigie clock confirm ».",
                "Turn NTP on, or set the cameras' time: it takes two that agree with the machine. Otherwise two persons confirm the time: `vigie clock confirm`.",
            ),
        ),
        State::Doubt(doubt @ Doubt::Contradiction) => alarm(
            doubt,
            ("Après le démarrage les horloges se contredisent.", "After the start the clocks contradict each other."),
            (
                "Réglez celle qui est fausse (machine ou caméras), ou confirmez l'heure à deux personnes : « vigie clock confirm ».",
                "Set the wrong one right (machine or cameras), or confirm the time, two persons: `vigie clock confirm`.",
            ),
        ),
        State::Doubt(doubt @ Doubt::BeforeLedger) => alarm(
            doubt,
            (
                "Après le démarrage toutes les horloges disent une heure antérieure à la dernière inscription du registre.",
                "After the start every clock says a time before the ledger's last entry.",
            ),
            (
                "Remplacez la pile de l'horloge et activez NTP, ou confirmez l'heure à deux personnes : « vigie clock confirm ».",
                "Replace the clock's battery and turn NTP on, or confirm the time, two persons: `vigie clock confirm`.",
            ),
        ),
    }
}

fn first_start() -> (FindingState, String, String) {
    said(
        FindingState::Ok,
        "Aucune clé n'a encore été faite : l'horloge du système fait foi. Réglez-la avant d'ajouter la première caméra : \
         ensuite l'heure ne recule plus.",
        "No key was made yet: the system clock stands. Set it right before the first camera is added: from then on time \
         does not go back.",
    )
}

fn listening() -> (FindingState, String, String) {
    said(
        FindingState::Warning,
        "Après le démarrage : l'horloge du système est réglée par un serveur de temps (NTP) ; les horloges des caméras sont \
         attendues deux minutes au plus avant qu'elle décide seule. L'enregistrement a commencé, ce qui pourrait être échu \
         est fermé, aucune clé n'est détruite.",
        "After the start: the system clock is under a time server (NTP); the cameras' clocks are waited for, two minutes \
         at most, before it decides alone. Recording has begun, what may be due is closed, no key is destroyed.",
    )
}

fn alarm(doubt: Doubt, situation: (&str, &str), remedy: (&str, &str)) -> (FindingState, String, String) {
    let follows = consequence(doubt);
    let fr = format!("{} {} {}", situation.0, follows.0, remedy.0);
    (FindingState::Alarm, fr, format!("{} {} {}", situation.1, follows.1, remedy.1))
}

fn said(state: FindingState, fr: &str, en: &str) -> (FindingState, String, String) {
    (state, fr.into(), en.into())
}

fn lines(judgement: &Judgement, clocks: Clocks<'_>) -> Vec<ClockLine> {
    let (ntp_fr, ntp_en) = match clocks.ntp {
        NtpState::Synchronised => ("sous NTP", "under NTP"),
        NtpState::Unsynchronised => ("sans NTP", "without NTP"),
        NtpState::Unknown => ("NTP inconnu", "NTP unknown"),
    };
    let cameras = clocks.cameras;
    let ledger = match (judgement.trusted, judgement.state) {
        (None, State::Doubt(Doubt::InOneBoot)) => ("tenue, non confirmée", "kept, not confirmed"),
        (None, _) => ("borne inférieure", "lower bound"),
        (Some(_), _) => ("fait foi", "stands"),
    };
    let line = |name: (String, String), at, word: (String, String)| ClockLine {
        name_fr: name.0,
        name_en: name.1,
        at,
        word_fr: word.0,
        word_en: word.1,
    };
    let kept = judgement.trusted.unwrap_or(judgement.at_least);
    let mut lines = vec![
        line(
            ("registre et démarrage".into(), "ledger and boot clock".into()),
            Some(kept),
            (ledger.0.into(), ledger.1.into()),
        ),
        line(
            (format!("système ({ntp_fr})"), format!("system ({ntp_en})")),
            Some(clocks.system),
            worded(judgement.word(Some(clocks.system))),
        ),
        line(
            (
                format!("caméras ({} sur {})", cameras.agreeing, cameras.heard),
                format!("cameras ({} of {})", cameras.agreeing, cameras.heard),
            ),
            cameras.clock(),
            match (cameras.heard, cameras.clock()) {
                (1.., None) => ("ne s'accordent pas entre elles".into(), "do not agree with one another".into()),
                (_, clock) => several(judgement.word(clock)),
            },
        ),
    ];
    for (number, witness) in (1..).zip(clocks.witnesses) {
        let name = (format!("témoin {number}"), format!("witness {number}"));
        lines.push(line(name, Some(*witness), worded(judgement.word(Some(*witness)))));
    }
    lines
}

fn worded(word: Word) -> (String, String) {
    match word {
        Word::Silent => ("non entendue".into(), "not heard".into()),
        Word::Agrees => ("s'accorde".into(), "agrees".into()),
        Word::Ahead { micros } => {
            (format!("avance de {}", span(micros, "j")), format!("ahead by {}", span(micros, "d")))
        }
        Word::Behind { micros } => {
            (format!("retarde de {}", span(micros, "j")), format!("behind by {}", span(micros, "d")))
        }
        Word::BeforeLedger { micros } => (
            format!("{} avant le registre : horloge fausse", span(micros, "j")),
            format!("{} before the ledger: wrong", span(micros, "d")),
        ),
    }
}

/// Of the cameras, which are several: French says so in the verb.
fn several(word: Word) -> (String, String) {
    let (one, en) = worded(word);
    let fr = match word {
        Word::Silent => "non entendues".into(),
        Word::Agrees => "s'accordent".into(),
        Word::Ahead { micros } => format!("avancent de {}", span(micros, "j")),
        Word::Behind { micros } => format!("retardent de {}", span(micros, "j")),
        Word::BeforeLedger { .. } => one,
    };
    (fr, en)
}

/// Two largest units: an hour that is off by a year is not told to the second.
fn span(micros: i64, day: &str) -> String {
    let seconds = micros / 1_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", seconds % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        (_, _) => format!("{days} {day} {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        UtcMicros,
        world::{BootId, BootMicros},
    };
    use policy::{
        clocks::Cameras,
        time::{BootMark, Listening},
    };

    fn shown(state: State, system: i64) -> ClockView {
        let now = UtcMicros::from_seconds(1_800_000_000);
        let trusted = (!matches!(state, State::Doubt(_) | State::Listening)).then_some(now);
        let judgement = Judgement { trusted, recording: trusted, fastest: now, at_least: now, state };
        let mark = BootMark { boot_id: BootId([1; 16]), since_boot: BootMicros(0) };
        let clocks = Clocks {
            system: now.plus_seconds(system),
            ntp: NtpState::Unknown,
            mark,
            cameras: Cameras::heard(vec![now, now, now.plus_seconds(86_400)]),
            witnesses: &[],
            listening: Listening::default(),
        };
        view(&judgement, clocks, false)
    }

    #[test]
    fn each_state_has_its_own_sentence_and_each_doubt_its_remedy_in_both_languages() {
        let doubts = [Doubt::InOneBoot, Doubt::Alone, Doubt::Contradiction, Doubt::BeforeLedger].map(State::Doubt);
        let states = [State::FirstStart, State::Agree, State::UnderNtp, State::Confirmed, State::Listening];
        let states = states.into_iter().chain(doubts);
        let mut seen = std::collections::BTreeSet::new();
        for state in states {
            let finding = shown(state, 0).finding;
            for text in [finding.detail_fr, finding.detail_en] {
                if matches!(state, State::Doubt(_)) {
                    assert!(
                        text.contains("vigie clock confirm") && text.contains("NTP") || text.contains("Set the wrong"),
                        "{text}"
                    );
                    assert!(
                        text.contains("aucune clé n'est détruite") || text.contains("no key is destroyed"),
                        "{text}"
                    );
                }
                assert!(seen.insert(text));
            }
        }
    }

    #[test]
    fn each_clock_is_listed_with_its_word() {
        let view = shown(State::Agree, -90_000);
        let words: Vec<(&str, &str)> = view.clocks.iter().map(|line| (&*line.name_en, &*line.word_en)).collect();
        assert_eq!(
            words,
            [
                ("ledger and boot clock", "stands"),
                ("system (NTP unknown)", "1 d 1 h before the ledger: wrong"),
                ("cameras (2 of 3)", "agrees"),
            ]
        );
        assert_eq!(view.finding.state, FindingState::Warning, "a clock that differs is told before it can do harm");
        assert!(view.finding.detail_fr.contains("avant le registre : horloge fausse"), "{}", view.finding.detail_fr);
    }
}
