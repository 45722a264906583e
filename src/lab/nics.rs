//! Real NICs of a wire: found, borrowed from the machine, and put back as they were.
//!
//! A NIC that serves something else is refused. While a run has one, it stands in the journal with all that has to be put
//! back: driver, namespace, name, MAC, MTU, whether it was up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{LabError, enter, nic_user};
use crate::backend::site::{HostNic, Nics, Sriov, Wire};
use crate::machine::blocking;
use crate::profile::WireNics;

/// For a driver to bind, or a namespace to give a NIC back after its last process: seconds under emulation.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a NIC cannot carry the wire.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NicError {
    /// There is no interface of that name.
    #[error("there is no interface {0}; there are: {1}")]
    NotThere(String, String),
    /// It is no hardware: a bridge, a VLAN, one end of a veth pair.
    #[error("{0} is no NIC of this machine's but a virtual interface")]
    Virtual(String),
    /// Somebody uses it.
    #[error("{0} is in use: {1}")]
    InUse(String, String),
    /// The kernel did not say what must be known.
    #[error("failed to read {0}: {1}")]
    Unreadable(String, String),
}

impl NicError {
    /// What to do about it.
    pub fn fix(&self) -> String {
        match self {
            NicError::NotThere(..) => "name another one in [wire]".into(),
            NicError::Virtual(_) => "name the physical NIC in [wire]; a wire of veth needs no [wire]".into(),
            NicError::InUse(name, _) => {
                format!("name a NIC that nothing uses, or take {name} out of service first")
            }
            NicError::Unreadable(..) => "run as root, with iproute2 installed and /sys mounted".into(),
        }
    }
}

/// The wire that a profile names, as it is found.
///
/// # Errors
/// Every NIC that cannot carry it.
pub fn wire(named: Option<&WireNics>) -> Result<Wire, Vec<NicError>> {
    let Some(named) = named else { return Ok(Wire::Veth) };
    let mut errors = Vec::new();
    let mut found = |name: &String| free(name).map_err(|error| errors.push(error)).ok();
    let host: Vec<HostNic> = named.host_devs().filter_map(&mut found).collect();
    let tester = found(&named.tester_dev);
    match tester {
        Some(tester) if errors.is_empty() => Ok(Wire::Nics(Nics { host, tester })),
        _ => Err(errors),
    }
}

/// The wire that a profile names between other machines, by name only: for a plan, which looks at nothing.
pub fn unseen(named: &WireNics) -> Wire {
    let nic = |name: &String| HostNic {
        name: name.clone(),
        device: String::new(),
        driver: String::new(),
        mac: String::new(),
        mtu: 0,
        up: false,
        sriov: None,
    };
    Wire::Nics(Nics { host: named.host_devs().map(nic).collect(), tester: nic(&named.tester_dev) })
}

fn free(name: &str) -> Result<HostNic, NicError> {
    let nic = look(name);
    let user = match &nic {
        Ok(nic) => nic_user::of(nic)?,
        // A bridge that carries the default route leads to a NIC that must not be named either.
        Err(NicError::Virtual(_)) => nic_user::default_route(name)?,
        Err(_) => None,
    };
    user.map_or(nic, |user| Err(NicError::InUse(name.into(), user)))
}

fn look(name: &str) -> Result<HostNic, NicError> {
    let dir = Path::new("/sys/class/net").join(name);
    if name.contains('/') || !dir.is_dir() {
        return Err(NicError::NotThere(name.into(), all_names()));
    }
    let device = last_of_link(&dir.join("device")).ok_or_else(|| NicError::Virtual(name.into()))?;
    let unreadable = || NicError::Unreadable(dir.display().to_string(), "it is not as expected".into());
    let flags = text(&dir.join("flags")).ok_or_else(unreadable)?;
    let flags = u32::from_str_radix(flags.trim_start_matches("0x"), 16).map_err(|_| unreadable())?;
    Ok(HostNic {
        name: name.into(),
        device,
        driver: last_of_link(&dir.join("device/driver")).unwrap_or_default(),
        mac: text(&dir.join("address")).ok_or_else(unreadable)?,
        mtu: number(&dir.join("mtu")).ok_or_else(unreadable)?,
        up: flags & 1 != 0,
        sriov: sriov(&dir.join("device")),
    })
}

fn sriov(device: &Path) -> Option<Sriov> {
    Some(Sriov {
        total: number(&device.join("sriov_totalvfs"))?,
        active: number(&device.join("sriov_numvfs"))?,
        offset: number(&device.join("sriov_offset"))? as u16,
        stride: number(&device.join("sriov_stride"))? as u16,
    })
}

fn all_names() -> String {
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.join(", ")
}

/// Waits for the interface of a device in the machine's own namespace, renames it and brings it to another.
///
/// # Errors
/// [`LabError::System`] if none appears in time, or it refuses to move.
pub fn adopt(device: &str, name: &str, netns: &str) -> Result<(), LabError> {
    let found = await_interface(device)?;
    if found != name {
        rename(&found, name)?;
    }
    machine(&["ip", "link", "set", "dev", name, "netns", netns])
}

/// Puts a NIC back where it was, as it was: driver, namespace, name, MAC, MTU, up or down. One that was never moved stays.
///
/// # Errors
/// [`LabError::System`] with what could not be put back.
pub fn restore(nic: &HostNic) -> Result<(), LabError> {
    rebind(nic)?;
    if Path::new("/sys/class/net").join(&nic.name).exists()
        && let Some(machine) = enter::machine_network()
    {
        let argv = ["ip", "link", "set", "dev", &nic.name, "netns", &machine.path];
        let ran = blocking::run(Path::new("/"), &argv);
        said(&argv, ran)?;
    }
    let found = await_interface(&nic.device)?;
    if found != nic.name {
        rename(&found, &nic.name)?;
    }
    let state = if nic.up { "up" } else { "down" };
    let mtu = nic.mtu.to_string();
    machine(&["ip", "link", "set", "dev", &nic.name, "address", &nic.mac, "mtu", &mtu, state])
}

/// Gives a PCI function back to its driver.
fn rebind(nic: &HostNic) -> Result<(), LabError> {
    let Some(function) = nic.pci() else { return Ok(()) };
    let dir = PathBuf::from(function.sysfs());
    let bound = || last_of_link(&dir.join("driver")).unwrap_or_default();
    if bound() == nic.driver {
        return Ok(());
    }
    write(&dir.join("driver_override"), "\n")?;
    if dir.join("driver").exists() {
        write(&dir.join("driver/unbind"), &function.to_string())?;
    }
    write(Path::new("/sys/bus/pci/drivers_probe"), &function.to_string())?;
    match wait_for(|| (bound() == nic.driver).then_some(())) {
        Some(()) => Ok(()),
        None => Err(missing(format!("give {function} back to its driver {}", nic.driver))),
    }
}

fn rename(from: &str, to: &str) -> Result<(), LabError> {
    machine(&["ip", "link", "set", "dev", from, "down"])?;
    machine(&["ip", "link", "set", "dev", from, "name", to])
}

/// The interface of a device, once it is in the machine's own namespace.
fn await_interface(device: &str) -> Result<String, LabError> {
    let found = || {
        let shown = blocking::run_in(machine_netns(), &["ip", "-json", "-details", "link", "show"]).ok()?;
        interface_of(&serde_json::from_slice(&shown.stdout).ok()?, device)
    };
    wait_for(found).ok_or_else(|| missing(format!("find the interface of {device}")))
}

/// The interface of a device in what `ip -json -details link show` says.
fn interface_of(links: &Value, device: &str) -> Option<String> {
    let of = |link: &&Value| link.get("parentdev").and_then(Value::as_str) == Some(device);
    Some(links.as_array()?.iter().find(of)?.get("ifname")?.as_str()?.to_owned())
}

fn wait_for<T>(mut ready: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match ready() {
            None if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
            found => return found,
        }
    }
}

fn missing(action: String) -> LabError {
    let cause = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("not within {PATIENCE:?}"));
    LabError::System { action, cause }
}

/// The machine's own network namespace; `None` if this process never left it.
fn machine_netns() -> Option<&'static std::os::fd::OwnedFd> {
    enter::machine_network().map(|machine| &machine.fd)
}

/// Runs a command in the machine's own network namespace.
pub(super) fn machine(argv: &[&str]) -> Result<(), LabError> {
    said(argv, blocking::run_in(machine_netns(), argv))
}

fn said(argv: &[&str], ran: std::io::Result<blocking::Bytes>) -> Result<(), LabError> {
    let refused = |cause: std::io::Error| LabError::System { action: argv.join(" "), cause };
    match ran {
        Ok(ran) if ran.status == 0 => Ok(()),
        Ok(ran) => Err(refused(std::io::Error::other(ran.stderr.trim().to_owned()))),
        Err(cause) => Err(refused(cause)),
    }
}

fn write(path: &Path, value: &str) -> Result<(), LabError> {
    std::fs::write(path, value).map_err(LabError::system(format!("write {}", path.display())))
}

pub(super) fn last_of_link(path: &Path) -> Option<String> {
    Some(std::fs::read_link(path).ok()?.file_name()?.to_string_lossy().into_owned())
}

fn text(path: &Path) -> Option<String> {
    Some(std::fs::read_to_string(path).ok()?.trim().to_owned())
}

fn number(path: &Path) -> Option<u32> {
    text(path)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_known_by_its_device() {
        let links = serde_json::json!([
            { "ifname": "lo" },
            { "ifname": "eth3", "parentbus": "pci", "parentdev": "0000:01:10.0" },
        ]);
        assert_eq!(interface_of(&links, "0000:01:10.0").as_deref(), Some("eth3"));
        assert_eq!(interface_of(&links, "0000:01:10.2"), None);
    }

    #[test]
    fn an_interface_that_is_not_there_is_named_with_those_that_are() {
        let error = look("no-such-nic").unwrap_err();
        assert!(
            matches!(&error, NicError::NotThere(name, all) if name == "no-such-nic" && all.contains("lo"))
        );
    }

    #[test]
    fn what_is_no_hardware_is_refused() {
        assert_eq!(look("lo").unwrap_err(), NicError::Virtual("lo".into()));
    }
}
