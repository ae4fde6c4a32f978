//! `vigie destroy --due`.

use super::{Context, Outcome, unexpected};
use keeper::wire::{Answer, Control};
use std::process::ExitCode;

pub fn run(context: &Context<'_>) -> Outcome {
    let Answer::Destroyed(died) = context.ask(Control::DestroyDue)? else { return Err(unexpected()) };
    if died.is_empty() {
        println!("{}", context.pick("Rien n'est échu.", "Nothing is due."));
    }
    for fate in died {
        println!("{} {}", context.pick("Détruit :", "Destroyed:"), fate.hour);
    }
    Ok(ExitCode::SUCCESS)
}
