//! `vigie-verify evidence` as its reader uses it: a folder, a key, an exit code, sentences in two languages, JSON.

#[path = "../../../crates/evidence/tests/support/mod.rs"]
#[allow(dead_code)] // shared with another crate's tests, which use more of it
mod support;

#[path = "../../../crates/evidence/tests/support/tsa.rs"]
#[allow(dead_code)] // shared with another crate's tests, which use more of it
mod tsa;

use evidence::{
    MANIFEST, REGISTER,
    stamp::{StampFiles, StampRequest},
};
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

/// The package with a timestamp of its register, its files in the folder; lists where `with_lists` says so.
fn stamped(authority: &tsa::Authority, with_lists: bool) -> tempfile::TempDir {
    let mut package = Draft::new().package();
    let request = StampRequest::new(&package.0[REGISTER], [3; 8]);
    let response = authority.answer(&request.to_der(), &["between"], "");
    let mut stamp = StampFiles { token: request.token(&response).unwrap(), ..StampFiles::default() };
    if with_lists {
        let times = ("20260101000000Z", "20681231235959Z");
        stamp.lists = vec![authority.list("between", times), authority.list("root", times)];
    }
    for (path, bytes) in stamp.files() {
        package.0.insert(path, bytes.to_vec());
    }
    written(&package)
}

#[test]
fn a_timestamp_is_told_with_its_time_its_authority_and_the_root_that_the_reader_trusts() {
    let key = signer().public().verifier_key();
    let authority = tsa::Authority::new(tsa::Keys::P256);
    let (root, folder) = (authority.path("root.pem"), stamped(&authority, true));
    let trusting = ["--key", &key, "--tsa-root", root.to_str().unwrap()];
    let (code, said, complained) = verify(folder.path(), "fr", &trusting);
    assert_eq!((code, complained.as_str()), (0, ""), "{said}");
    assert!(
        said.contains("horodaté le ") && said.contains("(± 1,5001 s) par « C=FR, O=Essai, CN=Essai tsa »"),
        "{said}"
    );
    assert!(said.contains("racine « C=FR, O=Essai, CN=Essai root »") && !said.contains("non vérifiable"), "{said}");
    let (_, json, _) = verify(folder.path(), "fr", &[&trusting[..], &["--json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let told = &json["package"]["timestamp"];
    assert_eq!((&told["verdict"], &told["stamp"]["accuracy_micros"]), (&"good".into(), &1_500_100.into()));
    assert_eq!(told["revocation_not_checkable"], serde_json::json!([]));

    // no root: no fault, and said; no lists: said
    let (code, said, _) = verify(folder.path(), "en", &["--key", &key]);
    assert!(code == 0 && said.contains("NOT TRUSTED YET") && said.contains("CN=Essai root"), "{said}");
    let (code, said, _) = verify(stamped(&authority, false).path(), "en", &trusting);
    assert!(code == 0 && said.contains("revocation not checkable for `C=FR, O=Essai, CN=Essai tsa`"), "{said}");
    let (code, said, _) = verify(written(&Draft::new().package()).path(), "fr", &trusting);
    assert!(code == 0 && said.contains("aucun horodatage"), "{said}");
    let (code, _, said) = verify(folder.path(), "fr", &["--tsa-root", folder.path().join(MANIFEST).to_str().unwrap()]);
    assert!(code == 1 && said.contains("PEM ou du DER"), "{said}");
}

#[test]
fn a_timestamp_that_is_refused_is_a_failure_with_its_name_and_code() {
    let key = signer().public().verifier_key();
    let authority = tsa::Authority::new(tsa::Keys::P256);
    let folder = stamped(&authority, true);
    let (other, revoked) = (tsa::Authority::new(tsa::Keys::P256), authority.path("root.pem"));
    let other_root = other.path("root.pem");
    let (code, said, _) = verify(folder.path(), "fr", &["--key", &key, "--tsa-root", other_root.to_str().unwrap()]);
    assert!(code == 80 && said.contains("[timestamp-other-root]") && said.contains("N'EST PAS INTACT"), "{said}");
    let token = folder.path().join(evidence::stamp::TOKEN);
    let right = fs::read(&token).unwrap();
    fs::write(&token, &right[..right.len() - 1]).unwrap();
    let (code, said, _) = verify(folder.path(), "en", &["--key", &key]);
    assert!(code == 70 && said.contains("[timestamp-damaged]"), "{said}");
    let query = StampRequest::new(b"autre", [3; 8]);
    fs::write(&token, query.token(&authority.answer(&query.to_der(), &["between"], "")).unwrap()).unwrap();
    let (code, json, _) = verify(folder.path(), "en", &["--key", &key, "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, &json["package"]["timestamp"]["name"]), (71, &"timestamp-foreign".into()));
    authority.revoke("tsa", "between", "260101000000Z,keyCompromise");
    let folder = stamped(&authority, true);
    let (code, said, _) = verify(folder.path(), "fr", &["--key", &key, "--tsa-root", revoked.to_str().unwrap()]);
    assert!(code == 81 && said.contains("était révoqué à la signature"), "{said}");
}
