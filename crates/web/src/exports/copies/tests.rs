//! Viewing copies with a maker from a script: what stands in the archive, and what is told.

use super::{super::archive::tests::*, *};
use domain::{CameraId, HourLength, MediaTicks, StreamId, UtcMicros};
use evidence::FileRole;
use media::{
    FrameEntry, FrameKind,
    mp4::{Movie, box_at},
};
use picture::{Counts, Made, Message, Messages, Reason, Refusal, write};
use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    thread,
};
use tempfile::TempDir;

const PICTURES: u64 = 20;

fn camera(movies: &[(Codec, Option<u64>)]) -> CameraPart {
    let movie = |(nth, (codec, lacking)): (usize, &(Codec, Option<u64>))| MovieLine {
        path: format!("video/camera-1-{:03}.mp4", nth + 1),
        first: UtcMicros(nth as i64 * 40_000_000),
        last: UtcMicros(nth as i64 * 40_000_000 + 1),
        pictures: PICTURES,
        codec: *codec,
        width: 640,
        height: 360,
        copy: lacking.map(|lacking| part("visionnage/x.mp4".into(), PICTURES - lacking, PICTURES)),
    };
    CameraPart {
        camera: CameraId([1; 16]),
        name: String::new(),
        place: String::new(),
        from: UtcMicros(0),
        to: UtcMicros(1),
        proof: None,
        movies: movies.iter().enumerate().map(movie).collect(),
        gaps: vec![],
        looked: None,
    }
}

/// H.264 that our own reader takes; of the original nobody here reads anything.
fn avcc() -> Vec<u8> {
    let sps = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x5b, 0x20];
    media::h264::avcc_from_sets(&[&sps], &[&[0x68, 0xce, 0x3c, 0x80]]).unwrap()
}

fn sets() -> ParameterSets {
    ParameterSets { codec: Codec::H265, config: vec![1].into(), width: 640, height: 360 }
}

/// Ten pictures from this one on.
fn chunk(from: i64) -> Chunk {
    let entry = |n: i64| FrameEntry {
        kind: if n % 10 == 0 { FrameKind::Idr } else { FrameKind::Other },
        dts: MediaTicks(n * 3_600),
        pts: MediaTicks(n * 3_600),
        size: 5,
    };
    Chunk {
        stream: StreamId::main(CameraId([1; 16])),
        hour: HourLength::PRODUCT.hour_of(UtcMicros(0)),
        first_utc: UtcMicros(from * 40_000),
        last_utc: UtcMicros((from + 9) * 40_000),
        frames: (from..from + 10).map(entry).collect(),
        parameters: Some(sets()),
        data: [0, 0, 0, 1, 7].repeat(10),
    }
}

/// What the script's maker does.
#[derive(Clone, Copy)]
enum Does {
    Copies,
    /// One picture of so many is black.
    Black(i64),
    /// Goes after so many pictures.
    Goes(u64),
    Refuses,
    /// Sends pictures that run backwards.
    Lies,
}

/// Answers callers one after the other.
fn maker(does: Does) -> (TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("picture.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || listener.incoming().for_each(|stream| answer(stream.unwrap(), does)));
    (folder, socket)
}

fn answer(mut stream: UnixStream, does: Does) {
    let (mut messages, mut part, mut came) = (Messages::default(), vec![0; 4096], 0);
    let say = |message: &Message, stream: &mut UnixStream| stream.write_all(&write(message).unwrap()).is_ok();
    loop {
        let Ok(bytes @ 1..) = stream.read(&mut part) else { return };
        messages.feed(&part[..bytes]);
        while let Some(message) = messages.next_message().unwrap() {
            let goes_on = match message {
                Message::Job(_) => say(&Message::Sets(Made { config: avcc() }), &mut stream),
                Message::Picture(_) if matches!(does, Does::Refuses) => {
                    let refusal = Refusal { reason: Reason::NothingShown, words: "none".into() };
                    say(&Message::Refusal(refusal), &mut stream);
                    false
                }
                Message::Picture(coded) => {
                    came += 1;
                    let pts = if matches!(does, Does::Lies) { -coded.pts } else { coded.pts };
                    let is_black = matches!(does, Does::Black(of) if coded.pts / 3_600 % of == 0);
                    let data = vec![0, 0, 0, 2, 0x65, came as u8];
                    let back = Coded { is_black, pts, dts: pts, data, ..coded };
                    say(&Message::Picture(back), &mut stream) && !matches!(does, Does::Goes(after) if came == after)
                }
                _ => {
                    say(&Message::Done(Counts { shown: came, lacking: 0 }), &mut stream);
                    false
                }
            };
            if !goes_on {
                return;
            }
        }
    }
}

/// A camera's copies by a maker that does this: the camera, whether nobody makes any, and the files of the archive.
fn made(does: Option<Does>, codecs: &[Codec]) -> (CameraPart, bool, BTreeMap<String, Vec<u8>>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("archive");
    let (mut archive, key) = begun(&path);
    let (_kept, socket) = does.map_or_else(|| (tempfile::tempdir().unwrap(), folder.path().join("nobody.sock")), maker);
    let mut camera = camera(&codecs.iter().map(|codec| (*codec, None)).collect::<Vec<_>>());
    let mut copies = Copies::new(&socket, &|| true, &mut archive, &mut camera.movies);
    for movie in 0..codecs.len() as u32 {
        for from in [0, 10] {
            if !copies.take(movie, &chunk(i64::from(movie) * 1_000 + from), &sets()) {
                break;
            }
        }
    }
    let away = copies.finish(Ok(())).map_err(|_| "the package failed").unwrap();
    archive.put("lecteur.html", b"behind them").unwrap();
    let lines = archive.lines().to_vec();
    archive.finish().unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(opened(&fs::read(&path).unwrap(), &key))).unwrap();
    let mut files = BTreeMap::new();
    for nth in 0..zip.len() {
        let mut file = zip.by_index(nth).unwrap();
        let mut bytes = vec![];
        file.read_to_end(&mut bytes).unwrap();
        files.insert(file.name().unwrap().into_owned(), bytes);
    }
    for line in &lines {
        assert_eq!(line.sha256, evidence::file_digest(&files[&line.path]), "{}", line.path);
        let role = if line.path.starts_with("visionnage/") { FileRole::ViewingCopy } else { FileRole::Player };
        assert_eq!(line.role, role, "{}", line.path);
    }
    (camera, away, files)
}

/// The pictures of a file, by its own tables.
fn movie_of(file: &[u8]) -> Movie {
    let mut at = 0;
    loop {
        let place = box_at(&file[at..], (file.len() - at) as u64).unwrap();
        if &place.kind == b"moov" {
            return Movie::from_moov(&file[at..at + place.bytes as usize]).unwrap();
        }
        at += place.bytes as usize;
    }
}

#[test]
fn a_package_has_a_viewing_copy_beside_each_movie_in_h265_and_its_reader_finds_it_bound() {
    let (camera, away, files) = made(Some(Does::Copies), &[Codec::H265, Codec::H264, Codec::H265]);
    assert!(!away);
    assert_eq!(files.len(), 3, "{:?}", files.keys());
    for movie in &camera.movies {
        let Some(copy) = &movie.copy else {
            assert_eq!(movie.codec, Codec::H264);
            continue;
        };
        assert_eq!((copy.shown, copy.lacking, &*copy.says.fr), (PICTURES, 0, manifest::COPY_FR));
        assert_eq!(copy.path, CopyPart::path_of(&movie.path));
        let file = &files[&copy.path];
        let read = movie_of(file);
        assert_eq!(read.samples.len() as u64, PICTURES);
        assert_eq!(read.samples.iter().filter(|sample| sample.is_sync).count(), 2);
        let title = "COPIE DE VISIONNAGE, PAS UNE PREUVE · VIEWING COPY, NOT EVIDENCE".as_bytes();
        assert!(file.windows(title.len()).any(|part| part == title), "the file does not say what it is");
    }
    assert_eq!(copying(&[camera], away), Copying::Made);
}

#[test]
fn a_package_is_whole_without_viewing_copies_and_its_maker_is_told() {
    for (does, told) in [
        (None, Copying::Away),
        (Some(Does::Refuses), Copying::Failed),
        (Some(Does::Goes(7)), Copying::Partly),
        (Some(Does::Lies), Copying::Partly),
        (Some(Does::Black(5)), Copying::Partly),
    ] {
        let (camera, away, files) = made(does, &[Codec::H265, Codec::H265]);
        assert_eq!(files["lecteur.html"], b"behind them");
        assert_eq!(camera.movies.iter().filter(|movie| movie.copy.is_some()).count() + 1, files.len());
        for copy in camera.movies.iter().filter_map(|movie| movie.copy.as_ref()) {
            assert_eq!(copy.shown + copy.lacking, PICTURES);
            assert!(copy.lacking > 0 && copy.says.en.contains(&format!("{} of 20 pictures", copy.lacking)));
            // what is there is a whole file
            assert!(movie_of(&files[&copy.path]).samples.len() as u64 >= copy.shown);
        }
        assert_eq!(copying(&[camera], away), told);
    }
}

#[test]
fn what_is_told_counts_movies_in_h265_alone() {
    let told = |movies: &[(Codec, Option<u64>)], away| copying(&[camera(movies)], away);
    let (old, new) = (Codec::H264, Codec::H265);
    assert_eq!(told(&[(old, None), (new, Some(0))], false), Copying::Made);
    assert_eq!(told(&[(new, Some(0)), (new, None)], true), Copying::Partly);
    assert_eq!(told(&[(new, Some(1))], false), Copying::Partly);
    assert_eq!(told(&[(new, None)], true), Copying::Away);
    assert_eq!(told(&[(new, None)], false), Copying::Failed);
}

#[test]
fn a_movie_whose_beginning_is_gone_has_no_copy_that_would_show_it_too_early() {
    let folder = tempfile::tempdir().unwrap();
    let (mut archive, _key) = begun(&folder.path().join("archive"));
    let (_kept, socket) = maker(Does::Copies);
    let mut camera = camera(&[(Codec::H265, None)]);
    let mut copies = Copies::new(&socket, &|| true, &mut archive, &mut camera.movies);
    assert!(copies.take(0, &chunk(10), &sets()), "the package goes on");
    copies.finish(Ok(())).map_err(|_| "the package failed").unwrap();
    assert!(camera.movies[0].copy.is_none() && archive.lines().is_empty());
}

#[test]
fn whoever_stops_or_whose_time_is_over_keeps_what_was_made() {
    let folder = tempfile::tempdir().unwrap();
    let (mut archive, _key) = begun(&folder.path().join("archive"));
    let (_kept, socket) = maker(Does::Copies);
    let mut camera = camera(&[(Codec::H265, None), (Codec::H265, None)]);
    let goes_on = std::cell::Cell::new(true);
    let asked = || goes_on.get();
    let mut copies = Copies::new(&socket, &asked, &mut archive, &mut camera.movies);
    assert!(copies.take(0, &chunk(0), &sets()) && copies.take(0, &chunk(10), &sets()));
    assert!(copies.take(1, &chunk(1_000), &sets()));
    goes_on.set(false);
    assert!(!copies.take(1, &chunk(1_010), &sets()), "nothing more is wanted");
    assert!(!copies.finish(Err(ExportError::Ended)).map_err(|_| "the package failed").unwrap());
    assert_eq!(camera.movies[0].copy.as_ref().unwrap().lacking, 0);
    assert_eq!(copying(&[camera], false), Copying::Partly);
}
