//! Paced background: the tester's streams to some guests, held to a rate while a configuration is measured.

use anyhow::{Context, Result};

use crate::backend::pace::Pace;
use crate::profile::groups::{Group, Members, members};
use crate::profile::{Configuration, Role};
use crate::raw::Check;
use crate::run::guest_check::check;
use crate::run::lab_session::LabSession;

/// The largest relative rounding error of tc.
const ROUNDING: f64 = 1e-3;

/// Paces the streams of a configuration.
///
/// # Errors
/// If the tester refuses.
pub(in crate::run) async fn apply(session: &mut LabSession, configuration: &Configuration) -> Result<()> {
    let wanted = wanted(session.groups(), configuration);
    session.lab.pace(wanted).await.context("failed to pace the streams to guests on the tester")
}

/// Where a profile names a rate, packets pass the same queueing discipline in all its configurations, paced or not: the
/// baseline must not differ by it. Pure.
fn wanted(groups: &[Group], configuration: &Configuration) -> Option<Vec<Pace>> {
    groups.iter().find(|group| group.rate_bps.is_some())?;
    let all = members(groups, configuration);
    let paced = all.iter().filter_map(|group| Some((group, rate_of(group)?)));
    Some(paced.flat_map(|(group, bits)| group.numbers().map(move |guest| Pace { guest, bits })).collect())
}

/// The rate at which the streams to a group's guests are paced, bits/s; `None` if they are not.
pub(in crate::run) fn rate_of(group: &Members) -> Option<u64> {
    group.rate_bps.filter(|_| group.role == Role::Paced)
}

/// The rate at which a guest of a group is paced.
pub(in crate::run) async fn checks(session: &LabSession, guest: u32, group: &Members) -> Option<Check> {
    let asked = rate_of(group)?;
    let found = session.lab.pace_of(guest).await.ok().flatten();
    let near = |bits: &u64| (*bits as f64 / asked as f64 - 1.0).abs() <= ROUNDING;
    let found = found.map(|bits| if near(&bits) { asked } else { bits });
    let shown = |bits: u64| format!("{bits} bit/s");
    Some(check(guest, "rate of its paced stream", shown(asked), found.map(shown)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Background;
    use crate::profile::groups::{CpuSettings, GroupSize};

    fn noise(rate_bps: Option<u64>) -> Group {
        let cpu = CpuSettings::default();
        Group {
            name: "noise".into(),
            size: GroupSize::Guests(2),
            cpu,
            role: Role::Idle,
            bandwidth_bps: None,
            rate_bps,
            cgroup: false,
        }
    }

    #[test]
    fn only_the_paced_are_held_to_a_rate_and_their_baseline_takes_the_same_way() {
        let at = |background| Configuration { vms: 3, background, ..Configuration::default() };
        let groups = [noise(Some(2_000_000))];
        let paces = [1, 2].map(|guest| Pace { guest, bits: 2_000_000 });
        assert_eq!(wanted(&groups, &at(Background::Paced)), Some(paces.to_vec()));
        assert_eq!(wanted(&groups, &at(Background::NetLoad)), Some(vec![]));
        assert_eq!(wanted(&groups, &at(Background::None)), Some(vec![]));
        assert_eq!(wanted(&[noise(None)], &at(Background::NetLoad)), None);
    }
}
