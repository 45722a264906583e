//! What a sampler watches of one target: a guest, or the host itself for bare metal.

/// What to watch of one target.
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
