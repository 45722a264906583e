//! Programs that a run starts on a machine, each with the Debian package that has it, and how it is installed there.

use super::Finding;
use crate::machine::Machine;

/// A program, with the Debian package that has it.
pub(super) async fn program(machine: &Machine, name: &str, package: &str) -> Finding {
    programs(machine, &[(name, package)]).await.remove(0)
}

/// Programs that a run starts, each with the Debian package that has it.
pub(super) async fn programs(machine: &Machine, wanted: &[(&str, &str)]) -> Vec<Finding> {
    let names: Vec<&str> = wanted.iter().map(|(name, _)| *name).collect();
    let find = format!("for p in {}; do command -v $p; done; true", names.join(" "));
    let paths = machine.run(&["sh", "-c", &find]).await.map(|output| output.stdout).unwrap_or_default();
    let path = |name: &str| paths.lines().find(|path| path.rsplit('/').next() == Some(name));
    let finding = |(name, package): &(&str, &str)| match path(name) {
        Some(path) => Finding::good(name, path),
        None => Finding::bad(name, "not installed", install(machine, package)),
    };
    wanted.iter().map(finding).collect()
}

/// How a package is installed; the Makefile is on this machine.
fn install(host: &Machine, package: &str) -> String {
    match host {
        Machine::Local(_) => format!("apt-get install {package}, or: make install-deps"),
        Machine::Remote(_) => format!("there: apt-get install {package}"),
    }
}

/// A command that a person gives on the machine.
pub(super) fn there(host: &Machine, command: &str) -> String {
    let place = if matches!(host, Machine::Remote(_)) { "there: " } else { "" };
    format!("{place}{command}")
}
