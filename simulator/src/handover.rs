//! The desk where footage leaves, as two persons use it by the console's interface: for tests, the tour and the benchmark.

use crate::installation::{Browser, Installation, InstallationError};
use domain::{Sensitive, UtcMicros};
use serde_json::{Value, json};
use std::{
    thread,
    time::{Duration, Instant},
};

type Result<T> = std::result::Result<T, InstallationError>;

pub const FIRST: &str = "brigadier";
pub const SECOND: &str = "cheffe";
/// A reel and a batch of the log each close within a minute; a machine under load takes longer.
const PATIENCE: Duration = Duration::from_secs(300);
const AGAIN: Duration = Duration::from_millis(200);

/// Two habilitated persons of the municipal police, by their passwords.
pub struct Desk {
    first: Sensitive<String>,
    second: Sensitive<String>,
}

impl Desk {
    /// Opens their accounts.
    pub fn open(site: &Installation, first: Sensitive<String>, second: Sensitive<String>) -> Result<Desk> {
        site.add_account(FIRST, "municipal-police", &first)?;
        site.add_account(SECOND, "municipal-police", &second)?;
        Ok(Desk { first, second })
    }

    pub fn first<'a>(&self, site: &'a Installation) -> Result<Browser<'a>> {
        site.sign_in(FIRST, &self.first)
    }

    pub fn second<'a>(&self, site: &'a Installation) -> Result<Browser<'a>> {
        site.sign_in(SECOND, &self.second)
    }

    /// Both let these windows leave, sealed by a passphrase; each code counts once.
    pub fn allow(&self, site: &Installation, requisition: &Value, windows: &Value, second: &str) -> Result<Value> {
        let password = if second == FIRST { &self.first } else { &self.second };
        let ask = json!({
            "requisition": requisition, "windows": windows, "purpose": 5, "recipient": null,
            "password": self.first.reveal(), "code": site.code(FIRST)?.reveal(),
            "second_name": second, "second_password": password.reveal(), "second_code": site.code(second)?.reveal(),
        });
        self.first(site)?.post("/api/exports", &ask)
    }

    /// Begins the package; the passphrase comes back.
    pub fn make(&self, site: &Installation, export: &str) -> Result<String> {
        let begun = self.first(site)?.post(&package_path(export), &Value::Null)?;
        Ok(begun["passphrase"].as_str().unwrap_or_default().to_owned())
    }

    /// How the export stands when its package is ready; `each` sees how it stood before, with the time between two looks.
    pub fn until_ready(
        &self,
        site: &Installation,
        export: &str,
        mut each: impl FnMut(&Value, Duration),
    ) -> Result<Value> {
        let (begun, mut seen) = (Instant::now(), Instant::now());
        loop {
            let told = self.first(site)?.get(&format!("/api/exports/{export}"))?;
            each(&told, seen.elapsed());
            seen = Instant::now();
            let is_over = ["failed", "cancelled", "open"].iter().any(|state| told["state"] == *state);
            if told["state"] == "ready" {
                return Ok(told);
            }
            if is_over || begun.elapsed() > PATIENCE {
                return Err(InstallationError::Command { arguments: "package".into(), said: told.to_string() });
            }
            thread::sleep(AGAIN);
        }
    }

    /// The sealed package.
    pub fn take(&self, site: &Installation, export: &str) -> Result<Vec<u8>> {
        Ok(self.first(site)?.stream(&format!("/media/exports/{export}"), u64::MAX)?.1)
    }
}

pub fn package_path(export: &str) -> String {
    format!("/api/exports/{export}/package")
}

/// A requisition that lacks nothing; without a scan it is an oral one, whose paper follows within 24 hours.
pub fn requisition(windows: &Value, at: UtcMicros, scan: Option<&str>) -> Value {
    let (at, means) = (at.to_string(), if scan.is_some() { "in-person" } else { "oral" });
    json!({
        "known": null, "received": at, "means": means, "framework": "cpp60-1", "framework_other": "",
        "authority": {"name": "officier de permanence", "quality": "opj", "matricule": "1", "service": "commissariat", "court": ""},
        "authorisation_reference": null, "authorisation_general": null, "procedure": "PV 1/2026",
        "object": "vol avec violence", "windows": windows, "scan": scan,
        "genuine": {"at": at, "number": "17", "spoken_to": "chef de poste"}, "validator": "le maire",
    })
}
