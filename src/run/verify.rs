//! The proof that the backend under test is the one that runs: checked in every trial and stored with it.
//!
//! A fact that cannot be read does not hold: nothing is assumed because it was requested.

use std::collections::BTreeSet;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::guest_check::{AT_ONCE, check};
use super::lab_session::LabSession;
use super::settings::{emulator, kernel, memory, nic, pin, qemu_threads, scheduler, xen};
use super::time_limits::GUEST_QUERY;
use crate::backend::{Datapath, FactSource, Nic, Side};
use crate::guest::fleet::RunningGuest;
use crate::profile::Configuration;
use crate::raw::{Accel, Check};

/// Prints one line for each NIC, `<mac> <driver> <mtu> <queues> <features>`, and one with the number of CPUs. The features
/// are virtio's bits.
const INSIDE: &str = r#"for nic in /sys/class/net/*; do
[ -e $nic/device/driver ] || continue
driver=$(readlink $nic/device/driver); read -r mac < $nic/address; read -r mtu < $nic/mtu
queues=0; for queue in $nic/queues/rx-*; do queues=$((queues + 1)); done
features=none; [ ! -r $nic/device/features ] || read -r features < $nic/device/features
echo "$mac ${driver##*/} $mtu $queues $features"
done
echo "cpus $(grep -c ^processor /proc/cpuinfo)""#;

/// The checks of every guest of a configuration, in the guest and on the host.
///
/// # Errors
/// If a guest does not answer.
pub async fn checks(session: &LabSession, configuration: &Configuration) -> Result<Vec<Check>> {
    let guests = (1..=configuration.vms).filter_map(|number| session.fleet.get(number));
    let checks = guests.map(|guest| guest_checks(session, guest, configuration));
    let checks: Vec<Vec<Check>> = stream::iter(checks).buffered(AT_ONCE).try_collect().await?;
    let settings = kernel::checks(session, configuration).await?;
    let xen = xen::checks(session, configuration, "").await;
    Ok(settings.into_iter().chain(xen).chain(checks.into_iter().flatten()).collect())
}

async fn guest_checks(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
) -> Result<Vec<Check>> {
    let (site, number) = (session.site(configuration), guest.number);
    let Some(nic) = configuration.backend.nic(&site, number) else { return Ok(Vec::new()) };
    let script = if session.xen.is_some() { inside_xen() } else { INSIDE.to_owned() };
    let inside = guest.ssh.run(&["sh", "-c", &script], GUEST_QUERY).await?.stdout;
    let mut checks = checks_inside(&inside, number, &nic, configuration);
    if session.xen.is_none() {
        checks.extend(checks_of_process(session, guest, configuration, &nic).await);
    }
    for proof in configuration.backend.proofs(&site, number) {
        let found = observe(session, &proof.source, guest.pid).await;
        checks.push(check(number, &proof.what, proof.expected, found));
    }
    Ok(checks)
}

/// The script for a guest of Xen's, whose driver is called `vif`, whatever its module is.
fn inside_xen() -> String {
    INSIDE.replace("$nic/device/driver)", "$nic/device/driver/module)")
}

/// What QEMU's process on the host shows of a guest.
async fn checks_of_process(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
    nic: &Nic,
) -> Vec<Check> {
    let mut checks = Vec::new();
    checks.extend(checks_of_qemu(session, guest, configuration, nic).await);
    checks.extend(vhost_workers(session, guest, nic).await);
    checks.extend(pin::checks(session, guest, configuration).await);
    checks.extend(qemu_threads::checks(session, guest, configuration).await);
    checks.extend(scheduler::checks(session, guest, configuration).await);
    checks.extend(memory::checks(session, guest, configuration).await);
    if let Some(asked) = &configuration.emulator {
        checks.extend(emulator::checks(session, guest, asked).await);
    }
    checks
}

/// Prints the driver of each device in a directory of sysfs. PCI bridges (class 0x0604) are left out: the host keeps them
/// whoever has the rest of their IOMMU group, and the kernel allows that.
const DRIVERS: &str = r#"for device in "$1"/*; do
case $(cat "$device/class") in 0x0604*) continue ;; esac
if [ -e "$device/driver" ]; then driver=$(readlink "$device/driver"); echo "${driver##*/}"; else echo none; fi
done"#;

/// Prints whether a file exists.
const EXISTS: &str = r#"if [ -e "$1" ]; then echo there; else echo none; fi"#;

/// Prints the name of each thread of a process, and of each process.
const COMMS: &str = "cat /proc/$1/task/*/comm /proc/[0-9]*/comm 2>/dev/null || true";

/// Looks at one fact on the host; what cannot be read is nothing.
async fn observe(session: &LabSession, source: &FactSource, qemu: Option<i32>) -> Option<String> {
    let host = session.lab.side(Side::Host);
    match source {
        FactSource::Link(path) => {
            let target = host.run(&["readlink", path]).await.ok()?.stdout;
            target.trim().rsplit('/').next().map(str::to_owned)
        }
        FactSource::Drivers(directory) => {
            let output = host.run(&["sh", "-c", DRIVERS, "drivers", directory]).await.ok()?.stdout;
            let drivers: BTreeSet<&str> = output.lines().collect();
            Some(drivers.into_iter().collect::<Vec<_>>().join(", "))
        }
        FactSource::Command { argv, read } => read(&host.run(argv).await.ok()?.stdout),
        FactSource::Qemu { script } => {
            let output = host.run(&["sh", "-c", script, "qemu", &qemu?.to_string()]).await.ok()?.stdout;
            Some(output.trim().replace('\n', ", ")).filter(|found| !found.is_empty())
        }
        FactSource::Absent(path) => {
            let output = host.run(&["sh", "-c", EXISTS, "exists", path]).await.ok()?.stdout;
            Some(output.trim().to_owned())
        }
    }
}

/// Driver, MTU, queues and offloads of the NIC under test, number of CPUs. Pure.
fn checks_inside(output: &str, guest: u32, nic: &Nic, configuration: &Configuration) -> Vec<Check> {
    let line = |first: &str| output.lines().find_map(|line| line.strip_prefix(first)?.strip_prefix(' '));
    let found: Vec<&str> = line(&nic.mac).map(|rest| rest.split(' ').collect()).unwrap_or_default();
    let checks = [
        check(guest, "driver of the test NIC", &nic.driver, found.first()),
        check(guest, "MTU of the test NIC", nic.mtu, found.get(1)),
        check(guest, "vCPUs", configuration.vcpus, line("cpus")),
    ];
    let settings = nic::inside(found.get(2..).unwrap_or_default(), guest, nic, configuration.nic.offloads);
    checks.into_iter().chain(settings).collect()
}

/// Accelerator, datapath and size of the queues, from QEMU's own command line.
async fn checks_of_qemu(
    session: &LabSession,
    guest: &RunningGuest,
    configuration: &Configuration,
    nic: &Nic,
) -> Vec<Check> {
    let path = format!("/proc/{}/cmdline", guest.pid.unwrap_or_default());
    let text = session.lab.side(Side::Host).read(&path).await.unwrap_or_default();
    let words: Vec<String> = text.split_terminator('\0').map(str::to_owned).collect();
    let checks = qemu_checks(&words, guest.number, configuration, session.accel);
    checks.into_iter().chain(nic::in_qemu(&words, guest.number, nic)).collect()
}

/// Pure part of [`checks_of_qemu`].
fn qemu_checks(words: &[String], guest: u32, configuration: &Configuration, accel: Accel) -> Vec<Check> {
    let expected = match accel {
        Accel::Kvm => "kvm",
        Accel::Tcg => "tcg",
        Accel::Xen => "xen",
    };
    let after = words.iter().skip_while(|word| *word != "-accel").nth(1);
    let accelerator = after.map(|word| word.split(',').next().unwrap_or_default());
    let mut checks = vec![check(guest, "accelerator", expected, accelerator)];
    if let Some(datapath) = configuration.backend.datapath() {
        let any = |what: &[&str]| words.iter().any(|word| what.iter().any(|part| word.contains(part)));
        let found = match () {
            () if any(&["vfio-pci"]) => Datapath::Passthrough,
            () if any(&["\"type\":\"vhost-vdpa\"", "vhost-vdpa,"]) => Datapath::VhostVdpa,
            () if any(&["\"type\":\"vhost-user\"", "vhost-user,"]) => Datapath::VhostUser,
            () if any(&["vhost=on", "\"vhost\":true"]) => Datapath::Vhost,
            () => Datapath::Userspace,
        };
        let found = (!words.is_empty()).then_some(found.as_str());
        checks.push(check(guest, "datapath", datapath.as_str(), found));
    }
    checks
}

/// The kernel's workers that serve a guest: one for each vhost queue pair, none without vhost. Since Linux 6.4 they are
/// threads of QEMU, before that processes of the kernel's; both are named after QEMU.
async fn vhost_workers(session: &LabSession, guest: &RunningGuest, nic: &Nic) -> Option<Check> {
    let pid = guest.pid?;
    let name = format!("vhost-{pid}");
    let command = ["sh", "-c", COMMS, "comms", &pid.to_string()];
    let comms = session.lab.side(Side::Host).run(&command).await.ok().map(|output| output.stdout);
    let workers = comms.map(|comms| comms.lines().filter(|comm| comm.trim() == name).count());
    let expected = if nic.datapath == Datapath::Vhost { nic.queues.unwrap_or(1) } else { 0 };
    Some(check(guest.number, "vhost workers", expected, workers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::switch::OpenVswitch;
    use crate::backend::wire::Wire;
    use crate::backend::{Names, NicSettings, Site};

    fn configuration(backend: &str) -> Configuration {
        Configuration {
            backend: backend.parse().unwrap(),
            vms: 1,
            vcpus: 2,
            flows: 1,
            ..Configuration::default()
        }
    }

    const SEEN: &str =
        "52:54:00:6d:10:01 virtio_net 1500 1 0101\n52:54:00:74:10:01 e1000 1500 1 none\ncpus 2\n";

    fn nic(backend: &str) -> Nic {
        let names = Names { run: "abc234".into(), tester_netns: String::new(), index_base: 0 };
        let (nic, ovs) = (NicSettings::default(), OpenVswitch::default());
        let site = Site { names, wire: Wire::Veth, mtu: 1500, nic, guests: 1, ovs };
        configuration(backend).backend.nic(&site, 1).unwrap()
    }

    #[test]
    fn a_guest_with_the_right_nic_passes() {
        assert!(checks_inside(SEEN, 1, &nic("e1000"), &configuration("e1000")).iter().all(Check::holds));
    }

    #[test]
    fn a_guest_with_another_nic_than_asked_for_is_found_out() {
        let checks = checks_inside(SEEN, 1, &nic("virtio"), &configuration("virtio"));
        let broken: Vec<&Check> = checks.iter().filter(|check| !check.holds()).collect();
        assert_eq!(broken.len(), 1);
        assert_eq!((broken[0].expected.as_str(), broken[0].found.as_str()), ("virtio_net", "e1000"));
    }

    #[test]
    fn a_guest_that_says_nothing_proves_nothing() {
        assert!(!checks_inside("", 1, &nic("virtio"), &configuration("virtio")).iter().any(Check::holds));
        assert!(!qemu_checks(&[], 1, &configuration("virtio"), Accel::Tcg).iter().any(Check::holds));
    }

    #[test]
    fn vhost_behind_ones_back_is_found_out() {
        let words = |netdev: &str| ["qemu", "-accel", "tcg,tb-size=32", "-netdev", netdev].map(str::to_owned);
        let quiet = words("{\"type\":\"tap\",\"fd\":\"12\"}");
        assert!(qemu_checks(&quiet, 1, &configuration("virtio"), Accel::Tcg).iter().all(Check::holds));
        let vhost = words("{\"type\":\"tap\",\"fd\":\"12\",\"vhost\":true}");
        assert!(!qemu_checks(&vhost, 1, &configuration("virtio"), Accel::Tcg)[1].holds());
        let user = words("{\"type\":\"vhost-user\",\"chardev\":\"charnet1\"}");
        assert!(!qemu_checks(&user, 1, &configuration("virtio"), Accel::Tcg)[1].holds());
        assert!(qemu_checks(&user, 1, &configuration("vhost-user"), Accel::Tcg)[1].holds());
        let vdpa = words("{\"type\":\"vhost-vdpa\",\"vhostdev\":\"/dev/fdset/0\",\"id\":\"hostnet1\"}");
        assert!(qemu_checks(&vdpa, 1, &configuration("vdpa"), Accel::Tcg)[1].holds());
        assert!(!qemu_checks(&quiet, 1, &configuration("vdpa"), Accel::Tcg)[1].holds());
    }
}
