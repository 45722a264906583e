//! What a backend needs of the machine: checked by `kvmfair check`, before anything is changed.

/// One thing that must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prerequisite {
    /// A program.
    Program {
        /// Its name.
        name: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A character device.
    Device {
        /// Its path.
        path: &'static str,
        /// The command that makes it.
        fix: &'static str,
    },
    /// A kind of network interface that `ip link add … type` can make.
    Link(&'static str),
    /// One of Open vSwitch's datapaths: the kernel's, or its own.
    SwitchPath,
    /// Open vSwitch built with DPDK.
    Dpdk,
    /// A driver of the kernel's on a bus.
    BusDriver {
        /// The bus, as sysfs names it.
        bus: &'static str,
        /// The driver, which is also its module.
        name: &'static str,
    },
    /// A wire of real NICs: `[wire] host_dev` and `tester_dev`.
    RealWire,
    /// A NIC of the host for each guest, where the wire is of real NICs.
    NicPerGuest,
    /// A virtual function of the host's NIC for each guest.
    VfPerGuest,
    /// The driver of the virtual functions on the host.
    VfDriver,
    /// An IOMMU that keeps the functions of the wire's NIC apart.
    Iommu,
    /// The same for each NIC that a guest takes.
    IommuPerNic,
    /// A NIC for each guest that can have a vDPA device.
    VdpaPerGuest,
}
