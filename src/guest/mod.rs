//! Guests: what they boot, how libvirt gets them, and when they are ready.

pub mod domain;
pub mod fleet;
pub mod libvirt;
