//! What lines of `--json` hold that the tables and other modules have no struct for.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::answers::{Answer, RunFinding};
use crate::doctor::Diagnosis;

/// The command, and the run that it writes or reads.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Start {
    /// Version of the lines.
    pub schema: u32,
    /// The subcommand.
    pub command: &'static str,
    /// Version of kvmfair.
    pub version: &'static str,
    /// Name of the run's directory, as in the tables.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The run's directory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<PathBuf>,
    /// Planned trials of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<usize>,
}

/// Trials and time.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Estimated {
    /// All trials of the plan.
    pub trials: usize,
    /// Expected time of all of them, s; null where it is not estimated anew.
    pub estimated_s: Option<f64>,
}

/// A sentence.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Message {
    /// For people.
    pub message: String,
}

/// Text for people or other programs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlainText {
    /// All of it.
    pub text: String,
}

/// Two levels of a factor, compared in one figure over their common blocks.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AnswerEvent {
    /// For people.
    sentence: String,
    /// The factor.
    factor: String,
    /// The level compared with.
    base: String,
    /// The id of its configuration.
    base_configuration: String,
    /// The level that is described.
    new: String,
    /// The id of its configuration.
    new_configuration: String,
    /// What is the same in both, for people.
    context: String,
    /// Column of the figure.
    metric: String,
    /// Its unit.
    unit: String,
    /// Whether `change` is a ratio (new ÷ base) or a difference in points (new − base).
    measure: crate::answers::Measure,
    /// Blocks in which both levels were measured.
    blocks: usize,
    /// Boots of the guests in these blocks, of the level that had fewer. With several, they are the unit of interval and `p`; with one,
    /// these are over blocks, and the difference may be that boot's luck.
    boots: usize,
    /// New against base.
    change: f64,
    /// Lower end of the 95 % interval of `change`; null for one block.
    low: Option<f64>,
    /// Upper end.
    high: Option<f64>,
    /// Probability of such a difference in any answer of the run if there is none (Holm).
    p: f64,
    /// Whether the levels differ beyond noise.
    is_shown: bool,
    /// Blocks, each with a boot of its own if `boots` is above 1, after which a difference of 10 % or 10 points would be found in 90 %;
    /// null: unknown, or more than 200.
    blocks_for_ten: Option<usize>,
}

impl From<&Answer> for AnswerEvent {
    fn from(answer: &Answer) -> AnswerEvent {
        let Answer { pair, metric, .. } = answer;
        AnswerEvent {
            sentence: answer.to_string(),
            factor: pair.factor.clone(),
            base: pair.base.0.clone(),
            base_configuration: pair.base.1.clone(),
            new: pair.new.0.clone(),
            new_configuration: pair.new.1.clone(),
            context: pair.context.clone(),
            metric: metric.key.clone(),
            unit: metric.unit.clone(),
            measure: metric.measure,
            blocks: answer.replication.blocks,
            boots: answer.replication.boots,
            change: answer.change,
            low: answer.interval.map(|(low, _)| low),
            high: answer.interval.map(|(_, high)| high),
            p: answer.p,
            is_shown: answer.is_shown(),
            blocks_for_ten: answer.blocks_for_ten,
        }
    }
}

/// A trial to come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PlannedTrialEvent {
    /// Number in the plan, from 1.
    pub trial: u32,
    /// The block: which repeat of its configuration, from 1.
    pub repeat: u32,
    /// Id of the configuration.
    pub configuration: String,
    /// The set-up steps before it, in words.
    pub set_up: String,
    /// Guests that boot.
    pub boots: usize,
    /// Expected time of the set-up, s.
    pub set_up_s: f64,
    /// Expected time of the load, s.
    pub load_s: f64,
    /// The levels of the swept factors, by their columns.
    #[serde(flatten)]
    pub levels: serde_json::Map<String, Value>,
}

/// How many repeats the figure needs that needs most, for each metric.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SizingEvent {
    /// Id of the configuration.
    pub configuration: String,
    /// The configuration in words.
    pub label: String,
    /// Column of the figure.
    pub metric: String,
    /// Its unit.
    pub unit: String,
    /// Standard deviation between boots, % of the mean.
    pub boot_sd_percent: f64,
    /// Standard deviation between trials of a boot, % of the mean; null where each boot had one trial, whose noise is in the other.
    pub trial_sd_percent: Option<f64>,
    /// Whether the run had one boot only: what differs from boot to boot is unknown.
    pub is_within_one_boot: bool,
    /// Half-width of the 95 % interval after the profile's repeats with a boot each, % of the mean; null for one repeat.
    pub half_width_percent: Option<f64>,
    /// The one that is asked for.
    pub wanted_half_width_percent: f64,
    /// Boots that give it; null where a thousand would not do.
    pub boots: Option<usize>,
    /// Repeats (blocks) that give it, over all boots.
    pub blocks: Option<usize>,
}

/// A setting of a VM host.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct MachineSubject {
    /// The VM host: `this machine`, or its login.
    pub machine: String,
    /// What was found, and what it does.
    #[serde(flatten)]
    pub subject: Diagnosis,
}

/// What `clean` did for one run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CleanedRun {
    /// Id of the run.
    pub run: String,
    /// What was undone, in words.
    pub done: Vec<String>,
    /// Why something is left; null if nothing is.
    pub error: Option<String>,
}

/// A file that `export` wrote.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ExportedTable {
    /// The table's name.
    pub table: &'static str,
    /// The format's name.
    pub format: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Rows of the table.
    pub rows: usize,
    /// Size of the file, bytes.
    pub bytes: u64,
}

/// An image in the cache.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CachedImage {
    /// Its directory.
    pub path: PathBuf,
    /// Its kernel; null if its manifest is unreadable.
    pub kernel: Option<String>,
    /// Its netperf.
    pub netperf: Option<String>,
    /// When it was built, UTC.
    pub built: Option<String>,
    /// Its size, bytes.
    pub bytes: u64,
    /// Whether its files have the digests of its manifest.
    pub sound: bool,
}

/// A shipped profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ShippedProfile {
    /// Its name, for `kvmfair profile new --from`.
    pub name: &'static str,
    /// What it measures.
    pub description: String,
}

/// Why a command did not do its work.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ErrorEvent {
    /// What is wrong, where, and the next step.
    pub message: String,
    /// The exit code of the process.
    pub exit_code: u8,
    /// The profile that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<PathBuf>,
    /// Everything that is wrong with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<ProfileMistake>,
}

/// One mistake in a profile.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ProfileMistake {
    /// What is wrong.
    pub message: String,
    /// Line, from 1; null without a place.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What to do.
    pub hint: Option<String>,
}

/// How a command ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct EndEvent {
    /// The exit code of the process; `kvmfair --help` lists all of them.
    pub exit_code: u8,
}

/// A finding of a run, in words.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct RunFindingEvent {
    /// `rise`: how far a total rises; `spread`: from how many guests on they drift apart; `limit`: what limited the trials.
    kind: &'static str,
    /// Id of the configuration whose trials are the evidence; of several, the first.
    configuration: String,
    /// The finding in words.
    sentence: String,
}

impl From<&RunFinding> for RunFindingEvent {
    fn from(finding: &RunFinding) -> RunFindingEvent {
        RunFindingEvent {
            kind: finding.kind(),
            configuration: finding.configuration().to_owned(),
            sentence: finding.to_string(),
        }
    }
}
