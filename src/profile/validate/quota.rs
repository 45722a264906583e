//! A quota for every guest where each already has one of its group: another level would change nothing.

use super::factors::{Levels, levels_of};
use super::{Check, Fault};
use crate::profile::Factor;
use crate::profile::groups::Group;

/// Reports a quota of all guests that none of them heeds.
pub(super) fn heeded(check: &mut Check, groups: &[Group], factors: &[Levels]) {
    let Some(quota) = factors.iter().find(|levels| levels.factor == Factor::Quota && levels.written) else {
        return;
    };
    let own = groups.iter().all(|group| group.cpu.quota_us.is_some());
    if !groups.is_empty()
        && own
        && levels_of(factors, Factor::Vms).iter().all(|vms| are_all(groups, vms.value.as_number()))
    {
        let path = if quota.swept { "sweep.quota" } else { Factor::Quota.home() };
        let hint = "leave `quota` out of the [[group]] that is to heed it, or leave it out here";
        check.fault(path, Fault::new("each guest has the quota of its group", "makes no difference", hint));
    }
}

/// Whether the groups have so many guests that nobody is left over.
fn are_all(groups: &[Group], vms: u32) -> bool {
    groups.iter().map(|group| group.size.guests(vms)).sum::<Option<u32>>() == Some(vms)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::profile::{HostFacts, parse};

    fn message(groups: &str) -> Option<String> {
        let text = format!(
            "schema = 1\nname = \"x\"\nworkload.flows = 4\nnetwork.backend = \"virtio\"\nguest.vms = 2\n\
             sweep.quota = [\"20 ms\", \"50 ms\"]\n{groups}"
        );
        let facts = HostFacts { memory_mib: 1024, cpus: 2 };
        parse(&text, Path::new("p.toml"), facts).err().map(|error| error.diagnostics[0].message.clone())
    }

    #[test]
    fn a_quota_of_all_guests_needs_one_that_has_none_of_its_group() {
        let group =
            |guests: u32, more: &str| format!("[[group]]\nname = \"g{guests}\"\nguests = {guests}\n{more}\n");
        let own = "quota = \"30 ms\"";
        assert_eq!(message(&group(2, own)), Some("each guest has the quota of its group".into()));
        assert_eq!(message(&group(2, "")), None);
        assert_eq!(message(&group(1, own)), None, "the other guest heeds it");
        assert_eq!(message(""), None);
    }
}
