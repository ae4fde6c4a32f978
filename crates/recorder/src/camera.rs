//! One camera, supervised: connect, take pictures, and when it ends say why and come back later.

use crate::{
    fingerprint::{Fingerprint, identify},
    health::GapCause,
    lane::Lane,
    source::{CameraUrl, Credentials, Source, SourceError, retina::RetinaSource},
};
use domain::{HourLength, Random, StreamId, UtcMicros, limit};
use std::{cell::RefCell, future::poll_fn, rc::Rc, sync::Arc, time::Duration};
use tokio::{sync::watch, time::timeout};

/// First wait after a failure; it doubles up to `limit::RECONNECT_SECONDS_MAX`.
const BACK_OFF_MIN: Duration = Duration::from_millis(500);
const BACK_OFF_MAX: Duration = Duration::from_secs(limit::RECONNECT_SECONDS_MAX);
/// After a refused password or device: cameras lock the account for half an hour after five to seven attempts, and
/// nobody has confirmed the other device yet.
const BACK_OFF_REFUSED: [Duration; 4] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(15 * 60), Duration::from_secs(30 * 60)];

/// What is to be recorded, and from where.
#[derive(Clone, Debug)]
pub struct CameraConfig {
    pub stream: StreamId,
    /// The place, for people; appears in logs.
    pub name: String,
    pub url: CameraUrl,
    pub credentials: Option<Credentials>,
    /// The device that was confirmed at this place (R13); another one is refused. `None`: not pinned yet.
    pub pinned: Option<Fingerprint>,
    /// A source that delivers nothing for this long is dead.
    pub silence_max: Duration,
}

impl CameraConfig {
    pub fn new(stream: StreamId, name: String, url: CameraUrl) -> CameraConfig {
        let silence_max = Duration::from_secs(limit::SOURCE_SILENCE_SECONDS_MAX);
        CameraConfig { stream, name, url, credentials: None, pinned: None, silence_max }
    }
}

/// The world as the cameras see it.
#[derive(Clone)]
pub struct World {
    /// The recorder's trusted time: the keeper's at hello, carried on by CLOCK_BOOTTIME (R9).
    pub trusted: Arc<dyn Fn() -> UtcMicros + Send + Sync>,
    pub random: Arc<dyn Random>,
    pub hour_length: HourLength,
}

/// How long to wait before the next attempt: doubling, with jitter, so that a town that comes back after a power cut
/// does not connect at one instant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackOff {
    next: Duration,
    /// Refusals in a row.
    refused: usize,
}

impl Default for BackOff {
    fn default() -> BackOff {
        BackOff { next: BACK_OFF_MIN, refused: 0 }
    }
}

impl BackOff {
    /// The wait after a failure: between half and all of the present step.
    pub fn after(&mut self, cause: &GapCause, random: &dyn Random) -> Duration {
        let step = match cause {
            GapCause::WrongPassword | GapCause::WrongDevice => {
                self.refused += 1;
                BACK_OFF_REFUSED[(self.refused - 1).min(BACK_OFF_REFUSED.len() - 1)]
            }
            _ => self.next,
        };
        self.next = (self.next * 2).min(BACK_OFF_MAX);
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        step.mul_f64(0.5 + f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX) * 0.5)
    }
    /// A session held for a while: the next failure is a new one.
    pub fn reset(&mut self) {
        *self = BackOff::default();
    }
}

/// Runs one camera until `stop` says so.
pub(crate) async fn run(
    config: CameraConfig,
    lane: Rc<RefCell<Lane>>,
    world: World,
    mut stop: watch::Receiver<bool>,
    first_wait: Duration,
) {
    let now = || (world.trusted)();
    let mut back_off = BackOff::default();
    let mut wait = first_wait;
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            () = tokio::time::sleep(wait) => {}
        }
        lane.borrow_mut().connecting(now());
        let opened = tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            opened = connect(&config) => opened,
        };
        let cause = match opened {
            Err(error) => {
                lane.borrow_mut().fail(error.cause(), now());
                error.cause()
            }
            Ok(mut source) => {
                lane.borrow_mut().session_began(now());
                let began = tokio::time::Instant::now();
                let ended = tokio::select! {
                    biased;
                    () = stopped(&mut stop) => GapCause::Stopped,
                    cause = take(&mut source, &lane, &config, &world) => cause,
                };
                lane.borrow_mut().fail(ended.clone(), now());
                source.close().await;
                // A camera that takes us in and throws us out at once does not earn quick attempts.
                if began.elapsed() >= BACK_OFF_MAX {
                    back_off.reset();
                }
                ended
            }
        };
        wait = back_off.after(&cause, &*world.random);
    }
    lane.borrow_mut().fail(GapCause::Stopped, now());
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has nobody left to record for.
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the ingest thread is gone");
    }
}

/// Looks who answers, then opens a session: no password goes to a device that was not confirmed (R13).
async fn connect(config: &CameraConfig) -> Result<RetinaSource, SourceError> {
    let found = identify(&config.url).await?;
    if let Some(pinned) = &config.pinned {
        let differs = pinned.differences(&found);
        if !differs.is_empty() {
            return Err(SourceError::WrongDevice { differs });
        }
    }
    RetinaSource::open(&config.url, config.credentials.as_ref(), config.silence_max).await
}

/// Takes pictures until the session is over.
async fn take(source: &mut impl Source, lane: &Rc<RefCell<Lane>>, config: &CameraConfig, world: &World) -> GapCause {
    loop {
        match timeout(config.silence_max, poll_fn(|context| source.poll_picture(context))).await {
            Err(_) => return GapCause::Silent,
            Ok(Err(error)) => return error.cause(),
            Ok(Ok(picture)) => {
                let taken = lane.borrow_mut().picture(picture, source.facts(), (world.trusted)());
                if let Err(cause) = taken {
                    return cause;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);
    impl Random for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn waits_double_from_half_a_second_to_ten() {
        let mut back_off = BackOff::default();
        let waits: Vec<u128> = (0..7).map(|_| back_off.after(&GapCause::Closed, &Always(255)).as_millis()).collect();
        assert_eq!(waits, [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
        back_off.reset();
        assert_eq!(back_off.after(&GapCause::Closed, &Always(0)).as_millis(), 250);
    }

    #[test]
    fn a_refused_password_is_not_repeated_at_once() {
        let wait = BackOff::default().after(&GapCause::WrongPassword, &Always(0));
        assert!(wait >= Duration::from_secs(30), "{wait:?}");
    }
}
