//! Written -> [`Experiment`]: every default, every bound, and what one key demands of another. All that is wrong is
//! reported together; an experiment comes out only if nothing is.
//!
//! Pure: what must be known of the host comes in as [`HostFacts`].

mod backend;
mod configurations;
mod cpus;
mod division;
mod factors;
mod gate;
mod groups;
mod image;
mod machines;
mod timing;
mod workload;
mod xen;

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::Path;

use super::diagnostic::Issues;
use super::messages::description;
use super::places::Places;
use super::reader::Read;
use super::written::Written;
use super::{Diagnostic, Experiment, Host};
use crate::factor::Fault;
use crate::factor::level_kind::out_of_bounds;
use crate::foreign_text::is_steering;

/// What the checks need to know of the VM host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostFacts {
    /// Memory of the host, MiB.
    pub memory_mib: u64,
    /// CPUs of the host: their numbers are less than this. Whether one of them is offline, `kvmfair check` says.
    pub cpus: u32,
}

/// Validates what was read.
///
/// # Errors
/// With the issues of reading and all that the checks add.
pub(super) fn experiment(
    read: Read<'_>,
    places: &Places<'_>,
    facts: HostFacts,
    path: &Path,
) -> Result<Experiment, Issues> {
    let Read { written, factors, issues, refused } = read;
    // The size of another machine, or of one of which dom0 has a part, is not known here; `kvmfair check` looks.
    let facts = match machines::is_remote(&written.host) || machines::is_xen(&written.host) {
        true => HostFacts { memory_mib: u64::MAX, cpus: u32::MAX },
        false => facts,
    };
    let directory = path.parent().unwrap_or(Path::new(""));
    let mut check = Validator { places, facts, refused, issues, cloud: image::is_cloud(&written.guest) };
    identity(&mut check, &written);
    texts(&mut check, &written);
    image::check(&mut check, &written.guest);
    let machines = machines::machines(&mut check, &written, directory);
    let xen = xen::host(&mut check, &written.host);
    let wire = machines::wire(&mut check, &written.wire, machines::are_two(&written.host));
    let timing = timing::timing(&mut check, &written.workload);
    let limits = timing::limits(&mut check, &written.limits, &timing);
    let factors = factors::factors(&mut check, factors);
    cpus::check(&mut check, &factors);
    backend::check(&mut check, &written, &factors);
    let groups = groups::groups(&mut check, &written, &factors);
    xen::check(&mut check, &written, xen.as_ref(), &factors);
    configurations::check(&mut check, &factors, &groups);
    if !check.issues.made.is_empty() {
        return Err(check.issues);
    }
    let gate = gate::gate(&mut check, &written.gate);
    let configurations = configurations::configurations(&mut check, &factors, &groups);
    timing::samples(&mut check, &timing, &configurations);
    if !check.issues.made.is_empty() {
        return Err(check.issues);
    }
    Ok(Experiment {
        name: written.name.unwrap_or_default(),
        description: written.description,
        source: written.source,
        host: Host { accel: written.host.accel, exits: written.host.exits, xen },
        machines,
        wire,
        idle: written.guest.idle,
        reprovision: written.plan.reprovision,
        image: image::image(written.guest, directory),
        timing,
        order: written.plan.order,
        seed: written.plan.seed.unwrap_or(1),
        limits,
        groups,
        configurations,
        factors: factors::swept(&factors),
        gate,
    })
}

/// The checks' common state.
struct Validator<'p> {
    places: &'p Places<'p>,
    facts: HostFacts,
    refused: Vec<String>,
    issues: Issues,
    /// Whether the guests boot a cloud image: some defaults differ.
    cloud: bool,
}

impl Validator<'_> {
    /// Reports a fault at the value of a path, or at its section if the value is a default. A fault without a hint says what the
    /// key is for.
    fn fault(&mut self, path: &str, fault: Fault) {
        self.fault_made_by(path, || fault);
    }

    /// The same of a fault that is made only if it is shown.
    fn fault_made_by(&mut self, path: &str, make: impl FnOnce() -> Fault) {
        self.issues.add(|| {
            let fault = make();
            let span = self.places.value_or_section(path);
            let hint = if fault.hint.is_empty() { description(path) } else { fault.hint };
            Diagnostic::new(fault.message).at(span, fault.label).hint(hint)
        });
    }

    /// The same, marking the value of another path as well, if it is written.
    fn fault_with(&mut self, path: &str, make: impl FnOnce() -> Fault, other: &str, label: &str) {
        self.fault_made_by(path, make);
        let written = self.places.key(other).is_some() && other != path;
        if let Some(issue) = self.issues.made.last_mut().filter(|_| written && self.issues.more == 0) {
            issue.also = Some((self.places.value_or_section(other), label.into()));
        }
    }

    /// Reports a value that is outside of its bounds.
    fn bounds<T: PartialOrd + Display>(&mut self, path: &str, value: T, bounds: RangeInclusive<T>) {
        let key = path.rsplit('.').next().unwrap_or(path);
        if let Some(fault) = out_of_bounds(key, value, bounds) {
            self.fault(path, fault);
        }
    }

    /// Reports a key that must be written, unless it was and has been refused already.
    fn missing(&mut self, path: &str, hint: &str) {
        if self.was_refused(path) {
            return;
        }
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        let home = match section {
            "" => String::new(),
            section if section.starts_with("group[") => " in [[group]]".into(),
            section => format!(" in [{section}]"),
        };
        self.fault(path, Fault::new(format!("missing key `{key}`{home}"), "", hint));
    }

    /// Whether something was written at the path, or around it, that could not be read.
    fn was_refused(&self, path: &str) -> bool {
        let around = |refused: &String| {
            refused.is_empty()
                || path
                    .strip_prefix(refused.as_str())
                    .is_some_and(|rest| matches!(rest.chars().next(), None | Some('.')))
        };
        self.refused.iter().any(around)
    }
}

fn identity(check: &mut Validator, written: &Written) {
    match written.schema {
        Some(1) => {}
        Some(version) => check.fault("schema", unknown_version(version)),
        None => check.missing("schema", "begin the profile with schema = 1, the version of its format"),
    }
    match &written.name {
        Some(name) if is_name(name) => {}
        Some(name) => check.fault("name", bad_name(name)),
        None => check.missing("name", "give it a short name for its files, for example name = \"my-lab\""),
    }
}

/// What reports and terminals show as it is; a line end may stand in a longer sentence.
fn texts(check: &mut Validator, written: &Written) {
    let texts = [("description", Some(&written.description)), ("source", written.source.as_ref())];
    let odd = |c: &char| (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || is_steering(*c);
    for (key, text) in texts {
        if let Some(found) = text.and_then(|text| text.chars().find(odd)) {
            let message = format!("`{key}` has the control character U+{:04X} in it", u32::from(found));
            let hint = "write plain text: it is shown on terminals and in reports as it stands";
            check.fault(key, Fault::new(message, "", hint));
        }
    }
}

fn unknown_version(version: u32) -> Fault {
    let hint = "write schema = 1, or use the kvmfair that the profile was written for";
    Fault::new(format!("schema version {version} is unknown to this version"), "only 1 is known", hint)
}

/// Whether a profile can have this name.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    // A hyphen at the beginning would make an option of it on command lines.
    (1..=64).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with('-')
}

fn bad_name(name: &str) -> Fault {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let folded: String = name.chars().map(fold).take(64).collect();
    let words: Vec<_> = folded.split('-').filter(|word| !word.is_empty()).collect();
    let better = if words.is_empty() { "my-lab".into() } else { words.join("-") };
    let message = format!("the name {name:?} cannot be a part of file names");
    Fault::new(message, "1 to 64 of a-z, 0-9 and -, no - first", format!("for example name = \"{better}\""))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::{AccelChoice, Idle, Order, parse};

    const FACTS: HostFacts = HostFacts { memory_mib: 1024, cpus: 2 };
    const LEAST: &str = "schema = 1\nname = \"x\"\nworkload.flows = 1\nnetwork.backend = \"virtio\"\n";

    fn parsed(more: &str) -> Experiment {
        parse(&format!("{LEAST}{more}"), Path::new("lab/p.toml"), FACTS).expect("valid")
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let experiment = parsed("");
        assert_eq!(experiment.timing.window, Duration::from_secs(30));
        assert_eq!(experiment.timing.repeats, 5);
        assert_eq!((experiment.order, experiment.seed), (Order::Random, 1));
        assert_eq!((experiment.idle, experiment.host.accel), (Idle::Pause, AccelChoice::Auto));
        assert_eq!((experiment.limits.boot_attempts, experiment.limits.total), (3, None));
        assert_eq!(experiment.configurations.len(), 1);
        assert!(experiment.factors.is_empty());
    }

    #[test]
    fn names_are_parts_of_file_names() {
        assert!(is_name("asada-2012"));
        assert!(!is_name("../etc") && !is_name("-x") && !is_name("-"));
        assert!(!is_name(&"x".repeat(65)));
    }
}
