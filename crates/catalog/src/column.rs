//! Columns to the words of the trade and back; a value that cannot be one means a damaged file.

use domain::{CameraClass, Hour, HourLength, Purpose, StreamId, StreamKind, UtcMicros};
use sqlx::{Row, sqlite::SqliteRow};

type Read<T> = Result<T, sqlx::Error>;

pub(crate) fn micros(row: &SqliteRow, name: &str) -> Read<UtcMicros> {
    Ok(UtcMicros(row.try_get(name)?))
}

pub(crate) fn micros_or_none(row: &SqliteRow, name: &str) -> Read<Option<UtcMicros>> {
    Ok(row.try_get::<Option<i64>, _>(name)?.map(UtcMicros))
}

/// Sixteen or thirty-two bytes.
pub(crate) fn array<const N: usize>(row: &SqliteRow, name: &str) -> Read<[u8; N]> {
    let bytes: Vec<u8> = row.try_get(name)?;
    bytes.try_into().map_err(|bytes: Vec<u8>| wrong(name, format!("{N} bytes expected, {} found", bytes.len())))
}

pub(crate) fn array_or_none<const N: usize>(row: &SqliteRow, name: &str) -> Read<Option<[u8; N]>> {
    match row.try_get::<Option<Vec<u8>>, _>(name)? {
        None => Ok(None),
        Some(_) => array(row, name).map(Some),
    }
}

/// A count, which is never negative.
pub(crate) fn count<T: TryFrom<i64>>(row: &SqliteRow, name: &str) -> Read<T> {
    let number: i64 = row.try_get(name)?;
    T::try_from(number).map_err(|_| wrong(name, format!("{number} is out of range")))
}

pub(crate) fn hour(row: &SqliteRow) -> Read<Hour> {
    let length = HourLength::from_seconds(count(row, "hour_length_s")?);
    let start_s: i64 = row.try_get("hour_start_s")?;
    length
        .and_then(|length| Hour::starting(start_s, length))
        .ok_or_else(|| wrong("hour_start_s", "no such hour".into()))
}

pub(crate) fn stream(row: &SqliteRow) -> Read<StreamId> {
    let code: u8 = count(row, "kind")?;
    let kind = StreamKind::from_code(code).ok_or_else(|| wrong("kind", format!("{code} names no kind of stream")))?;
    Ok(StreamId { camera: domain::CameraId(array(row, "camera")?), kind })
}

/// `1,5,11`, the numbers of CSI L251-2; nothing for no purpose.
pub(crate) fn purposes_text(purposes: &[Purpose]) -> String {
    purposes.iter().map(|purpose| purpose.number().to_string()).collect::<Vec<_>>().join(",")
}

pub(crate) fn purposes(row: &SqliteRow, name: &str) -> Read<Vec<Purpose>> {
    let text: String = row.try_get(name)?;
    let read = |number: &str| number.parse().ok().and_then(Purpose::from_number);
    let all: Option<Vec<Purpose>> = text.split(',').filter(|number| !number.is_empty()).map(read).collect();
    all.ok_or_else(|| wrong(name, format!("`{text}` is no list of purposes")))
}

/// A camera's class by its name.
pub(crate) fn class(row: &SqliteRow, name: &str) -> Read<Option<CameraClass>> {
    let text: Option<String> = row.try_get(name)?;
    let read = |text: String| {
        CameraClass::from_name(&text).ok_or_else(|| wrong(name, format!("`{text}` is no class of cameras")))
    };
    text.map(read).transpose()
}

/// JSON, for facts that no query looks into.
pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, sqlx::Error> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

pub(crate) fn from_json<T: serde::de::DeserializeOwned>(row: &SqliteRow, name: &str) -> Read<T> {
    let text: String = row.try_get(name)?;
    serde_json::from_str(&text).map_err(|error| wrong(name, error.to_string()))
}

/// A count as `bigint`; no store holds 2^63 of anything.
pub(crate) fn bigint(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

pub(crate) fn wrong(name: &str, why: String) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: name.to_owned(), source: why.into() }
}
