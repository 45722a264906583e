//! What is seen besides the flows: the host's counters, what guests say of themselves, and what machine this is.
//!
//! - [`proc`]: texts of `/proc` -> numbers (pure)
//! - [`sampler`]: reads the host's counters during a trial; a start/stop pair
//! - `files`: files of `/proc` that stay open
//! - `threads`: the CPU time of QEMU's threads by class, never going backwards
//! - [`inside`]: what one command run in a guest says (pure)
//! - [`environment`]: the fingerprint of the machine, kept beside the results

pub mod environment;
mod files;
pub mod inside;
pub mod proc;
pub mod sampler;
mod threads;

pub use environment::Environment;
pub use sampler::{ProbeError, Sampler, TargetWatch};
