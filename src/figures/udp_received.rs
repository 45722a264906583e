//! What arrived of a UDP stream: netperf's interim results are the sender's, and nobody slows a UDP sender down.
//!
//! The receiver's count comes once, at the end of each flow. So a flow's rate is the sender's rate in the window × the
//! part of the whole flow that the receiver's netserver got; how the loss was spread over the flow's life is not known.
//! The packets that the host counted would not do: a guest that is too slow loses datagrams after that, in its socket.

use std::borrow::Cow;

use super::final_result::result;
use crate::profile::{Configuration, Test};
use crate::raw::{RawFlow, RawTrial};
use crate::stats;

/// The trial with rates of what arrived. A flow without a final result counts as zero: nobody knows what arrived of it.
pub(super) fn received(raw: &RawTrial) -> Cow<'_, RawTrial> {
    if raw.configuration.test != Test::UDP_STREAM {
        return Cow::Borrowed(raw);
    }
    let mut received = raw.clone();
    for flow in &mut received.flows {
        let part = part(&raw.configuration, flow).unwrap_or(0.0);
        flow.intervals.iter_mut().for_each(|interval| interval.rate *= part);
    }
    Cow::Owned(received)
}

/// Datagrams that a flow sent and that arrived; `None` of other tests and without a final result.
pub(super) fn datagrams(configuration: &Configuration, flow: &RawFlow) -> Option<(f64, f64)> {
    let sent = result(flow, "LOCAL_SEND_CALLS").filter(|_| configuration.test == Test::UDP_STREAM)?;
    Some((sent, result(flow, "REMOTE_RECV_CALLS")?))
}

/// What arrived ÷ what the interim results say was sent: they also count sends that the sender's own kernel refused.
fn part(configuration: &Configuration, flow: &RawFlow) -> Option<f64> {
    let (_, arrived) = datagrams(configuration, flow)?;
    let reported = stats::total(flow.intervals.iter().map(|interval| interval.rate * interval.length_s));
    let megabits = arrived * 8.0 * f64::from(configuration.message_bytes) / 1e6;
    (reported > 0.0).then(|| megabits / reported)
}
