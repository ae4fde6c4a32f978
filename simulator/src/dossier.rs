//! The demonstration dossier: papers that say plainly that they are a demonstration and that nobody signed them.

/// What stands where a signatory would.
pub const NOBODY: &str = "démonstration, aucun préfet n'a signé";
/// The days between which the demonstration's papers hold.
const DATES: &str = "signed = 2026-01-01\nfrom = 2026-01-01\nuntil = 2031-01-01\n";

/// The papers of the site as a whole; the order covers every camera.
pub fn of_site() -> String {
    let kinds = [
        ("cnil-commitment", ""),
        ("dpia", ""),
        ("commissioning-notice", ""),
        ("sign", ""),
        ("public-notice", ""),
        ("conformity-sheet", ""),
        ("hosting-contract", "place = \"cette machine\"\nprovider = \"démonstration\"\n"),
        ("archives-elimination", ""),
        ("council-deliberation", ""),
        ("staff-information", ""),
    ];
    let others = kinds.iter().map(|(kind, terms)| act(kind, terms));
    std::iter::once(authorisation()).chain(others).collect()
}

/// The order: every purpose, 30 days, every camera.
pub fn authorisation() -> String {
    let order = "prefecture = \"Préfecture de démonstration\"\npurposes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]\n\
                 retention_days = 30\nhosting_place = \"cette machine\"\n";
    act("authorisation", order)
}

/// That no dwelling is in a camera's view: its streets are drawn.
pub fn of_camera(name: &str) -> String {
    act("mask-statement", &format!("cameras = [{name:?}]\npreset = \"fixe\"\n"))
}

/// A person's habilitation, or approval; none for a role that sees no picture.
pub fn of_account(name: &str, role: &str) -> Option<String> {
    let kind = match role {
        "dpo" | "inspector" | "administrator" => return None,
        "operator" => "approval",
        _ => "habilitation",
    };
    Some(act(kind, &format!("person = {name:?}\nrole = {role:?}\nterritory = \"Ville de démonstration\"\n")))
}

fn act(kind: &str, terms: &str) -> String {
    format!("[[act]]\nkind = {kind:?}\nnumber = \"DÉMONSTRATION\"\nsignatory = {NOBODY:?}\n{DATES}{terms}\n")
}
