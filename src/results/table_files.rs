//! Tables that are too large for memory, written anew row by row.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::run_dir::RunDir;
use super::run_dir_error::RunDirError;
use crate::directory::{FileError, Replacement};
use crate::table::Table;

/// New files beside those of the same names, which they replace in the end.
pub(super) struct TableFiles {
    files: Vec<(PathBuf, BufWriter<Replacement>)>,
}

impl TableFiles {
    /// With the headers of these tables.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn create(dir: &RunDir, tables: &[Table]) -> Result<TableFiles, RunDirError> {
        let create = |table: &Table| {
            let path = dir.path().join(table.file_name());
            let mut file = BufWriter::with_capacity(1 << 16, dir.replace(&table.file_name())?);
            file.write_all(table.to_csv().as_bytes()).map_err(failed(&path))?;
            Ok((path, file))
        };
        Ok(TableFiles { files: tables.iter().map(create).collect::<Result<_, RunDirError>>()? })
    }

    /// Adds rows to each.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn add(&mut self, rows: &[String]) -> Result<(), RunDirError> {
        for ((path, file), rows) in self.files.iter_mut().zip(rows) {
            file.write_all(rows.as_bytes()).map_err(failed(path))?;
        }
        Ok(())
    }

    /// Puts them in place of the old ones.
    ///
    /// # Errors
    /// [`RunDirError::File`]
    pub fn finish(self) -> Result<(), RunDirError> {
        for (path, file) in self.files {
            let file = file.into_inner().map_err(|error| failed(&path)(error.into_error()))?;
            file.finish()?;
        }
        Ok(())
    }
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> FileError {
    FileError::system("write", path)
}
