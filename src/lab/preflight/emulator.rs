//! The QEMUs that a profile names: whether each is one, and has the machine that the guests are.

use std::path::Path;

use super::Finding;
use crate::exec::blocking;
use crate::exec::machine::Machine;
use crate::guest::emulator::{named, told};
use crate::profile::Experiment;

/// The machine type of the guests; only a QEMU for x86 has it.
const MACHINE: &str = "q35";

/// Prints the version of a QEMU, and whether it has a machine type.
const ASK: &str = r#""$1" --version && "$1" -machine help | grep "^$2 ""#;

/// Looks on this machine.
pub(super) fn look(experiment: &Experiment) -> Vec<Finding> {
    let ask = |path: &Path| {
        let ran = blocking::run(Path::new("/"), &argv(&path.to_string_lossy()));
        let said = ran.map(|ran| (String::from_utf8_lossy(&ran.stdout).into_owned(), ran.stderr));
        let (said, complaint) = said.unwrap_or_else(|error| (String::new(), error.to_string()));
        finding(path, &said, &complaint)
    };
    named(&experiment.configurations).into_iter().map(ask).collect()
}

/// Looks on another machine.
pub(super) async fn look_there(host: &Machine, experiment: &Experiment) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in named(&experiment.configurations) {
        findings.push(match host.run(&argv(&path.to_string_lossy())).await {
            Ok(output) => finding(path, &output.stdout, ""),
            Err(error) => finding(path, "", &error.to_string()),
        });
    }
    findings
}

fn argv(path: &str) -> [&str; 6] {
    ["sh", "-c", ASK, "ask", path, MACHINE]
}

fn finding(path: &Path, said: &str, complaint: &str) -> Finding {
    let what = format!("QEMU {}", path.display());
    let fix = "name a qemu-system-x86_64, or a script that starts one, in [host] or [sweep] emulator";
    match told(said) {
        Some(version) if said.lines().any(|line| line.starts_with(&format!("{MACHINE} "))) => {
            Finding::good(&what, version)
        }
        Some(version) => {
            Finding::bad(&what, format!("version {version}, without the machine type {MACHINE}"), fix)
        }
        None => {
            let complaint = complaint.lines().next().unwrap_or_default().trim();
            let why = if complaint.is_empty() { String::new() } else { format!(": {complaint}") };
            Finding::bad(&what, format!("not a QEMU{why}"), fix)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_qemu_needs_a_version_and_the_machine_type() {
        let said = "QEMU emulator version 10.0.2 (x)\nCopyright\nq35                  Standard PC\n";
        let good = finding(Path::new("/q"), said, "");
        assert_eq!((good.found.as_str(), good.fix), ("10.0.2 (x)", None));
        let arm = finding(Path::new("/q"), "QEMU emulator version 10.0.2\n", "");
        assert_eq!(arm.found, "version 10.0.2, without the machine type q35");
        let missing = finding(Path::new("/q"), "", "ask: 1: /q: not found\n");
        assert_eq!(missing.found, "not a QEMU: ask: 1: /q: not found");
        assert!(finding(Path::new("/q"), "busybox\n", "").fix.is_some());
    }
}
