//! `kvmfair plan`

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use comfy_table::{ContentArrangement, Table, presets};

use super::json::{self, Estimated, JsonEvent, PlannedTrialEvent};
use super::output::{counted, duration, print};
use super::sizing::{self, SizedLike};
use super::{Common, exit::Exit, inputs};
use crate::backend::{Names, NicSettings, Site};
use crate::guest::description;
use crate::lab::{directories, nics, ovs};
use crate::machine::{Machine, blocking};
use crate::plan::{self, Partition, PlannedTrial, Transition};
use crate::profile::{Configuration, Experiment, Factor, Image, Precision, Value};
use crate::raw::Accel;
use crate::run::blueprint::Blueprint;

const EXAMPLES: &str = "\
Examples:
  kvmfair plan my-lab.toml
  kvmfair plan --xml my-lab.toml
  kvmfair plan my-lab.toml --like runs/my-lab-20260101T120000Z --half-width 3%";

/// Show the trials in order, the set-up steps before each and a time estimate. Changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct PlanCommand {
    /// The profile; `-` reads standard input
    #[arg(value_parser = inputs::path)]
    profile: PathBuf,
    /// Show the part that `bench --partition` measures, such as 2/5
    #[arg(long, value_name = "N/M")]
    partition: Option<Partition>,
    /// Also show how many repeats give the half-width asked for, from the variance of a finished run
    #[arg(long, value_name = "RUN", value_parser = inputs::path, conflicts_with = "xml")]
    like: Option<PathBuf>,
    /// Half-width of the 95 % interval, in percent of the mean, for --like
    #[arg(long, value_name = "PERCENT", default_value = "5%", requires = "like", value_parser = sizing::percent)]
    half_width: f64,
    /// Print each guest's libvirt domain XML instead, once for each kind of guest
    #[arg(long)]
    xml: bool,
}

impl PlanCommand {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        let (_, experiment) = inputs::load(&self.profile)?;
        let accel = inputs::accel(&experiment);
        let plan = inputs::plan(&experiment, accel, self.partition)?;
        if self.xml {
            return common.print(&all_xml(&experiment, accel)?);
        }
        let read = |run: &PathBuf| SizedLike::read(run, &experiment, &plan, self.half_width);
        let sized = self.like.as_ref().map(read).transpose()?;
        let limits = sizing::limits(&experiment).into_iter().map(|(_, found)| found);
        if common.json {
            json::print(limits.map(JsonEvent::warning))?;
            json::print(events(&experiment, &plan))?;
            return json::print(sized.iter().flat_map(SizedLike::events));
        }
        let warnings: String = limits.map(|warning| format!("warning: {warning}\n")).collect();
        let (header, table) = (header(&experiment, &plan, accel), table(&experiment, &plan));
        let sized = sized.map_or(String::new(), |sized| sized.to_text());
        print(&format!("{header}\n{warnings}{table}\n\n{}\n{sized}", costs(&plan)))
    }
}

/// The estimate, then each trial.
fn events<'a>(experiment: &'a Experiment, plan: &'a plan::Plan) -> impl Iterator<Item = JsonEvent> + 'a {
    let estimate = Estimated { trials: plan.trials.len(), estimated_s: Some(plan.total_s) };
    let level = |configuration: &Configuration, factor: Factor| match configuration.value(factor) {
        Value::Number(number) => number.into(),
        Value::Switch(on) => on.into(),
        _ => Some(configuration.level(factor)).filter(|level| !level.is_empty()).into(),
    };
    let event = move |planned: &PlannedTrial| {
        let PlannedTrial { trial, repeat, configuration, transition, estimate } = planned;
        let levels = experiment.factors.iter();
        JsonEvent::PlannedTrial(PlannedTrialEvent {
            trial: *trial,
            repeat: *repeat,
            configuration: configuration.id(),
            set_up: in_words(transition),
            boots: transition.boot.len(),
            set_up_s: estimate.transition_s,
            load_s: estimate.load_s,
            levels: levels.map(|f| (f.column().to_owned(), level(configuration, *f))).collect(),
        })
    };
    std::iter::once(JsonEvent::Estimate(estimate)).chain(plan.trials.iter().map(event))
}

fn header(experiment: &Experiment, plan: &plan::Plan, accel: Accel) -> String {
    let more = experiment.timing.precision.map_or(String::new(), |precision| {
        let Precision { half_width_percent, max_repeats } = precision;
        format!(", then up to {max_repeats} until the total rate is known to ± {half_width_percent} %")
    });
    format!(
        "{}: {}\n{} ({} x {}){more}, about {}, {}{}",
        experiment.name,
        experiment.description,
        counted(plan.trials.len(), "trial"),
        counted(experiment.configurations.len(), "configuration"),
        counted(plan.blocks().len(), "repeat"),
        duration(plan.total_s),
        accel.label(),
        experiment.limits.total.map_or(String::new(), |total| limit_line(plan, total.as_secs_f64())),
    )
}

/// A line that names the trial after which `[limits] total` ends the run; empty if it suffices. The limit counts from the
/// first trial, and a trial in progress is finished.
fn limit_line(plan: &plan::Plan, limit_s: f64) -> String {
    let mut spent_s = 0.0;
    let begins = |trial: &&PlannedTrial| {
        let in_time = spent_s < limit_s;
        spent_s += trial.estimate.total_s();
        in_time
    };
    let begun = plan.trials.iter().take_while(begins).count();
    if begun == plan.trials.len() {
        return String::new();
    }
    let limit = duration(limit_s);
    format!(
        "\n[limits] total of {limit} ends the run after about trial {begun}: the trials after it fail (out of time)"
    )
}

fn table(experiment: &Experiment, plan: &plan::Plan) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    let factors: &[Factor] = &experiment.factors;
    let names = factors.iter().map(|factor| factor.column().to_owned());
    let header = ["trial".to_owned()].into_iter().chain(names);
    table.set_header(header.chain(["repeat", "set-up", "set-up time", "load time"].map(str::to_owned)));
    for trial in &plan.trials {
        let levels = factors.iter().map(|factor| trial.configuration.level(*factor));
        let row = [trial.trial.to_string()].into_iter().chain(levels);
        table.add_row(row.chain(set_up(trial)));
    }
    table
}

fn set_up(trial: &PlannedTrial) -> [String; 4] {
    let seconds = |s: f64| format!("{s:.1} s");
    let estimate = &trial.estimate;
    [
        trial.repeat.to_string(),
        in_words(&trial.transition),
        seconds(estimate.transition_s),
        seconds(estimate.load_s),
    ]
}

fn in_words(transition: &Transition) -> String {
    let verb = |verb: &str, guests: &[u32]| (!guests.is_empty()).then(|| format!("{verb} {}", guests.len()));
    let wire = transition.reattach.then(|| "new wire".to_owned());
    let words = [
        verb("destroy", &transition.destroy),
        wire,
        verb("pause", &transition.suspend),
        verb("resume", &transition.resume),
        verb("boot", &transition.boot),
    ];
    let names: Vec<&str> = transition.settings.iter().map(|factor| factor.key()).collect();
    let set = (!names.is_empty()).then(|| format!("set {}", names.join(", ")));
    let merge = (transition.merge > 0).then(|| "wait for KSM".to_owned());
    let words: Vec<String> = words.into_iter().flatten().chain(set).chain(merge).collect();
    if words.is_empty() { "reuses the guests".into() } else { words.join(", ") }
}

/// Time of the set-up steps by kind, the longest first.
fn costs(plan: &plan::Plan) -> Table {
    let mut kinds = plan::by_kind(plan);
    kinds.sort_by(|a, b| b.total_s.total_cmp(&a.total_s));
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["set-up step", "trials", "guests", "time", "% of total"]);
    for kind in kinds {
        table.add_row([
            kind.what.to_owned(),
            kind.times.to_string(),
            kind.guests.map(|guests| guests.to_string()).unwrap_or_default(),
            format!("{:.1} s", kind.total_s),
            format!("{:.1}", 100.0 * kind.total_s / plan.total_s),
        ]);
    }
    table
}

/// Every guest of the largest configuration of each boot. What a run decides, such as its id, is a placeholder.
fn all_xml(experiment: &Experiment, accel: Accel) -> Result<String> {
    let machine = Machine::local();
    let wire = match (&experiment.machines, &experiment.wire) {
        (Some(_), Some(named)) => nics::named_only(named),
        (_, named) => blocking::wait(nics::wire(named.as_ref(), Some(&machine), Some(&machine), true))?
            .map_err(|errors| anyhow!("{}", errors[0].1))?,
    };
    let run = "RUN";
    let names = Names { run: run.into(), tester_netns: String::new(), index_base: 0 };
    let (state, sockets) = (directories::of_guests(run), directories::of_sockets(run));
    let own = experiment.is_embedded().then_some(Path::new("/run/kvmfair/RUN"));
    let blueprint = Blueprint {
        site: Site {
            names,
            wire,
            mtu: 0,
            nic: NicSettings::default(),
            guests: 0,
            ovs: blocking::wait(ovs::for_run(&machine, own, &sockets, experiment))?,
        },
        state,
        kernel: matches!(experiment.image, Image::Appliance { .. }).then(|| "KERNEL".into()),
        accel,
        account: None,
        groups: experiment.groups.clone(),
    };
    let mut text = String::new();
    for configuration in largest_of_each_boot(experiment) {
        for guest in 1..=configuration.vms {
            text.push_str(&format!("<!-- backend {}, guest {guest} -->\n", configuration.backend));
            text.push_str(&description::xml(&blueprint.domain(configuration, guest))?);
            text.push('\n');
        }
    }
    Ok(text)
}

fn largest_of_each_boot(experiment: &Experiment) -> Vec<&Configuration> {
    let mut shown: Vec<&Configuration> = Vec::new();
    let mut of_boot: HashMap<Vec<Value>, usize> = HashMap::new();
    for configuration in &experiment.configurations {
        let index = *of_boot.entry(configuration.boot()).or_insert(shown.len());
        match shown.get_mut(index) {
            Some(other) if other.vms < configuration.vms => *other = configuration,
            Some(_) => {}
            None => shown.push(configuration),
        }
    }
    shown
}
