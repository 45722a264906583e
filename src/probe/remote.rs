//! Reads the counters of a remote VM host: a script on it prints one sample for each line that it receives.
//!
//! This side sets the pace and the script takes the time stamps: a slow network delays a sample but does not distort it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncWriteExt, BufReader};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::error::ProbeError;
use super::target::TargetWatch;
use super::transcript::{self, PrintedSample, ThreadTotals};
use crate::machine::Machine;
use crate::machine::line::read_line;
use crate::machine::started::{FromProcess, Started};
use crate::raw::HostSample;

const SCRIPT: &str = include_str!("remote.sh");

/// Largest sample, bytes: 1000 guests with 100 threads each print 4 MiB.
const MAX_SAMPLE: usize = 16 << 20;

/// Deadline of one sample.
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
    /// If the host does not answer, or a target has no process or interface of that name.
    pub async fn start(
        host: &Machine,
        targets: Vec<TargetWatch>,
        interval: Duration,
    ) -> Result<RemoteSampler, ProbeError> {
        let mut script = ScriptSession::open(host, targets).await?;
        let mut samples = vec![script.sample().await?];
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let mut due = Instant::now() + interval;
            loop {
                tokio::select! {
                    () = sleep_until(due) => samples.push(script.sample().await?),
                    _ = &mut stopped => break,
                }
                due = (due + interval).max(Instant::now());
            }
            samples.push(script.last_sample().await?);
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
struct ScriptSession {
    process: Started,
    stdout: BufReader<FromProcess>,
    targets: Vec<TargetWatch>,
    totals: ThreadTotals,
}

impl ScriptSession {
    async fn open(host: &Machine, targets: Vec<TargetWatch>) -> Result<ScriptSession, ProbeError> {
        let unreadable = |source| ProbeError::Read { what: "the counters of the VM host".into(), source };
        let pids = targets.iter().map(|target| target.qemu_pid.unwrap_or(0).to_string());
        let words = ["sh", "-c", SCRIPT, "sampler"].map(str::to_owned).into_iter().chain(pids);
        let argv: Vec<String> = words.collect();
        let mut process = host.start(&argv).await.map_err(unreadable)?;
        let stdout = BufReader::new(process.stdout.take().ok_or(ProbeError::Broken)?);
        Ok(ScriptSession { process, stdout, targets, totals: ThreadTotals::default() })
    }

    async fn sample(&mut self) -> Result<HostSample, ProbeError> {
        let printed = self.request().await?;
        self.host_sample(&printed)
    }

    /// A sample after which every QEMU still runs; then the script ends.
    async fn last_sample(&mut self) -> Result<HostSample, ProbeError> {
        let printed = self.request().await?;
        let sample = match (0..self.targets.len()).find(|target| !self.alive(*target, &printed)) {
            Some(target) => Err(self.targets[target].gone(target, false)),
            None => self.host_sample(&printed),
        };
        self.process.end(LIMIT).await;
        sample
    }

    fn host_sample(&mut self, printed: &PrintedSample) -> Result<HostSample, ProbeError> {
        let watches: Vec<_> = self.targets.iter().map(|t| (t.interface.clone(), t.invert)).collect();
        let sample = self.totals.sample(printed, &watches);
        sample.map_err(|target| self.targets[target].gone(target, self.alive(target, printed)))
    }

    /// Whether the QEMU of a target runs; true if it has none.
    fn alive(&self, target: usize, printed: &PrintedSample) -> bool {
        self.targets[target].qemu_pid.is_none() || printed.alive.get(target) != Some(&false)
    }

    async fn request(&mut self) -> Result<PrintedSample, ProbeError> {
        let unreadable = |source| ProbeError::Read { what: "the counters of the VM host".into(), source };
        let stdin = self.process.stdin.as_mut().ok_or(ProbeError::Broken)?;
        stdin.write_all(b"\n").await.map_err(unreadable)?;
        stdin.flush().await.map_err(unreadable)?;
        let read = timeout(LIMIT, read_sample(&mut self.stdout)).await;
        let text = read
            .unwrap_or_else(|_| Err(io::Error::other(format!("no sample within {} s", LIMIT.as_secs()))))
            .map_err(unreadable)?;
        transcript::parse(&text).ok_or_else(|| unreadable(io::Error::other("an incomplete sample")))
    }
}

/// The text of one sample, up to and with the line that ends it.
async fn read_sample(output: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut text = String::new();
    while text.len() < MAX_SAMPLE {
        let line = read_line(output).await?;
        if line.is_empty() {
            return Err(io::Error::other("the sampling script ended"));
        }
        text.push_str(&line);
        if line.starts_with(transcript::END) {
            return Ok(text);
        }
    }
    Err(io::Error::other(format!("a sample has more than {MAX_SAMPLE} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sample_ends_with_its_last_line_and_one_without_end_is_an_error() {
        let mut output = &b"== sample 1\n== end 2\n== sample 3\n"[..];
        assert_eq!(read_sample(&mut output).await.unwrap(), "== sample 1\n== end 2\n");
        assert_eq!(read_sample(&mut output).await.unwrap_err().to_string(), "the sampling script ended");
        let endless = "1 2 3 comm\n".repeat(MAX_SAMPLE / 8);
        let error = read_sample(&mut endless.as_bytes()).await.unwrap_err();
        assert_eq!(error.to_string(), "a sample has more than 16777216 bytes");
    }
}
