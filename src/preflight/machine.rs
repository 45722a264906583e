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
/// What root must be able to do, by the number of each capability (capability.h).
const CAPABILITIES: [(u32, &str); 4] =
    [(5, "CAP_KILL"), (12, "CAP_NET_ADMIN"), (21, "CAP_SYS_ADMIN"), (23, "CAP_SYS_NICE")];
/// For what caps or paces a NIC.
pub(super) const TC: Program = ("tc", "iproute2");
/// The other end of a flow.
pub(super) const NETSERVER: Program = ("netserver", NETPERF_PACKAGE);
/// The load of pings.
pub(super) const PING: Program = ("ping", "iputils-ping");
/// The Debian package of netperf and netserver.
pub(super) const NETPERF_PACKAGE: &str = "netperf (component non-free)";

/// What to do where there is no IOMMU.
pub(super) const SWITCH_IOMMU_ON: &str =
    "switch VT-d or AMD-Vi on in the firmware, and boot with intel_iommu=on (AMD: nothing more)";

/// A program and the Debian package that has it.
pub(super) type Program = (&'static str, &'static str);

/// Rights, tools and other programs, and the clock.
pub(super) async fn examine(machine: &Machine, others: &[Program]) -> Vec<CheckResult> {
    let programs = programs(machine, &[&TOOLS, others].concat()).await;
    [root(machine).await].into_iter().chain(programs).chain(clock(machine).await).collect()
}

async fn root(machine: &Machine) -> CheckResult {
    let what = "rights";
    let user = match machine.run(&["id", "-u"]).await {
        Ok(output) => output.stdout,
        Err(error) => {
            return CheckResult::bad(what, error.to_string(), "give the account a POSIX shell and coreutils");
        }
    };
    if user.trim() != "0" {
        let fix = match machine {
            Machine::Local(_) => {
                "run kvmfair as root: it makes network namespaces and starts guests with taps"
            }
            Machine::Remote(_) => {
                "log in as root: kvmfair makes bridges and configures NICs; sudo is not used"
            }
        };
        return CheckResult::bad(what, format!("user {}, not root", user.trim()), fix);
    }
    let map = machine.read("/proc/self/uid_map").await.unwrap_or_default();
    let status = machine.read("/proc/self/status").await.unwrap_or_default();
    match limited(&map, &status) {
        None => CheckResult::good(what, "root"),
        Some(found) => CheckResult::bad(
            what,
            found,
            "run kvmfair on the host itself, or in a container with all capabilities and the host's users (--privileged)",
        ),
    }
}

/// What root lacks, from its `uid_map` and `status`; `None` if it lacks nothing.
fn limited(map: &str, status: &str) -> Option<String> {
    if !map.is_empty() && map.split_whitespace().ne(["0", "0", "4294967295"]) {
        return Some("root of a user namespace only".into());
    }
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    let effective = u64::from_str_radix(effective.trim(), 16).ok()?;
    let lacks = CAPABILITIES.iter().filter(|(bit, _)| effective & (1 << bit) == 0).map(|(_, name)| *name);
    let lacks: Vec<&str> = lacks.collect();
    (!lacks.is_empty()).then(|| format!("root without {}", lacks.join(", ")))
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: &str = "         0          0 4294967295\n";

    #[test]
    fn root_of_a_container_or_of_a_user_namespace_is_told_from_root() {
        let status = |bits: &str| format!("Name:\tcat\nCapPrm:\t{bits}\nCapEff:\t{bits}\n");
        assert_eq!(limited(ALL, &status("000001ffffffffff")), None);
        assert_eq!(
            limited(ALL, &status("00000000a80425fb")).as_deref(),
            Some("root without CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_SYS_NICE")
        );
        let inside = limited("         0       1000          1\n", &status("000001ffffffffff"));
        assert_eq!(inside.as_deref(), Some("root of a user namespace only"));
        assert_eq!(limited("", ""), None, "what cannot be read is tried by the run itself");
    }
}
