//! Counters that are read just before and just after a window, because reading them at every interval would cost too much: the
//! tester, interrupts by queue, the guests' own counters, and KVM's exits.

use std::collections::BTreeSet;

use anyhow::{Context, Result};

use super::every_guest::{read_counters, script};
use super::exits;
use super::lab_session::LabSession;
use super::settings::ksm;
use super::throttled;
use crate::backend::wire::Wire;
use crate::backend::{Counted, NicSource, Side};
use crate::clock::wall_clock;
use crate::guest::fleet::RunningGuest;
use crate::load::{Load, LoadError};
use crate::machine::Machine;
use crate::probe::{guest_counters, interrupts, proc};
use crate::profile::Configuration;
use crate::profile::groups::Members;
use crate::raw::{Accel, Irq, OneCpu, RawGuest, RawTrial, Snapshot};

/// Reads the counters of load, machines and guests, all at once so that none waits for another; then those of KVM's exits.
pub(super) async fn take(
    session: &LabSession,
    configuration: &Configuration,
    load: &mut Load,
    raw: &mut RawTrial,
) -> Result<()> {
    let netperfs = async { Ok::<_, LoadError>((load.cpu_times().await?, wall_clock())) };
    let (netperfs, machines, guests) = tokio::join!(
        netperfs,
        machines(session, configuration, &raw.groups),
        add_guest_counters(session, configuration, &mut raw.guests)
    );
    let (netperfs_s, at_s) = netperfs?;
    raw.snapshots.push(Snapshot { at_s, netperfs_s, ..machines });
    guests?;
    if raw.accel == Accel::Kvm {
        exits::add(session, configuration, &mut raw.guests).await;
    }
    Ok(())
}

/// One sample of each guest's own CPU times and of the interrupts of its NIC, in parallel.
async fn add_guest_counters(
    session: &LabSession,
    configuration: &Configuration,
    guests: &mut Vec<RawGuest>,
) -> Result<()> {
    for output in read_counters(session, configuration).await? {
        let times =
            guest_counters::cpu_times(&output.stdout).context("a guest's /proc/stat could not be read")?;
        let guest = entry(guests, &output.guest);
        guest.inside.push((output.at_s, times));
        guest.interrupts.push((output.at_s, interrupts::interrupts(&output.stdout)));
    }
    Ok(())
}

/// The packets of each guest's test NIC, where no interface of the host's counts them.
pub(super) async fn count_packets(
    session: &LabSession,
    configuration: &Configuration,
    guests: &mut Vec<RawGuest>,
) -> Result<()> {
    let site = session.site(configuration);
    let only_in_guest = |guest| configuration.backend.counted(&site, guest) == Counted::InGuest;
    if !(1..=configuration.vms).any(only_in_guest) {
        return Ok(());
    }
    for output in read_counters(session, configuration).await? {
        let nic =
            configuration.backend.nic(&site, output.guest.number).context("bare metal has no guests")?;
        let packets = guest_counters::nic_packets(&output.stdout, &nic.mac);
        let packets = packets.context("the counters of a guest's test NIC could not be read")?;
        entry(guests, &output.guest).nic.push((output.at_s, packets));
    }
    Ok(())
}

/// The entry of a guest, made where there is none; entries are in the order of the guests.
fn entry<'g>(guests: &'g mut Vec<RawGuest>, guest: &RunningGuest) -> &'g mut RawGuest {
    let place = guests.partition_point(|other| other.guest < guest.number);
    if guests.get(place).is_none_or(|other| other.guest != guest.number) {
        let new = RawGuest { qemu_pid: guest.boot, ..RawGuest::new(guest.number, &guest.name) };
        guests.insert(place, new);
    }
    &mut guests[place]
}

/// The counters of the machines; what cannot be read is left out.
async fn machines(session: &LabSession, configuration: &Configuration, groups: &[Members]) -> Snapshot {
    // In the embedded lab the tester is the host.
    let tester_cpus = match session.lab.has_tester_of_its_own() {
        true => each_cpu(session.lab.side(Side::Tester)).await,
        false => Vec::new(),
    };
    let (throttled_guests_s, throttled_groups_s) = throttled::by_quotas(session, groups).await;
    Snapshot {
        at_s: wall_clock(),
        swapped: proc::swapped(&session.lab.side(Side::Host).read("/proc/vmstat").await.unwrap_or_default()),
        merged: ksm::merged(session.lab.side(Side::Host)).await,
        tester_cpus,
        netperfs_s: Vec::new(),
        nics: host_nic_interrupts(session, configuration).await,
        throttled_guests_s,
        throttled_groups_s,
    }
}

/// Interrupts of the host's NICs under test: the wire, functions of it, and what each guest has for itself.
async fn host_nic_interrupts(session: &LabSession, configuration: &Configuration) -> Vec<Irq> {
    let site = session.site(configuration);
    if site.wire == Wire::Veth {
        return Vec::new();
    }
    let guest_nics = |guest: u32| match configuration.backend.nic(&site, guest).map(|nic| nic.source) {
        Some(NicSource::Function { function } | NicSource::Vdpa { function, .. }) => {
            vec![function.to_string()]
        }
        _ => [Some(site.names.function(guest)), site.own_nic(guest).map(|nic| nic.name.clone())]
            .into_iter()
            .flatten()
            .collect(),
    };
    let mut nics: Vec<String> =
        [site.wire(0)].into_iter().chain((1..=configuration.vms).flat_map(guest_nics)).collect();
    let mut unique = BTreeSet::new();
    nics.retain(|nic| unique.insert(nic.clone()));
    let argv = script(interrupts::SCRIPT, "interrupts", &nics);
    let output = session.lab.side(Side::Host).run(&argv).await;
    output.map(|output| interrupts::interrupts(&output.stdout)).unwrap_or_default()
}

async fn each_cpu(machine: &Machine) -> Vec<OneCpu> {
    proc::each_cpu(&machine.read("/proc/stat").await.unwrap_or_default(), proc::USER_HZ)
}
