//! Whether the tester is what was measured: how busy its CPUs were, and the netperfs on them, between the two snapshots.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::udp_received;
use crate::raw::{OneCpu, RawTrial, Snapshot};

/// Busier than this all together, %, the tester's CPUs slow the flows down.
const ALL_PERCENT: f64 = 80.0;
/// Busier than this, %, a single CPU, or a netperf, has hardly a moment left.
const ONE_PERCENT: f64 = 95.0;
/// A sender of datagrams works as fast as it can: where this part of them did not arrive, somebody else was slower.
const LOST: f64 = 0.01;

/// How busy the tester was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TesterFigures {
    /// Busy part of all its CPUs, %; `None` where the tester is the host.
    pub busy_percent: Option<f64>,
    /// The same of the busiest.
    pub busiest_cpu_percent: Option<f64>,
    /// CPU time of the busiest netperf of a measured flow, % of one CPU; UDP_STREAM counts where nearly all arrived.
    pub busiest_netperf_percent: Option<f64>,
}

impl TesterFigures {
    pub(super) fn compute(raw: &RawTrial, (first, last): (&Snapshot, &Snapshot)) -> TesterFigures {
        let cpus = || first.tester_cpus.iter().zip(&last.tester_cpus);
        let sum = |of: fn(&OneCpu) -> f64| cpus().map(|(before, after)| of(after) - of(before)).sum::<f64>();
        let percent = |busy: f64, all: f64| (all > 0.0).then(|| (100.0 * busy / all).clamp(0.0, 100.0));
        let each =
            cpus().filter_map(|(before, after)| percent(after.busy - before.busy, after.all - before.all));
        TesterFigures {
            busy_percent: percent(sum(|cpu| cpu.busy), sum(|cpu| cpu.all)),
            busiest_cpu_percent: each.reduce(f64::max),
            busiest_netperf_percent: busiest_netperf(raw, first, last),
        }
    }

    /// What was saturated, so that the tester may be what was measured; `None` where nothing is known.
    fn saturated_parts(&self) -> Option<TesterFigures> {
        let beyond = |part: Option<f64>, most: f64| part.filter(|percent| *percent > most);
        let parts = [self.busy_percent, self.busiest_cpu_percent, self.busiest_netperf_percent];
        parts.iter().any(Option::is_some).then(|| TesterFigures {
            busy_percent: beyond(self.busy_percent, ALL_PERCENT),
            busiest_cpu_percent: beyond(self.busiest_cpu_percent, ONE_PERCENT),
            busiest_netperf_percent: beyond(self.busiest_netperf_percent, ONE_PERCENT),
        })
    }

    /// The busiest of all that is known, %.
    pub fn most_percent(&self) -> Option<f64> {
        let parts = [self.busy_percent, self.busiest_cpu_percent, self.busiest_netperf_percent];
        parts.into_iter().flatten().reduce(f64::max)
    }

    /// Whether it is what was measured; `None` where nothing is known.
    pub fn saturated(&self) -> Option<bool> {
        self.saturated_parts().map(|parts| parts != TesterFigures::default())
    }

    /// What was saturated, each at its most, in one or the other; `None` if nothing was.
    pub fn worst(all: impl Iterator<Item = TesterFigures>) -> Option<TesterFigures> {
        let more = |a: Option<f64>, b: Option<f64>| a.into_iter().chain(b).reduce(f64::max);
        let saturated = all.filter_map(|tester| tester.saturated_parts());
        let worst = saturated.reduce(|a, b| TesterFigures {
            busy_percent: more(a.busy_percent, b.busy_percent),
            busiest_cpu_percent: more(a.busiest_cpu_percent, b.busiest_cpu_percent),
            busiest_netperf_percent: more(a.busiest_netperf_percent, b.busiest_netperf_percent),
        });
        worst.filter(|worst| *worst != TesterFigures::default())
    }
}

/// The parts that are known, in words.
impl fmt::Display for TesterFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.busy_percent, "its CPUs up to", "busy"),
            (self.busiest_cpu_percent, "one of its CPUs up to", "busy"),
            (self.busiest_netperf_percent, "a netperf up to", "of a CPU"),
        ];
        let in_words =
            |(percent, what, of): (Option<f64>, &str, &str)| Some(format!("{what} {:.0} % {of}", percent?));
        f.write_str(&parts.into_iter().filter_map(in_words).collect::<Vec<_>>().join(", "))
    }
}

fn busiest_netperf(raw: &RawTrial, first: &Snapshot, last: &Snapshot) -> Option<f64> {
    let length_s = last.at_s - first.at_s;
    let used = first.netperfs_s.iter().zip(&last.netperfs_s).zip(&raw.flows);
    let percent = used.filter_map(|((before, after), flow)| {
        let lost = udp_received::datagrams(&raw.configuration, flow)
            .is_some_and(|(sent, arrived)| sent - arrived > LOST * sent);
        let used_s = ((*after)? - (*before)?).max(0.0);
        (!lost && length_s > 0.0).then(|| 100.0 * used_s / length_s)
    });
    percent.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::fixture;
    use crate::profile::Test;

    fn snapshot(at_s: f64, busy: &[f64], netperfs_s: &[f64]) -> Snapshot {
        let cpu = |busy: &f64| OneCpu { all: at_s, busy: busy * at_s, ..OneCpu::default() };
        Snapshot {
            at_s,
            swapped: None,
            merged: None,
            tester_cpus: busy.iter().map(cpu).collect(),
            netperfs_s: netperfs_s.iter().map(|part| Some(part * at_s)).collect(),
            nics: Vec::new(),
            throttled_guests_s: Default::default(),
            throttled_groups_s: Default::default(),
        }
    }

    /// Parts of the time in which CPUs of the tester were busy, and netperfs had one.
    fn figures(raw: &RawTrial, busy: &[f64], netperfs: &[f64]) -> TesterFigures {
        TesterFigures::compute(raw, (&snapshot(100.0, busy, netperfs), &snapshot(110.0, busy, netperfs)))
    }

    fn trial() -> RawTrial {
        fixture::trial(fixture::configuration("virtio", 1), &[1000.0])
    }

    #[test]
    fn one_saturated_cpu_of_many_is_seen_and_so_are_all_of_them_or_one_netperf() {
        let saturated = |busy: &[f64], netperfs: &[f64]| figures(&trial(), busy, netperfs).saturated();
        let mut busy = [0.1; 32];
        assert_eq!(saturated(&busy, &[0.5; 8]), Some(false));
        busy[7] = 0.99;
        assert_eq!(saturated(&busy, &[0.5; 8]), Some(true));
        assert_eq!(saturated(&[0.85; 32], &[0.5; 8]), Some(true));
        assert_eq!(saturated(&[], &[0.5; 8]), Some(false));
        assert_eq!(saturated(&[], &[0.5, 0.97]), Some(true));
        assert_eq!(saturated(&[], &[]), None);
    }

    #[test]
    fn the_worst_says_only_what_was_saturated() {
        let all = [figures(&trial(), &[0.98, 0.1], &[0.2]), figures(&trial(), &[0.3, 0.2], &[0.97])];
        let worst = TesterFigures::worst(all.into_iter()).unwrap();
        assert_eq!(worst.to_string(), "one of its CPUs up to 98 % busy, a netperf up to 97 % of a CPU");
        assert_eq!(TesterFigures::worst([figures(&trial(), &[0.5], &[0.5])].into_iter()), None);
    }

    #[test]
    fn a_sender_of_datagrams_whose_receiver_was_slower_is_not_what_was_measured() {
        let mut raw = trial();
        raw.configuration.test = Test::UDP_STREAM;
        let saturated = |raw: &RawTrial| figures(raw, &[], &[0.99]).saturated();
        let mut arrived = |calls: &str| {
            for flow in &mut raw.flows {
                flow.result.insert("LOCAL_SEND_CALLS".into(), "1000".into());
                flow.result.insert("REMOTE_RECV_CALLS".into(), calls.into());
            }
            raw.clone()
        };
        assert_eq!(saturated(&arrived("1000")), Some(true));
        assert_eq!(saturated(&arrived("700")), None);
    }
}
