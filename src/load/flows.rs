//! The flows of a trial while they run on the tester: a network namespace of this machine, or another machine.
//!
//! Starts the launcher and waits for it; `launcher` and `parse` parse what it prints. Every wait has a deadline, and every
//! read a bound.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::command::FlowSpec;
use super::error::LoadError;
use super::launcher::{self, FailedFlow, LauncherEvent};
use crate::machine::Machine;
use crate::machine::line::{read_line, read_to_end};
use crate::machine::started::{FromProcess, Started};

/// Time for the shell to read its commands and to start every netperf, in addition to the deadline of the flows.
const SLACK: Duration = Duration::from_secs(20);

/// From the command to stop until the whole transcript has arrived: netperf has 20 s before it is killed.
const DRAIN: Duration = Duration::from_secs(30);

/// Time for the launcher to end after its stdin is closed, and again after SIGTERM.
const FAREWELL: Duration = Duration::from_secs(10);

/// Largest transcript, bytes: 1000 flows of an hour with an interim result every 100 ms print less.
const MAX_TRANSCRIPT: u64 = 8 << 30;

/// Flows that were started. Dropping the value ends them: at the end of its stdin the launcher ends every netperf and removes
/// its files, also when kvmfair is killed.
pub struct Load {
    launcher: Started,
    stdout: BufReader<FromProcess>,
    /// What each flow runs.
    programs: BTreeMap<u32, &'static str>,
    /// What ends the flows, or waits for their end.
    last_order: &'static str,
    deadline: Duration,
}

impl Load {
    /// Starts all flows on the tester and returns when they have been started, which is some seconds before they run.
    ///
    /// Each must have transferred something within `deadline`. `max` bounds the life of every netperf in case both kvmfair
    /// and the launcher are killed.
    ///
    /// # Errors
    /// The launcher cannot be started, or does not accept its commands.
    pub async fn start(
        tester: &Machine,
        flows: &[FlowSpec],
        deadline: Duration,
        max: Duration,
    ) -> Result<Load, LoadError> {
        let launcher = tester.start(&launcher::argv(deadline, max)).await.map_err(LoadError::Spawn)?;
        let mut load = Load::new(launcher, flows, deadline)?;
        load.send(&launcher::orders(flows)).await?;
        match load.event("start netperf", SLACK).await? {
            LauncherEvent::Started(_) => Ok(load),
            other => Err(load.unexpected(&format!("{other:?}")).await),
        }
    }

    fn new(mut launcher: Started, flows: &[FlowSpec], deadline: Duration) -> Result<Load, LoadError> {
        let Some(stdout) = launcher.stdout.take() else {
            return Err(LoadError::Launcher("it has no pipes".into()));
        };
        let last_order =
            if flows.iter().any(|flow| flow.length.is_some()) { launcher::WAIT } else { launcher::STOP };
        let programs = flows.iter().map(|flow| (flow.flow, flow.test.program())).collect();
        Ok(Load { launcher, stdout: BufReader::new(stdout), programs, last_order, deadline })
    }

    /// Waits until every flow has printed its first interim result.
    ///
    /// # Errors
    /// A netperf ended early (with its message), or one has transferred nothing by the deadline. The launcher then ends all
    /// others.
    pub async fn wait_running(&mut self) -> Result<(), LoadError> {
        match self.event("report that all flows run", self.deadline + SLACK).await? {
            LauncherEvent::Running => Ok(()),
            LauncherEvent::Failed(first) => Err(self.failed(first).await),
            LauncherEvent::Late(flows) => {
                Err(LoadError::Late { flows, started: self.started(), deadline: self.deadline })
            }
            other => Err(self.unexpected(&format!("{other:?}")).await),
        }
    }

    /// CPU time that each netperf has used so far, s, in the order of the flows; `None` where the tester's kernel does not count it.
    /// Call it after [`Load::wait_running`].
    ///
    /// # Errors
    /// The launcher does not answer.
    pub async fn cpu_times(&mut self) -> Result<Vec<Option<f64>>, LoadError> {
        self.send(launcher::CPU).await?;
        match self.event("report CPU times", SLACK).await? {
            LauncherEvent::CpuTimes(times) => {
                Ok(times.into_iter().map(|ns| Some(ns? as f64 / 1e9)).collect())
            }
            other => Err(self.unexpected(&format!("{other:?}")).await),
        }
    }

    /// Ends all flows, or waits some seconds for those that end by themselves, and returns the transcript; see
    /// [`super::parse::flows`]. Call it after [`Load::wait_running`].
    ///
    /// # Errors
    /// The transcript does not arrive, or is incomplete.
    pub async fn stop(mut self) -> Result<String, LoadError> {
        self.send(self.last_order).await?;
        let transcript = match timeout(DRAIN, read_to_end(&mut self.stdout, MAX_TRANSCRIPT)).await {
            Err(_) => return Err(self.timed_out("print the results", DRAIN).await),
            Ok(Err(source)) => return Err(self.pipe(source).await),
            Ok(Ok(transcript)) => transcript,
        };
        self.end().await;
        if super::parse::is_complete(&transcript) {
            return Ok(transcript);
        }
        let last = transcript.lines().next_back().unwrap_or("nothing").to_string();
        Err(self.unexpected(&format!("its output ends with `{last}`")).await)
    }

    /// Ends all flows, discards their results and returns when no process is left.
    pub async fn abort(mut self) {
        self.end().await;
    }

    async fn send(&mut self, text: &str) -> Result<(), LoadError> {
        let Some(stdin) = self.launcher.stdin.as_mut() else {
            return Err(LoadError::Launcher("its stdin is closed".into()));
        };
        match timeout(SLACK, stdin.write_all(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.pipe(source).await),
            Err(_) => Err(self.timed_out("accept commands", SLACK).await),
        }
    }

    /// The next line of the launcher.
    async fn event(&mut self, task: &'static str, limit: Duration) -> Result<LauncherEvent, LoadError> {
        let line = match timeout(limit, read_line(&mut self.stdout)).await {
            Err(_) => return Err(self.timed_out(task, limit).await),
            Ok(Err(source)) => return Err(self.pipe(source).await),
            Ok(Ok(line)) => line,
        };
        match LauncherEvent::parse(&line) {
            Some(event) => Ok(event),
            None => Err(self.unexpected(line.trim()).await),
        }
    }

    /// Collects the other flows that ended: the launcher reports each in a line before it ends.
    async fn failed(&mut self, first: FailedFlow) -> LoadError {
        let mut failed = vec![first];
        while let Ok(LauncherEvent::Failed(next)) = self.event("report the flows that ended", FAREWELL).await
        {
            failed.push(next);
        }
        let program = failed.first().and_then(|flow| self.programs.get(&flow.flow)).copied();
        LoadError::Failed { program: program.unwrap_or("netperf"), failed, started: self.started() }
    }

    fn started(&self) -> u32 {
        self.programs.len() as u32
    }

    async fn timed_out(&mut self, task: &'static str, limit: Duration) -> LoadError {
        self.end().await;
        LoadError::TimedOut { task, limit }
    }

    async fn pipe(&mut self, source: std::io::Error) -> LoadError {
        LoadError::Pipe { stderr: self.stderr().await, source }
    }

    async fn unexpected(&mut self, line: &str) -> LoadError {
        let stderr = self.stderr().await;
        LoadError::Launcher([line, &stderr].join(" ").trim().to_string())
    }

    /// Ends the launcher and returns what it wrote to stderr.
    async fn stderr(&mut self) -> String {
        self.end().await;
        self.launcher.last_words(FAREWELL).await
    }

    /// Closes stdin, which ends everything; a launcher that does not end is killed with its whole process group.
    async fn end(&mut self) {
        if !self.launcher.end(FAREWELL).await {
            tracing::warn!("the launcher did not end");
        }
    }
}
