//! What every machine of a lab needs: rights, programs, a clock.

use std::collections::BTreeMap;

use super::CheckResult;
use crate::machine::Machine;

/// Programs that a run starts on both machines, each with the Debian package that has it.
const TOOLS: [Program; 5] = [
    ("ip", "iproute2"),
    ("timeout", "coreutils"),
    ("setsid", "util-linux"),
    ("grep", "grep"),
    ("readlink", "coreutils"),
];
/// For what caps or paces a NIC.
pub(super) const TC: Program = ("tc", "iproute2");
/// The other end of a flow.
pub(super) const NETSERVER: Program = ("netserver", NETPERF_PACKAGE);
/// The Debian package of netperf and netserver.
pub(super) const NETPERF_PACKAGE: &str = "netperf (component non-free)";

/// A program and the Debian package that has it.
pub(super) type Program = (&'static str, &'static str);

/// Rights, tools and other programs, and the clock.
pub(super) async fn examine(machine: &Machine, others: &[Program]) -> Vec<CheckResult> {
    let programs = programs(machine, &[&TOOLS, others].concat()).await;
    [root(machine).await].into_iter().chain(programs).chain(clock(machine).await).collect()
}

async fn root(machine: &Machine) -> CheckResult {
    let what = "rights";
    let fix = match machine {
        Machine::Local(_) => "run kvmfair as root: it makes network namespaces and starts guests with taps",
        Machine::Remote(_) => "log in as root: kvmfair makes bridges and configures NICs; sudo is not used",
    };
    match machine.run(&["id", "-u"]).await {
        Ok(output) if output.stdout.trim() == "0" => CheckResult::good(what, "root"),
        Ok(output) => CheckResult::bad(what, format!("user {}, not root", output.stdout.trim()), fix),
        Err(error) => {
            CheckResult::bad(what, error.to_string(), "give the account a POSIX shell and coreutils")
        }
    }
}

/// Programs of a machine.
pub(super) async fn programs(machine: &Machine, wanted: &[Program]) -> Vec<CheckResult> {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let script = format!("for p in {}; do command -v $p; done; true", names.join(" "));
    let paths = machine.run(&["sh", "-c", &script]).await.map(|output| output.stdout).unwrap_or_default();
    let found: BTreeMap<&str, &str> =
        paths.lines().filter_map(|path| Some((path.rsplit('/').next()?, path))).collect();
    let finding = |(name, package): &Program| match found.get(name) {
        Some(path) => CheckResult::good(name, *path),
        None => CheckResult::bad(name, "not installed", format!("apt-get install {package}")),
    };
    wanted.iter().map(finding).collect()
}

/// Samples and flows of several machines are brought to one clock: a remote one must show fractions of a second.
async fn clock(machine: &Machine) -> Option<CheckResult> {
    let Machine::Remote(_) = machine else { return None };
    let what = "clock";
    let time = machine.run(&["date", "+%s.%N"]).await.map(|output| output.stdout).unwrap_or_default();
    if time.contains('.') && time.trim().parse::<f64>().is_ok() {
        return Some(CheckResult::good(what, "date shows nanoseconds"));
    }
    Some(CheckResult::bad(what, "date shows no nanoseconds", "apt-get install coreutils"))
}

/// Whether a machine has a file of a kind, as `test` names it.
pub(super) async fn file(machine: &Machine, kind: &str, path: &str, what: &str, fix: &str) -> CheckResult {
    match machine.run(&["test", kind, path]).await {
        Ok(_) => CheckResult::good(what, "present"),
        Err(_) => CheckResult::bad(what, "missing", fix),
    }
}

/// Whether a version is that one or newer.
pub(super) fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}
