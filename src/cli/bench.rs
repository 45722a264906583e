//! `kvmfair bench`: the order in which a run is made and unmade.

use std::os::fd::IntoRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use tokio::sync::mpsc;

use super::exit::{Exit, InterruptedEarly, PreflightFailed};
use super::json::{self, AnswerEvent, JsonEvent};
use super::output::{print, print_stderr};
use super::progress::Progress;
use super::{Common, inputs, signals};
use crate::backend::Side;
use crate::backend::wire::Wire;
use crate::guest::appliance;
use crate::guest::emulator;
use crate::guest::image::{self, Image};
use crate::host::Environment;
use crate::lab::settings_lock::{self, SettingsLock};
use crate::lab::{LabError, RunId, State, clean, enter, nics, ovs, state};
use crate::machine::change::Change;
use crate::machine::journal::{Entry, Journal};
use crate::machine::local::RUN_VARIABLE;
use crate::machine::login::Location;
use crate::machine::{Machine, blocking};
use crate::plan;
use crate::preflight;
use crate::profile::Experiment;
use crate::raw::Accel;
use crate::report::terminal::Terminal;
use crate::results::{Results, RunDir, Writer};
use crate::run::bench::{self, Ending};
use crate::run::event::{Event, Events};
use crate::run::lab_session::LabSession;

const EXAMPLES: &str = "\
Examples:
  kvmfair bench --out /srv/runs my-lab.toml
  kvmfair bench --resume runs/my-lab-20260101T120000Z";

/// Run a profile's experiment and write tables and charts.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Bench {
    /// The profile; `-` reads standard input
    #[arg(required_unless_present = "resume", value_parser = inputs::path)]
    profile: Option<PathBuf>,
    /// Directory in which the run's directory is created
    #[arg(long, default_value = "runs", value_name = "DIR", value_parser = inputs::path)]
    out: PathBuf,
    /// Resume an interrupted run, or retry the trials that failed in it; valid trials are kept
    #[arg(long, value_name = "RUN", conflicts_with_all = ["profile", "out"], value_parser = inputs::path)]
    resume: Option<PathBuf>,
}

/// All that is decided before anything is made.
struct Prepared {
    experiment: Experiment,
    environment: Environment,
    image: Image,
    accel: Accel,
    cpus: u32,
    wire: Wire,
    run_dir: RunDir,
    /// Nobody else writes into it until this process ends.
    _writer: Writer,
    /// Whether the run directory has trials already.
    resumed: bool,
}

/// What is known of the lab's machines before anything is made.
struct Looked {
    accel: Accel,
    cpus: u32,
    wire: Wire,
    environment: Environment,
}

/// Examines the lab's machines; prints what is missing.
fn looked(experiment: &Experiment, text: &str, common: &Common) -> Result<Looked> {
    let Some(machines) = &experiment.machines else {
        refuse_missing(&preflight::look(experiment), common)?;
        let machine = Machine::local();
        let wire = nics::wire(experiment.wire.as_ref(), Some(&machine), Some(&machine), true);
        let wire = blocking::wait(wire)?.map_err(|_| PreflightFailed)?; // the preflight has just passed
        let environment = with_guests(
            Environment::from_facts(&crate::host::gather_local(), &experiment.name, text),
            experiment,
        );
        let environment = Environment {
            open_vswitch: blocking::wait(ovs::fingerprint(&machine, experiment))?,
            ..environment
        };
        return Ok(Looked { accel: inputs::accel(experiment), cpus: inputs::cpus(), wire, environment });
    };
    let seen = preflight::hardware::look(experiment, machines);
    refuse_missing(&seen.findings, common)?;
    let accel = match inputs::accel(experiment) {
        Accel::Kvm if !seen.host.kvm_usable() => Accel::Tcg,
        accel => accel,
    };
    let tester = Environment::from_facts(&seen.tester, &experiment.name, text);
    let environment = Environment {
        netperf: tester.netperf.clone(), // the one that measures
        tester: Some(Box::new(tester)),
        open_vswitch: seen.open_vswitch,
        ..with_guests(Environment::from_facts(&seen.host, &experiment.name, text), experiment)
    };
    Ok(Looked {
        accel,
        cpus: seen.host.cpus().unwrap_or(0) as u32,
        wire: seen.wire.ok_or(PreflightFailed)?,
        environment,
    })
}

/// The fingerprint of the VM host, with what its guests are about to take.
fn with_guests(environment: Environment, experiment: &Experiment) -> Environment {
    let guests = experiment.configurations.iter().map(|c| (c.vms, c.memory_mib));
    let memory = environment.memory.clone().with_guests(guests, environment.memory_mib);
    Environment { memory, ..environment }
}

/// Prints warnings, or what is missing; nothing is refused for a warning.
fn refuse_missing(findings: &[preflight::Finding], common: &Common) -> Result<()> {
    if preflight::passed(findings) {
        let warnings = findings.iter().filter(|finding| finding.warning);
        warnings.for_each(|finding| warn(&finding.found, common));
        return Ok(());
    }
    let missing = findings.iter().filter(|finding| finding.fix.is_some());
    if common.json {
        json::print(missing.clone().cloned().map(JsonEvent::Finding))?;
    }
    print_stderr(&missing.map(super::check::line).collect::<String>());
    Err(PreflightFailed.into())
}

/// A warning, on standard error or as a line of JSON. A reader that has gone away is not an error.
pub(super) fn warn(message: &str, common: &Common) {
    if common.json {
        drop(JsonEvent::warning(message).print());
    } else {
        print_stderr(&format!("warning: {message}\n"));
    }
}

impl Bench {
    pub(super) fn run(self, common: &Common) -> Result<Exit> {
        inputs::quiet_libvirt();
        let prepared = self.prepare(common)?;
        signals::ending_signals().thread_block().context("failed to block signals")?;
        let state = State::create(&state::root(prepared.experiment.machines.is_some()))?;
        let settings = match right_to_settings(&prepared.experiment, &state.id, common) {
            Ok(settings) => settings,
            Err(refused) => {
                state.remove()?;
                if !prepared.resumed {
                    prepared.run_dir.remove()?;
                }
                return Err(refused);
            }
        };
        let measured = catch_unwind(AssertUnwindSafe(|| {
            Journal::open(&state.dir)?.before(&Entry::local(Change::Processes))?;
            if prepared.experiment.machines.is_none() {
                enter_lab(&state, &prepared.run_dir)?;
            }
            measure(&prepared, &state, common)
        }));
        // Whatever happened, the lab goes: the same code as `kvmfair clean`.
        let undone = clean::undo(state).map(drop);
        drop(settings); // everything is put back
        let (ending, results) = both(measured, undone)?;
        conclude(&results, ending, common)
    }

    /// Everything that can refuse refuses here; nothing but the run's own directory has been made then, and a new one is removed.
    fn prepare(&self, common: &Common) -> Result<Prepared> {
        let (text, experiment) = self.experiment()?;
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
            let written = experiment.configurations.len() * experiment.timing.repeats as usize;
            let kept = run_dir.read_json::<plan::Plan>("plan.json");
            let trials = kept.map_or(written, |plan| plan.trials.len());
            JsonEvent::start_of_run("bench", run_dir.name(), run_dir.path(), trials).print()?;
        }
        super::logging::start(common.verbose, Some(&run_dir.path().join("log.txt")))?;
        let Looked { accel, cpus, wire, environment } = looked(&experiment, text, common)?;
        let image = image::ensure(&experiment.image, &appliance::default_cache(), &mut |step| {
            print_stderr(&format!("{step}\n"))
        })?;
        let resumed = self.resume.is_some();
        Ok(Prepared { experiment, environment, image, accel, cpus, wire, run_dir, _writer, resumed })
    }

    /// The profile's text and the experiment; those of a run that goes on are in its directory.
    fn experiment(&self) -> Result<(String, Experiment)> {
        match (&self.resume, &self.profile) {
            (Some(run), _) => {
                let dir = RunDir::open(run)?;
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
        let time = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let run_dir = RunDir::create(&self.out, &experiment.name, &time)?;
        let writer = run_dir.lock()?;
        run_dir.write("profile.toml", text.as_bytes())?;
        run_dir.write_json("experiment.json", experiment)?;
        Ok((run_dir, writer))
    }
}

/// The outcome of a run and that of its clean-up: neither failure hides the other, and remains decide the exit code.
fn both<T>(measured: std::thread::Result<Result<T>>, undone: Result<(), LabError>) -> Result<T> {
    let failed = match measured {
        Ok(Ok(measured)) => return undone.map(|()| measured).map_err(Into::into),
        Ok(Err(error)) => error,
        Err(_) if undone.is_ok() => return Err(anyhow!("kvmfair panicked; the lab was taken down")),
        Err(_) => anyhow!("kvmfair panicked"),
    };
    match undone {
        Ok(()) => Err(failed),
        Err(remains) => Err(anyhow::Error::new(remains)
            .context(format!("{failed:#}; the clean-up failed too (hint: `kvmfair clean`)"))),
    }
}

/// The right to change settings of the VM host, if the experiment does that.
fn right_to_settings(experiment: &Experiment, run: &RunId, common: &Common) -> Result<Option<SettingsLock>> {
    if !experiment.changes_machine() {
        return Ok(None);
    }
    let host = experiment.machines.as_ref().map_or(Location::Local, |machines| machines.host.clone());
    let lock = settings_lock::take(&host, run)?;
    // Whoever had it until now may have been killed since this run looked.
    refuse_missing(&preflight::stale(experiment), common)?;
    Ok(Some(lock))
}

/// Into the private namespaces. No thread has started yet.
fn enter_lab(state: &State, run_dir: &RunDir) -> Result<()> {
    enter::private_namespaces(&state.dir)?;
    enter::without_ipv6();
    // By its descriptor: libvirt takes a setting apart at blanks and colons, which a path may have. By this process's number:
    // what libvirt forks opens the log anew, after it has closed its own descriptors.
    let log = std::fs::File::create(run_dir.path().join("libvirt.log"))?.into_raw_fd();
    let log = format!("3:file:/proc/{}/fd/{log}", std::process::id());
    // SAFETY: the process has a single thread, so nobody reads the environment meanwhile.
    unsafe {
        std::env::set_var("LIBVIRT_LOG_OUTPUTS", log);
        std::env::set_var(RUN_VARIABLE, state.id.to_string());
        std::env::set_var("TMPDIR", &state.dir); // what children write goes when the run goes
    }
    Ok(())
}

fn measure(prepared: &Prepared, state: &State, common: &Common) -> Result<(Ending, Results)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let (events, mut heard) = mpsc::unbounded_channel();
        let mut progress = Progress::new(prepared.experiment.factors.clone(), common.json);
        let listener = tokio::spawn(async move {
            while let Some(event) = heard.recv().await {
                progress.on(&event);
            }
        });
        let outcome = all_trials(prepared, state, events).await;
        listener.await.ok();
        outcome
    })
}

async fn all_trials(prepared: &Prepared, state: &State, events: Events) -> Result<(Ending, Results)> {
    let cancel = signals::cancel_on_signals()?;
    let Prepared { experiment, image, accel, cpus, wire, run_dir, .. } = prepared;
    drop(events.send(Event::Preparing(format!("making the lab of run {}", state.id))));
    let cache = appliance::default_cache();
    let (wire, events_of) = (wire.clone(), events.clone());
    let opened = LabSession::open(state, experiment.clone(), image, *accel, wire, &cache, events_of);
    let mut session = tokio::select! {
        session = opened => session?,
        () = cancel.cancelled() => return Err(InterruptedEarly.into()),
    };
    let memory = &prepared.environment.memory;
    let scan = plan::Scan::from_kernel(memory.ksm_pages_to_scan, memory.ksm_sleep_ms);
    let fresh = plan::plan(experiment, *accel, plan::Host { cpus: *cpus, scan });
    let environment = with_versions(prepared, &session).await;
    // A run that ended before its first trial has nothing to go on with.
    let mut results = if prepared.resumed && run_dir.path().join("environment.json").exists() {
        Results::resume(run_dir.clone(), &environment, *accel)?
    } else {
        Results::create(run_dir.clone(), experiment.clone(), environment, *accel)?
    };
    let mut plan = match prepared.resumed {
        true => run_dir.read_json("plan.json").unwrap_or(fresh), // it may have grown
        false => fresh,
    };
    results.plan(&plan)?;
    let ending = bench::run(&mut session, experiment, &mut plan, &mut results, &cancel, &events).await?;
    drop(events.send(Event::TearingDown));
    session.abandon().await.context("failed to take the lab down")?;
    results.finish()?;
    Ok((ending, results))
}

async fn with_versions(prepared: &Prepared, session: &LabSession) -> Environment {
    let Prepared { environment, experiment, image, .. } = prepared;
    let (libvirt, own) = &session.versions;
    let emulators = emulator::versions(session.lab.side(Side::Host), &experiment.configurations).await;
    Environment {
        libvirt: Some(libvirt.clone()),
        qemu: Some(emulator::in_use(&experiment.configurations, &emulators, own)),
        emulators,
        guest_kernel: image.kernel_version().map(str::to_owned),
        guest_image: image.fingerprint(),
        ..environment.clone()
    }
}

fn conclude(results: &Results, ending: Ending, common: &Common) -> Result<Exit> {
    if common.json {
        print_closing(results)?;
    } else {
        print(&results.table(terminal()))?;
        print(&format!("\nresults: {}\n", results.dir().display()))?;
    }
    Ok(match ending {
        Ending::Interrupted => Exit::Interrupted,
        Ending::Complete if results.all_measured() => Exit::Success,
        Ending::Complete => Exit::FailedTrials,
    })
}

/// What a run shows, as lines of JSON: warnings, answers, configurations and figures.
pub(super) fn print_closing(results: &Results) -> Result<Exit> {
    let closing = results.closing();
    json::print(closing.warnings.into_iter().map(JsonEvent::warning))?;
    json::print(closing.answers.iter().map(|answer| JsonEvent::Answer(AnswerEvent::from(answer))))?;
    json::print(closing.configurations.into_iter().map(JsonEvent::Configuration))?;
    json::print(closing.summary.into_iter().map(JsonEvent::Summary))
}

/// Standard output as a renderer sees it: its width, or a fixed one elsewhere, so that logs look alike everywhere.
pub(super) fn terminal() -> Terminal {
    let width = comfy_table::Table::new().width().unwrap_or(120);
    Terminal { width, colour: super::output::colour(&std::io::stdout()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remains() -> LabError {
        LabError::Survivors(vec!["interface kf-a-b".into()])
    }

    #[test]
    fn the_failure_of_the_clean_up_is_reported_beside_that_of_the_run_and_decides_the_exit_code() {
        let error = both::<()>(Ok(Err(InterruptedEarly.into())), Err(remains())).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("interrupted before") && text.contains("survived the teardown: interface kf-a-b"),
            "{text}"
        );
        assert!(!error.is::<InterruptedEarly>() && error.is::<LabError>());
        assert!(both::<()>(Ok(Err(InterruptedEarly.into())), Ok(())).unwrap_err().is::<InterruptedEarly>());
        assert!(both(Ok(Ok(())), Err(remains())).is_err() && both(Ok(Ok(())), Ok(())).is_ok());
    }

    #[test]
    fn after_a_panic_the_lab_is_not_called_taken_down_unless_it_was() {
        let text = |undone| format!("{:#}", both::<()>(Err(Box::new("panic")), undone).unwrap_err());
        assert!(text(Ok(())).contains("the lab was taken down"));
        let left = text(Err(remains()));
        assert!(!left.contains("was taken down") && left.contains("interface kf-a-b"), "{left}");
    }
}
