//! What a camera offers (SDP, RFC 8866): H.264, or a codec that nobody here takes; and sound, which nobody may take.

use super::auth::base64;
use crate::{
    packetise::{CodedClip, H264_PAYLOAD_TYPE},
    scene::FRAMES_PER_SECOND,
};

/// The names of the tracks in the URLs of SETUP.
pub const VIDEO: &str = "video";
pub const AUDIO: &str = "audio";

/// A description with H.264 and an audio track.
pub fn h264(clip: &CodedClip) -> String {
    let profile: String = clip.sps.iter().skip(1).take(3).map(|byte| format!("{byte:02X}")).collect();
    let (sps, pps) = (base64(&clip.sps), base64(&clip.pps));
    let video = format!(
        "m=video 0 RTP/AVP {H264_PAYLOAD_TYPE}\r\na=rtpmap:{H264_PAYLOAD_TYPE} H264/90000\r\n\
         a=fmtp:{H264_PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sps},{pps}\r\n\
         a=framerate:{FRAMES_PER_SECOND}\r\n"
    );
    with_audio(&video)
}

/// A description whose only video is Motion JPEG (RFC 2435), which the recorder does not support.
pub fn jpeg() -> String {
    with_audio("m=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n")
}

fn with_audio(video: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=vigie-simulator\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\na=range:npt=now-\r\n\
         {video}a=control:{VIDEO}\r\nm=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:{AUDIO}\r\n"
    )
}
