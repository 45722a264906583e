//! The plan: every trial in its order, the lab's move before it, and how long it will take. Pure.
//!
//! A block is every configuration once; there are as many blocks as repeats, so that a drift of the machine spreads over
//! all configurations. The order within a block is shuffled by the profile's seed, but configurations that the same
//! guests can serve stay together: a boot costs more than a trial. Time and memory grow with the number of trials, not with
//! its square.

mod estimate;
#[cfg(test)]
mod fixture;
mod kind;
mod merging;
mod partition;
mod transition;

use std::collections::{BTreeSet, HashMap};

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

pub use estimate::{Moving, TimeEstimate};
pub use kind::{KindOfMove, by_kind};
pub use merging::{HostCapacity, Scan};
pub use partition::{Partition, PartitionError};
pub use transition::{Guests, Policy, Transition};

use crate::profile::{Configuration, Experiment, Order, Value};
use crate::raw::Accel;

/// The ordered trials of an experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The trials, numbered from 1.
    pub trials: Vec<PlannedTrial>,
    /// Expected time of the whole, s.
    pub total_s: f64,
}

/// One trial to come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedTrial {
    /// Number in the plan, from 1.
    pub trial: u32,
    /// Which repeat of its configuration, from 1.
    pub repeat: u32,
    /// What is measured.
    pub configuration: Configuration,
    /// How the lab gets there.
    pub transition: Transition,
    /// Expected time of the move and of the trial.
    pub estimate: TimeEstimate,
}

/// Orders the trials of an experiment on a VM host, which may be given by its number of CPUs.
pub fn plan(experiment: &Experiment, accel: Accel, host: impl Into<HostCapacity>) -> Plan {
    plan_blocks(experiment, accel, host, |_| true)
}

/// The same of the blocks that are `wanted`, by their numbers from 1: their trials have the numbers of the whole plan.
pub fn plan_blocks(
    experiment: &Experiment,
    accel: Accel,
    host: impl Into<HostCapacity>,
    wanted: impl Fn(u32) -> bool,
) -> Plan {
    let host = host.into();
    let mut random = StdRng::seed_from_u64(experiment.seed);
    let (mut lab, policy) = (Guests::default(), Policy::from_experiment(experiment));
    let mut plan = Plan { trials: Vec::new(), total_s: estimate::overhead_s(accel) };
    let mut number = 0;
    for repeat in 1..=experiment.timing.repeats {
        for configuration in block(experiment, &experiment.configurations, &mut random) {
            number += 1;
            if !wanted(repeat) {
                continue;
            }
            let transition = lab.move_to(&configuration, repeat, policy);
            let estimate = TimeEstimate::compute(&configuration, &transition, experiment, accel, host);
            plan.push(PlannedTrial { trial: number, repeat, configuration, transition, estimate });
        }
    }
    plan
}

impl Plan {
    /// Adds one more block, of configurations that want a further repeat.
    pub fn extend(
        &mut self,
        wanted: &[Configuration],
        experiment: &Experiment,
        accel: Accel,
        host: impl Into<HostCapacity>,
    ) {
        let host = host.into();
        let (mut lab, policy) = (Guests::default(), Policy::from_experiment(experiment));
        let mut repeats: HashMap<Configuration, u32> = HashMap::new();
        for PlannedTrial { configuration, repeat, .. } in &self.trials {
            lab.move_to(configuration, *repeat, policy);
            let most = repeats.entry(configuration.clone()).or_default();
            *most = (*most).max(*repeat);
        }
        let mut random = StdRng::seed_from_u64(experiment.seed ^ self.trials.len() as u64);
        for configuration in block(experiment, wanted, &mut random) {
            let repeat = repeats.get(&configuration).map_or(1, |most| most + 1);
            let transition = lab.move_to(&configuration, repeat, policy);
            let estimate = TimeEstimate::compute(&configuration, &transition, experiment, accel, host);
            let trial = self.trials.last().map_or(1, |last| last.trial + 1);
            self.push(PlannedTrial { trial, repeat, configuration, transition, estimate });
        }
    }

    fn push(&mut self, planned: PlannedTrial) {
        self.total_s += planned.estimate.total_s();
        self.trials.push(planned);
    }

    /// The blocks that it has, numbered from 1.
    pub fn blocks(&self) -> BTreeSet<u32> {
        self.trials.iter().map(|planned| planned.repeat).collect()
    }
}

/// Configurations in the order of one block.
fn block(experiment: &Experiment, all: &[Configuration], random: &mut StdRng) -> Vec<Configuration> {
    match experiment.order {
        Order::Random => shuffled(all, random),
        Order::Sequential => all.to_vec(),
    }
}

/// In random order; those that the same guests can serve stay together.
fn shuffled(all: &[Configuration], random: &mut StdRng) -> Vec<Configuration> {
    let mut groups: Vec<Vec<Configuration>> = Vec::new();
    let mut of_boot: HashMap<Vec<Value>, usize> = HashMap::new();
    for configuration in all {
        let group = *of_boot.entry(configuration.boot()).or_insert(groups.len());
        if group == groups.len() {
            groups.push(Vec::new());
        }
        groups[group].push(configuration.clone());
    }
    groups.iter_mut().for_each(|group| group.shuffle(random));
    groups.shuffle(random);
    groups.concat()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::fixture::{configuration, experiment};
    use super::*;
    use crate::profile::{Factor, Idle, Reprovision};

    #[test]
    fn guests_that_stay_up_are_not_booted_again() {
        let configurations =
            vec![configuration("virtio", 4), configuration("virtio", 1), configuration("virtio", 2)];
        let plan = plan(&experiment(configurations, Order::Sequential, Idle::Pause, 1), Accel::Tcg, 2);
        let moves: Vec<&Transition> = plan.trials.iter().map(|trial| &trial.transition).collect();
        assert_eq!(moves[0].boot, vec![1, 2, 3, 4]);
        assert_eq!((moves[1].boot.len(), &moves[1].suspend), (0, &vec![2, 3, 4]));
        assert_eq!((moves[2].boot.len(), &moves[2].resume), (0, &vec![2]));
    }

    #[test]
    fn another_backend_means_other_guests() {
        let configurations = vec![configuration("virtio", 2), configuration("e1000", 1)];
        let plan = plan(&experiment(configurations, Order::Sequential, Idle::Pause, 1), Accel::Tcg, 2);
        assert_eq!(plan.trials[1].transition.destroy, vec![1, 2]);
        assert_eq!(plan.trials[1].transition.boot, vec![1]);
        assert!(plan.trials[1].transition.reattach);
    }

    #[test]
    fn guests_not_needed_are_destroyed_if_the_profile_says_so() {
        let configurations = vec![configuration("virtio", 2), configuration("virtio", 1)];
        let plan = plan(&experiment(configurations, Order::Sequential, Idle::Destroy, 1), Accel::Tcg, 2);
        assert_eq!(plan.trials[1].transition.destroy, vec![2]);
    }

    #[test]
    fn what_is_not_precise_yet_is_repeated_in_a_block_of_its_own() {
        let configurations = vec![configuration("virtio", 2), configuration("e1000", 1)];
        let experiment = experiment(configurations.clone(), Order::Sequential, Idle::Pause, 2);
        let mut plan = plan(&experiment, Accel::Tcg, 2);
        let before_s = plan.total_s;
        plan.extend(&configurations[..1], &experiment, Accel::Tcg, 2);
        let last = plan.trials.last().unwrap();
        assert_eq!((last.trial, last.repeat, &last.configuration), (5, 3, &configurations[0]));
        assert_eq!(last.transition.boot, [1, 2], "other guests are there after the last block");
        assert!((plan.total_s - before_s - last.estimate.total_s()).abs() < 1e-9);
    }

    #[test]
    fn settings_are_written_while_guests_run_and_the_load_is_no_setting() {
        let held = Configuration { quota_us: 50_000, burst: 3, ..configuration("virtio", 2) };
        let configurations = vec![configuration("virtio", 2), held, configuration("virtio", 1)];
        let plan = plan(&experiment(configurations, Order::Sequential, Idle::Pause, 1), Accel::Kvm, 2);
        let seen = plan.trials.iter().map(|trial| (trial.transition.boot.len(), &*trial.transition.settings));
        let quota: &[Factor] = &[Factor::Quota];
        assert_eq!(seen.collect::<Vec<_>>(), [(2, &[][..]), (0, quota), (0, quota)]);
        let kinds: Vec<_> = by_kind(&plan).iter().map(|kind| (kind.what, kind.times, kind.guests)).collect();
        let expected =
            [("pause", 1, Some(1)), ("boot", 1, Some(2)), ("new wire", 1, None), ("live settings", 2, None)];
        assert_eq!(kinds, expected);
    }

    #[test]
    fn ksm_has_to_go_over_memory_when_it_is_switched_on_or_guests_are_new_and_not_in_each_trial() {
        let with = |ksm, vms| {
            let mut configuration = configuration("virtio", vms);
            configuration.settings.insert(Factor::Ksm, Value::Switch(ksm));
            configuration
        };
        let levels =
            [(true, 1), (true, 1), (true, 2), (false, 2), (true, 1)].map(|(ksm, vms)| with(ksm, vms));
        let mut all = levels.to_vec();
        all.push(Configuration { hugepages: Some(true), ..with(true, 1) });
        all.push(Configuration { settings: with(true, 1).settings, ..configuration("baremetal", 0) });
        let plan = plan(&experiment(all, Order::Sequential, Idle::Pause, 1), Accel::Kvm, 2);
        let merges: Vec<u32> = plan.trials.iter().map(|trial| trial.transition.merge).collect();
        assert_eq!(
            merges,
            [1, 0, 2, 0, 2, 0, 0],
            "paused guests have memory, too, and pages of a pool cannot be merged"
        );
        let waits: Vec<bool> = plan.trials.iter().map(|trial| trial.estimate.moving.merge_s > 5.0).collect();
        assert_eq!(waits, merges.iter().map(|guests| *guests > 0).collect::<Vec<_>>());
        assert!(
            plan.trials.iter().filter(|trial| !trial.transition.boot.is_empty()).count() < 5,
            "it needs no boot"
        );
    }

    #[test]
    fn bare_metal_boots_nothing() {
        let plan = plan(
            &experiment(vec![configuration("baremetal", 0)], Order::Random, Idle::Pause, 2),
            Accel::Tcg,
            2,
        );
        assert!(plan.trials.iter().all(|trial| trial.transition.boot.is_empty()));
    }

    #[test]
    fn guests_keep_the_huge_pages_and_the_polling_that_they_began_with() {
        let mut configurations = vec![configuration("virtio", 1); 3];
        configurations[1].settings.insert(Factor::Thp, Value::Word("never".into()));
        configurations[2].settings.insert(Factor::HaltPoll, Value::Number(0));
        let plan = plan(&experiment(configurations, Order::Sequential, Idle::Pause, 1), Accel::Kvm, 2);
        assert!(plan.trials.iter().all(|trial| trial.transition.boot == [1]));
    }

    /// The guests that end and those that start before each trial.
    fn made_anew(reprovision: Reprovision) -> Vec<(usize, usize)> {
        let configurations = vec![configuration("virtio", 2), configuration("virtio", 1)];
        let wanted = experiment(configurations, Order::Sequential, Idle::Pause, 2);
        let plan = plan(&Experiment { reprovision, ..wanted }, Accel::Tcg, 2);
        assert!(plan.trials[1..].iter().all(|trial| !trial.transition.reattach), "the wire stays");
        plan.trials
            .iter()
            .map(|trial| (trial.transition.destroy.len(), trial.transition.boot.len()))
            .collect()
    }

    #[test]
    fn guests_are_made_anew_when_the_profile_says_so() {
        assert_eq!(made_anew(Reprovision::Never), [(0, 2), (0, 0), (0, 0), (0, 0)]);
        assert_eq!(made_anew(Reprovision::Block), [(0, 2), (0, 0), (2, 2), (0, 0)]);
        assert_eq!(made_anew(Reprovision::Trial), [(0, 2), (2, 1), (1, 2), (2, 1)]);
    }

    #[test]
    fn a_block_that_precision_asks_for_has_guests_of_its_own_too() {
        let configurations = vec![configuration("virtio", 2), configuration("virtio", 1)];
        let wanted = experiment(configurations.clone(), Order::Sequential, Idle::Pause, 1);
        let wanted = Experiment { reprovision: Reprovision::Block, ..wanted };
        let mut plan = plan(&wanted, Accel::Tcg, 2);
        plan.extend(&configurations, &wanted, Accel::Tcg, 2);
        let boots: Vec<usize> = plan.trials.iter().map(|trial| trial.transition.boot.len()).collect();
        assert_eq!(boots, [2, 0, 2, 0]);
    }

    fn reprovision() -> impl Strategy<Value = Reprovision> {
        prop_oneof![Just(Reprovision::Never), Just(Reprovision::Block), Just(Reprovision::Trial)]
    }

    proptest! {
        #[test]
        fn every_block_has_every_configuration_once_and_the_seed_decides_the_order(seed: u64, repeats in 1u32..6) {
            let all: Vec<_> = ["virtio", "e1000"].iter().flat_map(|b| [1, 2, 4].map(|n| configuration(b, n))).collect();
            let wanted = Experiment { seed, ..experiment(all.clone(), Order::Random, Idle::Pause, repeats) };
            let made = plan(&wanted, Accel::Kvm, 2);
            prop_assert_eq!(&made, &plan(&wanted, Accel::Kvm, 2));
            for (number, block) in made.trials.chunks(all.len()).enumerate() {
                prop_assert!(all.iter().all(|c| block.iter().filter(|t| t.configuration == *c).count() == 1));
                prop_assert!(block.iter().all(|t| t.repeat == number as u32 + 1));
            }
        }

        #[test]
        fn the_guests_that_a_trial_needs_are_running_when_it_starts(
            seed: u64, destroy: bool, reprovision in reprovision(),
        ) {
            let all: Vec<_> = ["virtio", "e1000", "baremetal"].iter()
                .flat_map(|b| [1, 2, 4].map(|n| configuration(b, if *b == "baremetal" { 0 } else { n }))).collect();
            let idle = if destroy { Idle::Destroy } else { Idle::Pause };
            let wanted = experiment(all, Order::Random, idle, 3);
            let made = plan(&Experiment { seed, reprovision, ..wanted }, Accel::Kvm, 2);
            let mut block = 1;
            let moving: f64 = made.trials.iter().map(|trial| trial.estimate.transition_s).sum();
            let kinds: f64 = by_kind(&made).iter().map(|kind| kind.total_s).sum();
            prop_assert!((moving - kinds).abs() < 1e-6, "no time is lost between kinds");
            let mut running = std::collections::BTreeSet::new();
            let mut paused = std::collections::BTreeSet::new();
            for trial in &made.trials {
                let t = &trial.transition;
                for g in &t.destroy { prop_assert!(running.remove(g) || paused.remove(g)); }
                for g in &t.suspend { prop_assert!(running.remove(g) && paused.insert(*g)); }
                for g in &t.resume { prop_assert!(paused.remove(g) && running.insert(*g)); }
                for g in &t.boot { prop_assert!(!paused.contains(g) && running.insert(*g)); }
                let needed: std::collections::BTreeSet<u32> = (1..=trial.configuration.vms).collect();
                prop_assert_eq!(&running, &needed);
                let anew = match reprovision {
                    Reprovision::Never => false,
                    Reprovision::Block => trial.repeat != block,
                    Reprovision::Trial => true,
                };
                prop_assert!(!anew || t.boot.len() == needed.len(), "guest of another block or trial");
                block = trial.repeat;
            }
        }
    }
}
