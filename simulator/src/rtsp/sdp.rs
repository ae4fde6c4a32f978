//! What a camera offers (SDP, RFC 8866): its video, a codec that nobody here takes, or nonsense; and sound, which nobody may take.

use super::auth::base64;
use super::camera::Faults;
use super::fault::Fault;
use crate::{
    coding::Codec,
    packetise::{CodedClip, VIDEO_PAYLOAD_TYPE},
    scene::FRAMES_PER_SECOND,
};

/// The names of the tracks in the URLs of SETUP.
pub const VIDEO: &str = "video";
pub const AUDIO: &str = "audio";

/// A description with the clip's video (RFC 6184, 8.1; RFC 7798, 7.1) and an audio track.
pub fn coded(clip: &CodedClip) -> String {
    let (name, format) = match clip.codec {
        Codec::H264 => {
            let profile: String = clip.sps.iter().skip(1).take(3).map(|byte| format!("{byte:02X}")).collect();
            let (sps, pps) = (base64(&clip.sps), base64(&clip.pps));
            ("H264", format!("packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sps},{pps}"))
        }
        Codec::H265 => {
            let (vps, sps, pps) = (base64(&clip.vps), base64(&clip.sps), base64(&clip.pps));
            ("H265", format!("sprop-vps={vps};sprop-sps={sps};sprop-pps={pps}"))
        }
    };
    with_audio(&format!(
        "m=video 0 RTP/AVP {VIDEO_PAYLOAD_TYPE}\r\na=rtpmap:{VIDEO_PAYLOAD_TYPE} {name}/90000\r\n\
         a=fmtp:{VIDEO_PAYLOAD_TYPE} {format}\r\na=framerate:{FRAMES_PER_SECOND}\r\n"
    ))
}

/// A description whose only video is Motion JPEG (RFC 2435), which the recorder does not support.
pub fn jpeg() -> String {
    with_audio("m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n")
}

/// What a camera with faults says instead of `right`, its description under the URL `base`.
pub fn faulty(right: String, faults: Faults, base: &str) -> String {
    let mut text = right;
    if faults.has(Fault::SoundOnly) {
        text = with_audio("").replace(&format!("a=control:{VIDEO}\r\n"), "");
    }
    let lines: Vec<&str> = text.split_inclusive("\r\n").collect();
    let parameters = |line: &&str| line.starts_with("a=fmtp:");
    let mut text: String = match () {
        () if faults.has(Fault::SdpNoParameters) => lines.iter().filter(|line| !parameters(line)).copied().collect(),
        () if faults.has(Fault::SdpTwiceParameters) => {
            lines.iter().flat_map(|line| std::iter::repeat_n(*line, 1 + usize::from(parameters(line)))).collect()
        }
        () => lines.concat(),
    };
    if faults.has(Fault::SdpStrangeMedium) {
        let strange = "m=application 0 RTP/AVP 107\r\na=rtpmap:107 x-unheard-of/90000\r\na=fmtp:107 what;=;ever\r\n\
                       a=control:strange\r\nm=video";
        text = text.replacen("m=video", strange, 1);
    }
    if faults.has(Fault::SdpAbsoluteUrls) {
        for track in [VIDEO, AUDIO] {
            text = text.replace(&format!("a=control:{track}"), &format!("a=control:{base}{track}"));
        }
    }
    if faults.has(Fault::SdpTrailingBlanks) {
        text = text.replace("/90000\r\n", "/90000 \r\n").replace(";packetization", "; packetization");
        text = text.replace("a=control:*\r\n", "a=control:* \r\n");
    }
    text
}

/// No description at all, though it says to be one.
pub fn garbage() -> String {
    "v=zéro\r\nm=video\r\n\u{0}\u{7f}a=rtpmap:96\r\nm=\r\n=\r\n".into()
}

fn with_audio(video: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=vigie-simulator\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\n\
         {video}a=control:{VIDEO}\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:{AUDIO}\r\n"
    )
}
