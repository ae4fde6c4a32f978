//! Secrets: no data key that ever was stands in clear in anything that was ever written (K4, promise 8).

use super::{Held, broken};
use crate::town::Town;
use std::collections::BTreeSet;

/// Of a key so many bytes are looked for.
const HALF: usize = 16;

pub fn no_key_in_clear(town: &Town) -> Held {
    let keys: BTreeSet<[u8; HALF]> = town.place.wire.data_keys().iter().map(half).collect();
    // which first two bytes a key may have: most places need no more than a look here
    let mut begins = vec![false; 1 << 16];
    keys.iter().for_each(|key| begins[two(key)] = true);
    for (path, bytes) in town.world.disk.all_bytes_ever_written() {
        let mut windows = bytes.windows(HALF).filter(|window| begins[two(window)]);
        if windows.any(|window| <&[u8; HALF]>::try_from(window).is_ok_and(|window| keys.contains(window))) {
            return broken("K4", format!("a data key stands in clear in `{}`", path.display()));
        }
    }
    Ok(())
}

fn half(key: &[u8; 32]) -> [u8; HALF] {
    std::array::from_fn(|at| key[at])
}

fn two(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8
}
