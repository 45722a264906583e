//! Groups over the repeats of a configuration: mean and 95 % interval of the valid ones.

use super::{GroupFigures, TrialFigures, ValidTrials};
use crate::profile::{Configuration, Role, Unit};
use crate::stats::{Estimate, Scale};

/// One group of one configuration over its repeats.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupRow {
    /// What was measured.
    pub configuration: Configuration,
    /// The group's name.
    pub name: String,
    /// What its guests did.
    pub role: Role,
    /// How many there are.
    pub guests: u32,
    /// Weight as written.
    pub shares: Option<u32>,
    /// CPU time that it took from the host, % of one CPU.
    pub cpu_percent: Option<Estimate>,
    /// Its part of all guests' CPU time, %.
    pub cpu_share_percent: Option<Estimate>,
    /// The part that its weight would give it, %.
    pub expected_share_percent: Option<f64>,
    /// Error of that part; undefined where weights do not decide it.
    pub cpu_share_error: Option<Estimate>,
    /// What its guests' rates count.
    pub unit: Unit,
    /// Mean rate of its guests, transactions/s or 10^6 bits/s; `None` if they are not measured.
    pub rate_per_guest: Option<Estimate>,
    /// Its part of the measured rate, %.
    pub rate_share_percent: Option<Estimate>,
    /// Error of that part.
    pub rate_share_error: Option<Estimate>,
    /// What its background streams moved, 10^6 bits/s.
    pub background_mbps: Option<Estimate>,
    /// How long quotas kept it from CPUs in each repeat, s; `None` without a quota.
    pub throttled_s: Option<Estimate>,
    /// Valid repeats in which the host was contended for, of how many.
    pub contended: (u32, u32),
}

/// One row for each group of each of `configurations`, in their order; none where all guests are alike.
pub fn summarise_groups(configurations: &[Configuration], trials: &[TrialFigures]) -> Vec<GroupRow> {
    let rows = |configuration: &Configuration| {
        let own = ValidTrials::new(configuration, trials);
        let groups = own.trials().next().and_then(|trial| Some(trial.valid()?.sharing.groups.len()));
        (0..groups.unwrap_or(0)).filter_map(|index| row(configuration, &own, index)).collect::<Vec<_>>()
    };
    configurations.iter().flat_map(rows).collect()
}

fn row(configuration: &Configuration, trials: &ValidTrials, index: usize) -> Option<GroupRow> {
    let sharings = || trials.trials().filter_map(|trial| trial.valid()).map(|numbers| &numbers.sharing);
    let first = sharings().find_map(|sharing| sharing.groups.get(index))?;
    let cpu_percent = |trial: &TrialFigures| {
        let numbers = trial.valid()?;
        let cpu = numbers.sharing.groups.get(index)?.cpu?;
        Some(100.0 * cpu.total_s() / numbers.window.length_s())
    };
    let over = |scale: Scale, value: fn(&GroupFigures) -> Option<f64>| {
        trials.estimate(scale, |trial| value(trial.valid()?.sharing.groups.get(index)?))
    };
    Some(GroupRow {
        configuration: configuration.clone(),
        name: first.name.clone(),
        role: first.role,
        guests: first.guests,
        shares: first.shares,
        cpu_percent: trials.estimate(Scale::Log, cpu_percent),
        cpu_share_percent: over(Scale::Percent, |group| group.cpu_share_percent),
        expected_share_percent: first.expected_share_percent,
        cpu_share_error: over(Scale::Linear, |group| group.cpu_share_error),
        unit: first.unit,
        rate_per_guest: over(Scale::Log, GroupFigures::rate_per_guest),
        rate_share_percent: over(Scale::Percent, |group| group.rate_share_percent),
        rate_share_error: over(Scale::Linear, |group| group.rate_share_error),
        background_mbps: over(Scale::Log, |group| group.background_mbps),
        throttled_s: over(Scale::Log, |group| group.throttled_s),
        contended: (
            sharings().filter(|sharing| sharing.contended == Some(true)).count() as u32,
            sharings().filter(|sharing| sharing.groups.len() > index).count() as u32,
        ),
    })
}
