//! Room for a cloud image on the VM host, which gets a copy of it for the run.

use bytesize::ByteSize;

use super::CheckResult;
use crate::guest::cloud;
use crate::lab::directories::IMAGES;
use crate::machine::Machine;
use crate::profile::{Experiment, Image};

/// For what the guests write into their layers, and for other users of the disk, bytes.
const SPARE: u64 = 256 << 20;

/// Checks the disk of a VM host that gets a copy; nothing about an image that is refused anyway.
pub(super) async fn examine(host: &Machine, experiment: &Experiment) -> Option<CheckResult> {
    let (Some(_), Image::Cloud { path, .. }) = (&experiment.machines, &experiment.image) else { return None };
    let wanted = cloud::base::inspect(path).ok()?.length;
    let printed = host.run(&["df", "-Pk", IMAGES]).await;
    Some(match printed.map(|output| available(&output.stdout)) {
        Ok(Some(free)) => finding(wanted, free),
        Ok(None) => unknown("unexpected output of df".into()),
        Err(error) => unknown(error.to_string()),
    })
}

const WHAT: &str = "room for the cloud image";

fn finding(wanted: u64, free: u64) -> CheckResult {
    let size = |bytes| ByteSize(bytes).display().iec();
    let found = format!("{} of {} are free for {}", size(free), IMAGES, size(wanted));
    if free >= wanted.saturating_add(SPARE) {
        return CheckResult::good(WHAT, found);
    }
    let fix = format!("make {} free in {IMAGES}, or use a smaller image", size(wanted + SPARE));
    CheckResult::bad(WHAT, found, fix)
}

fn unknown(cause: String) -> CheckResult {
    CheckResult::bad(WHAT, cause, format!("mkdir -m 1777 {IMAGES}"))
}

/// Bytes that `df -Pk` prints as available: the fourth column of its second line.
fn available(printed: &str) -> Option<u64> {
    let kibibytes: u64 = printed.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DF: &str = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n\
                      /dev/vda         263174212 39024180  56137212      42% /\n";

    #[test]
    fn free_room_is_what_df_prints_as_available() {
        assert_eq!(available(DF), Some(56_137_212 * 1024));
        assert_eq!(available("df: /var/tmp: No such file or directory\n"), None);
    }

    #[test]
    fn an_image_that_would_fill_the_disk_is_refused_with_what_it_needs() {
        assert_eq!(finding(1 << 30, 2 << 30).fix, None);
        let full = finding(1 << 30, 1 << 30);
        assert_eq!(full.found, "1.0 GiB of /var/tmp are free for 1.0 GiB");
        assert!(full.fix.unwrap().contains("make 1.2 GiB free in /var/tmp"), "{}", full.found);
    }
}
