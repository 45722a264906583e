//! The launcher: one shell script for all flows of a tester, and the lines it exchanges with kvmfair.
//!
//! Pure: text and protocol only. The script is the same in a local network namespace and over one SSH session. It reads its
//! commands from stdin, so that the end of kvmfair, however sudden, ends the load. It must lead a process group of its own,
//! because it signals the group. If the launcher itself is killed, its watchdog ends the flows at their limit, and its
//! temporary directory stays until the lab is taken down.

use std::time::Duration;

use super::command::FlowSpec;

/// The script, for `sh -c SCRIPT launcher SECONDS LIMIT`.
pub const SCRIPT: &str = include_str!("launcher.sh");

/// The command to print the CPU time of each flow so far.
pub const CPU: &str = "cpu\n";

/// The command to end the load and print netperf's output.
pub const STOP: &str = "stop\n";

/// The command for flows that end by themselves: waits for them and prints netperf's output.
pub const WAIT: &str = "wait\n";

/// The last line of a complete transcript.
pub const END: &str = "== end";

/// The words that start the launcher, as the leader of a process group: every flow must have printed an interim result, or an answer,
/// within `deadline`; `max` bounds the life of every netperf should the launcher be killed.
pub fn argv(deadline: Duration, max: Duration) -> Vec<String> {
    let seconds = |time: Duration| (time.as_secs_f64().ceil() as u64).to_string();
    vec!["sh".into(), "-c".into(), SCRIPT.into(), "launcher".into(), seconds(deadline), seconds(max)]
}

/// The commands that start the flows.
///
/// They go through stdin because one argument of a command line is limited to 128 KiB.
pub fn orders(flows: &[FlowSpec]) -> String {
    let lines = flows.iter().map(|flow| shell_words::join(flow.argv()) + "\n");
    lines.chain(["go\n".to_string()]).collect()
}

/// What the launcher prints before and while the flows run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LauncherEvent {
    /// That many netperfs were started.
    Started(u32),
    /// Every flow has printed an interim result.
    Running,
    /// CPU time of each flow so far, ns; `None` where the kernel does not count it.
    CpuTimes(Vec<Option<u64>>),
    /// These flows have printed none by the deadline. The launcher ends the others.
    Late(Vec<u32>),
    /// This flow ended before its first interim result. The launcher ends the others.
    Failed(FailedFlow),
}

/// A netperf that ended too early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedFlow {
    /// Number of the flow.
    pub flow: u32,
    /// netperf's exit status.
    pub status: i32,
    /// netperf's message, in one line.
    pub message: String,
}

impl LauncherEvent {
    /// Parses one line; `None` if it is not one of the launcher's.
    pub fn parse(line: &str) -> Option<LauncherEvent> {
        let (word, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
        match word {
            "started" => rest.parse().ok().map(LauncherEvent::Started),
            "running" if rest.is_empty() => Some(LauncherEvent::Running),
            "cpu" => {
                Some(LauncherEvent::CpuTimes(rest.split_whitespace().map(|ns| ns.parse().ok()).collect()))
            }
            "late" => rest
                .split_whitespace()
                .map(|n| n.parse().ok())
                .collect::<Option<_>>()
                .map(LauncherEvent::Late),
            "died" => failed_flow(rest).map(LauncherEvent::Failed),
            _ => None,
        }
    }
}

fn failed_flow(rest: &str) -> Option<FailedFlow> {
    let mut words = rest.splitn(3, ' ');
    let flow = words.next()?.parse().ok()?;
    let status = words.next()?.parse().ok()?;
    let message = words.next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    Some(FailedFlow { flow, status, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_event_is_understood() {
        assert_eq!(LauncherEvent::parse("started 128"), Some(LauncherEvent::Started(128)));
        assert_eq!(LauncherEvent::parse("running"), Some(LauncherEvent::Running));
        assert_eq!(
            LauncherEvent::parse("cpu 12 - 34"),
            Some(LauncherEvent::CpuTimes(vec![Some(12), None, Some(34)]))
        );
        assert_eq!(LauncherEvent::parse("late 3 17"), Some(LauncherEvent::Late(vec![3, 17])));
        let failed = FailedFlow { flow: 2, status: 255, message: "establish control: are you sure".into() };
        assert_eq!(
            LauncherEvent::parse("died 2 255  establish control: are  you sure "),
            Some(LauncherEvent::Failed(failed))
        );
    }

    macro_rules! fixture {
        ($name:literal) => {
            include_str!(concat!("../../tests/fixtures/netperf/", $name, ".txt"))
        };
    }

    /// The event after `started N` in a real transcript.
    fn second(transcript: &str) -> LauncherEvent {
        let mut lines = transcript.lines();
        assert!(matches!(lines.next().and_then(LauncherEvent::parse), Some(LauncherEvent::Started(_))));
        lines.next().and_then(LauncherEvent::parse).unwrap()
    }

    #[test]
    fn netperfs_message_arrives_with_the_event() {
        let failure = |transcript| match second(transcript) {
            LauncherEvent::Failed(flow) => (flow.status, flow.message),
            other => panic!("{other:?}"),
        };
        let (status, message) = failure(fixture!("no_netserver"));
        assert_eq!(status, 255);
        assert!(message.starts_with("establish control: are you sure there is a netserver listening on"));
        let (status, message) = failure(fixture!("bad_address"));
        assert_eq!(
            (status, message.as_str()),
            (1, "netperf: send_omni: connect_data_socket failed: Network is unreachable")
        );
        assert!(failure(fixture!("no_route")).1.ends_with("No route to host"));
        assert!(failure(fixture!("unknown_host")).1.starts_with("resolve_host: could not resolve host"));
    }

    #[test]
    fn real_flows_run_or_are_late() {
        assert_eq!(second(fixture!("two_flows")), LauncherEvent::Running);
        assert_eq!(second(fixture!("late")), LauncherEvent::Late(vec![1, 2]));
    }

    #[test]
    fn a_foreign_line_is_no_event() {
        assert_eq!(LauncherEvent::parse("Last login: yesterday"), None);
        assert_eq!(LauncherEvent::parse("late x"), None);
        assert_eq!(LauncherEvent::parse("running late"), None);
    }

    #[test]
    fn no_line_of_the_script_names_netperf_options() {
        assert!(!SCRIPT.contains("-t TCP_RR"), "the commands come through stdin");
    }

    proptest! {
        #[test]
        fn any_line_is_read_without_panic(line in ".*") {
            LauncherEvent::parse(&line);
        }
    }
}
