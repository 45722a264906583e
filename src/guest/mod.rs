//! Guests: what they boot and how they are reached.
//!
//! - [`appliance`]: the small guest that kvmfair builds: a kernel and an initramfs, cached by content
//! - [`keys`]: SSH keys that live as long as one run

pub mod appliance;
pub mod keys;
