//! Compression by the distribution's own tools: kernel modules and the payload of a bzImage in, the initramfs out.

use std::path::Path;

use super::ApplianceError;
use super::modinfo::number;
use super::tool::tool;

/// How a file is compressed, by its first bytes.
fn decompressor(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        [0x1f, 0x8b, ..] => Some("gzip"),
        _ => None,
    }
}

/// The bytes of a file, decompressed according to its content (not its name).
///
/// # Errors
/// The file cannot be read, the tool for its format is not installed, or the data are damaged.
pub fn read_plain(path: &Path) -> Result<Vec<u8>, ApplianceError> {
    let bytes = std::fs::read(path).map_err(ApplianceError::io("read", path))?;
    match decompressor(&bytes) {
        Some(program) => tool(&[program, "-dc", &path.to_string_lossy()]),
        None => Ok(bytes),
    }
}

/// The bytes as a gzip stream, the same for the same bytes. gzip because every kernel can read it, with little memory: in
/// a guest of 96 MiB neither the plain archive nor a zstd stream leaves enough for the files themselves.
///
/// # Errors
/// No temporary file can be written.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>, ApplianceError> {
    let file = temporary(bytes)?;
    tool(&["gzip", "-9", "-n", "-c", &file.path().to_string_lossy()])
}

fn temporary(bytes: &[u8]) -> Result<tempfile::NamedTempFile, ApplianceError> {
    let scratch = Path::new("a temporary file");
    let file = tempfile::NamedTempFile::new().map_err(ApplianceError::io("create", scratch))?;
    std::fs::write(file.path(), bytes).map_err(ApplianceError::io("write", file.path()))?;
    Ok(file)
}

/// The uncompressed kernel inside a bzImage, if QEMU can enter it directly (it has a PVH entry point); that saves the
/// guest several seconds of decompression under TCG. `None` where the kernel has to be booted as it is.
///
/// # Errors
/// The tool for the compression is not installed, or no temporary file can be written.
pub fn vmlinux(image: &[u8]) -> Result<Option<Vec<u8>>, ApplianceError> {
    let Some(payload) = payload(image) else { return Ok(None) };
    let Some(program) = decompressor(payload) else { return Ok(None) };
    let file = temporary(payload)?;
    let elf = tool(&[program, "-dc", &file.path().to_string_lossy()])?;
    Ok(has_pvh_entry(&elf).then_some(elf))
}

/// The compressed part of a bzImage, by its setup header (boot protocol 2.08 and later), without the four bytes of length
/// that the kernel's build appends to xz and zstd streams.
fn payload(image: &[u8]) -> Option<&[u8]> {
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let sectors = match image[0x1f1] {
        0 => 4,
        count => usize::from(count),
    };
    let start = (sectors + 1) * 512 + number(image, 0x248, 4)?;
    let bytes = image.get(start..start.checked_add(number(image, 0x24c, 4)?)?)?;
    let appended = if matches!(decompressor(bytes), Some("gzip")) { 0 } else { 4 };
    bytes.get(..bytes.len().checked_sub(appended)?)
}

/// Whether a 64-bit ELF image carries Xen's note 18, the physical address of the PVH entry point.
fn has_pvh_entry(elf: &[u8]) -> bool {
    const NOTE: &[u8] = b"\x12\0\0\0Xen\0";
    notes(elf).is_some_and(|notes| notes.windows(NOTE.len()).any(|window| window == NOTE))
}

/// The content of the first program header of type NOTE.
fn notes(elf: &[u8]) -> Option<&[u8]> {
    if !elf.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let (table, size, count) = (number(elf, 0x20, 8)?, number(elf, 0x36, 2)?, number(elf, 0x38, 2)?);
    let mut headers = (0..count).filter_map(|index| elf.get(table.checked_add(index * size)?..));
    let header = headers.find(|header| number(header, 0, 4) == Some(4))?;
    elf.get(number(header, 8, 8)?..)?.get(..number(header, 0x20, 8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(payload: &[u8]) -> Vec<u8> {
        let mut image = vec![0u8; 0x400];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&8u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&(payload.len() as u32).to_le_bytes());
        image.extend([0u8; 8]);
        image.extend(payload);
        image
    }

    fn elf_with_note(note: &[u8]) -> Vec<u8> {
        let mut elf = vec![0u8; 64 + 56];
        elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
        for (at, value) in
            [(0x20, 64u8), (0x36, 56), (0x38, 1), (64, 4), (64 + 8, 120), (64 + 0x20, note.len() as u8)]
        {
            elf[at] = value;
        }
        elf.extend(note);
        elf
    }

    fn xz(plain: &[u8]) -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("plain");
        std::fs::write(&file, plain).unwrap();
        tool(&["xz", "-c", file.to_str().unwrap()]).unwrap()
    }

    #[test]
    fn a_kernel_with_a_pvh_entry_is_taken_out_of_its_image() {
        let elf = elf_with_note(b"\x04\0\0\0\x04\0\0\0\x12\0\0\0Xen\0\xd0\0\0\0");
        let payload = [xz(&elf), vec![1, 2, 3, 4]].concat();
        assert_eq!(vmlinux(&image(&payload)).unwrap(), Some(elf));
    }

    #[test]
    fn other_kernels_are_left_as_they_are() {
        assert_eq!(vmlinux(&image(&[xz(&elf_with_note(b"GNU")), vec![0; 4]].concat())).unwrap(), None);
        assert_eq!(vmlinux(b"\x7fELF").unwrap(), None);
        assert_eq!(vmlinux(&image(b"plain")).unwrap(), None);
        assert_eq!(vmlinux(&image(&[0; 0])).unwrap(), None);
    }

    #[test]
    fn a_gzip_stream_is_reproducible_and_gives_the_bytes_back() {
        let stream = gzip(b"initramfs").unwrap();
        assert_eq!(stream, gzip(b"initramfs").unwrap());
        assert_eq!(read_plain(temporary(&stream).unwrap().path()).unwrap(), b"initramfs");
    }

    #[test]
    fn files_are_read_by_content_and_not_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("module.ko");
        std::fs::write(&file, xz(b"module")).unwrap();
        assert_eq!(read_plain(&file).unwrap(), b"module");
        std::fs::write(&file, b"plain").unwrap();
        assert_eq!(read_plain(&file).unwrap(), b"plain");
    }
}
