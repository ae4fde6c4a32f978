//! A paper's JSON as values of Typst. Texts stay texts: nothing here, and nothing in a template, makes source of them.

use crate::{instants, text};
use documents::Language;
use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use typst::foundations::{Array, Dict, IntoValue, Str, Value, dict};

/// `{"utc": …}` becomes the forms of an instant, `{"sha256": …}` a digest in one piece; an object with `from` and `to` gets its
/// span in one line and how long it lasts.
pub fn value(json: &Json, language: Language) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(given) => Value::Bool(*given),
        Json::Number(number) => number.as_i64().map_or_else(|| number.to_string().into_value(), Value::Int),
        Json::String(text) => text::value(text),
        Json::Array(items) => items.iter().map(|item| value(item, language)).collect::<Array>().into_value(),
        Json::Object(fields) => object(fields, language).into_value(),
    }
}

fn object(fields: &Map<String, Json>, language: Language) -> Dict {
    if let Some(at) = instant(fields) {
        return instants::forms(at, language);
    }
    if let (1, Some(Json::String(digits))) = (fields.len(), fields.get("sha256")) {
        return dict! { "hex" => digits.as_str() };
    }
    let mut made: Dict = fields.iter().map(|(name, json)| (Str::from(name.as_str()), value(json, language))).collect();
    let bound = |name| fields.get(name).and_then(Json::as_object).and_then(instant);
    if let (Some(from), Some(to)) = (bound("from"), bound("to")) {
        made += instants::span(from, to, language);
    }
    made
}

fn instant(fields: &Map<String, Json>) -> Option<Timestamp> {
    match fields.get("utc") {
        Some(Json::String(text)) if fields.len() == 1 => text.parse().ok(),
        _ => None,
    }
}
