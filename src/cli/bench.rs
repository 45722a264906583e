//! `kvmfair bench`

use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};

use super::closing::{print_closing, print_summary};
use super::exit::{Exit, InterruptedEarly};
use super::findings::refuse_missing;
use super::json::JsonEvent;
use super::lab_permit::LabPermit;
use super::output::print_stderr;
use super::progress::{Progress, with_progress};
use super::survey::Survey;
use super::{Common, inputs, resume, signals};
use crate::backend::Side;
use crate::backend::wire::Wire;
use crate::guest::appliance;
use crate::guest::emulator;
use crate::guest::image::GuestImage;
use crate::host::Environment;
use crate::lab::State;
use crate::plan::{self, Partition, Plan};
use crate::preflight;
use crate::profile::Experiment;
use crate::raw::Accel;
use crate::results::{Results, RunDir, Writer};
use crate::run::bench::{self, ByProfile, Ending, Guide};
use crate::run::event::{Event, Events};
use crate::run::lab_session::LabSession;
use crate::run::qemu_user::QemuUser;

const EXAMPLES: &str = "\
Examples:
  kvmfair bench --out /srv/runs my-lab.toml
  kvmfair bench --partition 2/5 my-lab.toml
  kvmfair bench --resume runs/my-lab-20260101T120000Z";

/// Run a profile's experiment and write tables and charts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct BenchCommand {
    /// The profile; `-` reads standard input
    #[arg(required_unless_present = "resume", value_parser = inputs::path)]
    profile: Option<PathBuf>,
    /// Directory in which the run's directory is created
    #[arg(long, default_value = "runs", value_name = "DIR", value_parser = inputs::path)]
    out: PathBuf,
    /// Measure one part of the repeats (blocks) only, such as 2/5; `kvmfair merge` joins the parts
    #[arg(long, value_name = "N/M")]
    partition: Option<Partition>,
    /// Resume an interrupted run, or retry the trials that failed in it; valid trials are kept
    #[arg(long, value_name = "RUN", conflicts_with_all = ["profile", "out", "partition"], value_parser = inputs::path)]
    resume: Option<PathBuf>,
    /// Resume although the machine, its software or kvmfair has changed; the report names the change and the trials after it
    #[arg(long, requires = "resume")]
    accept_changes: bool,
    /// The command that makes the run, for the first line of JSON
    #[arg(skip = "bench")]
    command: &'static str,
}

/// All that is decided before anything is made.
struct Prepared {
    experiment: Experiment,
    environment: Environment,
    image: Option<GuestImage>,
    accel: Accel,
    cpus: u32,
    wire: Wire,
    run_dir: RunDir,
    /// Nobody else writes into it until this process ends.
    _writer: Writer,
    /// Whether the run directory has trials already.
    resumed: bool,
    /// Whether they may be of another machine or kvmfair.
    accepts_changes: bool,
}

/// What was measured, in memory whatever became of the report.
pub(super) struct Measured {
    pub ending: Ending,
    pub results: Results,
    /// Why tables and charts could not be written in the end.
    pub unwritten: Option<anyhow::Error>,
}

impl BenchCommand {
    /// A run of a profile, below a directory, that another command makes.
    pub(super) fn of_profile(profile: PathBuf, out: PathBuf, command: &'static str) -> BenchCommand {
        let profile = Some(profile);
        BenchCommand { profile, out, partition: None, resume: None, accept_changes: false, command }
    }

    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        conclude(self.measure(common, &mut ByProfile)?, common)
    }

    /// Makes the lab, measures and takes the lab down.
    pub(super) fn measure(&self, common: &Common, guide: &mut dyn Guide) -> Result<Measured> {
        inputs::quiet_libvirt();
        let prepared = self.prepare(common, guide)?;
        let permit = LabPermit::acquire(&prepared.experiment, common);
        if permit.is_err() && !prepared.resumed {
            prepared.run_dir.clone().remove()?;
        }
        let log = prepared.run_dir.log("libvirt.log")?;
        permit?.in_lab(&prepared.experiment, log, |state| measure(&prepared, state, common, guide))
    }

    /// Everything that can refuse refuses here; nothing but the run's own directory has been made then, and a new one is removed.
    fn prepare(&self, common: &Common, guide: &dyn Guide) -> Result<Prepared> {
        let (text, experiment) = self.experiment()?;
        let experiment = guide.adjust(experiment)?;
        let (run_dir, writer) = self.run_dir(&text, &experiment)?;
        let prepared = self.examine(experiment, &text, (run_dir.clone(), writer), common);
        if prepared.is_err() && self.resume.is_none() {
            run_dir.remove()?;
        }
        prepared
    }

    /// Examines the machines and builds the image, after the run's directory is known to whoever reads the output.
    fn examine(
        &self,
        experiment: Experiment,
        text: &str,
        (run_dir, _writer): (RunDir, Writer),
        common: &Common,
    ) -> Result<Prepared> {
        if common.json {
            let trials = run_dir.read_json::<Plan>("plan.json")?.trials.len();
            JsonEvent::start_of_run(self.command, run_dir.name(), run_dir.path(), trials).print()?;
        }
        super::logging::start(common.verbose, Some(run_dir.log("log.txt")?));
        let examination = preflight::examine(&experiment);
        refuse_missing(&examination.findings, common)?;
        let Survey { accel, cpus, wire, environment } = Survey::summarise(&experiment, &examination, text)?;
        let environment = Environment { tool_sha256: resume::build(), ..environment };
        let resumed = self.resume.is_some();
        if resumed {
            resume::refuse_other_machine_early(&run_dir, &environment, self.accept_changes)?;
        }
        let image = inputs::image(&experiment)?;
        let accepts_changes = self.accept_changes;
        Ok(Prepared {
            experiment,
            environment,
            image,
            accel,
            cpus,
            wire,
            run_dir,
            _writer,
            resumed,
            accepts_changes,
        })
    }

    /// The profile's text and the experiment; those of a run that goes on are in its directory.
    fn experiment(&self) -> Result<(String, Experiment)> {
        match (&self.resume, &self.profile) {
            (Some(run), _) => {
                let dir = RunDir::open_to_resume(run, resume::build, self.accept_changes)?;
                Ok((dir.read("profile.toml")?, dir.read_json("experiment.json")?))
            }
            (None, Some(profile)) => inputs::load(profile),
            (None, None) => Err(anyhow!("no profile was given")), // clap asks for one
        }
    }

    /// The run's directory, and the right to write into it.
    fn run_dir(&self, text: &str, experiment: &Experiment) -> Result<(RunDir, Writer)> {
        if let Some(run) = &self.resume {
            let run_dir = RunDir::open(run)?;
            let writer = run_dir.lock()?;
            return Ok((run_dir, writer));
        }
        let plan = inputs::plan(experiment, inputs::accel(experiment), self.partition)?;
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let run_dir = RunDir::create(&self.out, &experiment.name, &time)?;
        let writer = run_dir.lock()?;
        run_dir.write("profile.toml", text.as_bytes())?;
        run_dir.write_json("experiment.json", experiment)?;
        run_dir.write_json("plan.json", &plan)?;
        Ok((run_dir, writer))
    }
}

fn measure(prepared: &Prepared, state: &State, common: &Common, guide: &mut dyn Guide) -> Result<Measured> {
    let progress = Progress::new(prepared.experiment.factors.clone(), common.json);
    with_progress(progress, |events| all_trials(prepared, state, guide, events))
}

async fn all_trials(
    prepared: &Prepared,
    state: &State,
    guide: &mut dyn Guide,
    events: Events,
) -> Result<Measured> {
    let cancel = signals::cancel_on_signals()?;
    let Prepared { experiment, image, accel, wire, run_dir, .. } = prepared;
    drop(events.send(Event::Preparing(format!("making the lab of run {}", state.id))));
    let cache = appliance::default_cache();
    let (wire, events_of) = (wire.clone(), events.clone());
    let opened = LabSession::open(state, experiment.clone(), image.as_ref(), *accel, wire, &cache, events_of);
    let mut session = tokio::select! {
        session = opened => session?,
        () = cancel.cancelled() => return Err(InterruptedEarly.into()),
    };
    let mut plan = planned(prepared)?;
    let environment = with_versions(prepared, &session).await;
    if let Err(refused) = guide.begin(experiment, &environment, *accel) {
        session.abandon().await.context("failed to take the lab down")?;
        return Err(refused);
    }
    // A run that ended before its first trial has nothing to go on with.
    let mut results = if prepared.resumed && run_dir.has("environment.json") {
        Results::resume(run_dir.clone(), &environment, *accel, prepared.accepts_changes)?
    } else {
        Results::create(run_dir.clone(), experiment.clone(), environment, *accel)?
    };
    results.plan(&plan)?;
    let ended = bench::run(&mut session, experiment, &mut plan, &mut results, guide, &cancel, &events).await;
    let ending = ended.map_err(|error| resume::with_next_step(error, &results))?;
    drop(events.send(Event::TearingDown));
    session.abandon().await.context("failed to take the lab down")?;
    let unwritten = results.finish().err();
    Ok(Measured { ending, results, unwritten })
}

/// The plan of a run that goes on; that of a new one once more, with what is known of the VM host now.
fn planned(prepared: &Prepared) -> Result<Plan> {
    let Prepared { experiment, accel, cpus, run_dir, environment, .. } = prepared;
    let plan: Plan = run_dir.read_json("plan.json")?;
    if prepared.resumed {
        return Ok(plan);
    }
    let memory = &environment.memory;
    let scan = plan::Scan::from_kernel(memory.ksm_pages_to_scan, memory.ksm_sleep_ms);
    let (blocks, host) = (plan.blocks(), plan::HostCapacity { cpus: *cpus, scan });
    Ok(plan::plan_blocks(experiment, *accel, host, |block| blocks.contains(&block)))
}

async fn with_versions(prepared: &Prepared, session: &LabSession) -> Environment {
    let Prepared { environment, experiment, image, .. } = prepared;
    let emulators = emulator::versions(session.lab.side(Side::Host), &experiment.configurations).await;
    let (libvirt, own) = session.versions.clone().unzip();
    let (qemu, xen) = if session.accel == Accel::Xen { (None, own) } else { (own, None) };
    Environment {
        libvirt,
        qemu: qemu.map(|own| emulator::in_use(&experiment.configurations, &emulators, &own)),
        xen,
        emulators,
        qemu_user: session.qemu_user.as_ref().map(QemuUser::to_string),
        guest_kernel: image.as_ref().and_then(GuestImage::kernel_version).map(str::to_owned),
        guest_image: image.as_ref().and_then(GuestImage::fingerprint),
        ..environment.clone()
    }
}

fn conclude(measured: Measured, common: &Common) -> Result<Exit> {
    let Measured { ending, results, unwritten } = measured;
    let results = &results;
    if common.json {
        print_closing(results)?;
    } else {
        print_summary(results)?;
    }
    if let Some(error) = unwritten {
        return Err(resume::not_reported(error, results.dir()));
    }
    if ending == Ending::Interrupted {
        let measured = results.trials().iter().filter(|trial| trial.valid().is_some()).count();
        print_stderr(&resume::interruption(measured, results.planned(), results.dir()));
    }
    Ok(match ending {
        Ending::Interrupted => Exit::Interrupted,
        Ending::Complete if results.all_measured() => Exit::Success,
        Ending::Complete => Exit::FailedTrials,
    })
}
