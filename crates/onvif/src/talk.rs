//! The questions, in their order.

use crate::{
    Device, Found, Line, STREAMS_MAX, SignIn, Stream, Trouble, Url, World, answers,
    soap::{self, Envelope},
};

/// Asks a device for its streams.
///
/// Its time comes first and without a password: names and passwords go with a time in its own clock, for a device refuses others
/// (ONVIF Core, 5.9.4; OASIS UsernameToken 1.0).
///
/// # Errors
/// [`Trouble`] if nothing answers, what answers speaks no ONVIF, or it refuses.
pub fn find<'a>(
    line: &'a mut dyn Line,
    device: &'a Device,
    sign_in: Option<&'a SignIn>,
    world: World<'a>,
) -> Result<Found, Trouble> {
    let mut talk = Talk { line, device, sign_in, ahead: 0, world };
    let clock_ahead = talk.clock()?;
    talk.ahead = clock_ahead.unwrap_or(0);
    let services = talk.services()?;
    let about = talk.ask(device.url(), Envelope::device("GetDeviceInformation", ""))?;
    let [maker, model, firmware] = answers::about(&about)?;
    let streams = talk.streams(&services)?;
    Ok(Found { maker, model, firmware, clock_ahead, offers_analysis: services.analysis, streams })
}

struct Talk<'a> {
    line: &'a mut dyn Line,
    device: &'a Device,
    sign_in: Option<&'a SignIn>,
    ahead: i64,
    world: World<'a>,
}

impl Talk<'_> {
    /// Seconds that the device is ahead, by its answer or else by the head of it.
    fn clock(&mut self) -> Result<Option<i64>, Trouble> {
        let question = Envelope::device("GetSystemDateAndTime", "").question(None);
        let reply = self.line.post(self.device.url(), &question)?;
        let told = match answers::read(&reply) {
            Ok(text) => answers::time(&text)?,
            // some answer this too only to those they know, against the standard
            Err(Trouble::Refused) => None,
            Err(trouble) => return Err(trouble),
        };
        Ok(told.or(reply.date).map(|time| time - self.world.unix_seconds))
    }

    fn services(&mut self) -> Result<answers::Services, Trouble> {
        let question = Envelope::device("GetServices", "<tds:IncludeCapability>false</tds:IncludeCapability>");
        match self.ask(self.device.url(), question) {
            Ok(text) => answers::services(&text, self.device),
            Err(Trouble::Fault { .. }) => {
                // devices from before ONVIF 2.1
                let question = Envelope::device("GetCapabilities", "<tds:Category>All</tds:Category>");
                let text = self.ask(self.device.url(), question)?;
                answers::capabilities(&text, self.device)
            }
            Err(trouble) => Err(trouble),
        }
    }

    /// By Media 2, which alone knows H.265, where the device has it; by Media 1 otherwise.
    fn streams(&mut self, services: &answers::Services) -> Result<Vec<Stream>, Trouble> {
        let mut trouble = Trouble::NoStream;
        for (media, url) in [(Media::Two, &services.media2), (Media::One, &services.media1)] {
            let Some(url) = url else { continue };
            match self.streams_by(media, url) {
                Ok(streams) if !streams.is_empty() => return Ok(streams),
                Ok(_) => {}
                Err(Trouble::Refused) => return Err(Trouble::Refused),
                Err(other) => trouble = other,
            }
        }
        Err(trouble)
    }

    fn streams_by(&mut self, media: Media, url: &Url) -> Result<Vec<Stream>, Trouble> {
        let text = self.ask(url, media.profiles())?;
        let mut streams = vec![];
        for profile in answers::profiles(&text)?.into_iter().take(STREAMS_MAX) {
            let text = match self.ask(url, media.stream_uri(&profile.token)) {
                Ok(text) => text,
                // a profile without an address, such as one of a metadata stream only
                Err(Trouble::Fault { .. }) => continue,
                Err(trouble) => return Err(trouble),
            };
            if let Some(url) = answers::stream_uri(&text)?.and_then(|uri| self.device.stream(&uri)) {
                streams.push(Stream { url, ..profile.stream });
            }
        }
        Ok(streams)
    }

    fn ask(&mut self, to: &Url, envelope: Envelope) -> Result<String, Trouble> {
        let token = self
            .sign_in
            .map(|sign_in| sign_in.token(self.world.unix_seconds.saturating_add(self.ahead), (self.world.nonce)()));
        let reply = self.line.post(to, &envelope.question(token.as_deref()))?;
        answers::read(&reply)
    }
}

/// ONVIF's two services of media profiles.
#[derive(Clone, Copy)]
enum Media {
    One,
    Two,
}

impl Media {
    fn profiles(self) -> Envelope {
        match self {
            Media::One => Envelope::media1("GetProfiles", ""),
            Media::Two => Envelope::media2("GetProfiles", "<tr2:Type>All</tr2:Type>"),
        }
    }
    fn stream_uri(self, token: &str) -> Envelope {
        let token = soap::escape(token);
        match self {
            Media::One => Envelope::media1(
                "GetStreamUri",
                &format!(
                    "<trt:StreamSetup><tt:Stream>RTP-Unicast</tt:Stream><tt:Transport><tt:Protocol>RTSP</tt:Protocol>\
                     </tt:Transport></trt:StreamSetup><trt:ProfileToken>{token}</trt:ProfileToken>"
                ),
            ),
            Media::Two => Envelope::media2(
                "GetStreamUri",
                &format!("<tr2:Protocol>RTSP</tr2:Protocol><tr2:ProfileToken>{token}</tr2:ProfileToken>"),
            ),
        }
    }
}
