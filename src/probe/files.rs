//! Kernel files that stay open and are read repeatedly into the same buffer. No parsing.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::error::ProbeError;

/// A file of `/proc` or of a control group that is read repeatedly.
#[derive(Debug)]
pub(super) struct OpenFile {
    path: String,
    file: File,
    buffer: Vec<u8>,
}

impl OpenFile {
    /// # Errors
    /// As every method: [`ProbeError::Read`] with the file's path.
    pub fn open(path: impl Into<String>) -> Result<OpenFile, ProbeError> {
        let path = path.into();
        let file = File::open(&path).map_err(|source| ProbeError::Read { what: path.clone(), source })?;
        Ok(OpenFile { path, file, buffer: vec![0; 16 << 10] })
    }

    /// The beginning of the file, in one system call.
    pub fn read_first_block(&mut self) -> Result<&str, ProbeError> {
        let end = self.read_at(0)?;
        Ok(valid_part(&self.buffer[..end]))
    }

    /// The whole file; the buffer grows with it.
    pub fn read_whole(&mut self) -> Result<&str, ProbeError> {
        let mut end = 0;
        loop {
            let more = self.read_at(end)?;
            if more == 0 {
                return Ok(valid_part(&self.buffer[..end]));
            }
            end += more;
            if end == self.buffer.len() {
                self.buffer.resize(end * 2, 0);
            }
        }
    }

    fn read_at(&mut self, offset: usize) -> Result<usize, ProbeError> {
        let read = self.file.read_at(&mut self.buffer[offset..], offset as u64);
        read.map_err(|source| ProbeError::Read { what: self.path.clone(), source })
    }
}

/// The text up to the first invalid byte: a block may end within a character.
fn valid_part(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_longer_than_the_buffer_is_read_whole() {
        let mut file = OpenFile::open("/proc/self/environ").unwrap();
        file.buffer.truncate(3);
        let whole = std::fs::read_to_string("/proc/self/environ").unwrap();
        assert_eq!(file.read_whole().unwrap(), whole);
        assert!(whole.starts_with(file.read_first_block().unwrap()));
    }

    #[test]
    fn a_character_cut_in_two_ends_the_text() {
        assert_eq!(valid_part("naïve".as_bytes()), "naïve");
        assert_eq!(valid_part(&"naï".as_bytes()[..3]), "na");
    }
}
