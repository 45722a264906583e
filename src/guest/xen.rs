//! The domain XML of a paravirtual guest of Xen's, and how its kernel is told from QEMU's. Pure.

use std::path::{Path, PathBuf};

use quick_xml::Writer;
use quick_xml::events::BytesStart;

use super::domain::{BootFrom, Domain};
use super::xml::{Xml, empty, nest, text, write};
use crate::backend::{Nic, NicSource};

/// Where xenconsoled writes what guests print, if it runs with `--log=guest` or `--log=all`.
const CONSOLES: &str = "/var/log/xen/console";

/// The console's file of a guest.
pub fn console(name: &str) -> PathBuf {
    Path::new(CONSOLES).join(format!("guest-{name}.log"))
}

/// Kernel options of the appliance as a PV guest: its console is Xen's, and it has no serial line.
pub fn kernel_options(of_qemu: &str) -> String {
    of_qemu.replace("console=ttyS0", "console=hvc0").replace("8250.nr_uarts=1", "8250.nr_uarts=0")
}

/// The XML of a guest, indented by two blanks. CPU time, pinning and pool are set when the domain is there.
pub(super) fn domain(domain: &Domain) -> std::io::Result<String> {
    let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
    nest(&mut xml, BytesStart::new("domain").with_attributes([("type", "xen")]), |xml| {
        text(xml, "name", &domain.name)?;
        nest(xml, BytesStart::new("memory").with_attributes([("unit", "MiB")]), |xml| {
            write(xml, &domain.memory.mib.to_string())
        })?;
        text(xml, "vcpu", &domain.vcpus.to_string())?;
        nest(xml, BytesStart::new("os"), |xml| boot(xml, &domain.boot))?;
        text(xml, "on_reboot", "destroy")?;
        text(xml, "on_crash", "destroy")?;
        nest(xml, BytesStart::new("devices"), |xml| {
            domain.nics.iter().try_for_each(|nic| interface(xml, nic))?;
            nest(xml, BytesStart::new("console").with_attributes([("type", "pty")]), |xml| {
                empty(xml, "target", &[("type", "xen"), ("port", "0")])
            })
        })
    })?;
    Ok(String::from_utf8_lossy(&xml.into_inner()).into_owned())
}

fn boot(xml: &mut Xml, boot: &BootFrom) -> std::io::Result<()> {
    let kind = BytesStart::new("type").with_attributes([("arch", "x86_64"), ("machine", "xenpv")]);
    nest(xml, kind, |xml| write(xml, "linux"))?;
    let BootFrom::Kernel { kernel, initramfs, options } = boot else { return Ok(()) }; // no valid profile has a disk
    text(xml, "kernel", &kernel.to_string_lossy())?;
    text(xml, "initrd", &initramfs.to_string_lossy())?;
    text(xml, "cmdline", options)
}

/// libvirt drops a name that begins with "vif". It runs Xen's script vif-openvswitch for a port of Open vSwitch.
fn interface(xml: &mut Xml, nic: &Nic) -> std::io::Result<()> {
    let (bridge, vif, on_switch) = match &nic.source {
        NicSource::Bridge { bridge, tap } => (bridge, tap, false),
        NicSource::SwitchPort { bridge, vif } => (bridge, vif, true),
        _ => return Ok(()), // Xen's backends have no other
    };
    nest(xml, BytesStart::new("interface").with_attributes([("type", "bridge")]), |xml| {
        empty(xml, "source", &[("bridge", bridge)])?;
        if on_switch {
            empty(xml, "virtualport", &[("type", "openvswitch")])?;
        }
        empty(xml, "target", &[("dev", vif)])?;
        empty(xml, "mac", &[("address", &nic.mac)])?;
        empty(xml, "model", &[("type", "netfront")])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Datapath, NicModel};
    use crate::guest::memory::Memory;
    use crate::profile::groups::CpuSettings;
    use crate::raw::Accel;

    #[test]
    fn a_paravirtual_guest_is_described_as_libvirt_wants_it() {
        let management = Nic {
            source: NicSource::Bridge { bridge: "kf-abc234-m".into(), tap: "kf-abc234-m1".into() },
            mac: "52:54:00:74:00:01".into(),
            model: NicModel::Netfront,
            datapath: Datapath::Netback,
            driver: "xen_netfront".into(),
            mtu: 1500,
            queues: None,
            queue_size: None,
            offloads: true,
        };
        let port = NicSource::SwitchPort { bridge: "kf-abc234-b".into(), vif: "kf-abc234-t1".into() };
        let test = Nic { source: port, mac: "52:54:00:74:01:01".into(), ..management.clone() };
        let domain = Domain {
            name: "kf-abc234-g1".into(),
            accel: Accel::Xen,
            emulator: None,
            vcpus: 1,
            memory: Memory { mib: 128, ..Memory::default() },
            cpu: CpuSettings { shares: Some(512), ..CpuSettings::default() },
            partition: None,
            account: None,
            boot: BootFrom::Kernel {
                kernel: "/k/vmlinux".into(),
                initramfs: "/s/initramfs".into(),
                options: "quiet".into(),
            },
            console: console("kf-abc234-g1"),
            nics: vec![management, test],
        };
        insta::assert_snapshot!(super::domain(&domain).unwrap());
    }

    #[test]
    fn the_console_of_a_guest_is_xens() {
        let options = kernel_options("console=ttyS0 quiet 8250.nr_uarts=1 kf.host=g1");
        assert_eq!(options, "console=hvc0 quiet 8250.nr_uarts=0 kf.host=g1");
    }
}
