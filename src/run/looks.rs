//! What is looked at just before and just after a window: every CPU of the host, the tester, and KVM's exits.

use super::lab_session::LabSession;
use super::throttled;
use crate::backend::Side;
use crate::exec::machine::Machine;
use crate::lab::building::Ground;
use crate::load::clock::wall_clock;
use crate::probe::{exits, proc};
use crate::profile::Configuration;
use crate::profile::groups::Members;
use crate::sample::{CpuTimes, Look, RawGuest};

/// Looks at the machines; what cannot be read is left out.
pub(super) async fn machines(session: &LabSession, groups: &[Members]) -> Option<Look> {
    let stat = session.lab.side(Side::Host).read("/proc/stat").await.ok()?;
    let at_s = wall_clock();
    // In the embedded lab the tester is the host.
    let tester = match session.lab.ground {
        Ground::Embedded(_) => None,
        Ground::Hardware(_) => cpu_times(session.lab.side(Side::Tester)).await,
    };
    let (throttled_guests_s, throttled_groups_s) = throttled::by_quotas(session, groups).await;
    Some(Look {
        at_s,
        cpus: proc::each_cpu(&stat, proc::USER_HZ),
        context_switches: proc::counter(&stat, "ctxt")?,
        interrupts: proc::counter(&stat, "intr")?,
        tester,
        throttled_guests_s,
        throttled_groups_s,
    })
}

async fn cpu_times(machine: &Machine) -> Option<CpuTimes> {
    proc::cpu_times(&machine.read("/proc/stat").await.ok()?, proc::USER_HZ)
}

/// Adds KVM's exits to what is known of each guest.
pub(super) async fn at_exits(session: &LabSession, configuration: &Configuration, guests: &mut [RawGuest]) {
    for guest in guests.iter_mut().filter(|guest| guest.guest <= configuration.vms) {
        let answer = session.fleet.monitor(guest.guest, exits::QUERY).await;
        let at_s = wall_clock();
        if let Some(counters) = answer.and_then(|answer| exits::exits(&answer)) {
            guest.exits.push((at_s, counters));
        }
    }
}
