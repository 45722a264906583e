//! The independent witness: can what the host counted be what netperf says it did?
//!
//! Requests and responses are judged by packets, per transaction and direction:
//! - TCP_RR and UDP_RR: one, and never less. More where a receiver is slow: after 40 ms without an answer to carry it,
//!   Linux sends the acknowledgement by itself (TCP_DELACK_MIN), and what is lost is sent again. So the bound rises with
//!   the part of the transactions that took as long as that, which netperf's percentiles tell, with the retransmissions
//!   of TCP, and with the requests that UDP_RR sent beyond those that were answered.
//! - TCP_RR with more than one in flight: TCP may put all of them into one packet.
//! - TCP_CRR: five are measured (handshake, data, acknowledgement, farewell); a slow end merges or splits some.
//!
//! Streams are judged by bytes per byte of payload, because offloads decide what counts as a packet: at least the payload,
//! at most the payload in frames of the MTU, with the retransmissions, or with the datagrams that did not arrive.

use super::counted::Counted;
use super::{FlowFigures, NetperfLatency, Reason, TotalFigures, flow};
use crate::profile::{Configuration, Test};
use crate::sample::RawTrial;
use crate::stats;

/// Packets per transaction and direction that may be missing or too many in any case: connections are opened and closed,
/// neighbours are looked up.
const SLACK: f64 = 0.1;
/// Part of a stream's bytes that may be missing, for the same reasons and for headers that a counter leaves out.
const STREAM_SLACK: f64 = 0.05;
/// Packets per transaction and direction of TCP_CRR.
const CONNECTION: (f64, f64) = (3.0, 7.0);
/// Linux's shortest delay of an acknowledgement, µs.
const DELAYED_ACK_US: f64 = 40_000.0;
/// IPv4 and TCP headers with timestamps, bytes: what the MTU loses to them is no room for a message.
const HEADERS: u32 = 52;
/// IPv4 and UDP headers, bytes.
const UDP_HEADERS: u32 = 28;
/// An Ethernet header with its checksum, bytes.
const ETHERNET: f64 = 18.0;
/// The shortest Ethernet frame, bytes.
const SHORTEST_FRAME: f64 = 64.0;

/// Packets that the host counted per transaction and direction; bytes per byte of payload of a stream. `raw` has the
/// rates of what arrived.
pub(super) fn ratio(raw: &RawTrial) -> Option<f64> {
    let counted = Counted::of(raw)?;
    let work = work(raw);
    let counted = match raw.configuration.test {
        Test::TCP_RR | Test::UDP_RR | Test::TCP_CRR => {
            (counted.from_target.packets + counted.to_target.packets) as f64 / 2.0
        }
        Test::TCP_STREAM | Test::UDP_STREAM => counted.to_target.bytes as f64 * 8e-6,
        Test::TCP_MAERTS => counted.from_target.bytes as f64 * 8e-6,
    };
    (work > 0.0).then(|| counted / work)
}

/// What netperf did in whole flows: transactions, or 10^6 bits that arrived.
fn work(raw: &RawTrial) -> f64 {
    let intervals = raw.flows.iter().flat_map(|flow| &flow.intervals);
    stats::total(intervals.map(|interval| interval.rate * interval.length_s))
}

/// Not judged are requests and responses that do not each fit one packet: beyond that, offloads decide what counts as one.
pub(super) fn judge(raw: &RawTrial, flows: &[FlowFigures], total: &TotalFigures) -> Option<Reason> {
    let ratio = total.witness_ratio?;
    let (least, most) = possible(raw, flows, total)?;
    let streams = raw.configuration.test.is_stream();
    let of = if streams { "bytes per byte of payload" } else { "packets per transaction and direction" };
    let expected = match raw.configuration.test {
        Test::TCP_RR | Test::UDP_RR if raw.configuration.burst == 0 => "1".into(),
        _ => format!("{least:.2} to {most:.2}"),
    };
    (!(least..=most).contains(&ratio)).then_some(Reason::Witness { ratio, of, expected })
}

/// The least and the largest ratio that can be true.
fn possible(raw: &RawTrial, flows: &[FlowFigures], total: &TotalFigures) -> Option<(f64, f64)> {
    let configuration = &raw.configuration;
    let fits = |headers| {
        configuration.request_bytes.max(configuration.response_bytes)
            <= configuration.mtu.saturating_sub(headers)
    };
    let in_flight = f64::from(configuration.in_flight());
    match configuration.test {
        Test::TCP_RR => fits(HEADERS).then(|| ((1.0 - SLACK) / in_flight, 1.0 + SLACK + extra(flows))),
        Test::UDP_RR => fits(UDP_HEADERS).then(|| (1.0 - SLACK, 1.0 + SLACK + unanswered(raw))),
        Test::TCP_CRR => fits(HEADERS).then_some(CONNECTION),
        Test::TCP_STREAM | Test::TCP_MAERTS => Some((1.0 - STREAM_SLACK, tcp_bytes(raw, total))),
        Test::UDP_STREAM => udp_bytes(configuration, total),
    }
}

/// Packets per transaction and direction beyond the first that slow receivers and losses explain.
fn extra(flows: &[FlowFigures]) -> f64 {
    let transactions: f64 = flows.iter().map(|flow| flow.work).sum();
    let acknowledgements: f64 = flows.iter().map(|flow| slow_part(&flow.latency) * flow.work).sum();
    // A retransmission is a packet, and so is the answer to one that was not needed.
    let again: f64 = flows.iter().filter_map(|flow| flow.retransmissions).map(|n| 2.0 * n as f64).sum();
    if transactions > 0.0 { (acknowledgements + again) / transactions } else { 0.0 }
}

/// The largest part of a flow's transactions that can have taken as long as a delayed acknowledgement.
fn slow_part(latency: &NetperfLatency) -> f64 {
    let quick = |percentile: Option<f64>| percentile.is_some_and(|us| us < DELAYED_ACK_US);
    match () {
        () if quick(latency.p99_us) => 0.01,
        () if quick(latency.p90_us) => 0.10,
        () if quick(latency.p50_us) => 0.50,
        () => 1.0,
    }
}

/// Requests in datagrams beyond those that were answered, per transaction.
fn unanswered(raw: &RawTrial) -> f64 {
    let sent = stats::total(raw.flows.iter().filter_map(|raw| flow::result(raw, "LOCAL_SEND_CALLS")));
    let answered = work(raw);
    if answered > 0.0 { (sent / answered - 1.0).max(0.0) } else { 0.0 }
}

/// Frames of the MTU, each send in packets of its own, and everything that was sent again.
fn tcp_bytes(raw: &RawTrial, total: &TotalFigures) -> f64 {
    let segment = f64::from(raw.configuration.mtu.saturating_sub(HEADERS).max(1));
    let message = f64::from(raw.configuration.message_bytes);
    let around = f64::from(HEADERS) + ETHERNET;
    let again = total.retransmissions.unwrap_or(0) as f64 * (segment + around) * 8e-6;
    let work = work(raw);
    let again = if work > 0.0 { again / work } else { 0.0 };
    1.0 + STREAM_SLACK + around * (message / segment).ceil() / message + again
}

/// Between the datagrams that arrived and all that were sent, each in as many packets as the MTU makes of it.
fn udp_bytes(configuration: &Configuration, total: &TotalFigures) -> Option<(f64, f64)> {
    let message = f64::from(configuration.message_bytes);
    let room = f64::from(configuration.mtu.saturating_sub(20).max(8));
    let fragments = ((message + 8.0) / room).ceil();
    let shortest = message + 8.0 + 20.0 * fragments;
    let longest = (shortest + ETHERNET * fragments).max(SHORTEST_FRAME);
    let arrived = 1.0 - total.loss_percent? / 100.0;
    (arrived > 0.0).then(|| {
        ((1.0 - STREAM_SLACK) * shortest / message, (1.0 + STREAM_SLACK) * longest / message / arrived)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};

    /// A trial of one guest with these final results of each flow, whose host counted `factor` times what it should.
    fn told(configuration: Configuration, results: &[(&str, f64)], factor: f64) -> Option<String> {
        let mut raw = fixture::trial(configuration, &[1000.0, 1000.0]);
        for flow in &mut raw.flows {
            flow.result.extend(results.iter().map(|(key, value)| (key.to_string(), value.to_string())));
        }
        for target in raw.host.iter_mut().flat_map(|sample| &mut sample.targets) {
            for counter in [
                &mut target.from_target_packets,
                &mut target.to_target_packets,
                &mut target.from_target_bytes,
                &mut target.to_target_bytes,
            ] {
                *counter = (*counter as f64 * factor) as u64;
            }
        }
        let numbers = TrialFigures::of(&raw, &fixture::timing()).numbers.expect("the fixture has numbers");
        judge(&raw, &numbers.flows, &numbers.total).map(|reason| reason.to_string())
    }

    fn rr(p99_us: f64, p90_us: f64, factor: f64) -> bool {
        let latencies = [("P99_LATENCY", p99_us), ("P90_LATENCY", p90_us)];
        told(fixture::configuration("virtio", 1), &latencies, factor).is_none()
    }

    fn of(test: Test) -> Configuration {
        Configuration { test, message_bytes: 1448, ..fixture::configuration("virtio", 1) }
    }

    #[test]
    fn quick_transactions_are_one_packet_each_way() {
        assert!(rr(900.0, 500.0, 1.0));
        assert!(!rr(900.0, 500.0, 1.2));
    }

    #[test]
    fn slow_receivers_may_acknowledge_by_themselves() {
        assert!(rr(90_000.0, 30_000.0, 1.15));
        assert!(!rr(90_000.0, 30_000.0, 1.4));
        assert!(rr(300_000.0, 90_000.0, 1.4));
    }

    #[test]
    fn fewer_packets_than_transactions_are_never_possible() {
        assert!(!rr(300_000.0, 90_000.0, 0.8));
    }

    #[test]
    fn several_transactions_in_flight_may_share_a_packet_but_no_more_than_there_are() {
        let burst = Configuration { burst: 3, ..fixture::configuration("virtio", 1) };
        assert_eq!(told(burst.clone(), &[], 0.3), None);
        assert_eq!(
            told(burst, &[], 0.2).unwrap(),
            "the host counted 0.20 packets per transaction and direction in place of 0.23 to 1.11"
        );
    }

    #[test]
    fn a_datagram_is_a_packet_and_a_request_without_an_answer_is_one_more() {
        let sent = |requests: f64| vec![("LOCAL_SEND_CALLS", requests)];
        // Eight flows of 1000/8 transactions/s for 14 s.
        assert_eq!(told(of(Test::UDP_RR), &sent(1750.0), 1.0), None);
        assert!(told(of(Test::UDP_RR), &sent(1750.0), 1.2).is_some());
        assert_eq!(told(of(Test::UDP_RR), &sent(2100.0), 1.2), None);
        assert!(told(of(Test::UDP_RR), &sent(2100.0), 0.8).is_some());
    }

    #[test]
    fn a_connection_for_each_transaction_is_five_packets_each_way() {
        for (factor, possible) in [(1.0, false), (2.5, false), (5.0, true), (10.0, false)] {
            assert_eq!(told(of(Test::TCP_CRR), &[], factor).is_none(), possible, "{factor}");
        }
    }

    /// The fixture counts 67 bytes for each unit of work; a stream of 10^6 bits/s is 125000 bytes.
    fn streamed(test: Test, results: &[(&str, f64)], bytes_per_byte: f64) -> Option<String> {
        told(of(test), results, bytes_per_byte * 125_000.0 / 67.0)
    }

    #[test]
    fn a_tcp_stream_is_its_payload_and_its_headers() {
        for test in [Test::TCP_STREAM, Test::TCP_MAERTS] {
            assert_eq!(streamed(test, &[], 1.0), None);
            assert_eq!(streamed(test, &[], 1.046), None);
            assert!(streamed(test, &[], 0.9).is_some());
            assert_eq!(
                streamed(test, &[], 1.2).unwrap(),
                "the host counted 1.20 bytes per byte of payload in place of 0.95 to 1.10"
            );
        }
    }

    #[test]
    fn what_tcp_sent_again_may_be_counted_too() {
        // Each flow moves 1750 Mbit, which is 151 thousand segments.
        let a_fifth = [("LOCAL_TRANSPORT_RETRANS", 30_000.0)];
        assert_eq!(streamed(Test::TCP_STREAM, &a_fifth, 1.2), None);
        assert!(streamed(Test::TCP_STREAM, &a_fifth, 1.5).is_some());
    }

    #[test]
    fn a_udp_stream_is_between_what_arrived_and_what_was_sent() {
        // 1750 Mbit of each flow are 151071 datagrams of 1448 B; three quarters arrive.
        let lossy = [("LOCAL_SEND_CALLS", 151_071.0), ("REMOTE_RECV_CALLS", 113_303.0)];
        let of_sent = |part: f64| streamed(Test::UDP_STREAM, &lossy, 1.03 * part);
        assert_eq!(of_sent(1.0), None);
        assert_eq!(of_sent(0.75), None);
        assert!(of_sent(0.65).is_some(), "fewer than arrived");
        assert!(of_sent(1.2).is_some(), "more than were sent");
    }
}
