//! The file of one trial's raw samples.
//!
//! Two zstd frames, so that `zstd -d` reads it: a skippable one with the words `kvmfair raw trial, format 4`, and one with
//! - a line of JSON: the trial without its samples (`zstd -dc FILE | head -1`),
//! - the host's samples, the flows' interim results and, of a trial of pings, their round trips, column by column
//!   ([`super::columns`]).
//!
//! A reader decompresses 64 MiB at most, and no count in a file asks for memory that its bytes do not justify.

use std::io::{Read, Write};

use super::columns::{ColumnReader, ColumnWriter};
use super::error::RawFileError;
use super::host_columns::{read_host, write_host};
use super::{FORMAT, InterimResult, RawTrial, RoundTrip};

/// A file that is decompressed has at most this, bytes: seven hours of 128 flows and 32 guests at 0.5 s.
const LARGEST: usize = 64 << 20;
/// The line of JSON has at most this, bytes: in memory it may take some thirty times as much.
const LARGEST_LINE: usize = 16 << 20;
/// zstd's level: higher ones save a few percent and cost several times the CPU.
const LEVEL: i32 = 3;
/// What the first frame begins with: the magic number of skippable frames, little-endian.
const SKIPPABLE: [u8; 4] = 0x184D_2A50_u32.to_le_bytes();
const WORDS: &str = "kvmfair raw trial, format ";

/// A raw trial as the bytes of its file.
///
/// # Errors
/// [`RawFileError::Damaged`] if it is larger than a reader takes; [`RawFileError::Json`] if it has an infinite time.
pub fn encode(trial: &RawTrial) -> Result<Vec<u8>, RawFileError> {
    let mut body = serde_json::to_vec(&without_samples(trial))?;
    body.push(b'\n');
    let mut columns = ColumnWriter { bytes: body };
    write_host(&mut columns, &trial.host);
    for flow in trial.flows.iter().chain(&trial.background) {
        write_intervals(&mut columns, &flow.intervals);
    }
    for flow in trial.flows.iter().filter(|_| trial.configuration.test.is_ping()) {
        write_round_trips(&mut columns, &flow.round_trips);
    }
    if columns.bytes.len() > LARGEST {
        return Err(RawFileError::Damaged("it would be larger than 64 MiB"));
    }
    let words = format!("{WORDS}{:>4}\n", trial.format);
    let mut file = [&SKIPPABLE[..], &(words.len() as u32).to_le_bytes(), words.as_bytes()].concat();
    compress(&columns.bytes, &mut file).map_err(RawFileError::Zstd)?;
    Ok(file)
}

fn compress(body: &[u8], file: &mut Vec<u8>) -> std::io::Result<()> {
    let mut encoder = zstd::Encoder::new(file, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(body)?;
    encoder.finish().map(drop)
}

/// The raw trial in the bytes of a file.
///
/// # Errors
/// [`RawFileError`] if it has another format, is damaged, or is something else.
pub fn decode(file: &[u8]) -> Result<RawTrial, RawFileError> {
    let body = decompress(file)?;
    let end = body.iter().take(LARGEST_LINE).position(|byte| *byte == b'\n');
    let end = end.ok_or(RawFileError::Damaged("its description does not end"))?;
    let mut trial: RawTrial = serde_json::from_slice(&body[..end])?;
    if trial.format != FORMAT {
        return Err(RawFileError::Format(trial.format));
    }
    let mut columns = ColumnReader { rest: &body[end + 1..] };
    trial.host = read_host(&mut columns)?;
    for flow in trial.flows.iter_mut().chain(&mut trial.background) {
        flow.intervals = read_intervals(&mut columns)?;
    }
    let pings = trial.configuration.test.is_ping();
    for flow in trial.flows.iter_mut().filter(|_| pings) {
        flow.round_trips = read_round_trips(&mut columns)?;
    }
    match columns.rest {
        [] => Ok(trial),
        _ => Err(RawFileError::Damaged("it goes on after its end")),
    }
}

/// What is in the frames, once the first has the right words.
fn decompress(file: &[u8]) -> Result<Vec<u8>, RawFileError> {
    let words = file.strip_prefix(&SKIPPABLE).and_then(|rest| rest.get(4..)).unwrap_or_default();
    let words = words.strip_prefix(WORDS.as_bytes()).ok_or(RawFileError::Foreign)?;
    let line = words.split(|byte| *byte == b'\n').next().and_then(|line| std::str::from_utf8(line).ok());
    let format = line.and_then(|line| line.trim().parse().ok()).ok_or(RawFileError::Foreign)?;
    if format != FORMAT {
        return Err(RawFileError::Format(format));
    }
    let mut body = Vec::new();
    let decoder = zstd::Decoder::with_buffer(file).map_err(RawFileError::Zstd)?;
    decoder.take(LARGEST as u64 + 1).read_to_end(&mut body).map_err(RawFileError::Zstd)?;
    if body.len() > LARGEST {
        return Err(RawFileError::Damaged("it has more than 64 MiB"));
    }
    Ok(body)
}

/// A trial without its samples.
fn without_samples(trial: &RawTrial) -> RawTrial {
    let mut trial = trial.clone();
    trial.host.clear();
    for flow in trial.flows.iter_mut().chain(&mut trial.background) {
        flow.intervals.clear();
        flow.round_trips.clear();
    }
    trial
}

fn write_intervals(columns: &mut ColumnWriter, intervals: &[InterimResult]) {
    columns.count(intervals.len());
    columns.reals(intervals.iter().map(|interval| interval.end_s));
    columns.reals(intervals.iter().map(|interval| interval.length_s));
    columns.reals(intervals.iter().map(|interval| interval.rate));
}

fn read_intervals(columns: &mut ColumnReader) -> Result<Vec<InterimResult>, RawFileError> {
    let count = columns.count(3)?;
    let (ends, lengths, rates) = (columns.reals(count)?, columns.reals(count)?, columns.reals(count)?);
    let parts = ends.into_iter().zip(lengths).zip(rates);
    Ok(parts.map(|((end_s, length_s), rate)| InterimResult { end_s, length_s, rate }).collect())
}

fn write_round_trips(columns: &mut ColumnWriter, trips: &[RoundTrip]) {
    columns.count(trips.len());
    columns.integers(trips.iter().map(|trip| trip.sequence));
    columns.reals(trips.iter().map(|trip| trip.answered_s));
    columns.reals(trips.iter().map(|trip| trip.rtt_us));
}

fn read_round_trips(columns: &mut ColumnReader) -> Result<Vec<RoundTrip>, RawFileError> {
    let count = columns.count(3)?;
    let (numbers, answered, rtts) = (columns.integers(count)?, columns.reals(count)?, columns.reals(count)?);
    let parts = numbers.into_iter().zip(answered).zip(rtts);
    Ok(parts.map(|((sequence, answered_s), rtt_us)| RoundTrip { sequence, answered_s, rtt_us }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;

    fn trial() -> RawTrial {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        raw.background = vec![fixture::flow(1, 2, 77.7)];
        raw.host[3].targets.pop();
        raw.host[4].cpus.clear();
        raw.host[5].pressure_s = Some(0.1);
        raw.host[6].at_s += 0.123_456_789;
        raw
    }

    fn refusal(file: &[u8]) -> String {
        decode(file).unwrap_err().to_string()
    }

    #[test]
    fn a_trial_comes_back_as_it_was_however_irregular_its_samples_are() {
        let mut pings =
            fixture::pings(2, |_, number| (!number.is_multiple_of(7)).then_some(123.0 + number as f64));
        pings.flows[0].round_trips[3].rtt_us = 0.1 + 0.2;
        for raw in [trial(), pings, fixture::failed(fixture::configuration("virtio", 1))] {
            assert_eq!(decode(&encode(&raw).unwrap()).unwrap(), raw);
        }
    }

    #[test]
    fn a_file_begins_with_words_and_zstd_reads_it_too() {
        let file = encode(&trial()).unwrap();
        assert!(file[8..].starts_with(b"kvmfair raw trial, format    4\n"));
        let plain = zstd::decode_all(file.as_slice()).unwrap();
        assert!(plain.starts_with(b"{\"format\":4,\"trial\":1,"));
    }

    #[test]
    fn another_format_and_files_of_others_are_refused_by_name() {
        let file = encode(&RawTrial { format: 99, ..trial() }).unwrap();
        assert_eq!(refusal(&file), "it has format 99");
        let foreign = zstd::encode_all(&b"{\"format\":4}"[..], 3).unwrap();
        for file in [&b""[..], b"{\"format\": 3}", &foreign, &[0x1f, 0x8b, 8, 0]] {
            assert_eq!(refusal(file), "it is not a raw trial of kvmfair");
        }
    }

    #[test]
    fn a_file_that_was_cut_anywhere_is_refused() {
        let file = encode(&trial()).unwrap();
        for length in 0..file.len() {
            assert!(decode(&file[..length]).is_err(), "{length} of {}", file.len());
        }
    }

    #[test]
    fn a_ping_takes_some_bytes() {
        let raw = fixture::pings(1, |_, number| Some(100.0 + (number * 7919 % 101) as f64));
        let without = {
            let mut raw = raw.clone();
            raw.flows[0].round_trips.clear();
            encode(&raw).unwrap().len()
        };
        let each = (encode(&raw).unwrap().len() - without) as f64 / raw.flows[0].round_trips.len() as f64;
        assert!(each < 6.0, "{each}");
    }

    #[test]
    fn a_bit_that_flipped_never_changes_a_value() {
        let raw = trial();
        let file = encode(&raw).unwrap();
        for place in 0..file.len() {
            let mut flipped = file.clone();
            flipped[place] ^= 1 << (place % 8);
            assert!(decode(&flipped).is_ok_and(|read| read == raw) || decode(&flipped).is_err(), "{place}");
        }
    }

    /// A file with this in its second frame.
    fn with_body(body: &[u8]) -> Vec<u8> {
        let file = encode(&trial()).unwrap();
        let mut file = file[..8 + WORDS.len() + 5].to_vec();
        compress(body, &mut file).unwrap();
        file
    }

    #[test]
    fn a_file_that_swells_is_refused_before_it_fills_the_memory() {
        assert_eq!(refusal(&with_body(&vec![0; LARGEST + 1])), "it is damaged: it has more than 64 MiB");
        assert!(refusal(&with_body(&vec![b' '; LARGEST])).contains("description"));
    }

    #[test]
    fn counts_beyond_the_data_and_data_beyond_the_counts_are_refused() {
        let line = |raw: &RawTrial| [&serde_json::to_vec(raw).unwrap()[..], b"\n"].concat();
        let failed = fixture::failed(fixture::configuration("virtio", 1));
        let many = [&line(&failed)[..], &[0xff, 0xff, 0xff, 0xff, 0xff, 1]].concat();
        assert_eq!(refusal(&with_body(&many)), "it is damaged: a count exceeds the data");
        let more = [&line(&failed)[..], &[0; 1000]].concat();
        assert_eq!(refusal(&with_body(&more)), "it is damaged: it goes on after its end");
    }
}
