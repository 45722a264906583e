//! What a reader is shown who points at a part of a chart: its names, its value with the interval, how often it was measured and in
//! which trials.

use super::axis::Axis;
use super::plot::{Bar, Curves, Mark, Series};
use crate::report::model::named_trials;
use crate::stats::Estimate;
use crate::table::with_interval;

/// Trials that are named before the rest is counted.
const MOST: usize = 12;

/// Of a point of a series.
pub(super) fn of_mark(curves: &Curves, series: &Series, mark: &Mark) -> Vec<String> {
    let level = curves.x.levels.get(mark.x.mean.round() as usize);
    let across = match level {
        // Without what its title has to add about the scale.
        Some(level) => named(curves.x.title.split(" (").next().unwrap_or_default(), level),
        None => named(&curves.x.title, &figure(&mark.x, curves.x.unit)),
    };
    let value = named(&curves.y.title, &figure(&mark.y, curves.y.unit));
    let load = if mark.label.is_empty() { String::new() } else { format!("{} in flight", mark.label) };
    vec![series.label.clone(), load, across, value, count(&mark.y), named_trials(&mark.trials, MOST)]
}

/// Of a bar in one panel.
pub(super) fn of_bar(group: &str, bar: &Bar, panel: &Axis, value: &Estimate) -> Vec<String> {
    let shown = named(&panel.title, &figure(value, panel.unit));
    vec![group.to_owned(), bar.label.clone(), shown, count(value), named_trials(&bar.trials, MOST)]
}

/// `1234 ± 27 µs`
fn figure(value: &Estimate, unit: &str) -> String {
    format!("{} {unit}", with_interval(value)).trim_end().to_owned()
}

fn named(name: &str, value: &str) -> String {
    if name.is_empty() { value.to_owned() } else { format!("{name}: {value}") }
}

/// `n=5 (5 boots)`; nothing of a single value.
fn count(value: &Estimate) -> String {
    match (value.trials, value.boots) {
        (0 | 1, _) => String::new(),
        (trials, 1) => format!("n={trials} (1 boot)"),
        (trials, boots) => format!("n={trials} ({boots} boots)"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::palette::Pens;
    use super::super::plot::{SeriesKind, Style};
    use super::*;

    #[test]
    fn a_point_has_its_names_its_value_and_its_trials() {
        let x = Axis {
            title: "number of guests (log₂ scale)".into(),
            levels: vec!["1".into(), "4".into()],
            ..Axis::default()
        };
        let y = Axis::numbers("", "µs", 1.0);
        let mark = Mark::new(1.0, Estimate::exact(12.5)).of_trials(&[3, 7]);
        let pen = Pens::assign([]).get("virtio");
        let series =
            Series { label: "virtio".into(), role: SeriesKind::Measured, pen, points: vec![mark.clone()] };
        let curves = Curves { x, y, style: Style::Joined, series: vec![series.clone()] };
        let facts = of_mark(&curves, &series, &mark);
        assert_eq!(facts, ["virtio", "", "number of guests: 4", "12.50 µs", "", "trials 3 and 7"]);
    }

    #[test]
    fn many_trials_are_counted() {
        let all: Vec<u32> = (1..=20).collect();
        assert!(named_trials(&all, MOST).ends_with("11, 12 and 8 more"));
    }
}
