//! `vigie-verify evidence` as its reader uses it: a folder, a key, an exit code, sentences in two languages, JSON.

#[path = "../../../crates/evidence/tests/support/mod.rs"]
#[allow(dead_code)] // shared with another crate's tests, which use more of it
mod support;

use evidence::MANIFEST;
use std::{fs, path::Path, process::Command};
use support::{Draft, Package, signer};

fn written(package: &Package) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in &package.0 {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Exit code, what it says, what it complains of.
fn verify(folder: &Path, language: &str, more: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie-verify"));
    let done = command.arg("evidence").arg(folder).args(more).env("VIGIE_LANG", language).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

#[test]
fn who_holds_the_towns_key_is_told_that_a_package_is_intact_and_nothing_more() {
    let folder = written(&Draft::new().package());
    let key = signer().public().verifier_key();
    let (code, said, complained) = verify(folder.path(), "fr", &["--key", &key]);
    assert_eq!((code, complained.as_str()), (0, ""), "{said}");
    assert!(said.contains("INTACT : 120 images") && said.contains("Mairie"), "{said}");
    assert!(!said.contains("LA CLÉ VIENT"), "{said}");
    let (code, said, _) = verify(folder.path(), "en", &[]);
    assert!(code == 0 && said.contains("INTACT: 120 pictures"), "{said}");
    assert!(said.contains("THE KEY CAME WITH THE PACKAGE") && said.contains(&key), "{said}");
}

#[test]
fn what_is_wrong_is_named_in_both_languages_and_by_a_code() {
    let mut package = Draft::new().package();
    let movie = package.0.get_mut("video/mairie-001.mp4").unwrap();
    movie[400] ^= 1;
    let folder = written(&package);
    let key = signer().public().verifier_key();
    let (code, french, _) = verify(folder.path(), "fr", &["--key", &key]);
    assert_eq!(code, 42, "the first finding's: file-changed");
    assert!(french.contains("[file-changed]") && french.contains("[other-bytes]"), "{french}");
    assert!(french.contains("N'EST PAS INTACT"), "{french}");
    let (_, english, _) = verify(folder.path(), "en", &["--key", &key]);
    assert!(english.contains("IS NOT INTACT") && english.contains("with the same sizes"), "{english}");
    let (code, json, _) = verify(folder.path(), "fr", &["--key", &key, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["intact"], &json["findings"][1]["name"]), (42, &false.into(), &"other-bytes".into()));
    assert_eq!(json["package"]["manifest"]["ground"]["number"], "2026-0001");
}

#[test]
fn what_cannot_be_asked_is_said_with_its_remedy() {
    let folder = written(&Draft::new().package());
    let (code, _, said) = verify(folder.path(), "fr", &["--key", "clé"]);
    assert!(code == 1 && said.contains("vigie public key"), "{said}");
    let (code, _, said) = verify(&folder.path().join("ailleurs"), "fr", &[]);
    assert!(code == 1 && said.contains("recopiez le dossier"), "{said}");
    fs::remove_file(folder.path().join(MANIFEST)).unwrap();
    let (code, said, _) = verify(folder.path(), "en", &[]);
    assert!(code == 30 && said.contains("[manifest]"), "{said}");
}

/// A link could make the checker read, and praise, what is not in the package.
#[test]
#[cfg(unix)]
fn a_link_out_of_the_package_is_not_followed() {
    let folder = written(&Draft::new().package());
    let elsewhere = tempfile::tempdir().unwrap();
    let (movie, target) = (folder.path().join("video/mairie-001.mp4"), elsewhere.path().join("x.mp4"));
    fs::rename(&movie, &target).unwrap();
    std::os::unix::fs::symlink(&target, &movie).unwrap();
    let (code, said, _) = verify(folder.path(), "fr", &[]);
    assert_eq!(code, 42, "{said}");
}

/// The package as a town writes it: stored, in one pass.
fn zipped(package: &Package) -> Vec<u8> {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new_stream(Vec::new());
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (path, bytes) in &package.0 {
        zip.start_file(path.as_str(), options.large_file(true)).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sealed_for(bytes: &[u8], key: &seal::age::OpeningKey) -> Vec<u8> {
    let draws = seal::age::Draws {
        file_key: zeroize::Zeroizing::new([5; 16]),
        ephemeral: domain::Secret32::new([6; 32]),
        nonce: [7; 16],
    };
    let (mut sealer, mut file) = seal::age::Sealer::begin(key.recipient().unwrap(), &draws).unwrap();
    let segments: Vec<&[u8]> = bytes.chunks(seal::age::SEGMENT_BYTES).collect();
    for (nth, segment) in (1..).zip(&segments) {
        file.extend(sealer.segment(segment.to_vec(), nth == segments.len()));
    }
    file
}

#[test]
fn an_archive_is_checked_where_it_lies_sealed_or_not_and_unpacked_for_who_has_the_key() {
    let package = Draft::new().package();
    let key = signer().public().verifier_key();
    let folder = tempfile::tempdir().unwrap();
    let (clear, sealed) = (folder.path().join("remise.zip"), folder.path().join("remise.zip.age"));
    let archive = zipped(&package);
    fs::write(&clear, &archive).unwrap();
    let (code, said, _) = verify(&clear, "fr", &["--key", &key]);
    assert!(code == 0 && said.contains("INTACT : 120 images"), "{said}");

    let service = seal::age::OpeningKey::of(domain::Secret32::new([9; 32]));
    let identity = folder.path().join("service.key");
    fs::write(&identity, service.text().as_str()).unwrap();
    fs::write(&sealed, sealed_for(&archive, &service)).unwrap();
    let identity = identity.to_str().unwrap();
    let (code, said, _) = verify(&sealed, "fr", &["--key", &key, "--identity", identity]);
    assert!(code == 0 && said.contains("INTACT : 120 images"), "{said}");
    let (code, _, said) = verify(&sealed, "fr", &["--key", &key]);
    assert!(code == 1 && said.contains("est scellé") && said.contains("--identity"), "{said}");
    let other = folder.path().join("other.key");
    fs::write(&other, seal::age::OpeningKey::of(domain::Secret32::new([8; 32])).text().as_str()).unwrap();
    let (code, _, said) = verify(&sealed, "en", &["--identity", other.to_str().unwrap()]);
    assert!(code == 1 && said.contains("does not open"), "{said}");

    let to = folder.path().join("ouvert");
    let mut command = Command::new(env!("CARGO_BIN_EXE_vigie-verify"));
    let done = command.arg("open").arg(&sealed).arg("--identity").arg(identity).arg("--to").arg(&to).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    for (path, bytes) in &package.0 {
        assert_eq!(&fs::read(to.join(path)).unwrap(), bytes, "{path}");
    }
    let (code, said, _) = verify(&to, "fr", &["--key", &key]);
    assert!(code == 0 && said.contains("INTACT : 120 images"), "{said}");

    // the same on three media, copied into one folder; without the last one it says so
    let whole = fs::read(&sealed).unwrap();
    let part = |number: usize| folder.path().join(format!("parts.zip.age.{number:03}"));
    for (number, bytes) in (1..).zip(whole.chunks(whole.len() / 3 + 1)) {
        fs::write(part(number), bytes).unwrap();
    }
    let (code, said, _) = verify(&part(2), "fr", &["--key", &key, "--identity", identity]);
    assert!(code == 0 && said.contains("INTACT : 120 images"), "{said}");
    fs::remove_file(part(3)).unwrap();
    let (code, _, said) = verify(&part(1), "fr", &["--key", &key, "--identity", identity]);
    assert!(code == 1 && said.contains("2 parties lues") && said.contains("jusqu'au dernier support"), "{said}");

    // one byte anywhere behind the header: the seal itself says no
    let mut changed = fs::read(&sealed).unwrap();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&sealed, &changed).unwrap();
    let (code, said, complained) = verify(&sealed, "fr", &["--key", &key, "--identity", identity]);
    assert!(code != 0 && !said.contains("INTACT :"), "{said}{complained}");
}

#[test]
fn an_archive_whose_names_lead_out_of_it_is_not_unpacked() {
    let mut package = Draft::new().package();
    package.0.insert("../dehors.txt".into(), b"x".to_vec());
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("remise.zip");
    fs::write(&archive, zipped(&package)).unwrap();
    let to = folder.path().join("ouvert");
    let done = Command::new(env!("CARGO_BIN_EXE_vigie-verify"))
        .args([Path::new("open"), &archive, Path::new("--to"), &to])
        .env("VIGIE_LANG", "fr")
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(!folder.path().join("dehors.txt").exists() && !to.exists());
}
