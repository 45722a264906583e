//! One second of the real thing before the first trial: netperf over the path of the first configuration. A path that nothing
//! passes, or a netperf that prints too little, ends the run here and not after hours of failed trials.

use std::collections::BTreeSet;
use std::fmt;

use super::event::Event;
use super::flows::{baremetal_netserver, one_flow};
use super::lab_session::LabSession;
use super::verify;
use crate::address::NETSERVER_PORT;
use crate::backend::{Backend, Side};
use crate::host::obstacles::{self, PacketPath};
use crate::load::{FlowSpec, LoadError, rehearsal};
use crate::profile::{Configuration, Test};
use crate::raw::Check;

/// Why no trial can be measured.
#[derive(Debug)]
pub struct RehearsalFailed {
    /// What failed, with netperf's message.
    pub problem: String,
    /// What may be the cause, found on the machines.
    pub causes: Vec<String>,
}

impl fmt::Display for RehearsalFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the load failed in the rehearsal before the first trial: {}", self.problem)?;
        self.causes.iter().try_for_each(|cause| write!(f, "\n  possible cause: {cause}"))
    }
}

impl std::error::Error for RehearsalFailed {}

/// Runs each kind of load of the profile for a second between the tester and the first guest that is measured, which is up. The
/// proofs that do not hold are among the causes of a failure.
///
/// # Errors
/// [`RehearsalFailed`] with everything on the machines that may be the cause.
pub async fn rehearse(
    session: &LabSession,
    configuration: &Configuration,
    checks: &[Check],
) -> Result<(), RehearsalFailed> {
    session.report(Event::Preparing(
        "rehearsing: one second of the load over the path of the first trial".into(),
    ));
    let flows = flows(session, configuration);
    let Err(error) = run(session, configuration, &flows).await else { return Ok(()) };
    let problem = format!("{error:#}").replace('\n', " ");
    if matches!(error.downcast_ref(), Some(LoadError::Unsuitable(_) | LoadError::UnsuitablePing)) {
        return Err(RehearsalFailed { problem, causes: Vec::new() }); // the path is fine
    }
    let broken = checks.iter().filter(|check| !check.holds()).map(Check::to_string);
    let causes = broken.chain(causes(session, configuration, &flows).await).collect();
    Err(RehearsalFailed { problem, causes })
}

/// The same from the start: boots the guests of the first configuration, proves its backend and rehearses.
///
/// # Errors
/// [`RehearsalFailed`]; or the guests cannot be booted or examined.
pub async fn rehearse_first(session: &mut LabSession) -> anyhow::Result<()> {
    let Some(configuration) = session.experiment.configurations.first().cloned() else { return Ok(()) };
    session.move_to(&configuration, 1).await?;
    let checks = verify::checks(session, &configuration).await?;
    Ok(rehearse(session, &configuration, &checks).await?)
}

async fn run(session: &LabSession, configuration: &Configuration, flows: &[FlowSpec]) -> anyhow::Result<()> {
    let netserver = baremetal_netserver(session, configuration).await?;
    let rehearsed = rehearsal::rehearse(session.lab.side(Side::Tester), flows).await;
    if let Some(netserver) = netserver {
        netserver.stop().await;
    }
    Ok(rehearsed?)
}

/// One flow for each test that the profile measures, the configuration's own first.
fn flows(session: &LabSession, configuration: &Configuration) -> Vec<FlowSpec> {
    let others = session.experiment.configurations.iter().map(|other| other.test);
    let mut tests: Vec<Test> = vec![configuration.test];
    tests.extend(others);
    let mut seen = BTreeSet::new();
    tests.retain(|test| seen.insert(test.to_string()));
    let flows = tests.into_iter().filter_map(|test| one_flow(session, configuration, test));
    (1..).zip(flows).map(|(flow, spec)| FlowSpec { flow, ..spec }).collect()
}

async fn causes(session: &LabSession, configuration: &Configuration, flows: &[FlowSpec]) -> Vec<String> {
    let serves = configuration.backend == Backend::Baremetal;
    let on_host = PacketPath { port: serves.then_some(NETSERVER_PORT), ..PacketPath::default() };
    let to_guest = PacketPath { to: flows.first().map(|flow| flow.data), mtu: configuration.mtu, port: None };
    let mut causes = Vec::new();
    for (side, name, path) in [(Side::Tester, "tester", to_guest), (Side::Host, "VM host", on_host)] {
        let found = obstacles::find(session.lab.side(side), &path).await;
        causes.extend(found.into_iter().map(|obstacle| format!("{name}: {obstacle}")));
    }
    causes
}
