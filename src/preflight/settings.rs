//! The settings of a profile on the VM host: whether its kernel and the NIC of its wire have them, and take their values.

use super::CheckResult;
use crate::backend::wire::Wire;
use crate::factor::kernel;
use crate::factor::tuning::{self, SCRIPT, Setting};
use crate::machine::Machine;
use crate::profile::Experiment;
use crate::profile::cpus::first;

/// Checks each setting; without a wire none of its NIC.
pub(super) async fn examine(
    host: &Machine,
    experiment: &Experiment,
    wire: Option<&Wire>,
) -> Vec<CheckResult> {
    let (wanted, nic) = (WantedSettings::from_experiment(experiment, wire), nic(wire));
    let shown = host.run(&argv(nic, &wanted.with_choices())).await.map(|output| output.stdout);
    findings(&wanted, nic, &shown.unwrap_or_default())
}

/// The settings that any configuration changes.
#[derive(Default)]
struct WantedSettings {
    /// One of each.
    settings: Vec<Setting>,
    /// The values of each.
    values: Vec<Vec<String>>,
    /// Interrupts are to be coalesced on a veth pair, which has none.
    gathers_on_veth: bool,
}

impl WantedSettings {
    /// Files of a NIC are checked by the run, which makes or borrows it, and a veth pair has every offload.
    fn from_experiment(experiment: &Experiment, wire: Option<&Wire>) -> WantedSettings {
        let mut wanted = WantedSettings::default();
        let on_nics = matches!(wire, Some(Wire::Nics(_)));
        for setting in experiment.configurations.iter().flat_map(|c| kernel::host(c, &first(1))) {
            wanted.gathers_on_veth |= setting.files.ends_with("-usecs") && matches!(wire, Some(Wire::Veth));
            if !tuning::is_of_nic(&setting) || (on_nics && tuning::is_of_ethtool(&setting)) {
                wanted.add(setting);
            }
        }
        wanted
    }

    /// All that is to be shown: the settings, and after them the file in which the kernel lists the values of each. Where it
    /// lists nothing, a pattern that fits no file keeps the place.
    fn with_choices(&self) -> Vec<Setting> {
        let list = |setting: &Setting| {
            let files = if setting.choices.is_empty() { "/proc/none" } else { setting.choices };
            Setting { files: files.into(), ..setting.clone() }
        };
        self.settings.iter().cloned().chain(self.settings.iter().map(list)).collect()
    }

    fn add(&mut self, setting: Setting) {
        let value = setting.value.clone();
        match self.settings.iter().position(|other| other.what == setting.what) {
            Some(known) => self.values[known].push(value),
            None => {
                self.settings.push(setting);
                self.values.push(vec![value]);
            }
        }
    }
}

fn nic(wire: Option<&Wire>) -> &str {
    match wire {
        Some(Wire::Nics(nics)) => nics.host.first().map_or("lo", |nic| &nic.name),
        _ => "lo",
    }
}

fn argv<'s>(nic: &'s str, settings: &'s [Setting]) -> Vec<&'s str> {
    [&["sh", "-c", SCRIPT, "tune"], tuning::show(nic, settings).as_slice()].concat()
}

/// Which times of coalescing a driver accepts shows only the attempt.
fn findings(wanted: &WantedSettings, nic: &str, shown: &str) -> Vec<CheckResult> {
    let shown = tuning::shown(shown);
    let finding = |(index, setting): (usize, &Setting)| {
        let fixed = shown.iter().any(|shown| shown.setting == index && shown.content.contains("[fixed]"));
        match tuning::found(setting, index, &shown) {
            Some(now) if fixed && wanted.values[index].iter().any(|value| *value != now) => {
                let found = format!("{nic} has it {now}, and its driver never changes that");
                CheckResult::bad(
                    setting.what,
                    found,
                    "leave it out of [tuning.host] and [sweep], or name another NIC",
                )
            }
            Some(now) => match not_taken(wanted, index, &shown) {
                Some(refused) => refused,
                None => CheckResult::good(setting.what, format!("{now} now; it is put back at the end")),
            },
            None => lacking(setting, nic),
        }
    };
    let on_veth = wanted.gathers_on_veth.then(|| {
        let fix = "name real NICs in [wire], or leave coalesce_rx and coalesce_tx out";
        CheckResult::bad("interrupt coalescing", "the wire is a veth pair, which has no interrupts", fix)
    });
    wanted.settings.iter().enumerate().map(finding).chain(on_veth).collect()
}

/// A value that the kernel does not list, where it lists values.
fn not_taken(wanted: &WantedSettings, index: usize, shown: &[tuning::Shown]) -> Option<CheckResult> {
    let choices = tuning::choices(wanted.settings.len() + index, shown);
    let value = wanted.values[index].iter().find(|value| !choices.is_empty() && !choices.contains(value))?;
    let (what, choices) = (wanted.settings[index].what, choices.join(", "));
    let fix = format!("use one of these: {choices}");
    Some(CheckResult::bad(what, format!("the kernel does not accept {value}"), fix))
}

fn lacking(setting: &Setting, nic: &str) -> CheckResult {
    let (found, fix) = if tuning::is_of_ethtool(setting) {
        let fix = "leave it out of [tuning.host] and [sweep], or name another NIC (`ethtool -c` and `ethtool -k` show what \
                   one can; apt-get install ethtool)";
        (format!("{nic} has no {}", setting.files), fix)
    } else {
        let fix = if setting.missing.is_empty() {
            "leave it out of [tuning.host] and [sweep]"
        } else {
            setting.missing
        };
        let file = setting.files.split(' ').next().unwrap_or_default(); // the others are its names of older kernels
        (format!("there is no {file}"), fix)
    };
    CheckResult::bad(setting.what, found, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{Configuration, Factor, Value};

    fn with(levels: &[(Factor, Value)]) -> Configuration {
        Configuration { settings: levels.iter().cloned().collect(), ..Configuration::default() }
    }

    fn wanted(configurations: &[Configuration]) -> WantedSettings {
        let mut wanted = WantedSettings::default();
        configurations
            .iter()
            .flat_map(|configuration| kernel::host(configuration, &first(2)))
            .for_each(|setting| wanted.add(setting));
        wanted
    }

    fn of_nic(tso: bool) -> Configuration {
        with(&[(Factor::HostCoalesceRx, Value::Number(50)), (Factor::HostTso, Value::Switch(tso))])
    }

    #[test]
    fn a_setting_that_the_kernel_does_not_have_is_refused_with_its_file() {
        let tuning = with(&[(Factor::Ksm, Value::Switch(true)), (Factor::HaltPoll, Value::Number(0))]);
        let found = findings(&wanted(&[tuning]), "lo", "0\t/sys/kernel/mm/ksm/run\t0\n");
        assert_eq!((found[0].found.as_str(), &found[0].fix), ("0 now; it is put back at the end", &None));
        assert!(found[1].found.contains("no /sys/module/kvm/parameters/halt_poll_ns"), "{found:?}");
    }

    #[test]
    fn what_is_missing_is_told_with_a_fix_that_fits() {
        let tuning = with(&[
            (Factor::Governor, Value::Word("performance".into())),
            (Factor::HaltPoll, Value::Number(0)),
            (Factor::BaseSlice, Value::Number(1)),
        ]);
        let fixes: Vec<String> =
            findings(&wanted(&[tuning]), "lo", "").into_iter().filter_map(|f| f.fix).collect();
        let words = ["the hypervisor decides", "modprobe kvm", "mount -t debugfs"];
        assert!(fixes.iter().zip(words).all(|(fix, word)| fix.contains(word)), "{fixes:?}");
    }

    #[test]
    fn a_value_that_the_kernel_does_not_list_is_refused_with_those_that_it_does() {
        let of = |governor: &str| with(&[(Factor::Governor, Value::Word(governor.into()))]);
        let said = "0\t/cpu0/scaling_governor\tpowersave\n1\t/cpu0/scaling_available_governors\tperformance powersave\n";
        let found = |levels: &[Configuration]| findings(&wanted(levels), "lo", said).remove(0);
        assert_eq!(found(&[of("performance"), of("powersave")]).fix, None);
        let refused = found(&[of("performance"), of("ondemand")]);
        assert_eq!(refused.found, "the kernel does not accept ondemand");
        assert_eq!(refused.fix.as_deref(), Some("use one of these: performance, powersave"));
        assert_eq!(wanted(&[of("performance")]).with_choices().len(), 2);
    }

    #[test]
    fn what_the_wire_s_nic_does_not_have_is_refused_by_ethtool_s_word() {
        let found = findings(&wanted(&[of_nic(true)]), "eth1", "1\ttso\ton\n");
        assert_eq!((found[0].found.as_str(), found[0].fix.is_some()), ("eth1 has no rx-usecs", true));
        assert_eq!((found[1].found.as_str(), &found[1].fix), ("on now; it is put back at the end", &None));
    }

    #[test]
    fn an_offload_that_the_driver_fixed_may_only_be_asked_for_as_it_is() {
        let fixed = |levels: &[Configuration]| {
            findings(&wanted(levels), "eth1", "1\ttso\toff [fixed]\n")[1].fix.is_some()
        };
        assert!(!fixed(&[of_nic(false)]));
        assert!(fixed(&[of_nic(false), of_nic(true)]));
    }
}
