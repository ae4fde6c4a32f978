//! Reading inside a NAL unit: bytes without emulation prevention, bits, and Exp-Golomb numbers; the same in H.264 and H.265.

/// The bytes of a NAL unit after its header, without emulation prevention bytes (H.264, 7.4.1 and H.265, 7.4.2: in
/// 00 00 03 the 03 is there only so that the bytes never look like a start code). Reads no further than it is asked to.
#[derive(Clone, Debug)]
pub struct Rbsp<'a> {
    rest: std::slice::Iter<'a, u8>,
    zeros: u8,
}

impl<'a> Rbsp<'a> {
    /// The header has one byte in H.264, two in H.265.
    pub fn after_header(unit: &'a [u8], header_bytes: usize) -> Rbsp<'a> {
        Rbsp { rest: unit.get(header_bytes..).unwrap_or_default().iter(), zeros: 0 }
    }
}

impl Iterator for Rbsp<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let mut byte = *self.rest.next()?;
        if self.zeros == 2 && byte == 3 {
            self.zeros = 0;
            byte = *self.rest.next()?;
        }
        self.zeros = if byte == 0 { (self.zeros + 1).min(2) } else { 0 };
        Some(byte)
    }
}

/// Bits, most significant first.
#[derive(Debug)]
pub struct Bits<I> {
    bytes: I,
    byte: u8,
    left: u8,
}

impl<I: Iterator<Item = u8>> Bits<I> {
    pub fn new(bytes: I) -> Bits<I> {
        Bits { bytes, byte: 0, left: 0 }
    }

    /// ue(v) of H.264, 9.1; nothing at the end of the bytes or beyond 32 bits.
    pub fn unsigned_exp_golomb(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
            if zeros > 31 {
                return None;
            }
        }
        let mut value = 1u32;
        for _ in 0..zeros {
            value = value << 1 | u32::from(self.bit()?);
        }
        Some(value - 1)
    }

    /// u(n), at most 64 bits.
    pub fn number(&mut self, bits: u8) -> Option<u64> {
        let mut value = 0;
        for _ in 0..bits {
            value = value << 1 | u64::from(self.bit()?);
        }
        Some(value)
    }

    pub fn flag(&mut self) -> Option<bool> {
        Some(self.bit()? == 1)
    }

    pub fn skip(&mut self, bits: u32) -> Option<()> {
        (0..bits).try_for_each(|_| self.bit().map(drop))
    }

    fn bit(&mut self) -> Option<u8> {
        if self.left == 0 {
            self.byte = self.bytes.next()?;
            self.left = 8;
        }
        self.left -= 1;
        Some(self.byte >> self.left & 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_rbsp(unit: &[u8], expected: &[u8]) {
        assert_eq!(Rbsp::after_header(unit, 1).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn emulation_prevention_bytes_disappear_and_other_threes_stay() {
        check_rbsp(&[], &[]);
        check_rbsp(&[0x65], &[]);
        check_rbsp(&[0x65, 0, 0, 3, 1], &[0, 0, 1]);
        check_rbsp(&[0x65, 0, 0, 3, 0, 0, 3, 3], &[0, 0, 0, 0, 3]);
        check_rbsp(&[0x65, 0, 3, 0, 0, 3], &[0, 3, 0, 0]);
        check_rbsp(&[0x65, 0, 0, 0, 3, 7], &[0, 0, 0, 7]);
    }

    #[test]
    fn bits_come_most_significant_first_and_end_with_the_bytes() {
        let mut bits = Bits::new([0b1010_0110, 0xff].into_iter());
        assert_eq!((bits.flag(), bits.number(3), bits.skip(4)), (Some(true), Some(0b010), Some(())));
        assert_eq!((bits.number(8), bits.number(1), bits.skip(1)), (Some(0xff), None, None));
        assert_eq!(
            (Bits::new([9].into_iter()).number(0), Bits::new([9; 8].into_iter()).number(64)),
            (Some(0), Some(0x0909_0909_0909_0909))
        );
    }

    #[test]
    fn exp_golomb_numbers_are_those_of_table_9_2() {
        let mut bits = Bits::new([0b1010_0110, 0b0100_0010, 0b1000_0000].into_iter());
        let numbers: Vec<_> = std::iter::from_fn(|| bits.unsigned_exp_golomb()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        let mut largest = Bits::new([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff].into_iter());
        assert_eq!(largest.unsigned_exp_golomb(), Some(u32::MAX - 1));
        assert_eq!(Bits::new([0; 9].into_iter()).unsigned_exp_golomb(), None);
    }
}
