//! One netperf, or one ping, as a vector of words. Pure: nothing is run here, and nothing is quoted.

use std::net::IpAddr;
use std::time::Duration;

use crate::address::NETSERVER_PORT;
use crate::profile::PingSettings;
use crate::profile::Test;
use crate::raw::RawFlow;

/// The final results that every netperf is asked for. Naming a percentile turns netperf's histogram on.
///
/// netperf leaves out what it does not know, without a word and with exit status 0: see [`missing_selectors`].
pub const SELECTORS: [&str; 17] = [
    "THROUGHPUT",
    "THROUGHPUT_UNITS",
    "ELAPSED_TIME",
    "TRANSACTION_RATE",
    "RT_LATENCY",
    "MIN_LATENCY",
    "MEAN_LATENCY",
    "P50_LATENCY",
    "P90_LATENCY",
    "P99_LATENCY",
    "MAX_LATENCY",
    "STDDEV_LATENCY",
    "LOCAL_TRANSPORT_RETRANS",
    "REMOTE_TRANSPORT_RETRANS",
    "LOCAL_CONG_CONTROL",
    "LOCAL_SEND_CALLS",
    "REMOTE_RECV_CALLS",
];

/// How long netperf waits between setting its connections up and using them: long enough for the last of 128 flows to
/// be set up on a machine that is still idle. Measured: it brings the spread of the starts from 3 s to 0.2 s.
const SETTLE: Duration = Duration::from_secs(3);

/// The same where netserver has a timer: that goes off 4 s after the length it was given, and has started before the wait,
/// so that this much more is left to a netperf that starts late. Measured: 2 s spread the starts no more than 3 s do.
const SETTLE_WITH_TIMER: Duration = Duration::from_secs(2);

/// So many flows are set up within a second.
const FEW_FLOWS: u32 = 16;
const SETTLE_OF_FEW: Duration = Duration::from_secs(1);

/// By how much the last of a few flows may start after the first, and for each flow more, when lengths are planned.
const SPREAD: Duration = Duration::from_secs(3);
const SPREAD_PER_FLOW: Duration = Duration::from_millis(25);
const WIDEST_SPREAD: Duration = Duration::from_secs(10);

/// Whether netperf has to be given its length, and ends by itself, rather than run until SIGINT.
///
/// Measured with netperf 2.7: after SIGINT, TCP_MAERTS waits for netserver's timer, and a netserver of TCP_CRR waits in
/// accept() for a connection that never comes. UDP ends with three empty datagrams to netserver; if all are lost,
/// only the timer is left. Without a length that timer is never set, and such a netserver stays for ever.
fn runs_out(test: Test) -> bool {
    !matches!(test, Test::TCP_RR | Test::TCP_STREAM | Test::PING)
}

/// How long flows run that end by themselves: longer than `hold`, which begins when all of them run. `None` for those that run
/// until SIGINT.
pub fn length(test: Test, hold: Duration, interval: Duration, flows: u32) -> Option<Duration> {
    let spread = (SPREAD + SPREAD_PER_FLOW * flows).min(WIDEST_SPREAD);
    runs_out(test).then(|| Duration::from_secs((hold + interval + spread).as_secs_f64().ceil() as u64))
}

/// How long each of so many flows waits between its connections and their use.
pub fn settle(test: Test, flows: u32) -> Duration {
    match test {
        Test::PING => Duration::ZERO,
        _ if flows <= FEW_FLOWS => SETTLE_OF_FEW,
        Test::TCP_RR | Test::TCP_STREAM | Test::TCP_MAERTS => SETTLE,
        Test::TCP_CRR | Test::UDP_RR | Test::UDP_STREAM => SETTLE_WITH_TIMER,
    }
}

/// Everything one flow needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowSpec {
    /// Number of the flow, from 1, without gaps.
    pub flow: u32,
    /// Number of the guest that serves it, from 1; 0 for bare metal.
    pub guest: u32,
    /// Where netserver listens: the guest's address on the management network, or the same as `data`.
    pub control: IpAddr,
    /// The guest's address on the network under test.
    pub data: IpAddr,
    /// What it does.
    pub test: Test,
    /// Request size, bytes.
    pub request_bytes: u32,
    /// Response size, bytes.
    pub response_bytes: u32,
    /// Size of one send of a stream, bytes.
    pub message_bytes: u32,
    /// Transactions in flight beyond the first.
    pub burst: u32,
    /// Size of a TCP_STREAM's send buffer, bytes; `None`: the kernel's choice.
    pub send_buffer_bytes: Option<u32>,
    /// What a ping is like.
    pub ping: PingSettings,
    /// Time between two interim results.
    pub interval: Duration,
    /// How long it waits between setting its connections up and using them; see [`settle`].
    pub settle: Duration,
    /// How long it runs, in whole seconds; `None`: until SIGINT. See [`length`].
    pub length: Option<Duration>,
}

impl FlowSpec {
    /// The command line. It runs until SIGINT, or for its length.
    pub fn argv(&self) -> Vec<String> {
        if self.test.is_ping() { self.ping() } else { self.netperf() }
    }

    /// With the time of each line (-D), and without a name server (-n).
    fn ping(&self) -> Vec<String> {
        let interval_s = f64::from(self.ping.interval_ms) / 1e3;
        let end = self.length.map_or(String::new(), |length| format!(" -w {}", length.as_secs().max(1)));
        let words = format!("ping -n -D -i {interval_s} -s {}{end} {}", self.ping.payload_bytes, self.data);
        words.split(' ').map(String::from).collect()
    }

    fn netperf(&self) -> Vec<String> {
        let data = self.data.to_string();
        let global = vec![
            "netperf".into(),
            "-H".into(),
            self.control.to_string(),
            "-p".into(),
            NETSERVER_PORT.to_string(),
            "-t".into(),
            self.test.to_string(),
            "-l".into(),
            self.timer().to_string(),
            "-s".into(),
            seconds(self.settle),
            "-D".into(),
            format!("-{}", seconds(self.interval)), // negative: by the clock, not by a guess of work per interval
            "-P".into(),
            "0".into(),
            "--".into(),
            "-H".into(),
            data,
        ];
        let selectors = ["-k".into(), SELECTORS.join(",")];
        global.into_iter().chain(self.sizes()).chain(selectors).collect()
    }

    /// Seconds; 0 leaves netserver without a timer.
    fn timer(&self) -> u64 {
        match (self.test, self.length) {
            (_, None) => 0,
            // The sender's timer runs during the wait as well, and netserver is the sender.
            (Test::TCP_MAERTS, Some(length)) => (length + self.settle).as_secs(),
            (_, Some(length)) => length.as_secs(),
        }
    }

    /// The options that only this test has.
    fn sizes(&self) -> Vec<String> {
        let message = self.message_bytes;
        let words = match self.test {
            Test::TCP_RR | Test::UDP_RR | Test::TCP_CRR => {
                format!("-r {},{}{}", self.request_bytes, self.response_bytes, self.datagrams_and_burst())
            }
            Test::TCP_STREAM => match self.send_buffer_bytes {
                Some(buffer) => format!("-m {message} -s {buffer}"),
                None => format!("-m {message}"),
            },
            Test::TCP_MAERTS => format!("-m ,{message}"), // of the other end
            Test::PING => String::new(),                  // it is no netperf
            Test::UDP_STREAM => format!("-R 1 -m {message}"), // through routers too: netperf's default is the link only
        };
        words.split(' ').map(String::from).collect()
    }

    fn datagrams_and_burst(&self) -> String {
        let udp = self.test == Test::UDP_RR;
        let wait = if udp { " -e 1" } else { "" }; // 1 s, then the next: else the first lost datagram is the last
        match self.burst {
            0 => wait.into(),
            burst if udp => format!("{wait} -b {burst}"),
            burst => format!(" -D -b {burst}"), // each request in a packet of its own
        }
    }
}

/// The final results that a netperf did not give although it ended well. Not empty: this netperf is not the 2.7 that the
/// figures need.
pub fn missing_selectors(flow: &RawFlow) -> Vec<&'static str> {
    SELECTORS.into_iter().filter(|key| !flow.result.contains_key(*key)).collect()
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> FlowSpec {
        FlowSpec {
            flow: 1,
            guest: 1,
            control: [198, 18, 0, 2].into(),
            data: [198, 19, 0, 2].into(),
            test: Test::TCP_RR,
            request_bytes: 1,
            response_bytes: 100,
            message_bytes: 1472,
            burst: 0,
            ping: PingSettings::default(),
            send_buffer_bytes: None,
            interval: Duration::from_millis(500),
            settle: settle(Test::TCP_RR, 128),
            length: None,
        }
    }

    /// What differs between tests: length, wait, and the options between the address and the selectors.
    fn words(test: Test, burst: u32) -> [String; 3] {
        let length = length(test, Duration::from_secs(33), Duration::from_millis(100), 128);
        let words = FlowSpec { test, burst, settle: settle(test, 128), length, ..flow() }.argv();
        let after = |option: &str| words[words.iter().position(|w| w == option).unwrap() + 1].clone();
        let own = words.iter().position(|w| w == "--").unwrap() + 3;
        let end = words.iter().position(|w| w == "-k").unwrap();
        [after("-l"), after("-s"), words[own..end].join(" ")]
    }

    #[test]
    fn every_test_has_the_options_that_it_needs() {
        assert_eq!(words(Test::TCP_RR, 0), ["0", "3", "-r 1,100"]);
        assert_eq!(words(Test::TCP_RR, 7), ["0", "3", "-r 1,100 -D -b 7"]);
        assert_eq!(words(Test::UDP_RR, 0), ["40", "2", "-r 1,100 -e 1"]);
        assert_eq!(words(Test::UDP_RR, 7), ["40", "2", "-r 1,100 -e 1 -b 7"]);
        assert_eq!(words(Test::TCP_CRR, 0), ["40", "2", "-r 1,100"]);
        assert_eq!(words(Test::TCP_STREAM, 0), ["0", "3", "-m 1472"]);
        let paced = FlowSpec { test: Test::TCP_STREAM, send_buffer_bytes: Some(15_625), ..flow() };
        assert!(paced.argv().join(" ").contains(" -m 1472 -s 15625 -k "));
        assert_eq!(words(Test::TCP_MAERTS, 0), ["43", "3", "-m ,1472"]);
        assert_eq!(words(Test::UDP_STREAM, 0), ["40", "2", "-R 1 -m 1472"]);
    }

    #[test]
    fn a_ping_has_its_interval_and_payload_and_ends_by_itself_only_in_a_rehearsal() {
        let ping = FlowSpec { test: Test::PING, ..flow() };
        assert_eq!(ping.argv().join(" "), "ping -n -D -i 0.02 -s 56 198.19.0.2");
        let short = FlowSpec { length: Some(Duration::from_secs(4)), ..ping };
        assert_eq!(short.argv().join(" "), "ping -n -D -i 0.02 -s 56 -w 4 198.19.0.2");
    }

    #[test]
    fn few_flows_wait_less_for_each_other() {
        assert_eq!(settle(Test::TCP_RR, 16), Duration::from_secs(1));
        assert_eq!(settle(Test::TCP_RR, 17), Duration::from_secs(3));
        assert_eq!(settle(Test::UDP_RR, 17), Duration::from_secs(2));
    }

    #[test]
    fn flows_that_end_by_themselves_outlast_what_is_measured() {
        let (hold, interval) = (Duration::from_millis(37_500), Duration::from_millis(500));
        let length = |test, flows| length(test, hold, interval, flows);
        assert_eq!(length(Test::UDP_RR, 4), Some(Duration::from_secs(42)));
        assert_eq!(length(Test::UDP_RR, 10_000), Some(Duration::from_secs(48)));
        assert_eq!(length(Test::TCP_RR, 4), None);
    }

    #[test]
    fn control_and_data_addresses_go_to_their_own_options() {
        let words = flow().argv();
        let (global, own) = words.split_at(words.iter().position(|w| w == "--").unwrap());
        assert_eq!(global.join(" "), "netperf -H 198.18.0.2 -p 12865 -t TCP_RR -l 0 -s 3 -D -0.5 -P 0");
        assert!(own.join(" ").starts_with("-- -H 198.19.0.2 -r 1,100 -k THROUGHPUT,"));
    }

    #[test]
    fn a_result_that_netperf_left_out_is_noticed() {
        let mut raw = RawFlow {
            flow: 1,
            guest: 1,
            intervals: vec![],
            result: SELECTORS.map(|key| (key.to_string(), "1".to_string())).into(),
            exit_code: Some(0),
            messages: String::new(),
            round_trips: vec![],
        };
        assert!(missing_selectors(&raw).is_empty());
        raw.result.remove("P99_LATENCY");
        assert_eq!(missing_selectors(&raw), ["P99_LATENCY"]);
    }
}
