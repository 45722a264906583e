//! An open directory: files in it by their names, whatever others put there.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, renameat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat, mkdirat};
use nix::unistd::{UnlinkatFlags, geteuid, unlinkat};
use serde::{Deserialize, Serialize};

use super::file_error::FileError;

const REGULAR: &str = "a regular file";
const DIRECTORY: &str = "a directory";
/// Bits of a mode with which other users write.
pub const WRITTEN_BY_OTHERS: u32 = 0o022;
/// In a directory with this bit, nobody removes or renames what belongs to others.
const STICKY: u32 = 0o1000;

/// An open directory; clones share the handle.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(super) handle: Arc<OwnedFd>,
    pub(super) path: PathBuf,
}

/// The directory of a file that a user named, and its name there. Links that lead to the file are followed: they are the user's.
///
/// # Errors
/// [`FileError`] if there is no such directory.
pub fn parent_of(file: &Path) -> Result<(Directory, String), FileError> {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((Directory::open(parent)?, name))
}

/// Which file it is, and when it was last touched: not even a restored time hides a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Its inode.
    inode: u64,
    /// Its length.
    bytes: i64,
    /// When anything of it changed, s since 1970.
    changed_s: i64,
    /// The rest of that, ns.
    changed_ns: i64,
}

impl Directory {
    /// Opens a directory. Its own path may have links in it: they are the user's.
    ///
    /// # Errors
    /// [`FileError::System`]
    pub fn open(path: &Path) -> Result<Directory, FileError> {
        let handle = openat(AT_FDCWD, path, OFlag::O_DIRECTORY | OFlag::O_CLOEXEC, Mode::empty());
        let handle = Arc::new(handle.map_err(FileError::system("open", path))?);
        Ok(Directory { handle, path: path.to_owned() })
    }

    /// Where it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory in it.
    ///
    /// # Errors
    /// [`FileError::Kind`] if something else has that name.
    pub fn subdirectory(&self, name: &str) -> Result<Directory, FileError> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let mut directory = self.clone();
        for part in name.split('/') {
            let path = directory.path.join(part);
            let opened = openat(&*directory.handle, part, flags, Mode::empty());
            let handle = Arc::new(opened.map_err(|cause| directory.not_opened(part, DIRECTORY, cause))?);
            directory = Directory { handle, path };
        }
        Ok(directory)
    }

    /// Whether something has this name, whatever it is.
    pub fn has(&self, name: &str) -> bool {
        self.split(name).is_ok_and(|(parent, last)| parent.stat(last).is_ok())
    }

    /// Whether this is a directory.
    pub fn has_directory(&self, name: &str) -> bool {
        self.subdirectory(name).is_ok()
    }

    /// The content of a file of at most so many bytes.
    ///
    /// # Errors
    /// [`FileError`] if it is missing, is no regular file or is larger.
    pub fn read(&self, name: &str, most: u64) -> Result<Vec<u8>, FileError> {
        let (file, _) = self.open_file(name, OFlag::O_RDONLY, 0, "read")?;
        self.content(name, file, most)
    }

    /// The same of a file that nobody but this user and root can have written.
    ///
    /// # Errors
    /// [`FileError::Foreign`] for any other; those of [`Directory::read`].
    pub fn read_own(&self, name: &str, most: u64) -> Result<Vec<u8>, FileError> {
        let (file, stat) = self.open_file(name, OFlag::O_RDONLY, 0, "read")?;
        refuse_foreign(&self.path.join(name), &stat)?;
        self.content(name, file, most)
    }

    /// The stamp of a file: one with another stamp has been written since.
    ///
    /// # Errors
    /// [`FileError`] if it is missing or is no regular file.
    pub fn stamp(&self, name: &str) -> Result<FileStamp, FileError> {
        let (parent, last) = self.split(name)?;
        let stat = parent.stat(last).map_err(FileError::system("examine", &self.path.join(name)))?;
        parent.refuse_other(last, REGULAR, &stat)?;
        let (inode, bytes) = (stat.st_ino, stat.st_size);
        Ok(FileStamp { inode, bytes, changed_s: stat.st_ctime, changed_ns: stat.st_ctime_nsec })
    }

    /// Refuses a directory in which other users can put what they like.
    ///
    /// # Errors
    /// [`FileError::Foreign`]
    pub fn refuse_foreign(&self) -> Result<(), FileError> {
        refuse_foreign(&self.path, &self.stat_of_itself()?)
    }

    /// Its mode.
    ///
    /// # Errors
    /// [`FileError::System`]
    pub fn mode(&self) -> Result<u32, FileError> {
        Ok(self.stat_of_itself()?.st_mode)
    }

    /// Opens a file to add to its end; it is made with this mode if it is not there.
    ///
    /// # Errors
    /// [`FileError`]
    pub fn append(&self, name: &str, mode: u32) -> Result<File, FileError> {
        let flags = OFlag::O_RDWR | OFlag::O_APPEND | OFlag::O_CREAT;
        Ok(self.open_file(name, flags, mode, "append to")?.0)
    }

    /// Makes a directory in it, unless it is there.
    ///
    /// # Errors
    /// [`FileError::Kind`] if something else has that name.
    pub fn make(&self, name: &str) -> Result<(), FileError> {
        let (parent, last) = self.split(name)?;
        match mkdirat(&*parent.handle, last, Mode::from_bits_truncate(0o777)) {
            Ok(()) => Ok(()),
            Err(Errno::EEXIST) => self.subdirectory(name).map(drop),
            Err(cause) => Err(FileError::system("create", &self.path.join(name))(cause)),
        }
    }

    /// The names in it; those that are not UTF-8 are left out.
    ///
    /// # Errors
    /// [`FileError::System`]
    pub fn names(&self) -> Result<Vec<String>, FileError> {
        let refused = || FileError::system("read", &self.path);
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let listed = openat(&*self.handle, ".", flags, Mode::empty()).and_then(Dir::from_fd);
        let mut names = Vec::new();
        for entry in listed.map_err(refused())?.iter() {
            let entry = entry.map_err(refused())?;
            names.extend(entry.file_name().to_str().ok().map(str::to_owned));
        }
        names.retain(|name| name != "." && name != "..");
        Ok(names)
    }

    /// Gives a file another name.
    ///
    /// # Errors
    /// [`FileError::System`]
    pub fn rename(&self, from: &str, to: &str) -> Result<(), FileError> {
        let (old, from) = self.split(from)?;
        let (new, last) = self.split(to)?;
        renameat(&*old.handle, from, &*new.handle, last)
            .map_err(FileError::system("rename to", &self.path.join(to)))
    }

    /// Removes a file, or a link, never where it leads.
    ///
    /// # Errors
    /// [`FileError::System`]
    pub fn remove(&self, name: &str) -> Result<(), FileError> {
        let (parent, last) = self.split(name)?;
        unlinkat(&*parent.handle, last, UnlinkatFlags::NoRemoveDir)
            .map_err(FileError::system("remove", &self.path.join(name)))
    }

    /// The directory that holds a name, and the last part of it.
    pub(super) fn split<'n>(&self, name: &'n str) -> Result<(Directory, &'n str), FileError> {
        match name.rsplit_once('/') {
            Some((parents, last)) => Ok((self.subdirectory(parents)?, last)),
            None => Ok((self.clone(), name)),
        }
    }

    /// A file, once it is known to be a regular one: opening a device may do something by itself.
    fn open_file(
        &self,
        name: &str,
        flags: OFlag,
        mode: u32,
        action: &'static str,
    ) -> Result<(File, FileStat), FileError> {
        let path = self.path.join(name);
        let (parent, last) = self.split(name)?;
        match parent.stat(last) {
            Ok(stat) => parent.refuse_other(last, REGULAR, &stat)?,
            Err(Errno::ENOENT) if flags.contains(OFlag::O_CREAT) => {}
            Err(cause) => return Err(FileError::system(action, &path)(cause)),
        }
        let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
        let opened = openat(&*parent.handle, last, flags, Mode::from_bits_truncate(mode));
        let opened = opened.map_err(FileError::system(action, &path))?;
        let stat = fstat(opened.as_fd()).map_err(FileError::system(action, &path))?;
        parent.refuse_other(last, REGULAR, &stat)?; // it may have been replaced meanwhile
        Ok((File::from(opened), stat))
    }

    fn content(&self, name: &str, file: File, most: u64) -> Result<Vec<u8>, FileError> {
        let path = self.path.join(name);
        let refused = |cause: io::Error| FileError::System { action: "read", path: path.clone(), cause };
        let length = file.metadata().map_err(refused)?.len();
        if length > most {
            return Err(FileError::TooLarge { path, length, most });
        }
        let mut bytes = Vec::new();
        file.take(most + 1).read_to_end(&mut bytes).map_err(refused)?;
        match bytes.len() as u64 {
            length if length > most => Err(FileError::TooLarge { path, length, most }),
            _ => Ok(bytes),
        }
    }

    /// Refuses what is there under this name if it is no regular file.
    pub(super) fn refuse_other_than_file(&self, name: &str) -> Result<(), FileError> {
        self.stat(name).map_or(Ok(()), |stat| self.refuse_other(name, REGULAR, &stat))
    }

    fn stat(&self, name: &str) -> Result<FileStat, Errno> {
        fstatat(&*self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW)
    }

    fn stat_of_itself(&self) -> Result<FileStat, FileError> {
        fstat(self.handle.as_fd()).map_err(FileError::system("examine", &self.path))
    }

    fn refuse_other(&self, name: &str, wanted: &'static str, stat: &FileStat) -> Result<(), FileError> {
        let found = kind(stat);
        if found == wanted {
            return Ok(());
        }
        Err(FileError::Kind { path: self.path.join(name), found, wanted })
    }

    fn not_opened(&self, name: &str, wanted: &'static str, cause: Errno) -> FileError {
        let other = self.stat(name).ok().and_then(|stat| self.refuse_other(name, wanted, &stat).err());
        other.unwrap_or_else(|| FileError::system("open", &self.path.join(name))(cause))
    }
}

fn kind(stat: &FileStat) -> &'static str {
    match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => REGULAR,
        SFlag::S_IFDIR => DIRECTORY,
        SFlag::S_IFLNK => "a symbolic link",
        SFlag::S_IFIFO => "a FIFO",
        SFlag::S_IFSOCK => "a socket",
        _ => "a device",
    }
}

fn refuse_foreign(path: &Path, stat: &FileStat) -> Result<(), FileError> {
    let foreign = |what: String| Err(FileError::Foreign { path: path.to_owned(), what });
    let sticky = kind(stat) == DIRECTORY && stat.st_mode & STICKY != 0;
    match stat.st_uid {
        owner if owner != 0 && owner != geteuid().as_raw() => foreign(format!("belongs to user {owner}")),
        _ if stat.st_mode & WRITTEN_BY_OTHERS != 0 && !sticky => {
            foreign(format!("can be written by other users (mode {:04o})", stat.st_mode & 0o7777))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A directory with a file, and a link to it, beside a place that is not its own.
    fn directory() -> (tempfile::TempDir, Directory) {
        let base = tempfile::tempdir().unwrap();
        fs::create_dir_all(base.path().join("own/below")).unwrap();
        fs::create_dir(base.path().join("elsewhere")).unwrap();
        fs::write(base.path().join("own/file"), "content").unwrap();
        symlink("file", base.path().join("own/link")).unwrap();
        symlink(base.path().join("elsewhere"), base.path().join("own/out")).unwrap();
        let own = Directory::open(&base.path().join("own")).unwrap();
        (base, own)
    }

    fn refusal<T>(result: Result<T, FileError>) -> String {
        result.err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn no_name_leads_out_of_the_directory_whatever_is_done_with_it() {
        let (base, own) = directory();
        assert!(refusal(own.read("link", 10)).contains("must be a regular file, got a symbolic link"));
        assert!(refusal(own.append("link", 0o600)).contains("symbolic link"));
        assert!(refusal(own.write("link", b"new")).contains("symbolic link"));
        for refused in
            [own.write("out/new", b"new"), own.make("out/new"), own.make("out"), own.rename("file", "out/x")]
        {
            assert!(refusal(refused).contains("out must be a directory, got a symbolic link"));
        }
        assert_eq!(fs::read_dir(base.path().join("elsewhere")).unwrap().count(), 0);
        own.remove("link").unwrap();
        assert!(own.has("file") && !own.has("link"));
    }

    #[test]
    fn files_are_read_up_to_their_bound_and_replaced_as_a_whole() {
        let (_base, own) = directory();
        assert_eq!(own.read("file", 7).unwrap(), b"content");
        assert!(refusal(own.read("file", 6)).contains("must have at most 6 bytes, got 7"));
        assert!(
            own.read("none", 7).unwrap_err().is_missing() && own.read("none/x", 7).unwrap_err().is_missing()
        );
        own.write("below/file", b"new").unwrap();
        drop(own.replace("file").unwrap());
        assert_eq!(
            (own.read("below/file", 9).unwrap(), own.read("file", 9).unwrap()),
            (b"new".into(), b"content".into())
        );
        let mut names = own.names().unwrap();
        names.sort();
        assert_eq!(names, ["below", "file", "link", "out"]);
    }

    #[test]
    fn a_directory_written_by_others_is_foreign_unless_they_cannot_replace_what_is_in_it() {
        let (base, own) = directory();
        let mode =
            |mode| fs::set_permissions(base.path().join("own"), fs::Permissions::from_mode(mode)).unwrap();
        for (bits, is_own) in [(0o755, true), (0o775, false), (0o777, false), (0o1777, true)] {
            mode(bits);
            assert_eq!(own.refuse_foreign().is_ok(), is_own, "{bits:o}");
        }
    }
}
