//! A tree of files in memory, and its form as a `newc` cpio archive, which the kernel unpacks into the guest's memory.
//!
//! The same tree always gives the same bytes: no times, no owners but root, inode numbers in order.

use std::io::{self, Write};

use cpio::newc::{Builder, ModeFileType, trailer};

/// Archives are padded to this many bytes, so that another can follow.
const BLOCK: usize = 512;

/// Files, directories and links by path, without the leading slash; a directory is added before what it contains.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    entries: Vec<ArchiveEntry>,
}

/// One file, directory or link.
#[derive(Clone, Debug)]
pub struct ArchiveEntry {
    /// Path in the guest, without the leading slash.
    pub path: String,
    /// Permission bits.
    pub mode: u32,
    /// Kind and content.
    pub content: Content,
}

/// The kind and content of an entry.
#[derive(Clone, Debug)]
pub enum Content {
    /// A directory.
    Directory,
    /// A file with its bytes.
    File(Vec<u8>),
    /// A symbolic link with its target.
    Link(String),
}

impl Tree {
    /// Adds a directory, and those above it, unless it exists; the mode applies to the last one, the others get 0755.
    pub fn directory(&mut self, path: &str, mode: u32) {
        let path = path.trim_matches('/');
        if path.is_empty() || self.contains(path) {
            return;
        }
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent, 0o755);
        }
        self.entries.push(ArchiveEntry { path: path.into(), mode, content: Content::Directory });
    }

    /// Adds a file with its directories; a second file at the same path replaces the first.
    pub fn file(&mut self, path: &str, mode: u32, bytes: Vec<u8>) {
        self.put(path, mode, Content::File(bytes));
    }

    /// Adds a symbolic link with its directories.
    pub fn link(&mut self, path: &str, target: &str) {
        self.put(path, 0o777, Content::Link(target.into()));
    }

    /// Whether there is an entry at `path`.
    pub fn contains(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| entry.path == path.trim_matches('/'))
    }

    /// All entries, in the order of the archive.
    pub fn entries(&self) -> &[ArchiveEntry] {
        &self.entries
    }

    fn put(&mut self, path: &str, mode: u32, content: Content) {
        let path = path.trim_matches('/');
        if let Some((parent, _)) = path.rsplit_once('/') {
            self.directory(parent, 0o755);
        }
        self.entries.retain(|entry| entry.path != path);
        self.entries.push(ArchiveEntry { path: path.into(), mode, content });
    }

    /// The archive, padded so that another may be appended.
    pub fn to_cpio(&self) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for (number, entry) in self.entries.iter().enumerate() {
            let (kind, bytes): (_, &[u8]) = match &entry.content {
                Content::Directory => (ModeFileType::Directory, &[]),
                Content::File(bytes) => (ModeFileType::Regular, bytes),
                Content::Link(target) => (ModeFileType::Symlink, target.as_bytes()),
            };
            let header =
                Builder::new(&entry.path).ino(number as u32 + 1).mode(entry.mode).set_mode_file_type(kind);
            let mut writer = header.write(out, bytes.len() as u32);
            writer.write_all(bytes)?;
            out = writer.finish()?;
        }
        out = trailer(out)?;
        out.resize(out.len().next_multiple_of(BLOCK), 0);
        Ok(out)
    }
}

/// Reads every archive of a concatenation back, as the kernel does: for tests only.
#[cfg(test)]
pub(super) fn read_all(bytes: &[u8]) -> Vec<ArchiveEntry> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    loop {
        while rest.starts_with(&[0, 0, 0, 0]) {
            rest = &rest[4..];
        }
        if rest.is_empty() {
            return entries;
        }
        let mut reader = cpio::NewcReader::new(rest).unwrap();
        if reader.entry().is_trailer() {
            rest = reader.finish().unwrap();
            continue;
        }
        let (path, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
        let mut content = Vec::new();
        io::Read::read_to_end(&mut reader, &mut content).unwrap();
        let content = match mode & 0o170_000 {
            0o040_000 => Content::Directory,
            0o120_000 => Content::Link(String::from_utf8(content).unwrap()),
            _ => Content::File(content),
        };
        entries.push(ArchiveEntry { path, mode: mode & 0o7777, content });
        rest = reader.finish().unwrap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Tree {
        let mut tree = Tree::default();
        tree.file("/usr/bin/netserver", 0o755, b"program".to_vec());
        tree.link("bin/sh", "busybox");
        tree.directory("root/.ssh", 0o700);
        tree
    }

    #[test]
    fn directories_come_before_what_they_contain() {
        let paths: Vec<_> = sample().entries().iter().map(|entry| entry.path.clone()).collect();
        assert_eq!(paths, ["usr", "usr/bin", "usr/bin/netserver", "bin", "bin/sh", "root", "root/.ssh"]);
    }

    #[test]
    fn the_archive_gives_back_modes_content_and_links() {
        let entries = read_all(&sample().to_cpio().unwrap());
        assert!(matches!(&entries[2].content, Content::File(bytes) if bytes == b"program"));
        assert_eq!(entries[2].mode, 0o755);
        assert!(matches!(&entries[4].content, Content::Link(target) if target == "busybox"));
        assert_eq!((entries[6].path.as_str(), entries[6].mode), ("root/.ssh", 0o700));
    }

    #[test]
    fn archives_are_reproducible_and_can_be_joined() {
        let one = sample().to_cpio().unwrap();
        assert_eq!(one, sample().to_cpio().unwrap());
        assert_eq!(one.len() % BLOCK, 0);
        assert_eq!(read_all(&[one.clone(), one].concat()).len(), 14);
    }

    #[test]
    fn a_later_file_replaces_an_earlier_one() {
        let mut tree = sample();
        tree.file("usr/bin/netserver", 0o700, b"other".to_vec());
        assert_eq!(tree.entries().iter().filter(|entry| entry.path == "usr/bin/netserver").count(), 1);
    }
}
