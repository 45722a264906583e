//! Times and sizes as people write them: `"500 ms"`, `"128 MiB"`. Parsing and printing only; bounds are `validate`'s.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A time with its unit, for example `"5 s"` or `"500 ms"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub Duration);

/// A size in bytes: a bare number, or a string with its unit, for example `"128 MiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

/// A rate of data with its unit, for example `"24 Mbit"`: bits per second, in powers of 1000 as `tc` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(pub u64);

/// The units of a rate, the largest first: bits/s of each.
const RATES: [(&str, u64); 4] = [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// Nanoseconds of a second.
const NS_PER_S: u128 = 1_000_000_000;
/// The units of a time, the largest first: nanoseconds of each.
const TIMES: [(&str, u128); 6] = [
    ("h", 3600 * NS_PER_S),
    ("min", 60 * NS_PER_S),
    ("s", NS_PER_S),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Bytes of a mebibyte.
pub const MIB: u64 = 1 << 20;

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match humantime::parse_duration(text) {
            Ok(time) => Ok(Time(time)),
            Err(_) if text.trim().parse::<f64>().is_ok() => Err(format!("the time \"{text}\" has no unit")),
            Err(_) => Err(format!("\"{text}\" is not a time")),
        }
    }
}

/// In the largest unit that is exact, so that what people wrote in one unit stands there again.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0.as_nanos();
        let exact = TIMES.iter().find(|(_, unit)| ns >= *unit && ns.is_multiple_of(*unit));
        let (name, unit) = exact.unwrap_or(&("s", NS_PER_S));
        write!(f, "{} {name}", ns / unit)
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = text.parse::<bytesize::ByteSize>();
        size.map(|size| Size(size.as_u64())).map_err(|_| format!("\"{text}\" is not a size"))
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= MIB && bytes.is_multiple_of(MIB) => write!(f, "{} MiB", bytes / MIB),
            bytes if bytes >= 1024 && bytes.is_multiple_of(1024) => write!(f, "{} KiB", bytes / 1024),
            bytes => write!(f, "{bytes} B"),
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = text.trim().trim_end_matches("/s").trim_end();
        let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
        let (number, unit) = (word[..digits].parse::<f64>(), word[digits..].trim());
        let known = RATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        match (number, known) {
            (Ok(number), Some((_, bits))) => Ok(Rate((number * *bits as f64).round() as u64)),
            (Ok(_), None) if unit.is_empty() => Err(format!("the rate \"{text}\" has no unit")),
            _ => Err(format!("\"{text}\" is not a rate")),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = RATES.iter().find(|(_, bits)| self.0 >= *bits && self.0.is_multiple_of(*bits));
        let (name, bits) = exact.unwrap_or(&RATES[3]);
        write!(f, "{} {name}", self.0 / bits)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RateVisitor)
    }
}

struct RateVisitor;

impl Visitor<'_> for RateVisitor {
    type Value = Rate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rate with its unit in quotes, such as \"24 Mbit\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rate, E> {
        text.parse().map_err(E::custom)
    }
}

/// As written, with its unit.
impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> Cow<'static, str> {
        "rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*[0-9.]+\\s*[kKmMgG]?[bB][iI][tT](/s)?\\s*$" })
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = Time;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time with its unit in quotes, such as \"5 s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Time, E> {
        text.parse().map_err(E::custom)
    }
}

/// As written, with its unit.
impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// As a number of bytes.
impl Serialize for Size {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SizeVisitor)
    }
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = Size;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a size such as \"128 MiB\", or a number of bytes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }

    fn visit_i64<E: Error>(self, bytes: i64) -> Result<Size, E> {
        u64::try_from(bytes).map(Size).map_err(|_| E::custom("a size cannot be negative"))
    }
}

impl JsonSchema for Time {
    fn schema_name() -> Cow<'static, str> {
        "time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^\\s*[0-9].*[a-zµ]\\s*$" })
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let text =
            json_schema!({ "type": "string", "pattern": "^\\s*[0-9.]+\\s*([kKmMgGtTpP]?[iI]?[bB]?)\\s*$" });
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, text] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Result<Duration, String> {
        text.parse::<Time>().map(|time| time.0)
    }

    #[test]
    fn times_are_read_with_and_without_a_space_and_with_fractions() {
        assert_eq!(time("5 s"), Ok(Duration::from_secs(5)));
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("0.25 s"), Ok(Duration::from_millis(250)));
        assert_eq!(time("1 h 30 min"), Ok(Duration::from_secs(5400)));
    }

    #[test]
    fn a_time_without_a_unit_is_told_so() {
        assert_eq!(time("5"), Err("the time \"5\" has no unit".into()));
        assert_eq!(time("soon"), Err("\"soon\" is not a time".into()));
    }

    #[test]
    fn a_time_is_printed_in_the_largest_unit_that_is_exact() {
        for text in ["100000 h", "90 min", "30 s", "250 ms", "3 us", "1 ns", "0 s"] {
            assert_eq!(Time(time(text).expect(text)).to_string(), text);
        }
        assert_eq!(Time(Duration::from_secs(365 * 24 * 3600)).to_string(), "8760 h");
    }

    #[test]
    fn rates_are_in_bits_and_powers_of_a_thousand() {
        assert_eq!("24 Mbit".parse(), Ok(Rate(24_000_000)));
        assert_eq!("1.5gbit/s".parse(), Ok(Rate(1_500_000_000)));
        assert_eq!(Rate(24_000_000).to_string(), "24 Mbit");
        assert_eq!(Rate(0).to_string(), "0 bit");
        assert_eq!("24".parse::<Rate>(), Err("the rate \"24\" has no unit".into()));
        assert_eq!("24 MB".parse::<Rate>(), Err("\"24 MB\" is not a rate".into()));
    }

    #[test]
    fn sizes_know_binary_and_decimal_units() {
        assert_eq!("128 MiB".parse(), Ok(Size(128 * MIB)));
        assert_eq!("128 MB".parse(), Ok(Size(128_000_000)));
        assert_eq!("1 B".parse(), Ok(Size(1)));
        assert_eq!("1".parse(), Ok(Size(1)));
        assert!("a lot".parse::<Size>().is_err());
        assert!("-1 B".parse::<Size>().is_err());
    }

    #[test]
    fn a_size_is_printed_in_the_largest_unit_that_is_exact() {
        assert_eq!(Size(128 * MIB).to_string(), "128 MiB");
        assert_eq!(Size(2048).to_string(), "2 KiB");
        assert_eq!(Size(1025).to_string(), "1025 B");
    }
}
