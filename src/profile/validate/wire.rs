//! The wire: both ends or none, and no NIC twice. Whether the NICs are there is for `kvmfair check`.

use super::{Check, Fault};
use crate::profile::WireNics;
use crate::profile::written::Wire;

/// The NICs of a real wire, if the profile names some.
pub(super) fn wire(check: &mut Check, written: &Wire) -> Option<WireNics> {
    let Wire { host_dev, tester_dev, spare_devs, .. } = written;
    match (host_dev, tester_dev) {
        (None, None) if spare_devs.is_empty() => None,
        (Some(host_dev), Some(tester_dev)) => {
            let (host_dev, tester_dev) = (host_dev.clone(), tester_dev.clone());
            let nics = WireNics { host_dev, spare_devs: spare_devs.clone(), tester_dev };
            each_once(check, &nics);
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

/// In the embedded lab both ends are NICs of one machine, so no name may stand twice.
fn each_once(check: &mut Check, nics: &WireNics) {
    let mut seen = vec![&nics.host_dev];
    let spare = nics.spare_devs.iter().enumerate().map(|(i, name)| (format!("wire.spare_devs[{i}]"), name));
    for (path, name) in spare.chain([("wire.tester_dev".to_owned(), &nics.tester_dev)]) {
        if seen.contains(&name) {
            let message = format!("{name} is named twice");
            check.fault(&path, Fault::new(message, "again", "every end of the wire is a NIC of its own"));
        }
        seen.push(name);
    }
}
