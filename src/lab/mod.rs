//! The lab: the machines, the wire between them, and the promise that nothing of it outlives the run.
//!
//! - [`state`]: a run's own directory, its name and its lock
//! - [`journal`]: what has to be undone, written before it is done
//! - [`clean`]: undoing, by the run that ends and by `kvmfair clean` after a kill -9
//! - [`stale`]: runs that were killed and have not been cleaned
//! - [`settings_lock`]: the right to change settings of a whole machine
//! - [`enter`]: the private namespaces of the embedded lab
//! - [`machines`]: the machines of a lab, host and tester, and how each is reached
//! - [`building`]: what is built in a lab, whichever machines it has: wire, switch, what each guest needs;
//!   `doing`: one step, applied and undone
//! - [`embedded`]: the lab on this machine alone; [`hardware`]: a libvirt host and a tester
//! - [`change`]: a change of a machine and the script that undoes it, local or remote
//! - [`control_group`]: control groups of a run's own
//! - [`nics`]: real NICs, borrowed and put back; [`far_nics`]: those of a hardware lab, which stay where they are;
//!   `nic_user`: who uses one; [`nic_error`]: why one cannot carry the wire
//! - `tracing`: the kernel's count of exits by reason
//! - `tuned`: settings of the VM host, written and restored
//! - [`ovs`]: Open vSwitch of the run's own; [`far_ovs`]: that of a hardware lab's VM host
//! - [`dpdk`]: how that is set up with DPDK
//! - [`real_time`]: whether guests may have real-time threads

pub mod building;
pub mod change;
pub mod clean;
pub mod control_group;
mod doing;
pub mod dpdk;
pub mod embedded;
pub mod enter;
pub mod far_nics;
pub mod far_ovs;
pub mod hardware;
pub mod journal;
pub mod machines;
pub mod nic_error;
mod nic_user;
pub mod nics;
pub mod ovs;
mod paced;
pub mod real_time;
pub mod settings_lock;
pub mod stale;
pub mod state;
mod tracing;
mod tuned;

pub use building::Lab;
pub use state::{RunId, State};

/// Interface indices of runs start here: far above what a machine hands out by itself.
const FIRST_INDEX: u32 = 100_000;
/// Indices for each run; the largest profile has fewer guests.
pub const INDICES: u32 = 1_100;

/// The first interface index of a run: all namespaces share one `/dev`, and in it a macvtap is known by its index.
pub fn first_index(run: &RunId) -> u32 {
    FIRST_INDEX + run.number() * INDICES
}

/// Why the lab could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or a system call refused.
    #[error("failed to {action}: {cause}")]
    System {
        /// What was tried, as a verb phrase.
        action: String,
        /// The system's word.
        cause: std::io::Error,
    },
    /// A command refused.
    #[error(transparent)]
    Exec(#[from] crate::machine::ExecError),
    /// A machine could not be reached.
    #[error(transparent)]
    Ssh(#[from] crate::machine::SshError),
    /// A daemon of the run's own did not come up.
    #[error("{name} did not come up: {said}")]
    Daemon {
        /// Its name.
        name: &'static str,
        /// The end of what it said.
        said: String,
    },
    /// Somebody gave the tester's interface a queueing discipline.
    #[error(
        "the tester's interface {interface} has a queueing discipline that this run did not make: {qdisc} \
         (hint: `kvmfair clean` if a killed run left it; else remove it with `tc qdisc del dev {interface} root`, or name \
         another NIC in [wire])"
    )]
    Queued {
        /// The interface.
        interface: String,
        /// As tc shows it.
        qdisc: String,
    },
    /// Something is still there after everything was undone.
    #[error("survived the teardown: {}", .0.join(", "))]
    Survivors(Vec<String>),
    /// Another process works in the same state directory.
    #[error("run {0} is still running (process {1})")]
    Busy(String, String),
    /// Another run has the right to change settings of the VM host.
    #[error("{0} changes settings of the VM host (hint: {hint})", hint = settings_lock::NEXT_STEP)]
    Settings(settings_lock::Holder),
}

impl LabError {
    /// For `map_err`: names what was tried.
    pub(crate) fn system<E: Into<std::io::Error>>(action: impl Into<String>) -> impl FnOnce(E) -> LabError {
        let action = action.into();
        move |cause| LabError::System { action, cause: cause.into() }
    }
}
