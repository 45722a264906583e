//! One trial: raw samples -> figures.
//!
//! A trial that failed has no numbers at all; one that is not valid keeps them for the reader, but no summary counts them.

use serde::{Deserialize, Serialize};

use super::settled::Settled;
use super::udp_received::received;
use super::{
    Course, FlowFigures, GuestFigures, HostFigures, Numbers, Outcome, Reason, Seen, Sharing, StalledFlow,
    TotalFigures, impossible, noise, starved, validity,
};
use crate::profile::{Configuration, Timing};
use crate::raw::{Accel, Check, RawTrial};

/// The figures of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialFigures {
    /// Number in the plan, from 1.
    pub trial: u32,
    /// Which repeat of its configuration, from 1.
    pub repeat: u32,
    /// Which attempt at this trial, from 1; of a trial that was skipped, how many were made.
    pub attempt: u32,
    /// Of a merged run: which of its sources this trial is from, from 0.
    pub machine: u32,
    /// What was measured.
    pub configuration: Configuration,
    /// What ran the guests' instructions.
    pub accel: Accel,
    /// When the lab began to move to this configuration, s since the epoch.
    pub started_s: f64,
    /// When the trial was over, s since the epoch.
    pub ended_s: f64,
    /// QEMU's process of each guest: the same in all trials of one boot. Empty for bare metal, or where one is not known.
    pub processes: Vec<i32>,
    /// The proof that its backend is the one that ran.
    pub checks: Vec<Check>,
    /// Whether the numbers count.
    pub outcome: Outcome,
    /// The numbers; `None` if the trial failed or its flows never ran together.
    pub numbers: Option<Numbers>,
}

impl TrialFigures {
    /// Computes the figures of one trial and judges them.
    pub fn compute(raw: &RawTrial, timing: &Timing) -> TrialFigures {
        let impossible = raw.failure.is_none().then(|| impossible::find(raw)).flatten();
        let numbers = match (&raw.failure, &impossible) {
            (None, None) => Numbers::compute(raw, timing),
            _ => None,
        };
        let outcome = match impossible {
            Some(what) => Outcome::Invalid(vec![Reason::Impossible(what)]),
            None => validity::judge(raw, timing, numbers.as_ref()),
        };
        TrialFigures {
            trial: raw.trial,
            repeat: raw.repeat,
            attempt: raw.attempt,
            machine: raw.machine,
            configuration: raw.configuration.clone(),
            accel: raw.accel,
            started_s: raw.started_s,
            ended_s: raw.ended_s,
            processes: raw
                .guests
                .iter()
                .map(|guest| guest.qemu_pid)
                .collect::<Option<_>>()
                .unwrap_or_default(),
            checks: raw.checks.clone(),
            outcome,
            numbers,
        }
    }

    /// A trial that is excluded before anything is computed of it, because its raw data cannot be true.
    pub fn excluded(
        trial: u32,
        repeat: u32,
        configuration: Configuration,
        accel: Accel,
        what: String,
    ) -> TrialFigures {
        TrialFigures {
            trial,
            repeat,
            machine: 0,
            attempt: 1,
            configuration,
            accel,
            started_s: 0.0,
            ended_s: 0.0,
            processes: Vec::new(),
            checks: Vec::new(),
            outcome: Outcome::Invalid(vec![Reason::Impossible(what)]),
            numbers: None,
        }
    }

    /// Forgets what is in tables of single trials and in no other: the figures of each flow, and of all but the busiest CPUs. Of
    /// thousands of trials they would fill the memory.
    pub fn drop_details(&mut self) {
        if let Some(numbers) = &mut self.numbers {
            numbers.flows = Vec::new();
            numbers.seen.keep_busiest_cpus();
        }
    }

    /// The numbers, if they count.
    pub fn valid(&self) -> Option<&Numbers> {
        self.numbers.as_ref().filter(|_| self.outcome == Outcome::Measured)
    }
}

impl Numbers {
    /// `None` if the flows never ran together.
    fn compute(raw: &RawTrial, timing: &Timing) -> Option<Numbers> {
        let raw = &received(raw);
        let settled = Settled::detect(raw, timing)?;
        let window = settled.window;
        let interval_s = timing.interval.as_secs_f64();
        let of = |flow| FlowFigures::compute(flow, &raw.configuration, &window, interval_s);
        let flows: Vec<FlowFigures> = raw.flows.iter().map(of).collect();
        let course = Course::compute(raw, &window, interval_s);
        let mut guests = GuestFigures::all(raw, &flows, &window);
        starved::mark(&mut guests, &flows, &course);
        let host = HostFigures::compute(&raw.host, &window);
        let total = TotalFigures::compute(raw, &flows, &guests, host.as_ref(), &settled, interval_s);
        let seen = Seen::compute(raw, &window);
        let sharing = Sharing::compute(raw, &guests, host.as_ref(), &window, interval_s);
        let is_result = raw.configuration.test.unit().is_result();
        let (spread, turns) = if is_result { (course.spread(), course.turns()) } else { (None, None) };
        let flow_rates = flows.iter().map(|flow| flow.rate).collect();
        let stalled_flows = StalledFlow::find(&flows, &window);
        Some(Numbers {
            window,
            flows,
            flow_rates,
            stalled_flows,
            guests,
            host,
            total,
            seen,
            sharing,
            spread,
            latency_spread: noise::latency_spread(raw, &window, course.slice_s),
            cpu_spread: noise::cpu_spread(raw, &window),
            turns,
            course,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Metric, fixture};
    use crate::raw::{Stage, TargetCounters};

    fn figures(raw: &RawTrial) -> TrialFigures {
        TrialFigures::compute(raw, &fixture::timing())
    }

    fn close(found: Option<f64>, expected: f64) -> bool {
        found.is_some_and(|found| (found - expected).abs() < 1e-3 * (1.0 + expected.abs()))
    }

    #[test]
    fn a_steady_trial_is_measured_and_its_figures_agree_with_each_other() {
        let trial = figures(&fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]));
        assert_eq!(trial.outcome, Outcome::Measured);
        let value = |metric: Metric| metric.value(&trial);
        assert!(close(value(Metric::TotalRate), 2000.0));
        assert!(close(value(Metric::RatePerFlow), 250.0));
        assert!(close(value(Metric::MeanLatency), 4000.0));
        assert!(close(value(Metric::BiasRate), 20.0));
        assert!(close(value(Metric::HostCpu), 50.0));
        assert!(close(value(Metric::CpuPerTransaction), 1000.0));
        assert!(close(value(Metric::SoftirqCpu), 10.0));
        assert!(close(value(Metric::RunDelay), 5.0));
        assert!(close(value(Metric::WaitRatio), 100.0 * 10.0 / (10.0 + 19.0 + 21.0)));
        assert!(close(value(Metric::OrchestratorCpu), 2.0));
        assert!(close(value(Metric::PacketCheck), 1.0));
        assert!(close(value(Metric::Unsynchronised), 1.5));
        assert!(close(value(Metric::GuestsCpu), 2.0 * 20.0 + 9.0 + 11.0));
    }

    #[test]
    fn guests_have_their_own_rates_and_cpu() {
        let raw = fixture::trial(fixture::configuration("virtio", 2), &[900.0, 1100.0]);
        let numbers = figures(&raw).numbers.unwrap();
        let guest = &numbers.guests[1];
        assert_eq!((guest.guest, guest.flows, guest.domain.as_deref()), (2, 4, Some("kf-test-2")));
        assert!(close(Some(guest.rate), 1100.0) && close(guest.mean_latency_us, 4e6 / 1100.0));
        assert!(close(guest.cpu.map(|cpu| cpu.vcpu_percent), 21.0));
        assert!(close(guest.cpu.map(|cpu| cpu.total_percent), 31.0));
        assert!(close(guest.inside_busy_percent, 43.75) && close(guest.inside_steal_percent, 6.25));
        assert!(close(guest.packet_check_from_ratio, 1.0) && close(guest.packet_check_to_ratio, 1.0));
    }

    #[test]
    fn modes_of_the_host_s_cpus_add_up_to_100_percent() {
        let raw = fixture::trial(fixture::configuration("virtio", 1), &[900.0]);
        let modes = figures(&raw).numbers.unwrap().host.unwrap().modes;
        let busy = modes.user_percent + modes.system_percent + modes.irq_percent + modes.softirq_percent;
        assert!(close(Some(busy + modes.steal_percent + modes.idle_percent), 100.0));
    }

    #[test]
    fn bare_metal_has_one_target_without_cpu_or_fairness() {
        let trial = figures(&fixture::trial(fixture::configuration("baremetal", 0), &[8000.0]));
        assert_eq!(trial.outcome, Outcome::Measured);
        let numbers = trial.numbers.as_ref().unwrap();
        assert_eq!((numbers.guests.len(), numbers.guests[0].guest, numbers.guests[0].cpu), (1, 0, None));
        assert!(close(Metric::TotalRate.value(&trial), 8000.0));
        for metric in
            [Metric::BiasRate, Metric::BiasCpu, Metric::GuestsCpu, Metric::RunDelay, Metric::WaitRatio]
        {
            assert_eq!(metric.value(&trial), None, "{metric:?}");
        }
    }

    #[test]
    fn fairness_of_one_guest_is_undefined() {
        let trial = figures(&fixture::trial(fixture::configuration("virtio", 1), &[1000.0]));
        assert_eq!(Metric::BiasRate.value(&trial), None);
        assert_eq!(Metric::JainRate.value(&trial), None);
    }

    #[test]
    fn a_failed_trial_has_no_numbers() {
        let trial = figures(&fixture::failed(fixture::configuration("virtio", 2)));
        assert!(matches!(trial.outcome, Outcome::Failed { stage: Stage::Provision, .. }));
        assert_eq!(trial.numbers, None);
        assert!(Metric::ALL.iter().all(|metric| metric.value(&trial).is_none()));
    }

    #[test]
    fn a_guest_that_stands_still_keeps_its_zero() {
        let trial = figures(&fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 0.0]));
        assert!(close(Metric::TotalRate.value(&trial), 1000.0));
        assert!(close(Metric::BiasRate.value(&trial), 200.0));
        assert_eq!(Metric::BiasLatency.value(&trial), None);
    }

    #[test]
    fn unknown_counters_of_one_guest_leave_the_cpu_of_all_unknown() {
        let mut raw = fixture::trial(fixture::configuration("virtio", 2), &[1000.0, 1000.0]);
        raw.host.iter_mut().for_each(|sample| sample.targets.truncate(1));
        assert_eq!(Metric::GuestsCpu.value(&figures(&raw)), None);
        raw.host.iter_mut().for_each(|sample| sample.targets = vec![TargetCounters::default(); 2]);
        assert_eq!(Metric::GuestsCpu.value(&figures(&raw)), Some(0.0));
    }
}
