//! What a reader gets as one file: the archive of a package, and the head of its seal.

use ::evidence::Files;
use seal::age::{Draws, Opener, OpeningKey, Sealer};
use std::io::{Cursor, Write};
use vigie_verify::Archive;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// Whatever opens lists files that can be read to their ends, or says why not.
pub fn archive(bytes: &[u8]) {
    let Ok(archive) = Archive::open(Cursor::new(bytes.to_vec()), "x") else { return };
    for (path, length) in archive.list().expect("what is open is listed") {
        // a length may be anything: what is there is what is read
        let wanted = usize::try_from(length).unwrap_or(usize::MAX).min(bytes.len() + 1);
        if let Ok(read) = archive.read(&path, 0, wanted) {
            assert!(read.len() == wanted && wanted <= bytes.len());
        }
        assert!(archive.read(&path, length, 1).is_err(), "nothing stands behind a file's end");
    }
}

pub fn archive_seeds() -> Vec<Vec<u8>> {
    let mut zip = ZipWriter::new_stream(Vec::new());
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
    for (path, text) in [("manifeste.json", "{}"), ("video/a-001.mp4", "ftyp")] {
        zip.start_file(path, options).expect("a name of a package");
        zip.write_all(text.as_bytes()).expect("a Vec takes every byte");
    }
    vec![zip.finish().expect("two small files").into_inner()]
}

/// A head opens for its key, or not; never by half.
pub fn age_head(bytes: &[u8]) {
    if let Ok((mut opener, at)) = Opener::begin(&key(), bytes) {
        assert!(at <= bytes.len());
        drop(opener.segment(&bytes[at..], true));
    }
}

pub fn age_head_seeds() -> Vec<Vec<u8>> {
    let draws = Draws { file_key: [5; 16].into(), ephemeral: domain::Secret32::new([6; 32]), nonce: [7; 16] };
    let recipient = key().recipient().expect("a key has its recipient");
    let (mut sealer, mut file) = Sealer::begin(recipient, &draws).expect("a recipient of ours");
    file.extend(sealer.segment(b"une remise".to_vec(), true));
    vec![file]
}

fn key() -> OpeningKey {
    OpeningKey::of(domain::Secret32::new([9; 32]))
}
