//! The scheduling policy of the vCPUs while their guests run, and the proof of it. libvirt is not asked: its `vcpusched` needs
//! other guests, this needs none.

use anyhow::{Context, Result};

use super::on_qemu;
use crate::guest::fleet::RunningGuest;
use crate::profile::Configuration;
use crate::profile::policy::SchedulingPolicy;
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// Goes through the vCPU threads of the process `$1`, which QEMU names `CPU 0/KVM`, and gives them the policy `$2`, an
/// option of chrt, with priority `$3`. Without a policy, prints the number of each vCPU with its policy and its priority:
/// fields 41 and 40 of its `stat`, where the second field ends with the last parenthesis.
const SCRIPT: &str = r#"pid=$1; policy=$2; priority=$3
for task in /proc/$pid/task/*; do
    read -r name < $task/comm || continue
    case $name in "CPU "[0-9]*/*) ;; *) continue ;; esac
    vcpu=${name#CPU }; vcpu=${vcpu%%/*}
    if [ "$policy" ]; then
        chrt "$policy" -p "$priority" "${task##*/}" > /dev/null || exit
    else
        stat=$(cat $task/stat); set -- ${stat##*)}; shift 37
        echo "$vcpu $2 $1"
    fi
done"#;

/// Gives the vCPUs of every guest their policy, if the configuration has one.
///
/// # Errors
/// If the host refuses.
pub(in crate::run) async fn apply(session: &LabSession, configuration: &Configuration) -> Result<()> {
    let Some(policy) = configuration.scheduler else { return Ok(()) };
    let priority = policy.priority().to_string();
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)) {
        on_qemu(session, guest, SCRIPT, &[option(policy), &priority]).await.with_context(|| {
            let hint = "a control group without real-time budget refuses it: see `kvmfair check`";
            format!("failed to give the vCPUs of {} the policy {policy} (hint: {hint})", guest.name)
        })?;
    }
    Ok(())
}

/// The policy of each vCPU.
pub(in crate::run) async fn checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Vec<Check> {
    let Some(policy) = configuration.scheduler else { return Vec::new() };
    let shown = on_qemu(session, guest, SCRIPT, &[]).await.unwrap_or_default();
    seen(&shown, guest.number, policy, configuration.vcpus)
}

/// Pure part of [`checks`].
fn seen(shown: &str, guest: u32, policy: SchedulingPolicy, vcpus: u32) -> Vec<Check> {
    let of_vcpu =
        |vcpu: u32| shown.lines().find_map(|line| line.strip_prefix(&format!("{vcpu} "))).map(in_words);
    let expected = format!("{policy}, priority {}", policy.priority());
    (0..vcpus).map(|vcpu| check(guest, &format!("policy of vCPU {vcpu}"), &expected, of_vcpu(vcpu))).collect()
}

/// `2 1` is `rr, priority 1`.
fn in_words(numbers: &str) -> String {
    let (policy, priority) = numbers.split_once(' ').unwrap_or((numbers, "unknown"));
    let name = policy.parse().ok().and_then(SchedulingPolicy::of_number);
    let name = name.map_or_else(|| format!("policy {policy}"), |policy| policy.to_string());
    format!("{name}, priority {priority}")
}

fn option(policy: SchedulingPolicy) -> &'static str {
    match policy {
        SchedulingPolicy::Other => "--other",
        SchedulingPolicy::Rr => "--rr",
        SchedulingPolicy::Fifo => "--fifo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_proven_for_each_vcpu() {
        assert!(seen("0 2 1\n1 2 1\n", 1, SchedulingPolicy::Rr, 2).iter().all(Check::holds));
        let mixed = seen("0 1 1\n1 0 0\n", 1, SchedulingPolicy::Fifo, 2);
        assert_eq!(mixed.iter().map(Check::holds).collect::<Vec<_>>(), [true, false]);
        assert_eq!(
            mixed[1].to_string(),
            "guest 1: policy of vCPU 1: expected fifo, priority 1, found other, priority 0"
        );
    }

    #[test]
    fn another_policy_is_told_by_its_number_and_a_vcpu_that_is_not_there_proves_nothing() {
        assert_eq!(seen("0 3 0\n", 1, SchedulingPolicy::Other, 1)[0].found, "policy 3, priority 0");
        assert!(!seen("10 0 0\n", 1, SchedulingPolicy::Other, 1)[0].holds());
    }
}
