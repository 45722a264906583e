//! Open vSwitch as a run has it: its switches, where they are, and where their packets go.

/// The two switches that a run can have; each is a database server, a switch daemon and a directory of its own. On a VM host's
/// own daemons they are the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// Moves packets between interfaces of the kernel's.
    Plain,
    /// Built with DPDK: polls shared memory of the guests'.
    Dpdk,
}

/// Open vSwitch as a run has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenVswitch {
    /// Where daemons of the run's own keep everything; `None` if they are the VM host's own, as in a hardware lab and in a Xen dom0:
    /// found where they always are.
    pub daemons: Option<String>,
    /// Where QEMU makes its guests' sockets.
    pub sockets: String,
    /// Where the packets of a bridge with taps go; decided once for a run.
    pub path: SwitchPath,
}

impl OpenVswitch {
    /// The directory in which a switch of the run's own has its database, sockets and logs.
    pub fn directory(&self, switch: Switch) -> Option<String> {
        let name = match switch {
            Switch::Plain => "ovs",
            Switch::Dpdk => "ovs-dpdk",
        };
        self.daemons.as_ref().map(|daemons| format!("{daemons}/{name}"))
    }
}

/// Where a bridge of Open vSwitch moves its packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SwitchPath {
    /// In the kernel, by its module `openvswitch`.
    Kernel,
    /// In `ovs-vswitchd`.
    #[default]
    Userspace,
}

impl SwitchPath {
    /// Open vSwitch's own word for it, a bridge's `datapath_type`.
    pub fn as_str(self) -> &'static str {
        match self {
            SwitchPath::Kernel => "system",
            SwitchPath::Userspace => "netdev",
        }
    }
}
