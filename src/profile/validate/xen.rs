//! What a Xen host can have, and what it cannot: each key by itself is refused here, and not in the middle of a run.

use super::factors::{Levels, levels_of};
use super::machines::{XEN, is_xen};
use super::{Fault, Validator, image};
use crate::factor::descriptor::Hosts;
use crate::factor::xen::XenScheduler;
use crate::profile::cpus::of_list;
use crate::profile::written::{GroupSection, HostSection, Written};
use crate::profile::{AccelChoice, Configuration, ExitChoice, Factor, Value, XenHost};

/// What Xen takes as a weight.
const WEIGHTS: std::ops::RangeInclusive<u32> = 1..=65_535;
/// A cap is a whole percentage of one CPU: of a period of 100 ms, so many µs.
const US_PER_PERCENT: u32 = 1_000;

/// The dom0, if the host is one.
pub(super) fn host(check: &mut Validator, written: &HostSection) -> Option<XenHost> {
    let cpupool = written.cpupool.as_ref().map(|list| (list, of_list(list)));
    if !is_xen(written) {
        if cpupool.is_some() {
            let hint = format!("leave it out, or write uri = \"{XEN}\"");
            check.fault("host.cpupool", Fault::new("only Xen has cpupools", "makes no difference", hint));
        }
        return None;
    }
    if written.accel != AccelChoice::Auto {
        let hint = "leave `accel` out: Xen runs the guests";
        check.fault("host.accel", Fault::new("`accel` is not supported on Xen", "", hint));
    }
    if written.exits != ExitChoice::Auto {
        let hint = "leave `exits` out: they are KVM's";
        check.fault("host.exits", Fault::new("`exits` is not supported on Xen", "", hint));
    }
    match cpupool {
        Some((list, None)) => {
            let hint = "write the CPUs of the pool as a list, for example cpupool = \"2-3\"";
            check.fault("host.cpupool", Fault::new(format!("`{list}` is no list of CPUs"), "", hint));
            None
        }
        Some((_, cpus)) => Some(XenHost { cpupool: cpus }),
        None => Some(XenHost::default()),
    }
}

/// What the levels and groups of a profile demand that its host has not got.
pub(super) fn check(check: &mut Validator, written: &Written, xen: Option<&XenHost>, factors: &[Levels]) {
    backends(check, &written.host, factors);
    if !is_xen(&written.host) {
        let hint = format!("leave it out, or write uri = \"{XEN}\" in [host]");
        return refused(check, factors, |factor| factor.descriptor().hosts == Hosts::Xen, "needs Xen", &hint);
    }
    if image::is_cloud(&written.guest) {
        let hint = "leave `image` out: the appliance boots as a PV guest";
        check.fault("guest.image", Fault::new("a cloud image is not supported on Xen", "", hint));
    }
    let is_foreign = |factor: Factor| factor.descriptor().hosts == Hosts::Kvm;
    let hint = "leave it out: it is a setting of QEMU, KVM, virtio or a VM host's kernel";
    refused(check, factors, is_foreign, "is not supported on Xen", hint);
    if xen.is_some_and(|xen| xen.cpupool.is_none()) {
        let hint = "give the guests a pool of their own, for example cpupool = \"1\" in [host]";
        let of_pool = |factor| [Factor::XenSlice, Factor::XenRatelimit].contains(&factor);
        refused(check, factors, of_pool, "would be dom0's too without a cpupool", hint);
    }
    slice(check, factors);
    quotas(check, factors);
    written.group.iter().enumerate().for_each(|(index, written)| group(check, index, written));
}

/// Each kind of host has backends of its own.
fn backends(check: &mut Validator, host: &HostSection, factors: &[Levels]) {
    for level in levels_of(factors, Factor::Backend) {
        let Value::Backend(backend) = level.value else { continue };
        let fault = match (is_xen(host), backend.is_of_xen()) {
            (true, false) => Fault::new(
                format!("backend `{backend}` is not supported on Xen"),
                "",
                "use `xen-netfront` or `ovs-xen-netfront`: their guests are paravirtual, and have no PCI devices",
            ),
            (false, true) => Fault::new(
                format!("backend `{backend}` needs Xen"),
                "",
                format!(
                    "write uri = \"{XEN}\" in [host], in dom0, or \"xen+ssh://root@dom0/system\"; or use `virtio`"
                ),
            ),
            _ => continue,
        };
        check.fault(&level.path, fault);
    }
}

/// Reports the factors that are written although the host cannot have them.
fn refused(
    check: &mut Validator,
    factors: &[Levels],
    is_refused: impl Fn(Factor) -> bool,
    why: &str,
    hint: &str,
) {
    for levels in factors.iter().filter(|levels| levels.written && is_refused(levels.factor)) {
        let path =
            if levels.swept { format!("sweep.{}", levels.factor.key()) } else { levels.factor.home().into() };
        let message = format!("`{}` {why}", levels.factor.key());
        check.fault(&path, Fault::new(message, "", hint));
    }
}

/// A slice is the credit scheduler's.
fn slice(check: &mut Validator, factors: &[Levels]) {
    let credit = Value::Word(XenScheduler::Credit.to_string());
    let Some(slice) = factors.iter().find(|levels| levels.factor == Factor::XenSlice && levels.written)
    else {
        return;
    };
    if !levels_of(factors, Factor::XenScheduler).iter().any(|level| level.value == credit) {
        let path = if slice.swept { "sweep.xen_slice" } else { slice.factor.home() };
        let hint = "add xen_scheduler = \"credit\" in [host], or leave `xen_slice` out: credit2 has no slice";
        check.fault(path, Fault::new("`xen_slice` is the credit scheduler's", "makes no difference", hint));
    }
}

/// Quotas become caps.
fn quotas(check: &mut Validator, factors: &[Levels]) {
    for level in levels_of(factors, Factor::Quota) {
        if !level.value.as_number().is_multiple_of(US_PER_PERCENT) {
            check.fault(&level.path, no_percentage());
        }
    }
}

fn group(check: &mut Validator, index: usize, group: &GroupSection) {
    let path = |key: &str| format!("group[{index}].{key}");
    if let Some(shares) = group.shares {
        check.bounds(&path("shares"), shares, WEIGHTS);
    }
    if group.quota.is_some_and(|quota| quota.0.as_micros() % u128::from(US_PER_PERCENT) != 0) {
        check.fault(&path("quota"), no_percentage());
    }
    let refused = [
        ("cgroup", group.cgroup, "Xen has no control groups"),
        ("period", group.period.is_some(), "Xen chooses the period of a cap"),
        ("emulator_quota", group.emulator_quota.is_some(), "guests of Xen have no QEMU"),
    ];
    for (key, _, why) in refused.into_iter().filter(|(_, written, _)| *written) {
        let message = format!("`{key}` is not supported on Xen: {why}");
        check.fault(&path(key), Fault::new(message, "", format!("leave `{key}` out")));
    }
}

fn no_percentage() -> Fault {
    let hint = "write whole milliseconds in each 100 ms, for example \"25 ms\": that is a cap of 25 %";
    Fault::new("a cap of Xen's is a whole percentage of one CPU", "", hint)
}

/// A configuration without what its scheduler ignores, so that sweeping it makes no difference.
pub(super) fn as_used(mut configuration: Configuration) -> Configuration {
    if configuration.xen.scheduler == Some(XenScheduler::Credit2) {
        configuration.xen.slice_ms = None;
    }
    configuration
}

/// Whether any backend is one of Xen's.
#[cfg(test)]
fn has_xen(experiment: &crate::profile::Experiment) -> bool {
    experiment.configurations.iter().any(|configuration| configuration.backend.is_of_xen())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::factor::descriptor::Scope;
    use crate::machine::login::Location;
    use crate::profile::{Experiment, HostFacts, parse};

    fn parsed(host: &str, rest: &str) -> Result<Experiment, Vec<String>> {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 4\n[network]\nbackend = \"xen-netfront\"\n\
             [guest]\nvms = 2\n[host]\nuri = \"xen:///system\"\n{host}\n{rest}"
        );
        let facts = HostFacts { memory_mib: 256, cpus: 1 };
        let parsed = parse(&text, Path::new("p.toml"), facts);
        parsed.map_err(|error| error.diagnostics.into_iter().map(|fault| fault.message).collect())
    }

    fn refused(host: &str, rest: &str) -> String {
        parsed(host, rest).err().map(|faults| faults.join("; ")).unwrap_or_default()
    }

    #[test]
    fn a_dom0_has_its_tester_in_itself_and_its_pool_of_cpus() {
        let experiment = parsed("cpupool = \"1,3\"\nxen_scheduler = \"credit\"", "").unwrap();
        assert_eq!(experiment.host.xen, Some(XenHost { cpupool: Some(BTreeSet::from([1, 3])) }));
        assert!(experiment.machines.is_none() && !experiment.is_embedded() && has_xen(&experiment));
        assert_eq!(parsed("", "").unwrap().host.xen, Some(XenHost::default()));
    }

    #[test]
    fn every_factor_that_only_kvm_has_is_refused_and_those_of_both_are_not() {
        let of_guests = [
            Factor::Emulator,
            Factor::PinEmulator,
            Factor::PinVhost,
            Factor::Scheduler,
            Factor::Hugepages,
            Factor::NumaNode,
            Factor::Queues,
            Factor::QueueSize,
            Factor::Offloads,
        ];
        for factor in Factor::ALL {
            let descriptor = factor.descriptor();
            let sweep = format!("[sweep]\n{} = {}", descriptor.key, descriptor.list_of_levels());
            let wanted = of_guests.contains(&factor) || descriptor.scope == Scope::Host;
            let message = format!("`{}` is not supported on Xen", descriptor.key);
            assert_eq!(refused("", &sweep).contains(&message), wanted, "{sweep}: {}", refused("", &sweep));
        }
        for key in ["guest_coalesce_rx", "guest_coalesce_tx"] {
            let sweep = format!("[sweep]\n{key} = [\"100 us\"]");
            let faults = parsed("", &sweep).unwrap_err();
            assert!(faults.len() == 1 && faults[0].contains("netfront gathers no packets"), "{faults:?}");
        }
    }

    #[test]
    fn what_is_kvms_is_refused_by_name() {
        for (host, what) in [
            ("accel = \"tcg\"", "`accel` is not supported on Xen"),
            ("exits = \"debugfs\"", "`exits` is not supported on Xen"),
            ("cpupool = \"x\"", "`x` is no list of CPUs"),
            ("emulator = \"/q\"", "`emulator` is not supported on Xen"),
            ("xen_slice = \"5 ms\"", "`xen_slice` would be dom0's too without a cpupool"),
            ("cpupool = \"1\"\nxen_slice = \"5 ms\"", "`xen_slice` is the credit scheduler's"),
        ] {
            assert!(refused(host, "").contains(what), "{host}: {}", refused(host, ""));
        }
        for (rest, what) in [
            ("[sweep]\nhost_rps = [\"all\", \"none\"]", "`host_rps` is not supported on Xen"),
            ("[[group]]\nname = \"a\"\nguests = 1\nshares = 70000", "`shares` must be 1 to 65535"),
            ("[[group]]\nname = \"a\"\nguests = 1\nquota = \"10500 us\"", "a whole percentage"),
            (
                "[[group]]\nname = \"a\"\nguests = 1\nquota = \"10 ms\"\nperiod = \"50 ms\"",
                "`period` is not supported",
            ),
        ] {
            assert!(refused("", rest).contains(what), "{rest}: {}", refused("", rest));
        }
    }

    #[test]
    fn a_slice_makes_no_second_configuration_of_credit2() {
        let sweep = "[sweep]\nxen_scheduler = [\"credit\", \"credit2\"]\nxen_slice = [\"30 ms\", \"5 ms\"]";
        let experiment = parsed("cpupool = \"1\"", sweep).unwrap();
        let slices: Vec<_> = experiment.configurations.iter().map(|c| c.xen.slice_ms).collect();
        assert_eq!(slices, [Some(30), Some(5), None]);
    }

    #[test]
    fn xens_backend_and_factors_need_xen() {
        let text = "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"xen-netfront\"\n\
                    host.xen_scheduler = \"credit\"\nhost.cpupool = \"1\"\n";
        let error = parse(text, Path::new("p.toml"), HostFacts { memory_mib: 1024, cpus: 2 }).unwrap_err();
        let messages: Vec<&str> = error.diagnostics.iter().map(|fault| fault.message.as_str()).collect();
        for what in ["backend `xen-netfront` needs Xen", "`xen_scheduler` needs Xen", "only Xen has cpupools"]
        {
            assert!(messages.contains(&what), "{messages:?}");
        }
    }

    #[test]
    fn xen_on_another_machine_is_a_dom0_behind_ssh_with_a_real_wire() {
        let of = |uri: &str| {
            let text = format!(
                "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"xen-netfront\"\nhost.uri = \"{uri}\"\n\
                 host.cpupool = \"1\"\n[tester]\nssh = \"root@tester\"\n[wire]\nhost_dev = \"eth1\"\ntester_dev = \"eth1\"\n"
            );
            parse(&text, Path::new("p.toml"), HostFacts { memory_mib: 1024, cpus: 2 })
        };
        let experiment = of("xen+ssh://root@lab:2222/system").unwrap();
        assert!(experiment.host.xen.is_some());
        let Location::Remote(login) = experiment.machines.unwrap().host else { panic!("another machine") };
        assert_eq!(login.address.to_string(), "root@lab:2222");
        let hint = of("xen+tls://lab/system").unwrap_err().diagnostics[0].hint.clone();
        assert!(hint.unwrap_or_default().contains("xen+ssh://root@dom0/system"));
    }
}
