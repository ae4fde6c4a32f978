//! The arrêté of 3 August 2007: size and rate of what is recorded of a camera, measured, against what its class demands.
//!
//! The numbers are dated facts of the law pack. law.md gives them no effect of stopping: what falls short is told as an alarm.

use crate::law::facts::{Fact, Facts};
use domain::{CameraClass, UtcMicros, limit::RATE_SHORTFALL_PERCENT};
use serde::{Deserialize, Serialize};

/// What is recorded of a camera's main stream: measured, not configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Measured {
    pub width: u32,
    pub height: u32,
    /// Pictures in a thousand seconds; none before enough of them came.
    pub millihertz: Option<u32>,
}

/// One demand that is not met.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shortfall {
    pub rule: Rule,
    /// As it was stated; without a statement the strictest demands are made.
    pub class: Option<CameraClass>,
    pub article: String,
}

/// What was measured beside what is demanded at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// TECH-07, TECH-08: in pixels.
    Size { width: u32, height: u32, width_min: u32, height_min: u32 },
    /// TECH-09: pictures in a thousand seconds.
    Rate { millihertz: u32, millihertz_min: u32 },
}

/// Everything that falls short at `now`. A law pack that states a fact no more demands nothing by it.
pub fn shortfalls(facts: &Facts, class: Option<CameraClass>, measured: &Measured, now: UtcMicros) -> Vec<Shortfall> {
    let size = size_short(facts, class, measured, now);
    let rate = measured.millihertz.and_then(|millihertz| rate_short(facts, class, millihertz, now));
    let all = [size, rate].into_iter().flatten();
    all.map(|(rule, fact)| Shortfall { rule, class, article: fact.source.clone() }).collect()
}

fn size_short<'a>(
    facts: &'a Facts,
    class: Option<CameraClass>,
    measured: &Measured,
    now: UtcMicros,
) -> Option<(Rule, &'a Fact)> {
    let (width_id, height_id) = match class {
        // a smaller picture is lawful where such thumbnails can be taken from it, by hand: no detector is used for it
        Some(CameraClass::NarrowViewThumbnails | CameraClass::FastFlowThumbnails) => return None,
        Some(CameraClass::NarrowView | CameraClass::FastFlow) | None => {
            ("narrow-view-width-min", "narrow-view-height-min")
        }
        Some(CameraClass::Traffic | CameraClass::Other) => ("stored-width-min", "stored-height-min"),
    };
    let (width, height) = (facts.of(width_id, now)?, facts.of(height_id, now)?);
    let (width_min, height_min) = (number(width)?, number(height)?);
    let falls_short = measured.width < width_min || measured.height < height_min;
    let rule = Rule::Size { width: measured.width, height: measured.height, width_min, height_min };
    falls_short.then_some((rule, width))
}

fn rate_short(facts: &Facts, class: Option<CameraClass>, millihertz: u32, now: UtcMicros) -> Option<(Rule, &Fact)> {
    let is_fast = matches!(class, Some(CameraClass::FastFlow | CameraClass::FastFlowThumbnails) | None);
    let fact = facts.of(if is_fast { "fast-flow-rate-min" } else { "stored-rate-min" }, now)?;
    let millihertz_min = number(fact)?.checked_mul(1_000)?;
    let least = u64::from(millihertz_min) * (100 - RATE_SHORTFALL_PERCENT);
    (u64::from(millihertz) * 100 < least).then_some((Rule::Rate { millihertz, millihertz_min }, fact))
}

fn number(fact: &Fact) -> Option<u32> {
    u32::try_from(fact.value).ok()
}

impl Shortfall {
    /// The duty's number in docs/law.md.
    pub fn duty(&self) -> &'static str {
        match (self.rule, self.class) {
            (Rule::Rate { .. }, _) => "TECH-09",
            (Rule::Size { .. }, Some(CameraClass::Traffic | CameraClass::Other)) => "TECH-08",
            (Rule::Size { .. }, _) => "TECH-07",
        }
    }

    /// What was measured, and what is demanded, in French.
    pub fn text_fr(&self) -> String {
        let class = self.class.map_or("classe non indiquée : exigence la plus haute", CameraClass::title_fr);
        match self.rule {
            Rule::Size { width, height, width_min, height_min } => {
                format!("Enregistrée en {width}×{height} points, pour {width_min}×{height_min} au moins ({class}).")
            }
            Rule::Rate { millihertz, millihertz_min } => format!(
                "Enregistrée à {} images par seconde, mesurées, pour {} au moins ({class}).",
                decimal(millihertz).replace('.', ","),
                millihertz_min / 1_000
            ),
        }
    }

    pub fn text_en(&self) -> String {
        let class = self.class.map_or("class not stated: the strictest demand", CameraClass::title_en);
        match self.rule {
            Rule::Size { width, height, width_min, height_min } => {
                format!("Recorded in {width}×{height} pixels, for {width_min}×{height_min} at least ({class}).")
            }
            Rule::Rate { millihertz, millihertz_min } => format!(
                "Recorded at {} pictures a second, measured, for {} at least ({class}).",
                decimal(millihertz),
                millihertz_min / 1_000
            ),
        }
    }

    pub fn remedy_fr(&self) -> String {
        let first = match self.rule {
            Rule::Size { .. } => "Réglez le flux principal de la caméra sur une définition suffisante",
            Rule::Rate { .. } => "Réglez la cadence du flux principal de la caméra, et vérifiez le réseau",
        };
        match (self.rule, self.class) {
            (_, None) => format!("{first}, ou indiquez sa classe (`vigie camera class`)."),
            (Rule::Size { .. }, Some(CameraClass::NarrowView | CameraClass::FastFlow)) => format!(
                "{first} ; si l'installateur constate, à la main, que des vignettes de 90×60 points s'en extraient, indiquez la \
                 classe qui le dit (`vigie camera class`)."
            ),
            _ => format!("{first}."),
        }
    }

    pub fn remedy_en(&self) -> String {
        let first = match self.rule {
            Rule::Size { .. } => "Set the camera's main stream to a sufficient size",
            Rule::Rate { .. } => "Set the rate of the camera's main stream, and check the network",
        };
        match (self.rule, self.class) {
            (_, None) => format!("{first}, or state its class (`vigie camera class`)."),
            (Rule::Size { .. }, Some(CameraClass::NarrowView | CameraClass::FastFlow)) => format!(
                "{first}; if the installer establishes, by hand, that thumbnails of 90×60 pixels can be taken from it, state the \
                 class that says so (`vigie camera class`)."
            ),
            _ => format!("{first}."),
        }
    }
}

/// Pictures a second with one digit, cut and not rounded: 5.96 is not shown as six.
fn decimal(millihertz: u32) -> String {
    format!("{}.{}", millihertz / 1_000, millihertz % 1_000 / 100)
}
