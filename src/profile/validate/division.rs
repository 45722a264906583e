//! Whether every number of guests can be divided as the groups say; if not, which group is to blame, and what would do.

use super::factors::{Levels, levels_of};
use super::{Fault, Validator};
use crate::profile::groups::{Group, GroupSize, divides};
use crate::profile::{Factor, Role};

/// A number of guests this much larger than the one that was written is no advice.
const MOST_TIMES: u32 = 4;

/// Reports each number of guests that the groups do not divide.
pub(super) fn check(check: &mut Validator, groups: &[Group], factors: &[Levels]) {
    for level in levels_of(factors, Factor::Vms) {
        let vms = level.value.as_number();
        if divides(groups, vms) {
            continue;
        }
        let blamed = blamed(groups, vms);
        let group = format!("group[{blamed}].guests");
        // A number of guests that nobody wrote is not to blame.
        let path = if check.places.key(&level.path).is_some() { level.path.clone() } else { group.clone() };
        let label = format!("of group \"{}\"", groups[blamed].name);
        check.fault_with(&path, || undivided(groups, blamed, vms), &group, &label);
    }
}

/// The group with no whole number of guests; else the one that has those that are too many.
fn blamed(groups: &[Group], vms: u32) -> usize {
    let broken = groups.iter().position(|group| group.size.guests(vms).is_none());
    let beyond =
        (0..groups.len()).find(|last| wanted(&groups[..=*last], vms).is_some_and(|wanted| wanted > vms));
    let unmeasured = groups.iter().rposition(|group| group.role != Role::Measured);
    broken.or(beyond).or(unmeasured).unwrap_or(0)
}

fn wanted(groups: &[Group], vms: u32) -> Option<u32> {
    groups.iter().map(|group| group.size.guests(vms)).sum()
}

fn undivided(groups: &[Group], blamed: usize, vms: u32) -> Fault {
    let Group { name, size, .. } = &groups[blamed];
    let message = match (size, wanted(groups, vms)) {
        (GroupSize::Percent(percent), None) => {
            format!("{percent} % of {vms} guests for group \"{name}\" is no whole number")
        }
        (_, Some(wanted)) if wanted > vms => format!("the groups want {wanted} guests, and there are {vms}"),
        _ => format!("of {vms} guests none is left to be measured"),
    };
    Fault::new(message, "", advice(groups, blamed, vms))
}

/// Another size of the group, and the nearest numbers of guests.
fn advice(groups: &[Group], blamed: usize, vms: u32) -> String {
    let size = fitting(groups, blamed, vms);
    let size = size.map(|guests| format!("guests = {guests} in group \"{}\"", groups[blamed].name));
    let below = (1..vms).rev().find(|vms| divides(groups, *vms));
    let above = (vms + 1..=vms.saturating_mul(MOST_TIMES).max(16)).find(|vms| divides(groups, *vms));
    let near: Vec<String> = below.into_iter().chain(above).map(|vms| vms.to_string()).collect();
    let vms = (!near.is_empty()).then(|| format!("vms = {}", near.join(" or ")));
    let ways: Vec<String> = size.into_iter().chain(vms).collect();
    match ways.is_empty() {
        true => "one guest at least must be left, or have role = \"measured\": use fewer in the groups, or more `vms`".into(),
        false => format!("for example {}", ways.join(", or ")),
    }
}

/// The number of guests of the group, nearest to what was asked for, with which the groups divide so many.
fn fitting(groups: &[Group], blamed: usize, vms: u32) -> Option<u32> {
    let asked = match groups[blamed].size {
        GroupSize::Guests(guests) => guests,
        GroupSize::Percent(percent) => (vms * percent).div_ceil(100),
    };
    let with = |guests: u32| {
        let mut groups = groups.to_vec();
        groups[blamed].size = GroupSize::Guests(guests);
        groups
    };
    (1..=vms).filter(|guests| divides(&with(*guests), vms)).min_by_key(|guests| guests.abs_diff(asked))
}
