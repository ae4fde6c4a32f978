//! `vigie status`: what is well, what is not, and what to do.

use super::{Context, Outcome, unexpected};
use keeper::wire::{Answer, Control, Finding, FindingState, Status};
use serde::Deserialize;
use std::process::ExitCode;

pub fn run(context: &Context<'_>, json: bool) -> Outcome {
    let Answer::Status(mut status) = context.ask(Control::Status)? else { return Err(unexpected()) };
    let word: RecorderWord = serde_json::from_str(&status.health.recorder).unwrap_or_default();
    status.health.findings.extend(word.findings);
    if json {
        println!("{}", serde_json::to_string_pretty(&status.health)?);
    } else {
        print_lines(context, &status);
    }
    let worst = status.health.findings.iter().map(|finding| finding.state).max().unwrap_or(FindingState::Ok);
    Ok(if worst == FindingState::Alarm { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// What the recorder found: its disk, its cameras.
#[derive(Default, Deserialize)]
struct RecorderWord {
    #[serde(default)]
    findings: Vec<Finding>,
}

fn print_lines(context: &Context<'_>, status: &Status) {
    let health = &status.health;
    println!("{} · Vigie {} · {}", health.site, status.version, health.now);
    for finding in &health.findings {
        let mark = match finding.state {
            FindingState::Ok => "✓",
            FindingState::Warning => "!",
            FindingState::Alarm => "✗",
        };
        println!(
            "{mark} {} : {}",
            context.pick(&finding.title_fr, &finding.title_en),
            context.pick(&finding.detail_fr, &finding.detail_en)
        );
    }
    let destruction = &health.destruction;
    println!(
        "{} : {} · {} : {} · {} : {}",
        context.pick("Heures détruites", "Hours destroyed"),
        destruction.hours_destroyed,
        context.pick("au-delà de l'échéance", "past their deadline"),
        destruction.hours_past_deadline,
        context.pick("prochaine destruction", "next destruction"),
        destruction.next_at.map_or("-".into(), |at| at.to_string())
    );
    println!("{} : {} · {}", context.pick("Registre", "Ledger"), health.ledger.size, health.ledger.root_hex);
    println!(
        "{} : {} ({}) · {}",
        context.pick("Trousseau", "Keyring"),
        health.keyring.kind,
        health.keyring.copies.join(", "),
        context.pick(
            format!("phrase secrète : {}", status.passphrase_from),
            format!("passphrase: {}", status.passphrase_from)
        )
    );
    println!("  {}", context.pick(&health.keyring.sentence_fr, &health.keyring.sentence_en));
    println!("{} : {}", context.pick("Caméras en service", "Cameras in service"), status.cameras.len());
}
