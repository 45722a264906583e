//! Lines against the number of guests: a band for the interval, or whiskers where bands would hide each other; points with a
//! halo, names at the lines' ends.
//!
//! Numbers of guests are set evenly, as they usually double. Bare metal is a dashed line across.

use plotters::style::{Color, RGBColor};

use super::canvas::{AXIS, Align, Canvas, FAINT, GREY, INK, Point};
use super::estimate::Estimate;
use super::frame::Frame;
use super::scale::Scale;
use super::series::{Bar, Lines, Plot, Series};
use super::text::Font;
use super::{axes, labels, palette};

const TICK: Font = Font::regular(21.0);
const UNIT: Font = Font::regular(20.0);
const LABEL: Font = Font::bold(22.0);
/// Widest name at the end of a line, px, before it is wrapped.
const LABEL_WIDTH: f64 = 360.0;
/// Height of a line of a name, px.
const LABEL_HEIGHT: f64 = 28.0;
/// From the plot's right edge to the names, px.
const LABEL_GAP: f64 = 34.0;
/// From the plot's edges to the first and last points, px.
const INSET: f64 = 56.0;
/// Between two whiskers at a point, px.
const WHISKERS: f64 = 12.0;

/// Where values lie on the picture.
struct Plane {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    scale: Scale,
    levels: usize,
}

impl Plane {
    fn x(&self, level: usize) -> f64 {
        let (first, last) = (self.left + INSET, self.right - INSET);
        first + (last - first) * level as f64 / (self.levels - 1).max(1) as f64
    }

    /// Height of a value; beyond the scale, its edge.
    fn y(&self, value: f64) -> f64 {
        let part = (value / self.scale.top).clamp(0.0, 1.0);
        self.bottom - part * (self.bottom - self.top)
    }
}

/// A name at the end of a line.
struct Label {
    lines: Vec<String>,
    colour: RGBColor,
    /// End of what it names.
    from: Point,
}

/// Draws a line chart into the frame.
pub(super) fn draw(canvas: &mut Canvas, frame: &Frame, plot: &Plot, lines: &Lines) {
    let scale = plot.scale();
    let names =
        lines.series.iter().map(|series| &series.label).chain(lines.baselines.iter().map(|b| &b.label));
    let widest = names.flat_map(|name| wrapped(name)).map(|line| LABEL.width(&line)).fold(0.0, f64::max);
    let ticks = scale.ticks.iter().map(|tick| TICK.width(&scale.label(*tick))).fold(0.0, f64::max);
    let plane = Plane {
        left: frame.left + ticks + 18.0,
        right: frame.right - widest.max(80.0) - LABEL_GAP,
        top: frame.top + 62.0,
        bottom: frame.bottom - 96.0,
        scale,
        levels: lines.levels.len(),
    };
    scales(canvas, frame, &plane, &lines.levels);
    let baselines: Vec<Label> = lines.baselines.iter().map(|bar| baseline(canvas, &plane, bar)).collect();
    let indexed = || lines.series.iter().enumerate();
    if lines.banded() {
        indexed().for_each(|(index, series)| bands(canvas, &plane, series, palette::line(index)));
    } else {
        let aside = |index: usize| WHISKERS * (index as f64 - (lines.series.len() - 1) as f64 / 2.0);
        indexed().for_each(|(index, series)| whiskers(canvas, &plane, series, index, aside(index)));
    }
    indexed().for_each(|(index, series)| strokes(canvas, &plane, series, index));
    let ends = indexed().filter_map(|(index, series)| label(&plane, series, index));
    names_at_ends(canvas, &plane, &ends.chain(baselines).collect::<Vec<_>>());
}

fn scales(canvas: &mut Canvas, frame: &Frame, plane: &Plane, levels: &[u32]) {
    canvas.text(plane.scale.unit, (frame.left, frame.top + 22.0), Align::Left, UNIT, &GREY);
    for tick in &plane.scale.ticks {
        let y = plane.y(*tick);
        let colour = if *tick == 0.0 { &AXIS } else { &FAINT };
        canvas.path(&[(plane.left, y), (plane.right, y)], colour, 2);
        canvas.centred(&plane.scale.label(*tick), (plane.left - 18.0, y), Align::Right, TICK, &INK);
    }
    for (index, level) in levels.iter().enumerate() {
        let x = plane.x(index);
        canvas.path(&[(x, plane.bottom), (x, plane.bottom + 9.0)], &AXIS, 2);
        canvas.text(&level.to_string(), (x, plane.bottom + 38.0), Align::Middle, TICK, &INK);
    }
    let middle = (plane.x(0) + plane.x(levels.len() - 1)) / 2.0;
    canvas.text(axis_title(levels), (middle, plane.bottom + 80.0), Align::Middle, UNIT, &GREY);
}

/// Says what the even spacing means.
fn axis_title(levels: &[u32]) -> &'static str {
    let doubling = levels.windows(2).all(|pair| pair[1] == 2 * pair[0]);
    let even = levels.windows(3).all(|three| three[2] - three[1] == three[1] - three[0]);
    match (doubling, even) {
        (_, true) => "number of guests",
        (true, _) => "number of guests (log₂ scale)",
        _ => "number of guests (not to scale)",
    }
}

/// Intervals of neighbouring points as one band; of a point that stands alone, as a whisker.
fn bands(canvas: &mut Canvas, plane: &Plane, series: &Series, colour: RGBColor) {
    for run in runs(series, |value| value.ends.is_some()) {
        let edge = |of: fn((f64, f64)) -> f64| {
            let y = move |value: &Estimate| plane.y(value.ends.map_or(value.mean, of));
            run.iter().map(move |(level, value)| (plane.x(*level), y(value)))
        };
        let (low, high) = (|ends: (f64, f64)| ends.0, |ends: (f64, f64)| ends.1);
        match run.as_slice() {
            [_] => canvas.path(&edge(high).chain(edge(low)).collect::<Vec<_>>(), &colour.mix(0.4), 5),
            _ => canvas.polygon(&edge(high).chain(edge(low).rev()).collect::<Vec<_>>(), &colour.mix(0.17)),
        }
    }
}

/// Intervals side by side, so that each can be told from the others.
fn whiskers(canvas: &mut Canvas, plane: &Plane, series: &Series, index: usize, aside: f64) {
    for (level, point) in series.points.iter().enumerate() {
        if let Some((low, high)) = point.and_then(|value| value.ends) {
            let (x, ends) = (plane.x(level) + aside, (plane.y(low), plane.y(high)));
            axes::whisker(canvas, x, ends, WHISKERS / 2.0 - 1.0, &palette::line(index));
        }
    }
}

/// Lines and points; lines beyond the number of colours are dashed.
fn strokes(canvas: &mut Canvas, plane: &Plane, series: &Series, index: usize) {
    let colour = palette::line(index);
    for run in runs(series, |_| true) {
        let points: Vec<Point> =
            run.iter().map(|(level, value)| (plane.x(*level), plane.y(value.mean))).collect();
        match points.as_slice() {
            [_] => {}
            all if palette::is_repeated(index) => {
                all.windows(2).for_each(|pair| canvas.dashes(pair[0], pair[1], &colour, 4, 12.0));
            }
            all => canvas.path(all, &colour, 4),
        }
        points.iter().for_each(|point| canvas.dot(*point, &colour));
    }
}

/// Neighbouring points that exist and pass, each run with its levels.
fn runs(series: &Series, passes: fn(&Estimate) -> bool) -> Vec<Vec<(usize, Estimate)>> {
    let points: Vec<Option<(usize, Estimate)>> = series
        .points
        .iter()
        .enumerate()
        .map(|(level, point)| point.filter(passes).map(|value| (level, value)))
        .collect();
    let runs =
        points.split(|point| point.is_none()).map(|run| run.iter().copied().flatten().collect::<Vec<_>>());
    runs.filter(|run| !run.is_empty()).collect()
}

/// Bare metal: dashed across, or an arrow at the top if it is beyond the scale.
fn baseline(canvas: &mut Canvas, plane: &Plane, bar: &Bar) -> Label {
    let y = plane.y(bar.value.mean);
    if bar.value.mean <= plane.scale.top {
        canvas.dashes((plane.left, y), (plane.right, y), &GREY, 3, 9.0);
        return Label { lines: wrapped(&bar.label), colour: GREY, from: (plane.right, y) };
    }
    let mut lines = wrapped(&bar.label);
    lines.push(format!("{} ↑", plane.scale.value(bar.value.mean)));
    Label { lines, colour: GREY, from: (plane.right + LABEL_GAP, plane.top) }
}

fn label(plane: &Plane, series: &Series, index: usize) -> Option<Label> {
    let (level, last) = series.points.iter().enumerate().rev().find_map(|(level, p)| Some((level, (*p)?)))?;
    Some(Label {
        lines: wrapped(&series.label),
        colour: palette::text(index),
        from: (plane.x(level), plane.y(last.mean)),
    })
}

fn wrapped(name: &str) -> Vec<String> {
    LABEL.wrap(name, LABEL_WIDTH, 2)
}

/// Names beside the ends of their lines, moved apart where they would cover each other, then tied by a thin line.
fn names_at_ends(canvas: &mut Canvas, plane: &Plane, labels: &[Label]) {
    let tallest = labels.iter().map(|label| label.lines.len()).max().unwrap_or(1) as f64;
    let half = (tallest - 1.0) * LABEL_HEIGHT / 2.0;
    let wanted: Vec<f64> = labels.iter().map(|label| label.from.1).collect();
    let gap = LABEL_HEIGHT * tallest + if tallest > 1.0 { 8.0 } else { 2.0 };
    let places = labels::spread(&wanted, gap, plane.top + half, plane.bottom - half);
    for (label, place) in labels.iter().zip(places) {
        let x = plane.right + LABEL_GAP;
        let moved = (place - label.from.1).abs() > 5.0;
        let far = label.from.0 < plane.right - INSET - 1.0;
        if (moved || far) && label.from.0 < x {
            let tie = [(label.from.0 + 12.0, label.from.1), (x - 26.0, label.from.1), (x - 8.0, place)];
            canvas.path(&tie, &label.colour.mix(0.5), 2);
        }
        let first = place - (label.lines.len() as f64 - 1.0) * LABEL_HEIGHT / 2.0;
        for (index, line) in label.lines.iter().enumerate() {
            let y = first + index as f64 * LABEL_HEIGHT;
            canvas.centred(line, (x, y), Align::Left, LABEL, &label.colour);
        }
    }
}
