//! Lines that a process prints, read with a bound: output without end must not fill the memory.

use std::io;

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

#[cfg(test)]
mod tests {
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
}
