//! QEMU's threads that are no vCPUs, and the kernel's vhost workers of a guest, pinned while it runs, and the proof of it.
//! libvirt is not asked: it pins QEMU's first thread alone where it has no cpuset, and a worker of an older kernel never.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::on_qemu;
use crate::guest::fleet::RunningGuest;
use crate::profile::Configuration;
use crate::profile::pin::{Crowd, Pin, list};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Goes through the threads of QEMU `$1` that are no vCPUs, and its vhost workers: since Linux 6.4 threads of QEMU, before
/// that processes of the kernel's. `$2` is the CPU list for those of kind `$3`; without it, prints `qemu` or `vhost` with the
/// CPU list of each. What ends meanwhile is passed over, and so are the kernel's own threads for io_uring, which keep their CPUs.
const SCRIPT: &str = r#"pid=$1; cpus=${2:-}; wanted=${3:-}
for task in /proc/$pid/task/* /proc/[0-9]*; do
    { read -r name < $task/comm; } 2> /dev/null || continue
    case $task:$name in
    *":CPU "[0-9]*/*|*:iou-*) continue ;;
    *":vhost-$pid") kind=vhost ;;
    */task/*) kind=qemu ;;
    *) continue ;;
    esac
    if [ "$cpus" ]; then
        [ $kind = "$wanted" ] || continue
        taskset -c -p "$cpus" "${task##*/}" > /dev/null || [ ! -e $task ] || exit 1
    else
        while read -r key value; do [ "$key" != Cpus_allowed_list: ] || echo "$kind $value"; done < $task/status
    fi
done"#;

/// The kinds of threads, as the script calls them.
const QEMU: &str = "qemu";
const VHOST: &str = "vhost";

/// Pins them in every guest of a configuration that says where.
///
/// # Errors
/// If the host refuses.
pub(in crate::run) async fn apply(session: &LabSession, configuration: &Configuration) -> Result<()> {
    for (kind, cpus) in pinned(session, configuration) {
        for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
            on_qemu(session, guest, SCRIPT, &[&cpus, kind])
                .await
                .with_context(|| format!("failed to pin the {kind} threads of {}", guest.name))?;
        }
    }
    Ok(())
}

/// Where they may run: QEMU's threads, and the workers where the guest has some.
pub(in crate::run) async fn checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Vec<Check> {
    let pinned = pinned(session, configuration);
    if pinned.is_empty() {
        return Vec::new();
    }
    let shown = on_qemu(session, guest, SCRIPT, &[]).await.unwrap_or_default();
    pinned.iter().map(|(kind, cpus)| compare(&shown, guest.number, kind, cpus)).collect()
}

/// The kinds of threads that a configuration pins, and the CPU list of each.
fn pinned(session: &LabSession, configuration: &Configuration) -> Vec<(&'static str, String)> {
    let kinds = [(QEMU, &configuration.pin_emulator), (VHOST, &configuration.pin_vhost)];
    kinds.into_iter().filter_map(|(kind, pin)| Some((kind, cpus(session, pin.as_ref()?)))).collect()
}

/// Pure part of [`checks`].
fn compare(shown: &str, guest: u32, kind: &str, expected: &str) -> Check {
    let what = if kind == VHOST { "CPUs of the vhost workers" } else { "CPUs of QEMU's other threads" };
    check(guest, what, expected, of_kind(shown, kind))
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

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::process::{Child, Command};

    use super::*;

    /// A process that sleeps, under another name.
    struct Sleeper {
        child: Child,
        file: PathBuf,
    }

    impl Sleeper {
        fn named(name: &str) -> Sleeper {
            let file = std::env::temp_dir().join(name);
            std::os::unix::fs::symlink("/bin/sleep", &file).unwrap();
            Sleeper { child: Command::new(&file).arg("600").spawn().unwrap(), file }
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            let _ = self.child.kill().and_then(|()| self.child.wait());
            let _ = fs::remove_file(&self.file);
        }
    }

    fn script(pid: u32, words: &[&str]) -> String {
        let output =
            Command::new("sh").args(["-c", SCRIPT, "qemu", &pid.to_string()]).args(words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// A worker of an older kernel is a process that is named after QEMU.
    #[test]
    fn each_kind_of_threads_is_moved_without_the_other() {
        let qemu = Sleeper::named(&format!("qemu-{}", std::process::id()));
        let pid = qemu.child.id();
        let _worker = Sleeper::named(&format!("vhost-{pid}"));
        let lists = |kind| of_kind(&script(pid, &[]), kind).unwrap();
        let everywhere = lists(QEMU);
        let last = everywhere.rsplit([',', '-']).next().unwrap().to_owned();
        assert_eq!(lists(VHOST), everywhere);
        script(pid, &[&last, VHOST]);
        assert_eq!((lists(QEMU), lists(VHOST)), (everywhere, last.clone()));
        script(pid, &["0", QEMU]);
        assert_eq!((lists(QEMU), lists(VHOST)), ("0".to_owned(), last));
    }

    #[test]
    fn every_thread_of_its_kind_counts() {
        let shown = "qemu 1\nvhost 0-1\nqemu 1\nvhost 0\n";
        assert!(compare(shown, 1, QEMU, "1").holds());
        let vhost = compare(shown, 1, VHOST, "0");
        assert_eq!((vhost.holds(), vhost.found.as_str()), (false, "0 or 0-1"));
        assert_eq!(vhost.what, "guest 1: CPUs of the vhost workers");
    }

    #[test]
    fn a_guest_that_is_gone_or_has_no_workers_proves_nothing() {
        assert!(!compare("", 1, QEMU, "0-1").holds());
        assert!(!compare("qemu 0-1\n", 1, VHOST, "0-1").holds());
    }
}
