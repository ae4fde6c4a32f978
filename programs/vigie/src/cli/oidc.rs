//! `vigie oidc keys`, `vigie account bind|unbind`: what an administrator looks at and then confirms, before anybody signs in
//! by the provider. Both in two steps: a code names exactly what was shown.

use super::{Context, Outcome, unexpected};
use clap::Subcommand;
use domain::Sensitive;
use keeper::wire::{
    Answer, Control,
    oidc::{KeyChange, KeyLine, OidcAnswer, OidcControl},
};
use std::{error::Error, process::ExitCode};

#[derive(Subcommand)]
pub enum Command {
    /// Les clés du fournisseur : les chercher et les montrer, puis les confirmer · the provider's keys: fetched and shown, then
    /// confirmed
    Keys {
        /// Le code montré au premier pas · the code that the first step showed
        #[arg(long, value_name = "CODE")]
        confirm: Option<String>,
    },
}

pub(super) fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Keys { confirm } => keys(context, confirm),
    }
}

fn keys(context: &Context<'_>, confirm: Option<String>) -> Outcome {
    let issuer = &context.config.oidc.issuer;
    if issuer.is_empty() {
        let (fr, en) = (
            "aucun fournisseur d'identité n'est réglé : écrivez `oidc.issuer` dans la configuration",
            "no identity provider is set: write `oidc.issuer` into the configuration",
        );
        return Err(context.pick(fr, en).into());
    }
    let jwks = web::published_keys(issuer)?;
    if let Some(code) = confirm {
        return confirmed(context, OidcControl::KeysConfirm { jwks, code });
    }
    let OidcAnswer::Keys { keys, code } = ask(context, OidcControl::Keys { jwks })? else { return Err(unexpected()) };
    println!("{} {issuer} :", context.pick("Clés publiées par", "Keys published by"));
    keys.iter().for_each(|key| println!("  {}", line(context, key)));
    let (fr, en) = (
        "Comparez les empreintes avec celles que le fournisseur vous a données par une autre voie, puis :",
        "Compare the thumbprints with those that the provider gave you by another way, then:",
    );
    println!("{}\n  vigie oidc keys --confirm {code}", context.pick(fr, en));
    Ok(ExitCode::SUCCESS)
}

fn line(context: &Context<'_>, key: &KeyLine) -> String {
    let change = match key.change {
        KeyChange::New => context.pick("nouvelle", "new"),
        KeyChange::Stays => context.pick("inchangée", "stays"),
        KeyChange::Goes => context.pick("ne comptera plus", "will count no more"),
    };
    format!("{} {}  SHA-256 {}  ({change})", key.kind, key.kid, key.thumbprint)
}

pub(super) fn bind(
    context: &Context<'_>,
    name: String,
    issuer: String,
    subject: String,
    confirm: Option<String>,
) -> Outcome {
    let (shown, subject) = (name.clone(), Sensitive::new(subject));
    let name = Sensitive::new(name);
    if let Some(code) = confirm {
        return confirmed(context, OidcControl::BindConfirm { name, issuer, subject, code });
    }
    let asked = OidcControl::Bind { name, issuer: issuer.clone(), subject: subject.clone() };
    let OidcAnswer::Bind { role, had_another, code } = ask(context, asked)? else { return Err(unexpected()) };
    let subject = subject.reveal();
    println!(
        "{}",
        context.pick(
            format!("Qui se connecte chez {issuer} comme `{subject}` serait « {shown} » ({role})."),
            format!("Whoever signs in at {issuer} as `{subject}` would be `{shown}` ({role})."),
        )
    );
    if had_another {
        let (fr, en) = ("Le compte perdrait l'identité qu'il a.", "The account would lose the identity that it has.");
        println!("{}", context.pick(fr, en));
    }
    println!(
        "{}\n  vigie account bind {shown} --issuer {issuer} --subject {subject} --confirm {code}",
        context.pick("Si c'est bien cette personne :", "If it is this person:")
    );
    Ok(ExitCode::SUCCESS)
}

pub(super) fn unbind(context: &Context<'_>, name: String) -> Outcome {
    confirmed(context, OidcControl::Unbind { name: Sensitive::new(name) })
}

fn confirmed(context: &Context<'_>, control: OidcControl) -> Outcome {
    match ask(context, control)? {
        OidcAnswer::Done => {
            println!("{}", context.pick("Fait, et inscrit au registre.", "Done, and entered in the ledger."));
            Ok(ExitCode::SUCCESS)
        }
        OidcAnswer::OtherCode => {
            let (fr, en) = (
                "Rien n'a changé : ce n'est pas, ou plus, ce qui a été montré. Recommencez sans --confirm.",
                "Nothing was changed: it is not, or no longer, what was shown. Begin again without --confirm.",
            );
            eprintln!("{}", context.pick(fr, en));
            Ok(ExitCode::FAILURE)
        }
        _ => Err(unexpected()),
    }
}

fn ask(context: &Context<'_>, control: OidcControl) -> Result<OidcAnswer, Box<dyn Error>> {
    match context.ask(Control::Oidc(control))? {
        Answer::Oidc(answer) => Ok(*answer),
        _ => Err(unexpected()),
    }
}
