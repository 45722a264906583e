//! Where only bare metal is measured: settings of guests that would seem to be measured, and are not there.

use super::factors::Levels;
use super::{Check, Fault};
use crate::profile::Factor;
use crate::profile::written::Written;

/// What can only be had with guests. Their number and size may stand in a profile whose backend is changed now and then.
const NEEDING_GUESTS: [Factor; 5] =
    [Factor::Queues, Factor::QueueSize, Factor::Offloads, Factor::Background, Factor::GroupLimits];

/// Reports what no configuration heeds, because none has a guest.
pub(super) fn without_guests(check: &mut Check, written: &Written, factors: &[Levels]) {
    if !written.group.is_empty() {
        check.fault("group[0]", unheeded("[[group]]"));
    }
    let written = factors.iter().filter(|levels| levels.written && NEEDING_GUESTS.contains(&levels.factor));
    for levels in written {
        let key = levels.factor.key();
        let path = if levels.swept { format!("sweep.{key}") } else { levels.factor.home().to_owned() };
        check.fault(&path, unheeded(&format!("`{key}`")));
    }
}

fn unheeded(what: &str) -> Fault {
    let hint = "leave it out, or add a backend with guests: backend = [\"baremetal\", \"virtio\"] in [sweep]";
    Fault::new(format!("{what} means nothing to bare metal: it has no guests"), "makes no difference", hint)
}
