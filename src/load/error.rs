//! Why there is no load: which step broke, which flow, and what netperf said. Pure.

use std::time::Duration;

use super::launcher::DeadFlow;

/// Why there is no load.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The launcher's shell did not start.
    #[error("failed to start the launcher in the tester's network namespace")]
    Spawn(#[source] std::io::Error),
    /// The pipe to the launcher broke.
    #[error("failed to talk to the launcher: {said}")]
    Pipe {
        /// What the launcher wrote to stderr.
        said: String,
        /// What broke.
        #[source]
        source: std::io::Error,
    },
    /// The launcher said nothing in time.
    #[error("the launcher was silent for {} s while it should have {doing}", .waited.as_secs())]
    Silent {
        /// What it should have done.
        doing: &'static str,
        /// How long it was given.
        waited: Duration,
    },
    /// The launcher ended or said something it should not have.
    #[error("the launcher broke off: {0}")]
    BrokeOff(String),
    /// At least one netperf ended before its first interim result.
    #[error("{}", describe_dead(.dead, *.started))]
    Died {
        /// Those that had ended when the first was noticed, by number. Never empty.
        dead: Vec<DeadFlow>,
        /// How many were started.
        started: u32,
    },
    /// Some flows printed no interim result before the deadline.
    #[error("flows {flows:?} of {started} had transferred nothing after {} s", .deadline.as_secs())]
    Late {
        /// Their numbers.
        flows: Vec<u32>,
        /// How many were started.
        started: u32,
        /// How long they were given.
        deadline: Duration,
    },
}

fn describe_dead(dead: &[DeadFlow], started: u32) -> String {
    let Some(first) = dead.first() else { return "a netperf ended too early".into() };
    let said = if first.message.is_empty() { "it said nothing" } else { &first.message };
    let others = match dead.len() - 1 {
        0 => String::new(),
        n => format!("; so did {n} more"),
    };
    let (flow, status) = (first.flow, first.status);
    format!(
        "netperf of flow {flow} of {started} ended with status {status} before it measured: {said}{others}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead(flow: u32, message: &str) -> DeadFlow {
        DeadFlow { flow, status: 255, message: message.into() }
    }

    #[test]
    fn the_error_names_the_flow_and_what_netperf_said() {
        let dead = vec![dead(3, "establish control: are you sure"), dead(4, "")];
        assert_eq!(
            LoadError::Died { dead, started: 8 }.to_string(),
            "netperf of flow 3 of 8 ended with status 255 before it measured: \
             establish control: are you sure; so did 1 more"
        );
    }

    #[test]
    fn late_flows_are_named() {
        let error = LoadError::Late { flows: vec![2, 5], started: 8, deadline: Duration::from_secs(30) };
        assert_eq!(error.to_string(), "flows [2, 5] of 8 had transferred nothing after 30 s");
    }
}
