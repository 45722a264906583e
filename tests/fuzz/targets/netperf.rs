//! What the launcher and its netperfs print on the tester.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use kvmfair::load::launcher::LauncherEvent;
use kvmfair::load::{FlowSpec, parse};
use kvmfair::profile::{PingSettings, Test};
use libfuzzer_sys::fuzz_target;

fn flow(flow: u32, test: Test) -> FlowSpec {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    FlowSpec {
        flow,
        guest: flow,
        control: address,
        data: address,
        test,
        request_bytes: 1,
        response_bytes: 1,
        message_bytes: 16_384,
        burst: 0,
        ping: PingSettings::default(),
        send_buffer_bytes: None,
        interval: Duration::from_millis(500),
        settle: Duration::from_secs(1),
        length: None,
    }
}

fuzz_target!(|text: &str| {
    let flows = parse::flows(text, &[flow(1, Test::TCP_RR), flow(2, Test::TCP_STREAM), flow(3, Test::PING)]);
    assert_eq!(flows.len(), 3);
    for interval in flows.iter().flat_map(|flow| &flow.intervals) {
        assert!(interval.rate.is_finite(), "{interval:?}");
    }
    for trip in flows.iter().flat_map(|flow| &flow.round_trips) {
        assert!(trip.sent_s().is_finite() && trip.rtt_us >= 0.0, "{trip:?}");
    }
    parse::is_complete(text);
    text.lines().for_each(|line| drop(LauncherEvent::parse(line)));
});
