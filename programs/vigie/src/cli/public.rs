//! `vigie public`: the log's verifier key, for witnesses and readers; and what `status` says of the witnesses.

use super::{Context, Outcome, unexpected};
use crate::{Config, site};
use clap::Subcommand;
use keeper::wire::{Answer, Control, Finding, FindingState};
use ledger::{CheckpointKey, origin};
use public::{PublicState, WitnessState};
use seal::sign::SigningKey;
use std::process::ExitCode;
use vault::KeeperError;
use web::OutsideWord;

#[derive(Subcommand)]
pub enum Command {
    /// Écrire la clé de vérification du registre, à donner aux témoins et aux lecteurs · print the log's verifier key, for witnesses and readers
    Key,
}

pub(super) fn run(context: &Context<'_>, command: &Command) -> Outcome {
    match command {
        Command::Key => println!("{}", verifier_key(context)?),
    }
    Ok(ExitCode::SUCCESS)
}

/// From the keeper while Vigie serves, else from the keyring.
fn verifier_key(context: &Context<'_>) -> Result<String, Box<dyn std::error::Error>> {
    let config = &context.config;
    let identity = site::identity(config)?;
    let public_key = match context.ask(Control::AuditHours { after: None }) {
        Ok(Answer::AuditHours { site_key, .. }) => site_key,
        Ok(_) => return Err(unexpected()),
        Err(KeeperError::Away { .. }) if !context.listens() => {
            let _lock = site::lock(config)?;
            let keyring = site::open_keyring(config, identity, &site::passphrase(config)?)?;
            SigningKey::from_seed(&keyring.site_key()).public()
        }
        Err(error) => return Err(error.into()),
    };
    Ok(CheckpointKey::new(&origin(identity.site, identity.log), &public_key)?.verifier_key())
}

/// What the public role wrote down; nothing where it is not configured.
pub fn findings(config: &Config, now_seconds: i64) -> Vec<Finding> {
    outside(config, now_seconds).map(|word| word.findings).unwrap_or_default()
}

/// The same for the health page.
pub fn outside(config: &Config, now_seconds: i64) -> Option<OutsideWord> {
    if !config.public.is_on() {
        return None;
    }
    let read = PublicState::read(&*site::disk(), &config.public_folder().join("state.json")).ok().flatten();
    let findings = told(config, read.as_ref(), now_seconds);
    let state = read.unwrap_or_default();
    let (witnessed_size, witnessed_seconds) = (state.quorum_size, state.quorum_at_seconds);
    Some(OutsideWord { witnessed_size, witnessed_seconds, witnesses: state.witnesses.len(), findings })
}

fn told(config: &Config, read: Option<&PublicState>, now_seconds: i64) -> Vec<Finding> {
    match read {
        Some(state) => of_state(state, config.public.witnesses.is_some(), now_seconds),
        None => vec![finding(
            "public-role",
            FindingState::Warning,
            ("Rôle public", "Public role"),
            "Il n'a encore rien dit ; il parle dans la minute qui suit le démarrage, sinon lisez le journal technique."
                .into(),
            "It has said nothing yet; it speaks within a minute of the start, else read the technical log.".into(),
        )],
    }
}

fn of_state(state: &PublicState, with_witnesses: bool, now_seconds: i64) -> Vec<Finding> {
    let mut findings = Vec::new();
    let title = ("Registre public", "Public log");
    if state.is_stale(now_seconds) {
        let minutes = (now_seconds - state.at_seconds) / 60;
        findings.push(finding(
            "public-role",
            FindingState::Alarm,
            ("Rôle public", "Public role"),
            format!("Muet depuis {minutes} min : les témoins ne sont plus interrogés. Lisez le journal technique, redémarrez Vigie."),
            format!("Silent for {minutes} min: witnesses are asked no more. Read the technical log, start Vigie again."),
        ));
    }
    if let Some(trouble) = &state.trouble {
        let grave = if trouble.is_against_the_log() { FindingState::Alarm } else { FindingState::Warning };
        findings.push(finding("public-log", grave, title, trouble.text_fr(), trouble.text_en()));
    }
    findings.extend(state.witnesses.iter().map(|witness| of_witness(witness, now_seconds)));
    if with_witnesses && state.size > 0 && state.is_unwitnessed(now_seconds) {
        let (size, witnessed) = (state.size, state.quorum_size);
        findings.push(finding(
            "witness-quorum",
            FindingState::Alarm,
            ("Témoins du registre", "Witnesses of the log"),
            format!("Trop peu de témoins depuis plus d'un quart d'heure : {witnessed} entrées attestées sur {size}. Voyez chaque témoin ci-dessus."),
            format!("Too few witnesses for more than a quarter of an hour: {witnessed} of {size} entries attested. See each witness above."),
        ));
    }
    findings
}

fn of_witness(witness: &WitnessState, now_seconds: i64) -> Finding {
    let WitnessState { name, size, heard_seconds, trouble, .. } = witness;
    let (ago_fr, ago_en) = match (now_seconds - heard_seconds).max(0) / 60 {
        0 => ("il y a moins d'une minute".to_owned(), "less than a minute ago".to_owned()),
        minutes => (format!("il y a {minutes} min"), format!("{minutes} min ago")),
    };
    let (last_fr, last_en) = match size {
        0 => ("il n'a encore rien attesté".to_owned(), "it has attested nothing yet".to_owned()),
        _ => (format!("il a attesté {size} entrées {ago_fr}"), format!("it attested {size} entries {ago_en}")),
    };
    let (state, fr, en) = match trouble {
        None => (FindingState::Ok, last_fr, last_en),
        Some(trouble) => {
            let grave = if trouble.is_against_the_log() { FindingState::Alarm } else { FindingState::Warning };
            (grave, format!("{} ({last_fr})", trouble.text_fr()), format!("{} ({last_en})", trouble.text_en()))
        }
    };
    let id = format!("witness-{name}");
    let titles = (format!("Témoin {name}"), format!("Witness {name}"));
    finding(&id, state, (&titles.0, &titles.1), fr, en)
}

fn finding(id: &str, state: FindingState, title: (&str, &str), detail_fr: String, detail_en: String) -> Finding {
    Finding { id: id.into(), state, title_fr: title.0.into(), title_en: title.1.into(), detail_fr, detail_en }
}

#[cfg(test)]
mod tests {
    use super::*;
    use public::WitnessTrouble;

    fn witnessed(trouble: Option<WitnessTrouble>, quorum_at_seconds: i64) -> PublicState {
        let witness =
            WitnessState { name: "asso".into(), size: 64, heard_seconds: 1_000, trouble, ..WitnessState::default() };
        let at_seconds = 2_000;
        PublicState { at_seconds, size: 80, quorum_at_seconds, witnesses: vec![witness], ..PublicState::default() }
    }

    fn worst(state: &PublicState, now: i64) -> FindingState {
        of_state(state, true, now).iter().map(|finding| finding.state).max().unwrap()
    }

    #[test]
    fn a_witness_that_is_away_warns_and_one_that_contradicts_the_log_alarms() {
        assert_eq!(worst(&witnessed(None, 1_950), 2_010), FindingState::Ok);
        let away = WitnessTrouble::Unreachable { detail: "refused".into() };
        assert_eq!(worst(&witnessed(Some(away), 1_950), 2_010), FindingState::Warning);
        for against in
            [WitnessTrouble::Ahead { size: 96 }, WitnessTrouble::NotGrown, WitnessTrouble::Forked { size: 64 }]
        {
            let state = witnessed(Some(against), 1_950);
            assert_eq!(worst(&state, 2_010), FindingState::Alarm);
            assert!(of_state(&state, true, 2_010)[0].detail_fr.contains("DPO"));
        }
    }

    #[test]
    fn a_quarter_of_an_hour_without_enough_witnesses_and_a_silent_role_alarm() {
        let state = witnessed(None, 1_000);
        assert_eq!(worst(&state, 2_010), FindingState::Alarm);
        assert!(of_state(&state, false, 2_010).iter().all(|finding| finding.state == FindingState::Ok));
        assert_eq!(worst(&witnessed(None, 1_950), 2_300), FindingState::Alarm);
    }
}
