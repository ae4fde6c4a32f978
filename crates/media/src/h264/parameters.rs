//! H.264 parameter sets in their MP4 form, the `avcC` record, and what a player must know from them.

use super::nal_type;
use crate::nal::NAL_LENGTH_BYTES;
use crate::{MediaError, ParameterSets};
use bytes::Bytes;
use domain::Codec;
use h264_reader::nal::sps::{ChromaFormat, PicOrderCntType, SeqParameterSet};
use h264_reader::nal::{Nal, RefNal};

/// numOfSequenceParameterSets has five bits, numOfPictureParameterSets eight (ISO/IEC 14496-15, 5.3.3.1).
const SEQUENCE_SETS_MAX: usize = 31;
const PICTURE_SETS_MAX: usize = 255;

/// Reads an `avcC` record; `config` is kept byte for byte.
///
/// Width and height are those of the first sequence parameter set, after cropping.
/// Errors: a record that ends early, of another version, with NAL lengths of other than four bytes, without a set of
/// each kind, with an unreadable sequence set or no picture size.
pub fn parameter_sets_from_avcc(config: &[u8]) -> Result<ParameterSets, MediaError> {
    let sequence_set = AvccRecord::parse(config)?.first_sequence_set()?;
    let too_small_or_large = |width, height| MediaError::PictureSize { width, height };
    let (width, height) = sequence_set.pixel_dimensions().map_err(unreadable)?;
    match (u16::try_from(width), u16::try_from(height)) {
        (Ok(width @ 1..), Ok(height @ 1..)) => {
            Ok(ParameterSets { codec: Codec::H264, config: Bytes::copy_from_slice(config), width, height })
        }
        _ => Err(too_small_or_large(width, height)),
    }
}

/// Writes the `avcC` record of these NAL units (types 7 and 8, without length or start code), lengths of four bytes.
///
/// Profile and level are those of the first sequence set; the chroma bytes that profiles above Main require are read
/// from it too. Errors: no set of a kind, too many, a unit of another type or size, an unreadable first sequence set.
pub fn avcc_from_sets(sps: &[&[u8]], pps: &[&[u8]]) -> Result<Vec<u8>, MediaError> {
    if sps.len() > SEQUENCE_SETS_MAX || pps.len() > PICTURE_SETS_MAX {
        return Err(MediaError::TooManyParameterSets { sequence: sps.len(), picture: pps.len() });
    }
    let first = *sps.first().ok_or(MediaError::SequenceSetMissing)?;
    if pps.is_empty() {
        return Err(MediaError::PictureSetMissing);
    }
    let mut record = vec![1];
    record.extend_from_slice(first.get(1..4).ok_or(MediaError::ParameterSetSize { bytes: first.len() })?);
    record.extend_from_slice(&[0xfc | 3, 0xe0 | sps.len() as u8]);
    for set in sps {
        push_set(&mut record, set, nal_type::SEQUENCE_SET)?;
    }
    record.push(pps.len() as u8);
    for set in pps {
        push_set(&mut record, set, nal_type::PICTURE_SET)?;
    }
    if profile_has_chroma(record[1]) {
        let chroma = Chroma::of(&read_sequence_set(first)?);
        record.extend_from_slice(&[0xfc | chroma.format, 0xf8 | chroma.luma_depth, 0xf8 | chroma.chroma_depth, 0]);
    }
    Ok(record)
}

/// `avc1.64001f`: profile, constraint flags and level of the record (RFC 6381, 3.3). A record too short to have them reads
/// `avc1.000000`, which no player supports.
pub(crate) fn codec_string(config: &[u8]) -> String {
    match config.get(1..4) {
        Some([profile, constraints, level]) => format!("avc1.{profile:02x}{constraints:02x}{level:02x}"),
        _ => "avc1.000000".to_owned(),
    }
}

/// How many pictures may come before one that is shown after them: max_num_reorder_frames (H.264, E.2.1) where the camera
/// says it, 0 where its order of output is that of decoding. 0 also where nothing is said: then `Reorder` learns.
pub(crate) fn reorder_depth(config: &[u8]) -> usize {
    let Ok(set) = AvccRecord::parse(config).and_then(|record| record.first_sequence_set()) else { return 0 };
    if matches!(set.pic_order_cnt, PicOrderCntType::TypeTwo) {
        return 0;
    }
    let restrictions = set.vui_parameters.and_then(|vui| vui.bitstream_restrictions);
    restrictions.map_or(0, |restrictions| restrictions.max_num_reorder_frames as usize)
}

/// AVCDecoderConfigurationRecord, taken apart without copying.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct AvccRecord<'a> {
    pub profile: u8,
    pub constraints: u8,
    pub level: u8,
    /// Never empty.
    pub sequence_sets: Vec<&'a [u8]>,
    /// Never empty.
    pub picture_sets: Vec<&'a [u8]>,
    /// Absent in profiles up to Main, and where the camera left it out.
    pub chroma: Option<Chroma>,
    pub sequence_set_extensions: Vec<&'a [u8]>,
}

/// What `avcC` repeats of a sequence set above Main profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Chroma {
    /// chroma_format_idc, 0 to 3.
    pub format: u8,
    /// Bits per sample above 8.
    pub luma_depth: u8,
    pub chroma_depth: u8,
}

/// Profiles other than Baseline, Main and Extended carry [`Chroma`] in `avcC`.
fn profile_has_chroma(profile: u8) -> bool {
    !matches!(profile, 66 | 77 | 88)
}

impl<'a> AvccRecord<'a> {
    pub fn parse(config: &'a [u8]) -> Result<AvccRecord<'a>, MediaError> {
        let mut reader = Reader { bytes: config, at: 0 };
        let version = reader.byte()?;
        if version != 1 {
            return Err(MediaError::AvccVersion { version });
        }
        let (profile, constraints, level) = (reader.byte()?, reader.byte()?, reader.byte()?);
        let length_size = (reader.byte()? & 3) + 1;
        if usize::from(length_size) != NAL_LENGTH_BYTES {
            return Err(MediaError::AvccLengthSize { bytes: length_size });
        }
        let sequence_sets = reader.sets(0x1f, nal_type::SEQUENCE_SET)?;
        let picture_sets = reader.sets(0xff, nal_type::PICTURE_SET)?;
        if sequence_sets.is_empty() {
            return Err(MediaError::SequenceSetMissing);
        }
        if picture_sets.is_empty() {
            return Err(MediaError::PictureSetMissing);
        }
        // Many cameras leave the four bytes out although their profile requires them.
        let (chroma, sequence_set_extensions) = if profile_has_chroma(profile) && reader.left() >= 4 {
            let (format, luma, chroma) = (reader.byte()?, reader.byte()?, reader.byte()?);
            let chroma = Chroma { format: format & 3, luma_depth: luma & 7, chroma_depth: chroma & 7 };
            (Some(chroma), reader.sets(0xff, nal_type::SEQUENCE_SET_EXTENSION)?)
        } else {
            (None, Vec::new())
        };
        Ok(AvccRecord { profile, constraints, level, sequence_sets, picture_sets, chroma, sequence_set_extensions })
    }

    /// What the record says about chroma, or else its first sequence set; nothing up to Main profile.
    pub fn chroma(&self) -> Result<Option<Chroma>, MediaError> {
        match self.chroma {
            None if profile_has_chroma(self.profile) => Ok(Some(Chroma::of(&self.first_sequence_set()?))),
            known => Ok(known),
        }
    }

    fn first_sequence_set(&self) -> Result<SeqParameterSet, MediaError> {
        read_sequence_set(self.sequence_sets.first().ok_or(MediaError::SequenceSetMissing)?)
    }
}

impl Chroma {
    fn of(set: &SeqParameterSet) -> Chroma {
        let format = match set.chroma_info.chroma_format {
            ChromaFormat::Monochrome => 0,
            ChromaFormat::YUV422 => 2,
            ChromaFormat::YUV444 => 3,
            // An invalid number decodes nowhere; 4:2:0 is what every camera sends.
            ChromaFormat::YUV420 | ChromaFormat::Invalid(_) => 1,
        };
        Chroma {
            format,
            luma_depth: set.chroma_info.bit_depth_luma_minus8 & 7,
            chroma_depth: set.chroma_info.bit_depth_chroma_minus8 & 7,
        }
    }
}

/// A cursor over the record.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], MediaError> {
        let taken = self.bytes[self.at..].get(..count).ok_or(MediaError::AvccCut { at: self.bytes.len() })?;
        self.at += count;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, MediaError> {
        self.take(1).map(|taken| taken[0])
    }

    /// A counted list of sets of one type: count (masked), then length in two bytes and NAL unit each.
    fn sets(&mut self, count_mask: u8, expected: u8) -> Result<Vec<&'a [u8]>, MediaError> {
        let count = self.byte()? & count_mask;
        let mut sets = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let length = usize::from(self.byte()?) << 8 | usize::from(self.byte()?);
            let set = self.take(length)?;
            check_set(set, expected)?;
            sets.push(set);
        }
        Ok(sets)
    }
}

fn push_set(record: &mut Vec<u8>, set: &[u8], expected: u8) -> Result<(), MediaError> {
    check_set(set, expected)?;
    let length = u16::try_from(set.len()).map_err(|_| MediaError::ParameterSetSize { bytes: set.len() })?;
    record.extend_from_slice(&length.to_be_bytes());
    record.extend_from_slice(set);
    Ok(())
}

fn check_set(set: &[u8], expected: u8) -> Result<(), MediaError> {
    match set.first().map(|header| header & 0x1f) {
        None => Err(MediaError::ParameterSetSize { bytes: 0 }),
        Some(found) if found != expected => Err(MediaError::NotThisParameterSet { expected, found }),
        Some(_) => Ok(()),
    }
}

fn read_sequence_set(set: &[u8]) -> Result<SeqParameterSet, MediaError> {
    // Zero bytes at the end belong to the start code that followed (H.264, B.1.1), not to the set.
    let end = set.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    if end < 4 {
        return Err(MediaError::ParameterSetSize { bytes: set.len() });
    }
    SeqParameterSet::from_bits(RefNal::new(&set[..end], &[], true).rbsp_bits()).map_err(unreadable)
}

fn unreadable(error: h264_reader::nal::sps::SpsError) -> MediaError {
    MediaError::SequenceSetUnreadable { reason: format!("{error:?}") }
}
