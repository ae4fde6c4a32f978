//! Both ways with itself, one way with a file of the original program, and no way with a changed one.

use super::*;

/// Made by `age-keygen` and `age` 1.1.1, for this test only.
const KEY: &str = "AGE-SECRET-KEY-1VS9522DVPMTY46CX2Z3RY8XSCRF6TGKPA4NWY8HREE37D00Q2Q2SEFEL0L";
const RECIPIENT_TEXT: &str = "age1kkqud7y5pw2nazr9gdp4c8wrr53mu0y27mwhld7r4t0fgcur3q2qtrjfz2";
const FILE_HEX: &str = "6167652d656e6372797074696f6e2e6f72672f76310a2d3e20583235353139206d456b4c44714f556c476d743147674f7246753356655654783062706c787252386c50666976557a527a340a35352b696b4a7943786137383159793179346d5343376456374130626d6d57526d4e5734335947536a32730a2d2d2d207378397750386e4839776c39722f71376d47536c4552336c726a6652746844324851336d394678687a4e340a14244d8940eeb0d9e229f5206c001fcf41b239a477e98b7eebfb19a11f4b2ce65c059fa81b400e1c873b23e3af09";

/// Made in Python by the format's own page, and opened by `rage` 0.11.
const BY_PASSPHRASE_HEX: &str = "6167652d656e6372797074696f6e2e6f72672f76310a2d3e207363727970742069594846775554316e5279586273566a6f2f646841672031320a494f735666416f53434c52622f77482f394a67433867562b584d62367375584365674f42694943727679630a2d2d2d20704c746d3847446a2b4a3271775238444d7964646b3449673741376e4546416934333963726662585a49490ae1299062a9f6f6515d00b0d182e98c90576d0f49def81e5323c6c1d49d0f89d0e9a962a15c15c538878a";

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect()
}

fn sealed(plain: &[u8], recipient: Recipient) -> Vec<u8> {
    let draws = Draws { file_key: Zeroizing::new([5; 16]), ephemeral: Secret32::new([6; 32]), nonce: [7; NONCE_BYTES] };
    let (mut sealer, mut file) = Sealer::begin(recipient, &draws).unwrap();
    let segments: Vec<&[u8]> = if plain.is_empty() { vec![&[]] } else { plain.chunks(SEGMENT_BYTES).collect() };
    for (nth, segment) in (1..).zip(&segments) {
        file.extend(sealer.segment(segment.to_vec(), nth == segments.len()));
    }
    file
}

fn opened(file: &[u8], identity: &OpeningKey) -> Result<Vec<u8>, AgeError> {
    let (mut opener, at) = Opener::begin(identity, file)?;
    let mut plain = Vec::new();
    let segments: Vec<&[u8]> = file[at..].chunks(SEALED_SEGMENT_BYTES).collect();
    for (nth, segment) in (1..).zip(&segments) {
        plain.extend_from_slice(&opener.segment(segment, nth == segments.len())?);
    }
    Ok(plain)
}

#[test]
fn a_file_of_the_original_program_opens_and_its_keys_are_written_alike() {
    let identity = OpeningKey::parse(KEY).unwrap();
    assert_eq!(identity.recipient().unwrap().to_string(), RECIPIENT_TEXT);
    assert_eq!(identity.text().as_str(), KEY);
    assert_eq!(opened(&bytes_of(FILE_HEX), &identity).unwrap(), b"une sauvegarde");
}

#[test]
fn what_was_sealed_opens_for_its_recipient_alone_whatever_its_length() {
    let (identity, other) = (OpeningKey::parse(KEY).unwrap(), OpeningKey::of(Secret32::new([9; 32])));
    let recipient = Recipient::parse(RECIPIENT_TEXT).unwrap();
    for length in [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES] {
        let plain: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
        let file = sealed(&plain, recipient);
        assert_eq!(opened(&file, &identity).unwrap(), plain, "{length}");
        assert_eq!(opened(&file, &other), Err(AgeError::OtherRecipient));
    }
}

#[test]
fn a_changed_or_shortened_file_does_not_open() {
    let identity = OpeningKey::parse(KEY).unwrap();
    let file = sealed(&[3; SEGMENT_BYTES + 100], Recipient::parse(RECIPIENT_TEXT).unwrap());
    for at in (0..file.len()).step_by(if cfg!(debug_assertions) { 97 } else { 1 }) {
        let mut changed = file.clone();
        changed[at] ^= 1;
        assert!(opened(&changed, &identity).is_err(), "byte {at}");
    }
    // a whole segment less must not look like an end
    let (_, header) = Opener::begin(&identity, &file).unwrap();
    for length in [0, 10, header - 1, header, header + SEALED_SEGMENT_BYTES, file.len() - 1] {
        let read = opened(&file[..length], &identity);
        assert!(read.is_err() || read.is_ok_and(|plain| plain.is_empty() && length == header), "{length}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for text in ["", "age1", "age1qqqq", &RECIPIENT_TEXT.to_uppercase(), &RECIPIENT_TEXT.replace("age1", "agf1")] {
        assert_eq!(Recipient::parse(text), Err(AgeError::Recipient), "{text}");
    }
    let mistyped = format!("{}q", &RECIPIENT_TEXT[..RECIPIENT_TEXT.len() - 1]);
    assert!(RECIPIENT_TEXT.ends_with('q') || Recipient::parse(&mistyped).is_err());
    assert!(OpeningKey::parse("# a comment\n").is_err());
    assert!(OpeningKey::parse(&format!("# public key: {RECIPIENT_TEXT}\n{KEY}\n")).is_ok());
}

#[test]
fn a_segment_has_the_length_that_the_format_gives_it() {
    assert_eq!((SEGMENT_BYTES, SEALED_SEGMENT_BYTES), (65_536, 65_552));
}

#[test]
fn segments_that_changed_places_do_not_open() {
    let identity = OpeningKey::parse(KEY).unwrap();
    let file = sealed(&[3; 3 * SEGMENT_BYTES], Recipient::parse(RECIPIENT_TEXT).unwrap());
    let (_, header) = Opener::begin(&identity, &file).unwrap();
    let (mut exchanged, two) = (file[..header].to_vec(), header + 2 * SEALED_SEGMENT_BYTES);
    exchanged.extend_from_slice(&file[header + SEALED_SEGMENT_BYTES..two]);
    exchanged.extend_from_slice(&file[header..header + SEALED_SEGMENT_BYTES]);
    exchanged.extend_from_slice(&file[two..]);
    assert_eq!(opened(&exchanged, &identity), Err(AgeError::Damaged));
}

/// A file with recipients of other kinds in front of ours; its code is made anew.
fn with_others(stanzas: usize) -> Vec<u8> {
    let file = sealed(b"une sauvegarde", Recipient::parse(RECIPIENT_TEXT).unwrap());
    let payload = file.windows(5).position(|five| five == b"\n--- ").unwrap() + 5;
    let payload = payload + file[payload..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let ours = std::str::from_utf8(&file[FIRST_LINE.len() + 1..payload]).unwrap();
    let ours = &ours[..ours.find(LAST_LINE).unwrap()];
    let others = "-> another kind\nMDEyMzQ1Njc4OWFiY2RlZg\n".repeat(stanzas);
    let mut header = format!("{FIRST_LINE}\n{others}{ours}{LAST_LINE}");
    let code = base64(header_code(&[5; 16], header.as_bytes()).as_ref());
    header.push_str(&format!(" {code}\n"));
    [header.as_bytes(), &file[payload..]].concat()
}

#[test]
fn recipients_of_other_kinds_may_stand_beside_ours_up_to_a_length() {
    let identity = OpeningKey::parse(KEY).unwrap();
    for stanzas in [0, 1, 350] {
        assert_eq!(opened(&with_others(stanzas), &identity).unwrap(), b"une sauvegarde", "{stanzas}");
    }
    assert!(HEADER_BYTES_MAX < with_others(430).len());
    assert_eq!(opened(&with_others(430), &identity), Err(AgeError::Damaged));
}

struct Fixed;
impl domain::Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(0u8..).for_each(|(byte, n)| *byte = n.wrapping_mul(11));
    }
}

fn opened_by(file: &[u8], passphrase: &str) -> Result<Vec<u8>, AgeError> {
    let (mut opener, at) = Opener::begin_by_passphrase(passphrase, file)?;
    Ok(opener.segment(&file[at..], true)?.to_vec())
}

#[test]
fn what_was_sealed_by_a_drawn_passphrase_opens_however_it_is_typed_and_by_no_other() {
    let passphrase = Passphrase::draw(&Fixed);
    let text = passphrase.text().to_owned();
    assert_eq!((text.len(), text.split('-').count()), (29, 5), "{text}");
    let draws = Draws { file_key: Zeroizing::new([5; 16]), ephemeral: Secret32::new([6; 32]), nonce: [7; NONCE_BYTES] };
    let (mut sealer, mut file) = Sealer::begin_by_passphrase(&passphrase, &draws);
    file.extend(sealer.segment(b"une remise".to_vec(), true));
    for typed in [text.clone(), text.to_lowercase(), text.replace('-', " "), text.replace('0', "o").replace('1', "l")] {
        assert_eq!(opened_by(&file, &typed).unwrap(), b"une remise", "{typed}");
    }
    assert_eq!(opened_by(&file, &text[1..]), Err(AgeError::OtherRecipient));
    assert_eq!(opened_by(&file, ""), Err(AgeError::OtherRecipient));
    assert_eq!(opened(&file, &OpeningKey::parse(KEY).unwrap()), Err(AgeError::OtherRecipient));
}

#[test]
fn a_file_of_another_program_opens_by_its_passphrase_and_one_that_asks_for_too_much_memory_does_not() {
    let file = bytes_of(BY_PASSPHRASE_HEX);
    assert_eq!(opened_by(&file, "trois mots simples").unwrap(), b"une remise");
    let header = String::from_utf8_lossy(&file).find("\n--- ").unwrap();
    let greedy = String::from_utf8_lossy(&file[..header]).replace(" 12\n", " 30\n");
    let greedy = [greedy.as_bytes(), &file[header..]].concat();
    assert_eq!(opened_by(&greedy, "trois mots simples"), Err(AgeError::OtherRecipient));
}
