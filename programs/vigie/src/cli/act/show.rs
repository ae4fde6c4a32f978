//! One paper as people read it.

use crate::cli::Context;
use domain::{ActTerms, OrderTerms, UtcMicros};
use keeper::wire::ActView;
use policy::{
    acts::About,
    calendar::{day_en, day_fr},
    dossier::title,
};

/// Names of one line; the rest are counted.
const NAMES_MAX: usize = 8;

pub fn print(context: &Context<'_>, act: &ActView) {
    let facts = &act.facts;
    let day = |at: UtcMicros| context.pick(day_fr(at), day_en(at));
    let mark = match (act.holds, act.withdrawn) {
        (true, _) => "✓",
        (false, true) => "✗",
        (false, false) => "·",
    };
    let (fr, en) = title(facts.kind).split_once(" · ").unwrap_or((title(facts.kind), title(facts.kind)));
    println!("{mark} {} n° {}  [{}]", context.pick(fr, en), facts.number, act.id);
    let end = act.end.map_or_else(|| context.pick("sans fin", "without end").to_owned(), day);
    let withdrawn = if act.withdrawn { context.pick(" (retiré)", " (withdrawn)") } else { "" };
    println!(
        "    {} → {end}{withdrawn} · {} {} · {} {}",
        day(facts.from),
        context.pick("signé le", "signed on"),
        day(facts.signed),
        context.pick("par", "by"),
        facts.signatory.reveal()
    );
    println!("    {}{}", about(context, &facts.about), terms(context, &facts.terms));
    let scan = facts.scan.map(|digest| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    if let Some(scan) = scan {
        println!("    {} SHA-256 {scan}", context.pick("numérisation", "scan"));
    }
}

fn about(context: &Context<'_>, about: &About) -> String {
    match about {
        About::Site => context.pick("tout le site", "the whole site").to_owned(),
        About::Person(name) => name.reveal().clone(),
        About::Cameras(cameras) => {
            let shown = cameras.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
            match cameras.len().saturating_sub(NAMES_MAX) {
                0 => shown,
                more => format!("{shown} … +{more}"),
            }
        }
    }
}

fn terms(context: &Context<'_>, terms: &ActTerms) -> String {
    match terms {
        ActTerms::Plain => String::new(),
        ActTerms::Order(order) => order_terms(context, order),
        ActTerms::Capacity { role, territory } => format!(" · {role} · {territory}"),
        ActTerms::Masks { preset, masks: Some(masks) } => {
            format!(" · {preset} · {masks} {}", context.pick("masque(s)", "mask(s)"))
        }
        ActTerms::Masks { preset, masks: None } => {
            format!(" · {preset} · {}", context.pick("aucune habitation dans le champ", "no dwelling in view"))
        }
        ActTerms::Hosting { place, provider } => format!(" · {place} · {provider}"),
        ActTerms::Parties { parties } => format!(" · {parties}"),
    }
}

fn order_terms(context: &Context<'_>, order: &OrderTerms) -> String {
    let purposes: Vec<String> = order.purposes.iter().map(|purpose| format!("{}°", purpose.number())).collect();
    let minimum = order
        .minimum_hours
        .map_or(String::new(), |hours| format!(" · {} {hours} h", context.pick("délai minimal", "minimum delay")));
    format!(
        " · {} · {} · {} {}{minimum} · {}",
        order.prefecture,
        purposes.join(" "),
        order.retention_days,
        context.pick("jours", "days"),
        order.hosting_place
    )
}
