//! What every machine of a lab needs: rights, programs, a clock.

use std::collections::BTreeMap;

use super::Finding;
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
pub(super) async fn examine(machine: &Machine, others: &[Program]) -> Vec<Finding> {
    let programs = programs(machine, &[&TOOLS, others].concat()).await;
    [root(machine).await].into_iter().chain(programs).chain(clock(machine).await).collect()
}

async fn root(machine: &Machine) -> Finding {
    let what = "rights";
    let fix = match machine {
        Machine::Local(_) => "run kvmfair as root: it makes network namespaces and starts guests with taps",
        Machine::Remote(_) => "log in as root: kvmfair makes bridges and configures NICs; sudo is not used",
    };
    match machine.run(&["id", "-u"]).await {
        Ok(output) if output.stdout.trim() == "0" => Finding::good(what, "root"),
        Ok(output) => Finding::bad(what, format!("user {}, not root", output.stdout.trim()), fix),
        Err(error) => Finding::bad(what, error.to_string(), "give the account a POSIX shell and coreutils"),
    }
}

/// Programs of a machine.
pub(super) async fn programs(machine: &Machine, wanted: &[Program]) -> Vec<Finding> {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let script = format!("for p in {}; do command -v $p; done; true", names.join(" "));
    let paths = machine.run(&["sh", "-c", &script]).await.map(|output| output.stdout).unwrap_or_default();
    let found: BTreeMap<&str, &str> =
        paths.lines().filter_map(|path| Some((path.rsplit('/').next()?, path))).collect();
    let finding = |(name, package): &Program| match found.get(name) {
        Some(path) => Finding::good(name, *path),
        None => Finding::bad(name, "not installed", format!("apt-get install {package}")),
    };
    wanted.iter().map(finding).collect()
}

/// Samples and flows of several machines are brought to one clock: a remote one must show fractions of a second.
async fn clock(machine: &Machine) -> Option<Finding> {
    let Machine::Remote(_) = machine else { return None };
    let what = "clock";
    let time = machine.run(&["date", "+%s.%N"]).await.map(|output| output.stdout).unwrap_or_default();
    if time.contains('.') && time.trim().parse::<f64>().is_ok() {
        return Some(Finding::good(what, "date shows nanoseconds"));
    }
    Some(Finding::bad(what, "date shows no nanoseconds", "apt-get install coreutils"))
}

/// Whether a machine has a file of a kind, as `test` names it.
pub(super) async fn file(machine: &Machine, kind: &str, path: &str, what: &str, fix: &str) -> Finding {
    match machine.run(&["test", kind, path]).await {
        Ok(_) => Finding::good(what, "present"),
        Err(_) => Finding::bad(what, "missing", fix),
    }
}

/// Whether a version is that one or newer.
pub(super) fn at_least(version: &str, major: u32, minor: u32) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= (major, minor)
}
