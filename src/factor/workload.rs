//! Factors of the load: what is measured, and what runs beside it.

use super::background::Background;
use super::bounds::bounded;
use super::descriptor::{Change, Descriptor, Kind, Phrase, Scope};
use super::fault::{Fault, list, nearest};
use super::field::field;
use super::names::Factor;
use super::test::Test;
use super::value::Value;
use crate::units::{MIB, Size};

/// netperf tests that a later version may run.
const PLANNED_TESTS: [&str; 3] = ["SCTP_RR", "SCTP_STREAM", "TCP_SENDFILE"];
/// Largest request, response or send, bytes: netperf keeps a ring of such buffers for each flow.
const LARGEST_MESSAGE: u64 = 16 * MIB;
/// Most transactions in flight beyond the first: small ones still fit into the socket buffers.
const LARGEST_BURST: u32 = 1000;

/// One descriptor for each.
pub(super) static FACTORS: [Descriptor; 8] = [
    Descriptor {
        factor: Factor::Test,
        home: "workload.test",
        key: "test",
        column: "test",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Text(test),
        phrase: Phrase::Itself,
        store: field!(test),
    },
    Descriptor {
        factor: Factor::Flows,
        home: "workload.flows",
        key: "flows",
        column: "flows",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Number(|number| bounded(number, 1, 10_000, "flows")),
        phrase: Phrase::Count("flow"),
        store: field!(flows),
    },
    Descriptor {
        factor: Factor::Request,
        home: "workload.request",
        key: "request",
        column: "request_bytes",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Size(|bytes| message_size("request", bytes)),
        phrase: Phrase::Before("B request"),
        store: field!(request_bytes),
    },
    Descriptor {
        factor: Factor::Response,
        home: "workload.response",
        key: "response",
        column: "response_bytes",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Size(|bytes| message_size("response", bytes)),
        phrase: Phrase::Before("B response"),
        store: field!(response_bytes),
    },
    Descriptor {
        factor: Factor::Message,
        home: "workload.message",
        key: "message",
        column: "message_bytes",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Size(|bytes| message_size("message", bytes)),
        phrase: Phrase::Before("B message"),
        store: field!(message_bytes),
    },
    Descriptor {
        factor: Factor::Burst,
        home: "workload.burst",
        key: "burst",
        column: "burst",
        scope: Scope::Load,
        change: Change::Trial,
        kind: Kind::Number(burst),
        phrase: Phrase::Own(|c| format!("{} in flight", c.in_flight())),
        store: field!(burst),
    },
    Descriptor {
        factor: Factor::Background,
        home: "group.role",
        key: "background",
        column: "background",
        scope: Scope::Group,
        change: Change::Trial,
        kind: Kind::Text(background),
        phrase: Phrase::Own(|c| background_in_words(c.background).into()),
        store: field!(background),
    },
    Descriptor {
        factor: Factor::GroupLimits,
        home: "group.limits",
        key: "group_limits",
        column: "group_limits",
        scope: Scope::Group,
        change: Change::Live,
        kind: Kind::Switch,
        phrase: Phrase::Own(|c| match c.group_limits {
            Some(false) => "groups without limits".into(),
            _ => "groups with their limits".into(),
        }),
        store: field!(group_limits),
    },
];

fn test(name: &str) -> Result<Value, Fault> {
    let names = Test::ALL.map(|test| test.to_string());
    let names = names.each_ref().map(String::as_str);
    let hint = format!("this version runs {}", list(&names));
    if let Some(test) = Test::ALL.into_iter().find(|test| test.to_string() == name) {
        return Ok(Value::Test(test));
    }
    match name {
        name if PLANNED_TESTS.contains(&name) => {
            Err(Fault::new(format!("test `{name}` is not supported yet"), "for a later version", hint))
        }
        name => {
            let near = nearest(name, names.into_iter().chain(PLANNED_TESTS));
            let hint = near.map_or(hint, |near| format!("did you mean `{near}`?"));
            Err(Fault::new(format!("unknown netperf test `{name}`"), "no such test", hint))
        }
    }
}

fn message_size(key: &str, bytes: u64) -> Result<Value, Fault> {
    if bytes == 0 {
        let never = if key == "message" { "moves nothing" } else { "is never answered" };
        let message = format!("a {key} of 0 bytes {never}");
        return Err(Fault::new(message, "at least 1 B", format!("write {key} = \"1 B\" for the smallest")));
    }
    if bytes > LARGEST_MESSAGE {
        let message = format!("a {key} of {} is too large", Size(bytes));
        return Err(Fault::new(message, "", format!("use at most \"{}\"", Size(LARGEST_MESSAGE))));
    }
    Ok(Value::Number(bytes as u32))
}

fn burst(number: u32) -> Result<Value, Fault> {
    bounded(number, 0, LARGEST_BURST, "transactions in flight beyond the first")
}

fn background(name: &str) -> Result<Value, Fault> {
    let level = Background::NAMED.into_iter().find(|level| level.to_string() == name);
    level.map(Value::Background).ok_or_else(|| {
        let hint = "the levels are `none`, `cpu-burner`, `net-load` and `paced`";
        Fault::new(format!("unknown background `{name}`"), "no such load", hint)
    })
}

fn background_in_words(background: Background) -> &'static str {
    match background {
        Background::AsWritten | Background::None => "no background",
        Background::CpuBurner => "CPU background",
        Background::NetLoad => "network background",
        Background::Paced => "paced background",
    }
}
