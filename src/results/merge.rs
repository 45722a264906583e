//! Runs of one profile joined into one: their blocks, with the machine that each one is of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

use super::trial_files::file_of_trial;
use super::{Results, RunDir, Writer};
use crate::host::Environment;
use crate::plan::{self, Plan};
use crate::profile::Experiment;
use crate::raw::{Accel, RawTrial};

/// A run to be joined with others.
pub struct MergeSource {
    dir: RunDir,
    experiment: Experiment,
    environment: Environment,
    plan: Plan,
    /// It must not change meanwhile.
    _writer: Writer,
}

/// What `merged.json` has of each source.
#[derive(Serialize)]
struct SourceRecord<'a> {
    machine: u32,
    run: String,
    blocks: BTreeSet<u32>,
    environment: &'a Environment,
}

/// Opens the runs.
///
/// # Errors
/// If one is no run, is being written, or has another profile than the first.
pub fn read(paths: &[PathBuf]) -> Result<Vec<MergeSource>> {
    let sources: Vec<MergeSource> =
        paths.iter().map(|path| MergeSource::read(path)).collect::<Result<_>>()?;
    for other in &sources {
        let (first, second) = (&sources[0].environment, &other.environment);
        ensure!(
            first.profile_sha256 == second.profile_sha256,
            "runs of different profiles cannot be joined: {} has `{}` ({:.12}), {} has `{}` ({:.12})",
            sources[0].name(),
            first.profile,
            first.profile_sha256,
            other.name(),
            second.profile,
            second.profile_sha256
        );
    }
    refuse_duplicates(&sources)?;
    Ok(sources)
}

/// Trials that two runs have.
fn refuse_duplicates(sources: &[MergeSource]) -> Result<()> {
    let mut owners: BTreeMap<u32, &MergeSource> = BTreeMap::new();
    let mut twice: BTreeMap<(String, String), BTreeSet<u32>> = BTreeMap::new();
    for source in sources {
        for planned in &source.plan.trials {
            if let Some(owner) = owners.insert(planned.trial, source) {
                twice.entry((owner.name(), source.name())).or_default().insert(planned.repeat);
            }
        }
    }
    let clash = |((one, other), blocks): (&(String, String), &BTreeSet<u32>)| {
        let blocks: Vec<String> = blocks.iter().map(u32::to_string).collect();
        format!("{one} and {other} both have the repeats (blocks) {}", blocks.join(", "))
    };
    let clashes: Vec<String> = twice.iter().map(clash).collect();
    ensure!(
        clashes.is_empty(),
        "{} (hint: join runs of different partitions, as `bench --partition 1/2` and `2/2` make them)",
        clashes.join("; ")
    );
    Ok(())
}

/// What differs between the machines and their software, as sentences.
///
/// # Errors
/// With all of them, unless they are `allowed`.
pub fn differences(sources: &[MergeSource], allowed: bool) -> Result<Vec<String>> {
    let first = &sources[0];
    let of_other = |other: &MergeSource| {
        let (one, two) = (first.name(), other.name());
        let found = first.environment.differences(&other.environment);
        found.into_iter().map(move |difference| format!("{one} and {two}: {difference}"))
    };
    let found: Vec<String> = sources[1..].iter().flat_map(of_other).collect();
    if !allowed && !found.is_empty() {
        let hint = "(hint: --different-machines joins them all the same; levels are compared within blocks)";
        bail!("the machines or their software differ {hint}:\n  {}", found.join("\n  "));
    }
    Ok(found)
}

/// Writes the merged run below `out`; a sentence if blocks are missing.
///
/// # Errors
/// If a source cannot be read or the run cannot be written.
pub fn merge(sources: &[MergeSource], out: &Path) -> Result<(Results, Option<String>)> {
    let MergeSource { experiment, environment, dir, .. } = &sources[0];
    let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let merged = RunDir::create(out, &experiment.name, &time)?;
    let _writer = merged.lock()?;
    merged.write("profile.toml", dir.read("profile.toml")?.as_bytes())?;
    merged.write_json("experiment.json", experiment)?;
    let records: Vec<SourceRecord> = (0..).zip(sources).map(|(n, source)| source.record(n)).collect();
    merged.write_json("merged.json", &records)?;
    let accel = first_trial(sources)?.map_or(Accel::Tcg, |raw| raw.accel);
    let whole = plan::plan(experiment, accel, environment.cpus);
    let missing = missing(sources, &whole);
    let mut results = Results::create(merged, experiment.clone(), environment.clone(), accel)?;
    results.plan(&whole)?;
    for planned in &whole.trials {
        if let Some(raw) = trial(sources, planned.trial)? {
            results.add(raw)?;
        }
    }
    results.finish()?;
    Ok((results, missing))
}

/// A trial of the source that has it; one at a time, because those of a large run do not fit into memory.
fn trial(sources: &[MergeSource], number: u32) -> Result<Option<RawTrial>> {
    let name = file_of_trial(number);
    let found = (0..).zip(sources).find(|(_, source)| source.dir.path().join(&name).exists());
    let Some((machine, source)) = found else { return Ok(None) };
    Ok(Some(RawTrial { machine, ..source.dir.read_trial(&name)? }))
}

fn first_trial(sources: &[MergeSource]) -> Result<Option<RawTrial>> {
    let mut numbers =
        sources.iter().flat_map(|source| source.plan.trials.iter().map(|planned| planned.trial));
    numbers.find_map(|number| trial(sources, number).transpose()).transpose()
}

/// The blocks of the whole run that no source has.
fn missing(sources: &[MergeSource], whole: &Plan) -> Option<String> {
    let present: BTreeSet<u32> = sources.iter().flat_map(MergeSource::blocks).collect();
    let planned: BTreeSet<u32> = whole.trials.iter().map(|planned| planned.repeat).collect();
    let missing: Vec<String> = planned.difference(&present).map(u32::to_string).collect();
    let hint = "join all partitions, or measure the rest with `kvmfair bench --resume RUN`";
    (!missing.is_empty())
        .then(|| format!("no run has the repeats (blocks) {} (hint: {hint})", missing.join(", ")))
}

impl MergeSource {
    fn read(path: &Path) -> Result<MergeSource> {
        let dir = RunDir::open(path)?;
        let _writer = dir.lock()?;
        Ok(MergeSource {
            experiment: dir.read_json("experiment.json")?,
            environment: dir.read_json("environment.json")?,
            plan: dir.read_json("plan.json")?,
            dir,
            _writer,
        })
    }

    fn name(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn blocks(&self) -> BTreeSet<u32> {
        self.plan.trials.iter().map(|planned| planned.repeat).collect()
    }

    fn record(&self, machine: u32) -> SourceRecord<'_> {
        SourceRecord { machine, run: self.name(), blocks: self.blocks(), environment: &self.environment }
    }
}
