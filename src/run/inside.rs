//! One command, or one question, to every guest of a configuration at once.

use anyhow::Result;
use futures_util::future::try_join_all;

use super::lab_session::LabSession;
use super::time_limits::GUEST_QUERY;
use crate::clock::wall_clock;
use crate::guest::fleet::Guest;
use crate::machine::ExecError;
use crate::profile::Configuration;

/// What a guest said.
pub(super) struct Said {
    /// The guest.
    pub guest: Guest,
    /// When: half-way between question and answer, s by this machine's clock.
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
    let answer = |guest: Guest| {
        let argv = argv(guest.number);
        async move { Ok(guest.ssh.run(&argv, GUEST_QUERY).await?.stdout) }
    };
    of_every_guest(session, configuration, answer).await
}

/// Has every guest look at itself; the answers are in the order of the guests.
///
/// # Errors
/// The first guest that does not answer.
pub(super) async fn ask_every_guest(
    session: &LabSession,
    configuration: &Configuration,
) -> Result<Vec<Said>> {
    of_every_guest(session, configuration, |guest| async move { guest.looks.ask(GUEST_QUERY).await }).await
}

async fn of_every_guest<A>(
    session: &LabSession,
    configuration: &Configuration,
    answer: impl Fn(Guest) -> A,
) -> Result<Vec<Said>>
where
    A: Future<Output = Result<String, ExecError>> + Send,
{
    let guests = (1..=configuration.vms).filter_map(|number| session.fleet.get(number)).cloned();
    let answers = guests.map(|guest| async {
        let (asked_s, answer) = (wall_clock(), answer(guest.clone()));
        let stdout = answer.await?;
        let at_s = (asked_s + wall_clock()) / 2.0;
        Ok(Said { guest, at_s, stdout })
    });
    try_join_all(answers).await
}

/// A script with its name and arguments, as [`in_every_guest`] takes it.
pub(super) fn script(text: &str, name: &str, arguments: &[String]) -> Vec<String> {
    ["sh", "-c", text, name].map(str::to_owned).into_iter().chain(arguments.iter().cloned()).collect()
}
