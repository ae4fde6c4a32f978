//! Little-endian fields, written and read one after another; what is not there is not read.

use domain::{CameraId, Hour, Secret32};
use zeroize::Zeroizing;

/// Fields in the order they are put. The buffer has its final capacity from the start: growing would leave a copy of
/// secrets in freed memory.
pub struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    pub fn with_capacity(bytes: usize) -> Writer {
        Writer(Zeroizing::new(Vec::with_capacity(bytes)))
    }
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Writer {
        assert!(self.0.len() + bytes.len() <= self.0.capacity(), "the size was computed from the same fields");
        self.0.extend_from_slice(bytes);
        self
    }
    pub fn u8(&mut self, value: u8) -> &mut Writer {
        self.bytes(&[value])
    }
    pub fn u16(&mut self, value: u16) -> &mut Writer {
        self.bytes(&value.to_le_bytes())
    }
    pub fn u32(&mut self, value: u32) -> &mut Writer {
        self.bytes(&value.to_le_bytes())
    }
    pub fn u64(&mut self, value: u64) -> &mut Writer {
        self.bytes(&value.to_le_bytes())
    }
    pub fn i64(&mut self, value: i64) -> &mut Writer {
        self.bytes(&value.to_le_bytes())
    }
    /// How many fields follow.
    pub fn count(&mut self, count: usize) -> &mut Writer {
        self.u32(u32::try_from(count).expect("files are bounded to megabytes, so counts are far below 2^32"))
    }
    /// Zeros up to the buffer's capacity.
    pub fn padded(mut self, len: usize) -> Zeroizing<Vec<u8>> {
        assert!(self.0.len() <= len && len <= self.0.capacity(), "the size was computed from the same fields");
        self.0.resize(len, 0);
        self.0
    }
}

/// Fields in the order they stand; every getter is `None` past the end.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn over(bytes: &'a [u8]) -> Reader<'a> {
        Reader(bytes)
    }
    pub fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(len)?;
        self.0 = tail;
        Some(head)
    }
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
    pub fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }
    pub fn secret(&mut self) -> Option<Secret32> {
        self.array().map(Secret32::new)
    }
    pub fn hour(&mut self) -> Option<Hour> {
        Hour::from_bytes(&self.array()?)
    }
    pub fn camera(&mut self) -> Option<CameraId> {
        self.array().map(CameraId)
    }
    /// Whether only padding is left.
    pub fn only_zeros_left(&self) -> bool {
        self.0.iter().all(|byte| *byte == 0)
    }
}
