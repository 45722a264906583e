//! How the lab gets from one configuration to the next by the cheapest way.

use serde::{Deserialize, Serialize};

use crate::profile::{Configuration, Idle};

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
}

/// The guests that there are, as the planner and the trial loop both track them.
#[derive(Clone, Debug, Default)]
pub struct Guests {
    /// What they were booted for; `None` before the first trial and after a failure.
    booted_for: Option<Configuration>,
    running: Vec<u32>,
    paused: Vec<u32>,
}

impl Guests {
    /// The move to a configuration; afterwards it counts as made.
    pub fn move_to(&mut self, target: &Configuration, idle: Idle) -> Transition {
        let mut moves = Transition::default();
        if !self.booted_for.as_ref().is_some_and(|booted| booted.same_boot(target)) {
            moves.reattach = true;
            moves.destroy = self.all();
            *self = Guests { booted_for: Some(target.clone()), ..Guests::default() };
        }
        let surplus: Vec<u32> = self.running.iter().copied().filter(|guest| *guest > target.vms).collect();
        match idle {
            Idle::Pause => moves.suspend = surplus,
            Idle::Destroy => moves.destroy.extend(surplus),
        }
        moves.resume = self.paused.iter().copied().filter(|guest| *guest <= target.vms).collect();
        let there = |guest: &u32| self.running.contains(guest) || self.paused.contains(guest);
        moves.boot = (1..=target.vms).filter(|guest| !there(guest)).collect();
        self.settle(&moves, target.vms);
        moves
    }

    /// Forgets everything and returns the guests that there may be: the next trial starts from nothing.
    pub fn abandon(&mut self) -> Vec<u32> {
        let all = self.all();
        *self = Guests::default();
        all
    }

    fn settle(&mut self, moves: &Transition, vms: u32) {
        self.paused.retain(|guest| *guest > vms);
        self.paused.extend(&moves.suspend);
        self.running = (1..=vms).collect();
    }

    fn all(&self) -> Vec<u32> {
        let mut all = [self.running.clone(), self.paused.clone()].concat();
        all.sort_unstable();
        all
    }
}
