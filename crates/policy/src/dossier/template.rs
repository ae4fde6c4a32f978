//! A paper to fill in: every field of its kind with a comment, French first.

use crate::acts::{is_capacity, is_order, takes_parties};
use domain::ActKind;

const SCAN: &str = "# Numérisation de l'acte, 16 Mio au plus, scellée ; facultatif · scan of the paper, optional
# scan = \"arrete.pdf\"
";

const ORDER: &str = "# La préfecture · the prefecture
prefecture = \"\"
# Finalités autorisées, 1 à 11 (CSI L251-2) · authorised purposes
purposes = []
# Délai de conservation de l'arrêté, en jours, 30 au plus (CSI L252-5) · retention, in days
retention_days = 30
# Délai minimal, en heures, si l'arrêté en fixe un · minimum delay, in hours, if the order sets one
# minimum_hours = 72
# Services destinataires nommés par l'arrêté (CSI L252-3) · recipients named by the order
recipients = []
# Lieu d'hébergement que l'arrêté nomme · hosting place, as the order names it
hosting_place = \"\"
";

/// The TOML of one paper of this kind, to be filled in.
pub fn template(kind: ActKind) -> String {
    let about = match kind {
        _ if is_capacity(kind) => {
            "# Le compte de cette personne (`vigie account list`) · this person's account\nperson = \"\"\n"
        }
        ActKind::MaskStatement => {
            "# Les caméras, par leur nom (`vigie camera list`) · the cameras, by name\ncameras = []\n"
        }
        _ => {
            "# Les caméras, par leur nom ; sans cette ligne, tout le site · the cameras, by name; without it, the whole site\n# cameras = []\n"
        }
    };
    let own = match kind {
        ActKind::ProvisionalOrder => format!(
            "{ORDER}# Fin de l'événement, à laquelle l'autorisation tombe (CSI L252-6) · end of the event, at which it lapses\n# event_end = 2026-07-15T02:00:00\n"
        ),
        _ if is_order(kind) => ORDER.to_owned(),
        ActKind::Approval => {
            "# La qualité : operator (CSI R253-3 II 2° c) · the capacity\nrole = \"operator\"\n# Le territoire : le code INSEE de chaque commune, ainsi 33063 · the territory: the INSEE code of each commune\nterritory = \"\"\n".to_owned()
        }
        ActKind::Habilitation => "# La qualité (CSI R253-3) · the capacity:
# elected, municipal-police, state-agent, other-authority, premises-agent, private-operator
role = \"municipal-police\"\n# Le territoire : le code INSEE de chaque commune, ainsi 33063 · the territory: the INSEE code of each commune\nterritory = \"\"\n"
            .to_owned(),
        ActKind::MaskStatement => "# La vue : position préréglée et zoom ; `fixe` pour une caméra fixe · the view: preset and zoom range
preset = \"fixe\"
# Nombre de masques posés ; sans cette ligne : aucune habitation n'est dans le champ (CSI L251-3)
# number of masks; without it: no dwelling is in view
# masks = 2\n"
            .to_owned(),
        ActKind::HostingContract => {
            "# Où les images sont conservées, et par qui · where footage is kept, and by whom\nplace = \"\"\nprovider = \"\"\n".to_owned()
        }
        _ if takes_parties(kind) => "# Avec qui · with whom\nparties = \"\"\n".to_owned(),
        _ => String::new(),
    };
    format!(
        "# {}\nkind = \"{kind}\"\n# Référence portée sur l'acte · reference on the paper\nnumber = \"\"\n# Date de signature · date of signature\nsigned = 2026-01-31\n# Nom et qualité du signataire · name and quality of the signatory\nsignatory = \"\"\n# Premier jour où l'acte vaut, à 0 h · first day on which it holds, from 0 h\nfrom = 2026-01-31\n# Premier jour où il ne vaut plus, à 0 h · first day on which it holds no more, from 0 h\n{}until = 2031-01-31\n{about}{own}{SCAN}",
        title(kind),
        if is_order(kind) || is_capacity(kind) { "" } else { "# " },
    )
}

/// What the kind is called, in both languages.
pub const fn title(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Authorisation => "Autorisation préfectorale (CSI L252-1, L252-4) · prefect's authorisation",
        ActKind::ProvisionalOrder => "Autorisation provisoire (CSI L252-6, L252-7, L223-5) · provisional authorisation",
        ActKind::Habilitation => "Habilitation individuelle (CSI R253-3) · individual habilitation",
        ActKind::Approval => {
            "Agrément d'un opérateur par le préfet (CSI L132-14-1) · prefect's approval of an operator"
        }
        ActKind::CnilCommitment => {
            "Engagement de conformité adressé à la CNIL (CSI R253-7) · commitment sent to the CNIL"
        }
        ActKind::Dpia => "Analyse d'impact (RGPD art. 35) · data-protection impact assessment",
        ActKind::HostingContract => "Hébergement des images (CSI R252-3) · hosting of the footage",
        ActKind::ProcessorContract => "Contrat de sous-traitance (RGPD art. 28) · contract with a processor",
        ActKind::ArchivesElimination => {
            "Accord d'élimination des Archives départementales · agreement of the archives to the destruction"
        }
        ActKind::CouncilDeliberation => "Délibération du conseil municipal · deliberation of the council",
        ActKind::PublicNotice => "Publication de l'autorisation (CSI R252-16) · publication of the authorisation",
        ActKind::Sign => "Panneau d'information (CSI L255-1, R253-6) · sign for the public",
        ActKind::MaskStatement => "Attestation de masquage, ou d'absence d'habitation (CSI L251-3) · mask statement",
        ActKind::CommissioningNotice => "Avis de mise en service (CSI R252-17) · notice of commissioning",
        ActKind::Convention => "Convention (CSI L132-14, L252-3) · convention",
        ActKind::ConformitySheet => "Fiche de conformité à l'arrêté du 3 août 2007 · conformity sheet",
        ActKind::StaffInformation => "Information des agents et avis du CST · information of the staff",
    }
}
