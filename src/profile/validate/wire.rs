//! The wire: both ends or none, and no NIC twice. Whether the NICs are there is for `kvmfair check`.

use super::{Check, Fault};
use crate::profile::WireNics;
use crate::profile::written::Wire;

/// The NICs of a real wire, if the profile names some.
pub(super) fn wire(check: &mut Check, written: &Wire, two_machines: bool) -> Option<WireNics> {
    let Wire { host_dev, tester_dev, spare_devs, .. } = written;
    match (host_dev, tester_dev) {
        (None, None) if spare_devs.is_empty() => None,
        (Some(host_dev), Some(tester_dev)) => {
            let (host_dev, tester_dev) = (host_dev.clone(), tester_dev.clone());
            let nics = WireNics { host_dev, spare_devs: spare_devs.clone(), tester_dev };
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

/// Each name must be one that the kernel gives.
fn named(check: &mut Check, nics: &WireNics) {
    let spare = nics.spare_devs.iter().enumerate().map(|(i, name)| (format!("wire.spare_devs[{i}]"), name));
    let ends =
        [("wire.host_dev".to_owned(), &nics.host_dev), ("wire.tester_dev".to_owned(), &nics.tester_dev)];
    for (path, name) in spare.chain(ends).filter(|(_, name)| !is_interface(name)) {
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
fn each_once(check: &mut Check, nics: &WireNics, two_machines: bool) {
    let mut seen = vec![&nics.host_dev];
    let spare = nics.spare_devs.iter().enumerate().map(|(i, name)| (format!("wire.spare_devs[{i}]"), name));
    let tester = (!two_machines).then(|| ("wire.tester_dev".to_owned(), &nics.tester_dev));
    for (path, name) in spare.chain(tester) {
        if seen.contains(&name) && is_interface(name) {
            let message = format!("{name} is named twice");
            check.fault(&path, Fault::new(message, "again", "every end of the wire is a NIC of its own"));
        }
        seen.push(name);
    }
}
