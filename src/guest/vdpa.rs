//! The character device of a vDPA device: the kernel numbers it when it is made, and libvirt wants its path.

use crate::backend::{Nic, NicSource};
use crate::lab::LabError;
use crate::machine::Machine;

/// Prints the path of the character device of the vDPA device `$1`.
const NODE: &str = r#"for node in /sys/bus/vdpa/devices/"$1"/vhost-vdpa-*; do
[ ! -e "$node" ] || { echo "/dev/${node##*/}"; exit; }
done
echo "the vDPA device $1 is not there, or its driver is not vhost_vdpa" >&2; exit 1"#;

/// Finds the character devices of a guest's NICs.
///
/// # Errors
/// [`LabError`] if one has none.
pub(super) async fn find_nodes(nics: &mut [Nic], host: &Machine) -> Result<(), LabError> {
    for nic in nics {
        if let NicSource::Vdpa { name, node, .. } = &mut nic.source {
            let output = host.run(&["sh", "-c", NODE, "node", name]).await?;
            *node = Some(output.stdout.trim().to_owned());
        }
    }
    Ok(())
}
