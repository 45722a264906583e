//! The valid trials of one configuration, with the boot of each: what every figure over repeats is made of.

use std::collections::BTreeSet;

use super::{TrialFigures, boots};
use crate::profile::Configuration;
use crate::stats::{Estimate, Observation, Scale};

/// The valid trials of one configuration, in their order.
pub struct ValidTrials<'t>(Vec<(&'t TrialFigures, u32)>);

impl<'t> ValidTrials<'t> {
    /// Those of a configuration. A trial without guests (bare metal) is a boot of its own.
    pub fn new(configuration: &Configuration, trials: &'t [TrialFigures]) -> ValidTrials<'t> {
        let own = || trials.iter().filter(|t| t.configuration == *configuration && t.valid().is_some());
        let boots = boots(own());
        let booted = boots.values().copied().max().unwrap_or(0);
        let boot = |trial: &TrialFigures| boots.get(&trial.trial).copied().unwrap_or(booted + trial.trial);
        ValidTrials(own().map(|trial| (trial, boot(trial))).collect())
    }

    /// The trials.
    pub fn trials(&self) -> impl Iterator<Item = &'t TrialFigures> {
        self.0.iter().map(|(trial, _)| *trial)
    }

    /// How many boots they come from.
    pub fn boots(&self) -> usize {
        self.0.iter().map(|(_, boot)| boot).collect::<BTreeSet<_>>().len()
    }

    /// A figure over the trials that have it; `None` if none has, or one is not finite.
    pub fn estimate(&self, scale: Scale, value: impl Fn(&TrialFigures) -> Option<f64>) -> Option<Estimate> {
        let observation =
            |(trial, boot): &(&TrialFigures, u32)| Some(Observation { boot: *boot, value: value(trial)? });
        Estimate::from_observations(&self.0.iter().filter_map(observation).collect::<Vec<_>>(), scale)
    }
}
