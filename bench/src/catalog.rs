//! What the footage catalog costs at the size of a town's month (S13): to open it, to draw a day, to find an instant, to let an
//! hour die; beside a tenth of the month, because none of these may grow with it.

use crate::{
    Outcome,
    processes::cpu_seconds,
    table::{line, quantiles},
};
use catalog::{Footage, ReelRow, ReelState, StreamRow};
use domain::{CameraId, Hour, HourLength, ReelId, RunId, SiteId, Span, StreamId, StreamKind, UtcMicros};
use std::{fs, path::Path, time::Instant};

const SITE: SiteId = SiteId([1; 16]);
/// 2026-03-12T14:00Z.
const START: UtcMicros = UtcMicros(1_773_324_000 * 1_000_000);
const HOURS_A_DAY: u32 = 24;
const REELS_AN_HOUR: u32 = 60;
/// A look at a month may cost this many times one at three days.
const GROWTH_MAX: f64 = 2.0;
/// How often each question is asked.
const QUESTIONS: usize = 100;

/// One catalog and what it answered in, milliseconds.
struct Sized {
    days: u32,
    rows: u64,
    bytes: u64,
    fill_seconds: f64,
    fill_cpu: f64,
    open: Vec<f64>,
    day: Vec<f64>,
    instant: Vec<f64>,
    death: Vec<f64>,
    forecast: Vec<f64>,
}

pub struct Measured {
    cameras: u32,
    few: Sized,
    month: Sized,
}

/// `days` of so many cameras, and a tenth of that.
pub fn measure(folder: &Path, cameras: u32, days: u32) -> Outcome<Measured> {
    let few = Sized::of(&folder.join("few.db"), cameras, (days / 10).max(1))?;
    let month = Sized::of(&folder.join("month.db"), cameras, days)?;
    Ok(Measured { cameras, few, month })
}

impl Sized {
    fn of(path: &Path, cameras: u32, days: u32) -> Outcome<Sized> {
        Footage::discard(path)?;
        fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
        let (began, cpu) = (Instant::now(), cpu_seconds(std::process::id()));
        let footage = Footage::open(path, SITE)?;
        let rows = fill(&footage, cameras, days)?;
        let (fill_seconds, fill_cpu) = (began.elapsed().as_secs_f64(), cpu_seconds(std::process::id()) - cpu);
        drop(footage);
        let mut open = Vec::new();
        for _ in 0..QUESTIONS / 10 {
            let began = Instant::now();
            drop(Footage::open(path, SITE)?);
            open.push(milliseconds(began));
        }
        let footage = Footage::open(path, SITE)?;
        let mut sized = Sized {
            days,
            rows,
            bytes: fs::metadata(path)?.len(),
            fill_seconds,
            fill_cpu,
            open,
            day: Vec::new(),
            instant: Vec::new(),
            death: Vec::new(),
            forecast: Vec::new(),
        };
        sized.ask(&footage, cameras)?;
        drop(footage);
        Footage::discard(path)?;
        Ok(sized)
    }

    fn ask(&mut self, footage: &Footage, cameras: u32) -> Outcome<()> {
        for nth in 0..QUESTIONS as u32 {
            let from = START.plus_seconds(i64::from(nth * 7 % self.days) * 86_400);
            let stream = stream(nth * 13 % cameras);
            let began = Instant::now();
            let day = footage.day(stream, Span::new(from, from.plus_seconds(86_400))?)?;
            self.day.push(milliseconds(began));
            let began = Instant::now();
            let at = from.plus_seconds(i64::from(nth) * 811 % 80_000);
            let found = footage.locate(stream, Span::new(at, at.plus_seconds(4))?)?;
            self.instant.push(milliseconds(began));
            if day.len() != 1 || found.is_empty() {
                return Err(format!("{} spans and {} reels where one day is whole", day.len(), found.len()).into());
            }
        }
        for _ in 0..QUESTIONS / 10 {
            let began = Instant::now();
            footage.held()?;
            self.forecast.push(milliseconds(began));
        }
        for hour in 0..HOURS_A_DAY.min(QUESTIONS as u32 / 10) {
            let began = Instant::now();
            let dead = footage.reels_dead(hour_at(hour), None)?;
            let reels: Vec<ReelId> = dead.iter().map(|row| row.reel).collect();
            if footage.forget(&reels)? != u64::from(REELS_AN_HOUR) {
                return Err("an hour has sixty reels".into());
            }
            self.death.push(milliseconds(began));
        }
        Ok(())
    }
}

fn fill(footage: &Footage, cameras: u32, days: u32) -> Outcome<u64> {
    let streams: Vec<StreamId> = (0..cameras).map(stream).collect();
    let mut rows = 0;
    for number in 0..days * HOURS_A_DAY * REELS_AN_HOUR {
        let hour = hour_at(number / REELS_AN_HOUR);
        let opened_at = START.plus_seconds(i64::from(number) * 60);
        let reel = reel(number);
        let row = ReelRow {
            reel,
            run: RunId([3; 16]),
            hour,
            deadline: hour.end().plus_seconds(30 * 86_400),
            state: ReelState::Closed,
            location: vec![0; 40],
            bytes: 30_000_000 * u64::from(cameras),
            root: Some([number as u8; 32]),
            opened_at,
            closed_at: Some(opened_at.plus_seconds(60)),
        };
        let of = |(handle, stream): (usize, &StreamId)| StreamRow {
            reel,
            handle: handle as u16,
            stream: *stream,
            first_utc: opened_at,
            last_utc: opened_at.plus_micros(59_960_000),
            frames: 1_500,
            chunks: 120,
            bytes: 30_000_000,
        };
        let streams: Vec<StreamRow> = streams.iter().enumerate().map(of).collect();
        footage.reel_rebuilt(&row, &streams, true)?;
        rows += streams.len() as u64;
    }
    Ok(rows)
}

fn stream(camera: u32) -> StreamId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&camera.wrapping_mul(0x9e37_79b9).to_be_bytes());
    StreamId { camera: CameraId(id), kind: StreamKind::Main }
}

/// Scattered, as those drawn at random are.
fn reel(number: u32) -> ReelId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&u64::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    ReelId(id)
}

fn hour_at(number: u32) -> Hour {
    HourLength::PRODUCT.hour_of(START.plus_seconds(i64::from(number) * 3_600))
}

fn milliseconds(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1e3
}

impl Measured {
    pub fn markdown(&self) -> String {
        let (few, month) = (&self.few, &self.month);
        let mut text = format!(
            "The footage catalog of {} cameras: {} days ({} rows of reels' streams, {:.0} MB) beside {} days ({} rows, {:.0} MB).\n\n",
            self.cameras,
            month.days,
            month.rows,
            month.bytes as f64 / 1e6,
            few.days,
            few.rows,
            few.bytes as f64 / 1e6
        );
        line(
            &mut text,
            &format!(
                "A minute of all cameras is entered in {:.1} ms, {:.1} ms of CPU.\n",
                month.fill_seconds * 1e3 / f64::from(month.days * HOURS_A_DAY * REELS_AN_HOUR),
                month.fill_cpu * 1e3 / f64::from(month.days * HOURS_A_DAY * REELS_AN_HOUR)
            ),
        );
        text += "| milliseconds | few days, median | 95 % | all days, median | 95 % | grew |\n| --- | --- | --- | --- | --- | --- |\n";
        let mut grown = 0.0_f64;
        let mut row = |name: &str, few: &[f64], month: &[f64], may_grow: bool| {
            let ((few, few_95), (month, month_95)) = (quantiles(&mut few.to_vec()), quantiles(&mut month.to_vec()));
            let growth = month / few;
            line(&mut text, &format!("| {name} | {few:.2} | {few_95:.2} | {month:.2} | {month_95:.2} | {growth:.1} |"));
            if !may_grow {
                grown = grown.max(growth);
            }
        };
        row("open it", &few.open, &month.open, false);
        row("draw a day of one camera", &few.day, &month.day, false);
        row("find an instant of one camera", &few.instant, &month.instant, false);
        row("an hour dies and is forgotten", &few.death, &month.death, true);
        row("what dies when (health page, each minute)", &few.forecast, &month.forecast, true);
        let verdict = if grown <= GROWTH_MAX { "holds" } else { "DOES NOT HOLD" };
        line(
            &mut text,
            &format!("\nGoal: nothing that people wait for grows: {grown:.1} ≤ {GROWTH_MAX} times: {verdict}."),
        );
        text
    }
}
