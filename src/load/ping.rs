//! What ping (iputils) printed -> every round trip, and interim results as netperf would print them. Pure.
//!
//! `[1796015005.429512] 64 bytes from 198.18.7.2: icmp_seq=1 ttl=64 time=0.203 ms` is a sample if it is whole to the last letter.
//! A second answer to one ping (`(DUP!)`) is counted and is no sample; all else, such as `Destination Host Unreachable`, is a message.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::raw::{InterimResult, RoundTrip};

/// Lines of messages that are kept: an unreachable address makes one for each ping.
const MOST_MESSAGES: usize = 10;
/// The number of a ping has 16 bits on the wire: it begins again at 0.
const WRAP: f64 = 65_536.0;

/// Pings of one flow, from the first to the last line.
#[derive(Debug, Default)]
pub(super) struct PingOutput {
    pub round_trips: Vec<RoundTrip>,
    /// `TRANSMITTED`, `RECEIVED`, `DUPLICATES`, `ERRORS`, and `ELAPSED_TIME` from the first to the last ping, s; from the last lines.
    pub result: BTreeMap<String, String>,
    messages: Vec<String>,
    more_messages: usize,
}

impl PingOutput {
    /// Of all lines of a ping that was sent every `interval`.
    pub fn read<'t>(lines: impl Iterator<Item = &'t str>, interval: Duration) -> PingOutput {
        let mut output = PingOutput::default();
        lines.for_each(|line| output.take(line.trim(), interval.as_secs_f64()));
        output
    }

    fn take(&mut self, line: &str, interval_s: f64) {
        if let Some(answer) = PingAnswer::parse(line) {
            if !answer.is_duplicate {
                self.round_trips.push(answer.after(self.round_trips.last(), interval_s));
            }
        } else if let Some(result) = summary(line) {
            self.result = result;
        } else if !is_frame(line) {
            match self.messages.len() {
                MOST_MESSAGES => self.more_messages += 1,
                _ => self.messages.push(line.to_owned()),
            }
        }
    }

    /// What it printed beside answers and the summary.
    pub fn messages(&self) -> String {
        let more = (self.more_messages > 0).then(|| format!("{} more lines", self.more_messages));
        self.messages.iter().cloned().chain(more).collect::<Vec<_>>().join("\n")
    }
}

/// One line of an answer.
#[derive(Debug, PartialEq)]
struct PingAnswer {
    at_s: f64,
    /// As on the wire, with 16 bits.
    number: u16,
    rtt_us: u64,
    is_duplicate: bool,
}

impl PingAnswer {
    fn parse(line: &str) -> Option<PingAnswer> {
        let (at, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let (bytes, rest) = rest.split_once(" bytes from ")?;
        let (_, rest) = rest.split_once(": icmp_seq=")?;
        let (number, rest) = rest.split_once(" ttl=")?;
        let (_, rest) = rest.split_once(" time=")?;
        let (rtt, end) = rest.split_once(" ms")?;
        let is_duplicate = end == " (DUP!)";
        let is_whole = (is_duplicate || end.is_empty()) && bytes.bytes().all(|byte| byte.is_ascii_digit());
        let at_us =
            micros(at, 6, 6).filter(|_| is_whole && at.len() - at.find('.').unwrap_or(at.len()) == 7)?;
        Some(PingAnswer {
            at_s: at_us as f64 / 1e6,
            number: number.parse().ok()?,
            rtt_us: micros(rtt, 3, 3)?,
            is_duplicate,
        })
    }

    /// Its sequence number is the one of those with the same 16 bits that is nearest to what the time since the ping before it
    /// makes likely.
    fn after(&self, before: Option<&RoundTrip>, interval_s: f64) -> RoundTrip {
        let number = f64::from(self.number);
        let rtt_us = self.rtt_us as f64;
        let sent_s = self.at_s - rtt_us / 1e6;
        let likely =
            before.map_or(number, |before| before.sequence as f64 + (sent_s - before.sent_s()) / interval_s);
        let turns = ((likely - number) / WRAP).round().max(0.0);
        RoundTrip { sequence: (number + turns * WRAP) as u64, answered_s: self.at_s, rtt_us }
    }
}

/// A decimal number as integer of 10^-`scale`; `None` unless it is digits with at most `most` decimals.
fn micros(text: &str, scale: usize, most: usize) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    (is_number(whole) && is_number(fraction) && !whole.is_empty() && fraction.len() <= most).then_some(())?;
    format!("{whole}{fraction:0<scale$}").parse().ok()
}

/// `63 packets transmitted, 41 received, +22 duplicates, +3 errors, 34.9206% packet loss, time 1488ms`
fn summary(line: &str) -> Option<BTreeMap<String, String>> {
    if !line.contains(" packets transmitted, ") {
        return None;
    }
    let mut result = BTreeMap::new();
    for part in line.split(", ") {
        let (key, value) = match part.split_once(' ') {
            Some((count, "packets transmitted")) => ("TRANSMITTED", count.to_owned()),
            Some((count, "received")) => ("RECEIVED", count.to_owned()),
            Some((count, "duplicates")) => ("DUPLICATES", count.trim_start_matches('+').to_owned()),
            Some((count, "errors")) => ("ERRORS", count.trim_start_matches('+').to_owned()),
            Some(("time", length)) => {
                let ms: u64 = length.strip_suffix("ms")?.parse().ok()?;
                ("ELAPSED_TIME", format!("{}.{:03}", ms / 1000, ms % 1000))
            }
            _ => continue,
        };
        value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then_some(())?;
        result.insert(key.to_owned(), value);
    }
    Some(result)
}

/// What frames the answers, and repeats what they say.
fn is_frame(line: &str) -> bool {
    let ends = |end: &str| line.starts_with("--- ") && line.ends_with(end);
    line.is_empty()
        || (line.starts_with("PING ") && line.ends_with(" bytes of data."))
        || ends(" ping statistics ---")
        || line.starts_with("rtt min/avg/max/mdev = ")
        || (line.starts_with("pipe ") && line[5..].bytes().all(|byte| byte.is_ascii_digit()))
}

/// Interim results as netperf would print them: one ends with the first answer that comes an interval after it began.
pub(super) fn interim_results(round_trips: &[RoundTrip], interval: Duration) -> Vec<InterimResult> {
    let Some(first) = round_trips.first() else { return Vec::new() };
    let (mut begin_s, mut answers) = (first.sent_s(), 0.0);
    let mut results = Vec::new();
    for answer in round_trips {
        answers += 1.0;
        let length_s = ((answer.answered_s - begin_s) * 1e6).round() / 1e6;
        if length_s >= interval.as_secs_f64() {
            results.push(InterimResult { end_s: answer.answered_s, length_s, rate: answers / length_s });
            (begin_s, answers) = (answer.answered_s, 0.0);
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../tests/fixtures/ping/", $name, ".txt"))
        };
    }

    fn read(text: &str, interval_ms: u64) -> PingOutput {
        PingOutput::read(text.lines(), Duration::from_millis(interval_ms))
    }

    /// Answers, distinct pings among them, and what the summary counts.
    fn counts(output: &PingOutput) -> (usize, usize, [Option<&str>; 4]) {
        let mut numbers: Vec<u64> = output.round_trips.iter().map(|one| one.sequence).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let keys = ["TRANSMITTED", "RECEIVED", "DUPLICATES", "ERRORS"];
        let result = keys.map(|key| output.result.get(key).map(String::as_str));
        (output.round_trips.len(), numbers.len(), result)
    }

    #[test]
    fn every_answer_is_kept_with_its_number_its_time_and_its_round_trip() {
        let good = read(fixture!("good"), 20);
        assert_eq!(counts(&good), (63, 63, [Some("63"), Some("63"), None, None]));
        let first = good.round_trips[0];
        assert_eq!((first.sequence, first.answered_s, first.rtt_us), (1, 1_796_014_723.096_047, 212.0));
        assert!((first.sent_s() - 1_796_014_723.095_835).abs() < 1e-6);
        assert_eq!((good.result["ELAPSED_TIME"].as_str(), good.messages().as_str()), ("1.486", ""));
    }

    #[test]
    fn lost_pings_are_missing_numbers_and_duplicates_are_no_samples() {
        let lost = read(fixture!("loss"), 20);
        assert_eq!(counts(&lost), (41, 41, [Some("63"), Some("41"), None, None]));
        let twice = read(fixture!("dup"), 20);
        assert_eq!(counts(&twice), (63, 63, [Some("63"), Some("63"), Some("22"), None]));
        assert_eq!((lost.messages() + &twice.messages()).as_str(), "");
    }

    #[test]
    fn answers_that_overtake_each_other_and_such_that_take_longer_than_an_interval_have_their_times() {
        let reordered = read(fixture!("reorder"), 20);
        assert_eq!(counts(&reordered).1, 62);
        assert!(reordered.round_trips.windows(2).any(|pair| pair[1].sequence < pair[0].sequence));
        assert!(reordered.round_trips.windows(2).all(|pair| pair[0].answered_s <= pair[1].answered_s));
        let slow = read(fixture!("slow"), 500);
        assert!(slow.round_trips.iter().all(|one| one.rtt_us >= 1_234_000.0));
        assert_eq!(slow.result["TRANSMITTED"], "8");
    }

    #[test]
    fn a_guest_that_falls_silent_has_its_last_answer_and_the_number_of_pings_after_it() {
        let silent = read(fixture!("silent"), 100);
        assert_eq!(counts(&silent), (9, 9, [Some("29"), Some("9"), None, None]));
        assert_eq!(silent.result["ELAPSED_TIME"], "2.911");
        let gone = read(fixture!("vanish"), 100);
        assert_eq!(counts(&gone).2, [Some("63"), Some("7"), None, Some("3")]);
        assert!(gone.messages().contains("Destination Host Unreachable"), "{}", gone.messages());
    }

    #[test]
    fn what_went_wrong_is_kept_in_pings_own_words_and_bounded() {
        let nobody = read(fixture!("no_host"), 200);
        assert_eq!(counts(&nobody), (0, 0, [Some("12"), Some("0"), None, Some("12")]));
        assert_eq!(nobody.messages().lines().count(), MOST_MESSAGES + 1);
        assert!(nobody.messages().ends_with("\n2 more lines"), "{}", nobody.messages());
        assert_eq!(read(fixture!("no_route"), 200).messages(), "ping: connect: Network is unreachable");
        assert!(read(fixture!("prohibited"), 200).messages().ends_with("icmp_seq=1 Packet filtered"));
        assert!(read(fixture!("too_large"), 100).messages().contains("message too long, mtu=1500"));
    }

    #[test]
    fn a_killed_ping_keeps_its_samples_and_has_no_result() {
        let killed = read(fixture!("killed"), 20);
        assert_eq!((killed.round_trips.len(), killed.result.len()), (22, 0));
    }

    #[test]
    fn answers_without_a_time_and_those_of_another_ping_are_no_samples() {
        assert!(read(fixture!("small"), 100).round_trips.is_empty());
        let busybox = "64 bytes from 198.18.7.2: seq=0 ttl=64 time=0.052 ms";
        assert!(read(busybox, 100).round_trips.is_empty());
    }

    #[test]
    fn the_number_of_a_ping_goes_on_where_its_16_bits_begin_again() {
        let line = |at: &str, number: u16| {
            format!("[{at}] 64 bytes from 198.18.7.2: icmp_seq={number} ttl=64 time=0.100 ms\n")
        };
        let text = line("100.000000", 65_535)
            + &line("100.020000", 0)
            + &line("99.999000", 65_534)
            + &line("2100.000000", 34_464);
        let numbers: Vec<u64> = read(&text, 20).round_trips.iter().map(|one| one.sequence).collect();
        assert_eq!(numbers, [65_535, 65_536, 65_534, 165_536]);
    }

    #[test]
    fn interim_results_follow_each_other_and_have_every_answer_once() {
        let trips = read(fixture!("good"), 20).round_trips;
        let results = interim_results(&trips, Duration::from_millis(250));
        assert!((5..=6).contains(&results.len()), "{results:?}");
        assert!(results.windows(2).all(|w| (w[1].end_s - w[1].length_s - w[0].end_s).abs() < 1e-5));
        let answers: f64 = results.iter().map(|one| one.rate * one.length_s).sum();
        let until = results.last().unwrap().end_s;
        assert_eq!(answers.round() as usize, trips.iter().filter(|one| one.answered_s <= until).count());
        assert!(interim_results(&[], Duration::from_millis(250)).is_empty());
    }

    proptest! {
        #[test]
        fn an_output_cut_anywhere_gives_a_prefix_of_the_samples(cut in 0..fixture!("reorder").len()) {
            let (whole, part) = (read(fixture!("reorder"), 20), read(&fixture!("reorder")[..cut], 20));
            prop_assert_eq!(&part.round_trips[..], &whole.round_trips[..part.round_trips.len()]);
        }

        #[test]
        fn any_text_is_read_without_panic(text in "(\\[[0-9.]{0,20}\\] |[0-9]{0,5} bytes from |: icmp_seq=[0-9]{0,6} ttl=|time=[0-9.]{0,20} ms| packets transmitted, |.|\n){0,40}") {
            let output = read(&text, 20);
            interim_results(&output.round_trips, Duration::from_millis(500));
        }
    }
}
