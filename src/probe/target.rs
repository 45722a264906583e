//! What a sampler samples of one target: a guest, or the host itself for bare metal.

use super::error::ProbeError;

/// What to sample of one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetWatch {
    /// Its QEMU; `None` for bare metal.
    pub qemu_pid: Option<i32>,
    /// The host's interface through which it is reached, in our own network namespace; `None` if no packet passes one.
    pub interface: Option<String>,
    /// What the interface *receives* goes *to* the target: true for the wire and for a macvtap, false for a tap, which
    /// receives what the guest sends.
    pub invert: bool,
}

impl TargetWatch {
    /// Why there is no sample: QEMU, if it ended, because its interface vanishes with it; else the interface.
    pub(super) fn gone(&self, target: usize, alive: bool) -> ProbeError {
        match self.qemu_pid {
            Some(pid) if !alive => ProbeError::QemuGone { target, pid },
            _ => ProbeError::InterfaceGone { target, interface: self.interface.clone().unwrap_or_default() },
        }
    }
}
