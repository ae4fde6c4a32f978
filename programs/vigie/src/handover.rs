//! What `serve` hands to each role on its standard input: its own role secrets, never an argument or a variable (P3).
//!
//! The descriptor stays open: its end tells the role that `serve` stops, or died.

use crate::confinement::Role;
use domain::Secret32;
use keeper::socket::{MessageError, read_message, write_message};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    io::{self, Read, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

const HANDOVER_BYTES_MAX: usize = 4_096;

/// Secrets by which the processes know each other, made anew at each start. `serve` has them all, each role its own.
#[derive(Clone, Debug)]
pub struct Handover {
    /// Recorder at the keeper.
    pub recorder: Secret32,
    /// Web at the keeper.
    pub web: Secret32,
    /// Web at the recorder.
    pub recorder_web: Secret32,
    /// The auditor at the keeper.
    pub auditor: Secret32,
}

/// By which the keeper knows who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeeperHandover {
    pub recorder: Secret32,
    pub web: Secret32,
    pub auditor: Secret32,
}

/// The recorder's and web's: by which each is known at the keeper, and both to each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PairHandover {
    pub at_keeper: Secret32,
    pub recorder_web: Secret32,
}

impl Handover {
    /// To a role what it needs and nothing that would let it pass for another.
    pub fn give(&self, role: Role, to: &mut impl Write) -> Result<(), MessageError> {
        let pair = |own: &Secret32| PairHandover { at_keeper: own.clone(), recorder_web: self.recorder_web.clone() };
        match role {
            Role::Keeper => {
                let (recorder, web, auditor) = (self.recorder.clone(), self.web.clone(), self.auditor.clone());
                write_message(to, &KeeperHandover { recorder, web, auditor }, HANDOVER_BYTES_MAX)
            }
            Role::Recorder => write_message(to, &pair(&self.recorder), HANDOVER_BYTES_MAX),
            Role::Web => write_message(to, &pair(&self.web), HANDOVER_BYTES_MAX),
            Role::Auditor => write_message(to, &self.auditor, HANDOVER_BYTES_MAX),
            Role::Public => Ok(()),
        }
    }
}

/// Reads what this role is given, then watches the descriptor: `stop` is set at its end.
pub fn take<T: DeserializeOwned>(stop: &Arc<AtomicBool>) -> Result<T, String> {
    let mut input = io::stdin();
    let handover = read_message(&mut input, HANDOVER_BYTES_MAX)
        .map_err(|error| error.to_string())?
        .ok_or("a role is started by `vigie serve`, not by hand")?;
    watch(stop);
    Ok(handover)
}

/// For a role that is handed nothing: only watches the descriptor.
pub fn watch(stop: &Arc<AtomicBool>) {
    let stop = stop.clone();
    std::thread::spawn(move || {
        let (mut input, mut rest) = (io::stdin(), [0; 64]);
        // anything but bytes means that the other end is gone
        while matches!(input.read(&mut rest), Ok(1..)) {}
        stop.store(true, Ordering::SeqCst);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_role_is_handed_a_secret_by_which_it_could_pass_for_another() {
        let secrets: [Secret32; 4] = [1, 2, 3, 4].map(|byte| Secret32::new([byte; 32]));
        let [recorder, web, recorder_web, auditor] = secrets.clone();
        let handover = Handover { recorder, web, recorder_web, auditor };
        let given = |role| {
            let mut bytes = vec![];
            handover.give(role, &mut bytes).expect("a handover is written to memory");
            [1u8, 2, 3, 4].map(|byte| bytes.windows(32).any(|window| window == [byte; 32]))
        };
        assert_eq!(given(Role::Keeper), [true, true, false, true]);
        assert_eq!(given(Role::Recorder), [true, false, true, false]);
        assert_eq!(given(Role::Web), [false, true, true, false]);
        assert_eq!(given(Role::Auditor), [false, false, false, true]);
        assert_eq!(given(Role::Public), [false; 4]);
    }
}
