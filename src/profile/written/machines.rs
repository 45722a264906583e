//! As written: the machines and what connects them. `[host]`, `[tester]`, `[ssh]`, `[wire]`, `[guest]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::{AccelChoice, ExitChoice, Idle};

/// `[host]`: the VM host.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HostSection {
    /// "embedded" (the default): this machine, no daemon; "qemu:///system": this machine's libvirt; or another machine's:
    /// "qemu+ssh://root@vmhost/system"; "xen:///system": this machine is a Xen dom0; "xen+ssh://root@dom0/system": another one is
    #[schemars(regex(
        pattern = r"^(embedded|qemu:///system|xen:///system|(qemu|xen)\+ssh://[^/ ]+/system)$"
    ))]
    pub uri: Option<String>,
    /// a host to reach the machine of the URI through, for example "me@gateway"
    pub jump: Option<String>,
    /// Xen only: CPUs of a cpupool that the run makes for its guests, a list such as "2-3"; they must be in Pool-0 and are given back
    /// to it. Left out: the guests run in Pool-0 beside dom0
    pub cpupool: Option<String>,
    /// "auto" (the default): KVM if the CPU can, else emulation; "kvm": KVM or refuse; "tcg": emulation
    pub accel: AccelChoice,
    /// who counts the guests' exits under KVM: "query-stats" (QEMU), "debugfs", or "tracepoint", which knows the CPU's own
    /// reasons and costs each exit a little; "auto" (the default): the first of them that answers
    pub exits: ExitChoice,
}

/// `[tester]`: the machine that runs netperf; the embedded lab makes its own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TesterSection {
    /// how to reach it: "user@host" or "user@host:port", for example "root@tester"
    pub ssh: Option<String>,
    /// a host to reach it through
    pub jump: Option<String>,
}

/// `[ssh]`: how kvmfair logs in to the machines of a hardware lab.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SshSection {
    /// file of a private key without a passphrase; left out: the agent's keys and ~/.ssh/id_*
    pub identity: Option<String>,
}

/// `[wire]`: the link between tester and host. Without it the run makes its own, a veth pair.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WireSection {
    /// the host's NIC, for example "eth1"; the run borrows it and puts it back
    pub host_dev: Option<String>,
    /// further NICs of the host on the same switch: macvtap-passthru and pci-passthrough take one for each guest
    pub spare_devs: Vec<String>,
    /// NICs of the host for backend vdpa, one for each guest; left out: host_dev and spare_devs
    pub vdpa_devs: Vec<String>,
    /// the tester's NIC
    pub tester_dev: Option<String>,
}

/// `[guest]`: the guests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GuestSection {
    /// what the guests boot: "appliance" (the default), the small system that kvmfair builds; or the path of a qcow2 cloud
    /// image, where a relative path starts at the profile's directory
    #[schemars(regex(pattern = r"^appliance$|[./]"))]
    pub image: Option<String>,
    /// a kernel for the appliance, in place of the one found; a relative path starts at the profile's directory
    pub kernel: Option<String>,
    /// whether a guest may install netperf by its own package manager if the cloud image has none (default false)
    pub install_netperf: Option<bool>,
    /// guests that a smaller configuration does not need: "pause" (the default) or "destroy"
    pub idle: Idle,
}
