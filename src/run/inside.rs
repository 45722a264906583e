//! One command in every guest of a configuration at once.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use super::lab_session::LabSession;
use crate::guest::fleet::Guest;
use crate::load::clock::wall_clock;
use crate::profile::Configuration;

/// For one look into a guest.
pub(super) const LOOK: Duration = Duration::from_secs(20);

/// What a guest said.
pub(super) struct Said {
    /// The guest.
    pub guest: Guest,
    /// When it had answered, s by this machine's clock.
    pub at_s: f64,
    /// Its words.
    pub stdout: String,
}

/// Runs a command, made for each guest by its number; the answers are in the order of the guests.
///
/// # Errors
/// The first guest that does not answer, or whose command fails.
pub(super) async fn in_every_guest(
    session: &LabSession,
    configuration: &Configuration,
    argv: impl Fn(u32) -> Vec<String>,
) -> Result<Vec<Said>> {
    let mut tasks = JoinSet::new();
    for guest in (1..=configuration.vms).filter_map(|number| session.fleet.get(number)).cloned() {
        let argv = argv(guest.number);
        tasks.spawn(async move {
            let output = guest.ssh.run(&argv, LOOK).await;
            (guest, wall_clock(), output)
        });
    }
    let mut said = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        let (guest, at_s, output) = joined?;
        said.push(Said { guest, at_s, stdout: output?.stdout });
    }
    said.sort_by_key(|said| said.guest.number);
    Ok(said)
}

/// A shell command as [`in_every_guest`] takes it.
pub(super) fn shell(command: &str) -> Vec<String> {
    ["sh", "-c", command].map(str::to_owned).into()
}

/// A script with its name and arguments, as [`in_every_guest`] takes it.
pub(super) fn script(text: &str, name: &str, arguments: &[String]) -> Vec<String> {
    ["sh", "-c", text, name].map(str::to_owned).into_iter().chain(arguments.iter().cloned()).collect()
}
