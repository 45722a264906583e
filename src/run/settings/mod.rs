//! Settings that change while guests run, or just before they start: each is applied and proven in one file.
//!
//! - `kernel`: files of `/sys` and `/proc/sys` and ethtool's words, on the host and inside the guests
//! - `pin`, `qemu_threads`, `scheduler`: the threads of QEMU and the vhost workers
//! - `memory`, `huge_pages`, `ksm`: where the guests' memory lies, and which pages are merged
//! - `nic`: queues and offloads of the NIC under test
//! - `emulator`: the QEMU that runs a guest
//! - `limits`: shares, quotas and caps of groups
//! - `xen`: cpupool, scheduler, weights and caps of a Xen host
//! - `paced`: background streams that are held to a rate

use anyhow::{Context, Result};

use super::lab_session::LabSession;
use crate::backend::Side;
use crate::guest::fleet::RunningGuest;

pub(super) mod emulator;
pub(super) mod huge_pages;
pub(super) mod kernel;
pub(super) mod ksm;
mod limits;
pub(super) mod memory;
pub(super) mod nic;
pub(super) mod paced;
pub(super) mod pin;
pub(super) mod qemu_threads;
pub(super) mod scheduler;
pub(super) mod xen;

/// What a script on the VM host prints whose arguments are the process number of a guest's QEMU and some words.
async fn on_qemu(session: &LabSession, guest: &RunningGuest, script: &str, words: &[&str]) -> Result<String> {
    let pid = guest.pid.context("guests of Xen have no QEMU")?.to_string();
    let argv = [&["sh", "-c", script, "qemu", &pid], words].concat();
    Ok(session.lab.side(Side::Host).run(&argv).await?.stdout)
}
