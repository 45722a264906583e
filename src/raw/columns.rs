//! Columns of numbers as bytes: differences of neighbours, as variable-length integers.
//!
//! A column is one byte for its scale, one for the order of its differences, and a varint (LEB128, zigzag) for each value. Reals
//! are scaled to integers by the smallest power of ten that loses nothing; where none is exact, their bits are the integers.
//! Counters, clocks and rates of neighbouring samples then take one to three bytes each, before zstd.

use super::error::RawFileError;

/// Scales of reals that are tried, as powers of ten: seconds, ticks, netperf's decimals, µs, ns.
const DECIMALS: [u8; 6] = [0, 1, 2, 3, 6, 9];
/// The scale of reals whose bits are kept.
const BITS: u8 = 255;
/// Beyond this not every integer is a real.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Differences of differences of a steadily growing counter are small; of a noisy one, the differences are.
const ORDERS: u8 = 3;

/// Appends columns to bytes.
#[derive(Default)]
pub(super) struct ColumnWriter {
    pub bytes: Vec<u8>,
}

impl ColumnWriter {
    /// A count on its own.
    pub fn count(&mut self, count: usize) {
        varint(&mut self.bytes, count as u64);
    }

    /// Counters.
    pub fn integers(&mut self, values: impl Iterator<Item = u64>) {
        self.column(0, values.map(|value| value as i64).collect());
    }

    /// Reals; every one comes back with the same bits.
    pub fn reals(&mut self, values: impl Iterator<Item = f64>) {
        let values: Vec<f64> = values.collect();
        let decimal = DECIMALS.into_iter().find_map(|scale| Some((scale, scaled(&values, scale)?)));
        let bits = || (BITS, values.iter().map(|value| value.to_bits() as i64).collect());
        let (scale, integers) = decimal.unwrap_or_else(bits);
        self.column(scale, integers);
    }

    /// Values that may be absent: a column of 0 and 1, and one of those that are there.
    pub fn options<T>(
        &mut self,
        values: &[Option<T>],
        column: impl Fn(&mut Self, &mut dyn Iterator<Item = T>),
    ) where
        T: Copy,
    {
        self.integers(values.iter().map(|value| u64::from(value.is_some())));
        column(self, &mut values.iter().flatten().copied());
    }

    fn column(&mut self, scale: u8, values: Vec<i64>) {
        let (mut best, mut best_order, mut current) = (encoded(&values), 0, values);
        for order in 1..ORDERS {
            difference(&mut current);
            let bytes = encoded(&current);
            if bytes.len() < best.len() {
                (best, best_order) = (bytes, order);
            }
        }
        self.bytes.extend([scale, best_order]);
        self.bytes.extend(best);
    }
}

/// The integers that stand for the reals at a scale; `None` if one would not come back.
fn scaled(values: &[f64], scale: u8) -> Option<Vec<i64>> {
    let factor = 10f64.powi(i32::from(scale));
    let one = |value: &f64| {
        let integer = (value * factor).round();
        let comes_back = integer.abs() < EXACT && (integer / factor).to_bits() == value.to_bits();
        comes_back.then_some(integer as i64)
    };
    values.iter().map(one).collect()
}

fn difference(values: &mut [i64]) {
    for place in (1..values.len()).rev() {
        values[place] = values[place].wrapping_sub(values[place - 1]);
    }
}

fn encoded(values: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len());
    for value in values {
        varint(&mut bytes, ((value << 1) ^ (value >> 63)) as u64);
    }
    bytes
}

fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// Takes columns from bytes. Every value takes a byte at least, so that no count can ask for more memory than eight times the
/// bytes that are there.
pub(super) struct ColumnReader<'b> {
    pub rest: &'b [u8],
}

impl ColumnReader<'_> {
    /// A count of things that take at least so many bytes each.
    pub fn count(&mut self, least_bytes: usize) -> Result<usize, RawFileError> {
        let count = self.varint()?;
        let fits = usize::try_from(count).ok().filter(|count| *count <= self.rest.len() / least_bytes);
        fits.ok_or(RawFileError::Damaged("a count exceeds the data"))
    }

    /// So many counters.
    pub fn integers(&mut self, count: usize) -> Result<Vec<u64>, RawFileError> {
        let (scale, values) = self.column(count)?;
        if scale != 0 {
            return Err(RawFileError::Damaged("a counter is not an integer"));
        }
        Ok(values.into_iter().map(|value| value as u64).collect())
    }

    /// So many reals.
    pub fn reals(&mut self, count: usize) -> Result<Vec<f64>, RawFileError> {
        let (scale, values) = self.column(count)?;
        let factor = 10f64.powi(i32::from(scale));
        match scale {
            BITS => Ok(values.into_iter().map(|value| f64::from_bits(value as u64)).collect()),
            _ if DECIMALS.contains(&scale) => {
                Ok(values.into_iter().map(|value| value as f64 / factor).collect())
            }
            _ => Err(RawFileError::Damaged("a column has an unknown scale")),
        }
    }

    /// So many values that may be absent.
    pub fn options<T>(
        &mut self,
        count: usize,
        column: impl Fn(&mut Self, usize) -> Result<Vec<T>, RawFileError>,
    ) -> Result<Vec<Option<T>>, RawFileError> {
        let present = self.integers(count)?;
        let some = present.iter().filter(|is_there| **is_there > 0).count();
        let mut values = column(self, some)?.into_iter();
        Ok(present.into_iter().map(|is_there| if is_there > 0 { values.next() } else { None }).collect())
    }

    fn column(&mut self, count: usize) -> Result<(u8, Vec<i64>), RawFileError> {
        let [scale, order] = [self.byte()?, self.byte()?];
        if order >= ORDERS || count > self.rest.len() {
            return Err(RawFileError::Damaged("a column exceeds the data"));
        }
        let mut values = Vec::with_capacity(count);
        for _ in 0..count {
            let value = self.varint()?;
            values.push((value >> 1) as i64 ^ -((value & 1) as i64));
        }
        for _ in 0..order {
            for place in 1..values.len() {
                values[place] = values[place].wrapping_add(values[place - 1]);
            }
        }
        Ok((scale, values))
    }

    fn varint(&mut self) -> Result<u64, RawFileError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RawFileError::Damaged("a number has more than 64 bits"))
    }

    fn byte(&mut self) -> Result<u8, RawFileError> {
        let (first, rest) = self.rest.split_first().ok_or(RawFileError::Damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(values: &[f64]) -> Vec<f64> {
        let mut writer = ColumnWriter::default();
        writer.reals(values.iter().copied());
        let mut reader = ColumnReader { rest: &writer.bytes };
        let read = reader.reals(values.len()).unwrap();
        assert!(reader.rest.is_empty());
        read
    }

    proptest! {
        #[test]
        fn every_real_comes_back_with_the_same_bits(values: Vec<u64>) {
            let values: Vec<f64> = values.into_iter().map(f64::from_bits).collect();
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&again(&values)), bits(&values));
        }

        #[test]
        fn every_counter_comes_back(values: Vec<u64>) {
            let mut writer = ColumnWriter::default();
            writer.integers(values.iter().copied());
            prop_assert_eq!(ColumnReader { rest: &writer.bytes }.integers(values.len()).unwrap(), values);
        }

        #[test]
        fn bytes_of_any_origin_are_read_or_refused(bytes: Vec<u8>, count in 0..1_000_000_000usize) {
            let _ = ColumnReader { rest: &bytes }.reals(count);
            let _ = ColumnReader { rest: &bytes }.options(count, |r, n| r.integers(n));
        }
    }

    #[test]
    fn a_clock_and_a_steady_counter_take_little_more_than_a_byte_for_each_value() {
        let mut writer = ColumnWriter::default();
        writer.reals((0..1000).map(|second| 1_764_435_600.0 + f64::from(second) / 2.0));
        writer.integers((0..1000).map(|second| 123_456_789 * second));
        assert!(writer.bytes.len() < 2100, "{}", writer.bytes.len());
    }

    #[test]
    fn a_count_beyond_the_data_allocates_nothing() {
        let mut writer = ColumnWriter::default();
        writer.count(1 << 40);
        let found = ColumnReader { rest: &writer.bytes }.count(1);
        assert!(matches!(found, Err(RawFileError::Damaged(_))));
    }
}
