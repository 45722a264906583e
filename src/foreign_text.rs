//! Text that guests, other machines and run directories from elsewhere wrote, made safe to show: nothing in it can steer a terminal,
//! begin a line of its own, or turn the direction of what stands beside it.

use std::borrow::Cow;

/// The text on one line: line ends and tabs become spaces, other control characters and those that turn the direction of writing
/// their code, `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(|c: char| c.is_control() || is_steering(c)) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => safe.push(' '),
            other if other.is_control() || is_steering(other) => safe.extend(other.escape_unicode()),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

/// The same for several lines, which stay lines.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm (Unicode Standard Annex 9), other line ends, and the
/// byte order mark.
pub fn is_steering(character: char) -> bool {
    matches!(
        character,
        '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'
            | '\u{2029}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_or_turns_the_direction_of_writing_is_left() {
        assert_eq!(visible("plain – ünïcode µs"), "plain – ünïcode µs");
        assert_eq!(visible("a\u{1b}[2Jb\u{7}"), "a\\u{1b}[2Jb\\u{7}");
        assert_eq!(visible("\u{1b}]8;;http://x\u{1b}\\y\u{9b}1m"), "\\u{1b}]8;;http://x\\u{1b}\\y\\u{9b}1m");
        assert_eq!(visible("one\n# two\r\tthree"), "one # two  three");
        assert_eq!(visible("gpj.\u{202e}exe"), "gpj.\\u{202e}exe");
        assert_eq!(visible_lines("one\n\u{1b}two"), "one\n\\u{1b}two");
    }
}
