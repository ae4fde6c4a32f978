//! `vigie clock`: each clock with its word; `vigie clock confirm`: two persons say what time it is, when no clock can (K9).

use super::{Context, Outcome, unexpected};
use clap::Subcommand;
use domain::{Sensitive, UtcMicros};
use jiff::Timestamp;
use keeper::wire::{Answer, ClockView, Confirmation, Control, FindingState};
use std::{io::BufRead, process::ExitCode};
use zeroize::Zeroizing;

#[derive(Subcommand)]
pub enum Command {
    /// Confirmer l'heure, à deux personnes ; le mot de passe se lit sur l'entrée standard · confirm the time, two persons;
    /// the password is read from standard input
    Confirm {
        /// L'heure qu'il est, avec son décalage · the time it is, with its offset: `2026-11-27T08:00:00+01:00`
        time: String,
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
}

/// The time is not one, or no password came.
#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    #[error("`{text}` is no time: write it with its offset, such as `2026-11-27T08:00:00+01:00`")]
    Time { text: String },
    #[error("no password came on standard input: write it there, it is never an argument")]
    NoPassword,
}

impl ClockError {
    pub fn text_fr(&self) -> String {
        match self {
            ClockError::Time { text } => {
                format!(
                    "`{text}` n'est pas une heure : écrivez-la avec son décalage, ainsi `2026-11-27T08:00:00+01:00`"
                )
            }
            ClockError::NoPassword => {
                "aucun mot de passe n'est venu sur l'entrée standard : écrivez-le là, jamais en argument".into()
            }
        }
    }
}

pub(super) fn run(context: &Context<'_>, command: Option<Command>) -> Outcome {
    match command {
        None => show(context),
        Some(Command::Confirm { time, account }) => confirm(context, &time, account),
    }
}

fn show(context: &Context<'_>) -> Outcome {
    let Answer::Clock(view) = context.ask(Control::Clock)? else { return Err(unexpected()) };
    lines(context, &view).iter().for_each(|line| println!("{line}"));
    Ok(if view.finding.state == FindingState::Alarm { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn lines(context: &Context<'_>, view: &ClockView) -> Vec<String> {
    let mut lines = vec![match view.trusted {
        Some(now) => format!("{} : {now}", context.pick("L'heure qui fait foi", "The time that stands")),
        None => format!(
            "{} {}",
            context.pick("Aucune heure ne tient. Il est au moins", "No time stands. It is at least"),
            view.at_least
        ),
    }];
    for clock in &view.clocks {
        let at = clock.at.map_or("-".to_owned(), |at| at.to_string());
        let (name, word) = (context.pick(&clock.name_fr, &clock.name_en), context.pick(&clock.word_fr, &clock.word_en));
        lines.push(format!("  {name} : {at} · {word}"));
    }
    // the list in brackets stands above already
    let detail = context.pick(&view.finding.detail_fr, &view.finding.detail_en);
    lines.push(detail.split(" [").next().unwrap_or_default().to_owned());
    if view.waits_for_a_second {
        let fr = "Une personne a confirmé une heure ; une autre est attendue.";
        lines.push(context.pick(fr, "One person confirmed a time; another one is waited for.").to_owned());
    }
    lines
}

fn confirm(context: &Context<'_>, time: &str, account: String) -> Outcome {
    let at = read_time(time)?;
    let mut line = Zeroizing::new(String::new());
    std::io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\n', '\r']);
    if password.is_empty() {
        return Err(ClockError::NoPassword.into());
    }
    let password = Sensitive::new(password.to_owned());
    let asked = Control::ClockConfirm { account: Sensitive::new(account), password, at };
    let confirmation = match context.ask(asked)? {
        Answer::Confirmation(confirmation) => confirmation,
        Answer::Denied { wait_seconds } => {
            eprintln!("{}", context.language.pick(denied(wait_seconds).0, denied(wait_seconds).1));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let (fr, en) = said(confirmation);
    println!("{}", context.pick(fr, en));
    let is_taken = matches!(confirmation, Confirmation::First { .. } | Confirmation::Stands { .. });
    Ok(if is_taken { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_time(text: &str) -> Result<UtcMicros, ClockError> {
    let read: Result<Timestamp, _> = text.parse();
    read.map(|at| UtcMicros(at.as_microsecond())).map_err(|_| ClockError::Time { text: text.to_owned() })
}

pub(super) fn denied(wait_seconds: u32) -> (String, String) {
    match wait_seconds {
        0 => {
            ("Compte ou mot de passe refusé : vérifiez-les.".into(), "Account or password refused: check them.".into())
        }
        wait => (
            format!("Compte ou mot de passe refusé : réessayez dans {wait} s."),
            format!("Account or password refused: try again in {wait} s."),
        ),
    }
}

fn said(confirmation: Confirmation) -> (String, String) {
    match confirmation {
        Confirmation::First { seconds } => {
            let minutes = seconds / 60;
            (
                format!("Inscrit au registre. Une autre personne confirme la même heure dans les {minutes} minutes."),
                format!("Entered in the ledger. Another person confirms the same time within {minutes} minutes."),
            )
        }
        Confirmation::Stands { at } => (
            format!("Deux personnes ont confirmé l'heure : {at} fait foi. Réglez maintenant l'horloge de la machine."),
            format!("Two persons confirmed the time: {at} stands. Now set the machine's clock right."),
        ),
        Confirmation::NotNeeded { now } => (
            format!("Une heure tient déjà ({now}) : il n'y a rien à confirmer."),
            format!("A time stands already ({now}): there is nothing to confirm."),
        ),
        Confirmation::SamePerson => (
            "Cette personne a déjà confirmé : il en faut une autre.".into(),
            "This person confirmed already: another one is needed.".into(),
        ),
        Confirmation::TooNew => (
            "Refusé : ce compte a été créé ou changé depuis que les horloges se contredisent. Il faut deux personnes dont le \
             compte est plus ancien."
                .into(),
            "Refused: this account was made or changed since the clocks disagree. It takes two persons whose accounts are \
             older."
                .into(),
        ),
        Confirmation::Differs { seconds } => (
            format!("Refusé : les deux heures diffèrent de {seconds} s. Lisez la même horloge."),
            format!("Refused: the two times differ by {seconds} s. Read the same clock."),
        ),
        Confirmation::TooEarly { at_least } => (
            format!("Refusé : le registre sait qu'il est au moins {at_least}. Vérifiez la date et le décalage."),
            format!("Refused: the ledger knows that it is at least {at_least}. Check the date and the offset."),
        ),
        Confirmation::TooFar { at_least } => (
            format!("Refusé : c'est plus de 400 jours après {at_least}. Vérifiez l'année, ou réglez l'horloge (NTP)."),
            format!("Refused: that is more than 400 days after {at_least}. Check the year, or set the clock (NTP)."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_with_its_offset_only() {
        let at = read_time("2026-11-27T08:00:00+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-11-27T07:00:00.000Z");
        for text in ["2026-11-27T08:00:00", "08:00", "27/11/2026 08:00", ""] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn each_answer_says_something_else_in_both_languages() {
        let at = UtcMicros::from_seconds(1_800_000_000);
        let all = [
            Confirmation::First { seconds: 900 },
            Confirmation::Stands { at },
            Confirmation::NotNeeded { now: at },
            Confirmation::SamePerson,
            Confirmation::TooNew,
            Confirmation::Differs { seconds: 301 },
            Confirmation::TooEarly { at_least: at },
            Confirmation::TooFar { at_least: at },
        ];
        let mut seen = std::collections::BTreeSet::new();
        for confirmation in all {
            let (fr, en) = said(confirmation);
            assert!(fr != en && seen.insert(fr) && seen.insert(en));
        }
    }
}
