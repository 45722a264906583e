//! The lab: the machines, the wire between them, and the promise that nothing of it outlives the run.
//!
//! - [`state`]: a run's own directory, its name and its lock
//! - [`clean`]: undoing, by the run that ends and by `kvmfair clean` after a kill -9
//! - [`stale`]: runs that were killed and have not been cleaned
//! - [`settings_lock`]: the lock on the settings of a whole machine
//! - [`namespaces`]: the private namespaces of the embedded lab
//! - [`machines`]: the machines of a lab, host and tester, and how each is reached
//! - [`building`]: what is built in a lab, whichever machines it has: wire, switch, what each guest needs;
//!   `steps`: one step, applied and undone
//! - [`embedded`]: the lab on this machine alone; [`hardware`]: a libvirt host and a tester; [`dom0`]: a Xen host; `management`:
//!   the management network of the first and the last
//! - `cpupool`: CPUs of a Xen host for the run's guests alone
//! - [`control_group`]: control groups of a run's own; [`directories`]: what guests read and write
//! - [`nics`]: the NICs of the wire, as they are found; [`nic_error`]: why one cannot carry it
//! - `tracing`: the kernel's count of exits by reason
//! - `host_settings`: settings of the VM host, written and restored
//! - [`ovs`]: Open vSwitch on a VM host; `ovs_daemons`: daemons of the run's own; [`dpdk`]: their settings with DPDK
//! - [`real_time`]: whether guests may have real-time threads

pub mod building;
pub mod clean;
pub mod control_group;
mod cpupool;
pub mod directories;
pub mod dom0;
pub mod dpdk;
pub mod embedded;
pub mod hardware;
mod host_settings;
pub mod machines;
mod management;
pub mod namespaces;
pub mod nic_error;
pub mod nics;
pub mod ovs;
mod ovs_daemons;
mod paced;
pub mod real_time;
pub mod settings_lock;
pub mod stale;
pub mod state;
mod steps;
mod tracing;

pub use building::Lab;
pub use state::{RunId, State};

/// Interface indices of runs start here: far above those that a kernel assigns by itself.
const FIRST_INDEX: u32 = 100_000;
/// Indices for each run; the largest profile has fewer guests.
pub const INDICES: u32 = 1_100;

/// The first interface index of a run: all namespaces share one `/dev`, and in it a macvtap is known by its index.
pub fn first_index(run: &RunId) -> u32 {
    FIRST_INDEX + run.number() * INDICES
}

/// Why the lab could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum LabError {
    /// A file or a system call refused.
    #[error("failed to {action}: {cause}")]
    System {
        /// What was tried, as a verb phrase.
        action: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// A file of a run's own cannot be used, or must not be.
    #[error(transparent)]
    File(#[from] crate::directory::FileError),
    /// A command refused.
    #[error(transparent)]
    Exec(#[from] crate::machine::ExecError),
    /// The journal cannot be written.
    #[error(transparent)]
    Journal(#[from] crate::machine::journal::JournalError),
    /// A machine could not be reached.
    #[error(transparent)]
    Ssh(#[from] crate::machine::SshError),
    /// A machine has no watchdog, or none any more.
    #[error(transparent)]
    Watchdog(#[from] crate::machine::watchdog::WatchdogError),
    /// A daemon of the run's own did not start.
    #[error("{name} did not start: {log}")]
    Daemon {
        /// Its name.
        name: &'static str,
        /// The last warnings of its log.
        log: String,
    },
    /// The tester's interface has a queueing discipline of somebody else's.
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
    /// Another run holds the lock on the settings of the VM host.
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
