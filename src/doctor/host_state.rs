//! The state of a machine in one subject, as a rule chooses it.

/// The state that a rule chose, with the values of its texts.
pub(super) struct HostState {
    pub(super) name: &'static str,
    values: Vec<(&'static str, String)>,
}

impl HostState {
    pub(super) fn new(name: &'static str) -> HostState {
        HostState { name, values: Vec::new() }
    }

    pub(super) fn with(mut self, key: &'static str, value: impl ToString) -> HostState {
        self.values.push((key, value.to_string()));
        self
    }

    /// A text with the values in its braces.
    pub(super) fn fill(&self, text: &str) -> String {
        let fill = |text: String, (key, value): &(&str, String)| text.replace(&format!("{{{key}}}"), value);
        self.values.iter().fold(text.to_owned(), fill)
    }
}

/// A size in IEC units: `512 MiB`.
pub(super) fn size(kib: u64) -> String {
    bytesize::ByteSize(kib.saturating_mul(1024)).display().iec().to_string().replace(".0 ", " ")
}

/// `1 guest`, `2 guests`.
pub(super) fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}
