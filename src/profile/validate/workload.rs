//! What a kind of load demands of the sizes beside it, and which of them are ignored by it.

use super::factors::{Level, Levels, levels_of};
use super::{Fault, Validator};
use crate::factor::fault::list;
use crate::factor::table::WrongLevel;
use crate::profile::test::LARGEST_DATAGRAM;
use crate::profile::{Configuration, Factor, Test, Value};
use crate::units::Size;

/// The factors that only some tests use.
const PARTIAL: [Factor; 6] = [
    Factor::Request,
    Factor::Response,
    Factor::Message,
    Factor::Burst,
    Factor::PingInterval,
    Factor::PingPayload,
];

/// What the socket buffers of a connection can hold in one direction, bytes: 4 MiB to send and 6 MiB to receive are Linux'
/// most by default. netperf writes a burst before it reads: beyond that both ends may wait for each other for ever.
const BUFFERS: u64 = 10 << 20;

/// Reports what would be in flight and does not fit the socket buffers.
fn in_flight(check: &mut Validator, factors: &[Levels]) {
    let largest = |factor| levels_of(factors, factor).iter().max_by_key(|level| level.value.as_number());
    let used = levels_of(factors, Factor::Test).iter().filter_map(test).any(|test| test.heeds(Factor::Burst));
    let Some(burst) = largest(Factor::Burst).filter(|burst| used && burst.value.as_number() > 0) else {
        return;
    };
    let sizes = [Factor::Request, Factor::Response].map(|factor| (factor, largest(factor)));
    for (factor, size) in sizes {
        let Some(bytes) = size.map(|size| u64::from(size.value.as_number())) else { continue };
        let at_once = u64::from(burst.value.as_number()) + 1;
        if at_once * bytes > BUFFERS {
            check.fault(&burst.path, beyond_the_buffers(factor, at_once, bytes));
            return;
        }
    }
}

fn beyond_the_buffers(factor: Factor, at_once: u64, bytes: u64) -> Fault {
    let (key, most) = (factor.key(), (BUFFERS / bytes).saturating_sub(1));
    let message = format!("{at_once} {key}s of {} in flight do not fit the socket buffers", Size(bytes));
    let smaller = format!("a {key} of at most \"{} B\"", BUFFERS / at_once);
    let hint = match most {
        0 => format!("they hold {}: use burst = 0, or {smaller}", Size(BUFFERS)),
        most => format!("they hold {}: use burst = {most} or less, or {smaller}", Size(BUFFERS)),
    };
    Fault::new(message, "too many", hint)
}

/// Reports levels that no test uses, and those too large for a datagram.
pub(super) fn check(check: &mut Validator, factors: &[Levels]) {
    let tests: Vec<Test> = levels_of(factors, Factor::Test).iter().filter_map(test).collect();
    if tests.is_empty() {
        return; // what is wrong with them has been reported
    }
    in_flight(check, factors);
    for levels in factors.iter().filter(|levels| levels.written && PARTIAL.contains(&levels.factor)) {
        let using: Vec<Test> = tests.iter().copied().filter(|test| test.heeds(levels.factor)).collect();
        if using.is_empty() {
            let path = if levels.swept {
                format!("sweep.{}", levels.factor.key())
            } else {
                levels.factor.home().into()
            };
            check.fault(&path, ignored(levels.factor, &tests));
        } else if let (Some(udp), true) =
            (using.iter().find(|test| test.is_udp()), levels.factor != Factor::Burst)
        {
            let large = |level: &&Level| level.value.as_number() > LARGEST_DATAGRAM;
            for level in levels.levels.iter().filter(large) {
                check.fault(&level.path, beyond_a_datagram(levels.factor, *udp, &level.value));
            }
        }
    }
}

fn test(level: &Level) -> Option<Test> {
    if let Value::Test(test) = level.value { Some(test) } else { None }
}

fn ignored(factor: Factor, tests: &[Test]) -> Fault {
    let key = factor.key();
    let names: Vec<String> = tests.iter().map(Test::to_string).collect();
    let message = format!("`{key}` is ignored by {}", names.join(", "));
    let using: Vec<String> =
        Test::ALL.into_iter().filter(|test| test.heeds(factor)).map(|test| test.to_string()).collect();
    let using: Vec<&str> = using.iter().map(String::as_str).collect();
    let only_pings = tests.iter().all(|test| test.is_ping());
    let instead = match factor {
        Factor::Message | Factor::Request | Factor::Response if only_pings => "; a ping has `ping_payload`",
        Factor::Burst if only_pings => "; pings have `ping_interval`",
        Factor::Message => "; requests and responses have `request` and `response`",
        Factor::Request | Factor::Response => "; a stream has `message`",
        _ => "",
    };
    Fault::new(message, "makes no difference", format!("leave it out: it is for {}{instead}", list(&using)))
}

fn beyond_a_datagram(factor: Factor, test: Test, value: &Value) -> Fault {
    let message = format!("a {} of {value} B does not fit a datagram of {test}", factor.key());
    let hint = format!(
        "use at most \"{LARGEST_DATAGRAM} B\"; from \"1473 B\" on, an MTU of 1500 cuts it into fragments"
    );
    Fault::new(message, "too large", hint)
}

/// The configuration with the default in place of each level that is ignored by its test, so that sweeping it makes
/// no second configuration; and with the test's own size of a send if the profile names none.
pub(super) fn as_used(
    mut configuration: Configuration,
    factors: &[Levels],
) -> Result<Configuration, WrongLevel> {
    let default = Configuration::default();
    let test = configuration.test;
    for factor in PARTIAL.into_iter().filter(|factor| !test.heeds(*factor)) {
        configuration.set(factor, &default.value(factor))?;
    }
    let written = factors.iter().any(|levels| levels.factor == Factor::Message && levels.written);
    if test.is_stream() && !written {
        configuration.message_bytes = test.default_message_bytes();
    }
    Ok(configuration)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::profile::{Experiment, HostFacts, ProfileError, parse};

    fn parsed(rest: &str) -> Result<Experiment, ProfileError> {
        parsed_whole(&format!("workload.flows = 4\n{rest}"))
    }

    fn parsed_whole(rest: &str) -> Result<Experiment, ProfileError> {
        let text = format!("schema = 1\nname = \"x\"\nnetwork.backend = \"virtio\"\n{rest}");
        parse(&text, Path::new("p.toml"), HostFacts { memory_mib: 1024, cpus: 2 })
    }

    fn message(rest: &str) -> String {
        parsed(rest).expect_err("refused").diagnostics[0].message.clone()
    }

    #[test]
    fn levels_that_a_test_ignores_make_no_configurations_of_it() {
        let all = "[sweep]\ntest = [\"TCP_RR\", \"TCP_CRR\", \"UDP_STREAM\"]\nrequest = [\"1 B\", \"1 KiB\"]\nmessage = [\"18 B\", \"1472 B\"]\nburst = [0, 7]";
        let experiment = parsed(all).expect("valid");
        let of = |test| experiment.configurations.iter().filter(move |c| c.test == test).count();
        assert_eq!([of(Test::TCP_RR), of(Test::TCP_CRR), of(Test::UDP_STREAM)], [4, 2, 2]);
        assert_eq!(experiment.configurations.len(), 8);
    }

    #[test]
    fn a_stream_without_a_message_size_has_its_own() {
        let experiment =
            parsed("[sweep]\ntest = [\"TCP_STREAM\", \"UDP_STREAM\", \"TCP_RR\"]").expect("valid");
        let sizes: Vec<String> = experiment.configurations.iter().map(|c| c.level(Factor::Message)).collect();
        assert_eq!(sizes, ["65536", "1472", ""]);
    }

    #[test]
    fn what_no_test_uses_is_refused_and_what_some_use_is_not() {
        assert_eq!(
            message("workload.test = \"TCP_STREAM\"\nworkload.burst = 0"),
            "`burst` is ignored by TCP_STREAM"
        );
        assert_eq!(
            message("workload.burst = 3\nsweep.test = [\"TCP_CRR\", \"UDP_STREAM\"]"),
            "`burst` is ignored by TCP_CRR, UDP_STREAM"
        );
        assert!(parsed("workload.burst = 3\nsweep.test = [\"TCP_CRR\", \"UDP_RR\"]").is_ok());
    }

    #[test]
    fn keys_of_pings_are_for_pings_and_keys_of_netperf_are_not() {
        let ping = |more: &str| format!("workload.test = \"ping\"\n{more}");
        assert_eq!(message("workload.ping_interval = \"20 ms\""), "`ping_interval` is ignored by TCP_RR");
        let hint = |more: &str| {
            parsed(&ping(more)).expect_err("refused").diagnostics[0].hint.clone().unwrap_or_default()
        };
        assert!(hint("workload.request = \"1 B\"").ends_with("; a ping has `ping_payload`"));
        assert!(hint("workload.burst = 1").ends_with("; pings have `ping_interval`"));
        assert_eq!(
            message(&ping("workload.ping_interval = \"5 ms\"")),
            "`ping_interval` must be 10 ms to 1 s, got 5 ms"
        );
        assert_eq!(
            message(&ping("workload.ping_payload = 8")),
            "`ping_payload` must be 16 B to 65507 B, got 8 B"
        );
        assert_eq!(
            message(&ping("workload.ping_interval = \"600 ms\"")),
            "`interval` must be at least one ping_interval, 600 ms, got 500 ms"
        );
        assert_eq!(
            message(&ping("workload.ping_interval = \"10 ms\"\nworkload.window = \"8 h\"")),
            "a trial of 28807 s has more pings than its raw file holds"
        );
        assert!(message("workload.test = \"PING\"").starts_with("unknown test `PING`"));
        let both = "sweep.test = [\"TCP_RR\", \"ping\"]\nsweep.ping_interval = [\"20 ms\", \"100 ms\"]";
        assert_eq!(parsed(both).expect("valid").configurations.len(), 3);
    }

    #[test]
    fn what_is_in_flight_must_fit_the_socket_buffers() {
        let with = |burst: u32, response: &str| {
            format!("workload = {{ flows = 4, burst = {burst}, response = \"{response}\" }}")
        };
        assert!(parsed_whole(&with(159, "64 KiB")).is_ok());
        assert!(parsed_whole(&with(0, "16 MiB")).is_ok());
        let said = parsed_whole(&with(160, "64 KiB")).expect_err("refused").diagnostics[0].message.clone();
        assert_eq!(said, "161 responses of 64 KiB in flight do not fit the socket buffers");
    }

    #[test]
    fn a_message_must_fit_a_datagram_only_where_datagrams_are_sent() {
        let streams = |tests: &str| format!("[sweep]\ntest = [{tests}]\nmessage = [\"64 KiB\", \"1 KiB\"]");
        assert!(parsed(&streams("\"TCP_STREAM\", \"TCP_MAERTS\"")).is_ok());
        assert_eq!(
            message(&streams("\"TCP_STREAM\", \"UDP_STREAM\"")),
            "a message of 65536 B does not fit a datagram of UDP_STREAM"
        );
    }
}
