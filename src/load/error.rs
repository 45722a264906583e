//! Why there is no load: which step failed, which flow, and netperf's message. Pure.

use std::time::Duration;

use super::launcher::FailedFlow;
use crate::profile::Test;

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The launcher's shell did not start.
    #[error("failed to start the launcher on the tester")]
    Spawn(#[source] std::io::Error),
    /// The pipe to the launcher broke.
    #[error("lost the connection to the launcher on the tester: {stderr}")]
    Pipe {
        /// What the launcher wrote to stderr.
        stderr: String,
        /// What broke.
        #[source]
        source: std::io::Error,
    },
    /// The launcher did not answer in time.
    #[error("the launcher on the tester failed to {task} within {} s", .limit.as_secs())]
    TimedOut {
        /// What it had to do.
        task: &'static str,
        /// The time that it had.
        limit: Duration,
    },
    /// The launcher ended, or printed something unexpected.
    #[error("unexpected output of the launcher: {0}")]
    Launcher(String),
    /// At least one flow ended before its first interim result.
    #[error("{}", describe(program, .failed, *.started))]
    Failed {
        /// What the first of them ran: `netperf` or `ping`.
        program: &'static str,
        /// The flows that had ended when the first was noticed. Never empty.
        failed: Vec<FailedFlow>,
        /// Number of flows that were started.
        started: u32,
    },
    /// Some flows printed no interim result before the deadline.
    #[error("flows {flows:?} of {started} transferred nothing within {} s", .deadline.as_secs())]
    Late {
        /// Their numbers.
        flows: Vec<u32>,
        /// Number of flows that were started.
        started: u32,
        /// The time that they had.
        deadline: Duration,
    },
    /// A flow ended with an error after its first interim result.
    #[error("{program} of flow {} ended with status {}: {}", .flow.flow, .flow.status, .flow.message)]
    Ended {
        /// What it ran: `netperf` or `ping`.
        program: &'static str,
        /// Which one, and how it ended.
        flow: FailedFlow,
    },
    /// Data that one end sent did not reach the other.
    #[error("flow {flow} ({test}) sent data, and the other end received none")]
    OneWay {
        /// Number of the flow.
        flow: u32,
        /// What it did.
        test: Test,
    },
    /// The tester's netperf lacks an ability that every trial needs.
    #[error(
        "netperf on the tester {0} (hint: install a netperf 2.7 configured with --enable-demo --enable-histogram, as \
         Debian and Fedora package it)"
    )]
    Unsuitable(String),
    /// The tester's ping is another program of that name.
    #[error(
        "ping on the tester prints no time of each answer (hint: install ping of iputils, as in Debian's iputils-ping)"
    )]
    UnsuitablePing,
}

fn describe(program: &str, failed: &[FailedFlow], started: u32) -> String {
    let Some(first) = failed.first() else { return format!("a {program} ended too early") };
    let FailedFlow { flow, status, message } = first;
    let message = if message.is_empty() { "it printed no message" } else { message };
    let others = match failed.len() - 1 {
        0 => String::new(),
        n => format!(" ({n} more ended too)"),
    };
    format!(
        "{program} of flow {flow} of {started} ended with status {status} before its first result: {message}{others}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(flow: u32, message: &str) -> FailedFlow {
        FailedFlow { flow, status: 255, message: message.into() }
    }

    #[test]
    fn the_error_names_the_flow_and_has_netperfs_message() {
        let failed = vec![failed(3, "establish control: are you sure"), failed(4, "")];
        assert_eq!(
            LoadError::Failed { program: "netperf", failed, started: 8 }.to_string(),
            "netperf of flow 3 of 8 ended with status 255 before its first result: \
             establish control: are you sure (1 more ended too)"
        );
    }

    #[test]
    fn late_flows_are_named() {
        let error = LoadError::Late { flows: vec![2, 5], started: 8, deadline: Duration::from_secs(30) };
        assert_eq!(error.to_string(), "flows [2, 5] of 8 transferred nothing within 30 s");
    }
}
