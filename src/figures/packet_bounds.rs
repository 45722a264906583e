//! What an independent count can be of what netperf did: the least and the largest ratio that can be true.
//!
//! Requests and responses are judged by packets, per transaction and direction:
//! - TCP_RR and UDP_RR: one, and never less. More where a receiver is slow: after 40 ms without an answer to carry it,
//!   Linux sends the acknowledgement by itself (TCP_DELACK_MIN), and what is lost is sent again. So the bound rises with
//!   the part of the transactions that took as long as that, which netperf's percentiles show, with the retransmissions
//!   of TCP, and with the requests that UDP_RR sent beyond those that were answered.
//! - TCP_RR with more than one in flight: TCP may put all of them into one packet.
//! - ping: one, with the pings beyond those that were answered and answers that came twice.
//! - TCP_CRR: five are measured (handshake, data, acknowledgement, farewell); a slow end merges or splits some.
//!
//! Streams are judged by bytes per byte of payload, because offloads decide what counts as a packet: at least the payload,
//! at most the payload in frames of the MTU, with the retransmissions, or with the datagrams that did not arrive.

use super::{FlowFigures, Latencies, final_result};
use crate::profile::{Configuration, Test};
use crate::raw::{RawFlow, RawTrial};
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
/// IPv4 and UDP headers, or those of ICMP, bytes.
const UDP_HEADERS: u32 = 28;
/// An Ethernet header with its checksum, bytes.
const ETHERNET: f64 = 18.0;
/// The shortest Ethernet frame, bytes.
const SHORTEST_FRAME: f64 = 64.0;

/// Flows that are judged together, with what netperf and the counters say of them.
pub(super) struct Party<'t> {
    /// The trial, with rates of what arrived.
    pub raw: &'t RawTrial,
    /// Its flows, raw and as figures.
    pub flows: Vec<(&'t RawFlow, &'t FlowFigures)>,
}

impl Party<'_> {
    /// Those of one guest, or all.
    pub fn gather<'t>(raw: &'t RawTrial, flows: &'t [FlowFigures], guest: Option<u32>) -> Party<'t> {
        let own = |(_, flow): &(&RawFlow, &FlowFigures)| guest.is_none_or(|guest| flow.guest == guest);
        Party { raw, flows: raw.flows.iter().zip(flows).filter(own).collect() }
    }

    /// What netperf did in whole flows: transactions, or 10^6 bits that arrived.
    pub fn work(&self) -> f64 {
        work(self.flows.iter().map(|(raw, _)| *raw))
    }
}

/// What netperf or ping did in some whole flows: transactions, answered pings, or 10^6 bits that arrived.
pub(super) fn work<'t>(flows: impl Iterator<Item = &'t RawFlow>) -> f64 {
    let of_flow = |flow: &RawFlow| match flow.round_trips.len() {
        0 => stats::total(flow.intervals.iter().map(|interval| interval.rate * interval.length_s)),
        answered => answered as f64,
    };
    stats::total(flows.map(of_flow))
}

/// The least and the largest ratio that can be true of a party whose TCP sent so many segments again, and which lost so many
/// of its datagrams, %. `None` of requests and responses that do not each fit one packet.
pub(super) fn credible(
    party: &Party,
    retransmissions: Option<u64>,
    loss_percent: Option<f64>,
) -> Option<(f64, f64)> {
    let configuration = &party.raw.configuration;
    let fits = |headers| {
        configuration.request_bytes.max(configuration.response_bytes)
            <= configuration.mtu.saturating_sub(headers)
    };
    let in_flight = f64::from(configuration.in_flight());
    match configuration.test {
        Test::TCP_RR => fits(HEADERS).then(|| ((1.0 - SLACK) / in_flight, 1.0 + SLACK + extra(party))),
        Test::UDP_RR => fits(UDP_HEADERS).then(|| (1.0 - SLACK, 1.0 + SLACK + unanswered(party))),
        Test::PING => (configuration.ping.payload_bytes <= configuration.mtu.saturating_sub(UDP_HEADERS))
            .then(|| (1.0 - SLACK, 1.0 + SLACK + unanswered(party))),
        Test::TCP_CRR => fits(HEADERS).then_some(CONNECTION),
        Test::TCP_STREAM | Test::TCP_MAERTS => {
            Some((1.0 - STREAM_SLACK, tcp_bytes(party, retransmissions.unwrap_or(0))))
        }
        Test::UDP_STREAM => udp_bytes(configuration, loss_percent?),
    }
}

/// Packets per transaction and direction beyond the first that slow receivers and losses explain.
fn extra(party: &Party) -> f64 {
    let flows = || party.flows.iter().map(|(_, flow)| flow);
    let transactions: f64 = flows().map(|flow| flow.work).sum();
    let acknowledgements: f64 = flows().map(|flow| slow_part(&flow.latency) * flow.work).sum();
    // A retransmission is a packet, and so is the answer to one that was not needed.
    let again: f64 = flows().filter_map(|flow| flow.retransmissions).map(|n| 2.0 * n as f64).sum();
    if transactions > 0.0 { (acknowledgements + again) / transactions } else { 0.0 }
}

/// The largest part of a flow's transactions that can have taken as long as a delayed acknowledgement.
fn slow_part(latency: &Latencies) -> f64 {
    let quick = |percentile: Option<f64>| percentile.is_some_and(|us| us < DELAYED_ACK_US);
    match () {
        () if quick(latency.p99_us) => 0.01,
        () if quick(latency.p90_us) => 0.10,
        () if quick(latency.p50_us) => 0.50,
        () => 1.0,
    }
}

/// Requests in datagrams, or pings, beyond those that were answered, per transaction.
fn unanswered(party: &Party) -> f64 {
    let count = |key| stats::total(party.flows.iter().filter_map(|(raw, _)| final_result::result(raw, key)));
    let sent = ["LOCAL_SEND_CALLS", "TRANSMITTED", "DUPLICATES"].into_iter().map(count);
    let (sent, answered) = (stats::total(sent), party.work());
    if answered > 0.0 { (sent / answered - 1.0).max(0.0) } else { 0.0 }
}

/// Frames of the MTU, each send in packets of its own, and everything that was sent again.
fn tcp_bytes(party: &Party, retransmissions: u64) -> f64 {
    let configuration = &party.raw.configuration;
    let segment = f64::from(configuration.mtu.saturating_sub(HEADERS).max(1));
    let message = f64::from(configuration.message_bytes);
    let around = f64::from(HEADERS) + ETHERNET;
    let again = retransmissions as f64 * (segment + around) * 8e-6;
    let work = party.work();
    let again = if work > 0.0 { again / work } else { 0.0 };
    1.0 + STREAM_SLACK + around * (message / segment).ceil() / message + again
}

/// Between the datagrams that arrived and all that were sent, each in as many packets as the MTU makes of it.
fn udp_bytes(configuration: &Configuration, loss_percent: f64) -> Option<(f64, f64)> {
    let message = f64::from(configuration.message_bytes);
    let room = f64::from(configuration.mtu.saturating_sub(20).max(8));
    let fragments = ((message + 8.0) / room).ceil();
    let shortest = message + 8.0 + 20.0 * fragments;
    let longest = (shortest + ETHERNET * fragments).max(SHORTEST_FRAME);
    let arrived = 1.0 - loss_percent / 100.0;
    (arrived > 0.0).then(|| {
        ((1.0 - STREAM_SLACK) * shortest / message, (1.0 + STREAM_SLACK) * longest / message / arrived)
    })
}
