//! The proof that shares, quotas and caps are the ones asked for: from libvirt, from the files of the control
//! groups and from tc. Checked in every trial of a profile that has groups or quotas.

use futures_util::{StreamExt, stream};

use super::guest_check::{AT_ONCE, check};
use super::lab_session::LabSession;
use super::settings::paced;
use crate::backend::{Counted, Side, cap};
use crate::guest::fleet::RunningGuest;
use crate::guest::scheduler::Scheduler;
use crate::lab::control_group::{ControlGroup, default_shares};
use crate::profile::Configuration;
use crate::profile::groups::{CpuSettings, Members};
use crate::raw::Check;

const SCRIPT: &str = include_str!("cgroup.sh");

/// Checks every guest of every group, and at the groups' own control groups.
pub(super) async fn checks(
    session: &LabSession,
    configuration: &Configuration,
    groups: &[Members],
) -> Vec<Check> {
    let guests_of = |group| {
        let known = move |number| Some((group, session.fleet.get(number)?));
        Members::numbers(group).filter_map(known)
    };
    let guests = groups.iter().flat_map(guests_of);
    let checked = guests.map(|(group, guest)| of_guest(session, configuration, group, guest));
    let of_guests: Vec<Vec<Check>> = stream::iter(checked).buffered(AT_ONCE).collect().await;
    let mut checks = of_guests.concat();
    for group in groups {
        if let Some(made) = session.control_groups.get(&group.name) {
            let cpu = expected(session, configuration, group.cpu).await;
            checks.extend(of_group(session, &Members { cpu, ..group.clone() }, made).await);
        }
    }
    checks
}

async fn of_guest(
    session: &LabSession,
    configuration: &Configuration,
    group: &Members,
    guest: &RunningGuest,
) -> Vec<Check> {
    let number = guest.number;
    let mut checks = match session.xen {
        Some(_) => Vec::new(), // Xen has no control groups: weights and caps are in `settings::xen`
        None => of_cpu_time(session, configuration, group, guest).await,
    };
    match group.bandwidth_bps {
        Some(bits) => checks.extend(caps(session, configuration, number, bits).await),
        None if are_lifted(configuration) => checks.extend(no_cap(session, configuration, number).await),
        None => {}
    }
    checks.extend(paced::checks(session, number, group).await);
    checks
}

async fn of_cpu_time(
    session: &LabSession,
    configuration: &Configuration,
    group: &Members,
    guest: &RunningGuest,
) -> Vec<Check> {
    let (number, vcpus) = (guest.number, configuration.vcpus);
    let cpu = expected(session, configuration, group.of_each()).await;
    let scheduler = match session.fleet.hypervisor() {
        Ok(hypervisor) => hypervisor.scheduler(&guest.name).await.ok(),
        Err(_) => None,
    };
    let mut checks = of_libvirt(scheduler, number, &cpu);
    let shown = show(session, guest, vcpus).await;
    checks.extend(of_files(&shown, number, &cpu, vcpus));
    if group.cgroup {
        let expected = format!("kf-{}-{}.partition", session.blueprint.site.names.run, group.name);
        checks.push(check(number, "control group above it", expected, value(&shown, "parent")));
    }
    checks
}

/// Whether the groups' limits are taken away in this configuration, so that the kernel's defaults have to be there.
fn are_lifted(configuration: &Configuration) -> bool {
    configuration.group_limits == Some(false)
}

async fn expected(session: &LabSession, configuration: &Configuration, cpu: CpuSettings) -> CpuSettings {
    if cpu.shares.is_some() || !are_lifted(configuration) {
        return cpu;
    }
    let v2 = session.lab.side(Side::Host).read("/sys/fs/cgroup/cgroup.controllers").await.is_ok();
    CpuSettings { shares: u32::try_from(default_shares(v2)).ok(), ..cpu }
}

/// `50000/100000`, or the word for no quota.
fn shown(quota_us: Option<u32>, period_us: u32) -> String {
    quota_us.map_or("unlimited".into(), |quota| format!("{quota}/{period_us}"))
}

/// libvirt's own values. Pure.
fn of_libvirt(reported: Option<Scheduler>, guest: u32, cpu: &CpuSettings) -> Vec<Check> {
    let quota = |value_in: fn(&Scheduler) -> Option<(u64, u64)>| {
        let reported = reported.as_ref()?;
        Some(value_in(reported).map_or("unlimited".into(), |(quota, period)| format!("{quota}/{period}")))
    };
    let shares = reported.and_then(|reported| reported.shares).map(|shares| shares.to_string());
    let period = cpu.period_us();
    let weight = cpu.shares.map(|wanted| check(guest, "shares, by libvirt", wanted.to_string(), shares));
    let quotas = [
        check(guest, "vCPU quota, by libvirt", shown(cpu.quota_us, period), quota(|reported| reported.vcpu)),
        check(
            guest,
            "emulator quota, by libvirt",
            shown(cpu.emulator_quota_us, period),
            quota(|reported| reported.emulator),
        ),
    ];
    weight.into_iter().chain(quotas).collect()
}

async fn show(session: &LabSession, guest: &RunningGuest, vcpus: u32) -> String {
    let argv = ["sh", "-c", SCRIPT, "cgroup", &guest.pid.unwrap_or_default().to_string(), &vcpus.to_string()];
    session.lab.side(Side::Host).run(&argv).await.map(|output| output.stdout).unwrap_or_default()
}

fn value(shown: &str, key: &str) -> Option<String> {
    let line = shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(' '))?;
    Some(line.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The values in the files of the control groups. Pure.
fn of_files(shown_files: &str, guest: u32, cpu: &CpuSettings, vcpus: u32) -> Vec<Check> {
    let quota = |thread: &str| value(shown_files, thread).and_then(|line| quota_of(&line));
    let mut of_vcpus: Vec<String> =
        (0..vcpus).map(|n| quota(&format!("vcpu{n}")).unwrap_or_else(|| "nothing".into())).collect();
    of_vcpus.dedup();
    let period = cpu.period_us();
    let weight = cpu.shares.map(|wanted| {
        check(guest, "shares, in its control group", wanted.to_string(), value(shown_files, "weight"))
    });
    let (vcpu, emulator) = (shown(cpu.quota_us, period), shown(cpu.emulator_quota_us, period));
    let quotas = [
        check(guest, "vCPU quota, in its control group", vcpu, Some(of_vcpus.join(", "))),
        check(guest, "emulator quota, in its control group", emulator, quota("emulator")),
    ];
    weight.into_iter().chain(quotas).collect()
}

/// `-1 100000` and `max 100000` are unlimited.
fn quota_of(line: &str) -> Option<String> {
    let (quota, period) = line.split_once(' ')?;
    let unlimited = quota == "-1" || quota == "max";
    Some(if unlimited { "unlimited".into() } else { format!("{quota}/{period}") })
}

/// The values in the files of a group's own control group.
async fn of_group(session: &LabSession, group: &Members, made: &ControlGroup) -> Vec<Check> {
    let host = session.lab.side(Side::Host);
    let read = async |file: &str| host.read(&made.cpu.join(file).to_string_lossy()).await.ok();
    let weight = match read("cpu.shares").await {
        Some(shares) => Some(shares),
        None => read("cpu.weight").await,
    };
    let quota = match (read("cpu.max").await, read("cpu.cfs_quota_us").await, read("cpu.cfs_period_us").await)
    {
        (Some(max), ..) => quota_of(max.trim()),
        (_, Some(quota), Some(period)) => quota_of(&format!("{} {}", quota.trim(), period.trim())),
        _ => None,
    };
    let check = |what: &str, expected: String, found: Option<String>| Check {
        what: format!("group {}: {what} of its control group", group.name),
        expected,
        found: found.map_or("nothing".into(), |found| found.trim().to_owned()),
    };
    let shares = group.cpu.shares.map(|wanted| check("shares", wanted.to_string(), weight));
    let quota = check("quota", shown(group.cpu.quota_us, group.cpu.period_us()), quota);
    shares.into_iter().chain([quota]).collect()
}

/// The rates of the two buckets, and that what comes from the guest is led through the second.
async fn caps(session: &LabSession, configuration: &Configuration, guest: u32, bits: u64) -> Vec<Check> {
    let site = session.site(configuration);
    let Counted::OnHost { interface, .. } = configuration.backend.counted(&site, guest) else {
        return Vec::new();
    };
    let ifb = site.names.cap(guest);
    let host = session.lab.side(Side::Host);
    let tc = async |words: &[&str]| host.run(words).await.map(|output| output.stdout).unwrap_or_default();
    let to = cap::rate(&tc(&["tc", "-s", "-j", "qdisc", "show", "dev", &interface]).await);
    let led = tc(&["tc", "filter", "show", "dev", &interface, "ingress"]).await.contains(&ifb);
    let from = cap::rate(&tc(&["tc", "-s", "-j", "qdisc", "show", "dev", &ifb]).await).filter(|_| led);
    let shown = |bits: u64| format!("{bits} bit/s");
    vec![
        check(guest, "cap on what it receives", shown(bits), to.map(shown)),
        check(guest, "cap on what it sends", shown(bits), from.map(shown)),
    ]
}

/// That nothing is left of a cap; what cannot be asked is no proof.
async fn no_cap(session: &LabSession, configuration: &Configuration, guest: u32) -> Option<Check> {
    let Counted::OnHost { interface, .. } =
        configuration.backend.counted(&session.site(configuration), guest)
    else {
        return None;
    };
    let argv = ["tc", "-s", "-j", "qdisc", "show", "dev", &interface];
    let qdiscs = session.lab.side(Side::Host).run(&argv).await.ok();
    let found =
        qdiscs.map(|qdiscs| cap::rate(&qdiscs.stdout).map_or("none".into(), |bits| format!("{bits} bit/s")));
    Some(check(guest, "cap on its NIC", "none", found))
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str =
        "parent machine\nweight 512\nemulator -1 100000\nvcpu0 25000 100000\nvcpu1 25000 100000\n";
    const V2: &str =
        "parent machine.slice\nweight 512\nemulator max 100000\nvcpu0 25000 100000\nvcpu1 max 100000\n";

    fn settings() -> CpuSettings {
        CpuSettings { shares: Some(512), quota_us: Some(25_000), ..CpuSettings::default() }
    }

    #[test]
    fn what_was_asked_for_is_found_in_the_files() {
        assert!(of_files(V1, 1, &settings(), 2).iter().all(Check::holds));
    }

    #[test]
    fn one_vcpu_without_its_quota_is_detected() {
        let broken: Vec<Check> =
            of_files(V2, 1, &settings(), 2).into_iter().filter(|check| !check.holds()).collect();
        assert_eq!(broken.len(), 1);
        assert_eq!(
            broken[0].to_string(),
            "guest 1: vCPU quota, in its control group: expected 25000/100000, found 25000/100000, unlimited"
        );
    }

    #[test]
    fn what_cannot_be_read_proves_nothing() {
        assert!(!of_files("", 1, &settings(), 2).iter().any(Check::holds));
        assert!(!of_libvirt(None, 1, &settings()).iter().any(Check::holds));
    }

    #[test]
    fn libvirt_says_what_it_was_given() {
        let reported = Scheduler { shares: Some(512), vcpu: Some((25_000, 100_000)), emulator: None };
        assert!(of_libvirt(Some(reported), 1, &settings()).iter().all(Check::holds));
        let other = Scheduler { shares: Some(1024), ..reported };
        assert!(!of_libvirt(Some(other), 1, &settings())[0].holds());
    }
}
