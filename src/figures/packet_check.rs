//! The packet check: can what the host counted be what netperf says it did?
//!
//! Asked of all guests together, and of each measured guest, so that flows booked to the wrong one are found out: requests
//! and responses and pings by packets, streams by bytes. What can be true of them is in `packet_bounds`.

use super::packet_bounds::{Party, credible, work};
use super::packet_count::PacketCount;
use super::{FlowFigures, GuestFigures, Numbers, Reason, TotalFigures, flow, guest};
use crate::profile::{Test, Unit};
use crate::raw::RawTrial;

/// Transactions of each flow below which a guest by itself is not judged: it hardly moved, and what opens and closes its
/// connections would decide.
const FEWEST: f64 = 100.0;
/// The same of streams, 10^6 bits.
const FEWEST_MEGABITS: f64 = 8.0;
/// Packets of each flow and direction that a guest's own connections and neighbours may take beside its transactions: netperf's
/// two connections are opened and closed, and its control connection may use the same link. Over all guests, with all their
/// transactions, they do not show.
const BESIDE: f64 = 20.0;

/// Packets that the host counted per transaction and direction of all guests; bytes per byte of payload of a stream. `raw`
/// has the rates of what arrived.
pub(super) fn ratio(raw: &RawTrial) -> Option<f64> {
    of_work(raw, PacketCount::add_up(raw, |_| true)?, work(raw.flows.iter()))
}

fn of_work(raw: &RawTrial, counted: PacketCount, work: f64) -> Option<f64> {
    let counted = match raw.configuration.test {
        Test::TCP_RR | Test::UDP_RR | Test::TCP_CRR | Test::PING => {
            (counted.from_target.packets + counted.to_target.packets) as f64 / 2.0
        }
        Test::TCP_STREAM | Test::UDP_STREAM => counted.to_target.bytes as f64 * 8e-6,
        Test::TCP_MAERTS => counted.from_target.bytes as f64 * 8e-6,
    };
    (work > 0.0).then(|| counted / work)
}

/// What the host says against netperf: of all guests, or, if these agree together, of each that does not.
///
/// Not judged are requests and responses that do not each fit one packet: beyond that, offloads decide what counts as one.
pub(super) fn judge(raw: &RawTrial, numbers: &Numbers) -> Vec<Reason> {
    let all = of_all(raw, &numbers.flows, &numbers.total);
    let measured: Vec<&GuestFigures> = numbers.guests.iter().filter(|guest| guest.is_measured()).collect();
    // A single guest is all of them.
    if all.is_some() || measured.len() < 2 {
        return all.into_iter().collect();
    }
    measured.iter().filter_map(|guest| of_guest(raw, &numbers.flows, guest.guest)).collect()
}

fn of_all(raw: &RawTrial, flows: &[FlowFigures], total: &TotalFigures) -> Option<Reason> {
    let party = Party::gather(raw, flows, None);
    let (least, most) = credible(&party, total.retransmissions, total.loss_percent)?;
    // A few pings each second are no more than what neighbours say to each other.
    let beside = if raw.configuration.test.is_ping() { BESIDE / per_flow(&party) } else { 0.0 };
    disagreement(raw, None, total.packet_check_ratio?, (least, most + beside))
}

/// By its own flows and counters, with what connections take beside their transactions.
fn of_guest(raw: &RawTrial, flows: &[FlowFigures], number: u32) -> Option<Reason> {
    let party = Party::gather(raw, flows, Some(number));
    let per_flow = per_flow(&party);
    let (fewest, beside) = match raw.configuration.test.unit() {
        Unit::Transactions | Unit::RoundTrips => (FEWEST, BESIDE / per_flow),
        Unit::Megabits => (FEWEST_MEGABITS, 0.0),
    };
    let retransmissions = flow::retransmissions_of(party.flows.iter().map(|(_, flow)| *flow));
    let figures: Vec<&FlowFigures> = party.flows.iter().map(|(_, flow)| *flow).collect();
    let loss_percent = guest::loss_percent(raw, &figures, |flow| flow.guest == number);
    let (least, most) = credible(&party, retransmissions, loss_percent)?;
    let ratio = of_work(raw, PacketCount::add_up(raw, |guest| guest == number)?, party.work())?;
    disagreement(raw, Some(number), ratio, (least, most + beside)).filter(|_| per_flow >= fewest)
}

fn per_flow(party: &Party) -> f64 {
    party.work() / party.flows.len() as f64
}

fn disagreement(raw: &RawTrial, guest: Option<u32>, ratio: f64, (least, most): (f64, f64)) -> Option<Reason> {
    let of = match raw.configuration.test.unit() {
        Unit::Megabits => "bytes per byte of payload",
        Unit::Transactions => "packets per transaction and direction",
        Unit::RoundTrips => "packets per answered ping and direction",
    };
    let expected = match raw.configuration.test {
        Test::TCP_RR | Test::UDP_RR | Test::PING if raw.configuration.burst == 0 => "1".into(),
        _ => format!("{least:.2} to {most:.2}"),
    };
    (!(least..=most).contains(&ratio)).then_some(Reason::PacketCheck {
        guest,
        ratio,
        of: of.into(),
        expected,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{TrialFigures, fixture};
    use crate::profile::Configuration;

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
        let numbers =
            TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers");
        judge(&raw, &numbers).first().map(Reason::to_string)
    }

    fn rr(p99_us: f64, p90_us: f64, factor: f64) -> bool {
        let latencies = [("P99_LATENCY", p99_us), ("P90_LATENCY", p90_us)];
        told(fixture::configuration("virtio", 1), &latencies, factor).is_none()
    }

    fn configuration_with(test: Test) -> Configuration {
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
        assert_eq!(told(configuration_with(Test::UDP_RR), &sent(1750.0), 1.0), None);
        assert!(told(configuration_with(Test::UDP_RR), &sent(1750.0), 1.2).is_some());
        assert_eq!(told(configuration_with(Test::UDP_RR), &sent(2100.0), 1.2), None);
        assert!(told(configuration_with(Test::UDP_RR), &sent(2100.0), 0.8).is_some());
    }

    #[test]
    fn a_connection_for_each_transaction_is_five_packets_each_way() {
        for (factor, possible) in [(1.0, false), (2.5, false), (5.0, true), (10.0, false)] {
            assert_eq!(told(configuration_with(Test::TCP_CRR), &[], factor).is_none(), possible, "{factor}");
        }
    }

    /// The fixture counts 67 bytes for each unit of work; a stream of 10^6 bits/s is 125000 bytes.
    fn streamed(test: Test, results: &[(&str, f64)], bytes_per_byte: f64) -> Option<String> {
        told(configuration_with(test), results, bytes_per_byte * 125_000.0 / 67.0)
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

    /// Two guests with two flows each of these rates, none of them slow to answer, and what a reader is told after the change.
    fn of_two(rates: [f64; 2], change: impl Fn(&mut RawTrial)) -> Vec<String> {
        let configuration = Configuration { flows: 4, ..fixture::configuration("virtio", 2) };
        let mut raw = fixture::trial(configuration, &rates);
        for flow in &mut raw.flows {
            flow.result.insert("P99_LATENCY".into(), "900".into());
        }
        change(&mut raw);
        let numbers =
            TrialFigures::compute(&raw, &fixture::timing()).numbers.expect("the fixture has numbers");
        judge(&raw, &numbers).iter().map(Reason::to_string).collect()
    }

    fn swap_a_flow(raw: &mut RawTrial) {
        raw.flows[1].guest = 2;
        raw.flows[2].guest = 1;
    }

    #[test]
    fn flows_booked_to_the_wrong_guest_are_found_out_though_the_sum_is_right() {
        assert_eq!(of_two([400.0, 1600.0], |_| ()), Vec::<String>::new());
        assert_eq!(
            of_two([400.0, 1600.0], swap_a_flow),
            [
                "guest 1: the host counted 0.40 packets per transaction and direction in place of 1",
                "guest 2: the host counted 1.60 packets per transaction and direction in place of 1",
            ]
        );
    }

    #[test]
    fn a_guest_that_hardly_moved_spoils_nothing() {
        let chatter = |raw: &mut RawTrial| {
            for sample in raw.host.iter_mut().filter(|sample| sample.at_s > fixture::START) {
                sample.targets[0].to_target_packets += 300;
            }
        };
        // Two flows of 84 transactions each, then of 2800.
        assert_eq!(of_two([12.0, 8000.0], chatter), Vec::<String>::new());
        assert_eq!(of_two([40.0, 8000.0], chatter).len(), 1);
    }

    #[test]
    fn what_opens_and_closes_connections_is_no_disagreement_of_a_slow_guest() {
        let beside = |packets: u64| {
            move |raw: &mut RawTrial| {
                for sample in raw.host.iter_mut().filter(|sample| sample.at_s > fixture::START) {
                    sample.targets[0].to_target_packets += packets;
                    sample.targets[0].from_target_packets += packets;
                }
            }
        };
        // Two flows of 140 transactions: 40 packets are more than a tenth of them.
        assert_eq!(of_two([20.0, 8000.0], beside(40)), Vec::<String>::new());
        assert_eq!(of_two([20.0, 8000.0], beside(90)).len(), 1);
    }

    #[test]
    fn bytes_of_a_guest_s_streams_are_its_own() {
        let scaled = |raw: &mut RawTrial| {
            raw.configuration.test = Test::TCP_STREAM;
            for target in raw.host.iter_mut().flat_map(|sample| &mut sample.targets) {
                target.to_target_bytes = target.to_target_bytes * 125_000 / 67;
            }
        };
        assert_eq!(of_two([400.0, 1600.0], scaled), Vec::<String>::new());
        let told = of_two([400.0, 1600.0], |raw| {
            scaled(raw);
            swap_a_flow(raw);
        });
        assert!(told[0].starts_with("guest 1: the host counted 0.40 bytes per byte of payload"), "{told:?}");
    }
}
