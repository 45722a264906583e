//! The report for people: one line for each subject, and below it its effect on guests and how to change it.
//!
//! The caller decides width and colour. Commands are never wrapped, so that they can be copied.

use super::subject::{Diagnosis, HostReport, Rating};
use crate::report::terminal::Terminal;

/// Width of the margin, and of the column of ratings with two spaces after it.
const INDENT: usize = 2;
const RATING: usize = "unknown".len() + 2;
/// Narrower than this, each word would have a line of its own.
const NARROWEST: usize = 60;

const BOLD: &str = "1";
const FAINT: &str = "2";

/// The page: groups, their subjects, and a line of counts. A good subject has one line, unless `all` are explained.
pub fn page(report: &HostReport, terminal: Terminal, all: bool) -> String {
    let names = report.subjects.iter().map(|subject| subject.subject.chars().count());
    let page = Page { terminal, all, names: names.max().unwrap_or(0) + 2 };
    let mut text = String::new();
    let mut group = "";
    for subject in &report.subjects {
        if subject.group != group {
            group = &subject.group;
            text.push_str(&format!("{}\n", page.painted(group, BOLD)));
        }
        page.subject(&mut text, subject);
    }
    text.push_str(&format!("\n{}\n", counts(report)));
    text
}

/// `2 bad, 7 to note, 3 unknown, 21 good`.
fn counts(report: &HostReport) -> String {
    let counts = [
        (Rating::Bad, "bad"),
        (Rating::Note, "to note"),
        (Rating::Unknown, "unknown"),
        (Rating::Good, "good"),
    ];
    counts.map(|(rating, word)| format!("{} {word}", report.count(rating))).join(", ")
}

struct Page {
    terminal: Terminal,
    all: bool,
    /// Width of the column of names.
    names: usize,
}

impl Page {
    fn subject(&self, text: &mut String, subject: &Diagnosis) {
        let margin = INDENT + RATING + self.names;
        let rating = self.painted(subject.rating.word(), colour(subject.rating));
        let space = " ".repeat(RATING - subject.rating.word().len());
        let head = format!("{:INDENT$}{rating}{space}{:width$}", "", subject.subject, width = self.names);
        text.push_str(&head);
        text.push_str(&self.wrapped(&subject.found, margin).join(&format!("\n{}", " ".repeat(margin))));
        text.push('\n');
        if subject.rating == Rating::Good && !self.all {
            return;
        }
        let margin = INDENT + RATING;
        for line in self.wrapped(&subject.effect, margin) {
            text.push_str(&format!("{:margin$}{}\n", "", self.painted(&line, FAINT)));
        }
        if let Some(change) = &subject.change {
            text.push_str(&format!("{:margin$}change: {change}\n", ""));
        }
    }

    /// A sentence wrapped into lines that fit beside a margin.
    fn wrapped(&self, sentence: &str, margin: usize) -> Vec<String> {
        let width = usize::from(self.terminal.width).max(NARROWEST) - margin;
        let mut lines: Vec<String> = Vec::new();
        for word in sentence.split_whitespace() {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                    line.extend([" ", word])
                }
                _ => lines.push(word.into()),
            }
        }
        lines
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.terminal.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }
}

/// Red, yellow and green, as in the other commands.
fn colour(rating: Rating) -> &'static str {
    match rating {
        Rating::Good => "32",
        Rating::Unknown => FAINT,
        Rating::Note => "33",
        Rating::Bad => "31",
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn render(machine: &str, width: u16, colour: bool, all: bool) -> String {
        page(&fixture::report(machine), Terminal { width, colour }, all)
    }

    #[test]
    fn the_page_of_every_machine() {
        for machine in fixture::MACHINES {
            insta::assert_snapshot!(machine, render(machine, 100, false, false));
        }
    }

    #[test]
    fn a_narrow_page_that_explains_everything() {
        insta::assert_snapshot!(render("two-socket-intel", 80, false, true));
    }

    #[test]
    fn no_line_but_a_command_is_wider_than_the_terminal() {
        for machine in fixture::MACHINES {
            for width in [80, 100, 140] {
                let page = render(machine, width, false, true);
                let lines = page.lines().filter(|line| !line.trim_start().starts_with("change: "));
                for line in lines {
                    assert!(line.chars().count() <= usize::from(width), "{machine} {width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colours_appear_only_when_asked_for() {
        assert!(!render("amd-epyc", 100, false, true).contains('\u{1b}'));
        assert!(render("amd-epyc", 100, true, true).contains("\u{1b}[32mgood\u{1b}[0m"));
    }
}
