//! vCPUs pinned to CPUs of the host while their guests run, and the proof of it. libvirt is not asked: it cannot pin the
//! vCPUs of emulated guests.

use anyhow::{Context, Result};

use super::on_qemu;
use crate::guest::fleet::RunningGuest;
use crate::profile::Configuration;
use crate::profile::pin::{Crowd, Pin, list};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Goes through the vCPU threads of the process `$1`, which QEMU names `CPU 0/KVM`; the other words are a CPU list for each
/// vCPU. Without them, prints the number of each vCPU with its CPU list.
const SCRIPT: &str = r#"pid=$1; shift
for task in /proc/$pid/task/*; do
    read -r name < $task/comm || continue
    case $name in "CPU "[0-9]*/*) ;; *) continue ;; esac
    vcpu=${name#CPU }; vcpu=${vcpu%%/*}
    if [ $# = 0 ]; then
        while read -r key value; do [ "$key" != Cpus_allowed_list: ] || echo "$vcpu $value"; done < $task/status
    else
        eval "cpus=\${$((vcpu + 1))}"
        taskset -c -p "$cpus" "${task##*/}" > /dev/null || exit
    fi
done"#;

/// Pins the vCPUs of every guest of a configuration that says how.
///
/// # Errors
/// If the host refuses.
pub(in crate::run) async fn apply(session: &LabSession, configuration: &Configuration) -> Result<()> {
    let Some(pin) = &configuration.pin else { return Ok(()) };
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
        let lists = lists(session, configuration, pin, guest);
        let words: Vec<&str> = lists.iter().map(String::as_str).collect();
        on_qemu(session, guest, SCRIPT, &words)
            .await
            .with_context(|| format!("failed to pin the vCPUs of {}", guest.name))?;
    }
    Ok(())
}

/// Where the vCPUs of a guest may run.
pub(in crate::run) async fn checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Vec<Check> {
    let Some(pin) = &configuration.pin else { return Vec::new() };
    let shown = on_qemu(session, guest, SCRIPT, &[]).await.unwrap_or_default();
    let lists = lists(session, configuration, pin, guest);
    let one = |(vcpu, expected): (usize, String)| {
        check(guest.number, &format!("CPUs of vCPU {vcpu}"), expected, of_vcpu(&shown, vcpu))
    };
    lists.into_iter().enumerate().map(one).collect()
}

/// The CPU list of each vCPU.
fn lists(
    session: &LabSession,
    configuration: &Configuration,
    pin: &Pin,
    guest: &RunningGuest,
) -> Vec<String> {
    let Configuration { vms: guests, vcpus, .. } = *configuration;
    let crowd = Crowd { guests, vcpus, cpus: &session.host_cpus };
    (0..vcpus).map(|vcpu| list(&pin.cpus(guest.number, vcpu, crowd))).collect()
}

fn of_vcpu(shown: &str, vcpu: usize) -> Option<&str> {
    let wanted = vcpu.to_string();
    shown
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(number, _)| *number == wanted)
        .map(|(_, list)| list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vcpu_is_known_by_its_whole_number() {
        let shown = "0 0-1\n10 3\n1 2\n";
        assert_eq!([0, 1, 10, 2].map(|vcpu| of_vcpu(shown, vcpu)), [Some("0-1"), Some("2"), Some("3"), None]);
    }
}
