//! `vigie status`: what is well, what is not, and what to do.

use super::{Context, Outcome, unexpected};
use keeper::wire::{Answer, Control, Finding, FindingState, Status};
use serde::Deserialize;
use std::process::ExitCode;

/// Less than a file of the ledger.
const FULL_BYTES: u64 = 16 << 20;

pub fn run(context: &Context<'_>, json: bool) -> Outcome {
    let answer = context.ask(Control::Status).inspect_err(|_| tell_without_keeper(context))?;
    let Answer::Status(mut status) = answer else { return Err(unexpected()) };
    let word: RecorderWord = serde_json::from_str(&status.health.recorder).unwrap_or_default();
    status.health.findings.extend(word.findings.iter().cloned());
    status.health.findings.extend(certificate(context));
    let now_seconds = context.build.clock.utc().0.div_euclid(1_000_000);
    status.health.findings.extend(super::public::findings(&context.config, now_seconds));
    status.health.findings.extend(retention(context));
    if json {
        println!("{}", serde_json::to_string_pretty(&status.health)?);
    } else {
        print_lines(context, &status, &word);
    }
    let worst = status.health.findings.iter().map(|finding| finding.state).max().unwrap_or(FindingState::Ok);
    Ok(if worst == FindingState::Alarm { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// The certificate's end as its file says it: web serves it, and the keeper knows nothing of it.
fn certificate(context: &Context<'_>) -> Option<Finding> {
    let (files, now) = (context.config.tls_files()?, context.build.clock.utc());
    Some(match web::Tls::load(files, now) {
        Ok(tls) => web::certificate_finding(tls.expires(), now),
        Err(error) => Finding {
            id: "certificate".into(),
            state: FindingState::Alarm,
            title_fr: "Certificat de la console".into(),
            title_en: "Certificate of the console".into(),
            detail_fr: crate::french::tls(&error),
            detail_en: error.to_string(),
        },
    })
}

/// What the auditor of destruction wrote down.
fn retention(context: &Context<'_>) -> Vec<Finding> {
    let now_seconds = context.build.clock.utc().seconds();
    auditor::findings(&*crate::site::disk(), &context.config.verdict(), now_seconds)
}

/// What is known where the keeper does not answer: its disk, and whether destruction stands still.
fn tell_without_keeper(context: &Context<'_>) {
    tell_full_disk(context);
    for finding in retention(context).iter().filter(|finding| finding.state == FindingState::Alarm) {
        let title = context.pick(&finding.title_fr, &finding.title_en);
        eprintln!("✗ {title} : {}", context.pick(&finding.detail_fr, &finding.detail_en));
    }
}

/// A keeper whose disk is full does not even start: then nobody else can say so.
fn tell_full_disk(context: &Context<'_>) {
    let folder = &context.config.data.folder;
    let Ok(Some(free)) = crate::site::disk().free_bytes(folder) else { return };
    if free < FULL_BYTES {
        let (shown, mebibytes) = (folder.display(), free >> 20);
        eprintln!(
            "✗ {}",
            context.pick(
                format!("Le disque de `{shown}` est plein ({mebibytes} Mio libres) : le gardien ne peut plus écrire au registre. Libérez de la place ; il reprend de lui-même."),
                format!("The disk of `{shown}` is full ({mebibytes} MiB free): the keeper cannot write to the ledger any more. Free space; it goes on by itself.")
            )
        );
    }
}

/// What the recorder found: its disk, its cameras.
#[derive(Default, Deserialize)]
struct RecorderWord {
    #[serde(default)]
    findings: Vec<Finding>,
    #[serde(default)]
    bytes_closed_unconfirmed: u64,
}

/// Hours by the keeper, bytes by the recorder (K9).
fn closed(context: &Context<'_>, status: &Status, word: &RecorderWord) -> String {
    let (hours, bytes) = (status.health.destruction.hours_closed_unconfirmed, word.bytes_closed_unconfirmed);
    if hours == 0 {
        "0".into()
    } else {
        context.pick(format!("{hours} ({bytes} octets)"), format!("{hours} ({bytes} bytes)"))
    }
}

fn print_lines(context: &Context<'_>, status: &Status, word: &RecorderWord) {
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
        "{} : {} · {} : {} · {} : {} · {} : {}",
        context.pick("Heures de caméra détruites", "Camera-hours destroyed"),
        destruction.camera_hours_destroyed,
        context.pick("au-delà de l'échéance", "past their deadline"),
        destruction.hours_past_deadline,
        context.pick("fermées, à confirmer", "closed, unconfirmed"),
        closed(context, status, word),
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
    if let Some(token) = &health.keyring.token {
        println!("  {} `{}` : {}", context.pick("jeton PKCS#11", "PKCS#11 token"), token.label, token.state);
    }
    println!("  {}", context.pick(&health.keyring.sentence_fr, &health.keyring.sentence_en));
    println!("{} : {}", context.pick("Caméras en service", "Cameras in service"), status.cameras.len());
}
