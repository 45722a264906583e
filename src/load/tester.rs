//! The tester: the machine that runs netperf. A network namespace of this machine, the one we are in, or another machine.
//!
//! Processes are started and waited for; what they print is understood by `launcher` and `parse`. Every wait has an end.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout;

use super::command::{FlowSpec, runs_out};
use super::error::LoadError;
use super::launcher::{self, DeadFlow, Event};
use crate::machine::Machine;
use crate::machine::started::{FromProcess, Started};

/// For the shell to read its orders and to start every netperf, over and above the deadline of the flows.
const SLACK: Duration = Duration::from_secs(20);

/// From the order to stop until the whole transcript is there: netperf has 20 s before it is killed.
const DRAIN: Duration = Duration::from_secs(30);

/// For a launcher to end once its stdin is closed, and again after SIGTERM.
const FAREWELL: Duration = Duration::from_secs(10);

/// Where netperf runs.
#[derive(Clone)]
pub struct Tester {
    /// The machine.
    pub machine: Machine,
}

impl Tester {
    /// Starts all flows and returns when they have been started, which is some seconds before they run.
    ///
    /// Each must have transferred something within `deadline`; `max` bounds the life of every netperf should both
    /// kvmfair and the launcher be killed.
    ///
    /// # Errors
    /// If the launcher cannot be started or does not take its orders.
    pub async fn start(
        &self,
        flows: &[FlowSpec],
        deadline: Duration,
        max: Duration,
    ) -> Result<Load, LoadError> {
        let mut load = Load::new(self.spawn(deadline, max).await?, flows, deadline)?;
        load.send(&launcher::orders(flows)).await?;
        match load.event("started netperf", SLACK).await? {
            Event::Started(_) => Ok(load),
            other => Err(load.broke_off(&format!("{other:?}")).await),
        }
    }

    async fn spawn(&self, deadline: Duration, max: Duration) -> Result<Started, LoadError> {
        self.machine.start(&launcher::argv(deadline, max)).await.map_err(LoadError::Spawn)
    }
}

/// Flows that were started. Dropping it ends them: the launcher sees the end of its stdin, ends every netperf and
/// removes its files, also when kvmfair itself was killed.
pub struct Load {
    launcher: Started,
    stdout: BufReader<FromProcess>,
    started: u32,
    /// What ends the flows, or waits for their end.
    last_order: &'static str,
    deadline: Duration,
}

impl Load {
    fn new(mut launcher: Started, flows: &[FlowSpec], deadline: Duration) -> Result<Load, LoadError> {
        let Some(stdout) = launcher.stdout.take() else {
            return Err(LoadError::BrokeOff("it has no pipes".into()));
        };
        let last_order =
            if flows.iter().any(|flow| runs_out(flow.test)) { launcher::WAIT } else { launcher::STOP };
        let started = flows.len() as u32;
        Ok(Load { launcher, stdout: BufReader::new(stdout), started, last_order, deadline })
    }

    /// Waits until every flow has printed its first interim result.
    ///
    /// # Errors
    /// If a netperf ended early, with what it said; if one had transferred nothing at the deadline. The launcher ends
    /// all others then.
    pub async fn wait_running(&mut self) -> Result<(), LoadError> {
        match self.event("waited for the flows", self.deadline + SLACK).await? {
            Event::Running => Ok(()),
            Event::Died(first) => Err(self.died(first).await),
            Event::Late(flows) => {
                Err(LoadError::Late { flows, started: self.started, deadline: self.deadline })
            }
            other => Err(self.broke_off(&format!("{other:?}")).await),
        }
    }

    /// CPU time that each netperf has used so far, s, in the order of the flows; `None` where the tester's kernel does not tell.
    /// Call it after [`Load::wait_running`].
    ///
    /// # Errors
    /// If the launcher does not answer.
    pub async fn cpu_times(&mut self) -> Result<Vec<Option<f64>>, LoadError> {
        self.send(launcher::CPU).await?;
        match self.event("told CPU times", SLACK).await? {
            Event::CpuTimes(times) => Ok(times.into_iter().map(|ns| Some(ns? as f64 / 1e9)).collect()),
            other => Err(self.broke_off(&format!("{other:?}")).await),
        }
    }

    /// Ends all flows, or waits some seconds for those that end by themselves, and returns the transcript; see
    /// [`super::parse::flows`]. Call it after [`Load::wait_running`].
    ///
    /// # Errors
    /// If the transcript does not come, or not to its end.
    pub async fn stop(mut self) -> Result<String, LoadError> {
        self.send(self.last_order).await?;
        let mut bytes = Vec::new();
        let read = timeout(DRAIN, self.stdout.read_to_end(&mut bytes)).await;
        match read {
            Err(_) => return Err(self.silent("printed the results", DRAIN).await),
            Ok(Err(source)) => return Err(self.pipe(source).await),
            Ok(Ok(_)) => self.end().await,
        }
        let transcript = String::from_utf8_lossy(&bytes).into_owned();
        if super::parse::is_complete(&transcript) {
            return Ok(transcript);
        }
        let last = transcript.lines().next_back().unwrap_or("nothing").to_string();
        Err(self.broke_off(&format!("its results end with `{last}`")).await)
    }

    /// Ends all flows, throws their results away and returns when nothing is left.
    pub async fn abort(mut self) {
        self.end().await;
    }

    async fn send(&mut self, text: &str) -> Result<(), LoadError> {
        let Some(stdin) = self.launcher.stdin.as_mut() else {
            return Err(LoadError::BrokeOff("its stdin is closed".into()));
        };
        match timeout(SLACK, stdin.write_all(text.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(source)) => Err(self.pipe(source).await),
            Err(_) => Err(self.silent("taken orders", SLACK).await),
        }
    }

    /// The next line of the launcher.
    async fn event(&mut self, doing: &'static str, limit: Duration) -> Result<Event, LoadError> {
        let mut line = Vec::new();
        match timeout(limit, self.stdout.read_until(b'\n', &mut line)).await {
            Err(_) => return Err(self.silent(doing, limit).await),
            Ok(Err(source)) => return Err(self.pipe(source).await),
            Ok(Ok(_)) => (),
        }
        let line = String::from_utf8_lossy(&line);
        match Event::parse(&line) {
            Some(event) => Ok(event),
            None => Err(self.broke_off(line.trim()).await),
        }
    }

    /// The launcher names every flow that it found dead, one line each, before it ends.
    async fn died(&mut self, first: DeadFlow) -> LoadError {
        let mut dead = vec![first];
        while let Ok(Event::Died(next)) = self.event("named the dead flows", FAREWELL).await {
            dead.push(next);
        }
        LoadError::Died { dead, started: self.started }
    }

    async fn silent(&mut self, doing: &'static str, waited: Duration) -> LoadError {
        self.end().await;
        LoadError::Silent { doing, waited }
    }

    async fn pipe(&mut self, source: std::io::Error) -> LoadError {
        LoadError::Pipe { said: self.last_words().await, source }
    }

    async fn broke_off(&mut self, line: &str) -> LoadError {
        let said = self.last_words().await;
        LoadError::BrokeOff([line, &said].join(" ").trim().to_string())
    }

    /// Ends the launcher and returns what it wrote to stderr.
    async fn last_words(&mut self) -> String {
        self.end().await;
        self.launcher.last_words(FAREWELL).await
    }

    /// Closes stdin, which ends everything; a launcher that does not follow is ended with its whole process group.
    async fn end(&mut self) {
        if !self.launcher.end(FAREWELL).await {
            tracing::warn!("the launcher did not end");
        }
    }
}
