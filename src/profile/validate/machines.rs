//! The machines of a hardware lab: the VM host of the URI and the tester. Whether they answer is for `kvmfair check`.

use std::path::Path;

use super::{Check, Fault};
use crate::factor::fault::nearest;
use crate::machine::login::{Location, Login, SshAddress};
use crate::profile::Machines;
use crate::profile::written::{Host, Tester, Written};

/// Ways to name the host.
const WAYS: &str = "\"embedded\" (this machine, no daemon), \"qemu:///system\" (this machine's libvirt) or \
                    \"qemu+ssh://root@vmhost/system\"";

/// The machines, if the profile names some; without them the lab is made on this machine.
pub(super) fn machines(check: &mut Check, written: &Written, directory: &Path) -> Option<Machines> {
    let at_home = |path: &String| path.starts_with("~/");
    let from_here = |path: &String| if at_home(path) { path.into() } else { directory.join(path) };
    let identity = written.ssh.identity.as_ref().map(from_here);
    let login = |address, jump| Login { address, jump, identity: identity.clone() };
    let jump = jump(check, "host.jump", &written.host.jump);
    let host = match place(check, &written.host)? {
        Uri::Embedded => {
            not_without_machines(check, written);
            return None;
        }
        Uri::Here if jump.is_some() => {
            let fault = Fault::new("no jump leads to this machine itself", "", "leave `jump` out");
            check.fault("host.jump", fault);
            return None;
        }
        Uri::Here => Location::Local,
        Uri::There(address) => Location::Remote(login(address, jump)),
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
    Here,
    There(SshAddress),
}

/// Whether the two ends of the wire are on different machines.
pub(super) fn are_two(host: &Host) -> bool {
    host.uri.as_deref().is_some_and(|uri| uri.starts_with("qemu"))
}

/// Whether a profile names a host that may have another size than this machine.
pub(super) fn is_elsewhere(host: &Host) -> bool {
    host.uri.as_deref().is_some_and(|uri| uri.starts_with("qemu+ssh://"))
}

fn place(check: &mut Check, host: &Host) -> Option<Uri> {
    let uri = match host.uri.as_deref() {
        None | Some("embedded") => return Some(Uri::Embedded),
        Some("qemu:///system") => return Some(Uri::Here),
        Some(uri) => uri,
    };
    let there = uri.strip_prefix("qemu+ssh://").and_then(|rest| rest.strip_suffix("/system"));
    match there.and_then(SshAddress::parse) {
        Some(address) => Some(Uri::There(address)),
        None => {
            check.fault("host.uri", unknown(uri));
            None
        }
    }
}

fn unknown(uri: &str) -> Fault {
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

fn tester(check: &mut Check, written: &Tester) -> Option<(SshAddress, Option<SshAddress>)> {
    let jump = jump(check, "tester.jump", &written.jump);
    let Some(ssh) = &written.ssh else {
        let hint = "with a libvirt daemon the tester is another machine: ssh = \"root@tester\"";
        check.missing("tester.ssh", hint);
        return None;
    };
    Some((address(check, "tester.ssh", ssh)?, jump))
}

fn jump(check: &mut Check, path: &str, written: &Option<String>) -> Option<SshAddress> {
    address(check, path, written.as_ref()?)
}

fn address(check: &mut Check, path: &str, text: &str) -> Option<SshAddress> {
    let address = SshAddress::parse(text);
    if address.is_none() {
        let hint =
            "write user@host or user@host:port, for example \"root@tester\"; ~/.ssh/config is not read";
        check.fault(path, Fault::new(format!("`{text}` is no SSH address"), "", hint));
    }
    address
}

fn not_without_machines(check: &mut Check, Written { host, tester, ssh, .. }: &Written) {
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
