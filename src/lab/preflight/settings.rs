//! The settings of a profile that are the whole VM host's: whether its kernel has them.

use std::path::Path;

use super::Finding;
use crate::exec::blocking;
use crate::exec::machine::Machine;
use crate::profile::Experiment;
use crate::tuning::{self, SCRIPT, Setting};

/// Looks at this machine.
pub(super) fn look(experiment: &Experiment) -> Vec<Finding> {
    let settings = of(experiment);
    let argv = argv(&settings);
    let said =
        blocking::run(Path::new("/"), &argv).map(|ran| String::from_utf8_lossy(&ran.stdout).into_owned());
    findings(&settings, &said.unwrap_or_default())
}

/// Looks at another machine.
pub(super) async fn look_there(host: &Machine, experiment: &Experiment) -> Vec<Finding> {
    let settings = of(experiment);
    let said = host.run(&argv(&settings)).await.map(|output| output.stdout);
    findings(&settings, &said.unwrap_or_default())
}

/// One of each; those of NICs are the run's to look at, which makes or borrows them.
fn of(experiment: &Experiment) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    for configuration in &experiment.configurations {
        for setting in tuning::host(&configuration.tuning.host, 1) {
            if !tuning::is_of_nic(&setting) && settings.iter().all(|other| other.what != setting.what) {
                settings.push(setting);
            }
        }
    }
    settings
}

fn argv(settings: &[Setting]) -> Vec<&str> {
    [&["sh", "-c", SCRIPT, "tune"], tuning::show("lo", settings).as_slice()].concat()
}

fn findings(settings: &[Setting], said: &str) -> Vec<Finding> {
    let shown = tuning::shown(said);
    let finding = |(index, setting): (usize, &Setting)| match tuning::found(setting, index, &shown) {
        Some(value) => Finding::good(setting.what, format!("{value} now; it is put back at the end")),
        None => Finding::bad(
            setting.what,
            format!("there is no {}", setting.files),
            "leave it out of [tuning.host] and [sweep]; or mount debugfs, or load the module, if it is only that",
        ),
    };
    settings.iter().enumerate().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::tuning::HostTuning;

    #[test]
    fn a_setting_that_the_kernel_does_not_have_is_refused_with_its_file() {
        let tuning = HostTuning { ksm: Some(true), halt_poll_ns: Some(0), ..HostTuning::default() };
        let found = findings(&tuning::host(&tuning, 2), "0\t/sys/kernel/mm/ksm/run\t0\n");
        assert_eq!((found[0].found.as_str(), &found[0].fix), ("0 now; it is put back at the end", &None));
        assert!(found[1].found.contains("no /sys/module/kvm/parameters/halt_poll_ns"), "{found:?}");
    }
}
