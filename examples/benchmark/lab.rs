//! This process in namespaces of its own, with kvmfair's embedded lab in it, as `kvmfair bench` makes it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use kvmfair::backend::wire::Wire;
use kvmfair::guest::appliance;
use kvmfair::guest::image::GuestImage;
use kvmfair::host;
use kvmfair::lab::{State, clean, namespaces, state};
use kvmfair::machine::change::Change;
use kvmfair::machine::journal::{Entry, Journal};
use kvmfair::machine::local::RUN_VARIABLE;
use kvmfair::profile::{self, Configuration, Experiment, HostFacts};
use kvmfair::raw::Accel;
use kvmfair::run::lab_session::LabSession;
use procfs::Current;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// Guests of every measurement here.
pub const GUESTS: u32 = 8;

/// The opened lab.
pub struct Lab {
    pub session: LabSession,
    /// Eight guests of 96 MiB, and of 128 MiB.
    pub configurations: Vec<Configuration>,
    /// Directory of the run; what names it or lies in it is gone at the end.
    pub state: std::path::PathBuf,
}

/// Makes the lab, lets `work` use it, and takes it down whatever happened. No thread may have started yet.
pub fn with(work: impl FnOnce(&mut Lab, &Runtime) -> Result<()>) -> Result<()> {
    let experiment = profile::parse(include_str!("guests.toml"), Path::new("guests.toml"), facts()?)?;
    let cache = appliance::default_cache();
    let image =
        GuestImage::Appliance(appliance::ensure(&cache, None, false, &mut |step| eprintln!("{step}"))?);
    let state = State::create(&state::root(false))?;
    Journal::open(&state.dir)?.before(&Entry::local(Change::Processes))?;
    let outcome = catch_unwind(AssertUnwindSafe(|| -> Result<()> {
        enter_namespaces(&state)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let mut lab = runtime.block_on(open(&state, experiment, &image, &cache))?;
        work(&mut lab, &runtime)?;
        runtime.block_on(lab.session.abandon()).context("failed to take the lab down")
    }));
    let undone = clean::undo(state);
    outcome.map_err(|_| anyhow!("the benchmark panicked; the lab was taken down"))??;
    Ok(undone.map(drop)?)
}

fn facts() -> Result<HostFacts> {
    let memory = procfs::Meminfo::current().context("failed to read /proc/meminfo")?;
    let cpus = std::thread::available_parallelism().map_or(1, |n| n.get() as u32);
    Ok(HostFacts { memory_mib: memory.mem_total >> 20, cpus })
}

fn enter_namespaces(state: &State) -> Result<()> {
    namespaces::private_namespaces(&state.dir)?;
    namespaces::without_ipv6();
    // SAFETY: the process has a single thread, so nobody reads the environment meanwhile.
    unsafe {
        std::env::set_var(
            "LIBVIRT_LOG_OUTPUTS",
            format!("3:file:{}", state.dir.join("libvirt.log").display()),
        );
        std::env::set_var(RUN_VARIABLE, state.id.to_string());
    }
    Ok(())
}

async fn open(state: &State, experiment: Experiment, image: &GuestImage, cache: &Path) -> Result<Lab> {
    let accel = if host::kvm_usable() { Accel::Kvm } else { Accel::Tcg };
    let (events, _) = mpsc::unbounded_channel();
    let configurations = experiment.configurations.clone();
    let session = LabSession::open(state, experiment, Some(image), accel, Wire::Veth, cache, events).await?;
    Ok(Lab { session, configurations, state: state.dir.clone() })
}
