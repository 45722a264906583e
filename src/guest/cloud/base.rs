//! The cloud image: a user's file, which kvmfair only reads.
//!
//! It is checked before the lab is made: it must exist, be qcow2, and need no other file.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// A cloud image that guests can boot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseImage {
    /// The file, absolute.
    pub path: PathBuf,
    /// Version of the format: 2 or 3.
    pub version: u32,
    /// Size of the guest's disk, bytes.
    pub size: u64,
    /// Length of the file, bytes.
    pub length: u64,
}

/// Why a file cannot be the guests' image.
#[derive(Debug, thiserror::Error)]
pub enum BaseError {
    /// It cannot be read.
    #[error("failed to read the image {}: {cause}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        cause: std::io::Error,
    },
    /// It is not an image of its own in the format qcow2.
    #[error("the image {}: {cause}", .path.display())]
    Header {
        /// The file.
        path: PathBuf,
        /// The reason.
        cause: HeaderError,
    },
}

/// Why the header of an image is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Another format: a raw disk, a VMDK, a compressed download.
    #[error("is not a qcow2 image")]
    Magic,
    /// Shorter than any header.
    #[error("is truncated: it ends within its header")]
    Short,
    /// A version that QEMU does not have yet.
    #[error("is qcow2 version {0}; must be version 2 or 3")]
    Version(u32),
    /// A layer over another image, which would have to be present, too.
    #[error("is a layer over another image, {0}")]
    Backing(String),
    /// Needs a secret to be read.
    #[error("is encrypted")]
    Encrypted,
    /// Keeps its data in another file.
    #[error("keeps its data in another file")]
    ExternalData,
    /// QEMU found it damaged and would only read it.
    #[error("is marked as corrupt")]
    Corrupt,
}

impl BaseError {
    /// The next step.
    pub fn fix(&self) -> String {
        let (path, cause) = match self {
            BaseError::Read { .. } => {
                return "put the image at that path, or correct `image` in [guest]; a relative path starts at the profile's \
                        directory"
                    .into();
            }
            BaseError::Header { path, cause } => (path.to_string_lossy(), cause),
        };
        let converted = shell_words::quote(&format!("{path}.whole")).into_owned();
        let path = shell_words::quote(&path);
        match cause {
            HeaderError::Corrupt => format!("qemu-img check -r all {path}, or download it again"),
            HeaderError::Short => "download it again".into(),
            HeaderError::Version(_) => "use an image in qcow2 version 3".into(),
            _ => format!("convert it: qemu-img convert -O qcow2 {path} {converted}"),
        }
    }
}

/// The part of the header that all versions have, and the flags that version 3 adds to it, bytes.
const HEADER: usize = 80;
/// Longest name of a backing file that the format allows, bytes.
const LONGEST_NAME: u64 = 1023;

/// Checks a file; the path in the result is absolute.
///
/// # Errors
/// [`BaseError`] if guests cannot boot it.
pub fn inspect(path: &Path) -> Result<BaseImage, BaseError> {
    let read = |cause| BaseError::Read { path: path.to_owned(), cause };
    let absolute = std::fs::canonicalize(path).map_err(read)?;
    let mut beginning = Vec::new();
    let file = File::open(&absolute).map_err(read)?;
    let length = file.metadata().map_err(read)?.len();
    file.take(1 << 16).read_to_end(&mut beginning).map_err(read)?;
    let (version, size) =
        header(&beginning).map_err(|cause| BaseError::Header { path: path.to_owned(), cause })?;
    Ok(BaseImage { path: absolute, version, size, length })
}

impl BaseImage {
    /// SHA-256 of the whole file, hexadecimal: by which others can find out whether their image is the same. Takes
    /// some seconds for each gigabyte.
    ///
    /// # Errors
    /// [`BaseError::Read`] if it cannot be read.
    pub fn digest(&self) -> Result<String, BaseError> {
        let read = |cause| BaseError::Read { path: self.path.clone(), cause };
        let mut file = File::open(&self.path).map_err(read)?;
        let (mut sum, mut part) = (Sha256::new(), vec![0; 1 << 20]);
        loop {
            match file.read(&mut part).map_err(read)? {
                0 => return Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect()),
                length => sum.update(&part[..length]),
            }
        }
    }
}

/// Version and size of the disk, from the first 64 KiB of the file. Pure. All numbers are big-endian.
fn header(bytes: &[u8]) -> Result<(u32, u64), HeaderError> {
    if !bytes.starts_with(b"QFI\xfb") {
        return Err(HeaderError::Magic);
    }
    if bytes.len() < HEADER {
        return Err(HeaderError::Short);
    }
    let version = number(bytes, 4, 4) as u32;
    if !matches!(version, 2 | 3) {
        return Err(HeaderError::Version(version));
    }
    if number(bytes, 8, 8) != 0 {
        return Err(HeaderError::Backing(backing(bytes)));
    }
    if number(bytes, 32, 4) != 0 {
        return Err(HeaderError::Encrypted);
    }
    let flags = if version == 3 { number(bytes, 72, 8) } else { 0 };
    if flags & 2 != 0 {
        return Err(HeaderError::Corrupt);
    }
    if flags & 4 != 0 {
        return Err(HeaderError::ExternalData);
    }
    Ok((version, number(bytes, 24, 8)))
}

fn number(bytes: &[u8], at: usize, length: usize) -> u64 {
    bytes[at..at + length].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The name of the file behind this one.
fn backing(bytes: &[u8]) -> String {
    let (at, length) = (number(bytes, 8, 8), number(bytes, 16, 4).min(LONGEST_NAME));
    let name = usize::try_from(at).ok().and_then(|at| bytes.get(at..at.checked_add(length as usize)?));
    name.map_or_else(|| "whose name cannot be read".into(), |name| String::from_utf8_lossy(name).into_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn image(version: u32, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = vec![0; 512];
        bytes[..4].copy_from_slice(b"QFI\xfb");
        bytes[4..8].copy_from_slice(&version.to_be_bytes());
        bytes[24..32].copy_from_slice(&(2_u64 << 30).to_be_bytes());
        change(&mut bytes);
        bytes
    }

    #[test]
    fn an_image_of_its_own_is_taken_in_both_versions() {
        assert_eq!(header(&image(2, |_| ())), Ok((2, 2 << 30)));
        assert_eq!(header(&image(3, |_| ())), Ok((3, 2 << 30)));
    }

    #[test]
    fn a_layer_names_what_it_lies_on() {
        let layer = image(3, |bytes| {
            bytes[15] = 200;
            bytes[19] = 9;
            bytes[200..209].copy_from_slice(b"base.qcow");
        });
        assert_eq!(header(&layer), Err(HeaderError::Backing("base.qcow".into())));
    }

    #[test]
    fn what_guests_cannot_boot_is_refused_with_its_reason() {
        let with = |at: usize, value: u8| image(3, |bytes| bytes[at] = value);
        assert_eq!(header(b"KDMV and more"), Err(HeaderError::Magic));
        assert_eq!(header(&image(3, |bytes| bytes.truncate(60))), Err(HeaderError::Short));
        assert_eq!(header(&image(4, |_| ())), Err(HeaderError::Version(4)));
        assert_eq!(header(&with(35, 2)), Err(HeaderError::Encrypted));
        assert_eq!(header(&with(79, 2)), Err(HeaderError::Corrupt));
        assert_eq!(header(&with(79, 4)), Err(HeaderError::ExternalData));
        // Version 2 has no flags.
        assert!(header(&image(2, |bytes| bytes[79] = 2)).is_ok());
    }

    #[test]
    fn what_is_wrong_has_a_next_step() {
        let dir = tempfile::tempdir().unwrap();
        let missing = inspect(&dir.path().join("no.qcow2")).unwrap_err();
        assert!(missing.to_string().contains("no.qcow2") && missing.fix().contains("`image` in [guest]"));
        let raw = dir.path().join("a disk.img");
        std::fs::write(&raw, [0; 1024]).unwrap();
        let refused = inspect(&raw).unwrap_err();
        assert!(refused.to_string().ends_with("a disk.img: is not a qcow2 image"), "{refused}");
        assert!(refused.fix().contains("qemu-img convert -O qcow2 '"), "{}", refused.fix());
        assert!(inspect(dir.path()).is_err());
    }

    proptest! {
        #[test]
        fn no_beginning_of_a_file_breaks_the_parser(mut bytes in prop::collection::vec(any::<u8>(), 0..300), qcow: bool) {
            if qcow && bytes.len() > 8 {
                bytes[..8].copy_from_slice(b"QFI\xfb\0\0\0\x03");
            }
            let _ = header(&bytes);
        }
    }
}
