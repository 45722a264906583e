//! Standard output and standard error, and numbers in words.

use std::io::{IsTerminal, Write};

use anyhow::Result;

use super::exit::Exit;
use crate::report::terminal::Terminal;

/// Writes to standard output. A reader that has gone away (`kvmfair … | head`) is not an error.
///
/// # Errors
/// If standard output cannot be written for another reason.
pub fn print(text: &str) -> Result<Exit> {
    print_bytes(text.as_bytes())
}

/// The same of a file's content.
///
/// # Errors
/// As [`print()`].
pub fn print_bytes(bytes: &[u8]) -> Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    ignoring_closed_pipe(stdout.write_all(bytes).and_then(|()| stdout.flush()).map_err(Into::into))
}

/// How something that was written to standard output ended, where a reader that has gone away is not an error.
///
/// # Errors
/// The other ones.
pub fn ignoring_closed_pipe(written: Result<()>) -> Result<Exit> {
    let is_closed = |cause: &(dyn std::error::Error + 'static)| {
        let cause = cause.downcast_ref::<std::io::Error>();
        cause.is_some_and(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
    };
    match written {
        Err(error) if !error.chain().any(is_closed) => Err(error),
        _ => Ok(Exit::Success),
    }
}

/// Standard output as a renderer sees it: its width, or a fixed one elsewhere, so that logs look alike everywhere.
pub fn terminal() -> Terminal {
    let width = stdout_width().unwrap_or(120);
    Terminal { width, colour: colour(&std::io::stdout()) }
}

/// Writes to standard error. A failure to write there cannot be reported, and must not change the exit code.
pub fn print_stderr(text: &str) {
    let mut stderr = std::io::stderr().lock();
    drop(stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush()));
}

/// Whether a stream gets colours: it is a terminal, and NO_COLOR is not set.
pub fn colour(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Characters in a line of standard output, if it is a terminal.
pub fn stdout_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// The same of standard error.
pub fn stderr_width() -> Option<u16> {
    comfy_table::Table::new().use_stderr().width()
}

/// A text whose sentences fit a terminal: broken between words, with the rest of a sentence indented. Lines of tables and those with
/// colours are left as they are.
pub fn wrapped(text: &str, width: u16) -> String {
    let width = usize::from(width);
    let is_table = |line: &str| line.starts_with([' ', '─', '\u{1b}']);
    let line = |line: &str| {
        if is_table(line) || line.chars().count() <= width { line.to_owned() } else { broken(line, width) }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn broken(sentence: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) => lines.push(format!("  {word}")),
            None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// A text cut to so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A time in words: `8 s`, `3 min 20 s`, `2 h 5 min`.
pub fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

/// `1 trial`, `2 trials`.
pub fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_words() {
        assert_eq!(duration(7.6), "8 s");
        assert_eq!(duration(200.0), "3 min 20 s");
        assert_eq!(duration(7_500.0), "2 h 5 min");
    }

    #[test]
    fn sentences_are_broken_between_words_and_tables_are_not() {
        let text = "warning: one two three four\n table  with  many  columns  in  it\nshort\n";
        let expected = "warning: one\n  two three\n  four\n table  with  many  columns  in  it\nshort\n";
        assert_eq!(wrapped(text, 12), expected);
        assert_eq!(wrapped("aVeryLongWordIndeed next", 8), "aVeryLongWordIndeed\n  next");
    }

    #[test]
    fn a_status_that_is_too_long_ends_in_an_ellipsis() {
        assert_eq!((shortened("status", 6), shortened("status", 4)), ("status".into(), "sta…".into()));
    }

    #[test]
    fn a_noun_agrees_with_its_number() {
        assert_eq!(counted(1, "trial"), "1 trial");
        assert_eq!(counted(0, "trial"), "0 trials");
    }
}
