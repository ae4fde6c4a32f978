//! The real program at a socket: one job a process; streams made by FFmpeg's own encoders, whole and spoiled; copies read back by FFmpeg.

mod film;

use domain::{Codec, MediaTicks, UtcMicros};
use film::{Film, film, films_shown, run};
use media::{FrameEntry, FrameKind, codec::parameter_sets, mp4::MovieBuilder};
use picture::{
    Came, Coded, Counts, Job, Reason, Task, Viewing, ViewingError,
    redact::{Key, Point, Region},
};
use std::{
    fs,
    io::{Read, Write},
    net::Shutdown,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::{
            fs::MetadataExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_vigie-picture");

/// As `vigie serve` keeps it.
struct Maker {
    socket: PathBuf,
    listener: UnixListener,
    _folder: TempDir,
}

/// What came of a job.
#[derive(Debug)]
struct Copy {
    config: Vec<u8>,
    pictures: Vec<Coded>,
    counts: Counts,
}

impl Maker {
    fn new() -> Maker {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("picture.sock");
        Maker { listener: UnixListener::bind(&socket).unwrap(), socket, _folder: folder }
    }

    fn start(&self) -> Child {
        let listener = OwnedFd::from(self.listener.try_clone().unwrap());
        let mut command = Command::new(PROGRAM);
        command.arg("--socket").env_clear().stdin(Stdio::from(listener)).stdout(Stdio::null());
        command.spawn().unwrap()
    }

    /// The whole of a job by a process of its own, which ends well whatever it was sent.
    fn copies(&self, job: &Job, pictures: &[Coded]) -> Result<Copy, ViewingError> {
        let mut child = self.start();
        let made = self.asks(job, pictures);
        assert_eq!(child.wait().unwrap().code(), Some(0), "{made:?}");
        made
    }

    fn asks(&self, job: &Job, pictures: &[Coded]) -> Result<Copy, ViewingError> {
        let mut viewing = Viewing::begin(&self.socket, job, &|| true)?;
        let mut came = vec![];
        for picture in pictures {
            viewing.push(picture.clone())?;
            came.extend(viewing.take_came());
        }
        let counts = viewing.finish()?;
        came.extend(viewing.take_came());
        let mut copy = Copy { config: vec![], pictures: vec![], counts };
        for one in came {
            match one {
                Came::Sets(made) => copy.config = made.config,
                Came::Picture(coded) => copy.pictures.push(coded),
            }
        }
        Ok(copy)
    }

    /// What comes back for these bytes, and how the process ended.
    fn sends(&self, bytes: &[u8]) -> (Vec<u8>, Option<i32>) {
        let mut child = self.start();
        let mut stream = UnixStream::connect(&self.socket).unwrap();
        drop(stream.write_all(bytes)); // whoever has read enough closes
        drop(stream.shutdown(Shutdown::Write));
        let mut answer = vec![];
        drop(stream.read_to_end(&mut answer));
        (answer, child.wait().unwrap().code())
    }
}

fn job(film: &Film) -> Job {
    Job::new(Task::ViewingCopy, &film.sets)
}

impl Copy {
    /// Into a file, as web does.
    fn save(&self, path: &Path) {
        let sets = parameter_sets(Codec::H264, &self.config).unwrap();
        let mut builder = MovieBuilder::new(&sets, UtcMicros(0)).unwrap().titled("pas une preuve");
        let mut file = builder.head().unwrap();
        let bytes = self.pictures.iter().map(|picture| picture.data.len() as u64).sum();
        file.extend(builder.run(bytes));
        let mut before = None;
        for Coded { is_key, pts, dts, data, .. } in &self.pictures {
            let kind = if *is_key { FrameKind::Idr } else { FrameKind::Other };
            let entry = FrameEntry { kind, dts: MediaTicks(*dts), pts: MediaTicks(*pts), size: data.len() as u32 };
            builder.push(&entry, before).unwrap();
            before = Some(MediaTicks(*dts));
            file.extend_from_slice(data);
        }
        file.extend(builder.finish().unwrap());
        fs::write(path, file).unwrap();
    }

    fn times(&self) -> Vec<i64> {
        self.pictures.iter().map(|picture| picture.pts).collect()
    }

    fn black(&self) -> Vec<usize> {
        let black = self.pictures.iter().enumerate().filter(|(_, picture)| picture.is_black);
        black.map(|(nth, _)| nth).collect()
    }
}

#[test]
fn a_copy_has_every_picture_at_its_time_shows_the_same_and_says_that_it_is_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    // pictures that refer to later ones, ten bits, and H.264 itself
    for (nth, (codec, form, options)) in [
        (Codec::H265, "yuv420p", &["-bf", "3"][..]),
        (Codec::H265, "yuv420p10le", &["-bf", "0"][..]),
        (Codec::H264, "yuvj420p", &["-bf", "2"][..]),
    ]
    .into_iter()
    .enumerate()
    {
        let film = film(folder.path(), &format!("film-{nth}"), (322, 182), codec, form, options);
        let copy = Maker::new().copies(&job(&film), &film.pictures).unwrap();
        let mut times: Vec<i64> = film.pictures.iter().map(|picture| picture.pts).collect();
        times.sort_unstable();
        assert_eq!((copy.times(), copy.counts.lacking), (times, 0), "{codec:?} {form}");
        assert_eq!((copy.counts.shown as usize, copy.black()), (film.pictures.len(), vec![]));
        assert!(copy.pictures[0].is_key);
        let file = folder.path().join(format!("copy-{nth}.mp4"));
        copy.save(&file);
        let said = run(
            "ffprobe",
            &[
                "-v",
                "error",
                "-show_entries",
                "format_tags=title:stream=codec_name",
                "-of",
                "csv=p=0",
                file.to_str().unwrap(),
            ],
        );
        assert!(said.contains("h264") && said.contains("pas une preuve"), "{said}");
        let (original, shown) = (films_shown(&film.file, 182), films_shown(&file, 182));
        assert_eq!(original.len(), shown.len(), "{codec:?} {form}");
        let apart = |(one, other): (&u8, &u8)| u64::from(one.abs_diff(*other));
        let mean = original.iter().zip(&shown).map(apart).sum::<u64>() / original.len() as u64;
        assert!(mean < 6, "{codec:?} {form}: {mean} of 255");
    }
}

/// Luma of every picture, in its own size.
fn luma(file: &Path, (width, height): (usize, usize)) -> Vec<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i", file.to_str().unwrap(), "-fps_mode", "passthrough", "-pix_fmt", "yuv420p"])
        .args(["-f", "rawvideo", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout.chunks(width * height * 3 / 2).map(|picture| picture[..width * height].to_vec()).collect()
}

#[test]
fn regions_drawn_by_hand_are_one_grey_that_moves_as_it_was_drawn_and_the_rest_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film", (322, 182), Codec::H265, "yuv420p", &["-bf", "0"]);
    let corners =
        |left: f64| [(left, 40.0), (left + 60.0, 40.0), (left + 60.0, 100.0), (left, 100.0)].map(|(x, y)| Point(x, y));
    let (first, last) = (film.pictures[5].pts, film.pictures[25].pts);
    let keys =
        vec![Key { at: first, outline: corners(20.0).to_vec() }, Key { at: last, outline: corners(220.0).to_vec() }];
    let regions = vec![Region { keys }];
    let copy = Maker::new().copies(&Job::new(Task::Redacted { regions }, &film.sets), &film.pictures).unwrap();
    let sets = parameter_sets(Codec::H264, &copy.config).unwrap();
    let file = folder.path().join("copy.mp4");
    copy.save(&file);
    let (width, height) = (usize::from(sets.width), usize::from(sets.height));
    let (shown, original) = (luma(&file, (width, height)), luma(&film.file, (322, 182)));
    assert_eq!((shown.len(), original.len()), (30, 30));
    for (nth, (shown, original)) in shown.iter().zip(&original).enumerate() {
        let left = (5..=25).contains(&nth).then(|| 20 + (nth - 5) * 10);
        for (x, y) in (0..320).step_by(3).flat_map(|x| (0..180).step_by(3).map(move |y| (x, y))) {
            let is_in = |rim: usize| {
                left.is_some_and(|left| {
                    (left - rim..left + 60 + rim).contains(&x) && (40 - rim..100 + rim).contains(&y)
                })
            };
            let luma = shown[y * width + x];
            if is_in(0) {
                assert!(luma.abs_diff(126) <= 12, "picture {nth}: {luma} at {x}, {y} is not covered");
            } else if !is_in(16) {
                let there = original[y * 322 + x];
                assert!(luma.abs_diff(there) < 90, "picture {nth}: {luma} for {there} at {x}, {y}");
            }
        }
    }
    let none = Maker::new().copies(&Job::new(Task::Redacted { regions: vec![] }, &film.sets), &film.pictures);
    assert!(matches!(none, Err(ViewingError::Refused { reason: Reason::NoJob, .. })), "{none:?}");
}

#[test]
fn each_process_does_one_job_and_who_comes_meanwhile_is_served_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film", (160, 90), Codec::H265, "yuv420p", &["-bf", "0"]);
    let maker = Maker::new();
    thread::scope(|scope| {
        let callers: Vec<_> = (0..2).map(|_| scope.spawn(|| maker.asks(&job(&film), &film.pictures))).collect();
        for _ in &callers {
            assert_eq!(maker.start().wait().unwrap().code(), Some(0));
        }
        for caller in callers {
            assert_eq!(caller.join().unwrap().unwrap().counts.shown as usize, film.pictures.len());
        }
    });
}

#[test]
fn what_cannot_be_shown_is_black_at_its_time_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film", (322, 182), Codec::H265, "yuv420p", &["-bf", "0"]);
    let all = film.pictures.len();
    let keys: Vec<usize> = (0..all).filter(|nth| film.pictures[*nth].is_key).collect();
    assert_eq!(&keys[..2], [0, 10], "a key picture every ten");
    let maker = Maker::new();
    let checked = |spoiled: &[Coded], black: Vec<usize>, what: &str| {
        let copy = maker.copies(&job(&film), spoiled).unwrap();
        assert_eq!((copy.black(), copy.times().len()), (black.clone(), spoiled.len()), "{what}");
        let counts = Counts { shown: (spoiled.len() - black.len()) as u64, lacking: black.len() as u64 };
        assert_eq!(copy.counts, counts, "{what}");
    };
    checked(&film.pictures[4..], (0..6).collect(), "no key picture at the beginning");
    let mut cut = film.pictures.clone();
    let half = cut[13].data.len() / 2;
    cut[13].data.truncate(half);
    checked(&cut, (13..20).collect(), "lengths that do not fit");
    let mut garbage = film.pictures.clone();
    garbage[10].data = [&4u32.to_be_bytes()[..], &[0x26, 1, 0xff, 0xff]].concat();
    checked(&garbage, (10..20).collect(), "a key picture that is none");
}

#[test]
fn pictures_of_another_size_in_mid_stream_are_not_shown_and_the_copy_keeps_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film", (322, 182), Codec::H265, "yuv420p", &["-bf", "0"]);
    let other = film::film(folder.path(), "other", (640, 360), Codec::H265, "yuv420p", &["-bf", "0"]);
    // with its parameter sets in the picture, as a camera whose setting was changed would send it
    let mut spoiled = film.pictures[..10].to_vec();
    for (nth, picture) in other.pictures[..10].iter().enumerate() {
        let sets = if picture.is_key { other.set_units.clone() } else { vec![] };
        let pts = film.pictures[10 + nth].pts;
        spoiled.push(Coded { pts, dts: pts, data: [sets, picture.data.clone()].concat(), ..picture.clone() });
    }
    spoiled.extend_from_slice(&film.pictures[20..]);
    let copy = Maker::new().copies(&job(&film), &spoiled).unwrap();
    assert_eq!((copy.black(), copy.times().len()), ((10..20).collect(), spoiled.len()));
    let sets = parameter_sets(Codec::H264, &copy.config).unwrap();
    assert_eq!(sets.width, 322);
    assert!(182 < sets.height && sets.height < 182 + 40, "the band is below the picture: {}", sets.height);
}

#[test]
fn pictures_of_which_none_can_be_decoded_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let film = film(folder.path(), "film", (160, 90), Codec::H265, "yuv420p", &["-bf", "0"]);
    let maker = Maker::new();
    let refused = |pictures: &[Coded], what: &str| {
        let refused = maker.copies(&job(&film), pictures);
        let Err(ViewingError::Refused { reason, words }) = refused else { panic!("{what}: {refused:?}") };
        assert_eq!(words.lines().count(), 1);
        reason
    };
    assert_eq!(refused(&[], "nothing"), Reason::NothingShown);
    assert_eq!(refused(&film.pictures[1..9], "no key picture at all"), Reason::NothingShown);
    let garbage =
        |seed: u8| Coded { data: (0..=255).map(|n: u8| n.wrapping_mul(seed)).collect(), ..film.pictures[0].clone() };
    let random: Vec<Coded> = (0..50).map(|n| Coded { pts: n * 3_600, dts: n * 3_600, ..garbage(n as u8) }).collect();
    assert_eq!(refused(&random, "garbage"), Reason::NothingShown);
    let far = Coded { pts: i64::MAX, ..film.pictures[0].clone() };
    assert_eq!(refused(&[far], "a time that no file has"), Reason::NoJob);
    let empty = Coded { data: vec![], ..film.pictures[0].clone() };
    assert_eq!(refused(&[empty], "no bytes"), Reason::NoJob);
}

#[test]
fn garbage_a_flood_and_another_order_are_refused_in_one_line_that_repeats_nothing_of_them() {
    let maker = Maker::new();
    let no_job = [&b"J\0\0\0\x0c"[..], b"{\"Dupont\":1}"].concat();
    let picture = picture::write(&picture::Message::End).unwrap();
    for bytes in [&b"Dupont"[..], b"J\xff\xff\xff\xffDupont", &no_job, &picture, &vec![b'D'; 9_000_000]] {
        let (answer, code) = maker.sends(bytes);
        assert_eq!((answer[0], code), (b'R', Some(0)));
        let words = String::from_utf8(answer[6..].to_vec()).unwrap();
        assert!(!words.contains("Dupont") && words.lines().count() == 1, "{words}");
    }
    let (answer, code) = maker.sends(b"");
    assert_eq!((answer.len(), code), (0, Some(0)), "who goes is no failure");
}

#[test]
fn a_process_that_reads_pictures_has_no_listener_left_and_can_take_no_further_job() {
    let maker = Maker::new();
    let listening = fs::metadata(format!("/proc/self/fd/{}", maker.listener.as_raw_fd())).unwrap().ino();
    let mut child = maker.start();
    let mut stream = UnixStream::connect(&maker.socket).unwrap();
    // the first byte is in its hands
    stream.write_all(b"J").unwrap();
    let sockets = || -> Vec<u64> {
        let fds = fs::read_dir(format!("/proc/{}/fd", child.id())).unwrap();
        fds.filter_map(|fd| Some(fs::metadata(fd.ok()?.path()).ok()?.ino())).collect()
    };
    let begun = std::time::Instant::now();
    while sockets().contains(&listening) {
        assert!(begun.elapsed().as_secs() < 10, "it keeps the listener while it reads");
        thread::yield_now();
    }
    drop(stream);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
