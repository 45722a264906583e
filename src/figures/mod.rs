//! Figures: what the raw samples of a trial say. All from the common window, all with a unit in the name.
//!
//! - [`TrialFigures`]: one trial: its outcome and, unless it failed, its [`Numbers`]
//! - [`FlowFigures`], [`GuestFigures`], [`TotalFigures`], [`HostFigures`]: the parts of [`Numbers`]
//! - [`Seen`], [`TesterFigures`]: single CPUs, interrupts, hiccups; whether the tester is what was measured
//! - [`Sharing`], [`GroupFigures`], [`Between`]: groups of guests, what their weights would give them, and the groups against
//!   each other
//! - [`Interference`]: with background against without
//! - [`Reason`]: why a trial that ran is not valid
//! - `starved`, `impossible`: guests that got next to nothing; raw data that cannot be true
//! - `noise`, `course`: what noise alone gives; the table of metrics is in `metric`, the form of its rows in `metric_descriptor`
//! - [`Metric`]: the figures that are summarised over repeats and drawn
//! - [`JainAt`], [`Course`]: fairness over slices of the window, and the rates in them
//! - [`exit_reasons()`], [`exit_sources()`], [`exit_words()`]: why KVM left the guests, and who counted
//! - [`PingCounts`], `pings`: latencies and losses of pings
//! - [`IrqFigures`]: interrupts of NICs by queue
//! - [`settled_late()`]: whether a rate was still moving after the warm-up
//! - [`timeline()`]: flows and probes of a trial on one clock
//! - [`outliers()`]: trials far from their repeats
//! - [`ValidTrials`]: those of a configuration, with the boot of each
//! - [`summarise`]: trials -> one [`SummaryRow`] per configuration
//!
//! Pure. Nothing here is rounded or formatted: that is `report`'s work.

mod background;
mod between_groups;
mod boots;
mod contention;
mod course;
mod demand;
mod exits;
mod explanation;
mod final_result;
#[cfg(test)]
pub(crate) mod fixture;
mod flow;
mod group;
mod group_figures;
mod group_summary;
mod guest;
mod host;
mod impossible;
mod interference;
mod interrupts;
mod isolation;
mod latencies;
mod machines;
mod metric;
mod metric_descriptor;
mod need;
mod noise;
mod numbers;
mod outcome;
mod outliers;
mod packet_bounds;
mod packet_check;
mod packet_count;
mod pings;
mod section;
mod settled;
mod snapshot_pair;
mod span;
mod starved;
mod summary;
mod tester;
mod throttle;
mod timeline;
mod total;
mod trial;
mod udp_received;
mod valid_trials;
mod validity;
mod weights;

pub use between_groups::Between;
pub use boots::boots;
pub use course::{Course, JainAt, SLICES_S};
pub use exits::{exit_reasons, exit_sources, exit_words};
pub use flow::FlowFigures;
pub use group::Sharing;
pub use group_figures::{GroupCpu, GroupFigures};
pub use group_summary::{GroupRow, summarise_groups};
pub use guest::{GuestCpu, GuestFigures};
pub use host::{CpuModes, HostFigures};
pub use interference::Interference;
pub use interrupts::IrqFigures;
pub use latencies::Latencies;
pub use machines::{CpuFigures, Seen};
pub use metric::Metric;
pub use need::Need;
pub use numbers::{Numbers, StalledFlow, Steadiness, TotalFigures};
pub use outcome::{Outcome, Reason};
pub use outliers::outliers;
pub use pings::PingCounts;
pub use section::{Better, Section};
pub use settled::settled_late;
pub use summary::{SummaryRow, summarise};
pub use tester::TesterFigures;
pub use timeline::{Point, timeline};
pub use trial::TrialFigures;
pub use valid_trials::ValidTrials;
