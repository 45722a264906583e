//! The answer for people: one line for each subject, and below it what it does to guests and how to change it.
//!
//! Width and colour are given, not asked for. Commands are never broken, so that they can be copied.

use super::subject::{HostReport, Subject, Verdict};
use crate::report::terminal::Terminal;

/// Columns before the verdict, the subject, the found; each with two spaces behind it.
const INDENT: usize = 2;
const VERDICT: usize = "unknown".len() + 2;
/// Narrower than this, words would stand one below the other.
const NARROWEST: usize = 60;

const BOLD: &str = "1";
const FAINT: &str = "2";

/// The page: groups, their subjects, and a line that counts. What is good has one line, unless `all` of it is explained.
pub fn page(report: &HostReport, terminal: Terminal, all: bool) -> String {
    let page = Page { terminal, all, subjects: widest(report) + 2 };
    let mut text = String::new();
    let mut group = "";
    for subject in &report.subjects {
        if subject.group != group {
            group = subject.group;
            text.push_str(&format!("{}\n", page.painted(group, BOLD)));
        }
        page.subject(&mut text, subject);
    }
    text.push_str(&format!("\n{}\n", counts(report)));
    text
}

/// `2 bad, 7 to note, 3 unknown, 21 good`.
fn counts(report: &HostReport) -> String {
    let of = |verdict, word| format!("{} {word}", report.count(verdict));
    [
        of(Verdict::Bad, "bad"),
        of(Verdict::Note, "to note"),
        of(Verdict::Unknown, "unknown"),
        of(Verdict::Good, "good"),
    ]
    .join(", ")
}

fn widest(report: &HostReport) -> usize {
    report.subjects.iter().map(|subject| subject.subject.chars().count()).max().unwrap_or(0)
}

struct Page {
    terminal: Terminal,
    all: bool,
    subjects: usize,
}

impl Page {
    fn subject(&self, text: &mut String, subject: &Subject) {
        let margin = INDENT + VERDICT + self.subjects;
        let verdict = self.painted(subject.verdict.word(), colour(subject.verdict));
        let space = " ".repeat(VERDICT - subject.verdict.word().len());
        let head = format!("{:INDENT$}{verdict}{space}{:width$}", "", subject.subject, width = self.subjects);
        text.push_str(&head);
        text.push_str(&self.filled(&subject.found, margin).join(&format!("\n{}", " ".repeat(margin))));
        text.push('\n');
        if subject.verdict == Verdict::Good && !self.all {
            return;
        }
        let margin = INDENT + VERDICT;
        for line in self.filled(&subject.effect, margin) {
            text.push_str(&format!("{:margin$}{}\n", "", self.painted(&line, FAINT)));
        }
        if let Some(change) = &subject.change {
            text.push_str(&format!("{:margin$}change: {change}\n", ""));
        }
    }

    /// A sentence in lines that fit beside a margin.
    fn filled(&self, sentence: &str, margin: usize) -> Vec<String> {
        let width = usize::from(self.terminal.width).max(NARROWEST) - margin;
        let mut lines = vec![String::new()];
        for word in sentence.split_whitespace() {
            let line = lines.last_mut().expect("there is always a line");
            if line.is_empty() {
                line.push_str(word);
            } else if line.chars().count() + 1 + word.chars().count() <= width {
                line.push(' ');
                line.push_str(word);
            } else {
                lines.push(word.into());
            }
        }
        lines
    }

    fn painted(&self, text: &str, code: &str) -> String {
        if self.terminal.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.into() }
    }
}

/// Red, yellow and green as the other commands have them.
fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "32",
        Verdict::Unknown => FAINT,
        Verdict::Note => "33",
        Verdict::Bad => "31",
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
