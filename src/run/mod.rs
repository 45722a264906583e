//! The trial loop. Only here and in the commands do pure modules and edges meet.
//!
//! - [`event`]: what the loop tells the world
//! - `ground`: the lab's machines, libvirt and the guests' files, opened
//! - `inside`: a command in every guest at once
//! - [`blueprint`]: what a guest of a configuration is made of
//! - [`lab_session`]: the opened lab and its moves from one configuration to the next
//! - [`verify`]: the proof that the backend under test is the one that runs
//! - `looks`: what is looked at just before and after a window
//! - `exits`: how often KVM left the guests, by whoever counts
//! - `nic`: the settings of the NIC under test, proven
//! - `emulator`: the QEMU that runs a guest, proven
//! - `pin`: vCPUs pinned to CPUs, and proven
//! - `pin_emulator`: the same of QEMU's other threads and the vhost workers
//! - `huge_pages`: the host's pool of them, large enough for guests that start
//! - `memory`: where a guest's memory lies, proven
//! - `scheduler`: the scheduling policy of vCPUs, set and proven
//! - `tuned`: the settings of a configuration, written and read
//! - `cgroup`: the same of shares, quotas and caps
//! - `paced`: background streams held to a rate, and proven
//! - `throttled`: how long quotas kept guests from CPUs
//! - `given`: what the groups of a configuration may have, given to running guests
//! - `background`: the load that is not measured
//! - [`trial`]: one trial, from the first netperf to its raw samples
//! - [`mod@bench`]: all trials of a plan, stored one by one
//! - `due`: when the tables of a run are written again
//! - [`results`]: raw trials -> tables and charts in the run directory

mod background;
pub mod bench;
pub mod blueprint;
mod cgroup;
mod due;
mod emulator;
pub mod event;
mod exits;
mod given;
mod ground;
mod huge_pages;
mod inside;
mod ksm;
pub mod lab_session;
mod looks;
mod memory;
mod nic;
mod paced;
mod pin;
mod pin_emulator;
pub mod results;
mod scheduler;
mod throttled;
pub mod trial;
mod tuned;
pub mod verify;
