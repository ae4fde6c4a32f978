//! The plaintext of a chunk: its frame table, its parameter sets where it starts a group, its pictures (R6).
//!
//! ```text
//! 0   1  format, 1
//! 1   1  flags: bit 0 = parameter sets follow the table (the chunk starts a group)
//! 2   2  number of frames n, at least 1
//! 4   8  UTC of the first frame, microseconds
//! 12  8  UTC of the last frame, microseconds
//! 20  8  media time of the first frame's decoding, 1/90,000 s
//! 28 16n frame table: kind u8, 3 zero bytes, dts − first dts u32, pts − dts i32, size u32
//!        if bit 0: codec u8, zero u8, width u16, height u16, length u16, then that many bytes of decoder configuration
//!        then the frames' data, one after the other, to the end
//! ```
//! Integers are little endian.

use crate::frame::{Chunk, FrameEntry, FrameKind, ParameterSets};
use bytes::Bytes;
use domain::{Codec, Hour, MediaTicks, StreamId, UtcMicros};

const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 28;
const LINE_BYTES: usize = 16;
const PARAMETERS_HEAD_BYTES: usize = 8;
const HAS_PARAMETERS: u8 = 1;

/// Why bytes are not the plaintext of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a chunk: `{field}` is impossible")]
pub struct ChunkError {
    pub field: &'static str,
}

/// Bytes that [`write`] will append.
pub fn plain_bytes(chunk: &Chunk) -> usize {
    let parameters = chunk.parameters.as_ref().map_or(0, |sets| PARAMETERS_HEAD_BYTES + sets.config.len());
    HEAD_BYTES + LINE_BYTES * chunk.frames.len() + parameters + chunk.data.len()
}

/// Appends the plaintext of a chunk to `out`: the one copy between the open chunk and the batch (R4).
pub fn write(chunk: &Chunk, out: &mut Vec<u8>) {
    write_head(chunk, out);
    out.extend_from_slice(&chunk.data);
}

/// All of it but the pictures.
pub fn write_head(chunk: &Chunk, out: &mut Vec<u8>) {
    let first_dts = chunk.frames.first().map_or(MediaTicks(0), |frame| frame.dts);
    let flags = if chunk.parameters.is_some() { HAS_PARAMETERS } else { 0 };
    out.extend_from_slice(&[FORMAT, flags]);
    out.extend_from_slice(&(chunk.frames.len() as u16).to_le_bytes());
    out.extend_from_slice(&chunk.first_utc.0.to_le_bytes());
    out.extend_from_slice(&chunk.last_utc.0.to_le_bytes());
    out.extend_from_slice(&first_dts.0.to_le_bytes());
    for frame in &chunk.frames {
        out.extend_from_slice(&[frame.kind.code(), 0, 0, 0]);
        out.extend_from_slice(&((frame.dts.0 - first_dts.0) as u32).to_le_bytes());
        out.extend_from_slice(&((frame.pts.0 - frame.dts.0) as i32).to_le_bytes());
        out.extend_from_slice(&frame.size.to_le_bytes());
    }
    if let Some(sets) = &chunk.parameters {
        out.extend_from_slice(&[sets.codec.code(), 0]);
        out.extend_from_slice(&sets.width.to_le_bytes());
        out.extend_from_slice(&sets.height.to_le_bytes());
        out.extend_from_slice(&(sets.config.len() as u16).to_le_bytes());
        out.extend_from_slice(&sets.config);
    }
}

/// Reads the plaintext of a chunk of `stream` and `hour`.
pub fn read(plain: &[u8], stream: StreamId, hour: Hour) -> Result<Chunk, ChunkError> {
    let (chunk, data) = table(plain, stream, hour)?;
    if size(&chunk) != data.len() as u64 {
        return Err(ChunkError { field: "size" });
    }
    Ok(Chunk { data: data.to_vec(), ..chunk })
}

/// The same of the beginning of a plaintext, all of it up to the pictures; the chunk comes without them.
pub fn head(plain: &[u8], stream: StreamId, hour: Hour) -> Result<Chunk, ChunkError> {
    match table(plain, stream, hour)? {
        (chunk, []) => Ok(chunk),
        _ => Err(ChunkError { field: "head" }),
    }
}

/// Bytes of all its pictures, as its table says.
pub fn size(chunk: &Chunk) -> u64 {
    chunk.frames.iter().map(|frame| u64::from(frame.size)).sum()
}

/// Everything up to the pictures, and the rest.
fn table(plain: &[u8], stream: StreamId, hour: Hour) -> Result<(Chunk, &[u8]), ChunkError> {
    let wrong = |field| ChunkError { field };
    let (head, rest) = plain.split_at_checked(HEAD_BYTES).ok_or(wrong("head"))?;
    if head[0] != FORMAT {
        return Err(wrong("format"));
    }
    let count = usize::from(u16_at(head, 2));
    let (first_utc, last_utc) = (UtcMicros(i64_at(head, 4)), UtcMicros(i64_at(head, 12)));
    let (table, rest) = rest.split_at_checked(count * LINE_BYTES).ok_or(wrong("table"))?;
    let first_dts = i64_at(head, 20);
    let frames =
        table.chunks_exact(LINE_BYTES).map(|line| read_line(line, first_dts)).collect::<Result<Vec<_>, _>>()?;
    let (parameters, data) = if head[1] & HAS_PARAMETERS != 0 { read_parameters(rest)? } else { (None, rest) };
    if count == 0 {
        return Err(wrong("size"));
    }
    Ok((Chunk { stream, hour, first_utc, last_utc, frames, parameters, data: Vec::new() }, data))
}

fn read_line(line: &[u8], first_dts: i64) -> Result<FrameEntry, ChunkError> {
    let kind = FrameKind::from_code(line[0]).ok_or(ChunkError { field: "kind" })?;
    let dts = first_dts.checked_add(u32_at(line, 4).into()).ok_or(ChunkError { field: "dts" })?;
    let pts = dts.checked_add((u32_at(line, 8) as i32).into()).ok_or(ChunkError { field: "pts" })?;
    Ok(FrameEntry { kind, dts: MediaTicks(dts), pts: MediaTicks(pts), size: u32_at(line, 12) })
}

fn read_parameters(rest: &[u8]) -> Result<(Option<ParameterSets>, &[u8]), ChunkError> {
    let wrong = ChunkError { field: "parameters" };
    let (head, rest) = rest.split_at_checked(PARAMETERS_HEAD_BYTES).ok_or(wrong)?;
    let (config, data) = rest.split_at_checked(u16_at(head, 6).into()).ok_or(wrong)?;
    let sets = ParameterSets {
        codec: Codec::from_code(head[0]).ok_or(wrong)?,
        config: Bytes::copy_from_slice(config),
        width: u16_at(head, 2),
        height: u16_at(head, 4),
    };
    Ok((Some(sets), data))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    i64::from(u32_at(bytes, at)) | (i64::from(u32_at(bytes, at + 4) as i32) << 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, HourLength};
    use proptest::prelude::*;

    #[test]
    fn a_chunk_of_a_later_format_is_refused() {
        let (chunk, mut plain) = (chunk(&[(1, 0, 0, 5)], true), Vec::new());
        write(&chunk, &mut plain);
        assert_eq!(read(&plain, chunk.stream, chunk.hour), Ok(chunk.clone()));
        plain[0] += 1;
        let refused = read(&plain, chunk.stream, chunk.hour).unwrap_err();
        assert!(refused.to_string().contains("format"), "{refused}");
    }

    fn chunk(lines: &[(u8, u32, i32, u16)], parameters: bool) -> Chunk {
        let entry = |(kind, dts, offset, size): &(u8, u32, i32, u16)| FrameEntry {
            kind: FrameKind::from_code(kind % 5 + 1).expect("1..=5"),
            dts: MediaTicks(-5 + i64::from(*dts)),
            pts: MediaTicks(-5 + i64::from(*dts) + i64::from(*offset)),
            size: u32::from(*size),
        };
        let mut frames: Vec<FrameEntry> = lines.iter().map(entry).collect();
        frames.sort_by_key(|frame| frame.dts);
        let size = frames.iter().map(|frame| frame.size as usize).sum();
        Chunk {
            stream: StreamId::main(CameraId([1; 16])),
            hour: HourLength::PRODUCT.hour_of(UtcMicros(0)),
            first_utc: UtcMicros(-7),
            last_utc: UtcMicros(1 << 40),
            frames,
            parameters: parameters.then(|| ParameterSets {
                codec: Codec::H264,
                config: Bytes::from_static(b"\x01\x64\x00\x1f"),
                width: 1024,
                height: 576,
            }),
            data: (0..size).map(|n| n as u8).collect(),
        }
    }

    proptest! {
        #[test]
        fn a_chunk_reads_back_as_written(lines in proptest::collection::vec((0u8..5, 0u32..1_000_000, -1000i32..1000, 0u16..300), 1..20),
                                         parameters: bool) {
            let chunk = chunk(&lines, parameters);
            let mut plain = Vec::new();
            write(&chunk, &mut plain);
            prop_assert_eq!(plain.len(), plain_bytes(&chunk));
            prop_assert_eq!(read(&plain, chunk.stream, chunk.hour), Ok(chunk));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let (stream, hour) = (StreamId::main(CameraId([1; 16])), HourLength::PRODUCT.hour_of(UtcMicros(0)));
            let read = read(&bytes, stream, hour);
            prop_assert!(bytes.len() >= HEAD_BYTES + LINE_BYTES || read.is_err());
        }
    }
}
