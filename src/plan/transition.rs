//! How the lab gets from one configuration to the next by the cheapest way.

use serde::{Deserialize, Serialize};

use crate::profile::{Configuration, Experiment, Factor, Idle, Reprovision, Value};

/// What changes before a trial; guests by number, in the order of the fields.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// Guests that end.
    pub destroy: Vec<u32>,
    /// Whether the wire and the switch are built anew.
    pub reattach: bool,
    /// Guests that are not needed and wait.
    pub suspend: Vec<u32>,
    /// Guests that waited and are needed.
    pub resume: Vec<u32>,
    /// Guests that start.
    pub boot: Vec<u32>,
    /// Settings of running machines that differ from those of the trial before.
    #[serde(default)]
    pub settings: Vec<Factor>,
    /// Guests over whose memory KSM has to go first, paused ones too: it was switched on, or some of them are new.
    #[serde(default)]
    pub merge: u32,
}

/// What a profile says of moving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// What becomes of guests that are not needed.
    pub idle: Idle,
    /// When guests that would do are made anew.
    pub reprovision: Reprovision,
}

impl Policy {
    /// Of an experiment.
    pub fn from_experiment(experiment: &Experiment) -> Policy {
        Policy { idle: experiment.idle, reprovision: experiment.reprovision }
    }
}

/// Whether KSM finds pages of guests to merge; those of a pool of huge pages it passes over.
fn merges(configuration: &Configuration) -> bool {
    let on = configuration.value(Factor::Ksm) == Value::Switch(true);
    on && configuration.vms > 0 && configuration.hugepages != Some(true)
}

/// The guests that there are, as the planner and the trial loop both track them.
#[derive(Clone, Debug, Default)]
pub struct Guests {
    /// What they were booted for; `None` before the first trial and after a failure.
    booted_for: Option<Configuration>,
    /// What was measured last.
    last: Option<Configuration>,
    /// The block in which they were booted.
    block: u32,
    /// Guests 1 to this one run.
    running: u32,
    /// Those after the running ones, up to this one, are paused.
    there: u32,
}

impl Guests {
    /// The move to a configuration in a block; afterwards it counts as made. Blocks are known by their number, the repeat
    /// of their trials.
    pub fn move_to(&mut self, target: &Configuration, block: u32, policy: Policy) -> Transition {
        let mut moves = Transition::default();
        let same = self.booted_for.as_ref().is_some_and(|booted| booted.same_boot(target));
        let anew = match policy.reprovision {
            Reprovision::Never => false,
            Reprovision::Block => block != self.block,
            Reprovision::Trial => true,
        };
        if !same || anew {
            moves.reattach = !same;
            moves.destroy = self.all();
            (self.booted_for, self.block) = (Some(target.clone()), block);
            (self.running, self.there) = (0, 0);
        }
        self.resize(target.vms, policy.idle, &mut moves);
        let last = self.last.replace(target.clone());
        if merges(target) && (!last.as_ref().is_some_and(merges) || !moves.boot.is_empty()) {
            moves.merge = self.there;
        }
        if let Some(last) = last {
            let live = Factor::ALL.into_iter().filter(|factor| factor.is_set_live());
            moves.settings = live.filter(|factor| last.value(*factor) != target.value(*factor)).collect();
        }
        moves
    }

    fn resize(&mut self, vms: u32, idle: Idle, moves: &mut Transition) {
        let surplus = vms + 1..=self.running;
        match idle {
            Idle::Pause => moves.suspend = surplus.collect(),
            Idle::Destroy => {
                moves.destroy.extend(surplus);
                self.there = self.there.min(vms);
            }
        }
        moves.resume = (self.running + 1..=vms.min(self.there)).collect();
        moves.boot = (self.there + 1..=vms).collect();
        (self.running, self.there) = (vms, self.there.max(vms));
    }

    /// Forgets everything: the next trial starts from nothing.
    pub fn abandon(&mut self) {
        *self = Guests::default();
    }

    fn all(&self) -> Vec<u32> {
        (1..=self.there).collect()
    }
}
