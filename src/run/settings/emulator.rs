//! The proof that a guest runs under the QEMU that was asked for.
//!
//! Path and process are compared where the path is a program. It may be a script that starts one; what the QEMU that runs
//! reports is compared in either case.

use std::path::Path;

use crate::backend::Side;
use crate::guest::emulator;
use crate::guest::fleet::RunningGuest;
use crate::machine::Machine;
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Prints the program that a path leads to; nothing for a script.
const PROGRAM: &str = r#"case $(head -c 4 "$1" | tail -c 3) in ELF) readlink -f "$1" ;; esac"#;

/// Checks one guest.
pub(in crate::run) async fn checks(session: &LabSession, guest: &RunningGuest, asked: &Path) -> Vec<Check> {
    let host = session.lab.side(Side::Host);
    let answer = session.fleet.monitor(guest.number, emulator::QUERY).await;
    let found = answer.and_then(|answer| emulator::reported_version(&answer));
    let expected =
        emulator::version(host, asked).await.unwrap_or_else(|| format!("a version of {}", asked.display()));
    let mut checks = vec![check(guest.number, "version of QEMU", expected, found)];
    let program = output(host, &["sh", "-c", PROGRAM, "find", &asked.to_string_lossy()]).await;
    if let Some(program) = program.filter(|program| !program.is_empty()) {
        let running =
            output(host, &["readlink", &format!("/proc/{}/exe", guest.pid.unwrap_or_default())]).await;
        checks.push(check(guest.number, "program of QEMU", program, running));
    }
    checks
}

async fn output(host: &Machine, argv: &[&str]) -> Option<String> {
    Some(host.run(argv).await.ok()?.stdout.trim().to_owned())
}
