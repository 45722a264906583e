//! All numbers of one trial.

use serde::{Deserialize, Serialize};

use super::guest::STARVED_PART;
use super::{Course, FlowFigures, GuestFigures, HostFigures, JainAt, Seen, Sharing};
use crate::profile::Unit;
use crate::stats::{Fairness, Spread, Turns};
use crate::window::Window;

/// All numbers of a trial, from the window unless noted otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbers {
    /// The common window, from where the rate had settled.
    pub window: Window,
    /// One entry for each netperf; none after [`super::TrialFigures::drop_details`].
    pub flows: Vec<FlowFigures>,
    /// The rate of each flow, in the order of the flows.
    pub flow_rates: Vec<f64>,
    /// The flows that were stalled for a tenth of the window or more.
    pub stalled_flows: Vec<StalledFlow>,
    /// One entry for each guest; a single entry numbered 0 for bare metal.
    pub guests: Vec<GuestFigures>,
    /// The host's CPUs; `None` if its counters do not cover the window.
    pub host: Option<HostFigures>,
    /// The trial as a whole.
    pub total: TotalFigures,
    /// Single CPUs, interrupts, the tester, hiccups.
    pub seen: Seen,
    /// Its groups.
    pub sharing: Sharing,
    /// Spread of the guests' rates beside what noise explains; `None` for fewer than two guests and for windows of fewer than eight
    /// interim intervals.
    pub spread: Option<Spread>,
    /// The same of the guests' mean latencies where these are samples of their own: of pings; `None` unless each guest was answered in
    /// each interim interval.
    pub latency_spread: Option<Spread>,
    /// The same of their CPU times; `None` for fewer than eight samples of the host.
    pub cpu_spread: Option<Spread>,
    /// How its guests take turns within the window; `None` for fewer than two guests and for windows of fewer than sixteen slices.
    pub turns: Option<Turns>,
    /// The guests' rates over the window.
    pub course: Course,
}

impl Numbers {
    /// The measured guests that were starved for a tenth of the window or more.
    pub fn starved_guests(&self) -> impl Iterator<Item = &GuestFigures> {
        self.guests.iter().filter(|guest| guest.is_measured() && guest.is_starved(&self.window))
    }
}

/// A flow that completed nothing for some time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StalledFlow {
    /// Its number, from 1.
    pub flow: u32,
    /// The guest that served it, from 1; 0 for bare metal.
    pub guest: u32,
    /// How long, s; see [`FlowFigures::stalled_s`].
    pub stalled_s: f64,
}

impl StalledFlow {
    /// Those that were stalled for a tenth of the window or more.
    pub(super) fn find(flows: &[FlowFigures], window: &Window) -> Vec<StalledFlow> {
        let least_s = STARVED_PART * window.length_s();
        let stalled = flows.iter().filter(|flow| flow.stalled_s >= least_s);
        stalled
            .map(|&FlowFigures { flow, guest, stalled_s, .. }| StalledFlow { flow, guest, stalled_s })
            .collect()
    }
}

/// What is known of whether the total rate was steady in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Steadiness {
    /// It was from the end of the warm-up on.
    Steady,
    /// It was still settling then.
    Settling,
    /// Not judged: noise hides it.
    TooNoisy,
    /// Not judged: the window has fewer than twenty interim intervals.
    TooShort,
    /// Not judged: how often pings are sent is the profile's choice.
    OpenLoop,
}

impl Steadiness {
    /// The words in tables.
    pub fn words(self) -> &'static str {
        match self {
            Steadiness::Steady => "steady",
            Steadiness::Settling => "settling",
            Steadiness::TooNoisy => "not judged: too noisy",
            Steadiness::TooShort => "not judged: fewer than 20 intervals",
            Steadiness::OpenLoop => "not judged: the rate is that of the profile",
        }
    }
}

/// One trial as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TotalFigures {
    /// Sum of all flows' rates in the window, transactions/s, answered pings/s or 10^6 bits/s.
    pub rate: f64,
    /// The same ÷ flows.
    pub rate_per_flow: f64,
    /// What the rates count.
    pub unit: Unit,
    /// Rate × window: transactions, or 10^6 bits.
    pub work: f64,
    /// Mean latency in the window, µs: of pings that of all samples, else 10^6·(transactions in flight)/rate (N/X, Little's law).
    /// Undefined at rate 0 and for streams.
    pub mean_latency_us: Option<f64>,
    /// Smallest P99 of a flow (netperf: whole flow, pings: window), µs.
    pub min_p99_latency_us: Option<f64>,
    /// Median over the flows of each flow's P99 (netperf: whole flow, pings: window), µs.
    pub median_p99_latency_us: Option<f64>,
    /// Largest P99 of a flow (netperf: whole flow, pings: window), µs.
    pub max_p99_latency_us: Option<f64>,
    /// Longest transaction of all (netperf: whole flow, pings: window), µs.
    pub max_latency_us: Option<f64>,
    /// Busy host CPU time ÷ work, µs for each transaction or each 10^6 bits.
    pub cpu_per_work_us: Option<f64>,
    /// Datagrams of UDP streams that did not arrive, over whole flows, or pings of the window that were not answered, %.
    pub loss_percent: Option<f64>,
    /// CPU that all guests took, % of one CPU; `None` on bare metal.
    pub guests_cpu_percent: Option<f64>,
    /// Mean over the guests of their vCPUs' run delay, % of the window.
    pub run_delay_percent: Option<f64>,
    /// The guests' vCPUs' run delay ÷ (CPU time + run delay), %; `None` on bare metal or if no vCPU wanted a CPU.
    pub wait_ratio_percent: Option<f64>,
    /// Fairness of the guests' rates; undefined for fewer than two guests.
    pub rate_fairness: Option<Fairness>,
    /// Fairness of the guests' rates over shorter times.
    pub jain_over_time: Vec<JainAt>,
    /// Coefficient of variation of the guests' rates, as of a sample, beyond what their own flows' variation explains; 0:
    /// noise.
    pub excess_cv_rate: Option<f64>,
    /// How often KVM left the guests for each transaction, all vCPUs; `None` if they are emulated.
    pub exits_per_transaction: Option<f64>,
    /// When the total rate was steady, s after the end of the warm-up (MSER-5, where it makes a difference); `None` for windows
    /// too short or too noisy to tell.
    pub settled_after_s: Option<f64>,
    /// Whether it was steady, or why that was not judged.
    pub steadiness: Steadiness,
    /// How coarse the window's borders are: the interim intervals that they cut ÷ the window, %. A change of pace within them
    /// may move the rate of a guest by up to this.
    pub resolution_percent: Option<f64>,
    /// How much later than that end the window begins for it, s; 0 where too little would be left, or it settled at once.
    pub window_advanced_s: f64,
    /// Fairness of the guests' mean latencies; undefined if one guest stood still.
    pub latency_fairness: Option<Fairness>,
    /// Fairness of the guests' CPU time.
    pub cpu_fairness: Option<Fairness>,
    /// What the host counted ÷ what netperf did: the packet check. See `figures/packet_check.rs`.
    pub packet_check_ratio: Option<f64>,
    /// From the first flow's start to the last one's, s.
    pub start_spread_s: f64,
    /// Sum of what each netperf says at its end ÷ total rate in the window: the error of adding those up.
    pub unsynchronised_ratio: Option<f64>,
    /// Longest stall of any flow, s.
    pub longest_stall_s: f64,
    /// TCP retransmissions of all flows over the whole flow; `None` if one is unknown.
    pub retransmissions: Option<u64>,
}
