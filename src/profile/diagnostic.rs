//! What is wrong with a profile: message, place and next step, rendered as rustc does or handed out as data.
//!
//! Nothing here knows what a profile means; `reader` and `validate` write the messages.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

/// More errors than this are counted in place of being described.
const MOST_DESCRIBED: usize = 20;

/// What is wrong so far: the first few in full, the others as a number, so that a file of nonsense costs no more than a slip.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issues {
    pub(super) made: Vec<Diagnostic>,
    /// How many there are beside those.
    pub(super) more: usize,
}

impl Issues {
    /// Adds one; `make` is not called where enough are described already.
    pub(super) fn add(&mut self, make: impl FnOnce() -> Diagnostic) {
        match self.made.len() < MOST_DESCRIBED {
            true => self.made.push(make()),
            false => self.more += 1,
        }
    }
}

impl From<Diagnostic> for Issues {
    fn from(diagnostic: Diagnostic) -> Issues {
        Issues { made: vec![diagnostic], more: 0 }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What is wrong: a lower-case fragment that names the thing.
    pub message: String,
    /// Where, in bytes of the text; `None` if the file could not be read as text.
    pub span: Option<Range<usize>>,
    /// A few words beside the mark; may be empty.
    pub label: String,
    /// Another place that has to do with it, and a few words beside its mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<(Range<usize>, String)>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// A message without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Diagnostic { message: message.into(), span: None, label: String::new(), also: None, hint: None }
    }

    /// The same, pointing at a part of the text.
    pub fn at(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.span = Some(span);
        self.label = label.into();
        self
    }

    /// The same, marking another place as well.
    pub fn also(mut self, span: Range<usize>, label: impl Into<String>) -> Self {
        self.also = Some((span, label.into()));
        self
    }

    /// The same with a next step.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// A place in a text, as editors count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// The position of a byte of a text; an offset beyond the end counts as the end.
    pub fn at_offset(text: &str, offset: usize) -> Self {
        let boundary = (0..=offset.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        let before = &text[..boundary.unwrap_or(0)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = before.matches('\n').count() + 1;
        Position { line, column: before[line_start..].chars().count() + 1 }
    }
}

/// A profile that cannot be used, with everything that is known to be wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileError {
    /// The file, as the user named it.
    pub path: PathBuf,
    /// At least one and at most 20; in the order of the text.
    pub diagnostics: Vec<Diagnostic>,
    /// How many errors there are beside those.
    pub more: usize,
    text: String,
}

impl ProfileError {
    /// Gathers what is wrong; `text` is what the spans point into.
    pub fn new(path: &Path, text: &str, issues: impl Into<Issues>) -> Self {
        let Issues { made: mut diagnostics, more } = issues.into();
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.as_ref().map(|span| span.start));
        ProfileError { path: path.into(), diagnostics, more, text: text.into() }
    }

    /// Line and column of one of the diagnostics.
    pub fn position(&self, diagnostic: &Diagnostic) -> Option<Position> {
        diagnostic.span.as_ref().map(|span| Position::at_offset(&self.text, span.start))
    }

    /// The whole message for a terminal: file:line:column, the offending text marked, `help:` with the next step.
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let path = self.path.display().to_string();
        let one = |diagnostic| renderer.render(&[self.group(diagnostic, &path)]);
        let more = (self.more > 0).then(|| format!("and {} more errors", with_thousands(self.more)));
        self.diagnostics.iter().map(one).chain(more).collect::<Vec<_>>().join("\n\n")
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic, path: &'a str) -> Group<'a> {
        let title = Level::ERROR.primary_title(&diagnostic.message);
        let group = match &diagnostic.span {
            Some(span) => title.element(self.snippet(span, diagnostic, path)),
            None => title.element(Origin::path(path)),
        };
        match &diagnostic.hint {
            Some(hint) => group.element(Level::HELP.message(hint)),
            None => group,
        }
    }

    fn snippet<'a>(
        &'a self,
        span: &Range<usize>,
        Diagnostic { label, also, .. }: &'a Diagnostic,
        path: &'a str,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mark = AnnotationKind::Primary.span(span.clone());
        let mark = if label.is_empty() { mark } else { mark.label(label) };
        let also = also.iter().map(|(span, label)| AnnotationKind::Context.span(span.clone()).label(label));
        Snippet::source(&self.text).path(path).annotation(mark).annotations(also)
    }
}

/// `19,980`.
fn with_thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    groups.into_iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",")
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for ProfileError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str, span: Range<usize>) -> ProfileError {
        let diagnostic = Diagnostic::new("a fault").at(span, "here").hint("mend it");
        ProfileError::new(Path::new("p.toml"), text, diagnostic)
    }

    /// What is rendered after `p.toml:`.
    fn rendered_position(error: &ProfileError) -> String {
        let text = error.render(false);
        let place = text.split("p.toml:").nth(1).expect("a place");
        place.lines().next().expect("a line").to_string()
    }

    #[test]
    fn columns_count_characters_and_agree_with_what_is_rendered() {
        for (text, offset) in
            [("a = 1", 4), ("é = \"ü\" # x", 5), ("\r\nb = 2\r\n", 6), ("\tx = 1", 1), ("", 0)]
        {
            let error = error(text, offset..offset);
            let position = error.position(&error.diagnostics[0]).expect("a span");
            assert_eq!(
                rendered_position(&error),
                format!("{}:{}", position.line, position.column),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_offset_beyond_the_end_counts_as_the_end() {
        assert_eq!(Position::at_offset("ab", 10), Position { line: 1, column: 3 });
    }

    #[test]
    fn errors_beyond_the_first_twenty_are_counted_and_never_made() {
        let (mut issues, mut made) = (Issues::default(), 0);
        for _ in 0..20_000 {
            issues.add(|| {
                made += 1;
                Diagnostic::new("a fault").at(0..1, "")
            });
        }
        assert_eq!((made, issues.more), (20, 19_980));
        let text = ProfileError::new(Path::new("p.toml"), "a = 1", issues).render(false);
        assert_eq!(text.matches("error: a fault").count(), 20);
        assert!(text.ends_with("and 19,980 more errors"), "{}", &text[text.len() - 60..]);
    }

    #[test]
    fn colour_is_a_choice() {
        let error = error("a = 1", 4..5);
        assert!(!error.render(false).contains('\x1b'));
        assert!(error.render(true).contains('\x1b'));
    }
}
