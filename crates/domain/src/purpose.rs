//! The eleven purposes for which a public road may be filmed: CSI art. L251-2 (law.md CSI-02). The list is closed.

use serde::{Deserialize, Serialize};

/// A purpose of CSI L251-2, numbered as there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Purpose {
    /// 1° protection des bâtiments et installations publics et de leurs abords
    PublicBuildings = 1,
    /// 2° sauvegarde des installations utiles à la défense nationale
    NationalDefence = 2,
    /// 3° régulation des flux de transport
    TrafficRegulation = 3,
    /// 4° constatation des infractions aux règles de la circulation
    TrafficOffences = 4,
    /// 5° prévention des atteintes à la sécurité des personnes et des biens dans des lieux particulièrement exposés
    SafetyOfPersonsAndProperty = 5,
    /// 6° prévention d'actes de terrorisme
    Terrorism = 6,
    /// 7° prévention des risques naturels ou technologiques
    NaturalOrTechnologicalRisks = 7,
    /// 8° secours aux personnes et défense contre l'incendie
    RescueAndFire = 8,
    /// 9° sécurité des installations accueillant du public dans les parcs d'attraction
    AmusementParks = 9,
    /// 10° respect de l'obligation d'être couvert par une assurance
    VehicleInsurance = 10,
    /// 11° prévention et constatation des infractions relatives à l'abandon d'ordures
    Dumping = 11,
}

impl Purpose {
    pub const ALL: [Purpose; 11] = [
        Purpose::PublicBuildings,
        Purpose::NationalDefence,
        Purpose::TrafficRegulation,
        Purpose::TrafficOffences,
        Purpose::SafetyOfPersonsAndProperty,
        Purpose::Terrorism,
        Purpose::NaturalOrTechnologicalRisks,
        Purpose::RescueAndFire,
        Purpose::AmusementParks,
        Purpose::VehicleInsurance,
        Purpose::Dumping,
    ];

    /// The number in L251-2.
    pub const fn number(self) -> u8 {
        self as u8
    }
    pub fn from_number(number: u8) -> Option<Purpose> {
        Self::ALL.into_iter().find(|purpose| purpose.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_law() {
        let numbers: Vec<u8> = Purpose::ALL.iter().map(|purpose| purpose.number()).collect();
        assert_eq!(numbers, (1..=11).collect::<Vec<u8>>());
        assert_eq!(Purpose::from_number(12), None);
    }
}
