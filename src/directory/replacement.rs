//! The new content of a file, beside the old one until it is complete.

use std::fs::File;
use std::io::{self, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

use super::file_error::FileError;
use super::handle::Directory;

/// What names of temporary files begin and end with.
const PREFIX: &str = ".kvmfair-";
const ENDING: &str = ".partial";
/// Names that are tried; others of this process's number are taken by whoever had that number before, or by chance.
const NAMES: u32 = 1000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A file that takes the place of another one, or of none, once it is finished. Until then it has a name that nobody else uses, and
/// goes with the value.
#[derive(Debug)]
pub struct Replacement {
    directory: Directory,
    name: String,
    temporary: String,
    file: File,
    finished: bool,
}

/// Whether a file of this name was left by a process that was killed while it wrote.
pub fn is_temporary(name: &str) -> bool {
    name.starts_with(PREFIX) && name.ends_with(ENDING)
}

impl Directory {
    /// Replaces a file, or makes it: a reader sees the old content or the new, never a part.
    ///
    /// # Errors
    /// [`FileError`]; the old content is still there then.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let mut new = self.replace(name)?;
        new.write_all(bytes).map_err(FileError::system("write", &self.path.join(name)))?;
        new.finish()
    }

    /// The same in parts.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn replace(&self, name: &str) -> Result<Replacement, FileError> {
        let (parent, last) = self.split(name)?;
        parent.refuse_other_than_file(last)?;
        Replacement::begin(parent, last)
    }
}

impl Replacement {
    fn begin(directory: Directory, name: &str) -> Result<Replacement, FileError> {
        let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut refused = Errno::EEXIST;
        for _ in 0..NAMES {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let temporary = format!("{PREFIX}{}-{number}{ENDING}", std::process::id());
            match openat(&*directory.handle, &*temporary, flags, Mode::from_bits_truncate(0o666)) {
                Ok(file) => {
                    let (name, file) = (name.to_owned(), File::from(file));
                    return Ok(Replacement { directory, name, temporary, file, finished: false });
                }
                Err(Errno::EEXIST) => {}
                Err(cause) => {
                    refused = cause;
                    break;
                }
            }
        }
        Err(FileError::system("write", &directory.path.join(name))(refused))
    }

    /// Waits until the disk has the new content, and puts it in the place of the old.
    ///
    /// # Errors
    /// [`FileError::System`]; the old content is still there then.
    pub fn finish(self) -> Result<(), FileError> {
        self.file.sync_data().map_err(FileError::system("write", &self.directory.path.join(&self.name)))?;
        self.finish_unsynced()
    }

    /// The same without waiting: after a crash the file may be cut.
    ///
    /// # Errors
    /// As [`Replacement::finish`].
    pub fn finish_unsynced(mut self) -> Result<(), FileError> {
        self.directory.rename(&self.temporary, &self.name)?;
        self.finished = true;
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.finished {
            self.directory.remove(&self.temporary).ok(); // a reader ignores its name
        }
    }
}
