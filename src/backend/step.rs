//! The words in which a backend says what to do: interface names, host steps with their undo, the NIC of a guest.

use super::{Datapath, Model};

/// Names of a run's interfaces. They carry the run's id and fit into the kernel's 15 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The run's id.
    pub run: String,
    /// The tester's network namespace, as a path that `ip … netns` takes.
    pub tester_netns: String,
    /// First interface index that is this run's own (see [`super::macvtap`]).
    pub index_base: u32,
}

impl Names {
    /// The host's end of the wire; only macvtap in passthru mode has more than port 0.
    pub fn wire(&self, port: u32) -> String {
        format!("kf-{}-w{port}", self.run)
    }

    /// The tester's end of the wire.
    pub fn peer(&self, port: u32) -> String {
        format!("kf-{}-p{port}", self.run)
    }

    /// The bridge under test.
    pub fn bridge(&self) -> String {
        format!("kf-{}-b", self.run)
    }

    /// The tester's switch, where the wire has several ports.
    pub fn switch(&self) -> String {
        format!("kf-{}-s", self.run)
    }

    /// A guest's tap on the bridge under test.
    pub fn tap(&self, guest: u32) -> String {
        format!("kf-{}-t{guest}", self.run)
    }

    /// A guest's macvtap.
    pub fn macvtap(&self, guest: u32) -> String {
        format!("kf-{}-v{guest}", self.run)
    }

    /// The management bridge.
    pub fn management(&self) -> String {
        format!("kf-{}-m", self.run)
    }

    /// A guest's tap on the management bridge.
    pub fn management_tap(&self, guest: u32) -> String {
        format!("kf-{}-m{guest}", self.run)
    }

    /// The tester's interface on the management network.
    pub fn management_peer(&self) -> String {
        format!("kf-{}-q", self.run)
    }
}

/// Where a step is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// On the VM host.
    Host,
    /// On the tester.
    Tester,
}

/// One change of a machine, and what takes it back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where.
    pub side: Side,
    /// The command.
    pub run: Vec<String>,
    /// The command that takes it back; `None` where another step's undo does.
    pub undo: Option<Vec<String>>,
}

impl Step {
    /// A step that another step's undo takes back; the words of `run` are separated by blanks.
    pub fn new(side: Side, run: &str) -> Step {
        Step { side, run: words(run), undo: None }
    }

    /// The same with an undo of its own.
    pub fn undone_by(mut self, undo: &str) -> Step {
        self.undo = Some(words(undo));
        self
    }
}

fn words(command: &str) -> Vec<String> {
    command.split_whitespace().map(str::to_owned).collect()
}

/// A veth pair as a port of the wire: the host's end, and the tester's end in the tester's namespace.
pub fn wire_port(names: &Names, port: u32, mtu: u32) -> Vec<Step> {
    let (wire, peer) = (names.wire(port), names.peer(port));
    vec![
        Step::new(
            Side::Host,
            &format!(
                "ip link add {wire} mtu {mtu} type veth peer name {peer} mtu {mtu} netns {}",
                names.tester_netns
            ),
        )
        .undone_by(&format!("ip link delete {wire}")),
        Step::new(Side::Host, &format!("ip link set {wire} up")),
        Step::new(Side::Tester, &format!("ip link set {peer} up")),
    ]
}

/// One NIC of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// The host's end.
    pub source: NicSource,
    /// MAC of the guest's end.
    pub mac: String,
    /// What the guest sees.
    pub model: Model,
    /// What moves the packets between it and the host's kernel.
    pub datapath: Datapath,
    /// MTU, bytes.
    pub mtu: u32,
}

/// The host's end of a guest's NIC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NicSource {
    /// A tap that libvirt makes and puts onto a bridge.
    Bridge {
        /// The bridge.
        bridge: String,
        /// Name of the tap.
        tap: String,
    },
    /// A device that is there already.
    Existing {
        /// Its name.
        device: String,
    },
}
