//! The columns of `trials.csv` about fairness over slices of the window.

use crate::figures::{JainAt, Need, Numbers, SLICES_S};
use crate::table::{Field, real};

/// Fairness over slices of the window: median and 5th percentile for each length, of guests and of groups.
macro_rules! slices {
    ($($length:literal: $word:literal;)+) => {
        [$(
            real(concat!("jain_rate_", $word, "_median"), "", "median of Jain's index of the guests' rates over slices", |n: &Numbers| {
                at(&n.total.jain_over_time, $length).map(|at| at.median)
            })
            .needs(&[Need::Rates, Need::SeveralGuests, Need::Slices($length)]),
            real(concat!("groups_jain_rate_", $word, "_median"), "", "median of Jain's index of the groups' rates over slices", |n: &Numbers| {
                at(&n.sharing.between.jain_over_time, $length).map(|at| at.median)
            })
            .needs(&[Need::Rates, Need::SeveralGroups, Need::Slices($length)]),
            real(concat!("groups_jain_rate_", $word, "_p5"), "", "5th percentile of the same: the least fair slices", |n: &Numbers| {
                at(&n.sharing.between.jain_over_time, $length).map(|at| at.p5)
            })
            .needs(&[Need::Rates, Need::SeveralGroups, Need::Slices($length)]),
        )+]
    };
}

/// Lengths as in [`SLICES_S`].
pub(super) static SLICES: [Field<Numbers>; 3 * SLICES_S.len()] =
    slices! { 0: "500ms"; 1: "1s"; 2: "5s"; 3: "30s"; };

fn at(all: &[JainAt], length: usize) -> Option<&JainAt> {
    all.iter().find(|at| at.slice_s == SLICES_S[length])
}
