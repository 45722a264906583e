//! The domain XML of one guest, as `kvmfair plan --xml` prints it and libvirt gets it. Pure.

use std::path::{Path, PathBuf};

use quick_xml::Writer;
use quick_xml::events::BytesStart;

use super::memory::{self, Memory};
use super::xml::{Xml, empty, nest, text, write};
use super::{cputune, interface};
use crate::backend::{Nic, NicSource};
use crate::libvirt::account::Account;
use crate::profile::groups::CpuSettings;
use crate::raw::Accel;

/// Translated code that QEMU keeps for an emulated appliance, MiB. Without a bound it takes up to a gigabyte; 32 was no
/// faster than 16.
const APPLIANCE_CACHE_MIB: u32 = 16;
/// The same for a whole distribution, which runs far more code while it boots.
const DISTRIBUTION_CACHE_MIB: u32 = 128;

/// Features of x86-64-v2 that qemu64 lacks; today's distributions are compiled for them.
const DISTRIBUTION_CPU: [&str; 4] = ["ssse3", "sse4.1", "sse4.2", "popcnt"];

/// The description of one guest.
#[derive(Clone, Debug, PartialEq)]
pub struct Domain {
    /// Libvirt's name.
    pub name: String,
    /// What runs its instructions.
    pub accel: Accel,
    /// Path of QEMU; `None`: libvirt's choice.
    pub emulator: Option<PathBuf>,
    /// The user that QEMU runs as; `None`: libvirt's choice.
    pub account: Option<Account>,
    /// vCPUs.
    pub vcpus: u32,
    /// Memory.
    pub memory: Memory,
    /// Its CPU time: weight and quotas.
    pub cpu: CpuSettings,
    /// The control group that holds it, by libvirt's name; `None`: libvirt's choice.
    pub partition: Option<String>,
    /// What it boots from.
    pub boot: BootFrom,
    /// File that receives the serial console.
    pub console: PathBuf,
    /// NICs: management first, then the one under test.
    pub nics: Vec<Nic>,
}

/// What a guest boots from.
#[derive(Clone, Debug, PartialEq)]
pub enum BootFrom {
    /// A kernel of kvmfair's choice: no firmware menu, no boot loader, no disk.
    Kernel {
        /// Kernel image.
        kernel: PathBuf,
        /// Initramfs with the run's keys.
        initramfs: PathBuf,
        /// Kernel command line.
        options: String,
    },
    /// The boot loader on a disk.
    Disk {
        /// qcow2 file over the image; takes what the guest writes.
        overlay: PathBuf,
        /// Small disk that configures the guest by cloud-init.
        seed: PathBuf,
    },
}

impl Domain {
    /// The XML, indented by two blanks.
    ///
    /// # Errors
    /// Never in practice: the writer writes into memory.
    pub fn xml(&self) -> std::io::Result<String> {
        let mut xml = Writer::new_with_indent(Vec::new(), b' ', 2);
        let mut domain = BytesStart::new("domain").with_attributes([("type", self.kind())]);
        if self.without_vectors() {
            domain.push_attribute(("xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0"));
        }
        nest(&mut xml, domain, |xml| {
            text(xml, "name", &self.name)?;
            memory::write(xml, self.memory, self.shares_memory())?;
            self.processors(xml)?;
            cputune::write(xml, &self.cpu, self.partition.as_deref())?;
            self.boot(xml)?;
            self.features(xml)?;
            text(xml, "on_reboot", "destroy")?;
            text(xml, "on_crash", "destroy")?;
            nest(xml, BytesStart::new("devices"), |xml| self.devices(xml))?;
            self.user(xml)?;
            if self.without_vectors() { interface::no_vectors(xml) } else { Ok(()) }
        })?;
        Ok(String::from_utf8_lossy(&xml.into_inner()).into_owned())
    }

    fn kind(&self) -> &'static str {
        match self.accel {
            Accel::Kvm => "kvm",
            Accel::Tcg => "qemu",
            Accel::Xen => "xen",
        }
    }

    /// With a maximum of one CPU, QEMU emulates a guest's atomic instructions by ordinary ones, although its own threads serve
    /// the guest's NICs at the same time: an interrupt or a notification of a virtio queue is then lost at times, and the NIC
    /// hangs for good. With a maximum of two CPUs, of which one stays absent, they are atomic. (Measured, TCP_RR of 2 KiB over
    /// virtio, trials of 11 s: it hung in five of six, with a maximum of two in none of six.)
    fn processors(&self, xml: &mut Xml) -> std::io::Result<()> {
        let count = self.vcpus.to_string();
        if self.accel == Accel::Tcg && self.vcpus == 1 {
            let maximum = BytesStart::new("vcpu").with_attributes([("current", count.as_str())]);
            return nest(xml, maximum, |xml| write(xml, "2"));
        }
        text(xml, "vcpu", &count)
    }

    /// The files that it needs are the user's already.
    fn user(&self, xml: &mut Xml) -> std::io::Result<()> {
        let Some(Account { uid, gid, .. }) = self.account else { return Ok(()) };
        let attributes = [("type", "static"), ("model", "dac"), ("relabel", "no")];
        nest(xml, BytesStart::new("seclabel").with_attributes(attributes), |xml| {
            text(xml, "label", &format!("+{uid}:+{gid}"))
        })
    }

    fn shares_memory(&self) -> bool {
        self.nics.iter().any(|nic| matches!(nic.source, NicSource::VhostUser { .. }))
    }

    /// QEMU 7.2 crashes when an emulated guest unmasks a vector of a vhost-user NIC: its code assumes KVM.
    fn without_vectors(&self) -> bool {
        self.accel == Accel::Tcg && self.shares_memory()
    }

    fn boot(&self, xml: &mut Xml) -> std::io::Result<()> {
        nest(xml, BytesStart::new("os"), |xml| {
            nest(
                xml,
                BytesStart::new("type").with_attributes([("arch", "x86_64"), ("machine", "q35")]),
                |xml| write(xml, "hvm"),
            )?;
            match &self.boot {
                BootFrom::Kernel { kernel, initramfs, options } => {
                    text(xml, "kernel", &kernel.to_string_lossy())?;
                    text(xml, "initrd", &initramfs.to_string_lossy())?;
                    text(xml, "cmdline", options)
                }
                BootFrom::Disk { .. } => empty(xml, "boot", &[("dev", "hd")]),
            }
        })
    }

    fn features(&self, xml: &mut Xml) -> std::io::Result<()> {
        nest(xml, BytesStart::new("features"), |xml| {
            empty(xml, "acpi", &[])?;
            match self.accel {
                Accel::Kvm | Accel::Xen => Ok(()),
                Accel::Tcg => nest(xml, BytesStart::new("tcg"), |xml| {
                    let cache = BytesStart::new("tb-cache").with_attributes([("unit", "MiB")]);
                    nest(xml, cache, |xml| write(xml, &self.cache_mib().to_string()))
                }),
            }
        })?;
        self.cpu(xml)?;
        nest(xml, BytesStart::new("clock").with_attributes([("offset", "utc")]), |xml| {
            empty(xml, "timer", &[("name", "hpet"), ("present", "no")])
        })
    }

    fn cache_mib(&self) -> u32 {
        match self.boot {
            BootFrom::Kernel { .. } => APPLIANCE_CACHE_MIB,
            BootFrom::Disk { .. } => DISTRIBUTION_CACHE_MIB,
        }
    }

    /// qemu64 boots quickest; without rdrand the SSH server waits seconds for randomness.
    fn cpu(&self, xml: &mut Xml) -> std::io::Result<()> {
        if self.accel == Accel::Kvm {
            return empty(xml, "cpu", &[("mode", "host-passthrough")]);
        }
        let more = match self.boot {
            BootFrom::Kernel { .. } => [].as_slice(),
            BootFrom::Disk { .. } => &DISTRIBUTION_CPU,
        };
        nest(xml, BytesStart::new("cpu").with_attributes([("mode", "custom")]), |xml| {
            text(xml, "model", "qemu64")?;
            let mut features = std::iter::once(&"rdrand").chain(more);
            features.try_for_each(|name| empty(xml, "feature", &[("policy", "require"), ("name", name)]))
        })
    }

    /// Nothing that costs memory or time and that the experiment does not need.
    fn devices(&self, xml: &mut Xml) -> std::io::Result<()> {
        if let Some(emulator) = &self.emulator {
            text(xml, "emulator", &emulator.to_string_lossy())?;
        }
        empty(xml, "controller", &[("type", "usb"), ("model", "none")])?;
        empty(xml, "memballoon", &[("model", "none")])?;
        nest(xml, BytesStart::new("serial").with_attributes([("type", "file")]), |xml| {
            empty(xml, "source", &[("path", &self.console.to_string_lossy())])
        })?;
        if let BootFrom::Disk { overlay, seed } = &self.boot {
            disks(xml, overlay, seed)?;
        }
        self.nics.iter().try_for_each(|nic| interface::write(xml, nic))
    }
}

/// The overlay is deleted with the run, so it need not be synced to the host's disk.
fn disks(xml: &mut Xml, overlay: &Path, seed: &Path) -> std::io::Result<()> {
    let disk = || BytesStart::new("disk").with_attributes([("type", "file"), ("device", "disk")]);
    nest(xml, disk(), |xml| {
        empty(xml, "driver", &[("name", "qemu"), ("type", "qcow2"), ("cache", "unsafe")])?;
        empty(xml, "source", &[("file", &overlay.to_string_lossy())])?;
        empty(xml, "target", &[("dev", "vda"), ("bus", "virtio")])
    })?;
    nest(xml, disk(), |xml| {
        empty(xml, "driver", &[("name", "qemu"), ("type", "raw")])?;
        empty(xml, "source", &[("file", &seed.to_string_lossy())])?;
        empty(xml, "target", &[("dev", "vdb"), ("bus", "virtio")])?;
        empty(xml, "readonly", &[])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::{Datapath, NicModel};
    use crate::host_nic::PciAddress;
    fn domain() -> Domain {
        let nic = |source| Nic {
            source,
            mac: "52:54:00:74:00:01".into(),
            model: NicModel::Virtio,
            datapath: Datapath::Userspace,
            driver: "virtio_net".into(),
            mtu: 1500,
            queues: Some(1),
            queue_size: None,
            offloads: true,
        };
        Domain {
            name: "kf-abc234-g1".into(),
            accel: Accel::Tcg,
            emulator: None,
            vcpus: 2,
            memory: Memory { mib: 96, ..Memory::default() },
            cpu: CpuSettings::default(),
            partition: None,
            account: None,
            boot: BootFrom::Kernel {
                kernel: "/k & co/vmlinuz".into(),
                initramfs: "/s/initramfs".into(),
                options: "quiet".into(),
            },
            console: "/s/g1.console".into(),
            nics: vec![
                nic(NicSource::Bridge { bridge: "kf-abc234-m".into(), tap: "kf-abc234-m1".into() }),
                nic(NicSource::Existing { device: "kf-abc234-v1".into() }),
            ],
        }
    }

    #[test]
    fn an_emulated_guest_is_described_as_libvirt_wants_it() {
        insta::assert_snapshot!(domain().xml().unwrap());
    }

    #[test]
    fn an_emulated_guest_of_one_cpu_has_room_for_a_second() {
        let of = |accel, vcpus| Domain { accel, vcpus, ..domain() }.xml().unwrap();
        assert!(of(Accel::Tcg, 1).contains("<vcpu current=\"1\">2</vcpu>"), "{}", of(Accel::Tcg, 1));
        assert!(of(Accel::Tcg, 2).contains("<vcpu>2</vcpu>") && of(Accel::Kvm, 1).contains("<vcpu>1</vcpu>"));
    }

    #[test]
    fn a_guest_with_disks_is_described_as_libvirt_wants_it() {
        let boot = BootFrom::Disk { overlay: "/s/g1.qcow2".into(), seed: "/s/g1.seed".into() };
        insta::assert_snapshot!(Domain { boot, ..domain() }.xml().unwrap());
    }

    #[test]
    fn a_function_of_the_host_is_managed_by_libvirt() {
        let function = PciAddress::parse("0000:01:10.2").unwrap();
        let mut guest = domain();
        guest.nics[1].source = NicSource::Function { function };
        insta::assert_snapshot!(guest.xml().unwrap());
    }

    #[test]
    fn a_vdpa_device_is_the_source_and_has_queues_alone() {
        let mut guest = domain();
        let (name, node) = ("kf-abc234-d1".to_owned(), Some("/dev/vhost-vdpa-3".to_owned()));
        guest.nics[1].source = NicSource::Vdpa { function: PciAddress::default(), name, node };
        guest.nics[1].datapath = Datapath::VhostVdpa;
        let vdpa = |guest: &Domain| {
            guest.xml().unwrap().split_once("<interface type=\"vdpa\">").unwrap().1.to_owned()
        };
        let xml = vdpa(&guest);
        assert!(xml.contains("<source dev=\"/dev/vhost-vdpa-3\"/>") && !xml.contains("<driver"), "{xml}");
        assert!(!xml.contains("<mtu"), "{xml}");
        guest.nics[1].queues = Some(2);
        assert!(vdpa(&guest).contains("<driver queues=\"2\"/>"));
    }

    #[test]
    fn a_guest_of_a_switch_in_its_memory_shares_it() {
        let mut guest = domain();
        guest.nics[1].source = NicSource::VhostUser { socket: "/s/g1.sock".into() };
        guest.nics[1].datapath = Datapath::VhostUser;
        let xml = guest.xml().unwrap();
        assert!(xml.contains("<source type=\"memfd\"/>\n    <access mode=\"shared\"/>"), "{xml}");
        assert!(xml.contains("<source type=\"unix\" path=\"/s/g1.sock\" mode=\"server\"/>"), "{xml}");
        assert!(!domain().xml().unwrap().contains("memoryBacking"));
    }

    #[test]
    fn a_user_without_privileges_gets_no_file() {
        assert!(!domain().xml().unwrap().contains("seclabel"));
        let account = Account { name: "libvirt-qemu".into(), uid: 64055, gid: 108 };
        let xml = Domain { account: Some(account), ..domain() }.xml().unwrap();
        let label = "<seclabel type=\"static\" model=\"dac\" relabel=\"no\">\n    <label>+64055:+108</label>";
        assert!(xml.contains(label), "{xml}");
    }

    #[test]
    fn a_nic_without_offloads_leaves_no_checksum_to_the_other_end() {
        let mut guest = domain();
        assert!(!guest.xml().unwrap().contains("csum"));
        guest.nics[1].offloads = false;
        let xml = guest.xml().unwrap();
        assert!(xml.contains("<host gso=\"off\" csum=\"off\" tso4=\"off\""), "{xml}");
        assert!(xml.contains("<guest csum=\"off\""), "{xml}");
    }

    #[test]
    fn several_queues_and_their_size_are_the_drivers() {
        let mut guest = domain();
        guest.nics[1].queues = Some(4);
        guest.nics[1].queue_size = Some(512);
        let xml = guest.xml().unwrap();
        assert!(xml.contains("<driver name=\"qemu\" queues=\"4\" rx_queue_size=\"512\"/>"), "{xml}");
        guest.nics[1].source = NicSource::VhostUser { socket: "/s/g1.sock".into() };
        guest.nics[1].datapath = Datapath::VhostUser;
        let xml = guest.xml().unwrap();
        let both = "<driver queues=\"4\" rx_queue_size=\"512\" tx_queue_size=\"512\"/>";
        assert!(xml.contains(both), "{xml}");
    }

    #[test]
    fn a_kvm_guest_passes_the_hosts_cpu_through_and_has_no_translation_cache() {
        let xml = Domain { accel: Accel::Kvm, ..domain() }.xml().unwrap();
        assert!(xml.contains("<domain type=\"kvm\">") && xml.contains("host-passthrough"));
        assert!(!xml.contains("tb-cache"));
    }
}
