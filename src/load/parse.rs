//! The launcher's transcript -> raw flows. Pure. What a ping printed is read in `load::ping`.
//!
//! Takes what there is: a transcript that breaks off anywhere still gives the intervals before the break. An interval
//! counts only if all four of its lines are there and its numbers are whole, with the decimals that netperf prints;
//! anything else netperf wrote is a message.

use std::collections::BTreeMap;
use std::time::Duration;

use super::command::FlowSpec;
use super::launcher::END;
use super::ping::{self, PingOutput};
use crate::raw::{InterimResult, RawFlow};

/// Exit statuses from here on are the shell's way to name the signal that ended a process.
const SIGNALLED: i32 = 128;

/// What is reported of a flow that was started and that the transcript lacks.
const MISSING: &str = "the transcript ends before this flow";

/// One raw flow for each flow that was started, in that order.
///
/// A flow that the transcript does not mention has no intervals and a message that says so.
pub fn flows(transcript: &str, started: &[FlowSpec]) -> Vec<RawFlow> {
    let mut frames = frames(transcript);
    started.iter().map(|spec| raw_flow(spec, frames.remove(&spec.flow))).collect()
}

/// Whether the launcher came to its end, so that nothing is missing.
pub fn is_complete(transcript: &str) -> bool {
    transcript.lines().next_back() == Some(END)
}

/// What one flow printed, and the status it ended with.
#[derive(Default)]
struct FlowOutput<'a> {
    status: Option<i32>,
    lines: Vec<&'a str>,
}

fn frames(transcript: &str) -> BTreeMap<u32, FlowOutput<'_>> {
    let mut frames = BTreeMap::new();
    let mut open: Option<(u32, FlowOutput)> = None;
    for line in transcript.lines() {
        match header(line) {
            Some((flow, status)) => {
                frames.extend(open.replace((flow, FlowOutput { status: Some(status), lines: vec![] })));
            }
            None if line == END => frames.extend(open.take()),
            None => open.iter_mut().for_each(|(_, frame)| frame.lines.push(line)),
        }
    }
    frames.extend(open);
    frames
}

/// `== flow 3 exit 0`
fn header(line: &str) -> Option<(u32, i32)> {
    let (flow, status) = line.strip_prefix("== flow ")?.split_once(" exit ")?;
    Some((flow.parse().ok()?, status.parse().ok()?))
}

fn raw_flow(spec: &FlowSpec, frame: Option<FlowOutput>) -> RawFlow {
    if spec.test.is_ping() {
        return pings(spec, frame);
    }
    let mut text = Text { unit: spec.test.unit().of_netperf(), ..Text::default() };
    match &frame {
        Some(frame) => frame.lines.iter().for_each(|line| text.take(line)),
        None => text.message(MISSING),
    }
    RawFlow {
        flow: spec.flow,
        guest: spec.guest,
        intervals: text.intervals,
        result: text.result,
        exit_code: exit_code(frame),
        messages: text.messages,
        round_trips: Vec::new(),
    }
}

fn pings(spec: &FlowSpec, frame: Option<FlowOutput>) -> RawFlow {
    let lines = frame.iter().flat_map(|frame| &frame.lines).copied();
    let output = PingOutput::read(lines, Duration::from_millis(spec.ping.interval_ms.into()));
    RawFlow {
        flow: spec.flow,
        guest: spec.guest,
        intervals: ping::interim_results(&output.round_trips, spec.interval),
        messages: if frame.is_some() { output.messages() } else { MISSING.into() },
        result: output.result,
        exit_code: exit_code(frame),
        round_trips: output.round_trips,
    }
}

/// `None` of a process that a signal ended.
fn exit_code(frame: Option<FlowOutput>) -> Option<i32> {
    frame?.status.filter(|status| *status < SIGNALLED || *status == 255)
}

/// The output of one netperf, line by line.
#[derive(Default)]
struct Text {
    /// The only unit of interim results that counts.
    unit: &'static str,
    intervals: Vec<InterimResult>,
    result: BTreeMap<String, String>,
    messages: String,
    pending: Pending,
}

/// The lines of the interim result that is being read.
#[derive(Default)]
struct Pending {
    index: Option<u32>,
    rate: Option<f64>,
    known_unit: bool,
    length_s: Option<f64>,
}

impl Text {
    fn take(&mut self, line: &str) {
        match line.split_once('=') {
            Some((key, value)) if key.starts_with("NETPERF_") => match index(key) {
                Some((name, index)) => self.interim(name, index, value),
                None => self.message(line),
            },
            Some((key, value)) if is_selector(key) => {
                self.result.insert(key.to_string(), value.to_string());
            }
            _ => self.message(line),
        }
    }

    fn interim(&mut self, name: &str, index: u32, value: &str) {
        if self.pending.index != Some(index) {
            self.pending = Pending { index: Some(index), ..Pending::default() };
        }
        match name {
            "INTERIM_RESULT" => self.pending.rate = number(value, 2),
            "UNITS" => self.unit(value),
            "INTERVAL" => self.pending.length_s = number(value, 3).filter(|length| *length > 0.0),
            "ENDING" => self.close(number(value, 3)),
            _ => (),
        }
    }

    fn unit(&mut self, unit: &str) {
        self.pending.known_unit = unit == self.unit;
        if !self.pending.known_unit {
            self.message(&format!("interim results in `{unit}`, which kvmfair did not ask for"));
        }
    }

    /// The fourth line: the interval counts if the other three came before it.
    fn close(&mut self, end_s: Option<f64>) {
        let pending = std::mem::take(&mut self.pending);
        if let (Some(rate), Some(length_s), Some(end_s), true) =
            (pending.rate, pending.length_s, end_s, pending.known_unit)
        {
            self.intervals.push(InterimResult { end_s, length_s, rate });
        }
    }

    fn message(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if !self.messages.is_empty() {
            self.messages.push('\n');
        }
        self.messages.push_str(line.trim());
    }
}

/// `NETPERF_ENDING[12]` -> (`ENDING`, 12)
fn index(key: &str) -> Option<(&str, u32)> {
    let (name, index) = key.strip_prefix("NETPERF_")?.strip_suffix(']')?.split_once('[')?;
    Some((name, index.parse().ok()?))
}

fn is_selector(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// A number with just so many decimals: one that was cut would otherwise be a wrong one.
fn number(text: &str, decimals: usize) -> Option<f64> {
    let (_, fraction) = text.split_once('.')?;
    let whole = fraction.len() == decimals && fraction.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|number: &f64| whole && number.is_finite() && *number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::command::missing_selectors;
    use crate::profile::PingSettings;
    use crate::profile::Test;
    use proptest::prelude::*;

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../tests/fixtures/netperf/", $name, ".txt"))
        };
    }

    fn spec(n: u32) -> FlowSpec {
        FlowSpec {
            flow: n,
            guest: n,
            control: [198, 18, 0, 2].into(),
            data: [198, 18, 0, 2].into(),
            test: Test::TCP_RR,
            request_bytes: 1,
            response_bytes: 1,
            message_bytes: 1,
            burst: 0,
            ping: PingSettings::default(),
            send_buffer_bytes: None,
            interval: std::time::Duration::from_millis(500),
            settle: std::time::Duration::ZERO,
            length: None,
        }
    }

    /// Two flows, to guests 1 and 2, read from a transcript.
    fn read(transcript: &str) -> Vec<RawFlow> {
        flows(transcript, &[spec(1), spec(2)])
    }

    #[test]
    fn every_interval_and_every_selector_of_a_good_transcript_is_read() {
        let transcript = fixture!("two_flows");
        assert!(is_complete(transcript));
        for flow in read(transcript) {
            assert_eq!(flow.exit_code, Some(0));
            assert_eq!(flow.messages, "");
            assert!(missing_selectors(&flow).is_empty());
            assert!(flow.intervals.len() >= 5);
            assert!(
                flow.intervals.windows(2).all(|w| (w[1].end_s - w[1].length_s - w[0].end_s).abs() < 0.01)
            );
        }
    }

    #[test]
    fn intervals_and_final_rate_agree() {
        for flow in read(fixture!("two_flows")) {
            let work: f64 = flow.intervals.iter().map(|i| i.rate * i.length_s).sum();
            let time: f64 = flow.intervals.iter().map(|i| i.length_s).sum();
            let said: f64 = flow.result["TRANSACTION_RATE"].parse().unwrap();
            assert!((work / time / said - 1.0).abs() < 0.02, "{} against {said}", work / time);
        }
    }

    #[test]
    fn a_killed_netperf_keeps_its_intervals_and_has_no_exit_code() {
        let flows = read(fixture!("killed"));
        assert_eq!(flows[0].exit_code, Some(0));
        assert_eq!(flows[1].exit_code, None);
        assert!(flows[1].result.is_empty());
        assert!(!flows[1].intervals.is_empty());
    }

    #[test]
    fn a_reset_connection_is_a_message_beside_the_intervals() {
        let flows = read(fixture!("reset"));
        assert_eq!(flows[0].exit_code, Some(1));
        assert_eq!(flows[0].messages, "netperf: send_omni: recv_data failed: Connection reset by peer");
        assert!(!flows[0].intervals.is_empty());
        assert!(flows[1].messages.ends_with("(errno 104)"));
    }

    #[test]
    fn selectors_that_netperf_does_not_know_are_missed() {
        let flows = read(fixture!("unknown_selector"));
        assert_eq!(flows[0].exit_code, Some(0));
        assert!(missing_selectors(&flows[0]).contains(&"P99_LATENCY"));
    }

    #[test]
    fn a_flow_that_the_transcript_lacks_is_not_forgotten() {
        let flows = read(fixture!("unknown_selector"));
        assert_eq!(flows.len(), 2);
        assert_eq!(flows[1].exit_code, None);
        assert_eq!(flows[1].messages, "the transcript ends before this flow");
    }

    #[test]
    fn pings_that_were_launched_together_have_their_samples_and_interim_results() {
        let transcript = include_str!("../../tests/fixtures/ping/launched.txt");
        assert!(is_complete(transcript));
        let interval = Duration::from_millis(100);
        let ping = |flow| FlowSpec { flow, test: Test::PING, interval, ..spec(flow) };
        let flows = flows(transcript, &[ping(1), ping(2), ping(4)]);
        for flow in &flows[..2] {
            assert_eq!(flow.result["RECEIVED"], flow.round_trips.len().to_string());
            assert!(flow.ended_well() && flow.round_trips.len() > 10 && flow.intervals.len() > 1, "{flow:?}");
        }
        assert_eq!((flows[2].messages.as_str(), flows[2].exit_code), (MISSING, None));
        let killed = transcript.replace("== flow 1 exit 0", "== flow 1 exit 137");
        assert_eq!(super::flows(&killed, &[ping(1)])[0].exit_code, None);
    }

    #[test]
    fn intervals_in_a_foreign_unit_do_not_count() {
        let transcript = fixture!("two_flows").replace("[1]=Trans/s", "[1]=MBytes/s");
        let flows = read(&transcript);
        assert_eq!(flows[0].intervals.len() + 1, read(fixture!("two_flows"))[0].intervals.len());
        assert_eq!(flows[0].messages, "interim results in `MBytes/s`, which kvmfair did not ask for");
    }

    proptest! {
        #[test]
        fn a_transcript_cut_anywhere_gives_a_prefix_of_the_intervals(cut in 0..fixture!("two_flows").len()) {
            let (whole, part) = (read(fixture!("two_flows")), read(&fixture!("two_flows")[..cut]));
            for (whole, part) in whole.iter().zip(&part) {
                prop_assert_eq!(&part.intervals[..], &whole.intervals[..part.intervals.len()]);
            }
        }

        #[test]
        fn any_text_is_read_without_panic(text in "(== (flow|end)? ?[0-9]{0,12} exit -?[0-9]{0,12}|NETPERF_[A-Z]{1,9}\\[?[0-9]{0,12}\\]?=[-0-9.einfa]{0,9}|.|\n){0,40}") {
            prop_assert_eq!(read(&text).len(), 2);
        }
    }
}
