//! One trial: move, verify, load, probe; what came of it as raw samples. A trial that breaks has a stage and a cause.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::time::{Instant, sleep_until};

use super::event::{Event, Events};
use super::flows::{baremetal_netserver, flow_specs, measured};
use super::lab_fault::LabFault;
use super::lab_session::LabSession;
use super::live_guests::while_guests_live;
use super::observers::Observers;
use super::rehearsal::{RehearsalFailed, rehearse};
use super::settings::{kernel, xen};
use super::time_limits::{ORPHAN_LIMIT, START_LIMIT};
use super::{background, cgroup, exits, snapshots, stolen, verify};
use crate::backend::Side;
use crate::clock::{clock_offset, monotonic};
use crate::load::Load;
use crate::load::clocks::Clocks;
use crate::load::parse;
use crate::machine::Machine;
use crate::plan::PlannedTrial;
use crate::probe::hiccup::HiccupMeter;
use crate::probe::xen::GuestTimes;
use crate::profile::groups::{Group, members};
use crate::profile::{Configuration, Timing};
use crate::raw::{Accel, Check, FORMAT, Failure, RawFlow, RawTrial, Stage};

/// The first snapshot ends before the window, and has as little of the warm-up in it as that allows.
const SNAPSHOT_BEFORE: Duration = Duration::from_secs(2);

/// What ends a trial early.
enum Broken {
    /// An error with the step in which it happened.
    Trial { stage: Stage, cause: anyhow::Error },
    /// No trial can be measured.
    Run(RehearsalFailed),
}

fn at(stage: Stage) -> impl Fn(anyhow::Error) -> Broken {
    move |cause| Broken::Trial { stage, cause }
}

/// Runs one trial, whose failure is a part of the result. The first one whose guests are up is rehearsed.
///
/// # Errors
/// [`RehearsalFailed`] if no trial can be measured.
pub async fn run(
    session: &mut LabSession,
    planned: &PlannedTrial,
    timing: &Timing,
    events: &Events,
) -> Result<RawTrial, RehearsalFailed> {
    let mut raw = blank(planned, session.accel, session.groups());
    session.fault = None;
    raw.host_cpus = session.host_cpus.len() as u32;
    raw.online_cpus = session.host_cpus.clone();
    // A wall clock that is set while guests boot must not lengthen the trial.
    raw.started_s = monotonic();
    let offset_s = match steps(session, timing, events, &mut raw).await {
        Ok(clocks) => clocks.of_tester_s(),
        Err(Broken::Run(failed)) => return Err(failed),
        Err(Broken::Trial { stage, cause }) => {
            session.fault = LabFault::find(&cause);
            let cause = format!("{cause:#}").replace('\n', " ");
            tracing::warn!(trial = raw.trial, ?stage, cause, "the trial failed");
            raw.failure = Some(Failure { stage, cause });
            clock_offset()
        }
    };
    raw.started_s += offset_s;
    raw.moved_s = raw.moved_s.map(|moved_s| moved_s + offset_s);
    raw.ended_s = monotonic() + offset_s;
    Ok(raw)
}

/// A trial that has not run.
pub fn blank(planned: &PlannedTrial, accel: Accel, groups: &[Group]) -> RawTrial {
    RawTrial {
        format: FORMAT,
        trial: planned.trial,
        repeat: planned.repeat,
        attempt: 1,
        machine: 0,
        configuration: planned.configuration.clone(),
        accel,
        started_s: 0.0,
        moved_s: None,
        merging: None,
        ended_s: 0.0,
        failure: None,
        groups: members(groups, &planned.configuration),
        flows: Vec::new(),
        background: Vec::new(),
        host: Vec::new(),
        snapshots: Vec::new(),
        hiccups: None,
        host_cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        online_cpus: BTreeSet::new(),
        guests: Vec::new(),
        checks: Vec::new(),
    }
}

async fn steps(
    session: &mut LabSession,
    timing: &Timing,
    events: &Events,
    raw: &mut RawTrial,
) -> Result<Clocks, Broken> {
    let configuration = raw.configuration.clone();
    provision(session, &configuration, raw).await?;
    let netserver = baremetal_netserver(session, &configuration).await.map_err(at(Stage::Load))?;
    let host = session.lab.side(Side::Host);
    let clocks = Clocks::read(host, session.lab.side(Side::Tester)).await;
    let clocks = clocks.map_err(|error| at(Stage::Probe)(error.into()))?;
    let observers = Observers::start(session, &configuration, timing.interval).await;
    let observers = observers.map_err(at(Stage::Probe))?;
    let background = background::start(session, &raw.groups, &configuration, timing).await;
    let background = background.map_err(at(Stage::Load))?;
    let meter = matches!(host, Machine::Local(_)).then(HiccupMeter::start);
    let loaded =
        while_guests_live(session, &configuration, load(session, &configuration, timing, events, raw)).await;
    raw.hiccups = meter.and_then(HiccupMeter::stop);
    let loaded = loaded.map_err(|cause| at(Stage::Load)(with_broken_proofs(cause, &raw.checks)));
    let unmeasured = background.stop().await;
    let observed = observers.stop().await;
    if let Some(netserver) = netserver {
        netserver.stop().await;
    }
    raw.flows = loaded?;
    raw.background = unmeasured.map_err(at(Stage::Load))?;
    let observed = observed.map_err(at(Stage::Probe))?;
    raw.host = observed.host;
    raw.checks.extend(kernel::checks_after(session, &configuration).await.map_err(at(Stage::Verify))?);
    raw.checks.extend(xen::checks(session, &configuration, ", after the load").await);
    let clocks = by_the_testers_clock(session, clocks, raw).await.map_err(at(Stage::Load))?;
    if let Some(readings) = observed.guest_times {
        add_guest_times(session, clocks, readings, raw).map_err(at(Stage::Probe))?;
    }
    Ok(clocks)
}

/// Brings the lab to a configuration, and proves that it is there.
async fn provision(
    session: &mut LabSession,
    configuration: &Configuration,
    raw: &mut RawTrial,
) -> Result<(), Broken> {
    raw.merging = session.move_to(configuration, raw.repeat).await.map_err(at(Stage::Provision))?;
    raw.moved_s = Some(monotonic());
    raw.checks = verify::checks(session, configuration).await.map_err(at(Stage::Verify))?;
    raw.checks.extend(cgroup::checks(session, configuration, &raw.groups).await);
    if !session.rehearsed {
        rehearse(session, configuration, &raw.checks).await.map_err(Broken::Run)?;
        session.rehearsed = true;
    }
    raw.checks.extend(exits::prepare(session, configuration).await);
    Ok(())
}

/// A backend that is not the one asked for may be why nothing came through.
fn with_broken_proofs(cause: anyhow::Error, checks: &[Check]) -> anyhow::Error {
    let broken: Vec<String> = checks.iter().filter(|check| !check.holds()).map(Check::to_string).collect();
    if broken.is_empty() { cause } else { anyhow!("{cause:#}; {}", broken.join("; ")) }
}

/// Netperf stamps its results with the tester's clock; everything else is brought to it.
async fn by_the_testers_clock(session: &LabSession, before: Clocks, raw: &mut RawTrial) -> Result<Clocks> {
    let after = Clocks::read(session.lab.side(Side::Host), session.lab.side(Side::Tester)).await?;
    let clocks = before.steady(after)?;
    raw.host.iter_mut().for_each(|sample| sample.at_s = clocks.from_host(sample.at_s));
    raw.hiccups.iter_mut().flatten().for_each(|hiccup| hiccup.end_s = clocks.from_host(hiccup.end_s));
    raw.snapshots.iter_mut().for_each(|snapshot| snapshot.at_s = clocks.from_local(snapshot.at_s));
    for guest in &mut raw.guests {
        let times = guest.inside.iter_mut().map(|(at_s, _)| at_s);
        let times = times.chain(guest.nic.iter_mut().map(|(at_s, _)| at_s));
        let times = times.chain(guest.interrupts.iter_mut().map(|(at_s, _)| at_s));
        let times = times.chain(guest.exits.iter_mut().map(|(at_s, _)| at_s));
        times.for_each(|at_s| *at_s = clocks.from_local(*at_s));
    }
    Ok(clocks)
}

/// Completes what dom0 reads of the host by the CPU times of all guests.
fn add_guest_times(
    session: &LabSession,
    clocks: Clocks,
    readings: Vec<GuestTimes>,
    raw: &mut RawTrial,
) -> Result<()> {
    let by_testers = |reading: GuestTimes| GuestTimes { at_s: clocks.from_local(reading.at_s), ..reading };
    let readings: Vec<GuestTimes> = readings.into_iter().map(by_testers).collect();
    session.complete_samples(raw, &readings)?;
    stolen::add_run_delays(raw);
    Ok(())
}

/// Starts all flows, holds them, ends them; snapshots into the guests before and after the window, while all flows run.
async fn load(
    session: &LabSession,
    configuration: &Configuration,
    timing: &Timing,
    events: &Events,
    raw: &mut RawTrial,
) -> Result<Vec<RawFlow>> {
    let stations = measured(&raw.groups, configuration);
    let specs = flow_specs(&stations, configuration, timing, session.lab.control());
    let hold = timing.warmup + timing.window + timing.cooldown;
    let tester = session.lab.side(Side::Tester);
    snapshots::count_packets(session, configuration, &mut raw.guests).await?;
    let mut load = Load::start(tester, &specs, START_LIMIT, hold + START_LIMIT + ORPHAN_LIMIT).await?;
    load.wait_running().await?;
    drop(events.send(Event::Running { flows: configuration.flows, for_s: hold.as_secs_f64() }));
    let warm = Instant::now() + timing.warmup;
    sleep_until(warm - timing.warmup.min(SNAPSHOT_BEFORE)).await;
    snapshots::take(session, configuration, &mut load, raw).await?;
    sleep_until(warm + timing.window).await;
    // The window has its length already: the snapshot is a part of the cool-down.
    snapshots::take(session, configuration, &mut load, raw).await?;
    sleep_until(warm + timing.window + timing.cooldown).await;
    let transcript = load.stop().await?;
    snapshots::count_packets(session, configuration, &mut raw.guests).await?;
    Ok(parse::flows(&transcript, &specs))
}
