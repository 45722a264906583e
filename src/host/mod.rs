//! Facts of a host or tester, gathered once by one script: for `check`, for `doctor`, and for the fingerprint that is kept
//! with the results.
//!
//! - [`facts`], `gather.sh`: texts of files and commands, by path or name (pure)
//! - [`environment`]: the fingerprint of a machine (pure but for its date)
//! - [`obstacles`], `obstacles.sh`: what may keep netperf's packets from their way
//! - [`xl`]: what Xen's tool in dom0 prints (pure)
//! - [`memory`], [`settings`]: its parts about memory and about the kernel's settings (pure)

pub mod environment;
pub mod facts;
pub mod memory;
pub mod obstacles;
pub mod settings;
pub mod xl;

pub use environment::Environment;
use facts::Facts;
pub use memory::MemoryState;
pub use settings::KernelSettings;

use crate::machine::{ExecError, Machine};

/// Prints files and the output of commands; reads only.
const GATHER: &str = include_str!("gather.sh");

/// The facts of a machine of the lab.
///
/// # Errors
/// [`ExecError`] if the script does not run there.
pub async fn gather(machine: &Machine) -> Result<Facts, ExecError> {
    Ok(Facts::parse(&machine.run(&["sh", "-c", GATHER]).await?.stdout))
}

/// Whether this machine can run guests under KVM: the CPU has vmx or svm *and* `/dev/kvm` opens. Machines that are guests
/// themselves may have the file without hardware virtualisation behind it.
pub fn kvm_usable() -> bool {
    let opens = || std::fs::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    Facts::default().with("/proc/cpuinfo", cpuinfo).virtualisation().is_some() && opens()
}
