//! `vigie law ask`: what the rules in force say of a capability, at its best.

use super::{EN, FR};
use crate::cli::{Context, Outcome, unexpected};
use domain::Role;
use keeper::wire::{Answer, Control};
use policy::{Action, Decision};
use std::process::ExitCode;

/// Ends with 0 where something opens it, with 1 where nothing does.
pub(super) fn run(context: &Context<'_>, action: Action, role: Role) -> Outcome {
    let Answer::LawSays(decision) = context.ask(Control::LawAsk { action, role })? else { return Err(unexpected()) };
    match *decision {
        Decision::Allow { rules } => {
            let rules: Vec<String> = rules.iter().map(ToString::to_string).collect();
            let fr = "Licite avec tous les actes, une finalité et un motif ; permis par";
            let en = "Lawful with every paper, a purpose and a reason; permitted by";
            println!("✓ {} : {} {}", action.name(), context.pick(fr, en), rules.join(", "));
            Ok(ExitCode::SUCCESS)
        }
        Decision::Refuse(refusal) => {
            let language = context.language.pick(FR, EN);
            for reason in &refusal.reasons {
                println!("✗ {} : {} [{}] ({})", action.name(), reason.text(language), reason.article, reason.rule);
                println!("  {}", reason.remedy(language));
            }
            Ok(ExitCode::FAILURE)
        }
    }
}

pub(super) fn action(text: &str) -> Result<Action, String> {
    let names = || Action::ALL.iter().map(|action| action.name()).collect::<Vec<_>>().join(", ");
    let found = Action::ALL.iter().find(|action| action.name() == text);
    found.copied().ok_or_else(|| format!("{}, pas · not `{text}`", names()))
}
