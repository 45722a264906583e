//! The judgement of the independent witness: can the packets that the host counted be those of netperf's transactions?
//!
//! One transaction is one packet each way, and never less. It is more where a receiver is slow: after 40 ms without an
//! answer to carry it, Linux sends the acknowledgement by itself (TCP_DELACK_MIN), and what is lost is sent again. So the
//! bound rises with the part of the transactions that took as long as that, which netperf's percentiles tell, and with
//! the retransmissions.

use super::{FlowFigures, NetperfLatency, Reason, TotalFigures};
use crate::profile::Configuration;

/// Packets per transaction and direction that may be missing or too many in any case: connections are opened and closed,
/// neighbours are looked up.
const SLACK: f64 = 0.1;
/// Linux's shortest delay of an acknowledgement, µs.
const DELAYED_ACK_US: f64 = 40_000.0;
/// IPv4 and TCP headers with timestamps, bytes: what the MTU loses to them is no room for a message.
const HEADERS: u32 = 52;

/// Judged only where a request and a response each fit one packet: beyond that, offloads decide what counts as one.
pub(super) fn judge(
    configuration: &Configuration,
    flows: &[FlowFigures],
    total: &TotalFigures,
) -> Option<Reason> {
    let largest = configuration.request_bytes.max(configuration.response_bytes);
    let ratio = total.witness_ratio?;
    let possible = (1.0 - SLACK)..=(1.0 + SLACK + extra(flows));
    (largest <= configuration.mtu.saturating_sub(HEADERS) && !possible.contains(&ratio))
        .then_some(Reason::Witness { ratio })
}

/// Packets per transaction and direction beyond the first that slow receivers and losses explain.
fn extra(flows: &[FlowFigures]) -> f64 {
    let transactions: f64 = flows.iter().map(|flow| flow.transactions).sum();
    let acknowledgements: f64 = flows.iter().map(|flow| slow_part(&flow.latency) * flow.transactions).sum();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};

    /// A trial of one guest whose flows have this P99 and P90, and whose host counted so many packets for each transaction.
    fn judged(p99_us: &str, p90_us: &str, ratio: f64) -> Option<Reason> {
        let mut raw = fixture::trial(fixture::configuration("virtio", 1), &[1000.0, 1000.0]);
        for flow in &mut raw.flows {
            flow.result.insert("P99_LATENCY".into(), p99_us.into());
            flow.result.insert("P90_LATENCY".into(), p90_us.into());
        }
        let figures = TrialFigures::of(&raw, &fixture::timing());
        let numbers = figures.numbers.expect("the fixture has numbers");
        let total = TotalFigures { witness_ratio: Some(ratio), ..numbers.total };
        judge(&raw.configuration, &numbers.flows, &total)
    }

    #[test]
    fn quick_transactions_are_one_packet_each_way() {
        assert_eq!(judged("900", "500", 1.0), None);
        assert_eq!(judged("900", "500", 1.2), Some(Reason::Witness { ratio: 1.2 }));
    }

    #[test]
    fn slow_receivers_may_acknowledge_by_themselves() {
        assert_eq!(judged("90000", "30000", 1.15), None);
        assert_eq!(judged("90000", "30000", 1.4), Some(Reason::Witness { ratio: 1.4 }));
        assert_eq!(judged("300000", "90000", 1.4), None);
    }

    #[test]
    fn fewer_packets_than_transactions_are_never_possible() {
        assert_eq!(judged("300000", "90000", 0.8), Some(Reason::Witness { ratio: 0.8 }));
    }
}
