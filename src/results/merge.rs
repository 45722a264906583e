//! Runs of one profile joined into one: their blocks, with the machine that each one is of.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::run_dir::MERGED;
use super::trial_files::file_of_trial;
use super::{Results, RunDir, Writer};
use crate::host::Environment;
use crate::plan::{self, Plan, PlannedTrial};
use crate::profile::Experiment;
use crate::raw::{Accel, RawTrial};

/// A run to be joined with others.
pub struct MergeSource {
    dir: RunDir,
    experiment: Experiment,
    environment: Environment,
    /// The trials of the blocks that it has.
    planned: Vec<PlannedTrial>,
    /// The runs that it consists of: itself, or those of which it was merged.
    parts: Vec<PartRecord>,
    /// It must not change meanwhile.
    _writer: Writer,
}

/// What `merged.json` has of each part.
#[derive(Clone, Serialize, Deserialize)]
struct PartRecord {
    machine: u32,
    run: String,
    blocks: BTreeSet<u32>,
    environment: Environment,
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
        for planned in &source.planned {
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
    let parts: Vec<&PartRecord> = sources.iter().flat_map(|source| &source.parts).collect();
    let first = parts[0];
    let of_other = |other: &&PartRecord| {
        let (one, two) = (&first.run, &other.run);
        let found = first.environment.differences(&other.environment);
        found.into_iter().map(|difference| format!("{one} and {two}: {difference}")).collect::<Vec<_>>()
    };
    let found: Vec<String> = parts[1..].iter().flat_map(of_other).collect();
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
    let parts = (0..).zip(sources.iter().flat_map(|source| source.parts.clone()));
    let parts: Vec<PartRecord> = parts.map(|(machine, part)| PartRecord { machine, ..part }).collect();
    merged.write_json(MERGED, &parts)?;
    let accel = first_trial(sources)?.map_or(Accel::Tcg, |raw| raw.accel);
    let whole = plan::plan(experiment, accel, environment.cpus);
    let missing = missing(sources, &whole);
    let mut results = Results::create(merged.clone(), experiment.clone(), environment.clone(), accel)?;
    results.plan(&whole)?;
    for planned in &whole.trials {
        if let Some(raw) = trial(sources, planned.trial)? {
            results.add(raw)?;
        }
    }
    for (source, machines) in with_machines(sources) {
        for raw in source.dir.all_attempts()? {
            merged.write_attempt(&RawTrial { machine: machines + raw.machine, ..raw })?;
        }
    }
    results.finish()?;
    Ok((results, missing))
}

/// A trial of the source that has it; one at a time, because those of a large run do not fit into memory.
fn trial(sources: &[MergeSource], number: u32) -> Result<Option<RawTrial>> {
    let name = file_of_trial(number);
    let found = with_machines(sources).find(|(source, _)| source.dir.has(&name));
    let Some((source, machines)) = found else { return Ok(None) };
    let raw = source.dir.read_trial(&name)?;
    Ok(Some(RawTrial { machine: machines + raw.machine, ..raw }))
}

/// Each source with the number of machines of those before it.
fn with_machines(sources: &[MergeSource]) -> impl Iterator<Item = (&MergeSource, u32)> {
    sources.iter().scan(0, |next, source| {
        let first = *next;
        *next += source.parts.len() as u32;
        Some((source, first))
    })
}

fn first_trial(sources: &[MergeSource]) -> Result<Option<RawTrial>> {
    let mut numbers = sources.iter().flat_map(|source| source.planned.iter().map(|planned| planned.trial));
    numbers.find_map(|number| trial(sources, number).transpose()).transpose()
}

/// The blocks of the whole run that no source has.
fn missing(sources: &[MergeSource], whole: &Plan) -> Option<String> {
    let present: BTreeSet<u32> = sources.iter().flat_map(MergeSource::blocks).collect();
    let planned: BTreeSet<u32> = whole.trials.iter().map(|planned| planned.repeat).collect();
    let missing: Vec<String> = planned.difference(&present).map(u32::to_string).collect();
    let hint = "join all partitions; `kvmfair bench --resume PART` completes one that was interrupted";
    (!missing.is_empty())
        .then(|| format!("no run has the repeats (blocks) {} (hint: {hint})", missing.join(", ")))
}

impl MergeSource {
    fn read(path: &Path) -> Result<MergeSource> {
        let dir = RunDir::open(path)?;
        let _writer = dir.lock()?;
        let environment: Environment = dir.read_json("environment.json")?;
        let Plan { trials: mut planned, .. } = dir.read_json("plan.json")?;
        let parts: Vec<PartRecord> = if dir.is_merged() {
            dir.read_json(MERGED)?
        } else {
            let blocks = planned.iter().map(|planned| planned.repeat).collect();
            let run = dir.path().display().to_string();
            vec![PartRecord { machine: 0, run, blocks, environment: environment.clone() }]
        };
        planned.retain(|planned| parts.iter().any(|part| part.blocks.contains(&planned.repeat)));
        Ok(MergeSource {
            experiment: dir.read_json("experiment.json")?,
            environment,
            planned,
            parts,
            dir,
            _writer,
        })
    }

    fn name(&self) -> String {
        self.dir.path().display().to_string()
    }

    fn blocks(&self) -> BTreeSet<u32> {
        self.planned.iter().map(|planned| planned.repeat).collect()
    }
}
