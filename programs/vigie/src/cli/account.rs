//! `vigie account add|bind|unbind|disable|training|teams|list`: an account begins with a one-time setup link; there is no default
//! password.

use super::{Context, Outcome, unexpected};
use crate::Config;
use clap::Subcommand;
use domain::{Sensitive, UtcMicros};
use keeper::wire::{Answer, Control};
use policy::{Role, calendar};
use std::process::ExitCode;

#[derive(Subcommand)]
pub enum Command {
    /// Ajouter un compte, ou donner un nouveau lien · add an account, or give a new link
    Add {
        /// Le nom de la personne, un compte chacun · the person's name, one account each
        name: String,
        /// Un des rôles nommés plus bas · one of the roles named below
        #[arg(long)]
        role: Role,
    },
    /// Rattacher un compte à une identité du fournisseur : montre d'abord, puis confirme · bind an account to an identity of the
    /// provider: shows first, then confirms
    Bind {
        /// Le nom du compte · the account's name
        name: String,
        /// Comme `oidc.issuer` · as `oidc.issuer`
        #[arg(long)]
        issuer: String,
        /// L'identité chez lui (`sub`), telle que la page de connexion la montre · the identity there (`sub`), as the sign-in
        /// page shows it
        #[arg(long)]
        subject: String,
        /// Le code montré au premier pas · the code that the first step showed
        #[arg(long, value_name = "CODE")]
        confirm: Option<String>,
    },
    /// Détacher un compte de son identité : ses sessions prennent fin · unbind an account: its sessions end
    Unbind {
        /// Le nom du compte · the account's name
        name: String,
    },
    /// Fermer un compte : ses sessions et ses consultations prennent fin · close an account: its sessions and looks end
    Disable {
        /// Le nom du compte · the account's name
        name: String,
    },
    /// Noter le jour d'une formation à la protection des données · note the day of a training in data protection
    Training {
        /// Le nom du compte · the account's name
        name: String,
        /// Le jour, par exemple 2026-03-12 · the day
        #[arg(long, value_parser = day)]
        on: UtcMicros,
    },
    /// Toutes les équipes d'une personne, que nomment les règles de la commune · all teams of a person, which the town's rules name
    Teams {
        /// Le nom du compte · the account's name
        name: String,
        /// Les équipes ; sans nom, aucune · the teams; without one, none
        teams: Vec<String>,
    },
    /// Comptes du site · accounts of the site
    List,
}

pub fn run(context: &Context<'_>, command: Command) -> Outcome {
    match command {
        Command::Add { name, role } => add(context, name, role),
        Command::Bind { name, issuer, subject, confirm } => super::oidc::bind(context, name, issuer, subject, confirm),
        Command::Unbind { name } => super::oidc::unbind(context, name),
        Command::Disable { name } => disable(context, name),
        Command::Training { name, on } => training(context, name, on),
        Command::Teams { name, teams } => set_teams(context, name, teams),
        Command::List => list(context),
    }
}

fn add(context: &Context<'_>, name: String, role: Role) -> Outcome {
    let asked = Control::AccountAdd { name: Sensitive::new(name.clone()), role };
    let Answer::SetupToken { token, .. } = context.ask(asked)? else { return Err(unexpected()) };
    println!(
        "{}",
        context.pick(
            format!("Compte « {name} » ({role}) : ouvrez ce lien dans les 15 minutes, une seule fois :"),
            format!("Account `{name}` ({role}): open this link within 15 minutes, once:")
        )
    );
    println!("{}", setup_link(&context.config, &token));
    Ok(ExitCode::SUCCESS)
}

fn disable(context: &Context<'_>, name: String) -> Outcome {
    context.ask(Control::AccountDisable { name: Sensitive::new(name) })?;
    println!("{}", context.pick("Compte fermé.", "Account closed."));
    Ok(ExitCode::SUCCESS)
}

fn training(context: &Context<'_>, name: String, on: UtcMicros) -> Outcome {
    context.ask(Control::AccountTrained { name: Sensitive::new(name), on })?;
    println!(
        "{}",
        context.pick("Formation notée et inscrite au registre.", "Training noted and entered in the ledger.")
    );
    Ok(ExitCode::SUCCESS)
}

fn set_teams(context: &Context<'_>, name: String, teams: Vec<String>) -> Outcome {
    context.ask(Control::AccountTeams { name: Sensitive::new(name), teams })?;
    println!(
        "{}",
        context.pick(
            "Inscrit au registre ; les consultations de cette personne en cours ont pris fin.",
            "Entered in the ledger; this person's looks that were under way have ended."
        )
    );
    Ok(ExitCode::SUCCESS)
}

fn day(text: &str) -> Result<UtcMicros, String> {
    calendar::written_day(text).map_err(|_| "2026-03-12".to_owned())
}

fn list(context: &Context<'_>) -> Outcome {
    let Answer::Accounts(accounts) = context.ask(Control::AccountList)? else { return Err(unexpected()) };
    for account in accounts {
        let closed = if account.closed { context.pick("  (fermé)", "  (closed)") } else { "" };
        let ready = match account.ready || account.closed {
            true => "",
            false => context.pick(
                "  (pas encore ouvert : un lien par `vigie account add`)",
                "  (not open yet: a link by `vigie account add`)",
            ),
        };
        let bound =
            if account.bound { context.pick("  (rattaché au fournisseur)", "  (bound at the provider)") } else { "" };
        let teams = match account.teams.is_empty() {
            true => String::new(),
            false => format!("  · {} {}", context.pick("équipes", "teams"), account.teams.join(", ")),
        };
        println!("{}  {}{teams}{closed}{bound}{ready}", account.name.reveal(), account.role);
    }
    Ok(ExitCode::SUCCESS)
}

/// The token travels in the fragment, which no server sees (P8).
pub fn setup_link(config: &Config, token: &Sensitive<String>) -> String {
    match config.web.address.as_str() {
        "" => format!("http://{}/#setup={}", config.web.listen, token.reveal()),
        _ => format!("{}/#setup={}", config.address(), token.reveal()),
    }
}
