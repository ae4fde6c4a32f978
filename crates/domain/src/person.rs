//! Persons: one account a person, and the closed list of capacities in which somebody may see pictures.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

crate::identity!(
    /// One person's account.
    AccountId
);

/// In which capacity a person has an account: the closed list of CSI R253-3, then those who never see a picture. The
/// registry stores the name.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The mayor, or a deputy or councillor with a delegation of municipal-police functions (R253-3 II 2° a).
    Elected,
    /// A municipal police officer, named and habilitated by the mayor (R253-3 II 2° b).
    MunicipalPolice,
    /// An agent of the supervision centre, approved by the prefect under L132-14-1: views only (R253-3 II 2° c).
    Operator,
    /// An agent of the national police, the gendarmerie, the customs or the fire services (R253-3 II 1°, L252-3).
    StateAgent,
    /// An agent of another public authority that is responsible for the system (R253-3 II 4°).
    OtherAuthority,
    /// In places open to the public: an agent of the controller, named and habilitated by it (R253-3 I 1°).
    PremisesAgent,
    /// In places open to the public: a private operator acting for the controller (R253-3 I 2°, L613-13).
    PrivateOperator,
    /// The data-protection officer: words and counts, never pictures.
    Dpo,
    /// An inspector of the prefecture's commission or of the CNIL: reads what was done, sees no picture by that capacity.
    Inspector,
    /// The town's IT: installs and maintains, sees no picture.
    Administrator,
}

impl Role {
    pub const ALL: [Role; 10] = [
        Role::Elected,
        Role::MunicipalPolice,
        Role::Operator,
        Role::StateAgent,
        Role::OtherAuthority,
        Role::PremisesAgent,
        Role::PrivateOperator,
        Role::Dpo,
        Role::Inspector,
        Role::Administrator,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Role::Elected => "elected",
            Role::MunicipalPolice => "municipal-police",
            Role::Operator => "operator",
            Role::StateAgent => "state-agent",
            Role::OtherAuthority => "other-authority",
            Role::PremisesAgent => "premises-agent",
            Role::PrivateOperator => "private-operator",
            Role::Dpo => "dpo",
            Role::Inspector => "inspector",
            Role::Administrator => "administrator",
        }
    }

    /// Where the closed list of R253-3 names it; none for those who never see a picture.
    pub const fn article(self) -> Option<&'static str> {
        match self {
            Role::Elected => Some("CSI R253-3 II 2° a"),
            Role::MunicipalPolice => Some("CSI R253-3 II 2° b"),
            Role::Operator => Some("CSI R253-3 II 2° c"),
            Role::StateAgent => Some("CSI R253-3 II 1°"),
            Role::OtherAuthority => Some("CSI R253-3 II 4°"),
            Role::PremisesAgent => Some("CSI R253-3 I 1°"),
            Role::PrivateOperator => Some("CSI R253-3 I 2°"),
            Role::Dpo | Role::Inspector | Role::Administrator => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a role: one of {} expected", Role::ALL.map(Role::name).join(", "))]
pub struct RoleError {
    pub text: String,
}

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Role, RoleError> {
        let known = Role::ALL.into_iter().find(|role| role.name() == text);
        known.ok_or_else(|| RoleError { text: text.chars().take(40).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_back_from_its_name_and_nothing_else_does() {
        for role in Role::ALL {
            assert_eq!(role.name().parse::<Role>(), Ok(role));
        }
        let error = "root".parse::<Role>().unwrap_err().to_string();
        assert!(error.contains("`root`") && error.contains("municipal-police"), "{error}");
    }

    #[test]
    fn seven_capacities_stand_in_the_closed_list_and_three_see_no_picture() {
        assert_eq!(Role::ALL.iter().filter(|role| role.article().is_some()).count(), 7);
    }
}
