//! Raw samples of one trial, as they are kept on disk: every table and chart can be drawn again from them.
//!
//! Pure data. Times are seconds of the tester's wall clock since the epoch (netperf stamps its interim results with it);
//! counters are cumulative, so that a figure over any window is a difference of two interpolated readings.
//!
//! - [`RawTrial`]: the trial in memory; serde makes JSON of it, for whoever wants to read it
//! - [`encode`], [`decode`]: the trial as the bytes of its file, described there (`file.rs`); `columns`, `host_columns`: its samples

mod columns;
mod error;
mod file;
mod host;
mod host_columns;
mod snapshot;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::profile::Configuration;
use crate::profile::groups::Members;
pub use error::RawFileError;
pub use file::{decode, encode};
pub use host::{CpuTimes, HostSample, OneCpu, TargetCounters};
pub use snapshot::{ExitSource, Hiccup, Irq, KSM_SCANS, KsmWait, Merged, NicPackets, Snapshot};

/// Version of the raw format; a reader refuses what it does not know.
pub const FORMAT: u32 = 4;

/// One timed run of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawTrial {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// Number in the plan, from 1.
    pub trial: u32,
    /// Which repeat of its configuration, from 1.
    pub repeat: u32,
    /// Which attempt at this trial, from 1; those before were failed or invalid. Of a trial that was skipped, how many were
    /// made.
    #[serde(default = "first_attempt")]
    pub attempt: u32,
    /// Of a merged run: which of its sources this trial is from, from 0. Machines number their processes independently.
    #[serde(default)]
    pub machine: u32,
    /// What was measured.
    pub configuration: Configuration,
    /// The groups of its guests; empty where all are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Members>,
    /// What ran the guests' instructions.
    pub accel: Accel,
    /// When the lab began to move to this configuration, s.
    pub started_s: f64,
    /// When it had come there, s; `None` if it did not.
    #[serde(default)]
    pub moved_s: Option<f64>,
    /// How long the move waited for KSM; `None` where it had no reason to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merging: Option<KsmWait>,
    /// When the trial was over, s.
    pub ended_s: f64,
    /// Why there are no figures.
    pub failure: Option<Failure>,
    /// One entry for each netperf or ping that is measured.
    pub flows: Vec<RawFlow>,
    /// One entry for each netperf that is background: its rates are 10^6 bits/s.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub background: Vec<RawFlow>,
    /// The host's counters, about one sample per interval, from before the first flow started to after the last ended.
    pub host: Vec<HostSample>,
    /// CPUs online on the host.
    pub host_cpus: u32,
    /// Their numbers; empty if they are those from 0, or not known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub online_cpus: BTreeSet<u32>,
    /// The machines just before and just after the window.
    #[serde(default)]
    pub snapshots: Vec<Snapshot>,
    /// When the host stood still; `None` where nobody watched.
    #[serde(default)]
    pub hiccups: Option<Vec<Hiccup>>,
    /// What was seen inside the guests: a sample before and one after the window. Empty for bare metal.
    pub guests: Vec<RawGuest>,
    /// The proof that the backend under test is the one that ran.
    pub checks: Vec<Check>,
}

fn first_attempt() -> u32 {
    1
}

/// What ran the guests' instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accel {
    /// Hardware virtualisation.
    Kvm,
    /// QEMU's emulation: absolute numbers mean nothing, shapes do.
    Tcg,
    /// Xen.
    Xen,
}

impl Accel {
    /// The word in tables: `KVM`, or the warning that must stand beside every emulated figure.
    pub fn label(self) -> &'static str {
        match self {
            Accel::Kvm => "KVM",
            Accel::Xen => "Xen",
            Accel::Tcg => "no KVM: emulated guests (TCG); compare shapes, do not quote absolute numbers",
        }
    }
}

/// Where a trial broke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The step of the trial loop.
    pub stage: Stage,
    /// The error with its causes, in one line.
    pub cause: String,
}

/// Steps of the trial loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Booting or resuming guests, moving the lab.
    Provision,
    /// Proving that the backend is the one asked for.
    Verify,
    /// Starting, holding and ending the flows.
    Load,
    /// Reading counters.
    Probe,
    /// The run was over before the trial's turn.
    Skipped,
}

/// One netperf, or one ping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RawFlow {
    /// Number of the flow, from 1.
    pub flow: u32,
    /// Number of the guest that serves it, from 1; 0 for bare metal.
    pub guest: u32,
    /// Interim results in the order printed; of a ping, its answers counted in the same way.
    pub intervals: Vec<InterimResult>,
    /// Final `KEY=value` lines; of a ping, the numbers of its last lines. Empty if it printed none.
    pub result: BTreeMap<String, String>,
    /// Its exit status; `None` if it had to be killed.
    pub exit_code: Option<i32>,
    /// What it wrote that is neither an interim nor a final line.
    pub messages: String,
    /// Every ping that was answered, in the order of the answers. Empty for netperf.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub round_trips: Vec<RoundTrip>,
}

/// One ping that was answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoundTrip {
    /// Which ping of its flow, from 1, or from 0 as ping counts: those without an answer are missing.
    pub sequence: u64,
    /// When ping printed the answer, s.
    pub answered_s: f64,
    /// From sending to receiving, µs. ping prints three digits of longer ones.
    pub rtt_us: f64,
}

impl RoundTrip {
    /// When it was sent, s.
    pub fn sent_s(&self) -> f64 {
        self.answered_s - self.rtt_us / 1e6
    }
}

impl RawFlow {
    /// Whether it lasted, and its connection: it ended without an error and printed its result. Else the flow broke, and
    /// its trial is not valid.
    pub fn ended_well(&self) -> bool {
        self.exit_code == Some(0) && !self.result.is_empty()
    }
}

/// One interim result.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct InterimResult {
    /// When it ended, s.
    pub end_s: f64,
    /// How long it was, s.
    pub length_s: f64,
    /// Mean rate in it, transactions/s or, of streams, 10^6 bits/s; those that a UDP sender sent, not all of which arrived.
    pub rate: f64,
}

/// What one guest reported of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RawGuest {
    /// Number of the guest, from 1.
    pub guest: u32,
    /// Libvirt's name of the domain.
    pub domain: String,
    /// QEMU's process on the host, or Xen's number of the guest: trials with the same one had the same boot of the guest.
    #[serde(default)]
    pub qemu_pid: Option<i32>,
    /// `/proc/stat` inside the guest with the host's time of reading: before and after the window.
    pub inside: Vec<(f64, CpuTimes)>,
    /// Counters of its test NIC, read in the guest before the first flow and after the last: only where no packet passes
    /// an interface of the host's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nic: Vec<(f64, NicPackets)>,
    /// Interrupts of its test NIC: before and after the window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interrupts: Vec<(f64, Vec<Irq>)>,
    /// KVM's exits by reason, all vCPUs together, cumulative: before and after the window. Empty if it is emulated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exits: Vec<(f64, BTreeMap<String, u64>)>,
    /// Who counted them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exits_from: Option<ExitSource>,
}

/// One fact that had to hold for the trial to be what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was checked, for example `guest 1: driver of the test NIC`.
    pub what: String,
    /// What had to be there.
    pub expected: String,
    /// What was there.
    pub found: String,
}

impl Check {
    /// Whether the fact held.
    pub fn holds(&self) -> bool {
        self.expected == self.found
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, found {}", self.what, self.expected, self.found)
    }
}
