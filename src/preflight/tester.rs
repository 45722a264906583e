//! What the tester needs: netperf.

use super::CheckResult;
use super::machine::{self, NETPERF_PACKAGE, TC, at_least};
use crate::host::facts::Facts;
use crate::machine::Machine;
use crate::profile::Experiment;

/// Checks everything.
pub(super) async fn examine(tester: &Machine, facts: &Facts, experiment: &Experiment) -> Vec<CheckResult> {
    let mut programs = vec![("netperf", NETPERF_PACKAGE)];
    programs.extend(experiment.groups.iter().any(|group| group.rate_bps.is_some()).then_some(TC));
    let findings = machine::examine(tester, &programs).await;
    findings.into_iter().chain([netperf(facts.version("netperf"))]).collect()
}

/// Interim results by the clock, runs without end and percentiles came with 2.6. How it was built shows only when it runs.
fn netperf(version: Option<&str>) -> CheckResult {
    let what = "netperf's version";
    match version {
        Some(version) if at_least(version, 2, 6) => CheckResult::good(what, version),
        Some(version) => {
            CheckResult::bad(what, version, "install netperf 2.7.0: interim results need at least 2.6")
        }
        None => CheckResult::bad(what, "unknown", "install netperf 2.7.0 (Debian: component non-free)"),
    }
}
