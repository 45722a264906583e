//! The QEMUs that a profile names: whether each is one, and has the machine that the guests are.

use std::path::Path;

use super::CheckResult;
use crate::guest::emulator::{named, printed_version};
use crate::machine::{ExecError, Machine};
use crate::profile::Experiment;

/// The machine type of the guests; only a QEMU for x86 has it.
const MACHINE: &str = "q35";

/// Prints the version of a QEMU, whether it has a machine type, and whether it survives the first of libvirt's queries,
/// for which it loads all its modules.
const EXAMINE: &str = r#"exec 2>&1
"$1" --version && "$1" -machine help | grep "^$2 " || exit 0
printf '{"execute":"%s"}\n' qmp_capabilities qom-list-types quit |
    "$1" -S -no-user-config -nodefaults -nographic -machine none -qmp stdio > /dev/null && echo answers
true"#;

/// The system's own QEMU, where guests are started by a libvirt of the run's own; `None` where it is not installed.
pub(super) async fn system(host: &Machine) -> Option<CheckResult> {
    let printed = host.run(&["qemu-system-x86_64", "--version"]).await;
    let what = "QEMU";
    let fix = "apt-get install --reinstall qemu-system-x86, or correct PATH";
    Some(match printed {
        Err(ExecError::Start { .. }) => return None,
        Err(error) => CheckResult::bad(what, error.to_string(), fix),
        Ok(output) => match printed_version(&output.stdout) {
            Some(version) => CheckResult::good(what, version),
            None => CheckResult::bad(what, "qemu-system-x86_64 is not a QEMU", fix),
        },
    })
}

/// Checks each of them.
pub(super) async fn examine(host: &Machine, experiment: &Experiment) -> Vec<CheckResult> {
    let mut findings = Vec::new();
    for path in named(&experiment.configurations) {
        let printed = host.run(&["sh", "-c", EXAMINE, "examine", &path.to_string_lossy(), MACHINE]).await;
        let printed = printed.map_or_else(|error| error.to_string(), |output| output.stdout);
        findings.push(finding(path, &printed));
    }
    findings
}

fn finding(path: &Path, printed: &str) -> CheckResult {
    let what = format!("QEMU {}", path.display());
    let name_another =
        "name a qemu-system-x86_64, or a script that starts one, in [host] or [sweep] emulator";
    let last = printed.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let has_machine = || printed.lines().any(|line| line.starts_with(&format!("{MACHINE} ")));
    match printed_version(printed) {
        None if last.is_empty() => CheckResult::bad(&what, "not a QEMU", name_another),
        None => CheckResult::bad(&what, format!("not a QEMU: {last}"), name_another),
        Some(version) if !has_machine() => CheckResult::bad(
            &what,
            format!("version {version}, without the machine type {MACHINE}"),
            name_another,
        ),
        Some(version) if last != "answers" => {
            let fix = "libvirt could not query it either; a QEMU that is not the system's needs modules of its own build";
            CheckResult::bad(&what, format!("version {version}, which does not answer: {last}"), fix)
        }
        Some(version) => CheckResult::good(&what, version),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(printed: &str) -> String {
        let finding = finding(Path::new("/q"), printed);
        assert_eq!(finding.fix.is_none(), finding.found == "10.0.2 (x)");
        finding.found
    }

    #[test]
    fn a_qemu_has_a_version_and_the_machine_type_and_answers() {
        let version = "QEMU emulator version 10.0.2 (x)\nCopyright\nq35                  Standard PC\n";
        assert_eq!(found(&format!("{version}answers\n")), "10.0.2 (x)");
        assert_eq!(
            found(&format!("{version}Aborted\n")),
            "version 10.0.2 (x), which does not answer: Aborted"
        );
        assert_eq!(found("QEMU emulator version 10.0.2\n"), "version 10.0.2, without the machine type q35");
        assert_eq!(found("ask: 1: /q: not found\n"), "not a QEMU: ask: 1: /q: not found");
        assert_eq!(found(""), "not a QEMU");
    }
}
