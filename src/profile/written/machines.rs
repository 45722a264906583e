//! As written: the machines and what connects them. `[host]`, `[tester]`, `[wire]`, `[guest]`, `[network]`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::profile::policy::Policy;
use crate::profile::schema::backend_names;
use crate::profile::{AccelChoice, ExitChoice, Idle};
use crate::units::{Size, Time};

/// `[host]`: the VM host.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Host {
    /// "embedded" (the default): this machine, no daemon; "qemu:///system": this machine's libvirt; or another machine's:
    /// "qemu+ssh://root@vmhost/system"
    #[schemars(regex(pattern = r"^(embedded|qemu:///system|qemu\+ssh://[^/ ]+/system)$"))]
    pub uri: Option<String>,
    /// a host to reach the machine of the URI through, for example "me@gateway"
    pub jump: Option<String>,
    /// "auto" (the default): KVM if the CPU can, else emulation; "kvm": KVM or refuse; "tcg": emulation
    pub accel: AccelChoice,
    /// who counts the guests' exits under KVM: "query-stats" (QEMU), "debugfs", or "tracepoint", which knows the CPU's own
    /// reasons and costs each exit a little; "auto" (the default): the first of them that answers
    pub exits: ExitChoice,
    /// absolute path of the QEMU that runs the guests, on the VM host; or of a script that starts one. Left out: libvirt's own
    /// choice
    #[schemars(regex(pattern = "^/"))]
    pub emulator: Option<String>,
}

/// `[tester]`: the machine that runs netperf; the embedded lab makes its own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tester {
    /// how to reach it: "user@host" or "user@host:port", for example "root@tester"
    pub ssh: Option<String>,
    /// a host to reach it through
    pub jump: Option<String>,
}

/// `[ssh]`: how kvmfair logs in to the machines of a hardware lab.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ssh {
    /// file of a private key without a passphrase; left out: the agent's keys and ~/.ssh/id_*
    pub identity: Option<String>,
}

/// `[wire]`: the link between tester and host. Without it the run makes its own, a veth pair.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Wire {
    /// the host's NIC, for example "eth1"; the run borrows it and puts it back
    pub host_dev: Option<String>,
    /// further NICs of the host on the same switch: macvtap-passthru and pci-passthrough take one for each guest
    pub spare_devs: Vec<String>,
    /// the tester's NIC
    pub tester_dev: Option<String>,
    /// network of the test addresses, for example "198.18.0.0/15"
    #[schemars(extend("x-planned" = "leave it out: this version takes its addresses from 198.18.0.0/15"))]
    pub network: Option<String>,
    /// delay to add in each direction, for example "50 us"
    #[schemars(extend("x-planned" = "leave it out: this version adds no delay"))]
    pub latency: Option<Time>,
    /// rate to hold the wire to, for example "10 Gbit"
    #[schemars(extend("x-planned" = "leave it out: this version limits no rate"))]
    pub rate: Option<String>,
}

/// `[guest]`: the guests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Guest {
    /// guests, at least 1 (default 1)
    #[schemars(range(min = 1, max = 1000))]
    pub vms: Option<u32>,
    /// vCPUs of each guest (default 1)
    #[schemars(range(min = 1, max = 255))]
    pub vcpus: Option<u32>,
    /// memory of each guest, for example "128 MiB" (the default; "512 MiB" for a cloud image)
    pub memory: Option<Size>,
    /// what the guests boot: "appliance" (the default), the small system that kvmfair builds; or the path of a qcow2 cloud
    /// image, where a relative path starts at the profile's directory
    #[schemars(regex(pattern = r"^appliance$|[./]"))]
    pub image: Option<String>,
    /// a kernel for the appliance, in place of the one found; a relative path starts at the profile's directory
    pub kernel: Option<String>,
    /// whether a guest may install netperf by its own package manager if the cloud image has none (default false)
    pub install_netperf: Option<bool>,
    /// whether the guests' memory lies in huge pages of 2 MiB; the host's pool of them grows for the run. Left out: it does not
    pub hugepages: Option<bool>,
    /// how vCPUs are pinned to the host's CPUs: "none", all may run everywhere; "spread", each on one CPU, a guest's apart;
    /// "compact", each on one CPU, a guest's side by side; or a CPU list for all, such as "0-3". Left out: as libvirt leaves
    /// them
    #[schemars(regex(pattern = "^(none|spread|compact|[0-9][-0-9, ]*)$"))]
    pub pin: Option<String>,
    /// CPUs where QEMU's other threads and the vhost workers may run: "none", all of them; or a CPU list, such as "0-3". Left
    /// out: as libvirt leaves them
    #[schemars(regex(pattern = "^(none|[0-9][-0-9, ]*)$"))]
    pub pin_emulator: Option<String>,
    /// scheduling policy of the vCPUs: "other", or real-time with priority 1, "rr" or "fifo". Left out: as they start, "other"
    #[schemars(with = "Option<Policy>")]
    pub scheduler: Option<String>,
    /// NUMA node of the guests' memory, strictly; `pin` says where vCPUs run. Left out: the kernel's choice
    #[schemars(range(max = 1023))]
    pub numa_node: Option<u32>,
    /// machine type of QEMU
    #[schemars(extend("x-planned" = "leave it out: this version uses libvirt's default machine type"))]
    pub machine: Option<String>,
    /// CPU model that the guests see
    #[schemars(extend("x-planned" = "leave it out: this version chooses the CPU model by the accelerator"))]
    pub cpu_model: Option<String>,
    /// CPU time of each vCPU in each 100 ms, for example "50 ms"; unlimited if left out
    pub quota: Option<Time>,
    /// guests that a smaller configuration does not need: "pause" (the default) or "destroy"
    pub idle: Idle,
}

/// `[network]`: the guests' test NIC.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Network {
    /// NIC backend, for example "virtio"
    #[schemars(schema_with = "backend_names")]
    pub backend: Option<String>,
    /// largest frame payload on the test network, bytes (default 1500)
    #[schemars(range(min = 68, max = 65535))]
    pub mtu: Option<u32>,
    /// queue pairs of a virtio NIC, at most as many as the guest has vCPUs (default 1)
    #[schemars(range(min = 1, max = 256))]
    pub queues: Option<u32>,
    /// descriptors of each receive queue of a virtio NIC, and with vhost-user of each transmit queue: 256, 512 or 1024. Left
    /// out: QEMU's own choice, 256
    #[schemars(extend("enum" = [256, 512, 1024]))]
    pub queue_size: Option<u32>,
    /// whether a virtio NIC leaves checksums and segmentation to the other end, in both directions. Left out: as the backend
    /// has it
    pub offloads: Option<bool>,
}
