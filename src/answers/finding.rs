//! Findings: who is worse off than the others beyond noise, by tests that call at most 5 % of fair runs unfair.

use serde::Serialize;

use super::Replication;
use crate::stats::{Observation, Persistence, RankCorrelation, Spread, holm, means_of_boots};

/// Level of persistent loss, for all configurations of a run together.
const LEVEL: f64 = 0.05;
/// Level of spread within windows, the same; stricter, because correlated courses are less than what the test takes them for.
const LEVEL_WITHIN: f64 = 0.001;
/// Points of bias beyond noise below which nobody cares, however certain they are.
const MATERIAL_POINTS: f64 = 1.0;

/// What the guests of one configuration got.
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Short stable id of the configuration.
    pub configuration: String,
    /// For people: `virtio, 8 guests`.
    pub label: String,
    /// Numbers of the guests, in the order of the shares.
    pub guests: Vec<u32>,
    /// Rates of the guests in each valid trial.
    pub repeats: Vec<Vec<f64>>,
    /// The boot of each of these trials.
    pub boots: Vec<u32>,
    /// Spread within each valid trial's window, where it could be judged.
    pub spreads: Vec<Spread>,
    /// Other figures of the guests.
    pub beside: Vec<BesideRate>,
}

/// A figure of guests that may explain their rates.
#[derive(Clone, Debug, PartialEq)]
pub struct BesideRate {
    /// In words, after "its".
    pub figure: &'static str,
    /// Its values in each valid trial that has it for every guest, in the order of the guests.
    pub repeats: Vec<Vec<f64>>,
}

/// A figure whose order of the guests goes with that of their rates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Companion {
    /// In words, after "its".
    pub figure: &'static str,
    /// Whether it is higher where the rate is lower.
    pub rises: bool,
    /// Of such an agreement of ranks by chance, corrected for all such figures of the run.
    pub p: f64,
}

impl Shares {
    /// One row of shares for each boot: trials that share one share its luck. One for each trial where all share one boot.
    fn units(&self) -> Vec<Vec<f64>> {
        let by_guest: Vec<Vec<f64>> = (0..self.guests.len()).map(|party| self.of_each_boot(party)).collect();
        let boots = by_guest.first().map_or(0, Vec::len);
        if boots < 2 {
            return self.repeats.clone();
        }
        (0..boots).map(|boot| by_guest.iter().map(|own| own[boot]).collect()).collect()
    }

    /// A guest's mean share of each boot's trials, relative to the mean guest of each trial.
    fn of_each_boot(&self, party: usize) -> Vec<f64> {
        let relative = |(boot, row): (&u32, &Vec<f64>)| {
            let mean = row.iter().sum::<f64>() / row.len() as f64;
            Some(Observation { boot: *boot, value: row.get(party)? / mean })
        };
        means_of_boots(&self.boots.iter().zip(&self.repeats).filter_map(relative).collect::<Vec<_>>())
    }
}

/// A sentence with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "snake_case")]
pub enum Finding {
    /// The same guests get less in all repeats.
    PersistentLoss {
        /// Configuration's id.
        configuration: String,
        /// For people.
        label: String,
        /// Guest and what it loses against the others, a part below 0; empty: the guests differ and none stands out.
        losers: Vec<(u32, f64)>,
        /// Repeats and boots behind it.
        replication: Replication,
        /// Corrected for all configurations of the run.
        p: f64,
        /// What goes with it; empty where nothing is shown.
        with: Vec<Companion>,
    },
    /// The guests' rates are further apart than noise explains, but not the same guests in all repeats.
    SpreadBeyondNoise {
        /// Configuration's id.
        configuration: String,
        /// For people.
        label: String,
        /// Mean bias of the trials, %.
        bias_percent: f64,
        /// What fair guests with this noise show, %.
        floor_percent: f64,
        /// Trials behind it.
        trials: usize,
        /// Corrected for all configurations of the run.
        p: f64,
    },
}

/// Findings of unfairness, in the order of the configurations; at most one for each.
pub fn find_unfairness(configurations: &[Shares]) -> Vec<Finding> {
    let persistence: Vec<Option<Persistence>> =
        configurations.iter().map(|own| Persistence::from_repeats(&own.units())).collect();
    let persistent = holm(
        &persistence.iter().map(|one| one.as_ref().map_or(1.0, Persistence::p_of_either)).collect::<Vec<_>>(),
    );
    let within = holm(
        &configurations.iter().map(|own| Spread::pooled_p(&own.spreads).unwrap_or(1.0)).collect::<Vec<_>>(),
    );
    let is_persistent = |index: usize| persistence[index].is_some() && persistent[index] < LEVEL;
    let unequal = configurations.iter().enumerate().filter(|(index, _)| is_persistent(*index));
    let with = companions(&unequal.map(|(_, own)| own).collect::<Vec<_>>());
    let one = |(index, own): (usize, &Shares)| match &persistence[index] {
        Some(found) if persistent[index] < LEVEL => {
            let with = with.iter().filter(|(id, _)| *id == own.configuration).map(|(_, one)| one.clone());
            Some(loss(own, found, persistent[index], with.collect()))
        }
        _ if within[index] < LEVEL_WITHIN => spread(own, within[index]),
        _ => None,
    };
    configurations.iter().enumerate().filter_map(one).collect()
}

/// The figures that go with the rates of these configurations' guests, each with its configuration: one family of rank tests. A guest
/// is the unit, because what it has in one repeat it has in the others: fewer than six guests cannot show anything among several
/// figures.
fn companions<'a>(unequal: &[&'a Shares]) -> Vec<(&'a str, Companion)> {
    let test = |own: &'a Shares, beside: &BesideRate| {
        let rates = means_of_parties(own.repeats.iter().map(|row| relative(row)))?;
        let figures = means_of_parties(beside.repeats.iter().cloned())?;
        let RankCorrelation { rho, p } = RankCorrelation::between(&rates, &figures)?;
        Some((own.configuration.as_str(), Companion { figure: beside.figure, rises: rho < 0.0, p }))
    };
    let mut tested: Vec<(&str, Companion)> = Vec::new();
    for own in unequal {
        tested.extend(own.beside.iter().filter_map(|beside| test(own, beside)));
    }
    let corrected = holm(&tested.iter().map(|(_, companion)| companion.p).collect::<Vec<_>>());
    let corrected = tested.into_iter().zip(corrected).map(|((id, one), p)| (id, Companion { p, ..one }));
    corrected.filter(|(_, one)| one.p < LEVEL).collect()
}

/// Each share ÷ the mean of all.
fn relative(row: &[f64]) -> Vec<f64> {
    let mean = row.iter().sum::<f64>() / row.len() as f64;
    row.iter().map(|share| share / mean).collect()
}

/// The mean of each party over the repeats; `None` without repeats.
fn means_of_parties(repeats: impl Iterator<Item = Vec<f64>>) -> Option<Vec<f64>> {
    let rows: Vec<Vec<f64>> = repeats.collect();
    let parties = rows.first()?.len();
    let mean = |party: usize| rows.iter().map(|row| row[party]).sum::<f64>() / rows.len() as f64;
    rows.iter().all(|row| row.len() == parties).then(|| (0..parties).map(mean).collect())
}

fn loss(own: &Shares, found: &Persistence, p: f64, with: Vec<Companion>) -> Finding {
    let named = |party: usize| Some((*own.guests.get(party)?, found.deviations[party]));
    Finding::PersistentLoss {
        configuration: own.configuration.clone(),
        label: own.label.clone(),
        losers: found.losers().into_iter().filter_map(named).collect(),
        replication: Replication { blocks: own.repeats.len(), boots: own.of_each_boot(0).len() },
        p,
        with,
    }
}

fn spread(own: &Shares, p: f64) -> Option<Finding> {
    let mean =
        |value: fn(&Spread) -> f64| own.spreads.iter().map(value).sum::<f64>() / own.spreads.len() as f64;
    let bias_percent = mean(|spread| spread.bias_percent);
    let floor_percent = mean(|spread| spread.floor_bias_percent);
    (bias_percent - floor_percent >= MATERIAL_POINTS).then(|| Finding::SpreadBeyondNoise {
        configuration: own.configuration.clone(),
        label: own.label.clone(),
        bias_percent,
        floor_percent,
        trials: own.spreads.len(),
        p,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(repeats: Vec<Vec<f64>>, courses: &[Vec<f64>]) -> Shares {
        let spreads = Spread::from_courses(courses).into_iter().collect();
        let text = |text: &str| text.to_owned();
        Shares {
            configuration: text("c1a2b3c4d"),
            label: text("virtio, 3 guests"),
            guests: vec![1, 2, 3],
            boots: (0..).take(repeats.len()).collect(),
            repeats,
            spreads,
            beside: vec![],
        }
    }

    /// Eight guests whose rates fall from the first to the last, and a figure of each.
    fn falling(figure: &'static str, values: [f64; 8]) -> Shares {
        let rates = |repeat: u32| {
            (0..8)
                .map(|guest| 100.0 - 4.0 * f64::from(guest) + 0.3 * f64::from((guest + repeat) % 3))
                .collect()
        };
        let beside = vec![BesideRate { figure, repeats: vec![values.into(); 3] }];
        let guests = (1..=8).collect();
        Shares { repeats: (0..3).map(rates).collect(), guests, beside, ..shares(vec![], &[]) }
    }

    #[test]
    fn the_figure_that_goes_with_the_rates_of_unequal_guests_is_named_with_its_direction() {
        let rising = [1.0, 2.0, 2.5, 4.0, 7.0, 7.5, 8.0, 12.0];
        let Finding::PersistentLoss { with, .. } = find_unfairness(&[falling("wait", rising)]).remove(0)
        else {
            panic!("no loss")
        };
        assert!(with[0].figure == "wait" && with[0].rises && with[0].p < 0.001, "{with:?}");
    }

    #[test]
    fn a_figure_without_a_shown_relation_is_not_named() {
        let mixed = [3.0, 1.0, 4.0, 1.5, 5.0, 9.0, 2.0, 6.0];
        let found = find_unfairness(&[falling("wait", mixed), falling("wait", [1.0; 8])]);
        let is_silent =
            |found: &Finding| matches!(found, Finding::PersistentLoss { with, .. } if with.is_empty());
        assert!(found.len() == 2 && found.iter().all(is_silent), "{found:?}");
    }

    fn course(level: f64) -> Vec<f64> {
        (0..40)
            .map(|slice| level * (1.0 + 0.01 * f64::from((slice * 13 + level as i32 * 5) % 7 - 3)))
            .collect()
    }

    #[test]
    fn a_guest_that_loses_in_every_repeat_is_named() {
        let repeats = vec![vec![100.0, 80.0, 101.0], vec![99.0, 81.0, 100.0], vec![101.0, 79.0, 100.0]];
        let found = find_unfairness(&[shares(repeats, &[])]);
        assert!(
            matches!(&found[..], [Finding::PersistentLoss { losers, .. }] if losers[0].0 == 2),
            "{found:?}"
        );
    }

    #[test]
    fn guests_that_lose_in_turn_are_a_spread_beyond_noise() {
        let repeats = vec![vec![100.0, 80.0, 101.0], vec![80.0, 99.0, 100.0], vec![101.0, 100.0, 80.0]];
        let found = find_unfairness(&[shares(repeats, &[course(100.0), course(80.0), course(101.0)])]);
        assert!(matches!(found[..], [Finding::SpreadBeyondNoise { .. }]), "{found:?}");
    }

    #[test]
    fn a_loss_that_only_one_of_two_boots_has_is_that_boot_s_luck() {
        let lucky = [vec![100.0, 80.0, 101.0], vec![99.0, 81.0, 100.0], vec![101.0, 79.0, 100.0]];
        let fair = [vec![100.0, 101.0, 99.0], vec![99.0, 100.0, 101.0]];
        let own = shares([lucky.as_slice(), &fair].concat(), &[]);
        assert_eq!(find_unfairness(&[Shares { boots: vec![0, 0, 0, 1, 1], ..own.clone() }]), []);
        let one_boot = find_unfairness(&[Shares { boots: vec![4; 3], repeats: lucky.to_vec(), ..own }]);
        assert!(one_boot[0].to_string().contains("in all 3 repeats of one boot"), "{one_boot:?}");
    }

    #[test]
    fn fair_guests_are_no_finding() {
        let repeats = vec![vec![100.0, 99.0, 101.0], vec![100.0, 101.0, 99.0], vec![99.0, 100.0, 101.0]];
        assert_eq!(find_unfairness(&[shares(repeats, &[course(100.0), course(100.0), course(100.0)])]), []);
    }
}
