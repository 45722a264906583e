//! The machines of a hardware lab, the VM host of the URI and the tester, and the NICs of its wire. Whether they are there is for
//! `kvmfair check`.

use std::path::Path;

use super::{Fault, Validator};
use crate::factor::fault::nearest;
use crate::machine::login::{Location, Login, SshAddress};
use crate::profile::written::{HostSection, TesterSection, WireSection, Written};
use crate::profile::{Machines, WireNics};

/// A Xen dom0, which is this machine.
pub(super) const XEN: &str = "xen:///system";

/// Ways to name the host.
const WAYS: &str = "\"embedded\" (this machine, no daemon), \"qemu:///system\" (this machine's libvirt) or \
                    \"qemu+ssh://root@vmhost/system\"; of Xen \"xen:///system\" or \"xen+ssh://root@dom0/system\"";

/// Another machine behind libvirt, by what runs its guests.
const REMOTE: [&str; 2] = ["qemu+ssh://", XEN_REMOTE];
const XEN_REMOTE: &str = "xen+ssh://";

/// The machines, if the profile names some; without them the lab is made on this machine.
pub(super) fn machines(check: &mut Validator, written: &Written, directory: &Path) -> Option<Machines> {
    let in_home = |path: &String| path.starts_with("~/");
    let resolve = |path: &String| if in_home(path) { path.into() } else { directory.join(path) };
    let identity = written.ssh.identity.as_ref().map(resolve);
    let login = |address, jump| Login { address, jump, identity: identity.clone() };
    let jump = jump(check, "host.jump", &written.host.jump);
    let host = match place(check, &written.host)? {
        Uri::Embedded => {
            not_without_machines(check, written);
            return None;
        }
        Uri::Dom0 if written.tester.ssh.is_none() => {
            not_without_machines(check, written);
            no_real_wire(check, &written.wire);
            return None;
        }
        Uri::Local | Uri::Dom0 if jump.is_some() => {
            let fault = Fault::new("no jump leads to this machine itself", "", "leave `jump` out");
            check.fault("host.jump", fault);
            return None;
        }
        Uri::Local | Uri::Dom0 => Location::Local,
        Uri::Remote(address) => Location::Remote(login(address, jump)),
    };
    let tester = tester(check, &written.tester);
    if written.wire.host_dev.is_none() && written.wire.tester_dev.is_none() {
        let hint =
            "between machines the wire is real: name the NICs, host_dev = \"eth1\" and tester_dev = \"eth1\"";
        check.missing("wire.host_dev", hint);
    }
    let (address, jump) = tester?;
    Some(Machines { host, tester: login(address, jump) })
}

enum Uri {
    Embedded,
    Local,
    /// This machine, whose hypervisor is Xen.
    Dom0,
    Remote(SshAddress),
}

/// Whether the two ends of the wire are on different machines.
pub(super) fn are_two(host: &HostSection) -> bool {
    host.uri.as_deref().is_some_and(|uri| uri.starts_with("qemu")) || is_xen(host)
}

/// Whether a profile names a host that may have another size than this machine.
pub(super) fn is_remote(host: &HostSection) -> bool {
    host.uri.as_deref().is_some_and(|uri| REMOTE.iter().any(|scheme| uri.starts_with(scheme)))
}

/// Whether a profile's host is a Xen dom0.
pub(super) fn is_xen(host: &HostSection) -> bool {
    host.uri.as_deref().is_some_and(|uri| uri == XEN || uri.starts_with(XEN_REMOTE))
}

fn place(check: &mut Validator, host: &HostSection) -> Option<Uri> {
    let uri = match host.uri.as_deref() {
        None | Some("embedded") => return Some(Uri::Embedded),
        Some("qemu:///system") => return Some(Uri::Local),
        Some(XEN) => return Some(Uri::Dom0),
        Some(uri) => uri,
    };
    let there = REMOTE.iter().find_map(|scheme| uri.strip_prefix(scheme)?.strip_suffix("/system"));
    match there.and_then(SshAddress::parse) {
        Some(address) => Some(Uri::Remote(address)),
        None => {
            check.fault("host.uri", unknown(uri));
            None
        }
    }
}

fn unknown(uri: &str) -> Fault {
    if uri.starts_with("xen") {
        let hint = format!(
            "write uri = \"{XEN}\" in dom0, or another machine's: uri = \"{XEN_REMOTE}root@dom0/system\""
        );
        return Fault::new(format!("host `{uri}` is not supported"), "", hint);
    }
    // Another transport names another machine: none of these is meant.
    let close = || nearest(uri, ["embedded", "qemu:///system"].into_iter());
    if let Some(near) = (!uri.contains('+')).then(close).flatten() {
        return Fault::new(format!("unknown host `{uri}`"), "", format!("did you mean \"{near}\"?"));
    }
    let message = if uri.contains("://") {
        format!("host `{uri}` is not supported")
    } else {
        format!("`{uri}` is not a libvirt URI")
    };
    Fault::new(message, "", format!("write {WAYS}"))
}

fn tester(check: &mut Validator, written: &TesterSection) -> Option<(SshAddress, Option<SshAddress>)> {
    let jump = jump(check, "tester.jump", &written.jump);
    let Some(ssh) = &written.ssh else {
        let hint = "with a libvirt daemon the tester is another machine: ssh = \"root@tester\"";
        check.missing("tester.ssh", hint);
        return None;
    };
    Some((address(check, "tester.ssh", ssh)?, jump))
}

fn jump(check: &mut Validator, path: &str, written: &Option<String>) -> Option<SshAddress> {
    address(check, path, written.as_ref()?)
}

fn address(check: &mut Validator, path: &str, text: &str) -> Option<SshAddress> {
    let address = SshAddress::parse(text);
    if address.is_none() {
        let hint =
            "write user@host or user@host:port, for example \"root@tester\"; ~/.ssh/config is not read";
        check.fault(path, Fault::new(format!("`{text}` is no SSH address"), "", hint));
    }
    address
}

fn not_without_machines(check: &mut Validator, Written { host, tester, ssh, .. }: &Written) {
    let keys = [
        ("host.jump", &host.jump),
        ("tester.ssh", &tester.ssh),
        ("tester.jump", &tester.jump),
        ("ssh.identity", &ssh.identity),
    ];
    if let Some((path, _)) = keys.into_iter().find(|(_, value)| value.is_some()) {
        let message = "the embedded lab is this machine alone: nothing of it is reached over SSH";
        let hint = "leave it out, or name a libvirt host: [host] uri = \"qemu+ssh://root@vmhost/system\"";
        check.fault(path, Fault::new(message, "", hint));
    }
}

/// Between dom0 and a namespace of its own the wire is a veth pair.
fn no_real_wire(check: &mut Validator, wire: &WireSection) {
    if wire.host_dev.is_some() || wire.tester_dev.is_some() {
        let hint = "name the tester, [tester] ssh = \"root@tester\"; or leave [wire] out";
        check.fault(
            "wire.host_dev",
            Fault::new("a real wire of a Xen host needs another machine as its tester", "", hint),
        );
    }
}

/// The NICs of a real wire, if the profile names some.
pub(super) fn wire(check: &mut Validator, written: &WireSection, two_machines: bool) -> Option<WireNics> {
    let WireSection { host_dev, tester_dev, spare_devs, vdpa_devs } = written;
    match (host_dev, tester_dev) {
        (None, None) if spare_devs.is_empty() && vdpa_devs.is_empty() => None,
        (Some(host_dev), Some(tester_dev)) => {
            let (host_dev, tester_dev) = (host_dev.clone(), tester_dev.clone());
            let (spare_devs, vdpa_devs) = (spare_devs.clone(), vdpa_devs.clone());
            let nics = WireNics { host_dev, spare_devs, vdpa_devs, tester_dev };
            named(check, &nics);
            each_once(check, &nics, two_machines);
            Some(nics)
        }
        (None, _) => {
            check
                .missing("wire.host_dev", "name the host's end of the wire, for example host_dev = \"eth1\"");
            None
        }
        (Some(_), None) => {
            check.missing("wire.tester_dev", "name the tester's end, for example tester_dev = \"eth0\"");
            None
        }
    }
}

/// The host's NICs beside its end of the wire, with their places.
fn more(nics: &WireNics) -> impl Iterator<Item = (String, &String)> {
    let lists = [("spare_devs", &nics.spare_devs), ("vdpa_devs", &nics.vdpa_devs)];
    lists.into_iter().flat_map(|(key, names)| {
        names.iter().enumerate().map(move |(i, name)| (format!("wire.{key}[{i}]"), name))
    })
}

/// Each name must be one that the kernel gives.
fn named(check: &mut Validator, nics: &WireNics) {
    let more = more(nics);
    let ends =
        [("wire.host_dev".to_owned(), &nics.host_dev), ("wire.tester_dev".to_owned(), &nics.tester_dev)];
    for (path, name) in more.chain(ends).filter(|(_, name)| !is_interface(name)) {
        let message = format!("no network interface is called {name:?}");
        check.fault(&path, Fault::new(message, "", "use a name that `ip link` shows, for example \"eth1\""));
    }
}

/// As the kernel has it: 1 to 15 bytes without slashes, colons and spaces.
fn is_interface(name: &str) -> bool {
    let odd = |c: char| c == '/' || c == ':' || c.is_whitespace() || c.is_control();
    (1..=15).contains(&name.len()) && !name.contains(odd) && name != "." && name != ".."
}

/// No NIC of one machine may stand twice. In the embedded lab both ends are on one machine.
fn each_once(check: &mut Validator, nics: &WireNics, two_machines: bool) {
    let mut seen = vec![&nics.host_dev];
    let more = more(nics);
    let tester = (!two_machines).then(|| ("wire.tester_dev".to_owned(), &nics.tester_dev));
    for (path, name) in more.chain(tester) {
        if seen.contains(&name) && is_interface(name) {
            let message = format!("{name} is named twice");
            check.fault(&path, Fault::new(message, "again", "every end of the wire is a NIC of its own"));
        }
        seen.push(name);
    }
}
