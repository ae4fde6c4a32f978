//! Bech32 (BIP 173) of 32 bytes, as age writes recipients and identities: without that standard's limit of 90 letters.

const LETTERS: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const CHECK_LETTERS: usize = 6;

/// In lower case.
pub(super) fn encode(name: &str, bytes: &[u8; 32]) -> String {
    let mut values = regrouped(bytes, 8, 5);
    let check = polymod(&expanded(name), &[&values[..], &[0; CHECK_LETTERS]].concat()) ^ 1;
    values.extend((0..CHECK_LETTERS).map(|nth| (check >> (5 * (CHECK_LETTERS - 1 - nth)) & 31) as u8));
    let letters = values.iter().map(|value| char::from(LETTERS[usize::from(*value)]));
    format!("{name}1{}", letters.collect::<String>())
}

/// `None` for everything that [`encode`] would not write.
pub(super) fn decode(name: &str, text: &str) -> Option<[u8; 32]> {
    let letters = text.strip_prefix(name)?.strip_prefix('1')?;
    let value = |letter: u8| LETTERS.iter().position(|known| *known == letter).map(|value| value as u8);
    let values = letters.bytes().map(value).collect::<Option<Vec<u8>>>()?;
    let data = values.get(..values.len().checked_sub(CHECK_LETTERS)?)?;
    let bytes: [u8; 32] = regrouped(data, 5, 8).get(..32)?.try_into().ok()?;
    (encode(name, &bytes) == text).then_some(bytes)
}

/// Bits in groups of another size; what is lacking of the last group is 0.
fn regrouped(values: &[u8], from: u32, to: u32) -> Vec<u8> {
    let (mut held, mut bits, mut groups) = (0u32, 0, Vec::new());
    for value in values {
        held = (held << from | u32::from(*value)) & 0xfff;
        bits += from;
        while to <= bits {
            bits -= to;
            groups.push((held >> bits & ((1 << to) - 1)) as u8);
        }
    }
    if 0 < bits && to == 5 {
        groups.push((held << (to - bits) & 31) as u8);
    }
    groups
}

fn expanded(name: &str) -> Vec<u8> {
    let high = name.bytes().map(|letter| letter >> 5);
    high.chain([0]).chain(name.bytes().map(|letter| letter & 31)).collect()
}

fn polymod(name: &[u8], values: &[u8]) -> u32 {
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    name.iter().chain(values).fold(1, |check: u32, value| {
        let top = check >> 25;
        let shifted = (check & 0x01ff_ffff) << 5 ^ u32::from(*value);
        let chosen = GENERATOR.iter().enumerate().filter(|(nth, _)| top >> nth & 1 == 1);
        chosen.fold(shifted, |check, (_, part)| check ^ part)
    })
}
