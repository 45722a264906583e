//! The fault matrix, continued: disks that are full in the middle of a run, which is resumed once there is room again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::support::faults::{SmallDisks, assert_matrix, fault, inject_all, prepared, undisturbed};
use crate::support::tables::rows;
use crate::support::{Sandbox, entries, name};

const LOAD: &str = "[limits]\ntrial_attempts = 1\n[network]\nbackend = \"virtio\"\n[guest]\nmemory = \"96 MiB\"\n\
                    [workload]\nflows = 2\nwarmup = \"500 ms\"\nwindow = \"3 s\"\ncooldown = \"500 ms\"\ninterval = \"250 ms\"\n";

/// The raw files of a run's valid trials.
pub fn valid_files(run: &Path) -> BTreeMap<String, Vec<u8>> {
    let trials = rows(run, "trials.csv").into_iter().filter(|trial| trial["outcome"] == "measured");
    let file = |number: &str| format!("raw/trial-{:0>4}.zst", number);
    trials.map(|trial| (trial["trial"].clone(), fs::read(run.join(file(&trial["trial"]))).unwrap())).collect()
}

#[test]
#[ignore = "minutes, and each fault must hit a window: make faults"]
fn a_full_disk_spoils_a_trial_or_ends_the_run_which_keeps_what_it_has_and_is_resumed() {
    let place = Sandbox::with_guests();
    let (runs, state) = (place.out(), place.state());
    let of_guests = Path::new("/run"); // hidden from kvmfair by one of its own
    let disks = SmallDisks::mount(&place, &[("runs", "4m"), ("state", "64m"), ("/run", "256m")]);
    let profile = place.profile("disks", &format!("{LOAD}repeats = 5\n"));
    let bench = place.command(&["bench", "--out", runs.to_str().unwrap(), &profile]);
    let mut running = place.start(disks.command(&bench));
    let mut faults = [
        undisturbed(),
        fault("state directory full in a trial", "failed", &["is its disk full?"], || {
            disks.fill(&state);
            disks.fill(of_guests);
        }),
        prepared("directory of guests' files full at a boot", "failed", &["No space left on device"]),
        undisturbed(),
    ];
    faults[2].after = Some(Box::new(|| [&state, of_guests].into_iter().for_each(|dir| disks.free(dir))));
    let times = inject_all(&mut running, &faults);
    running.hear("flows for");
    disks.fill(&runs);
    let ended = running.end();
    println!("{}", ended.said());
    disks.free(&runs);
    let directory = entries(&disks.path(&runs)).remove(0);
    place.kvmfair(&["report", directory.to_str().unwrap()]);
    assert_matrix("disks", &faults, &times, &rows(&directory, "trials.csv"));
    assert!(ended.said().contains("No space left on device"), "{}", ended.said());
    let ended = ended.expect(1);
    assert!(ended.said().contains("bench --resume"), "{}", ended.said());
    let before = valid_files(&directory);
    assert_eq!(before.len(), 2);
    let own = runs.join(name(&directory));
    let resume = place.command(&["bench", "--resume", own.to_str().unwrap()]);
    place.start(disks.command(&resume)).end().expect(0);
    let after = valid_files(&directory);
    assert_eq!(after.len(), 5, "all that an undisturbed run measures");
    assert!(before.iter().all(|(trial, bytes)| after[trial] == *bytes), "valid trials are kept bit for bit");
    assert!(entries(&disks.path(&state)).is_empty(), "nothing of the run is left");
    let left = entries(&disks.path(of_guests))
        .into_iter()
        .filter(|path| path.is_dir() && name(path).starts_with("kvmfair-"));
    assert_eq!(left.count(), 0, "nothing of its guests is left");
    drop(faults);
    drop(disks);
    place.assert_nothing_left();
}
