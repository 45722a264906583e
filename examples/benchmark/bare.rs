//! The same QEMU processes without libvirt and without kvmfair: what a person would type who knows what libvirt typed.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// A QEMU process started by hand. Dropping it ends it.
pub struct Bare {
    child: Child,
}

impl Bare {
    /// Starts one, in a session of its own as libvirt does: where the scheduler groups processes by session, bare guests
    /// of one session would together get what each of kvmfair's gets.
    pub fn start(argv: &[String]) -> Result<Bare> {
        let mut command = Command::new(&argv[0]);
        command.args(&argv[1..]).stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: between fork and exec only one system call is made; nothing is allocated and no lock is taken.
        unsafe { command.pre_exec(|| Ok(nix::unistd::setsid().map(drop)?)) };
        let child = command.spawn().with_context(|| format!("failed to start {}", argv[0]))?;
        Ok(Bare { child })
    }

    /// Its process.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill(); // gone already: just as well
        let _ = self.child.wait();
    }
}

/// Where a bare guest's console goes.
pub fn console(state: &Path, guest: u32) -> PathBuf {
    state.join(format!("bare-{guest}.console"))
}

/// The command line of a guest that libvirt started, made into one that needs no libvirt: devices, memory, CPU, kernel
/// and its options stay; the monitor goes, QEMU opens the taps and the console itself, and starts at once. Pure.
pub fn argv(libvirts: &[String], taps: &[String], console: &Path) -> Vec<String> {
    let mut taps = taps.iter();
    let mut netdevs = 0;
    let mut argv = vec![libvirts[0].clone()];
    let mut words = libvirts[1..].iter().filter(|word| !word.is_empty()).peekable();
    while let Some(option) = words.next() {
        let value = words.next_if(|word| !word.starts_with('-'));
        let mut keep = |value: Option<String>| {
            argv.push(option.clone());
            argv.extend(value);
        };
        match (option.as_str(), value.map(String::as_str)) {
            ("-S" | "-mon" | "-add-fd", _) => {}
            ("-object", Some(object)) if object.contains("secret") => {}
            ("-chardev", Some(device)) if device.contains("charmonitor") => {}
            ("-chardev", Some(device)) if device.contains("charserial0") => {
                keep(Some(format!("file,id=charserial0,path={}", console.display())));
            }
            ("-netdev", Some(_)) => {
                let tap = taps.next().map_or("", String::as_str);
                let id = format!("hostnet{netdevs}");
                netdevs += 1;
                keep(Some(format!("tap,id={id},ifname={tap},script=no,downscript=no,vhost=off")));
            }
            (_, value) => keep(value.map(str::to_owned)),
        }
    }
    argv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_stay_and_what_libvirt_alone_can_use_goes() {
        let libvirts = [
            "qemu-system-x86_64",
            "-name",
            "guest=kf-abc234-g1,debug-threads=on",
            "-S",
            "-object",
            r#"{"qom-type":"secret","id":"masterKey0"}"#,
            "-object",
            r#"{"qom-type":"memory-backend-ram","id":"pc.ram"}"#,
            "-no-hpet",
            "-chardev",
            "socket,id=charmonitor,fd=20,server=on,wait=off",
            "-mon",
            "chardev=charmonitor,id=monitor",
            "-append",
            "console=ttyS0 quiet",
            "-netdev",
            r#"{"type":"tap","fd":"23","id":"hostnet0"}"#,
            "-netdev",
            "tap,fd=24,id=hostnet1",
            "-add-fd",
            "set=0,fd=19",
            "-chardev",
            "file,id=charserial0,path=/dev/fdset/0,append=on",
            "-msg",
            "timestamp=on",
            "",
        ]
        .map(str::to_owned);
        let bare = argv(&libvirts, &["t1".into(), "t2".into()], Path::new("/c"));
        let expected = "qemu-system-x86_64 -name guest=kf-abc234-g1,debug-threads=on -object \
            {\"qom-type\":\"memory-backend-ram\",\"id\":\"pc.ram\"} -no-hpet -append console=ttyS0 quiet \
            -netdev tap,id=hostnet0,ifname=t1,script=no,downscript=no,vhost=off \
            -netdev tap,id=hostnet1,ifname=t2,script=no,downscript=no,vhost=off \
            -chardev file,id=charserial0,path=/c -msg timestamp=on";
        assert_eq!(bare.join(" "), expected);
    }
}
