//! Reads the counters of a VM host that is another machine: a script there, one sample for each line that it is sent.
//!
//! The pace is kept here and the moments are stamped there, so a slow network moves a sample and does not bend it.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::error::ProbeError;
use super::target::TargetWatch;
use super::transcript::{self, Memory, Printed};
use crate::machine::Machine;
use crate::machine::started::{FromProcess, Started};
use crate::raw::HostSample;

const SCRIPT: &str = include_str!("remote.sh");

/// For one sample.
const LIMIT: Duration = Duration::from_secs(20);

/// A running sampler. Dropping it ends it.
#[derive(Debug)]
pub struct RemoteSampler {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Vec<HostSample>, ProbeError>>,
}

impl RemoteSampler {
    /// Takes a first sample, then one at every interval, until it is stopped.
    ///
    /// # Errors
    /// If the host does not answer, or a target's process or interface is not there.
    pub async fn start(
        host: &Machine,
        targets: Vec<TargetWatch>,
        interval: Duration,
    ) -> Result<RemoteSampler, ProbeError> {
        let mut source = Source::open(host, targets).await?;
        let mut samples = vec![source.sample().await?];
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut due = Instant::now() + interval;
            loop {
                tokio::select! {
                    () = sleep_until(due) => samples.push(source.sample().await?),
                    _ = &mut stopped => break,
                }
                due = (due + interval).max(Instant::now());
            }
            samples.push(source.last_sample().await?);
            Ok(samples)
        });
        Ok(RemoteSampler { stop, task })
    }

    /// Takes a last sample and returns them all, in the order taken; stamped with the host's clock.
    ///
    /// # Errors
    /// If a counter could not be read at some time since the start, or a target is gone.
    pub async fn stop(self) -> Result<Vec<HostSample>, ProbeError> {
        drop(self.stop);
        self.task.await.map_err(|_| ProbeError::Broken)?
    }
}

/// The script on the host.
struct Source {
    process: Started,
    stdout: BufReader<FromProcess>,
    targets: Vec<TargetWatch>,
    memory: Memory,
}

impl Source {
    async fn open(host: &Machine, targets: Vec<TargetWatch>) -> Result<Source, ProbeError> {
        let unreadable = |source| ProbeError::Read { what: "the counters of the VM host".into(), source };
        let pids = targets.iter().map(|target| target.qemu_pid.unwrap_or(0).to_string());
        let words = ["sh", "-c", SCRIPT, "sampler"].map(str::to_owned).into_iter().chain(pids);
        let argv: Vec<String> = words.collect();
        let mut process = host.start(&argv).await.map_err(unreadable)?;
        let stdout = BufReader::new(process.stdout.take().ok_or(ProbeError::Broken)?);
        Ok(Source { process, stdout, targets, memory: Memory::default() })
    }

    async fn sample(&mut self) -> Result<HostSample, ProbeError> {
        let printed = self.ask().await?;
        let watches: Vec<_> = self.targets.iter().map(|t| (t.interface.clone(), t.invert)).collect();
        self.memory.sample(&printed, &watches).map_err(|target| self.explain(target, &printed))
    }

    /// A sample after which everything that was watched is still there; then the script ends.
    async fn last_sample(&mut self) -> Result<HostSample, ProbeError> {
        let printed = self.ask().await?;
        for (target, watch) in self.targets.iter().enumerate() {
            if let (Some(pid), Some(false)) = (watch.qemu_pid, printed.alive.get(target)) {
                return Err(ProbeError::QemuGone { target, pid });
            }
        }
        let watches: Vec<_> = self.targets.iter().map(|t| (t.interface.clone(), t.invert)).collect();
        let sample = self.memory.sample(&printed, &watches);
        self.process.end(LIMIT).await;
        sample.map_err(|target| self.explain(target, &printed))
    }

    async fn ask(&mut self) -> Result<Printed, ProbeError> {
        let unreadable = |source| ProbeError::Read { what: "the counters of the VM host".into(), source };
        let stdin = self.process.stdin.as_mut().ok_or(ProbeError::Broken)?;
        stdin.write_all(b"\n").await.map_err(unreadable)?;
        stdin.flush().await.map_err(unreadable)?;
        let mut text = String::new();
        loop {
            let start = text.len();
            let read = timeout(LIMIT, self.stdout.read_line(&mut text)).await;
            let late = |_| unreadable(std::io::Error::other("it does not answer"));
            if read.map_err(late)?.map_err(unreadable)? == 0 {
                return Err(unreadable(std::io::Error::other("the sampler there ended")));
            }
            if text[start..].starts_with(transcript::END) {
                let odd = || unreadable(std::io::Error::other("they are not as expected"));
                return transcript::printed(&text).ok_or_else(odd);
            }
        }
    }

    /// An interface vanishes with the QEMU that held it; then QEMU is what is missing.
    fn explain(&self, target: usize, printed: &Printed) -> ProbeError {
        let watch = &self.targets[target];
        match (watch.qemu_pid, printed.alive.get(target)) {
            (Some(pid), Some(false)) => ProbeError::QemuGone { target, pid },
            _ => ProbeError::InterfaceGone { target, interface: watch.interface.clone().unwrap_or_default() },
        }
    }
}
