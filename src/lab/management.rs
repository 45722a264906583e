//! The management network of a lab whose tester is on the VM host: a bridge for the guests, and a veth pair to the tester.

use super::{Lab, LabError};
use crate::address::{Net, Station, with_prefix};
use crate::backend::site::Names;
use crate::backend::{Side, Step};

/// Makes it.
///
/// # Errors
/// [`LabError`] if the kernel refuses an interface.
pub(super) async fn create(lab: &Lab) -> Result<(), LabError> {
    for step in steps(&lab.names) {
        lab.apply(&step).await?;
    }
    Ok(())
}

fn steps(names: &Names) -> Vec<Step> {
    let (bridge, peer) = (names.management(), names.management_peer());
    let port = format!("kf-{}-c", names.run);
    let host = |command: String| Step::new(Side::Host, &command);
    let tester = |command: String| Step::new(Side::Tester, &command);
    vec![
        tester("ip link set lo up".into()),
        host(format!("ip link add {bridge} type bridge stp_state 0 forward_delay 0 mcast_snooping 0"))
            .undone_by(&format!("ip link delete {bridge}")),
        host(format!("ip link set {bridge} up")),
        host(format!("ip address add {} dev {bridge}", with_prefix(Net::Management, Station::Host))),
        host(format!("ip link add {port} type veth peer name {peer} netns {}", names.tester_netns))
            .undone_by(&format!("ip link delete {port}")),
        host(format!("ip link set {port} master {bridge}")),
        host(format!("ip link set {port} up")),
        tester(format!("ip link set {peer} up")),
        tester(format!("ip address add {} dev {peer}", with_prefix(Net::Management, Station::Tester))),
    ]
}
