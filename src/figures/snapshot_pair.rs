//! The two snapshots around the window: what is counted between them.

use crate::window::Window;

/// A guest that was busy may answer when the window has begun: so much of it must lie between its snapshots all the same.
const LOOKED_AT: f64 = 0.5;

/// The first and the last of some snapshots, and the time between them, s; `None` where there are no two, or they miss too much
/// of the window.
pub(super) fn pair<'l, T>(snapshots: &'l [(f64, T)], window: &Window) -> Option<(&'l T, &'l T, f64)> {
    let [(start_s, first), .., (end_s, last)] = snapshots else { return None };
    (window.part_between(*start_s, *end_s) >= LOOKED_AT).then_some((first, last, end_s - start_s))
}
