//! Who uses a NIC of this machine: whoever borrowed it then would cut something off.

use std::path::Path;

use serde_json::Value;

use super::nic_error::NicError;
use crate::backend::wire::HostNic;
use crate::machine::blocking;

/// A master, something on top of it, virtual functions, the default route, addresses: the first that is found.
pub(super) fn user(nic: &HostNic) -> Result<Option<String>, NicError> {
    let dir = Path::new("/sys/class/net").join(&nic.name);
    if let Some(master) = last_of_link(&dir.join("master")) {
        let route = default_route(&master)?
            .map_or_else(String::new, |_| ", and the default route leads over that".into());
        return Ok(Some(format!("it is a port of {master}{route}")));
    }
    let names = std::fs::read_dir(&dir).into_iter().flatten().flatten();
    let mut above =
        names.filter_map(|entry| Some(entry.file_name().to_str()?.strip_prefix("upper_")?.to_owned()));
    if let Some(above) = above.next() {
        return Ok(Some(format!("{above} stands on it")));
    }
    if let Some(active) = nic.sriov.map(|sriov| sriov.active).filter(|active| *active > 0) {
        return Ok(Some(format!("it has {active} virtual functions already")));
    }
    if let Some(route) = default_route(&nic.name)? {
        return Ok(Some(route));
    }
    let shown = said(&["ip", "-json", "address", "show", "dev", &nic.name, "scope", "global"], &nic.name)?;
    let address = shown.pointer("/0/addr_info/0/local").and_then(Value::as_str);
    Ok(address.map(|address| format!("it has the address {address}")))
}

/// Whether the machine's way to all others leads over an interface.
pub(super) fn default_route(name: &str) -> Result<Option<String>, NicError> {
    for family in ["-4", "-6"] {
        let routes = said(&["ip", family, "-json", "route", "show", "default", "dev", name], name)?;
        if routes.as_array().is_some_and(|routes| !routes.is_empty()) {
            return Ok(Some("the default route leads over it".into()));
        }
    }
    Ok(None)
}

/// What `ip` says in JSON; it says nothing at all where the kernel has no IPv6.
fn said(argv: &[&str], name: &str) -> Result<Value, NicError> {
    let unreadable = |cause: String| NicError::Unreadable(format!("addresses and routes of {name}"), cause);
    let ran = blocking::run(Path::new("/"), argv).map_err(|error| unreadable(error.to_string()))?;
    if ran.stdout.trim_ascii().is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&ran.stdout).map_err(|error| unreadable(error.to_string()))
}

/// The last name of the path that a link leads to.
pub(super) fn last_of_link(path: &Path) -> Option<String> {
    Some(std::fs::read_link(path).ok()?.file_name()?.to_string_lossy().into_owned())
}
