//! How many repeats an answer needs, as `plan` and `check` print it.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Result, ensure};
use comfy_table::{ContentArrangement, Table, presets};

use super::json::{JsonEvent, SizingEvent};
use crate::answers::{self, Sizing};
use crate::plan::Plan;
use crate::profile::Experiment;
use crate::report::describe;
use crate::results::{Results, RunDir};

/// A percentage between 0 and 100, with or without `%`, as a part of 1.
pub(super) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').trim().parse::<f64>().ok();
    let wanted = number.filter(|percent| *percent > 0.0 && *percent < 100.0);
    wanted
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "must be more than 0 and less than 100, such as 5%".into())
}

/// What the repeats and the window that are asked for cannot show: the setting, and a sentence.
pub(super) fn limits(experiment: &Experiment) -> Vec<(&'static str, String)> {
    let timing = &experiment.timing;
    let repeats = timing.precision.map_or(timing.repeats, |precision| precision.max_repeats);
    let too_few = answers::too_few(repeats).filter(|_| experiment.configurations.len() > 1);
    let coarse = answers::coarse_window(timing.window.as_secs_f64() / timing.interval.as_secs_f64());
    let both = [too_few.map(|found| ("repeats", found)), coarse.map(|found| ("window", found))];
    both.into_iter().flatten().collect()
}

/// What the variance of a finished run asks for.
pub(super) struct SizedLike {
    run: String,
    repeats: u32,
    half_width: f64,
    /// Configurations in words, by id.
    labels: BTreeMap<String, String>,
    found: Vec<Sizing>,
}

impl SizedLike {
    /// Reads the run; `plan` is that of the experiment to be measured.
    ///
    /// # Errors
    /// If it cannot be read, or has no configuration with two valid trials.
    pub fn read(run: &Path, experiment: &Experiment, plan: &Plan, half_width: f64) -> Result<SizedLike> {
        let results = Results::read(RunDir::open(run)?)?;
        let values = answers::values(results.trials());
        let found = answers::size(&answers::metrics(), &values, half_width, boot_over_trial_cost(plan));
        ensure!(
            !found.is_empty(),
            "{} has no configuration with two valid trials, so it has no variance (hint: name a run with more repeats)",
            run.display()
        );
        let before = results.experiment();
        let label = |configuration| describe(configuration, &before.factors);
        Ok(SizedLike {
            run: results.name().to_owned(),
            repeats: experiment.timing.repeats,
            half_width,
            labels: before.configurations.iter().map(|own| (own.id(), label(own))).collect(),
            found,
        })
    }

    /// One line for each metric: the configuration that needs most.
    pub fn events(&self) -> impl Iterator<Item = JsonEvent> + '_ {
        self.found.iter().map(|one| {
            JsonEvent::Sizing(SizingEvent {
                configuration: one.configuration.clone(),
                label: self.label(one),
                metric: one.metric.key.clone(),
                unit: one.metric.unit.clone(),
                boot_sd_percent: 100.0 * one.components.boot.sqrt(),
                trial_sd_percent: one.components.separate.then_some(100.0 * one.components.trial.sqrt()),
                is_within_one_boot: one.is_within_one_boot,
                half_width_percent: one.half_width_after(self.repeats).map(|part| 100.0 * part),
                wanted_half_width_percent: 100.0 * self.half_width,
                boots: one.needed.map(|needed| needed.boots),
                blocks: one.needed.map(|needed| needed.boots * needed.trials_per_boot),
            })
        })
    }

    /// The same as a table, and what to write into the profile.
    pub fn to_text(&self) -> String {
        let wanted = format!("± {} %", rounded(100.0 * self.half_width));
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
        let now = format!("± with {} repeats", self.repeats);
        table.set_header([
            "figure",
            "configuration",
            "SD of boots",
            "SD of trials",
            &now,
            "boots",
            "repeats",
        ]);
        for one in &self.found {
            let sd = |variance: f64| format!("{} %", rounded(100.0 * variance.sqrt()));
            let reached = one.half_width_after(self.repeats);
            let needed = |number: fn(answers::Sizing) -> Option<usize>| {
                number(one.clone()).map_or("more than 1000".into(), |number| number.to_string())
            };
            table.add_row([
                one.metric.label.clone(),
                self.label(one),
                sd(one.components.boot),
                if one.components.separate { sd(one.components.trial) } else { "–".into() },
                reached.map_or("–".into(), |part| format!("{} %", rounded(100.0 * part))),
                needed(|one| Some(one.needed?.boots)),
                needed(|one| one.needed.map(|needed| needed.boots * needed.trials_per_boot)),
            ]);
        }
        let title =
            format!("Repeats that give a 95 % interval of {wanted}, from the variance of {}", self.run);
        format!("\n{title}:\n{table}\n{}\n", self.notes().join("\n"))
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = vec![
            "Each boot is a new set of guests: `reprovision = \"block\"` in [plan], or a run of its own by `bench --partition`."
                .to_owned(),
        ];
        if self.found.iter().any(|one| one.is_within_one_boot) {
            let run = &self.run;
            notes.push(format!(
                "{run} has one boot: what differs from boot to boot is unknown, and more may be needed."
            ));
        }
        notes
    }

    fn label(&self, one: &Sizing) -> String {
        self.labels
            .get(&one.configuration)
            .filter(|label| !label.is_empty())
            .unwrap_or(&one.configuration)
            .clone()
    }
}

/// Time of the boots before a trial ÷ time of its load, both as planned; 1 where nothing boots.
fn boot_over_trial_cost(plan: &Plan) -> f64 {
    let booted = || plan.trials.iter().filter(|planned| !planned.transition.boot.is_empty());
    let boot_s: f64 = booted().map(|planned| planned.estimate.moving.boot_s).sum();
    let load_s: f64 = booted().map(|planned| planned.estimate.load_s).sum();
    if load_s > 0.0 { boot_s / load_s } else { 1.0 }
}

/// One decimal where it matters.
fn rounded(percent: f64) -> String {
    if percent < 10.0 { format!("{percent:.1}") } else { format!("{percent:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_may_have_its_sign_and_must_be_a_part_of_a_whole() {
        assert_eq!((percent("5%"), percent("2.5 %"), percent("3")), (Ok(0.05), Ok(0.025), Ok(0.03)));
        for text in ["0", "100%", "-1", "five", "", "nan"] {
            assert!(percent(text).is_err(), "{text}");
        }
    }
}
