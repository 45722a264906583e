//! The launcher: one shell script for all flows of a tester, and the lines it exchanges with kvmfair.
//!
//! Pure: text and protocol only. The script is the same in a local network namespace and over one SSH session; it takes
//! its orders from stdin, so that the end of the orchestrator, however sudden, ends the load. It must lead a process group
//! of its own, because it signals the group. If the launcher itself is killed, its watchdog ends the flows at their limit, and
//! its temporary directory stays.

use std::time::Duration;

use super::command::FlowSpec;

/// The script, for `sh -c SCRIPT launcher SECONDS LIMIT`.
pub const SCRIPT: &str = include_str!("launcher.sh");

/// The order to say how much CPU time each flow has used so far.
pub const CPU: &str = "cpu\n";

/// The order that ends a load and asks for what netperf printed.
pub const STOP: &str = "stop\n";

/// The order for flows that end by themselves: waits for them and asks for what netperf printed.
pub const WAIT: &str = "wait\n";

/// The last line of a complete transcript.
pub const END: &str = "== end";

/// The words that start the launcher, as the leader of a process group: every flow must have printed an interim result
/// within `deadline`; `max` bounds the life of every netperf should the launcher be killed.
pub fn argv(deadline: Duration, max: Duration) -> Vec<String> {
    let seconds = |time: Duration| (time.as_secs_f64().ceil() as u64).to_string();
    vec!["sh".into(), "-c".into(), SCRIPT.into(), "launcher".into(), seconds(deadline), seconds(max)]
}

/// The orders that start the flows.
///
/// They go through stdin rather than the command line because one word of a command line ends at 128 KiB.
pub fn orders(flows: &[FlowSpec]) -> String {
    let lines = flows.iter().map(|flow| shell_words::join(flow.argv()) + "\n");
    lines.chain(["go\n".to_string()]).collect()
}

/// What the launcher says before and while the flows run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// That many netperfs were started.
    Started(u32),
    /// Every flow has printed an interim result.
    Running,
    /// CPU time of each flow so far, ns; `None` of one whose kernel does not tell.
    CpuTimes(Vec<Option<u64>>),
    /// These flows had printed none at the deadline. The launcher ends the others.
    Late(Vec<u32>),
    /// This flow ended before its first interim result. The launcher ends the others.
    Died(DeadFlow),
}

/// A netperf that ended too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadFlow {
    /// Number of the flow.
    pub flow: u32,
    /// netperf's exit status.
    pub status: i32,
    /// What netperf said, in one line.
    pub message: String,
}

impl Event {
    /// Understands one line; `None` if it is not one of the launcher's.
    pub fn parse(line: &str) -> Option<Event> {
        let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        match word {
            "started" => rest.parse().ok().map(Event::Started),
            "running" if rest.is_empty() => Some(Event::Running),
            "cpu" => Some(Event::CpuTimes(rest.split_whitespace().map(|ns| ns.parse().ok()).collect())),
            "late" => rest.split_whitespace().map(|n| n.parse().ok()).collect::<Option<_>>().map(Event::Late),
            "died" => dead_flow(rest).map(Event::Died),
            _ => None,
        }
    }
}

fn dead_flow(rest: &str) -> Option<DeadFlow> {
    let mut words = rest.splitn(3, ' ');
    let flow = words.next()?.parse().ok()?;
    let status = words.next()?.parse().ok()?;
    let message = words.next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Some(DeadFlow { flow, status, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_event_is_understood() {
        assert_eq!(Event::parse("started 128"), Some(Event::Started(128)));
        assert_eq!(Event::parse("running"), Some(Event::Running));
        assert_eq!(Event::parse("cpu 12 - 34"), Some(Event::CpuTimes(vec![Some(12), None, Some(34)])));
        assert_eq!(Event::parse("late 3 17"), Some(Event::Late(vec![3, 17])));
        let died = DeadFlow { flow: 2, status: 255, message: "establish control: are you sure".into() };
        assert_eq!(Event::parse("died 2 255  establish control: are  you sure "), Some(Event::Died(died)));
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../tests/fixtures/netperf/", $name, ".txt"))
        };
    }

    /// The event after `started N` in a real transcript.
    fn second(transcript: &str) -> Event {
        let mut lines = transcript.lines();
        assert!(matches!(lines.next().and_then(Event::parse), Some(Event::Started(_))));
        lines.next().and_then(Event::parse).unwrap()
    }

    #[test]
    fn what_netperf_says_when_it_fails_arrives_with_the_event() {
        let said = |transcript| match second(transcript) {
            Event::Died(dead) => (dead.status, dead.message),
            other => panic!("{other:?}"),
        };
        let (status, message) = said(fixture!("no_netserver"));
        assert_eq!(status, 255);
        assert!(message.starts_with("establish control: are you sure there is a netserver listening on"));
        let (status, message) = said(fixture!("bad_address"));
        assert_eq!(
            (status, message.as_str()),
            (1, "netperf: send_omni: connect_data_socket failed: Network is unreachable")
        );
        assert!(said(fixture!("no_route")).1.ends_with("No route to host"));
        assert!(said(fixture!("unknown_host")).1.starts_with("resolve_host: could not resolve host"));
    }

    #[test]
    fn real_flows_run_or_are_late() {
        assert_eq!(second(fixture!("two_flows")), Event::Running);
        assert_eq!(second(fixture!("late")), Event::Late(vec![1, 2]));
    }

    #[test]
    fn a_foreign_line_is_no_event() {
        assert_eq!(Event::parse("Last login: yesterday"), None);
        assert_eq!(Event::parse("late x"), None);
        assert_eq!(Event::parse("running late"), None);
    }

    #[test]
    fn no_line_of_the_script_names_netperf_options() {
        assert!(!SCRIPT.contains("-t TCP_RR"), "the commands come through stdin");
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in ".*") {
            Event::parse(&line);
        }
    }
}
