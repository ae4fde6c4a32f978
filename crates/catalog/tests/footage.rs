//! The footage catalog: a reel's life, finding footage at every edge of a span, gaps, rebuilding, damage.

use catalog::{
    CatalogError, EarlierLife, Footage, Gap, Held, NewReel, ReelEnd, ReelRow, ReelState, Registry, Site, StoredBytes,
    StreamRow,
};
use domain::{CameraId, Hour, HourLength, ReelId, RunId, SiteId, Span, StreamId, StreamKind, UtcMicros};
use std::path::PathBuf;
use tempfile::TempDir;

const SITE: SiteId = SiteId([7; 16]);
/// A full hour.
const T0: i64 = 1_800_000_000;

struct Bench {
    folder: TempDir,
    footage: Footage,
}

impl Bench {
    fn new() -> Bench {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let footage = Footage::open(&folder.path().join("footage.db"), SITE).expect("created");
        Bench { folder, footage }
    }
    fn path(&self) -> PathBuf {
        self.folder.path().join("footage.db")
    }
    /// Enters a closed reel with streams of cameras: (camera, first second, last second) after T0.
    fn reel(&self, number: u8, streams: &[(u8, i64, i64)]) -> ReelId {
        let new = new_reel(number, hour_at(streams.first().map_or(0, |stream| stream.1)));
        self.footage.reel_opened(&new).expect("opened");
        self.footage.reel_streams(&rows(number, streams)).expect("streams");
        self.footage.reel_closed(new.reel, &ended([number; 32], 1_000, at(60))).expect("closed");
        new.reel
    }
}

fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(T0 + seconds)
}

fn hour_at(seconds: i64) -> Hour {
    HourLength::PRODUCT.hour_of(at(seconds))
}

fn span(from: i64, to: i64) -> Span {
    Span::new(at(from), at(to)).expect("forwards")
}

fn main_of(camera: u8) -> StreamId {
    StreamId::main(CameraId([camera; 16]))
}

fn new_reel(number: u8, hour: Hour) -> NewReel {
    NewReel {
        reel: ReelId([number; 16]),
        run: RunId([9; 16]),
        hour,
        deadline: hour.start().plus_seconds(86_400),
        location: vec![number, 0, 255],
        opened_at: hour.start().plus_micros(i64::from(number)),
    }
}

fn rows(number: u8, streams: &[(u8, i64, i64)]) -> Vec<StreamRow> {
    let row = |(handle, (camera, first, last)): (usize, &(u8, i64, i64))| StreamRow {
        reel: ReelId([number; 16]),
        handle: handle as u16,
        stream: main_of(*camera),
        first_utc: at(*first),
        last_utc: at(*last),
        frames: 1_500,
        chunks: 120,
        bytes: 30_000_000,
    };
    streams.iter().enumerate().map(row).collect()
}

#[test]
fn a_rebuilt_reel_stands_in_place_of_what_was_known_and_a_dead_one_stays_dead() {
    let bench = Bench::new();
    let known = bench.reel(1, &[(1, 0, 59), (2, 0, 59)]);
    let before = bench.footage.reel(known).unwrap().unwrap();
    let right = ReelRow {
        bytes: 4_096,
        state: ReelState::Recovered,
        opened_at: at(5),
        closed_at: Some(at(6)),
        ..before.clone()
    };
    bench.footage.reel_rebuilt(&right, &rows(1, &[(3, 1, 2)]), true).unwrap();
    let after = bench.footage.reel(known).unwrap().unwrap();
    assert_eq!(
        (after.bytes, after.state, after.opened_at, after.closed_at),
        (4_096, ReelState::Recovered, before.opened_at, before.closed_at)
    );
    assert_eq!(bench.footage.streams_of(known).unwrap(), rows(1, &[(3, 1, 2)]));
    let new = ReelRow { reel: ReelId([2; 16]), ..right.clone() };
    bench.footage.reel_rebuilt(&new, &rows(2, &[(1, 1, 2)]), false).unwrap();
    assert_eq!(bench.footage.reel(new.reel).unwrap().unwrap(), new);
    assert!(bench.footage.reels_untold().unwrap().contains(&new), "the keeper has not heard of it (L3)");
    bench.footage.reels_dead(before.hour, None).unwrap();
    let refused = bench.footage.reel_rebuilt(&right, &rows(1, &[(3, 1, 2)]), true);
    assert!(matches!(refused, Err(CatalogError::NotLive { .. })), "{refused:?}");
}

#[test]
fn a_closed_reel_is_told_again_until_the_keeper_heard_of_it_however_late_and_a_dead_or_open_one_is_not() {
    let bench = Bench::new();
    let untold = || bench.footage.reels_untold().unwrap().into_iter().map(|row| row.reel).collect::<Vec<_>>();
    let (first, second) = (bench.reel(1, &[(1, 0, 59)]), bench.reel(2, &[(1, 60, 119)]));
    bench.footage.reel_opened(&new_reel(3, hour_at(0))).unwrap();
    assert_eq!(untold(), [first, second], "the open one is not closed yet");
    bench.footage.reels_told(&[first]).unwrap();
    bench.footage.reels_told(&[first]).unwrap();
    assert_eq!(untold(), [second]);
    let again = Footage::open(&bench.path(), SITE).unwrap();
    assert_eq!(again.reels_untold().unwrap().len(), 1, "a start changes nothing");
    bench.footage.reels_dead(hour_at(0), None).unwrap();
    assert_eq!(untold(), []);
}

#[test]
fn bytes_are_counted_by_hour_and_camera() {
    let bench = Bench::new();
    bench.reel(1, &[(1, 0, 59), (2, 0, 59)]);
    bench.reel(2, &[(1, 60, 119)]);
    bench.reel(3, &[(1, 3_600, 3_659)]);
    let of = |cameras: &[u8]| {
        let cameras: Vec<CameraId> = cameras.iter().map(|n| CameraId([*n; 16])).collect();
        bench.footage.bytes_of(hour_at(0), &cameras).unwrap()
    };
    assert_eq!((of(&[1]), of(&[2]), of(&[1, 2, 9]), of(&[])), (60_000_000, 30_000_000, 90_000_000, 0));
    let held = |seconds, bytes| {
        let hour = hour_at(seconds);
        Held { hour, deadline: hour.start().plus_seconds(86_400), bytes }
    };
    assert_eq!(bench.footage.held().unwrap(), [held(0, 2_000), held(3_600, 1_000)]);
}

#[test]
fn what_is_known_of_an_earlier_life_is_its_last_instant_and_each_stream_s_last_picture() {
    let bench = Bench::new();
    assert_eq!(bench.footage.earlier_life().unwrap(), EarlierLife::default());
    let reels = [bench.reel(1, &[(1, 0, 59), (2, 0, 58)]), bench.reel(2, &[(1, 3_600, 3_650)])];
    let cause = "silent".to_owned();
    bench.footage.gap(&Gap { stream: main_of(3), from: at(3_700), to: None, cause }).unwrap();
    let told = bench.footage.earlier_life().unwrap();
    let last = [(main_of(1), at(3_650)), (main_of(2), at(58))].into();
    assert_eq!(told, EarlierLife { until: Some(at(3_700)), last });
    let last = told.last;
    // what was known stays known to a run, whose recovery forgets an hour that died meanwhile
    bench.footage.reels_dead(hour_at(0), None).unwrap();
    assert_eq!(bench.footage.earlier_life().unwrap().last, last, "and to the next, should this one end at once");
    bench.footage.reels_dead(hour_at(3_600), Some(&[main_of(1).camera])).unwrap();
    bench.footage.forget(&reels).unwrap();
    assert_eq!(bench.footage.earlier_life().unwrap().last, last);
    bench.footage.gaps_forget(at(58).plus_micros(1)).unwrap();
    assert_eq!(bench.footage.earlier_life().unwrap().last, [(main_of(1), at(3_650))].into(), "but not for ever");
    assert_eq!(bench.footage.left_by_earlier_runs(main_of(2), at(4_000)).unwrap().last, None);
}

#[test]
fn a_catalog_that_was_marked_as_damaged_is_whole_again_when_it_is_made_anew() {
    let bench = Bench::new();
    let path = bench.path();
    assert!(bench.footage.check_whole().is_ok() && !Footage::is_marked_damaged(&path));
    Footage::mark_damaged(&path).unwrap();
    assert!(Footage::is_marked_damaged(&path));
    drop(bench.footage);
    Footage::discard(&path).unwrap();
    assert!(!Footage::is_marked_damaged(&path));
    Footage::open(&path, SITE).unwrap().check_whole().unwrap();
}

fn ids(reels: &[ReelRow]) -> Vec<u8> {
    reels.iter().map(|row| row.reel.0[0]).collect()
}

#[test]
fn a_reel_goes_from_open_to_closed_to_dead_to_forgotten_and_survives_reopening() {
    let bench = Bench::new();
    let new = new_reel(1, hour_at(0));
    bench.footage.reel_opened(&new).expect("opened");
    let open = bench.footage.reel(new.reel).expect("read").expect("known");
    assert_eq!((open.state, open.bytes, open.root, open.closed_at), (ReelState::Open, 0, None, None));
    assert_eq!((open.location.as_slice(), open.hour, open.deadline), (&[1, 0, 255][..], new.hour, new.deadline));
    let streams = rows(1, &[(1, 0, 59), (2, 0, 58)]);
    bench.footage.reel_streams(&streams).expect("entered");
    bench.footage.reel_closed(new.reel, &ended([4; 32], 77, at(60))).expect("closed");

    let Bench { folder, footage } = bench;
    drop(footage);
    let footage = Footage::open(&folder.path().join("footage.db"), SITE).expect("reopened");
    let closed = footage.reel(new.reel).expect("read").expect("known");
    assert_eq!((closed.state, closed.bytes, closed.root), (ReelState::Closed, 77, Some([4; 32])));
    assert_eq!(closed.closed_at, Some(at(60)));
    assert_eq!(footage.streams_of(new.reel).expect("read"), streams);
    assert_eq!(footage.bytes().expect("read"), StoredBytes { live: 77, dead: 0 });

    assert_eq!(ids(&footage.reels_dead(new.hour, None).expect("dead")), [1]);
    assert_eq!(footage.bytes().expect("read"), StoredBytes { live: 0, dead: 77 });
    assert!(footage.streams_of(new.reel).expect("read").is_empty(), "nothing is known of a dead hour");
    assert_eq!(ids(&footage.reels_dead(new.hour, None).expect("again")), [1], "the answer can be asked for again");
    assert_eq!(footage.forget(&[new.reel, ReelId([99; 16])]).expect("forgotten"), 1);
    assert_eq!(footage.reel(new.reel).expect("read"), None);
}

#[test]
fn saying_it_twice_changes_nothing_and_saying_something_else_is_refused() {
    let bench = Bench::new();
    let new = new_reel(1, hour_at(0));
    for _ in 0..2 {
        bench.footage.reel_opened(&new).expect("opened");
        bench.footage.reel_streams(&rows(1, &[(1, 0, 59)])).expect("entered");
        bench.footage.reel_recovered(new.reel, &ended([0; 32], 5, at(60))).expect("recovered");
    }
    let row = bench.footage.reel(new.reel).expect("read").expect("known");
    assert_eq!((row.state, row.root, row.bytes), (ReelState::Recovered, Some([0; 32]), 5));
    assert_eq!(row.location, [9, 9], "the end of a reel says where all of it lies");
    let open = new_reel(2, hour_at(0));
    bench.footage.reel_opened(&open).expect("opened");
    for other in [NewReel { deadline: at(1), ..new }, NewReel { location: vec![3], ..open }] {
        assert!(matches!(bench.footage.reel_opened(&other), Err(CatalogError::Contradiction { .. })));
    }
}

#[test]
fn what_is_dead_or_unknown_takes_no_streams_and_does_not_close() {
    let bench = Bench::new();
    let dead = bench.reel(1, &[(1, 0, 59)]);
    bench.footage.reels_dead(hour_at(0), None).expect("dead");
    for (number, reel) in [(1, dead), (2, ReelId([2; 16]))] {
        let streams = bench.footage.reel_streams(&rows(number, &[(1, 0, 59)]));
        assert!(matches!(streams, Err(CatalogError::NotLive { .. })));
        assert!(matches!(
            bench.footage.reel_closed(reel, &ended([0; 32], 1, at(61))),
            Err(CatalogError::NotLive { .. })
        ));
        assert!(matches!(
            bench.footage.reel_recovered(reel, &ended([0; 32], 1, at(61))),
            Err(CatalogError::NotLive { .. })
        ));
    }
    assert!(bench.footage.locate(main_of(1), span(0, 100)).expect("read").is_empty());
}

#[test]
fn a_batch_of_streams_is_entered_whole_or_not_at_all() {
    let bench = Bench::new();
    bench.footage.reel_opened(&new_reel(1, hour_at(0))).expect("opened");
    let mut batch = rows(1, &[(1, 0, 59)]);
    batch.extend(rows(2, &[(1, 60, 119)])); // reel 2 is unknown
    assert!(bench.footage.reel_streams(&batch).is_err());
    assert!(bench.footage.streams_of(ReelId([1; 16])).expect("read").is_empty());
}

#[test]
fn the_newest_facts_of_a_stream_replace_the_older() {
    let bench = Bench::new();
    bench.footage.reel_opened(&new_reel(1, hour_at(0))).expect("opened");
    for last in [10, 20] {
        bench.footage.reel_streams(&rows(1, &[(1, 0, last)])).expect("entered");
    }
    let streams = bench.footage.streams_of(ReelId([1; 16])).expect("read");
    assert_eq!(streams.len(), 1);
    assert_eq!(streams[0].last_utc, at(20));
}

#[test]
fn destroying_one_camera_leaves_the_others_and_kills_emptied_reels_only() {
    let bench = Bench::new();
    bench.reel(1, &[(1, 0, 59), (2, 0, 59)]);
    bench.reel(2, &[(1, 60, 119)]);
    bench.reel(3, &[(1, 3_600, 3_659)]); // the next hour
    bench.footage.reel_opened(&new_reel(4, hour_at(0))).expect("opened"); // open, without streams yet
    let dead = bench.footage.reels_dead(hour_at(0), Some(&[CameraId([1; 16])])).expect("dead");
    assert_eq!(ids(&dead), [2]);
    let cameras = |camera| bench.footage.locate(main_of(camera), span(0, 7_200)).expect("read").len();
    assert_eq!((cameras(1), cameras(2)), (1, 1), "camera 1 lives on in the next hour, camera 2 in reel 1");
    assert_eq!(ids(&bench.footage.live_reels().expect("read")), [1, 4, 3], "oldest first");
}

#[test]
fn footage_is_located_at_every_edge_of_a_span() {
    let bench = Bench::new();
    bench.reel(2, &[(1, 60, 119), (2, 60, 119)]);
    bench.reel(1, &[(1, 0, 59)]);
    bench.reel(3, &[(1, 120, 179)]);
    for (from, to, reels) in [
        (0, 180, vec![1, 2, 3]),
        (10, 20, vec![1]),
        (59, 60, vec![1]), // a span holds its start: the last frame counts
        (59, 61, vec![1, 2]),
        (60, 120, vec![2]), // and not its end: the first frame at 120 s does not
        (119, 121, vec![2, 3]),
        (179, 500, vec![3]),
        (180, 500, vec![]),
        (-500, 0, vec![]),
        (-500, 1, vec![1]),
        (60, 60, vec![]), // an empty span holds nothing that begins at its instant
    ] {
        let located = bench.footage.locate(main_of(1), span(from, to)).expect("read");
        let found: Vec<u8> = located.iter().map(|located| located.reel.reel.0[0]).collect();
        assert_eq!(found, reels, "{from} to {to}");
        assert!(located.iter().all(|one| one.stream.reel == one.reel.reel && one.stream.stream == main_of(1)));
    }
    assert!(bench.footage.locate(main_of(3), span(0, 180)).expect("read").is_empty());
    let sub = StreamId { camera: CameraId([1; 16]), kind: StreamKind::Sub };
    assert!(bench.footage.locate(sub, span(0, 180)).expect("read").is_empty());
}

#[test]
fn a_reel_as_long_as_its_hour_is_located_from_the_end_of_it() {
    let bench = Bench::new();
    bench.reel(1, &[(1, 0, 3_609)]);
    assert_eq!(bench.footage.locate(main_of(1), span(3_605, 3_606)).expect("read").len(), 1);
}

#[test]
fn the_index_finds_the_span_without_reading_the_month() {
    // The plan is SQLite's, read from a second connection: the index must be used with both bounds of first_utc.
    let bench = Bench::new();
    let url = format!("sqlite://{}?mode=ro", bench.path().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let plan: Vec<String> = runtime.block_on(async {
        use sqlx::{Connection, Row};
        let mut db = sqlx::SqliteConnection::connect(&url).await.expect("connected");
        let query = "explain query plan select s.* from reel_stream s where s.site = x'00' and s.camera = x'00'
                     and s.kind = 0 and s.first_utc < 5 and s.last_utc >= 4 and s.first_utc >= 1 order by s.first_utc";
        let rows = sqlx::query(query).fetch_all(&mut db).await.expect("planned");
        rows.iter().map(|row| row.get::<String, _>("detail")).collect()
    });
    let plan = plan.join("\n");
    assert!(plan.contains("reel_stream_when") && plan.contains("first_utc>? AND first_utc<?"), "{plan}");
}

#[test]
fn a_day_shows_footage_merged_over_pauses_shorter_than_two_seconds() {
    let bench = Bench::new();
    bench.reel(1, &[(1, 0, 59)]);
    bench.reel(2, &[(1, 60, 119)]); // 1 s after
    bench.reel(3, &[(1, 122, 150)]); // 3 s after
    bench.reel(4, &[(1, 140, 145)]); // inside the one before
    bench.reel(5, &[(1, 151, 200)]);
    let day = |from, to| bench.footage.day(main_of(1), span(from, to)).expect("read");
    let piece = |from, last: i64| Span::new(at(from), at(last).plus_micros(1)).expect("forwards");
    assert_eq!(day(-10, 300), [piece(0, 119), piece(122, 200)]);
    assert_eq!(day(100, 130), [piece(100, 119), span(122, 130)], "clipped to what was asked for");
    assert!(day(300, 400).is_empty());
}

#[test]
fn a_gap_is_shown_from_its_start_until_it_ends() {
    let bench = Bench::new();
    let gap = |from, to: Option<i64>| Gap {
        stream: main_of(1),
        from: at(from),
        to: to.map(at),
        cause: "connexion refusée".to_owned(),
    };
    bench.footage.gap(&gap(10, Some(20))).expect("entered");
    bench.footage.gap(&gap(50, None)).expect("entered");
    let gaps = |from, to| bench.footage.gaps(main_of(1), span(from, to)).expect("read");
    assert_eq!(gaps(0, 100), [gap(10, Some(20)), gap(50, None)]);
    assert_eq!(gaps(20, 50), [], "a gap holds its start, not its end");
    assert_eq!(gaps(19, 20), [gap(10, Some(20))]);
    assert_eq!(gaps(9_000, 9_001), [gap(50, None)], "one that lasts reaches into every later span");
    bench.footage.gap(&gap(50, Some(70))).expect("ended");
    assert_eq!(gaps(60, 9_001), [gap(50, Some(70))]);
    assert!(gaps(70, 9_001).is_empty());
    assert!(bench.footage.gaps(main_of(2), span(0, 100)).expect("read").is_empty());
    assert_eq!(bench.footage.gaps_forget(at(30)).expect("deleted"), 1);
    assert_eq!(gaps(0, 100), [gap(50, Some(70))]);
}

#[test]
fn a_reader_sees_what_the_writer_committed_and_cannot_write() {
    let bench = Bench::new();
    let reader = Footage::open_for_reading(&bench.path(), SITE).expect("opened beside the writer");
    assert!(reader.live_reels().expect("read").is_empty());
    bench.reel(1, &[(1, 0, 59)]);
    assert_eq!(ids(&reader.live_reels().expect("read")), [1]);
    assert!(reader.reel_opened(&new_reel(2, hour_at(0))).is_err());
    assert!(reader.clear().is_err());
    assert_eq!(ids(&bench.footage.live_reels().expect("read")), [1]);
}

#[test]
fn a_reader_before_the_recorder_says_so() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = Footage::open_for_reading(&folder.path().join("footage.db"), SITE).err().expect("nothing there");
    assert!(error.to_string().contains("start the recorder"), "{error}");
}

#[test]
fn threads_of_one_process_share_one_catalog() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for number in 1..=8u8 {
            let bench = &bench;
            scope.spawn(move || bench.reel(number, &[(number, 0, 59)]));
        }
    });
    assert_eq!(bench.footage.live_reels().expect("read").len(), 8);
}

#[test]
fn a_cleared_catalog_is_rebuilt_with_the_same_answers() {
    let bench = Bench::new();
    let fill = || {
        bench.reel(1, &[(1, 0, 59)]);
        bench.reel(2, &[(1, 60, 119)]);
        let gap = Gap { stream: main_of(1), from: at(200), to: None, cause: "keeper away".to_owned() };
        bench.footage.gap(&gap).expect("entered");
        let located = bench.footage.locate(main_of(1), span(0, 500)).expect("read");
        (located, bench.footage.gaps(main_of(1), span(0, 500)).expect("read"))
    };
    let before = fill();
    assert_eq!(bench.footage.clear().expect("cleared"), 2);
    assert!(bench.footage.locate(main_of(1), span(0, 500)).expect("read").is_empty());
    assert!(bench.footage.gaps(main_of(1), span(0, 500)).expect("read").is_empty());
    assert_eq!(fill(), before);
}

#[test]
fn what_was_deleted_is_not_left_in_the_file() {
    let bench = Bench::new();
    let secret_camera = 0xd7;
    bench.reel(1, &[(secret_camera, 0, 59)]);
    bench.footage.reels_dead(hour_at(0), None).expect("dead");
    bench.footage.forget(&[ReelId([1; 16])]).expect("forgotten");
    // since when a stream has no picture is no more than its gap says, and goes with the gaps of that time
    bench.footage.gaps_forget(at(60)).expect("forgotten");
    let path = bench.path();
    let Bench { folder: _folder, footage } = bench;
    drop(footage);
    let bytes = std::fs::read(&path).expect("read");
    assert!(!bytes.windows(16).any(|window| window == [secret_camera; 16]));
}

#[test]
fn a_damaged_footage_catalog_says_rebuild_and_can_be_discarded() {
    let bench = Bench::new();
    for number in 1..=250 {
        bench.reel(number, &[(1, i64::from(number) * 60, i64::from(number) * 60 + 59)]);
    }
    let path = bench.path();
    let Bench { folder: _folder, footage } = bench;
    drop(footage);
    let whole = std::fs::read(&path).expect("read");
    for damage in [0..100, 4_096..whole.len()] {
        let mut bytes = whole.clone();
        bytes[damage].fill(0xa5);
        std::fs::write(&path, &bytes).expect("written");
        let error = Footage::open(&path, SITE).and_then(|footage| footage.live_reels()).expect_err("damaged");
        assert!(matches!(error, CatalogError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains("rebuilt"), "{error}");
    }
    assert!(Footage::discard(&path).expect("deleted").contains(&path));
    let footage = Footage::open(&path, SITE).expect("a new one");
    assert!(footage.live_reels().expect("read").is_empty());
}

#[test]
fn another_sites_catalog_a_registry_and_a_newer_file_are_refused() {
    let bench = Bench::new();
    let other = Footage::open(&bench.path(), SiteId([8; 16])).err().expect("another site's");
    assert!(matches!(other, CatalogError::OtherSite { .. }), "{other}");

    let registry = bench.folder.path().join("registry.db");
    let site = Site { id: SITE, name: "Ville de démonstration".to_owned(), created: at(0) };
    drop(Registry::create(&registry, &site).expect("created"));
    let swapped = Footage::open(&registry, SITE).err().expect("a registry");
    assert!(matches!(swapped, CatalogError::Foreign { .. }), "{swapped}");
    assert!(matches!(Registry::open(&bench.path()), Err(CatalogError::Foreign { .. })));

    let path = bench.path();
    let Bench { folder: _folder, footage } = bench;
    drop(footage);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    runtime.block_on(async {
        use sqlx::Connection;
        let url = format!("sqlite://{}", path.display());
        let mut db = sqlx::SqliteConnection::connect(&url).await.expect("connected");
        let insert = "insert into upgrade (kind, version) values ('footage', 99)";
        sqlx::query(insert).execute(&mut db).await.expect("entered");
        // as a program does whose catalog this one cannot go on with
        sqlx::query("update compatible set oldest = 99").execute(&mut db).await.expect("said");
        db.close().await.expect("closed");
    });
    let newer = Footage::open(&path, SITE).err().expect("newer");
    assert!(matches!(newer, CatalogError::Newer { found: 99, .. }), "{newer}");
}

/// A reel's end; its location is what the vault says then.
fn ended(root: [u8; 32], bytes: u64, closed_at: UtcMicros) -> ReelEnd {
    ReelEnd { location: vec![9, 9], root, bytes, closed_at }
}
