//! What the tester needs: netperf, and ping of iputils where the profile has pings.

use super::CheckResult;
use super::machine::{self, NETPERF_PACKAGE, PING, TC, at_least};
use crate::host::facts::Facts;
use crate::machine::Machine;
use crate::profile::Experiment;

/// Checks everything.
pub(super) async fn examine(tester: &Machine, facts: &Facts, experiment: &Experiment) -> Vec<CheckResult> {
    let mut programs = vec![("netperf", NETPERF_PACKAGE)];
    programs.extend(experiment.groups.iter().any(|group| group.rate_bps.is_some()).then_some(TC));
    let pings = experiment.configurations.iter().any(|one| one.test.is_ping());
    programs.extend(pings.then_some(PING));
    let mut findings = machine::examine(tester, &programs).await;
    findings.push(netperf(facts.version("netperf")));
    if pings {
        let printed = tester.run(&["ping", "-V"]).await.map(|output| output.stdout);
        findings.push(ping(&printed.unwrap_or_default()));
    }
    findings
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

/// By what it prints of its version: busybox and others print other lines for each answer, and have no -D.
fn ping(printed: &str) -> CheckResult {
    let what = "ping's version";
    match printed.trim().lines().next().and_then(|line| line.strip_prefix("ping from iputils ")) {
        Some(version) => CheckResult::good(what, format!("iputils {version}")),
        None => CheckResult::bad(
            what,
            "not of iputils",
            "apt-get install iputils-ping: the time of each answer is needed",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ping_of_iputils_will_do() {
        let of_debian = "ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no\n";
        assert_eq!(ping(of_debian), CheckResult::good("ping's version", "iputils 20221126"));
        for other in
            ["", "ping (GNU inetutils) 2.4\n", "BusyBox v1.35.0 (Debian 1:1.35.0-4) multi-call binary.\n"]
        {
            assert!(ping(other).fix.is_some_and(|fix| fix.contains("iputils-ping")), "{other}");
        }
    }
}
