//! The output of a command, read with bounds: output without end must neither fill the memory nor hold the run up.

use std::io::{self, ErrorKind, Read};
use std::process::Output;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;

/// The longest output of one command, bytes; a thousand guests and CPUs need less than a tenth of it.
pub const MAX_OUTPUT: usize = 16 << 20;

/// Waits for a process that may print `max` bytes on each of its two outputs, and reads both.
///
/// # Errors
/// [`ErrorKind::TimedOut`] after `limit`, [`ErrorKind::FileTooLarge`] for a longer output; other kinds if a pipe breaks.
pub async fn finish(mut child: Child, limit: Duration, max: usize) -> io::Result<Output> {
    let (mut stdout, mut stderr) = (child.stdout.take(), child.stderr.take());
    let outputs = async { tokio::try_join!(to_end(&mut stdout, max), to_end(&mut stderr, max)) };
    let ended = tokio::time::timeout(limit, async {
        let (stdout, stderr) = outputs.await?;
        Ok(Output { status: child.wait().await?, stdout, stderr })
    });
    ended.await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

async fn to_end(pipe: &mut Option<impl AsyncRead + Unpin>, max: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(max as u64 + 1).read_to_end(&mut bytes).await?;
    }
    within(bytes, max)
}

fn within(bytes: Vec<u8>, max: usize) -> io::Result<Vec<u8>> {
    if bytes.len() > max { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Reads the rest of an output; `wait_at_most` bounds the next read.
///
/// # Errors
/// As [`finish`].
pub fn read_until(
    deadline: Instant,
    mut output: impl Read,
    wait_at_most: impl Fn(Duration),
    max: usize,
) -> io::Result<Vec<u8>> {
    let (mut bytes, mut part) = (Vec::new(), [0; 16 << 10]);
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        wait_at_most(left);
        match output.read(&mut part)? {
            0 => return Ok(bytes),
            length => bytes.extend_from_slice(&part[..length]),
        }
        bytes = within(bytes, max)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocking_reads_end_at_the_deadline_and_at_the_longest_output() {
        let soon = || Instant::now() + Duration::from_millis(50);
        let endless = || io::repeat(b'x');
        let error = read_until(soon() + Duration::from_secs(60), endless(), |_| (), 1000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        let error = read_until(soon(), endless(), |_| (), usize::MAX).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert_eq!(read_until(soon(), &b"1234"[..], |_| (), 4).unwrap(), b"1234");
    }
}
