//! A package holds as the town made it, and each way to tamper with it is named.

mod support;
#[path = "support/tsa.rs"]
#[allow(dead_code)] // shared with the tests of timestamps, which use more of it
mod tsa;

use domain::{CameraId, Hour, HourLength};
use evidence::{
    Finding, MANIFEST, Manifest, Next, REGISTER, Trust, Verdict, check, check_under, file_digest,
    manifest::{self, GapPart},
    stamp::{self, Outcome, Roots, StampFiles, StampRequest},
};
use support::{CAMERA, Draft, OTHER, PROOF, Package, Reel, at, signer};

fn verdict(package: &Package) -> Verdict {
    check(package, &Trust { key: Some(signer().public()), policy: None }).unwrap()
}

fn names(package: &Package) -> Vec<&'static str> {
    verdict(package).findings.iter().map(Finding::name).collect()
}

/// The package of a draft whose movie was tampered with before the town's own log took the manifest: what the digest of the
/// file would say is silent, and the proofs have to speak.
fn with_movie(change: impl Fn(&mut Vec<u8>)) -> Vec<Finding> {
    let mut draft = Draft::new();
    let path = draft.movie();
    change(draft.files.0.get_mut(&path).unwrap());
    verdict(&draft.package()).findings
}

#[test]
fn a_package_holds_as_the_town_made_it() {
    let verdict = verdict(&Draft::new().package());
    assert_eq!(verdict.findings, []);
    let told = verdict.told.unwrap();
    assert_eq!(told.pictures, 20 * 6);
    assert_eq!(told.handed_over, Some(at(5_005)));
    assert!(told.key_is_held);
}

#[test]
fn a_changed_byte_anywhere_in_a_package_is_noticed() {
    let package = Draft::new().package();
    for path in package.0.keys() {
        let bytes = package.0[path].len();
        // every byte of the small files would take minutes
        for byte in (0..bytes).step_by(1 + bytes / 150) {
            let mut changed = package.clone();
            changed.0.get_mut(path).unwrap()[byte] ^= 0x10;
            assert!(!verdict(&changed).holds(), "byte {byte} of {path}");
        }
    }
}

#[test]
fn a_file_that_is_gone_added_or_changed_is_named() {
    let package = Draft::new().package();
    let with = |change: &dyn Fn(&mut Package)| {
        let mut changed = package.clone();
        change(&mut changed);
        names(&changed)
    };
    assert_eq!(with(&|files| drop(files.0.remove(MANIFEST))), ["manifest"]);
    assert_eq!(with(&|files| drop(files.0.remove(REGISTER)))[0], "register");
    assert_eq!(with(&|files| drop(files.0.remove("video/mairie-001.mp4"))), ["file-missing"]);
    assert_eq!(with(&|files| drop(files.0.insert("autre.pdf".into(), vec![1]))), ["file-extra"]);
    assert_eq!(with(&|files| files.0.get_mut(PROOF).unwrap().extend(b"\n")), ["file-changed"]);
}

/// Whoever watches a copy is told that it is not the town's; what proves is judged without it.
#[test]
fn a_viewing_copy_that_was_replaced_or_is_gone_has_a_name_of_its_own_and_the_evidence_holds() {
    let package = Draft::new().with_copy().package();
    let path = evidence::CopyPart::path_of("video/mairie-001.mp4");
    let judged = |change: &dyn Fn(&mut Package)| {
        let mut changed = package.clone();
        change(&mut changed);
        let verdict = verdict(&changed);
        let copies: Vec<_> = verdict.copies.iter().map(|finding| (finding.name(), finding.code())).collect();
        (verdict.holds(), copies, verdict.told.unwrap().pictures)
    };
    assert_eq!(judged(&|_| {}), (true, vec![], 120));
    assert_eq!(judged(&|files| files.0.get_mut(&path).unwrap()[3] ^= 1), (true, vec![("copy-changed", 44)], 120));
    assert_eq!(judged(&|files| files.0.get_mut(&path).unwrap().push(1)), (true, vec![("copy-changed", 44)], 120));
    assert_eq!(judged(&|files| drop(files.0.remove(&path))), (true, vec![("copy-missing", 43)], 120));
    // one that the manifest does not know is as strange as any file
    let extra = judged(&|files| drop(files.0.insert("visionnage/autre.mp4".into(), vec![1])));
    assert_eq!(extra, (false, vec![], 120));
    // a copy that is named and has no digest
    let mut draft = Draft::new().with_copy();
    draft.files.0.remove(&path);
    let found = verdict(&draft.package());
    assert_eq!((found.holds(), found.copies.len()), (true, 1));
    // and the evidence is judged first
    let mut both = package.clone();
    both.0.get_mut(&path).unwrap().push(1);
    both.0.get_mut("video/mairie-001.mp4").unwrap()[100] ^= 1;
    let names: Vec<_> = verdict(&both).all().map(Finding::name).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("file-changed", "copy-changed"));
}

/// Who calls a movie a copy hides nothing: what proofs speak of is judged as evidence.
#[test]
fn a_movie_that_its_line_calls_a_copy_is_judged_as_a_movie() {
    let mut draft = Draft::new();
    draft.cameras[0].movies[0].path = "visionnage/mairie-001.mp4".into();
    let movie = draft.files.0.remove("video/mairie-001.mp4").unwrap();
    draft.files.0.insert("visionnage/mairie-001.mp4".into(), movie);
    let mut package = draft.package();
    assert_eq!(names(&package), [""; 0]);
    package.0.get_mut("visionnage/mairie-001.mp4").unwrap().push(0);
    assert_eq!(names(&package)[0], "file-changed");
}

#[test]
fn a_manifest_that_the_log_does_not_know_is_replaced() {
    let mut package = Draft::new().package();
    let mut manifest = Manifest::from_bytes(&package.0[MANIFEST]).unwrap();
    manifest.ground.number = "2026-0002".into();
    package.0.insert(MANIFEST.into(), manifest.to_bytes().unwrap());
    assert_eq!(names(&package), ["manifest-replaced"]);
    assert_ne!(file_digest(&package.0[MANIFEST]), file_digest(&Draft::new().package().0[MANIFEST]));
}

#[test]
fn a_register_of_a_later_format_is_named_as_such() {
    let mut package = Draft::new().package();
    let text = String::from_utf8(package.0[REGISTER].clone()).unwrap();
    package.0.insert(REGISTER.into(), text.replacen("\"format\":1", "\"format\":2", 1).into_bytes());
    let found = verdict(&package).findings;
    assert!(matches!(&found[0], Finding::Register { why } if why.contains("format 2")), "{found:?}");
}

#[test]
fn a_log_of_another_key_is_another_log() {
    let forger = ledger::CheckpointSigner::new(signer().origin(), &domain::Secret32::new([66; 32])).unwrap();
    let forged = names(&Draft::new().package_by(&forger));
    assert_eq!(forged[0], "other-log");
    // who holds no key learns that the package agrees with itself, and that this is all
    let alone = check(&Draft::new().package(), &Trust::default()).unwrap();
    assert!(alone.holds() && !alone.told.unwrap().key_is_held);
}

#[test]
fn pictures_taken_out_moved_repeated_or_changed_are_named_with_their_time() {
    let chunk = |number: u32| support::chunk(domain::StreamId::main(CAMERA), number, 0);
    let find = |file: &[u8], number: u32| {
        let data = chunk(number).data;
        file.windows(data.len()).position(|window| window == data).unwrap()
    };
    let other = with_movie(|file| {
        let at = find(file, 8);
        file[at + 3] ^= 1;
    });
    assert!(matches!(other[..], [Finding::OtherBytes { from, .. }] if from == chunk(8).first_utc), "{other:?}");
    // as many bytes each: what stands in the place of one is the other
    let swapped = with_movie(|file| {
        let (a, b) = (find(file, 8), find(file, 21));
        let bytes = chunk(8).data.len();
        assert_eq!(bytes, chunk(21).data.len(), "chunks of one size");
        let first = file[a..a + bytes].to_vec();
        file.copy_within(b..b + bytes, a);
        file[b..b + bytes].copy_from_slice(&first);
    });
    assert!(swapped.iter().any(|finding| matches!(finding, Finding::Swapped { .. })), "{swapped:?}");
}

#[test]
fn a_file_made_anew_without_some_pictures_is_named() {
    // the forger makes proper files of what is left: the tables agree with the bytes
    let rebuilt = |keep: &dyn Fn(u32) -> Vec<u32>| {
        let mut draft = Draft::new();
        let mut builder = evidence::CameraBuilder::new("video/mairie");
        let (mut files, mut open, sets) = (Package::default(), String::new(), support::parameters());
        let of = |number| support::chunk(domain::StreamId::main(CAMERA), number, 0);
        let chunks: Vec<media::Chunk> = (4..24).flat_map(keep).map(of).collect();
        let next: Vec<Next<'_>> = chunks.iter().map(|chunk| Next { chunk, follows: true, parameters: &sets }).collect();
        for step in builder.push(&next).unwrap() {
            support::apply(&mut files, &mut open, step, &next);
        }
        let (end, _) = builder.finish().unwrap();
        support::apply(&mut files, &mut open, end.unwrap(), &[]);
        draft.files.0.extend(files.0);
        verdict(&draft.package()).findings
    };
    assert_eq!(rebuilt(&|number| vec![number]), []);
    let dropped = rebuilt(&|number| if (20..24).contains(&number) { vec![] } else { vec![number] });
    assert!(matches!(dropped[..], [Finding::Dropped { from, .. }] if from == at(10)), "{dropped:?}");
}

#[test]
fn pictures_of_another_camera_do_not_pass_as_this_ones() {
    let mut draft = Draft::of(vec![Reel::record(20, OTHER, 0, 12)], 4);
    draft.cameras[0].camera = CAMERA;
    assert_eq!(verdict(&draft.package()).findings[0].name(), "camera-swapped");
}

/// The town itself could hand over the same minute twice, each time well proved.
#[test]
fn a_reel_or_a_chunk_that_stands_twice_is_refused() {
    let mut draft = Draft::new();
    draft.proofs.push(draft.proofs[0].clone());
    assert_eq!(names(&draft.package()), ["proof"]);
    let mut draft = Draft::new();
    let chunk = draft.proofs[0].chunks[2].clone();
    draft.proofs[0].chunks.insert(3, chunk);
    assert_eq!(names(&draft.package()), ["proof"]);
    let mut draft = Draft::new();
    draft.proofs[1].chunks[0].movie = 7;
    assert_eq!(names(&draft.package()), ["proof"]);
}

#[test]
fn times_that_were_changed_are_named() {
    let mut draft = Draft::new();
    draft.cameras[0].movies[0].first = at(100);
    assert_eq!(names(&draft.package()), ["time-shifted"]);
    // in the pictures' own table: it no longer seals
    let mut draft = Draft::new();
    draft.proofs[0].chunks[0].head.0[4] ^= 1;
    assert!(names(&draft.package()).contains(&"other-bytes"));
    // in a line of when
    let mut draft = Draft::new();
    draft.proofs[0].extents[0].plain.0[28] ^= 1;
    assert!(names(&draft.package()).contains(&"line-changed"));
}

#[test]
fn a_reel_that_the_log_does_not_hold_is_not_proved() {
    let mut draft = Draft::new();
    draft.reels[1].digests.chunks[3] = [0; 32];
    draft.reels[1].close();
    assert!(names(&draft.package()).contains(&"reel-not-proved"));
}

#[test]
fn what_existed_and_is_neither_here_nor_declared_is_named() {
    let mut draft = Draft::of(vec![Reel::record(20, CAMERA, 0, 12), Reel::record(21, CAMERA, 12, 12)], 4);
    draft.cameras[0].to = at(20);
    assert_eq!(names(&draft.package()), ["incomplete"], "eight seconds at the end");
    draft.cameras[0].gaps.push(evidence::manifest::GapPart {
        from: at(12),
        to: at(20),
        cause: "unreachable".into(),
        fr: String::new(),
        en: String::new(),
    });
    assert_eq!(names(&draft.package()), [""; 0]);
}

/// AES-GCM does not commit to its key: a town that prepared a second picture under the same ciphertext would hand over the second
/// key. The recorded line of when says which keys there were (decision 0068).
#[test]
fn a_key_that_the_recording_does_not_name_is_another_key() {
    let mut reel = Reel::record(20, CAMERA, 0, 12);
    reel.extents[3].0.keys = Some([9; 28]);
    reel.seal_extents();
    assert_eq!(names(&Draft::of(vec![reel], 4).package()), ["other-key"]);
    let mut reel = Reel::record(20, CAMERA, 0, 12);
    reel.extents[3].0.keys = None;
    reel.seal_extents();
    assert_eq!(names(&Draft::of(vec![reel], 4).package()), ["other-key"], "a line that names none binds none");
}

#[test]
fn a_time_that_is_said_to_be_destroyed_is_proved_by_the_log_for_this_camera_and_all_of_it() {
    let hour = HourLength::PRODUCT.hour_of(at(0)).plus(-2);
    let gap = |from, to| GapPart {
        from,
        to,
        cause: manifest::DESTROYED.into(),
        fr: "détruites".into(),
        en: "destroyed".into(),
    };
    let findings = |gap: GapPart, destroyed: Vec<(Hour, Vec<CameraId>)>| {
        let mut draft = Draft::new();
        draft.cameras[0].gaps = vec![gap];
        draft.destroyed = destroyed;
        names(&draft.package())
    };
    let (from, to) = (hour.start().plus_seconds(60), hour.plus(1).end().plus_seconds(-60));
    let both = vec![(hour, vec![OTHER, CAMERA]), (hour.plus(1), vec![CAMERA])];
    assert_eq!(findings(gap(from, to), both.clone()), [""; 0]);
    assert_eq!(findings(gap(from, to), both[..1].to_vec()), ["not-destroyed"], "half of it");
    assert_eq!(findings(gap(from, to), vec![(hour, vec![OTHER]), (hour.plus(1), vec![OTHER])]), ["not-destroyed"]);
    assert_eq!(findings(gap(from, to.plus_seconds(120)), both), ["not-destroyed"], "more than was destroyed");
    assert_eq!(findings(gap(from, to), vec![]), ["not-destroyed"]);
}

/// A token of the bytes of `registre.json`, as the town asks for one when the register is written.
fn stamped() -> (tsa::Authority, Package) {
    let authority = tsa::Authority::new(tsa::Keys::P256);
    let mut package = Draft::new().package();
    let request = StampRequest::new(&package.0[REGISTER], [3; 8]);
    let response = authority.answer(&request.to_der(), &["between"], "");
    let times = ("20260101000000Z", "20681231235959Z");
    let stamp = StampFiles {
        token: request.token(&response).unwrap(),
        certificates: vec![authority.der("between")],
        lists: vec![authority.list("between", times), authority.list("root", times)],
    };
    for (path, bytes) in stamp.files() {
        package.0.insert(path, bytes.to_vec());
    }
    (authority, package)
}

#[test]
fn a_package_tells_its_timestamp_and_is_whole_without_one() {
    let trust = Trust { key: Some(signer().public()), policy: None };
    let (authority, package) = stamped();
    let roots = Roots::read(&authority.pem("root")).unwrap();
    let verdict = check_under(&package, &trust, &roots).unwrap();
    assert_eq!(verdict.findings, []);
    let Some(Outcome::Good { stamp, not_checkable, .. }) = verdict.told.unwrap().timestamp else { panic!("not good") };
    assert!(stamp.authority.contains("Essai tsa") && not_checkable.is_empty());
    // who names no root is told, and nothing is wrong
    let verdict = check(&package, &trust).unwrap();
    assert!(verdict.holds() && matches!(verdict.told.unwrap().timestamp, Some(Outcome::NoRoot { .. })));
    let bare = check_under(&Draft::new().package(), &trust, &roots).unwrap();
    assert!(bare.holds() && bare.told.unwrap().timestamp.is_none());
}

#[test]
fn the_timestamp_of_another_package_is_foreign_and_its_files_alone_are_strangers() {
    let (authority, package) = stamped();
    let mut other = Draft::new();
    other.cameras[0].gaps.push(GapPart {
        from: at(100),
        to: at(200),
        cause: "unreachable".into(),
        fr: String::new(),
        en: String::new(),
    });
    let mut moved = other.package();
    for (path, bytes) in package.0.iter().filter(|(path, _)| path.starts_with("horodatage/")) {
        moved.0.insert(path.clone(), bytes.clone());
    }
    assert_eq!(names(&moved), ["timestamp-foreign"]);
    // a register that came later is dated by nothing
    let mut later = package.clone();
    later.0.get_mut(REGISTER).unwrap().push(b'\n');
    assert_eq!(names(&later), ["timestamp-foreign"]);
    let mut without = package.clone();
    without.0.remove(stamp::TOKEN);
    assert_eq!(names(&without), ["file-extra", "file-extra", "file-extra"]);
    let mut gap = package.clone();
    gap.0.insert(stamp::list_path(5), authority.list("root", ("20260101000000Z", "20681231235959Z")));
    assert_eq!(names(&gap), ["file-extra"]);
    let mut long = package;
    long.0.insert(stamp::TOKEN.into(), vec![0x30; stamp::TOKEN_BYTES_MAX + 1]);
    assert_eq!(names(&long), ["timestamp-damaged"]);
}
