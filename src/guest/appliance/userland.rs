//! The programs of the guest, from the packages of this machine, with the libraries they need, and the few files of
//! configuration that they read.

use std::path::Path;

use super::ApplianceError;
use super::archive::Tree;
use super::tool::{tool, which};

/// Process 1 of the guest.
pub const INIT: &str = include_str!("init.sh");

/// Programs with Debian's package and their place in the guest.
const PROGRAMS: [(&str, &str, &str); 5] = [
    ("busybox", "busybox-static", "bin/busybox"),
    ("dropbear", "dropbear-bin", "usr/sbin/dropbear"),
    ("netserver", "netperf", "usr/bin/netserver"),
    ("netperf", "netperf", "usr/bin/netperf"),
    ("ethtool", "ethtool", "usr/sbin/ethtool"),
];

/// The applets that init.sh uses; a busybox without them is refused when the image is built, not when it boots.
const APPLETS: [&str; 13] = [
    "sh", "mount", "mkdir", "insmod", "ip", "hostname", "cat", "grep", "rm", "sleep", "usleep", "poweroff",
    "reboot",
];

/// Files of configuration.
const FILES: [(&str, &str); 6] = [
    ("etc/passwd", "root:*:0:0:root:/root:/bin/sh\n"),
    ("etc/group", "root:x:0:\n"),
    ("etc/shells", "/bin/sh\n"),
    ("etc/hosts", "127.0.0.1 localhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
    ("etc/host.conf", "multi on\n"),
];

/// Directories that the guest mounts on or writes to.
const DIRECTORIES: [(&str, u32); 8] = [
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("tmp", 0o1777),
    ("run", 0o755),
    ("root", 0o700),
    ("var/run", 0o755),
    ("var/log", 0o755),
];

/// Puts programs, libraries, links and configuration into a tree.
///
/// # Errors
/// A program, an applet or a library is missing on this machine.
pub fn userland() -> Result<Tree, ApplianceError> {
    let mut tree = Tree::default();
    DIRECTORIES.iter().for_each(|(path, mode)| tree.directory(path, *mode));
    FILES.iter().for_each(|(path, text)| tree.file(path, 0o644, text.as_bytes().to_vec()));
    tree.file("init", 0o755, INIT.as_bytes().to_vec());
    for (name, package, target) in PROGRAMS {
        let source = which(name, package)?;
        tree.file(target, 0o755, read(&source)?);
        libraries(&source, &mut tree)?;
    }
    applets(&which("busybox", "busybox-static")?, &mut tree)?;
    Ok(tree)
}

/// One link for each applet, except where there is a real program.
fn applets(busybox: &Path, tree: &mut Tree) -> Result<(), ApplianceError> {
    let list = tool(&[&busybox.to_string_lossy(), "--list"])?;
    let list = String::from_utf8_lossy(&list);
    let names: Vec<&str> = list.lines().collect();
    let missing: Vec<&str> = APPLETS.into_iter().filter(|applet| !names.contains(applet)).collect();
    if !missing.is_empty() {
        return Err(ApplianceError::Applets {
            path: busybox.display().to_string(),
            applets: missing.join(" "),
        });
    }
    names
        .iter()
        .filter(|name| **name != "busybox")
        .for_each(|name| tree.link(&format!("bin/{name}"), "busybox"));
    Ok(())
}

/// The libraries of a program and the loader, at the places where the program looks for them.
fn libraries(program: &Path, tree: &mut Tree) -> Result<(), ApplianceError> {
    let listing = match tool(&["ldd", &program.to_string_lossy()]) {
        Err(ApplianceError::Tool { cause, .. }) if cause.contains("not a dynamic executable") => {
            return Ok(());
        }
        listing => listing?,
    };
    for library in parse_ldd(&String::from_utf8_lossy(&listing)) {
        let library = library
            .map_err(|library| ApplianceError::Library { program: program.display().to_string(), library })?;
        if !tree.contains(&library) {
            tree.file(&library, 0o755, read(Path::new(&library))?);
        }
    }
    Ok(())
}

/// The absolute paths in ldd's output; `Err` is the name of a library that was not found.
fn parse_ldd(listing: &str) -> Vec<Result<String, String>> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        match (words.next(), words.next()) {
            (Some("=>"), Some("not")) => Some(Err(name.to_owned())),
            (Some("=>"), Some(path)) if path.starts_with('/') => Some(Ok(path.to_owned())),
            _ => name.starts_with('/').then(|| Ok(name.to_owned())),
        }
    };
    listing.lines().filter_map(parse).collect()
}

/// Compile-time options of netperf, each with a text of its banner that only a binary with the option contains.
const OPTIONS: [(&str, &str); 4] = [
    ("demo", " : demo"),
    ("burst", " : first burst"),
    ("histogram", " : histogram"),
    ("interval", " : interval"),
];

/// Version and compile-time options of this machine's netperf: `demo` (interim results), `burst`, `histogram` (the whole
/// distribution of latencies) and `interval` (paced sending).
///
/// # Errors
/// The program is missing, or does not run.
pub fn netperf_facts() -> Result<(String, Vec<String>), ApplianceError> {
    let path = which("netperf", "netperf")?;
    let banner = tool(&[&path.to_string_lossy(), "-V"])?;
    let version = String::from_utf8_lossy(&banner).split_whitespace().last().unwrap_or("unknown").to_owned();
    let binary = read(&path)?;
    let has = |mark: &str| binary.windows(mark.len()).any(|window| window == mark.as_bytes());
    let options = OPTIONS.iter().filter(|(_, mark)| has(mark)).map(|(name, _)| (*name).to_owned());
    Ok((version, options.collect()))
}

fn read(path: &Path) -> Result<Vec<u8>, ApplianceError> {
    std::fs::read(path).map_err(ApplianceError::io("read", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldd_lines_give_paths_the_loader_included() {
        let listing = "\tlinux-vdso.so.1 (0x00007f)\n\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f)\n\
                       \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n\tlibgone.so => not found\n";
        let paths = parse_ldd(listing);
        assert_eq!(paths[0].as_deref(), Ok("/lib/x86_64-linux-gnu/libm.so.6"));
        assert_eq!(paths[1].as_deref(), Ok("/lib64/ld-linux-x86-64.so.2"));
        assert_eq!(paths[2], Err("libgone.so".to_owned()));
        assert_eq!(paths.len(), 3);
    }

    #[test]
    fn the_guest_has_its_programs_its_libraries_and_a_shell() {
        let tree = userland().unwrap();
        for path in [
            "init",
            "bin/busybox",
            "bin/sh",
            "usr/sbin/dropbear",
            "usr/bin/netserver",
            "lib64/ld-linux-x86-64.so.2",
        ] {
            assert!(tree.contains(path), "{path}");
        }
    }

    #[test]
    fn init_uses_only_applets_that_are_checked_for() {
        for word in ["modprobe", "udhcpc", "awk", "sed"] {
            assert!(!INIT.contains(word), "{word}");
        }
    }
}
