//! The files that `export` and `chart` write: complete or not there, and never in place of another.

use std::fs::{self, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use tempfile::{Builder, NamedTempFile};

use super::json::ExportedTable;
use crate::table::{FileFormat, Sink, Table, TableWriter};

/// Bytes that are written at once.
const BUFFER: usize = 1 << 16;

/// Where tables are written to.
pub(super) enum Destination {
    Stdout,
    /// The file of a single table.
    File(PathBuf),
    /// A directory with a file for each table.
    Directory(PathBuf),
}

impl Destination {
    /// Of so many tables, as the user names it.
    pub fn new(out: Option<&Path>, run: &str, tables: usize) -> Destination {
        match out {
            None => Destination::Directory(format!("{run}-export").into()),
            Some(out) if out.as_os_str() == "-" => Destination::Stdout,
            Some(out) if tables == 1 && !is_directory(out) => Destination::File(out.to_owned()),
            Some(out) => Destination::Directory(out.to_owned()),
        }
    }

    /// The file of a table; `None` on standard output.
    fn path(&self, table: &str, format: &FileFormat) -> Option<PathBuf> {
        match self {
            Destination::Stdout => None,
            Destination::File(path) => Some(path.clone()),
            Destination::Directory(path) => Some(path.join(format!("{table}.{}", format.extension))),
        }
    }
}

/// Files that are being written.
pub(super) struct ExportedFiles {
    format: &'static FileFormat,
    destination: Destination,
    files: Vec<ExportedFile>,
}

struct ExportedFile {
    table: &'static str,
    writer: Box<dyn TableWriter>,
    rows: usize,
    /// Under another name until it is complete; `None` on standard output.
    file: Option<(PathBuf, NamedTempFile)>,
}

impl ExportedFiles {
    /// # Errors
    /// If a file is there already, the directory cannot be made, or several tables are to go to standard output.
    pub fn new(
        format: &'static FileFormat,
        destination: Destination,
        tables: &[&str],
    ) -> Result<ExportedFiles> {
        ensure!(
            tables.len() == 1 || !matches!(destination, Destination::Stdout),
            "--out - must be of one table, got {} (hint: name one by --table)",
            tables.len()
        );
        let paths = tables.iter().filter_map(|table| destination.path(table, format));
        if let Some(path) = paths.into_iter().find(|path| path.exists()) {
            return Err(not_written(&path, &io::ErrorKind::AlreadyExists.into()));
        }
        if let Destination::Directory(path) = &destination {
            fs::create_dir_all(path).with_context(|| format!("failed to create {}", path.display()))?;
        }
        Ok(ExportedFiles { format, destination, files: Vec::new() })
    }

    /// Adds rows to the file of their table; the first piece begins it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&mut self, piece: &Table) -> Result<()> {
        let place = match self.files.iter().position(|file| file.table == piece.name) {
            Some(place) => place,
            None => {
                self.files.push(self.begin(piece)?);
                self.files.len() - 1
            }
        };
        let file = &mut self.files[place];
        file.rows += piece.rows.len();
        file.writer.add(piece).with_context(|| failed(file.table))
    }

    /// Whether the file of a table has begun.
    pub fn has(&self, table: &str) -> bool {
        self.files.iter().any(|file| file.table == table)
    }

    /// Ends all files and gives them their names; what is in them.
    ///
    /// # Errors
    /// If one cannot be written, or another process has made one of its name.
    pub fn finish(self) -> Result<Vec<ExportedTable>> {
        self.files.into_iter().map(|file| file.finish(self.format)).collect()
    }

    fn begin(&self, piece: &Table) -> Result<ExportedFile> {
        let file = match self.destination.path(piece.name, self.format) {
            None => None,
            Some(path) => Some((path.clone(), unnamed(&path).map_err(|error| not_written(&path, &error))?)),
        };
        let sink: Sink = match &file {
            None => Box::new(io::stdout()),
            Some((_, file)) => Box::new(file.as_file().try_clone()?),
        };
        let sink = Box::new(BufWriter::with_capacity(BUFFER, sink));
        let writer = self.format.begin(piece, sink).with_context(|| failed(piece.name))?;
        Ok(ExportedFile { table: piece.name, writer, rows: 0, file })
    }
}

impl ExportedFile {
    fn finish(self, format: &FileFormat) -> Result<ExportedTable> {
        self.writer.finish().with_context(|| failed(self.table))?;
        let (path, bytes) = match self.file {
            None => (PathBuf::from("-"), 0),
            Some((path, file)) => {
                let bytes = file.as_file().metadata()?.len();
                file.persist_noclobber(&path).map_err(|error| not_written(&path, &error.error))?;
                (path, bytes)
            }
        };
        Ok(ExportedTable { table: self.table, format: format.name, path, rows: self.rows, bytes })
    }
}

/// Writes one file as a whole.
///
/// # Errors
/// If it cannot be written, or one of its name is there already.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || {
        let mut file = unnamed(path)?;
        file.write_all(bytes)?;
        file.persist_noclobber(path).map_err(|error| error.error)
    };
    write().map(drop).map_err(|error| not_written(path, &error))
}

/// Whether a path is that of a directory, or written as one.
fn is_directory(path: &Path) -> bool {
    path.is_dir() || path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

fn failed(table: &str) -> String {
    format!("failed to write the table `{table}`")
}

/// A file beside its later place; it goes with the value. As readable as any file that the user makes.
fn unnamed(path: &Path) -> io::Result<NamedTempFile> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let name = path.file_name().unwrap_or_default();
    Builder::new()
        .prefix(name)
        .suffix(".partial")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(directory.unwrap_or(Path::new(".")))
}

fn not_written(path: &Path, error: &io::Error) -> anyhow::Error {
    let hint = match error.kind() {
        io::ErrorKind::AlreadyExists => {
            "choose another name, or remove that file first: kvmfair does not overwrite it"
        }
        io::ErrorKind::NotFound => "its directory does not exist: create it with mkdir -p",
        _ => "choose another directory",
    };
    anyhow!("failed to write {}: {error} (hint: {hint})", path.display())
}
