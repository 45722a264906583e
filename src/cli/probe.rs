//! `kvmfair check --probe`: the lab of the first configuration with one guest, one second of netperf, and nothing left.

use anyhow::Result;

use super::exit::InterruptedEarly;
use super::lab_permit::LabPermit;
use super::progress::{Progress, with_progress};
use super::survey::Survey;
use super::{Common, inputs, signals};
use crate::guest::appliance;
use crate::guest::image::GuestImage;
use crate::lab::State;
use crate::preflight::CheckResult;
use crate::profile::{Configuration, Experiment};
use crate::run::event::Events;
use crate::run::lab_session::LabSession;
use crate::run::rehearsal::{RehearsalFailed, rehearse_first};

/// What the finding is about.
const WHAT: &str = "rehearsal";

/// Rehearses the load of the first configuration.
///
/// # Errors
/// If the lab cannot be made, or taken down.
pub(super) fn probe(experiment: &Experiment, survey: &Survey, common: &Common) -> Result<CheckResult> {
    let experiment = with_one_guest(experiment);
    let image = inputs::image(&experiment)?;
    let log = tempfile::tempfile()?;
    let passed = LabPermit::acquire(&experiment, common)?.in_lab(&experiment, log, |state| {
        let progress = Progress::new(Vec::new(), common.json);
        with_progress(progress, |events| rehearse(&experiment, survey, image.as_ref(), state, events))
    });
    match passed {
        Ok(()) => Ok(CheckResult::good(WHAT, "netperf answers over the path of the first configuration")),
        Err(error) => match error.downcast::<RehearsalFailed>() {
            Ok(RehearsalFailed { problem, causes }) => Ok(CheckResult::bad(WHAT, problem, fix(&causes))),
            Err(error) => Err(error),
        },
    }
}

fn fix(causes: &[String]) -> String {
    match causes {
        [] => "see \"The rehearsal\" in docs/troubleshooting.md; -vv shows each command".into(),
        causes => causes.join("; "),
    }
}

async fn rehearse(
    experiment: &Experiment,
    survey: &Survey,
    image: Option<&GuestImage>,
    state: &State,
    events: Events,
) -> Result<()> {
    let cancel = signals::cancel_on_signals()?;
    let cache = appliance::default_cache();
    let (accel, wire) = (survey.accel, survey.wire.clone());
    let work = async {
        let mut session =
            LabSession::open(state, experiment.clone(), image, accel, wire, &cache, events).await?;
        rehearse_first(&mut session).await?;
        session.abandon().await
    };
    tokio::select! {
        done = work => done,
        () = cancel.cancelled() => Err(InterruptedEarly.into()),
    }
}

/// The first configuration alone, with a single guest that shares with nobody.
fn with_one_guest(experiment: &Experiment) -> Experiment {
    let first = experiment.configurations.first();
    let one = |first: &Configuration| Configuration { vms: first.vms.min(1), flows: 1, ..first.clone() };
    Experiment {
        configurations: first.map(one).into_iter().collect(),
        groups: Vec::new(),
        ..experiment.clone()
    }
}
