//! One netperf as a vector of words. Pure: nothing is run here, and nothing is quoted.

use std::net::IpAddr;
use std::time::Duration;

use crate::profile::Test;
use crate::sample::RawFlow;

/// The port on which every netserver listens.
pub const CONTROL_PORT: u16 = 12865;

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
pub const SETTLE: Duration = Duration::from_secs(3);

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
    /// What netperf does.
    pub test: Test,
    /// Request size, bytes.
    pub request_bytes: u32,
    /// Response size, bytes.
    pub response_bytes: u32,
    /// Time between two interim results.
    pub interval: Duration,
}

impl FlowSpec {
    /// netperf's command line. It runs until SIGINT.
    pub fn argv(&self) -> Vec<String> {
        let data = self.data.to_string();
        vec![
            "netperf".into(),
            "-H".into(),
            self.control.to_string(),
            "-p".into(),
            CONTROL_PORT.to_string(),
            "-t".into(),
            self.test.to_string(),
            "-l".into(),
            "0".into(), // without a timer of netserver's: it ends when told
            "-s".into(),
            seconds(SETTLE),
            "-D".into(),
            format!("-{}", seconds(self.interval)), // negative: by the clock, not by a guess of work per interval
            "-P".into(),
            "0".into(),
            "--".into(),
            "-H".into(),
            data,
            "-r".into(),
            format!("{},{}", self.request_bytes, self.response_bytes),
            "-k".into(),
            SELECTORS.join(","),
        ]
    }
}

/// The final results that a flow did not give although netperf ended well. Not empty: this netperf is not the 2.7 that
/// the figures need.
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
            interval: Duration::from_millis(500),
        }
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
        };
        assert!(missing_selectors(&raw).is_empty());
        raw.result.remove("P99_LATENCY");
        assert_eq!(missing_selectors(&raw), ["P99_LATENCY"]);
    }
}
