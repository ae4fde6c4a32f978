//! What a camera offers (SDP, RFC 8866): its video, a codec that nobody here takes, or nonsense; and sound, which nobody may take.

use super::auth::base64;
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
