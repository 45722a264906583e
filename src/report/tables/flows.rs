//! The columns of `flows.csv`.

use crate::figures::{Better, FlowFigures, Need};
use crate::table::{Field, integer, real};

const REQUESTS: &[Need] = &[Need::Requests];
const PINGS: &[Need] = &[Need::Pings];

pub(super) static FLOW: [Field<FlowFigures>; 27] = [
    integer("flow", "number of the flow, from 1", |f| Some(f.flow.into())),
    integer("guest", "number of the guest that served it, from 1; 0 for bare metal", |f| {
        Some(f.guest.into())
    }),
    real("rate_tps", "transactions/s", "mean rate in the window", |f: &FlowFigures| {
        f.unit.transactions(f.rate)
    })
    .needs(REQUESTS)
    .better(Better::Higher),
    real("throughput_mbps", "Mbit/s", "payload that arrived in the window", |f: &FlowFigures| {
        f.unit.megabits(f.rate)
    })
    .needs(&[Need::Streams])
    .better(Better::Higher),
    real("transactions", "transactions", "rate × window", |f: &FlowFigures| f.unit.transactions(f.work))
        .needs(REQUESTS),
    real("window_latency_us", "µs", "mean latency in the window (Little's law)", |f: &FlowFigures| {
        netperfs(f, f.window_latency_us)
    })
    .needs(REQUESTS)
    .better(Better::Lower),
    ping("window_mean_latency_us", "mean round trip of the pings that were sent in the window", |f| f.latency.mean_us),
    ping("window_min_latency_us", "the shortest of them", |f| f.latency.min_us),
    ping("window_p50_latency_us", "their median", |f| f.latency.p50_us),
    ping("window_p90_latency_us", "their P90", |f| f.latency.p90_us),
    ping("window_p99_latency_us", "their P99; empty of fewer than 100", |f| f.latency.p99_us),
    ping("window_max_latency_us", "the longest of them", |f| f.latency.max_us),
    ping("window_sd_latency_us", "their standard deviation", |f| f.latency.sd_us),
    integer("pings_sent", "pings that were sent in the window", |f: &FlowFigures| {
        f.pings.map(|pings| pings.sent as i64)
    })
    .needs(PINGS),
    integer("pings_lost", "those of them without an answer until the end of the flow", |f: &FlowFigures| {
        f.pings.map(|pings| pings.lost as i64)
    })
    .needs(PINGS)
    .better(Better::Lower),
    netperf("whole_flow_min_latency_us", "netperf's shortest transaction, warm-up included", |f| netperfs(f, f.latency.min_us)),
    netperf("whole_flow_mean_latency_us", "netperf's mean latency, warm-up included", |f| netperfs(f, f.latency.mean_us)),
    netperf("whole_flow_p50_latency_us", "netperf's median latency, warm-up included", |f| netperfs(f, f.latency.p50_us)),
    netperf("whole_flow_p90_latency_us", "netperf's P90, warm-up included", |f| netperfs(f, f.latency.p90_us)),
    netperf("whole_flow_p99_latency_us", "netperf's P99, warm-up included", |f| netperfs(f, f.latency.p99_us)),
    netperf("whole_flow_max_latency_us", "netperf's longest transaction, warm-up included", |f| netperfs(f, f.latency.max_us)),
    netperf("whole_flow_sd_latency_us", "netperf's standard deviation, warm-up included", |f| netperfs(f, f.latency.sd_us)),
    integer(
        "whole_flow_retransmissions",
        "TCP retransmissions of both ends, warm-up included",
        |f: &FlowFigures| f.retransmissions.map(|count| count as i64),
    )
    .needs(&[Need::Tcp])
    .better(Better::Lower),
    real(
        "whole_flow_loss_percent",
        "%",
        "datagrams that did not arrive, warm-up included",
        |f: &FlowFigures| netperfs(f, f.loss_percent),
    )
    .needs(&[Need::UdpStreams])
    .better(Better::Lower),
    real(
        "longest_stall_s",
        "s",
        "longest time without progress that overlaps the window, at most; netperf's longest transaction bounds it",
        |f: &FlowFigures| Some(f.longest_stall_s),
    )
    .better(Better::Lower),
    real(
        "stalled_s",
        "s",
        "time in the window in which it completed nothing for a second or more, at least",
        |f: &FlowFigures| Some(f.stalled_s),
    )
    .better(Better::Lower),
    real("coverage_percent", "%", "part of the window that interim results cover", |f| {
        Some(f.coverage_percent)
    }),
];

const fn netperf(
    column: &'static str,
    meaning: &'static str,
    read: fn(&FlowFigures) -> Option<f64>,
) -> Field<FlowFigures> {
    real(column, "µs", meaning, read).needs(REQUESTS).better(Better::Lower)
}

/// What is of the whole flow: not of pings.
fn netperfs(flow: &FlowFigures, value: Option<f64>) -> Option<f64> {
    value.filter(|_| flow.unit.is_result())
}

const fn ping(
    column: &'static str,
    meaning: &'static str,
    read: fn(&FlowFigures) -> Option<f64>,
) -> Field<FlowFigures> {
    real(column, "µs", meaning, read).needs(PINGS).better(Better::Lower)
}
