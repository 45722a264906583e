//! One command in every guest of a configuration at once, or their counters.

use anyhow::{Context, Result};
use futures_util::future::try_join_all;

use super::lab_session::LabSession;
use super::time_limits::GUEST_QUERY;
use crate::clock::wall_clock;
use crate::guest::fleet::RunningGuest;
use crate::machine::ExecError;
use crate::profile::Configuration;

/// The output of a guest.
pub(super) struct GuestOutput {
    /// The guest.
    pub guest: RunningGuest,
    /// Its time: half-way between request and answer, s by this machine's clock.
    pub at_s: f64,
    /// Standard output.
    pub stdout: String,
}

/// Runs a command in every guest; `argv` makes it from the guest's number. The outputs are in the order of the guests.
///
/// # Errors
/// The first guest that does not answer, or whose command fails.
pub(super) async fn run_in_every_guest(
    session: &LabSession,
    configuration: &Configuration,
    argv: impl Fn(u32) -> Vec<String>,
) -> Result<Vec<GuestOutput>> {
    let answer = |guest: RunningGuest| {
        let argv = argv(guest.number);
        async move { Ok(guest.ssh.run(&argv, GUEST_QUERY).await?.stdout) }
    };
    ask_every_guest(session, configuration, answer).await
}

/// Reads the counters of every guest; the outputs are in the order of the guests.
///
/// # Errors
/// The first guest that does not answer.
pub(super) async fn read_counters(
    session: &LabSession,
    configuration: &Configuration,
) -> Result<Vec<GuestOutput>> {
    ask_every_guest(session, configuration, |guest| async move { guest.counters.ask(GUEST_QUERY).await })
        .await
}

async fn ask_every_guest<A>(
    session: &LabSession,
    configuration: &Configuration,
    answer: impl Fn(RunningGuest) -> A,
) -> Result<Vec<GuestOutput>>
where
    A: Future<Output = Result<String, ExecError>> + Send,
{
    let guests = (1..=configuration.vms).filter_map(|number| session.fleet.get(number)).cloned();
    let answers = guests.map(|guest| async {
        let (asked_s, answer) = (wall_clock(), answer(guest.clone()));
        let stdout = answer.await.with_context(|| format!("guest {}", guest.name))?;
        let at_s = (asked_s + wall_clock()) / 2.0;
        Ok(GuestOutput { guest, at_s, stdout })
    });
    try_join_all(answers).await
}

/// A script with its name and arguments, as [`run_in_every_guest`] takes it.
pub(super) fn script(text: &str, name: &str, arguments: &[String]) -> Vec<String> {
    ["sh", "-c", text, name].map(str::to_owned).into_iter().chain(arguments.iter().cloned()).collect()
}
