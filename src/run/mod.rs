//! The trial loop. Only here and in the commands do pure modules and edges meet.
//!
//! - [`mod@bench`]: all trials of a plan, stored one by one
//! - [`trial`]: one trial, from the transition to its raw samples
//! - [`lab_session`]: the opened lab; `open_lab` opens it, `transition` leads it from one configuration to the next
//! - [`qemu_user`]: who QEMU runs as in the embedded lab
//! - `xen_session`: what a run knows of its Xen host
//! - `lab_fault`: causes of failure that spare no other trial; `live_guests`: a guest that ends in its trial
//! - [`blueprint`]: what a guest of a configuration is made of
//! - `settings`: one file for each setting that is applied and proven
//! - [`verify`]: the proof that the backend under test is the one that runs; `cgroup` proves shares, quotas and caps
//! - [`rehearsal`]: a second of netperf before the first trial
//! - `flows`: which netperf runs to which guest
//! - `background`: the load that is not measured; `observers`: what is read while a trial lasts
//! - `snapshots`, `exits`, `throttled`: counters just before and after a window; `stolen`: what they say of waiting on Xen
//! - `every_guest`: a command in every guest at once
//! - [`event`]: what the loop reports

mod background;
pub mod bench;
pub mod blueprint;
mod cgroup;
pub mod event;
mod every_guest;
mod exits;
mod flows;
mod guest_check;
mod lab_fault;
pub mod lab_session;
mod live_guests;
mod observers;
mod open_lab;
pub mod qemu_user;
pub mod rehearsal;
mod settings;
mod snapshots;
mod stolen;
mod throttled;
mod time_limits;
mod transition;
pub mod trial;
pub mod verify;
mod xen_session;
