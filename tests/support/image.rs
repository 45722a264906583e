//! The cloud image of the tests: a small Debian that `tests/cloud-image/build` makes of the distribution's packages.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

/// The image, built if it is not in the cache.
pub fn debian() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cloud-image/build");
    run(&mut Command::new(script)).trim().into()
}

/// Runs a command that must succeed, and returns what it said.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs `qemu-img`.
pub fn qemu_img(arguments: &[&str], files: &[&Path]) {
    run(Command::new("qemu-img").args(arguments).args(files));
}

/// SHA-256 of a file, hexadecimal.
pub fn digest(file: &Path) -> String {
    Sha256::digest(fs::read(file).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// By which a file would be noticed to have been written or given away: digest, times of content and of owner, owner, mode.
pub fn trace(file: &Path) -> (String, [i64; 2], [u32; 3]) {
    let of = file.metadata().unwrap();
    (digest(file), [of.mtime(), of.ctime()], [of.uid(), of.gid(), of.mode()])
}
