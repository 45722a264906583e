//! The console of a booting guest: read as it grows, its end kept, however much the guest prints.

use std::path::Path;

use super::appliance::{FAILED, READY};
use crate::machine::Machine;

/// Most bytes that are read at once, and most that are kept of what was read before.
const PART: u64 = 64 << 10;
const KEPT: usize = 16 << 10;

/// What the console shows of a guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsoleState {
    /// It still boots.
    Booting,
    /// It reported that its servers accept connections.
    Ready,
    /// It reported why it cannot start up.
    Failed(String),
}

/// The console file of one boot of a guest, with the end of its text.
pub struct Console<'m> {
    host: &'m Machine,
    path: String,
    offset: u64,
    text: Vec<u8>,
}

impl<'m> Console<'m> {
    /// From the beginning of the file `path` on `host`.
    pub fn new(host: &'m Machine, path: &Path) -> Console<'m> {
        let path = path.to_string_lossy().into_owned();
        Console { host, path, offset: 0, text: Vec::new() }
    }

    /// Reads what came since the last time, at most 64 KiB; a file that does not exist yet is empty.
    pub async fn read(&mut self) -> ConsoleState {
        let part = self.host.read_part(&self.path, self.offset, PART).await.unwrap_or_default();
        self.append(&part);
        state(&String::from_utf8_lossy(&self.text))
    }

    /// Whether nothing has been printed yet.
    pub fn is_empty(&self) -> bool {
        self.offset == 0
    }

    /// The last three lines, for a message.
    pub fn last_lines(&self) -> String {
        last_lines(&String::from_utf8_lossy(&self.text))
    }

    fn append(&mut self, part: &[u8]) {
        self.offset += part.len() as u64;
        self.text.drain(..self.text.len().saturating_sub(KEPT));
        self.text.extend_from_slice(part);
    }
}

fn state(text: &str) -> ConsoleState {
    // A reason counts when its line is complete.
    let mut lines = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    match lines.find_map(|line| line.split(FAILED).nth(1)) {
        Some(reason) => ConsoleState::Failed(reason.trim().to_owned()),
        None if text.contains(READY) => ConsoleState::Ready,
        None => ConsoleState::Booting,
    }
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() { "(nothing)".into() } else { lines[lines.len().saturating_sub(3)..].join(" | ") }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[tokio::test]
    async fn each_reading_continues_where_the_last_one_ended() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let machine = Machine::local();
        let mut console = Console::new(&machine, file.path());
        assert_eq!(console.read().await, ConsoleState::Booting);
        file.write_all(b"Linux\nkvmfair: re").unwrap();
        assert_eq!(console.read().await, ConsoleState::Booting);
        file.write_all(b"ady\n").unwrap();
        assert_eq!(console.read().await, ConsoleState::Ready);
        assert_eq!(console.offset, 21);
        assert_eq!(console.last_lines(), "Linux | kvmfair: ready");
    }

    #[tokio::test]
    async fn a_guest_that_prints_without_end_fills_no_memory_and_is_still_read_to_its_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&vec![b'x'; 300 << 10]).unwrap();
        file.write_all(b"\nkvmfair: ready\n").unwrap();
        let machine = Machine::local();
        let mut console = Console::new(&machine, file.path());
        let mut readings = 1;
        while console.read().await == ConsoleState::Booting {
            readings += 1;
            assert!(console.text.len() <= KEPT + PART as usize && readings < 10);
        }
        assert_eq!(readings, 5);
    }

    #[test]
    fn a_failure_is_reported_with_its_whole_reason() {
        assert_eq!(state("boot\nkvmfair: failed: no NIC"), ConsoleState::Booting);
        assert_eq!(state("boot\nkvmfair: failed: no NIC\r\n"), ConsoleState::Failed("no NIC".into()));
    }
}
