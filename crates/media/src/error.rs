//! What can be wrong with coded pictures and their parameter sets, and what to do about it.

/// Everything this crate refuses. Positions are bytes from the start of the access unit or of the record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    #[error("access unit ends inside a NAL length at byte {at}: drop this picture and wait for the next key frame")]
    NalLengthCut { at: usize },
    #[error("NAL unit at byte {at} has length 0: drop this picture and wait for the next key frame")]
    NalEmpty { at: usize },
    #[error(
        "NAL unit at byte {at} claims {length} bytes, {left} are left: drop this picture and wait for the next key frame"
    )]
    NalTooLong { at: usize, length: usize, left: usize },

    #[error("avcC record ends early, at byte {at}: restart the camera's stream or update its firmware")]
    AvccCut { at: usize },
    #[error("avcC record has version {version}, only 1 is defined: update the camera's firmware")]
    AvccVersion { version: u8 },
    #[error("avcC record announces NAL lengths of {bytes} bytes: pictures must be stored with lengths of 4 bytes")]
    AvccLengthSize { bytes: u8 },
    #[error("no sequence parameter set: wait for the camera to send one with its next key frame")]
    SequenceSetMissing,
    #[error("no picture parameter set: wait for the camera to send one with its next key frame")]
    PictureSetMissing,
    #[error("NAL unit of type {found} where a parameter set of type {expected} belongs: update the camera's firmware")]
    NotThisParameterSet { expected: u8, found: u8 },
    #[error("parameter set of {bytes} bytes: a set has 4 to 65535 bytes if of a sequence, 1 to 65535 if of a picture")]
    ParameterSetSize { bytes: usize },
    #[error("{sequence} sequence and {picture} picture parameter sets: avcC holds at most 31 and 255")]
    TooManyParameterSets { sequence: usize, picture: usize },
    #[error("sequence parameter set cannot be read ({reason}): set the camera to Baseline, Main or High profile")]
    SequenceSetUnreadable { reason: String },
    #[error("picture of {width} x {height} pixels: set the camera to a size between 1 and 65535 each way")]
    PictureSize { width: u32, height: u32 },

    #[error("hvcC record ends early, it has {at} bytes: restart the camera's stream or update its firmware")]
    HvccCut { at: usize },
    #[error("hvcC record has version {version}, only 1 is defined: update the camera's firmware")]
    HvccVersion { version: u8 },
    #[error("hvcC record announces NAL lengths of {bytes} bytes: pictures must be stored with lengths of 4 bytes")]
    HvccLengthSize { bytes: u8 },
    #[error("no video parameter set: wait for the camera to send one with its next key frame")]
    VideoSetMissing,
    #[error("{video} video, {sequence} sequence and {picture} picture parameter sets: H.265 has 16, 16 and 64 numbers")]
    TooManyVideoSets { video: usize, sequence: usize, picture: usize },
    #[error("H.265 sequence parameter set of {bytes} bytes cannot be read: set the camera to Main profile")]
    H265SequenceSetUnreadable { bytes: usize },

    #[error("a fragment needs at least one picture")]
    FragmentEmpty,
    #[error("fragment of {samples} pictures: at most {max}, cut it")]
    FragmentTooLong { samples: usize, max: usize },
    #[error("fragment of {bytes} bytes: at most {max}, cut it")]
    FragmentTooLarge { bytes: u64, max: u64 },
    #[error("picture {index} of the fragment has {bytes} bytes: it must have 1 to {max}")]
    SampleSize { index: usize, bytes: usize, max: usize },
    #[error("more than {max} pictures in one MP4 file: cut it")]
    MovieTooLong { max: usize },
    #[error("picture {index} is not decoded within ten seconds after the one before: begin another MP4 file with it")]
    MovieRunsBackwards { index: usize },
    #[error("not an MP4 file of one camera's pictures ({reason}): it was made by another program, or changed")]
    MovieUnreadable { reason: String },
    #[error("MP4 box cannot be written ({reason}): check the parameter sets")]
    BoxUnwritable { reason: String },
}
