//! Tables that are too large for memory, written anew row by row.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use super::run_dir::{RunDir, io};
use super::run_dir_error::RunDirError;
use crate::table::Table;

/// New files beside those of the same names, which they replace in the end.
pub(super) struct TableFiles {
    files: Vec<(PathBuf, BufWriter<File>)>,
}

impl TableFiles {
    /// With the headers of these tables.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn create(dir: &RunDir, tables: &[Table]) -> Result<TableFiles, RunDirError> {
        let create = |table: &Table| {
            let path = dir.path().join(table.file_name());
            let partial = partial(&path);
            let file = File::create(&partial).map_err(io("write", &partial))?;
            let mut file = BufWriter::with_capacity(1 << 16, file);
            file.write_all(table.to_csv().as_bytes()).map_err(io("write", &partial))?;
            Ok((path, file))
        };
        Ok(TableFiles { files: tables.iter().map(create).collect::<Result<_, _>>()? })
    }

    /// Adds rows to each.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn add(&mut self, rows: &[String]) -> Result<(), RunDirError> {
        for ((path, file), rows) in self.files.iter_mut().zip(rows) {
            file.write_all(rows.as_bytes()).map_err(io("write", path))?;
        }
        Ok(())
    }

    /// Puts them in place of the old ones.
    ///
    /// # Errors
    /// [`RunDirError::Io`]
    pub fn finish(self) -> Result<(), RunDirError> {
        for (path, mut file) in self.files {
            file.flush().and_then(|()| file.get_ref().sync_data()).map_err(io("write", &path))?;
            fs::rename(partial(&path), &path).map_err(io("write", &path))?;
        }
        Ok(())
    }
}

fn partial(path: &std::path::Path) -> PathBuf {
    path.with_extension("csv.partial")
}
