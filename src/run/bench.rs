//! All trials of a plan, one after another; each is stored before the next begins.

use anyhow::Result;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::event::{Event, Events, FinishedTrial};
use super::lab_session::LabSession;
use super::trial;
use crate::clock::wall_clock;
use crate::host::Environment;
use crate::plan::{HostCapacity, Plan, PlannedTrial};
use crate::profile::{Configuration, Experiment};
use crate::raw::{Accel, Failure, RawTrial, Stage};
use crate::results::Results;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every trial was tried.
    Complete,
    /// A signal came; the rest was not tried.
    Interrupted,
}

/// What decides what is measured, beyond the profile's plan.
pub trait Guide {
    /// The experiment that is run in place of the profile's.
    ///
    /// # Errors
    /// If this experiment cannot serve.
    fn adjust(&self, experiment: Experiment) -> Result<Experiment>;

    /// Called before the first trial, once the machines and their software are known.
    ///
    /// # Errors
    /// If nothing is to be measured there.
    fn begin(&mut self, experiment: &Experiment, environment: &Environment, accel: Accel) -> Result<()>;

    /// The configurations that want one more block, once all planned trials are made.
    fn further(&mut self, results: &Results) -> Vec<Configuration>;
}

/// The profile alone: its plan, and further blocks until it is as precise as it asks.
pub struct ByProfile;

impl Guide for ByProfile {
    fn adjust(&self, experiment: Experiment) -> Result<Experiment> {
        Ok(experiment)
    }

    fn begin(&mut self, _: &Experiment, _: &Environment, _: Accel) -> Result<()> {
        Ok(())
    }

    fn further(&mut self, results: &Results) -> Vec<Configuration> {
        results.imprecise()
    }
}

/// Runs the plan, until a machine of the lab undoes the run by itself.
///
/// # Errors
/// [`super::rehearsal::RehearsalFailed`] if no trial can be measured; or a machine has undone the run, a result cannot be
/// stored, or the lab cannot be brought back to a known state.
pub async fn run(
    session: &mut LabSession,
    experiment: &Experiment,
    plan: &mut Plan,
    results: &mut Results,
    guide: &mut dyn Guide,
    cancel: &CancellationToken,
    events: &Events,
) -> Result<Ending> {
    let lost = session.lab.machines.lost();
    tokio::select! {
        biased; // a trial that breaks as its machine undoes the run is not stored
        lost = lost => Err(lost.into()),
        ending = trials(session, experiment, plan, results, guide, cancel, events) => ending,
    }
}

async fn trials(
    session: &mut LabSession,
    experiment: &Experiment,
    plan: &mut Plan,
    results: &mut Results,
    guide: &mut dyn Guide,
    cancel: &CancellationToken,
    events: &Events,
) -> Result<Ending> {
    drop(events.send(Event::Started {
        trials: plan.trials.len() as u32,
        last: plan.trials.last().map_or(0, |planned| planned.trial),
        total_s: plan.total_s,
    }));
    let deadline = experiment.limits.total.map(|limit| Instant::now() + limit);
    let mut given_up: Option<String> = None;
    let mut last_fault = None;
    let host = session.planned_on().await;
    loop {
        let over = || over(deadline, given_up.as_deref());
        let is_over = over().is_some();
        let Some(planned) = next(plan, (session.accel, host), experiment, results, guide, events, is_over)?
        else {
            return Ok(Ending::Complete);
        };
        announce(plan, &planned, events);
        let raw = tokio::select! {
            raw = attempts(session, experiment, &planned, results, events, over) => raw?,
            () = cancel.cancelled() => return Ok(Ending::Interrupted),
        };
        // What ended a netperf may have been in a guest, where it would end the next one's too.
        let failed = raw.failure.is_some() || raw.flows.iter().any(|flow| !flow.ended_well());
        if session.fault.is_some() && session.fault == last_fault {
            given_up = given_up.or_else(|| Some(twice_in_a_row(&raw)));
        }
        last_fault = session.fault.take();
        let figures = results.add(raw)?;
        let row = results.trial_row(&figures);
        drop(events.send(Event::Finished(Box::new(FinishedTrial { figures, row }))));
        if failed {
            session.abandon().await?;
        }
    }
}

/// Why no further trial is made; `None` while some are.
fn over(deadline: Option<Instant>, given_up: Option<&str>) -> Option<String> {
    let is_late = deadline.is_some_and(|deadline| Instant::now() >= deadline);
    let late = is_late.then(|| "the profile's limit on the whole run was reached".to_owned());
    given_up.map(str::to_owned).or(late)
}

/// The lab that served no trial would serve none of the others either.
fn twice_in_a_row(raw: &RawTrial) -> String {
    let cause = raw.failure.as_ref().map_or("", |failure| failure.cause.as_str());
    format!("the lab failed in two trials in a row, the last time so: {cause}")
}

/// The next trial that has not been made; once all are, the plan grows by those that the guide asks for.
fn next(
    plan: &mut Plan,
    (accel, host): (Accel, HostCapacity),
    experiment: &Experiment,
    results: &mut Results,
    guide: &mut dyn Guide,
    events: &Events,
    is_over: bool,
) -> Result<Option<PlannedTrial>> {
    let missing =
        |plan: &Plan, results: &Results| plan.trials.iter().position(|planned| !results.has(planned.trial));
    if missing(plan, results).is_none() && !is_over {
        let wanted = guide.further(results);
        if !wanted.is_empty() {
            plan.extend(&wanted, experiment, accel, host);
            results.plan(plan)?;
            drop(events.send(Event::Extended {
                trials: plan.trials.len() as u32,
                configurations: wanted.len() as u32,
            }));
        }
    }
    Ok(missing(plan, results).map(|index| plan.trials[index].clone()))
}

/// Tries a trial until it is measured, as often as the profile allows; each new attempt starts from nothing. Attempts of the
/// run that this one goes on with are counted on, and use nothing up.
async fn attempts(
    session: &mut LabSession,
    experiment: &Experiment,
    planned: &PlannedTrial,
    results: &Results,
    events: &Events,
    over: impl Fn() -> Option<String>,
) -> Result<RawTrial> {
    let before = results.attempts(planned.trial)?;
    if let Some(cause) = over() {
        return Ok(RawTrial { attempt: before, ..skipped(planned, session, &cause) });
    }
    let mut made = 0;
    loop {
        made += 1;
        let raw = trial::run(session, planned, &experiment.timing, events).await?;
        let raw = RawTrial { attempt: before + made, ..raw };
        if made >= experiment.limits.trial_attempts || over().is_some() {
            return Ok(raw);
        }
        let Some(figures) = results.set_aside(&raw)? else { return Ok(raw) };
        let row = results.trial_row(&figures);
        drop(events.send(Event::Retrying(Box::new(FinishedTrial { figures, row }))));
        session.abandon().await?;
    }
}

fn announce(plan: &Plan, planned: &PlannedTrial, events: &Events) {
    let rest = plan.trials.iter().filter(|other| other.trial >= planned.trial);
    drop(events.send(Event::Trial {
        trial: planned.trial,
        repeat: planned.repeat,
        configuration: Box::new(planned.configuration.clone()),
        remaining_s: rest.map(|other| other.estimate.total_s()).sum(),
        boots: planned.transition.boot.len() as u32,
    }));
}

fn skipped(planned: &PlannedTrial, session: &LabSession, cause: &str) -> RawTrial {
    let mut raw = trial::blank(planned, session.accel, session.groups());
    (raw.started_s, raw.ended_s) = (wall_clock(), wall_clock());
    raw.failure = Some(Failure { stage: Stage::Skipped, cause: cause.to_owned() });
    raw
}
