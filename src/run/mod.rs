//! The trial loop. Only here and in the commands do pure modules and edges meet.
//!
//! - [`mod@bench`]: all trials of a plan, stored one by one
//! - [`trial`]: one trial, from the transition to its raw samples
//! - [`lab_session`]: the opened lab; `open_lab` opens it, `transition` leads it from one configuration to the next
//! - [`blueprint`]: what a guest of a configuration is made of
//! - `settings`: one file for each setting that is applied and proven
//! - [`verify`]: the proof that the backend under test is the one that runs; `cgroup` proves shares, quotas and caps
//! - `background`: the load that is not measured
//! - `looks`, `exits`, `throttled`: snapshots just before and after a window
//! - `inside`: a command in every guest at once
//! - [`event`]: what the loop reports

mod background;
pub mod bench;
pub mod blueprint;
mod cgroup;
pub mod event;
mod exits;
mod guest_check;
mod inside;
pub mod lab_session;
mod looks;
mod open_lab;
mod settings;
mod throttled;
mod time_limits;
mod transition;
pub mod trial;
pub mod verify;
