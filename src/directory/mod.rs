//! Directories that others may have written to, and files in them.
//!
//! What is in a [`Directory`] is reached from its handle: no symbolic link below it is followed, only regular files are opened, none
//! is waited for, and none is read beyond a bound. A file is replaced as a whole, through a temporary file of a name of its own.
//!
//! - `handle`: [`Directory`]: files in it, read, appended to, renamed, removed; whose it is
//! - `replacement`: the new content of a file, beside the old one until it is complete
//! - `file_error`: why a file is not read or written, with the next step

mod file_error;
mod handle;
mod replacement;

pub use file_error::FileError;
pub use handle::{Directory, FileStamp, WRITTEN_BY_OTHERS, parent_of};
pub use replacement::{Replacement, is_temporary};
