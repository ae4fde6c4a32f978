//! One camera's day: what exists, what is missing and why, what was or will be destroyed and when.

use crate::{
    extract::{Asked, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
    stream::{Wanted, must_be_there},
};
use axum::{Json, extract::State};
use domain::{CameraId, Span, UtcMicros};
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use keeper::wire::{FateState, HourFate};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use vault::service::{RecorderAnswer, RecorderAsk, Timeline};

/// Days begin at midnight there: the town's people speak of them so.
const ZONE: &str = "Europe/Paris";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DayQuery {
    /// `YYYY-MM-DD`, a day of Europe/Paris: 23 to 25 hours.
    date: String,
    /// Whose footage and gaps: `main` where nothing is said. The hours are the same: one key dies for both.
    #[serde(default)]
    #[param(inline, required = false)]
    stream: Wanted,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Day {
    camera: String,
    /// `YYYY-MM-DD`.
    date: String,
    /// ISO 8601, as all times here.
    from: String,
    to: String,
    now: String,
    footage: Vec<DaySpan>,
    gaps: Vec<DayGap>,
    hours: Vec<DayHour>,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DaySpan {
    from: String,
    to: String,
}

/// A time without footage.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct DayGap {
    from: String,
    /// Null while it lasts.
    to: Option<String>,
    cause_fr: String,
    cause_en: String,
}

/// One hour of keys.
#[derive(Debug, Serialize, ToSchema)]
pub struct DayHour {
    from: String,
    to: String,
    /// After it the key of the hour no longer exists.
    deadline: Option<String>,
    /// `live`, `closed` (within ten minutes of its deadline), `destroyed`, or `empty`.
    state: &'static str,
    destroyed_at: Option<String>,
}

/// One camera's day
#[utoipa::path(get, path = "/api/cameras/{id}/day", tag = "cameras", security(("session" = [])), params(("id" = String, Path), DayQuery),
    responses(
        (status = 200, body = Day), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)
    ))]
pub async fn get_day(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<DayQuery>, Problem>,
) -> Result<Json<Day>, Problem> {
    let camera: CameraId = id.parse().map_err(|_| Problem::from(&problem::NOT_FOUND))?;
    let DayQuery { date, stream } = query?.0;
    let stream = stream.of(camera);
    let span = day_span(&date).ok_or(&problem::MALFORMED)?;
    // the keeper first: it knows whether this session may see anything
    let asked = session.clone();
    let hours = web.ask_keeper(move |keeper| keeper.see_hours(&asked, camera, span)).await?;
    let ask = RecorderAsk::Timeline { stream, span };
    let RecorderAnswer::Timeline(timeline) = web.recorder.ask(&ask).await? else {
        return Err((&problem::RECORDER_AWAY).into());
    };
    let (footage, gaps) = within(timeline, span);
    if footage.is_empty() && gaps.is_empty() {
        must_be_there(&web, &session, stream).await?;
    }
    Ok(Json(Day {
        camera: camera.to_string(),
        date,
        from: span.from().to_string(),
        to: span.to().to_string(),
        now: web.clock.utc().to_string(),
        footage,
        gaps,
        hours: hours.iter().map(DayHour::from).collect(),
    }))
}

/// Midnight to midnight in Paris.
fn day_span(date: &str) -> Option<Span> {
    let date: Date = date.parse().ok()?;
    let zone = TimeZone::get(ZONE).ok()?;
    let midnight = |date: Date| {
        let start = date.to_zoned(zone.clone()).ok()?.start_of_day().ok()?;
        Some(UtcMicros(start.timestamp().as_microsecond()))
    };
    Span::new(midnight(date)?, midnight(date.checked_add(1.day()).ok()?)?).ok()
}

/// What of a timeline lies in the span, cut to it.
fn within(timeline: Timeline, span: Span) -> (Vec<DaySpan>, Vec<DayGap>) {
    let cut = |from: UtcMicros, to: UtcMicros| (from.max(span.from()), to.min(span.to()));
    let footage = timeline.footage.into_iter().map(|(from, to)| cut(from, to)).filter(|(from, to)| from < to);
    let gaps = timeline.gaps.into_iter().filter(|gap| gap.from < span.to() && gap.to.is_none_or(|to| span.from() < to));
    let gaps = gaps.map(|gap| DayGap {
        from: gap.from.max(span.from()).to_string(),
        to: gap.to.map(|to| to.min(span.to()).to_string()),
        cause_fr: gap.cause_fr,
        cause_en: gap.cause_en,
    });
    (footage.map(|(from, to)| DaySpan { from: from.to_string(), to: to.to_string() }).collect(), gaps.collect())
}

impl From<&HourFate> for DayHour {
    fn from(fate: &HourFate) -> DayHour {
        DayHour {
            from: fate.hour.start().to_string(),
            to: fate.hour.end().to_string(),
            deadline: fate.deadline.map(|deadline| deadline.to_string()),
            state: match fate.state {
                FateState::Live => "live",
                FateState::Closed => "closed",
                FateState::Destroyed => "destroyed",
                FateState::Empty => "empty",
            },
            destroyed_at: fate.destroyed_at.map(|at| at.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vault::service::TimelineGap;

    fn check(date: &str, expected: Option<(&str, &str)>) {
        let found = day_span(date).map(|span| (span.from().to_string(), span.to().to_string()));
        let expected = expected.map(|(from, to)| (from.to_owned(), to.to_owned()));
        assert_eq!(found, expected, "{date}");
    }

    #[test]
    fn a_day_is_midnight_to_midnight_in_paris_also_when_the_clocks_change() {
        check("2026-07-14", Some(("2026-07-13T22:00:00.000Z", "2026-07-14T22:00:00.000Z")));
        check("2026-03-29", Some(("2026-03-28T23:00:00.000Z", "2026-03-29T22:00:00.000Z")));
        check("2026-10-25", Some(("2026-10-24T22:00:00.000Z", "2026-10-25T23:00:00.000Z")));
        check("2026-02-30", None);
        check("", None);
    }

    #[test]
    fn a_timeline_is_cut_to_the_day() {
        let span = Span::new(UtcMicros::from_seconds(100), UtcMicros::from_seconds(200)).unwrap();
        let at = UtcMicros::from_seconds;
        let gap = |from, to: Option<i64>| TimelineGap {
            from: at(from),
            to: to.map(at),
            cause: "away".into(),
            cause_fr: "absente".into(),
            cause_en: "away".into(),
        };
        let footage = vec![(at(0), at(50)), (at(90), at(150)), (at(180), at(250))];
        let timeline = Timeline { footage, gaps: vec![gap(0, Some(100)), gap(150, Some(180)), gap(190, None)] };
        let (footage, gaps) = within(timeline, span);
        let ends: Vec<(String, String)> = footage.into_iter().map(|span| (span.from, span.to)).collect();
        assert_eq!(ends, [(at(100).to_string(), at(150).to_string()), (at(180).to_string(), at(200).to_string())]);
        let gaps: Vec<(String, Option<String>)> = gaps.into_iter().map(|gap| (gap.from, gap.to)).collect();
        assert_eq!(gaps, [(at(150).to_string(), Some(at(180).to_string())), (at(190).to_string(), None)]);
    }
}
