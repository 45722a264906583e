//! The chart of a history: a point for each run, the level of each segment, and a mark where a level moved.

use std::fmt::Write;

use quick_xml::escape::escape;

use crate::answers::{HistoryEntry, MetricHistory};
use crate::table::plain;

/// Size of the picture, px: as all charts.
const SIZE: (f64, f64) = (1440.0, 810.0);
/// Edges of the plot: left, right, top, bottom.
const PLOT: (f64, f64, f64, f64) = (150.0, 1390.0, 130.0, 690.0);
const FONT: &str = "font-family=\"Inter, sans-serif\"";
/// Runs are named below the axis, at most so many.
const MOST_NAMES: usize = 6;

/// The picture as SVG; `None` without runs.
pub fn history_chart(history: &[HistoryEntry], course: &MetricHistory) -> Option<String> {
    let scale = ValueScale::from_values(&course.values)?;
    let (width, height) = SIZE;
    let unit =
        if course.metric.unit.is_empty() { String::new() } else { format!(", {}", course.metric.unit) };
    let title = format!("{}{unit}: {}", course.metric.label, course.label);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    let better = if course.is_higher_better() { "higher is better" } else { "lower is better" };
    svg += &text((60.0, 60.0), 30, "start", "#1f2228", &title);
    let caption = format!(
        "one point for each run; lines: levels; hollow: odd runs; dashed: provisional level; {better}"
    );
    svg += &text((60.0, 98.0), 21, "start", "#5f6570", &caption);
    svg += &axes(&scale);
    svg += &names(history, course);
    svg += &changes(course);
    svg += &segments(course, &scale);
    svg += &points(course, &scale);
    svg += "</svg>\n";
    Some(svg)
}

/// Values from bottom to top, with some room.
struct ValueScale {
    low: f64,
    high: f64,
}

impl ValueScale {
    fn from_values(values: &[f64]) -> Option<ValueScale> {
        let low = values.iter().copied().reduce(f64::min)?;
        let high = values.iter().copied().reduce(f64::max)?;
        let room = (0.1 * (high - low)).max(0.02 * high.abs()).max(f64::MIN_POSITIVE);
        Some(ValueScale { low: low - room, high: high + room })
    }

    fn y(&self, value: f64) -> f64 {
        let (.., top, bottom) = PLOT;
        bottom - (value - self.low) / (self.high - self.low) * (bottom - top)
    }
}

fn x(course: &MetricHistory, at: f64) -> f64 {
    let (left, right, ..) = PLOT;
    left + (at + 0.5) / course.values.len().max(1) as f64 * (right - left)
}

fn axes(scale: &ValueScale) -> String {
    const TICKS: u32 = 5;
    let (left, right, ..) = PLOT;
    let tick = |step: u32| {
        let value = scale.low + (scale.high - scale.low) * f64::from(step) / f64::from(TICKS);
        let y = scale.y(value);
        let line = format!("<path d=\"M{left} {y:.1}H{right}\" stroke=\"#dddfe3\" stroke-width=\"1.5\"/>\n");
        line + &text((left - 14.0, y + 7.0), 21, "end", "#5f6570", &plain(value))
    };
    (0..=TICKS).map(tick).collect()
}

/// Names of some runs, the last one among them.
fn names(history: &[HistoryEntry], course: &MetricHistory) -> String {
    let every = course.runs.len().div_ceil(MOST_NAMES).max(1);
    let (.., bottom) = PLOT;
    let day = |at: usize| history[course.runs[at]].date.get(..10).unwrap_or_default();
    let last = course.runs.len().saturating_sub(1);
    let shown = (0..course.runs.len()).filter(|at| (last - at).is_multiple_of(every));
    shown.map(|at| text((x(course, at as f64), bottom + 36.0), 21, "middle", "#5f6570", day(at))).collect()
}

/// A line across at each change, with what changed in the environment.
fn changes(course: &MetricHistory) -> String {
    let (_, _, top, bottom) = PLOT;
    let mut svg = String::new();
    for (number, change) in course.changes.iter().enumerate() {
        let place = x(course, change.at as f64 - 0.5);
        let _ = writeln!(
            svg,
            "<path d=\"M{place:.1} {top}V{bottom}\" stroke=\"#8a8f98\" stroke-width=\"1.5\" stroke-dasharray=\"4 5\"/>"
        );
        let facts: Vec<&str> = change.environment.iter().take(2).map(|fact| fact.name.as_str()).collect();
        let note = format!("{} {}", course.change_in_words(change), facts.join(", "));
        let y = top + 24.0 + 26.0 * (number % 4) as f64;
        let (aside, anchor) = if place > 0.7 * PLOT.1 { (-8.0, "end") } else { (8.0, "start") };
        svg += &text((place + aside, y), 21, anchor, "#1f2228", note.trim_end());
    }
    svg
}

fn segments(course: &MetricHistory, scale: &ValueScale) -> String {
    if course.levels.is_empty() {
        return String::new();
    }
    let mut bounds: Vec<usize> = course.changes.iter().map(|change| change.at).collect();
    bounds.insert(0, 0);
    bounds.push(course.levels.len());
    let segment = |ends: &[usize]| {
        let (from, to) = (x(course, ends[0] as f64 - 0.4), x(course, ends[1] as f64 - 0.6));
        let y = scale.y(course.levels[ends[0]]);
        let is_provisional =
            course.changes.iter().any(|change| change.at == ends[0] && change.is_provisional);
        let dash = if is_provisional { " stroke-dasharray=\"12 8\"" } else { "" };
        format!(
            "<path class=\"level\" d=\"M{from:.1} {y:.1}H{to:.1}\" stroke=\"#0b6fb8\" stroke-width=\"5\"{dash}/>\n"
        )
    };
    bounds.windows(2).map(segment).collect()
}

fn points(course: &MetricHistory, scale: &ValueScale) -> String {
    let point = |(at, value): (usize, &f64)| {
        let (x, y) = (x(course, at as f64), scale.y(*value));
        let fill = if course.odd.contains(&at) { "#ffffff" } else { "#1f2228" };
        format!(
            "<circle class=\"run\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\" fill=\"{fill}\" stroke=\"#1f2228\" stroke-width=\"2\"/>\n"
        )
    };
    course.values.iter().enumerate().map(point).collect()
}

fn text((x, y): (f64, f64), size: u32, anchor: &str, colour: &str, text: &str) -> String {
    let text = escape(text);
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" {FONT} font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::{courses, history_of_levels, metrics_of_history};
    use crate::report::chart::png;

    #[test]
    fn a_chart_has_a_point_for_each_run_and_a_line_for_each_level() {
        let history = history_of_levels(&[(12, 1000.0), (6, 900.0)], 12);
        let course = courses(&history, &metrics_of_history(&history)).remove(0);
        let svg = history_chart(&history, &course).unwrap();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let count =
            |class| document.descendants().filter(|node| node.attribute("class") == Some(class)).count();
        assert_eq!((count("run"), count("level")), (18, 2));
        assert!(svg.contains("0.90 times kernel"), "{svg}");
        assert!(!png(&svg).unwrap().is_empty());
    }
}
