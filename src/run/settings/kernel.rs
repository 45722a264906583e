//! The settings of a configuration, on the host and inside the guests: written before a trial, and read in it.

use anyhow::{Context, Result};

use crate::factor::kernel;
use crate::factor::tuning::{self, SCRIPT, Setting};
use crate::lab::Lab;
use crate::profile::Configuration;
use crate::profile::cpus::first;
use crate::raw::Check;
use crate::run::every_guest::run_in_every_guest;
use crate::run::lab_session::LabSession;

/// Writes those of the host's machine: guests that start take some of them with them for good.
///
/// # Errors
/// If the kernel has no such setting, or does not take the value.
pub(in crate::run) async fn apply_to_machine(
    session: &mut LabSession,
    configuration: &Configuration,
) -> Result<()> {
    let mut settings = of_host(session, configuration);
    settings.retain(|setting| !tuning::is_of_nic(setting));
    let wire = session.site(configuration).wire(0);
    session.lab.tune(&wire, &settings).await.context("failed to set up the VM host")
}

/// Writes them all. Guests start with what their kernel brings, and a factor has a level in every configuration: nothing is
/// put back inside them.
///
/// # Errors
/// If a kernel has no such setting, or does not take the value.
pub(in crate::run) async fn apply(session: &mut LabSession, configuration: &Configuration) -> Result<()> {
    let (wire, settings) = (session.site(configuration).wire(0), of_host(session, configuration));
    session.lab.tune(&wire, &settings).await.context("failed to set up the VM host")?;
    let settings = kernel::guest(configuration, &first(configuration.vcpus));
    if !settings.is_empty() {
        let set = |guest| words(&tuning::set(&mac(session, configuration, guest), &settings));
        run_in_every_guest(session, configuration, set).await.context("failed to set up a guest")?;
    }
    Ok(())
}

/// Reads them, as facts that have to hold.
///
/// # Errors
/// If a machine does not answer.
pub(in crate::run) async fn checks(
    session: &LabSession,
    configuration: &Configuration,
) -> Result<Vec<Check>> {
    let mut checks = checks_of_host(session, configuration, "host").await?;
    let settings = kernel::guest(configuration, &first(configuration.vcpus));
    if settings.is_empty() {
        return Ok(checks);
    }
    let show = |guest| words(&tuning::show(&mac(session, configuration, guest), &settings));
    for answer in run_in_every_guest(session, configuration, show).await? {
        let (shown, whose) = (tuning::shown(&answer.stdout), format!("guest {}", answer.guest.number));
        let of = |(index, setting)| check(&whose, setting, tuning::found(setting, index, &shown));
        checks.extend(settings.iter().enumerate().map(of));
    }
    Ok(checks)
}

/// Those of the host once more when the load is over: a daemon that tunes the host may have been at work meanwhile.
///
/// # Errors
/// If the host does not answer.
pub(in crate::run) async fn checks_after(
    session: &LabSession,
    configuration: &Configuration,
) -> Result<Vec<Check>> {
    checks_of_host(session, configuration, "host, after the load").await
}

async fn checks_of_host(
    session: &LabSession,
    configuration: &Configuration,
    whose: &str,
) -> Result<Vec<Check>> {
    let settings = of_host(session, configuration);
    let found = read_host(&session.lab, &session.site(configuration).wire(0), &settings).await?;
    Ok(settings.iter().zip(found).map(|(setting, found)| check(whose, setting, found)).collect())
}

fn of_host(session: &LabSession, configuration: &Configuration) -> Vec<Setting> {
    kernel::host(configuration, &session.host_cpus)
}

async fn read_host(lab: &Lab, wire: &str, settings: &[Setting]) -> Result<Vec<Option<String>>> {
    lab.tuned(wire, settings).await.context("failed to read the settings of the VM host")
}

fn check(whose: &str, setting: &Setting, found: Option<String>) -> Check {
    Check {
        what: format!("{whose}: {}", setting.what),
        expected: setting.value.clone(),
        found: found.unwrap_or_else(|| "nothing".into()),
    }
}

/// The MAC of a guest's test NIC.
fn mac(session: &LabSession, configuration: &Configuration, guest: u32) -> String {
    configuration.backend.nic(&session.site(configuration), guest).map(|nic| nic.mac).unwrap_or_default()
}

fn words(words: &[&str]) -> Vec<String> {
    [&["sh", "-c", SCRIPT, "tune"], words].concat().into_iter().map(str::to_owned).collect()
}
