//! Cameras in the registry: added, listed, removed; credentials sealed; looks at a camera for `vigie camera test` (K13, R13).

use crate::{
    core::{KeeperCore, failed, malformed},
    lawful::{missing, of_order},
    rights::rights_words,
    wire::{
        Answer, CameraView, CameraViews, Credentials, Device, Difference, NewCamera, ProbeFailure, ProbeTarget, Probed,
        RecorderCamera,
    },
};
use catalog::{Camera, CameraVersion};
use domain::{CameraClass, CameraId, Sensitive, limit::RETENTION_DAYS_MAX, rights::check_names};
use ledger::{Actor, Event};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    time::{Duration, Instant},
};
use tracing::warn;
use vault::{KeeperError, keeper::ProbeJob};
use zeroize::Zeroizing;

/// A look at a camera is given up after this: DESCRIBE, SETUP, PLAY and a key frame of a long group.
const PROBE_PATIENCE: Duration = Duration::from_secs(25);
const CAMERA_NAME_CHARS_MAX: usize = 100;
const CODE_BYTES: usize = 16;
const ANOTHER_ANSWERS: &str =
    "another device answers now than the one that was shown: look again with `vigie camera confirm`";
const CHANGED_MEANWHILE: &str = "the camera was changed meanwhile: look again with `vigie camera confirm`";

/// Looks that the recorder was asked for.
#[derive(Default)]
pub(crate) struct Probes {
    next: u64,
    waiting: VecDeque<ProbeJob>,
    /// Somebody waits for these; what comes for another number is nobody's.
    asked: HashSet<u64>,
    done: HashMap<u64, Result<Probed, ProbeFailure>>,
}

impl KeeperCore {
    pub(crate) fn camera_add(&self, actor: Actor, new: NewCamera) -> Result<Answer, KeeperError> {
        let now = self.trusted()?;
        if !(1..=RETENTION_DAYS_MAX).contains(&new.delay_days) {
            return Err(malformed(format!("a delay is 1 to {RETENTION_DAYS_MAX} days (CSI L252-5)")));
        }
        if new.purposes.is_empty() {
            return Err(malformed("a camera has at least one purpose of CSI L251-2: `--purpose 5`"));
        }
        if new.name.trim().is_empty() || CAMERA_NAME_CHARS_MAX < new.name.chars().count() {
            return Err(malformed(format!("a camera's name has 1 to {CAMERA_NAME_CHARS_MAX} characters")));
        }
        check_addresses(&new.url, new.sub_url.as_deref())?;
        check_names(&new.rights.groups).map_err(|error| malformed(error.to_string()))?;
        let id = CameraId::draw(&*self.parts.random);
        let credential = new.credentials.as_ref().map(|credentials| self.seal(id, credentials)).transpose()?;
        let rights = rights_words(&new.rights);
        let details = format!("{} · {} · {} days · {rights}", new.name, new.place, new.delay_days);
        let camera = Camera {
            id,
            name: new.name,
            place: new.place,
            url: new.url,
            sub_url: new.sub_url,
            credential,
            delay_days: new.delay_days,
            purposes: new.purposes,
            fingerprint: new.fingerprint,
            rights: new.rights,
            class: new.class,
        };
        let taken = self.in_service()?.iter().any(|version| version.camera.name == camera.name);
        if taken {
            return Err(malformed(format!("a camera named `{}` is in service: choose another name", camera.name)));
        }
        self.enter_events(actor, vec![Event::Camera { change: "added".into(), camera: id, details }])?;
        self.parts.registry.camera_put(&camera, now, now).map_err(failed)?;
        self.moving().cameras_version += 1;
        Ok(Answer::CameraAdded { camera: id })
    }

    pub(crate) fn camera_remove(&self, actor: Actor, name: &str) -> Result<Answer, KeeperError> {
        let (now, version) = (self.trusted()?, self.by_name(name)?);
        let details = format!("{name}: recording stops, footage stays until its deadline");
        let event = Event::Camera { change: "removed".into(), camera: version.camera.id, details };
        self.enter_events(actor, vec![event])?;
        self.parts.registry.camera_remove(version.camera.id, now, now).map_err(failed)?;
        self.moving().cameras_version += 1;
        Ok(Answer::Done)
    }

    pub(crate) fn camera_views(&self) -> Result<CameraViews, KeeperError> {
        let standing = self.standing(self.recording_time())?;
        let measured = self.measured();
        let view = |version: CameraVersion| {
            let shortfalls = self.shortfalls(&version.camera, &measured);
            let of_camera = standing.of(version.camera.id);
            CameraView {
                id: version.camera.id,
                name: version.camera.name,
                place: version.camera.place,
                delay_days: of_camera.map_or(version.camera.delay_days, |go| go.delay_days(version.camera.delay_days)),
                purposes: of_order(of_camera, version.camera.purposes),
                since: version.valid_from,
                has_sub: version.camera.sub_url.is_some(),
                missing: of_camera.map(missing).unwrap_or_default(),
                order_end: of_camera.and_then(|go| go.order.as_ref()?.end),
                rights: version.camera.rights,
                class: version.camera.class,
                shortfalls,
            }
        };
        let cameras = self.in_service()?.into_iter().map(view).collect();
        Ok(CameraViews { cameras, required: standing.law().required().to_vec() })
    }

    /// For the recorder: with credentials, in memory (K13).
    pub fn recorder_cameras(&self) -> Result<Answer, KeeperError> {
        let open = |version: CameraVersion| {
            let Camera { id, name, url, sub_url, credential, fingerprint, .. } = version.camera;
            // one camera whose credentials do not open is recorded without them if it can be; the others are recorded anyway
            let opened = credential.map(|sealed| self.unseal(id, sealed.reveal())).transpose();
            let credentials = opened.unwrap_or_else(|error| {
                warn!(camera = %id, %error, "a camera's credentials");
                None
            });
            RecorderCamera { id, name, url, sub_url, credentials, fingerprint }
        };
        // the version first: a camera added in between is then fetched once more, never missed
        let version = self.moving().cameras_version;
        let standing = self.standing(self.recording_time())?;
        let (lawful, others): (Vec<_>, Vec<_>) =
            self.in_service()?.into_iter().partition(|version| standing.is_open(version.camera.id));
        let withheld = self.withheld(&others);
        Ok(Answer::Cameras { version, cameras: lawful.into_iter().map(open).collect(), withheld })
    }

    /// Has the recorder look at a camera, and waits for what it finds.
    pub(crate) fn camera_test(&self, target: ProbeTarget) -> Result<Answer, KeeperError> {
        let (url, credentials) = match target {
            ProbeTarget::Address { url, credentials } => (url, credentials),
            ProbeTarget::Registered { name } => {
                let camera = self.by_name(&name)?.camera;
                let sealed = camera.credential.as_ref();
                (camera.url, sealed.map(|sealed| self.unseal(camera.id, sealed.reveal())).transpose()?)
            }
        };
        if holds_credential(&url) {
            return Err(malformed("the camera's address holds a user name or password: give them apart"));
        }
        let credentials = credentials.map(|credentials| (credentials.user, credentials.password));
        let looked = self.look(ProbeJob { number: 0, url, credentials, identity_only: false })?;
        Ok(Answer::Probed(looked))
    }

    /// Has the recorder do a job, which gets its number here.
    fn look(&self, job: ProbeJob) -> Result<Result<Probed, ProbeFailure>, KeeperError> {
        let number = {
            let probes = &mut self.moving().probes;
            probes.next += 1;
            let number = probes.next;
            probes.waiting.push_back(ProbeJob { number, ..job });
            probes.asked.insert(number);
            number
        };
        let started = Instant::now();
        let mut found = None;
        while found.is_none() && started.elapsed() < PROBE_PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
            found = self.moving().probes.done.remove(&number);
        }
        let probes = &mut self.moving().probes;
        probes.asked.remove(&number);
        probes.done.remove(&number);
        probes.waiting.retain(|job| job.number != number);
        found.ok_or_else(|| {
            failed("the recorder did not look at the camera in time: is it running? `vigie status` tells")
        })
    }

    /// Who answers at a camera's address now, without giving it a password: shown before anything is confirmed.
    pub(crate) fn camera_device(&self, name: &str) -> Result<Answer, KeeperError> {
        let camera = self.by_name(name)?.camera;
        Ok(match self.who_answers(&camera)? {
            Ok(found) => Answer::Device(Box::new(device(&camera, &found))),
            Err(failure) => Answer::Probed(Err(failure)),
        })
    }

    /// 1 who answers now, again without a password: refused where it is not the device that was shown · 2 the camera as it is
    /// after that look · 3 entry with what differs · 4 the registry pins it · the recorder hears of it within a second (R13).
    pub(crate) fn camera_confirm(&self, actor: Actor, name: &str, shown: &str) -> Result<Answer, KeeperError> {
        let looked_at = self.by_name(name)?.camera;
        let found = match self.who_answers(&looked_at)? {
            Ok(found) => found,
            Err(failure) => return Ok(Answer::Probed(Err(failure))),
        };
        if code_of(&found) != shown {
            return Err(malformed(ANOTHER_ANSWERS)); // 1
        }
        let (now, camera) = (self.trusted()?, self.by_name(name)?.camera);
        if (camera.id, &camera.url) != (looked_at.id, &looked_at.url) {
            return Err(malformed(CHANGED_MEANWHILE)); // 2
        }
        let device = device(&camera, &found);
        if device.is_known {
            return Ok(Answer::Device(Box::new(device)));
        }
        let details = device.differences.iter().map(|one| format!("{}: {} → {}", one.field, one.before, one.now));
        let details = format!("{name}: {}", details.collect::<Vec<_>>().join("; "));
        self.enter_events(actor, vec![Event::Camera { change: "confirmed".into(), camera: camera.id, details }])?; // 3
        self.put(Camera { fingerprint: Some(found), ..camera }, now)?; // 4
        Ok(Answer::Device(Box::new(device)))
    }

    fn who_answers(&self, camera: &Camera) -> Result<Result<String, ProbeFailure>, KeeperError> {
        let job = ProbeJob { number: 0, url: camera.url.clone(), credentials: None, identity_only: true };
        Ok(self.look(job)?.map(|probed| probed.fingerprint))
    }

    /// Sets or takes away a camera's sub-stream.
    pub(crate) fn camera_sub(&self, actor: Actor, name: &str, sub_url: Option<String>) -> Result<Answer, KeeperError> {
        let (now, camera) = (self.trusted()?, self.by_name(name)?.camera);
        check_addresses(&camera.url, sub_url.as_deref())?;
        let what = if sub_url.is_some() { "a sub-stream is recorded" } else { "no sub-stream is recorded any more" };
        let event =
            Event::Camera { change: "sub-stream".into(), camera: camera.id, details: format!("{name}: {what}") };
        self.enter_events(actor, vec![event])?;
        self.put(Camera { sub_url, ..camera }, now)?;
        Ok(Answer::Done)
    }

    /// States what a camera mainly films.
    pub(crate) fn camera_class(&self, actor: Actor, name: &str, class: CameraClass) -> Result<Answer, KeeperError> {
        let (now, camera) = (self.trusted()?, self.by_name(name)?.camera);
        let details = format!("{name}: {}", class.name());
        self.enter_events(actor, vec![Event::Camera { change: "class".into(), camera: camera.id, details }])?;
        self.put(Camera { class: Some(class), ..camera }, now)?;
        Ok(Answer::Done)
    }

    pub(crate) fn put(&self, camera: Camera, now: domain::UtcMicros) -> Result<(), KeeperError> {
        self.parts.registry.camera_put(&camera, now, now).map_err(failed)?;
        self.moving().cameras_version += 1;
        Ok(())
    }

    pub(crate) fn next_probe(&self) -> Option<ProbeJob> {
        self.moving().probes.waiting.pop_front()
    }

    pub(crate) fn probed(&self, number: u64, result: Result<Probed, ProbeFailure>) {
        let probes = &mut self.moving().probes;
        if probes.asked.contains(&number) {
            probes.done.insert(number, result);
        }
    }

    pub(crate) fn in_service(&self) -> Result<Vec<CameraVersion>, KeeperError> {
        self.parts.registry.cameras(self.decision_time()).map_err(failed)
    }

    pub(crate) fn by_name(&self, name: &str) -> Result<CameraVersion, KeeperError> {
        let found = self.in_service()?.into_iter().find(|version| version.camera.name == name);
        found
            .ok_or_else(|| malformed(format!("no camera named `{name}` is in service: `vigie camera list` names them")))
    }

    /// Bound to the camera (K13).
    fn seal(&self, camera: CameraId, credentials: &Credentials) -> Result<Sensitive<Vec<u8>>, KeeperError> {
        let plain = Zeroizing::new(postcard::to_stdvec(credentials).map_err(failed)?);
        Ok(Sensitive::new(self.seal_bytes(bound_to(camera), &plain)?))
    }

    fn unseal(&self, camera: CameraId, sealed: &[u8]) -> Result<Credentials, KeeperError> {
        let plain = self.unseal_bytes(bound_to(camera), sealed)?;
        postcard::from_bytes(&plain).map_err(failed)
    }
}

/// Both addresses are without credentials and of one device: what is pinned is its host and port (R13).
fn check_addresses(url: &str, sub_url: Option<&str>) -> Result<(), KeeperError> {
    if holds_credential(url) || sub_url.is_some_and(holds_credential) {
        return Err(malformed("the camera's address holds a user name or password: give them apart"));
    }
    let device = |url: &str| authority(url).map(str::to_ascii_lowercase);
    if sub_url.is_some_and(|sub| device(sub) != device(url)) {
        return Err(malformed("the sub-stream is of another device: its host and port must be the camera's"));
    }
    Ok(())
}

fn authority(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    // 554 need not be said (RFC 2326, 3.2)
    scheme.eq_ignore_ascii_case("rtsp").then(|| authority.strip_suffix(":554").unwrap_or(authority))
}

fn device(camera: &Camera, found: &str) -> Device {
    let pinned = camera.fingerprint.as_deref();
    let differences = differences(pinned, found);
    Device { code: code_of(found), is_known: differences.is_empty() && pinned.is_some(), differences }
}

/// Short enough to be copied, too long for a device to be made to it.
fn code_of(fingerprint: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, fingerprint.as_bytes());
    digest.as_ref().iter().take(CODE_BYTES).map(|byte| format!("{byte:02x}")).collect()
}

/// In which fields two fingerprints differ; both are `device-1 field=value …`.
fn differences(before: Option<&str>, now: &str) -> Vec<Difference> {
    let fields = |text: &str| -> HashMap<String, String> {
        let words = text.split(' ').filter_map(|word| word.split_once('='));
        words.map(|(field, value)| (field.to_owned(), value.to_owned())).collect()
    };
    let (before, now) = (before.map(fields).unwrap_or_default(), fields(now));
    let of =
        |fields: &HashMap<String, String>, field: &str| fields.get(field).cloned().unwrap_or_else(|| "—".to_owned());
    let all = ["host", "port", "realm", "server"].into_iter();
    all.filter(|field| before.get(*field) != now.get(*field))
        .map(|field| Difference { field: field.to_owned(), before: of(&before, field), now: of(&now, field) })
        .collect()
}

/// Whether an address has a user part, which would end in logs and listings.
fn holds_credential(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

fn bound_to(camera: CameraId) -> Vec<u8> {
    [&b"vigie camera credentials v1\n"[..], &camera.0].concat()
}
