//! Real NICs of a wire on this machine. A NIC that serves something else is refused.

use std::path::Path;

use super::nic_error::NicError;
use super::nic_user::{self, last_of_link};
use crate::backend::wire::{HostNic, Nics, Sriov, Wire};
use crate::profile::WireNics;

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
        Ok(nic) => nic_user::user(nic)?,
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
