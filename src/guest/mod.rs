//! Guests: their image, their domain XML, and the moment when they are ready.
//!
//! - [`image`]: the image that the profile names, found or built
//! - [`appliance`]: the small guest that kvmfair builds: a kernel and an initramfs, cached by content
//! - [`cloud`]: a distribution's own disk image, configured by cloud-init
//! - [`placement`]: the paths of a run's files on the VM host (pure)
//! - [`keys`]: SSH keys that live as long as one run
//! - [`domain`]: the domain XML (pure); [`description`] chooses between it and Xen's
//! - [`xen`]: the same of a guest of Xen's (pure)
//! - `cputune`, [`memory`]: the CPU time and the memory in it
//! - [`scheduler`]: CPU time of a running guest, set and read back
//! - [`burner`]: busy loops in a guest
//! - [`emulator`]: the QEMU that a profile names, and the one that runs
//! - `interface`: the NICs in it; `vdpa`: their character devices; `xml`: its elements
//! - [`boot`]: what is needed to boot a guest and to reach it
//! - [`fleet`]: the guests of a run, booted, suspended, resumed, destroyed
//! - [`ready`], [`console`]: when a guest is ready; its serial console
//! - [`error`]: why a guest does not run

pub mod appliance;
pub mod boot;
pub mod burner;
pub mod cloud;
pub mod console;
mod cputune;
pub mod description;
pub mod domain;
pub mod emulator;
pub mod error;
pub mod fleet;
pub mod image;
mod interface;
pub mod keys;
pub mod memory;
pub mod placement;
pub mod ready;
pub mod scheduler;
mod vdpa;
pub mod xen;
mod xml;
