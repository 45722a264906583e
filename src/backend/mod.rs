//! NIC backends: what each one is, as data. Model, datapath and attachment; short names are presets of that triple.
//!
//! Pure: what a backend needs, the host's steps with their undo, the guest's NIC and the facts that prove the backend are
//! described here, and done by `lab`, `guest` and `run`. One small file for each attachment says all of that about it:
//!
//! - [`baremetal`]: no guest
//! - [`bridge`]: a tap on a Linux bridge
//! - [`macvtap`]: a macvtap on the wire, in its four modes
//! - [`ovs`]: a tap or a vif on an Open vSwitch bridge
//! - [`vhost_user`]: a port of Open vSwitch in the guest's memory
//! - [`sriov`]: a virtual function of the wire's NIC, passed through or under a macvtap
//! - [`function`]: a NIC handed over whole
//! - [`vdpa`]: a vDPA device of a NIC
//!
//! The words they use:
//!
//! - [`Ability`]: what a profile can ask of a backend
//! - [`cap`]: a cap on a guest's NIC
//! - [`pace`]: streams held to a rate by the tester
//! - [`wire`]: what connects host and tester
//! - [`switch`]: Open vSwitch as a run has it
//! - [`site`]: where a backend is to be built: names, wire, sizes
//! - [`step`]: one change of a machine and its undo
//! - [`nic`]: the NIC of a guest
//! - [`need`]: what must be there before
//! - [`proof`]: what must be seen after
//! - [`preset`]: the short names

mod ability;
pub mod baremetal;
pub mod bridge;
pub mod cap;
pub mod function;
pub mod macvtap;
pub mod need;
pub mod nic;
pub mod ovs;
pub mod pace;
pub mod preset;
pub mod proof;
pub mod site;
pub mod sriov;
pub mod step;
pub mod switch;
pub mod vdpa;
pub mod vhost_user;
pub mod wire;

pub use ability::Ability;
pub use need::Prerequisite;
pub use nic::{Counted, Nic, NicSettings, NicSource};
pub use preset::{BackendError, PRESETS};
pub use proof::{FactSource, Proof};
pub use site::{Names, Site};
pub use step::{Action, Side, Step};

use crate::address::{Net, mac};

/// A NIC backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Backend {
    /// No guest: netserver on the host side of the wire, the studies' baseline.
    Baremetal,
    /// A guest's NIC.
    Guest {
        /// What the guest sees.
        model: NicModel,
        /// What moves the packets between the guest and the host's kernel.
        datapath: Datapath,
        /// What the host's end is attached to.
        attachment: Attachment,
    },
}

/// What the guest sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NicModel {
    /// Intel 82540EM, fully emulated.
    E1000,
    /// Intel 82574L, fully emulated, on PCI Express.
    E1000e,
    /// Paravirtual.
    Virtio,
    /// The real thing: a function of the host's NIC.
    Hardware,
    /// Xen's, paravirtual.
    Netfront,
}

/// What moves the packets between the guest and the host's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Datapath {
    /// QEMU's main loop.
    Userspace,
    /// A worker in the host's kernel (vhost-net); virtio only.
    Vhost,
    /// Another process on the host that shares the guest's memory; virtio only.
    VhostUser,
    /// The NIC itself, through the IOMMU: nothing on the host touches a packet.
    Passthrough,
    /// The same, with virtio's queues (vDPA); virtio only.
    VhostVdpa,
    /// A thread of dom0's kernel (xen-netback); Xen only.
    Netback,
}

/// What the host's end is attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Attachment {
    /// A tap on a Linux bridge.
    Bridge,
    /// A macvtap on the wire.
    Macvtap(MacvtapMode),
    /// A tap or a vif on a bridge of Open vSwitch.
    Ovs,
    /// A port of Open vSwitch with DPDK.
    OvsDpdk,
    /// A virtual function of the wire's NIC.
    VirtualFunction,
    /// A macvtap in passthru mode on a virtual function.
    VfMacvtap,
    /// A NIC of the host's as a whole.
    Function,
    /// A vDPA device of a NIC.
    Vdpa,
}

/// The modes of a macvtap, as `ip link` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MacvtapMode {
    /// Guests of one device reach each other directly.
    Bridge,
    /// Everything goes out to the switch.
    Vepa,
    /// Guests of one device never reach each other.
    Private,
    /// One device for one guest.
    Passthru,
}

/// All that is known of one attachment.
trait Attach {
    /// What must be there before it can be built.
    fn needs(&self) -> Vec<Prerequisite>;

    /// Builds the wire and what the guests are attached to.
    fn attach(&self, site: &Site) -> Vec<Step>;

    /// What one guest needs on the host before it boots.
    fn plug(&self, _site: &Site, _guest: u32) -> Vec<Step> {
        Vec::new()
    }

    /// The host's end of a guest's NIC.
    fn source(&self, site: &Site, guest: u32) -> NicSource;

    /// MAC of the guest's NIC.
    fn mac(&self, _site: &Site, guest: u32) -> String {
        mac(Net::Test, guest)
    }

    /// The driver that a Linux guest binds to the NIC, where the model alone does not say.
    fn driver(&self, _site: &Site, _guest: u32) -> String {
        String::new()
    }

    /// Whether the guest may leave checksums and segmentation to the host's end, and the other way round.
    fn offloads(&self, _site: &Site) -> bool {
        true
    }

    /// What the host shows only if this attachment is the one that runs.
    fn proofs(&self, site: &Site, guest: u32) -> Vec<Proof>;

    /// Where a guest's packets are counted.
    fn counted(&self, site: &Site, guest: u32) -> Counted;
}

impl NicModel {
    /// Libvirt's word for an emulated model; `None` for the real thing.
    pub fn as_str(self) -> Option<&'static str> {
        match self {
            NicModel::E1000 => Some("e1000"),
            NicModel::E1000e => Some("e1000e"),
            NicModel::Virtio => Some("virtio"),
            NicModel::Netfront => Some("netfront"),
            NicModel::Hardware => None,
        }
    }

    /// The driver that a Linux guest binds to an emulated model; `None` for the real thing.
    pub fn driver(self) -> Option<&'static str> {
        match self {
            NicModel::Virtio => Some("virtio_net"),
            NicModel::Netfront => Some("xen_netfront"),
            other => other.as_str(),
        }
    }
}

impl Datapath {
    /// The word in proofs and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Datapath::Userspace => "userspace",
            Datapath::Vhost => "vhost",
            Datapath::VhostUser => "vhost-user",
            Datapath::Passthrough => "passthrough",
            Datapath::VhostVdpa => "vhost-vdpa",
            Datapath::Netback => "netback",
        }
    }
}

impl Attachment {
    fn known(self, datapath: Datapath) -> Box<dyn Attach> {
        match self {
            Attachment::Bridge => Box::new(bridge::Bridge),
            Attachment::Macvtap(mode) => Box::new(macvtap::Macvtap { mode }),
            Attachment::Ovs => Box::new(ovs::Ovs { datapath }),
            Attachment::OvsDpdk => Box::new(vhost_user::VhostUser),
            Attachment::VirtualFunction => Box::new(sriov::PassedThrough),
            Attachment::VfMacvtap => Box::new(sriov::UnderMacvtap),
            Attachment::Function => Box::new(function::Function),
            Attachment::Vdpa => Box::new(vdpa::Vdpa),
        }
    }
}

impl Backend {
    /// What the guest sees; `None` for bare metal.
    pub fn model(self) -> Option<NicModel> {
        match self {
            Backend::Baremetal => None,
            Backend::Guest { model, .. } => Some(model),
        }
    }

    /// What moves the packets; `None` for bare metal.
    pub fn datapath(self) -> Option<Datapath> {
        match self {
            Backend::Baremetal => None,
            Backend::Guest { datapath, .. } => Some(datapath),
        }
    }

    fn known(self) -> Box<dyn Attach> {
        match self {
            Backend::Baremetal => Box::new(baremetal::Baremetal),
            Backend::Guest { attachment, datapath, .. } => attachment.known(datapath),
        }
    }

    /// What must be there before the backend can be built.
    pub fn needs(self) -> Vec<Prerequisite> {
        let vhost = (self.datapath() == Some(Datapath::Vhost))
            .then_some(Prerequisite::Device { path: "/dev/vhost-net", fix: "modprobe vhost_net" });
        self.known().needs().into_iter().chain(vhost).collect()
    }

    /// Builds the wire and what the guests are attached to.
    pub fn attach(self, site: &Site) -> Vec<Step> {
        self.known().attach(site)
    }

    /// What one guest needs on the host before it boots.
    pub fn plug(self, site: &Site, guest: u32) -> Vec<Step> {
        self.known().plug(site, guest)
    }

    /// The guest's NIC under test; `None` for bare metal.
    pub fn nic(self, site: &Site, guest: u32) -> Option<Nic> {
        let Backend::Guest { model, datapath, .. } = self else { return None };
        let known = self.known();
        let (source, mac) = (known.source(site, guest), known.mac(site, guest));
        let driver = model.driver().map_or_else(|| known.driver(site, guest), str::to_owned);
        let NicSettings { queues, queue_size, offloads } = site.nic;
        let queues = queues.or((!matches!(model, NicModel::Hardware | NicModel::Netfront)).then_some(1));
        let offloads = offloads != Some(false) && known.offloads(site);
        Some(Nic { source, mac, model, datapath, driver, mtu: site.mtu, queues, queue_size, offloads })
    }

    /// What the host shows only if this backend is the one that serves the guest.
    pub fn proofs(self, site: &Site, guest: u32) -> Vec<Proof> {
        self.known().proofs(site, guest)
    }

    /// Where a target's packets are counted.
    pub fn counted(self, site: &Site, guest: u32) -> Counted {
        self.known().counted(site, guest)
    }
}
