//! What has to be undone, written and synced before it is done: one JSON line each.
//!
//! Changes inside the run's namespaces need no line: they end with the last process in them. The journal is for the rest.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use super::change::Change;
use super::login::Location;
use crate::directory::{Directory, FileError};

/// A change, and the machine that it was made on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The machine.
    pub machine: Location,
    /// The change.
    pub change: Change,
}

impl Entry {
    /// A change of this machine.
    pub fn local(change: Change) -> Entry {
        Entry { machine: Location::Local, change }
    }
}

/// The journal of one run; clones write to the same file.
#[derive(Clone, Debug)]
pub struct Journal {
    file: Arc<Mutex<File>>,
    path: PathBuf,
}

/// The journal cannot be written: a change that it does not hold must not be made.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JournalError(#[from] FileError);

const NAME: &str = "journal.jsonl";
/// Nobody but the user who runs kvmfair writes what will be undone.
const PRIVATE: u32 = 0o600;
/// The largest journal that is read, bytes: a line has some 200 bytes, and a guest some ten lines for each configuration.
const LARGEST: u64 = 1 << 30;

impl Journal {
    /// Opens the journal of a state directory.
    ///
    /// # Errors
    /// [`JournalError`] if the file cannot be written.
    pub fn open(dir: &Path) -> Result<Journal, JournalError> {
        let file = Directory::open(dir)?.append(NAME, PRIVATE)?;
        Ok(Journal { file: Arc::new(Mutex::new(file)), path: dir.join(NAME) })
    }

    /// Writes one line and waits until the disk has it. Only then may the change be made.
    ///
    /// # Errors
    /// [`JournalError`] if the disk refuses; the change must not be made then.
    pub fn before(&self, entry: &Entry) -> Result<(), JournalError> {
        let failed = |cause| JournalError(FileError::system("write", &self.path)(cause));
        let mut line = serde_json::to_string(entry).map_err(|error| failed(error.into()))?;
        line.push('\n');
        let mut file = self.file.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        append(&mut file, line.as_bytes()).map_err(failed)
    }
}

/// Appends a whole line or nothing. Of a line that was cut short, by a full disk or a kill, the change was never made: it
/// goes, or the next line would be glued to it and both be lost.
fn append(file: &mut File, line: &[u8]) -> std::io::Result<()> {
    let end = whole_lines(file)?;
    if end < file.metadata()?.len() {
        file.set_len(end)?;
    }
    let written = file.write_all(line).and_then(|()| file.sync_data());
    if written.is_err() {
        let _ = file.set_len(end); // or the next line does it
    }
    written
}

/// Where the last whole line ends.
fn whole_lines(file: &File) -> std::io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut last = [0];
    while end > 0 {
        file.read_exact_at(&mut last, end - 1)?;
        if last == *b"\n" {
            break;
        }
        end -= 1;
    }
    Ok(end)
}

/// The content of a journal.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// What has to be undone, last change first.
    pub entries: Vec<Entry>,
    /// What was done too, perhaps, but cannot be read: in words.
    pub unreadable: Vec<String>,
}

/// What a state directory has to undo. A last line without its end was never acted upon; a whole line that this version cannot
/// read was, and is reported. A journal that another user can have written is not acted upon.
pub fn read(dir: &Path) -> Recorded {
    let path = dir.join(NAME);
    let content = match Directory::open(dir).and_then(|dir| dir.read_own(NAME, LARGEST)) {
        Ok(content) => content,
        Err(error) if error.is_missing() => return Recorded::default(),
        Err(error) => return Recorded { unreadable: vec![error.to_string()], ..Recorded::default() },
    };
    let mut recorded = Recorded::default();
    for (number, line) in (1..).zip(content.split_inclusive(|byte| *byte == b'\n')) {
        match serde_json::from_slice(line) {
            Ok(entry) => recorded.entries.push(entry),
            Err(_) if !line.ends_with(b"\n") => {}
            Err(error) => recorded.unreadable.push(unreadable(&path, number, &error)),
        }
    }
    recorded.entries.reverse();
    recorded
}

fn unreadable(path: &Path, line: u32, error: &serde_json::Error) -> String {
    format!(
        "line {line} of {} cannot be read: {error} (hint: clean with the version that wrote it, or undo it by hand and \
         remove the line)",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use super::*;

    fn domain(name: &str) -> Entry {
        Entry::local(Change::Domain { name: name.into() })
    }

    fn processes() -> Entry {
        Entry::local(Change::Processes)
    }

    /// A journal with one line, and then these bytes.
    fn journal_and(bytes: &[u8]) -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        journal.before(&processes()).unwrap();
        journal.file.lock().unwrap().write_all(bytes).unwrap();
        (dir, journal)
    }

    #[test]
    fn the_last_change_is_undone_first_and_a_torn_line_is_skipped() {
        let (dir, journal) = journal_and(b"");
        journal.before(&domain("kf-abc234-g1")).unwrap();
        journal.file.lock().unwrap().write_all(b"{\"domain\":{\"na").unwrap();
        let entries = vec![domain("kf-abc234-g1"), processes()];
        assert_eq!(read(dir.path()), Recorded { entries, unreadable: vec![] });
    }

    #[test]
    fn a_line_after_one_that_was_cut_short_is_a_line_of_its_own() {
        let (dir, journal) = journal_and(b"{\"domain\":{\"na");
        journal.before(&domain("kf-abc234-g2")).unwrap();
        let entries = vec![domain("kf-abc234-g2"), processes()];
        assert_eq!(read(dir.path()), Recorded { entries, unreadable: vec![] });
    }

    #[test]
    fn a_whole_line_that_cannot_be_read_is_reported_and_those_behind_it_are_undone() {
        for line in [&b"\xff\xfe\n"[..], b"{\"planet\":{}}\n", b"{\"domain\":{\"na{\"processes\"}\n"] {
            let (dir, journal) = journal_and(line);
            journal.before(&domain("kf-abc234-g2")).unwrap();
            let recorded = read(dir.path());
            assert_eq!(recorded.entries, [domain("kf-abc234-g2"), processes()]);
            let [reported] = &recorded.unreadable[..] else { panic!("{recorded:?}") };
            assert!(reported.contains("line 2 of ") && reported.contains(NAME), "{reported}");
        }
    }

    #[test]
    fn a_disk_without_room_for_a_line_forbids_the_change() {
        let full = OpenOptions::new().read(true).append(true).open("/dev/full").unwrap();
        let journal = Journal { file: Arc::new(Mutex::new(full)), path: "/dev/full".into() };
        assert!(journal.before(&processes()).is_err());
    }

    #[test]
    fn a_journal_that_another_user_can_have_written_is_not_acted_upon() {
        use std::os::unix::fs::{PermissionsExt, chown};
        let (dir, _) = journal_and(b"");
        let path = dir.path().join(NAME);
        for (owner, mode, words) in
            [(0, 0o602, "written by other users (mode 0602)"), (65534, 0o600, "user 65534")]
        {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            chown(&path, Some(owner), None).unwrap();
            let Recorded { entries, unreadable } = read(dir.path());
            let [reason] = &unreadable[..] else { panic!("{unreadable:?}") };
            assert!(entries.is_empty() && reason.contains(words) && reason.contains(NAME), "{reason}");
        }
    }

    #[test]
    fn a_state_without_a_journal_has_nothing_to_undo() {
        assert_eq!(read(Path::new("/no/such/state")), Recorded::default());
    }
}
