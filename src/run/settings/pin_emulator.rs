//! QEMU's threads that are no vCPUs, and the kernel's vhost workers of a guest, pinned while it runs, and the proof of it.
//! libvirt is not asked: it pins QEMU's first thread alone where it has no cpuset, and a worker of an older kernel never.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use crate::backend::Side;
use crate::guest::fleet::RunningGuest;
use crate::profile::Configuration;
use crate::profile::pin::{Crowd, Pin, list};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Goes through the threads of QEMU `$1` that are no vCPUs, and its vhost workers: since Linux 6.4 threads of QEMU, before
/// that processes of the kernel's. `$2` is the CPU list for all of them; without it, prints `qemu` or `vhost` with the CPU
/// list of each. What ends meanwhile is passed over, and so are the kernel's own threads for io_uring, which keep their CPUs.
const SCRIPT: &str = r#"pid=$1; cpus=$2
for task in /proc/$pid/task/* /proc/[0-9]*; do
    { read -r name < $task/comm; } 2> /dev/null || continue
    case $task:$name in
    *":CPU "[0-9]*/*|*:iou-*) continue ;;
    *":vhost-$pid") kind=vhost ;;
    */task/*) kind=qemu ;;
    *) continue ;;
    esac
    if [ "$cpus" ]; then
        taskset -c -p "$cpus" "${task##*/}" > /dev/null || [ ! -e $task ] || exit 1
    else
        while read -r key value; do [ "$key" != Cpus_allowed_list: ] || echo "$kind $value"; done < $task/status
    fi
done"#;

/// Pins them in every guest of a configuration that says where.
///
/// # Errors
/// If the host refuses.
pub(in crate::run) async fn apply(session: &LabSession, configuration: &Configuration) -> Result<()> {
    let Some(pin) = &configuration.pin_emulator else { return Ok(()) };
    let cpus = cpus(session, pin);
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
        on_threads(session, guest, &cpus)
            .await
            .with_context(|| format!("failed to pin the threads of {}'s QEMU", guest.name))?;
    }
    Ok(())
}

/// Where they may run: QEMU's threads, and the workers where the guest has some.
pub(in crate::run) async fn checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Vec<Check> {
    let Some(pin) = &configuration.pin_emulator else { return Vec::new() };
    let shown = on_threads(session, guest, "").await.unwrap_or_default();
    compare(&shown, guest.number, &cpus(session, pin))
}

/// Pure part of [`checks`].
fn compare(shown: &str, guest: u32, expected: &str) -> Vec<Check> {
    let qemu = check(guest, "CPUs of QEMU's other threads", expected, of_kind(shown, "qemu"));
    let vhost = of_kind(shown, "vhost");
    let vhost = vhost.map(|found| check(guest, "CPUs of the vhost workers", expected, Some(found)));
    std::iter::once(qemu).chain(vhost).collect()
}

/// The CPU lists of threads of a kind; all that differ are listed.
fn of_kind(shown: &str, kind: &str) -> Option<String> {
    let lists: BTreeSet<&str> =
        shown.lines().filter_map(|line| line.strip_prefix(kind)?.strip_prefix(' ')).collect();
    (!lists.is_empty()).then(|| Vec::from_iter(lists).join(" or "))
}

/// The CPU list, as the kernel prints it. All threads of all guests have the same.
fn cpus(session: &LabSession, pin: &Pin) -> String {
    list(&pin.cpus(1, 0, Crowd { guests: 1, vcpus: 1, cpus: &session.host_cpus }))
}

async fn on_threads(session: &LabSession, guest: &RunningGuest, cpus: &str) -> Result<String> {
    let argv = ["sh", "-c", SCRIPT, "pin", &guest.pid.to_string(), cpus];
    Ok(session.lab.side(Side::Host).run(&argv).await?.stdout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_of_qemu_and_every_worker_counts() {
        let checks = compare("qemu 1\nqemu 1\nvhost 1\n", 1, "1");
        assert_eq!((checks.len(), checks.iter().all(Check::holds)), (2, true));
        let checks = compare("qemu 1\nvhost 0-1\nqemu 0-1\n", 1, "1");
        assert_eq!(checks.iter().map(|check| check.found.as_str()).collect::<Vec<_>>(), ["0-1 or 1", "0-1"]);
    }

    #[test]
    fn a_guest_without_vhost_has_no_workers_and_one_that_is_gone_proves_nothing() {
        assert_eq!(compare("qemu 0-1\n", 1, "0-1").len(), 1);
        assert!(!compare("", 1, "0-1").iter().any(Check::holds));
    }
}
