//! What a process prints, read with a bound in bytes and, where the reader blocks, in time: output without end must neither
//! fill the memory nor hold a trial.

use std::io::{self, Read};
use std::time::Instant;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt};

/// Longest line of any protocol that kvmfair speaks, bytes: the CPU times of a thousand flows need 20 KiB.
pub const MAX_LINE: u64 = 256 << 10;

/// The next line with its end, lossily decoded; empty at the end of the output.
///
/// # Errors
/// The pipe broke, or the line is longer than [`MAX_LINE`].
pub async fn read_line(output: &mut (impl AsyncBufRead + Unpin)) -> io::Result<String> {
    let mut line = Vec::new();
    output.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    if line.len() as u64 == MAX_LINE && !line.ends_with(b"\n") {
        return Err(io::Error::other(format!("it printed a line of more than {MAX_LINE} bytes")));
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Everything up to the end of the output, lossily decoded.
///
/// # Errors
/// The pipe broke, or there are more than `max` bytes.
pub async fn read_to_end(output: &mut (impl AsyncBufRead + Unpin), max: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    output.take(max + 1).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 > max {
        return Err(io::Error::other(format!("it printed more than {max} bytes")));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Most bytes of the output of one command over SSH: a kernel log has a few MiB at the most.
pub const MAX_OUTPUT: usize = 32 << 20;

/// Appends what a blocking source prints to `bytes`, until that is `complete` or the source ends; whether it is complete.
/// A source that is silent has to end the wait itself.
///
/// # Errors
/// The source broke, printed more than `max` bytes, or still printed after the deadline ([`io::ErrorKind::TimedOut`]).
pub fn read_within(
    source: &mut impl Read,
    bytes: &mut Vec<u8>,
    max: usize,
    deadline: Instant,
    complete: impl Fn(&[u8]) -> bool,
) -> io::Result<bool> {
    let mut part = [0; 16 << 10];
    while !complete(bytes) {
        if Instant::now() >= deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match source.read(&mut part)? {
            0 => return Ok(false),
            length => bytes.extend_from_slice(&part[..length]),
        }
        if bytes.len() > max {
            return Err(io::Error::other(format!("it printed more than {max} bytes")));
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{BufReader, repeat};

    use super::*;

    #[tokio::test]
    async fn lines_come_one_by_one_and_the_end_is_empty() {
        let mut output = &b"one\ntw\xffo\nlast"[..];
        for expected in ["one\n", "tw\u{fffd}o\n", "last", ""] {
            assert_eq!(read_line(&mut output).await.unwrap(), expected);
        }
    }

    #[tokio::test]
    async fn output_without_end_is_an_error_that_names_the_bound() {
        let error = read_line(&mut BufReader::new(repeat(b'x'))).await.unwrap_err();
        assert_eq!(error.to_string(), "it printed a line of more than 262144 bytes");
        let error = read_to_end(&mut BufReader::new(repeat(b'\n')), 1000).await.unwrap_err();
        assert_eq!(error.to_string(), "it printed more than 1000 bytes");
        assert_eq!(read_to_end(&mut &b"1234"[..], 4).await.unwrap(), "1234");
    }

    fn read(source: impl Read, max: usize, time: Duration) -> io::Result<(bool, Vec<u8>)> {
        let (mut source, mut bytes) = (source, Vec::new());
        let complete = |bytes: &[u8]| bytes.ends_with(b"end\n");
        read_within(&mut source, &mut bytes, max, Instant::now() + time, complete).map(|done| (done, bytes))
    }

    #[test]
    fn a_blocking_reader_stops_at_a_complete_answer_and_at_the_end_of_the_source() {
        let hour = Duration::from_secs(3600);
        assert_eq!(read(&b"1\nend\n"[..], 100, hour).unwrap(), (true, b"1\nend\n".to_vec()));
        assert_eq!(read(&b"1\nen"[..], 100, hour).unwrap(), (false, b"1\nen".to_vec()));
    }

    #[test]
    fn a_blocking_reader_refuses_output_without_end_by_its_size_and_by_its_time() {
        let error = read(io::repeat(b'x'), 1 << 20, Duration::from_secs(3600)).unwrap_err();
        assert_eq!(error.to_string(), "it printed more than 1048576 bytes");
        let error = read(io::repeat(b'x'), usize::MAX, Duration::ZERO).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
