//! Factors of the load: what is measured, and what runs beside it.

use std::time::Duration;

use super::background::Background;
use super::descriptor::{AppliedAt, Descriptor, Phrase, Scope, Store};
use super::field::field;
use super::level_kind::LevelKind;
use super::names::Factor;
use super::test::Test;
use super::value::Value;
use crate::units::MIB;

/// A request, a response or a send: netperf keeps a ring of such buffers for each flow.
const MESSAGE: LevelKind = LevelKind::Size { unit: 1, least: 1, most: 16 * MIB };
/// Most transactions in flight beyond the first: small ones still fit into the socket buffers.
const LARGEST_BURST: u32 = 1000;
/// Payload of a ping, bytes: its time of sending travels in it and takes 16; a packet of IPv4 holds no more.
const PING_PAYLOAD: LevelKind = LevelKind::Size { unit: 1, least: 16, most: 65_507 };
/// Time between two pings: below 10 ms ping waits longer than it is told to, and beyond a second a window has few of them.
const PING_INTERVAL: LevelKind = LevelKind::Time {
    unit: Duration::from_millis(1),
    least: Duration::from_millis(10),
    most: Duration::from_secs(1),
};
/// The hint beside a test that netperf has and this version does not run.
const TCP_AND_UDP: &str = "this version measures TCP, UDP and ICMP: use `TCP_RR`, `UDP_RR`, `TCP_CRR`, `TCP_STREAM`, \
                           `TCP_MAERTS`, `UDP_STREAM` or `ping`";

/// One descriptor for each.
pub(super) static FACTORS: &[Descriptor] = &[
    Descriptor {
        kind: LevelKind::Word {
            words: || Test::ALL.map(|test| test.to_string()).into(),
            level: |name| Test::ALL.into_iter().find(|test| test.to_string() == name).map(Value::Test),
            instead: &[
                ("SCTP_RR", TCP_AND_UDP),
                ("SCTP_STREAM", TCP_AND_UDP),
                ("TCP_SENDFILE", "did you mean `TCP_STREAM`?"),
                ("PING", "did you mean `ping`?"),
                ("ICMP", "did you mean `ping`?"),
            ],
        },
        about: "netperf test: \"TCP_RR\" (the default), \"UDP_RR\", \"TCP_CRR\", \"TCP_STREAM\", \"TCP_MAERTS\" or \
                \"UDP_STREAM\"; or \"ping\", round trips of ICMP at a fixed interval",
        levels: &["\"TCP_RR\"", "\"UDP_STREAM\""],
        phrase: Phrase::Itself,
        ..load(Factor::Test, "workload.test", field!(test))
    },
    Descriptor {
        kind: LevelKind::Number { least: 1, most: 10_000 },
        about: "connections, or pings, over all guests, divided evenly among them; required here or in [sweep]",
        levels: &["16", "64"],
        phrase: Phrase::Count("flow"),
        ..load(Factor::Flows, "workload.flows", field!(flows))
    },
    Descriptor {
        column: "request_bytes",
        kind: MESSAGE,
        about: "request size of TCP_RR, UDP_RR and TCP_CRR, for example \"1 B\" (the default)",
        levels: &["\"1 B\"", "\"1 KiB\""],
        phrase: Phrase::Before("B request"),
        ..load(Factor::Request, "workload.request", field!(request_bytes))
    },
    Descriptor {
        column: "response_bytes",
        kind: MESSAGE,
        about: "response size of TCP_RR, UDP_RR and TCP_CRR, for example \"1 B\" (the default)",
        levels: &["\"1 B\"", "\"1 KiB\""],
        phrase: Phrase::Before("B response"),
        ..load(Factor::Response, "workload.response", field!(response_bytes))
    },
    Descriptor {
        column: "message_bytes",
        kind: MESSAGE,
        about: "size of each send of TCP_STREAM and TCP_MAERTS (default \"64 KiB\") and of UDP_STREAM (default \"1472 B\", a \
                frame of 1518 bytes; \"18 B\" is one of 64)",
        levels: &["\"18 B\"", "\"1472 B\""],
        phrase: Phrase::Before("B message"),
        ..load(Factor::Message, "workload.message", field!(message_bytes))
    },
    Descriptor {
        kind: LevelKind::Number { least: 0, most: LARGEST_BURST },
        about: "transactions in flight beyond the first on each connection of TCP_RR and UDP_RR (default 0)",
        levels: &["0", "1", "3", "7", "15"],
        phrase: Phrase::Own(|c| format!("{} in flight", c.in_flight())),
        ..load(Factor::Burst, "workload.burst", field!(burst))
    },
    Descriptor {
        column: "ping_interval_ms",
        kind: PING_INTERVAL,
        about: "time from one ping to the next, for example \"20 ms\" (the default): 10 ms to 1 s, and at most `interval`",
        levels: &["\"20 ms\"", "\"100 ms\""],
        phrase: Phrase::Own(|c| format!("every {} ms", c.ping.interval_ms)),
        ..load(Factor::PingInterval, "workload.ping_interval", field!(ping.interval_ms))
    },
    Descriptor {
        column: "ping_payload_bytes",
        kind: PING_PAYLOAD,
        about: "what each ping carries beside its headers, for example \"56 B\" (the default): 16 to 65507 bytes",
        levels: &["\"56 B\"", "\"1472 B\""],
        phrase: Phrase::Before("B payload"),
        ..load(Factor::PingPayload, "workload.ping_payload", field!(ping.payload_bytes))
    },
    Descriptor {
        key: "background",
        column: "background",
        applied: AppliedAt::Trial,
        kind: LevelKind::Word {
            words: || Background::NAMED.map(|level| level.to_string()).into(),
            level: |name| {
                Background::NAMED.into_iter().find(|b| b.to_string() == name).map(Value::Background)
            },
            instead: &[],
        },
        about: "what the guests do whose group is not measured: \"none\", \"cpu-burner\", \"net-load\" or \"paced\"; needs a \
                [[group]]",
        levels: &["\"none\"", "\"cpu-burner\"", "\"net-load\""],
        phrase: Phrase::Own(|c| background_in_words(c.background).into()),
        ..Descriptor::new(Factor::Background, "group.role", Scope::Group, field!(background))
    },
    Descriptor {
        key: "group_limits",
        column: "group_limits",
        applied: AppliedAt::Live,
        about: "without and with the shares, quotas and caps of the groups; needs a [[group]] with some",
        levels: &["false", "true"],
        phrase: Phrase::Own(|c| match c.group_limits {
            Some(false) => "groups without limits".into(),
            _ => "groups with their limits".into(),
        }),
        ..Descriptor::new(Factor::GroupLimits, "group.limits", Scope::Group, field!(group_limits))
    },
];

const fn load(factor: Factor, home: &'static str, store: Store) -> Descriptor {
    Descriptor { applied: AppliedAt::Trial, ..Descriptor::new(factor, home, Scope::Load, store) }
}

fn background_in_words(background: Background) -> &'static str {
    match background {
        Background::AsWritten | Background::None => "no background",
        Background::CpuBurner => "CPU background",
        Background::NetLoad => "network background",
        Background::Paced => "paced background",
    }
}
