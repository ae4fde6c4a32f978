//! Reading what a device answers, by the names of its elements; whatever prefixes it uses. Never panics, whatever the bytes.

use crate::{ANSWER_BYTES_MAX, Reply, Stream, Trouble, device::Device};
use jiff::{civil::DateTime, tz::TimeZone};
use roxmltree::{Document, Node, ParsingOptions};
use url::Url;

/// Elements and texts of one answer: a panoramic camera's profiles have some two thousand.
const NODES_MAX: u32 = 50_000;
/// Of each text that a device says of itself.
const TEXT_CHARS_MAX: usize = 64;

/// The services of a device that count here.
pub(crate) struct Services {
    pub media1: Option<Url>,
    pub media2: Option<Url>,
    pub analysis: bool,
}

/// A profile, whose stream has no address yet.
pub(crate) struct Profile {
    pub token: String,
    pub stream: Stream,
}

/// The text of an answer that is none of a refusal, an error, or something else than SOAP.
pub(crate) fn read(reply: &Reply) -> Result<String, Trouble> {
    if matches!(reply.status, 401 | 403) {
        return Err(Trouble::Refused);
    }
    if reply.body.len() > ANSWER_BYTES_MAX {
        return Err(Trouble::NotOnvif);
    }
    let text = String::from_utf8_lossy(&reply.body).trim_start_matches('\u{feff}').trim_start().to_owned();
    match fault(&body(&parse(&text)?)?) {
        Some(code) if code.contains("NotAuthorized") || code.contains("FailedAuthentication") => Err(Trouble::Refused),
        Some(code) => Err(Trouble::Fault { code }),
        None => Ok(text),
    }
}

/// Unix seconds of GetSystemDateAndTime (ONVIF Core, 8.3.5); `None` if the device does not say.
pub(crate) fn time(text: &str) -> Result<Option<i64>, Trouble> {
    let document = parse(text)?;
    let Some(told) = descendant(&body(&document)?, "SystemDateAndTime") else { return Ok(None) };
    if let Some(utc) = child(&told, "UTCDateTime").and_then(|node| date_time(&node)) {
        return Ok(TimeZone::UTC.to_timestamp(utc).ok().map(|time| time.as_second()));
    }
    let local = child(&told, "LocalDateTime").and_then(|node| date_time(&node));
    let zone = at(&told, &["TimeZone", "TZ"]).and_then(|tz| TimeZone::posix(tz).ok());
    let (Some(local), Some(zone)) = (local, zone) else { return Ok(None) };
    Ok(zone.to_timestamp(local).ok().map(|time| time.as_second()))
}

fn date_time(node: &Node<'_, '_>) -> Option<DateTime> {
    let number = |path: [&str; 2]| at(node, &path)?.parse::<i16>().ok();
    let small = |path: [&str; 2]| i8::try_from(number(path)?).ok();
    DateTime::new(
        number(["Date", "Year"])?,
        small(["Date", "Month"])?,
        small(["Date", "Day"])?,
        small(["Time", "Hour"])?,
        small(["Time", "Minute"])?,
        small(["Time", "Second"])?.min(59),
        0,
    )
    .ok()
}

/// Of GetServices (ONVIF Core, 8.1.2).
pub(crate) fn services(text: &str, device: &Device) -> Result<Services, Trouble> {
    let document = parse(text)?;
    let mut found = Services { media1: None, media2: None, analysis: false };
    for service in descendants(&body(&document)?, "Service") {
        let url = || at(&service, &["XAddr"]).and_then(|told| device.service(told));
        match at(&service, &["Namespace"]).unwrap_or_default().trim_end_matches('/') {
            "http://www.onvif.org/ver10/media/wsdl" => found.media1 = url(),
            "http://www.onvif.org/ver20/media/wsdl" => found.media2 = url(),
            "http://www.onvif.org/ver20/analytics/wsdl" => found.analysis = true,
            _ => {}
        }
    }
    Ok(found)
}

/// Of GetCapabilities, the older question (ONVIF Core, 8.1.4).
pub(crate) fn capabilities(text: &str, device: &Device) -> Result<Services, Trouble> {
    let document = parse(text)?;
    let told = descendant(&body(&document)?, "Capabilities").ok_or(Trouble::NotOnvif)?;
    let media1 = at(&told, &["Media", "XAddr"]).and_then(|url| device.service(url));
    Ok(Services { media1, media2: None, analysis: child(&told, "Analytics").is_some() })
}

/// Maker, model, firmware (ONVIF Core, 8.3.1).
pub(crate) fn about(text: &str) -> Result<[String; 3], Trouble> {
    let document = parse(text)?;
    let told = descendant(&body(&document)?, "GetDeviceInformationResponse").ok_or(Trouble::NotOnvif)?;
    Ok(["Manufacturer", "Model", "FirmwareVersion"].map(|name| clean(at(&told, &[name]).unwrap_or_default())))
}

/// The profiles that have a video encoder, of Media 1 (5.2) or Media 2 (5.1).
pub(crate) fn profiles(text: &str) -> Result<Vec<Profile>, Trouble> {
    let document = parse(text)?;
    Ok(descendants(&body(&document)?, "Profiles").filter_map(|node| profile(&node)).collect())
}

fn profile(node: &Node<'_, '_>) -> Option<Profile> {
    let parts = child(node, "Configurations").unwrap_or(*node);
    let either = |names: [&str; 2]| names.iter().find_map(|name| child(&parts, name));
    let encoder = either(["VideoEncoder", "VideoEncoderConfiguration"])?;
    let source = either(["VideoSource", "VideoSourceConfiguration"]);
    let number = |path: &[&str]| at(&encoder, path).and_then(|text| text.parse().ok());
    let stream = Stream {
        name: clean(at(node, &["Name"]).unwrap_or_default()),
        source: source.and_then(|node| at(&node, &["SourceToken"]).map(clean)).unwrap_or_default(),
        encoding: clean(at(&encoder, &["Encoding"])?),
        width: number(&["Resolution", "Width"]).unwrap_or_default(),
        height: number(&["Resolution", "Height"]).unwrap_or_default(),
        rate: at(&encoder, &["RateControl", "FrameRateLimit"])
            .and_then(|text| text.parse().ok())
            .filter(|rate: &f32| rate.is_finite() && *rate > 0.0),
        url: String::new(),
    };
    Some(Profile { token: node.attribute("token")?.to_owned(), stream })
}

/// Of GetStreamUri: inside MediaUri in Media 1, at the top in Media 2.
pub(crate) fn stream_uri(text: &str) -> Result<Option<String>, Trouble> {
    let document = parse(text)?;
    Ok(descendant(&body(&document)?, "Uri").and_then(|node| node.text()).map(|uri| uri.trim().to_owned()))
}

fn parse(text: &str) -> Result<Document<'_>, Trouble> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: NODES_MAX, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).map_err(|_| Trouble::NotOnvif)
}

fn body<'a, 'i>(document: &'a Document<'i>) -> Result<Node<'a, 'i>, Trouble> {
    let root = document.root_element();
    if root.tag_name().name() != "Envelope" {
        return Err(Trouble::NotOnvif);
    }
    child(&root, "Body").ok_or(Trouble::NotOnvif)
}

/// The innermost code of a fault (SOAP 1.2 part 1, 5.4), or of one of SOAP 1.1.
fn fault(body: &Node<'_, '_>) -> Option<String> {
    let fault = child(body, "Fault")?;
    let codes = fault.descendants().filter(|node| matches!(node.tag_name().name(), "Value" | "faultcode"));
    let code = codes.filter_map(|node| node.text()).next_back().unwrap_or("Fault");
    Some(clean(code.trim().rsplit(':').next().unwrap_or_default()))
}

fn child<'a, 'i>(node: &Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

fn descendants<'a, 'i: 'a>(
    node: &Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    node.descendants().filter(move |node| node.is_element() && node.tag_name().name() == name)
}

fn descendant<'a, 'i: 'a>(node: &Node<'a, 'i>, name: &'static str) -> Option<Node<'a, 'i>> {
    descendants(node, name).next()
}

fn at<'a>(node: &Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    let end = path.iter().try_fold(*node, |node, name| child(&node, name))?;
    end.text().map(str::trim)
}

/// A device's own words without control characters, bounded.
fn clean(text: &str) -> String {
    text.trim().chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect()
}
