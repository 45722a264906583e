//! A finished run as `compare`, `baseline`, `gate` and `history` read it.

use std::path::Path;

use anyhow::{Context, Result};

use super::inputs;
use crate::answers::{Fingerprint, MeasuredValue, values_of_figures};
use crate::figures;
use crate::host::Environment;
use crate::profile::Experiment;
use crate::raw::Accel;
use crate::report::comparison::ComparedRun;
use crate::results::Results;

/// What is read of a run.
pub(super) struct FinishedRun {
    /// The name of its directory.
    pub name: String,
    pub environment: Environment,
    pub results: Results,
}

impl FinishedRun {
    pub fn read(path: &Path) -> Result<FinishedRun> {
        let dir = inputs::run_dir(path)?;
        let name = dir.name();
        let environment = dir
            .read_json("environment.json")
            .with_context(|| format!("failed to read {}", path.display()))?;
        Ok(FinishedRun { name, environment, results: Results::read(dir)? })
    }

    pub fn experiment(&self) -> &Experiment {
        self.results.experiment()
    }

    pub fn compared(&self) -> ComparedRun<'_> {
        let (experiment, trials) = (self.results.experiment(), self.results.trials());
        ComparedRun { name: &self.name, experiment, trials }
    }

    /// What ran the guests' instructions; emulation if nothing was measured.
    pub fn accel(&self) -> Accel {
        self.results.trials().first().map_or(Accel::Tcg, |trial| trial.accel)
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::from_environment(&self.environment.comparable(), self.experiment(), self.accel())
    }

    /// What differs between the machines and their software, KVM or emulation among it.
    pub fn differences(&self, new: &FinishedRun) -> Vec<String> {
        let mut found = self.environment.differences(&new.environment);
        let accel = |run: &FinishedRun| run.results.trials().first().map(|trial| trial.accel);
        if let (Some(before), Some(now)) = (accel(self), accel(new))
            && before != now
        {
            found.push(format!("accel was {before:?} and is {now:?}"));
        }
        found
    }
}

/// The values of these figures in several runs; boots and blocks of different runs are different ones.
pub(super) fn values_of_runs(figures: &[figures::Metric], runs: &[&FinishedRun]) -> Vec<MeasuredValue> {
    let (mut all, mut boots, mut blocks) = (Vec::new(), 0, 0);
    for run in runs {
        let own = values_of_figures(figures, run.results.trials());
        let apart = |value: MeasuredValue| MeasuredValue {
            boot: value.boot + boots,
            block: value.block + blocks,
            ..value
        };
        let own: Vec<MeasuredValue> = own.into_iter().map(apart).collect();
        boots = own.iter().map(|value| value.boot).fold(boots, u32::max);
        blocks = own.iter().map(|value| value.block).fold(blocks, u32::max);
        all.extend(own);
    }
    all
}
