//! Points over levels, joined or single: a band for the interval, or whiskers where bands would hide each other; names at the
//! lines' ends, or in a key above the plot where there are too many or too little room beside it.
//!
//! Levels are set evenly, as numbers of guests usually double. Bare metal is a dashed line across; a noise floor is a grey area
//! from zero.

use plotters::prelude::{Circle, Color, EmptyElement, PathElement, Polygon};

use super::font::Font;
use super::frame::{self, BELOW, LINE, Swatch};
use super::hint;
use super::labels;
use super::palette::{Colour, Marker, Pen};
use super::plane::{Along, DataPoint, Plane, Ticked, means};
use super::plot::{Curves, Mark, Series, SeriesKind, Style, is_beyond};
use super::scale::AxisScale;
use super::sheet::tenths;
use super::style::BOLD;
use super::svg::{Align, Area, Canvas, DrawError, Drawn, Fill, GREY, Point, Stroke};
use crate::stats::Estimate;

/// Widest name at the end of a line, px, before it is wrapped.
const NAME_WIDTH: f64 = 300.0;
/// From the plot's right edge to the names, px.
const NAME_GAP: f64 = 26.0;
/// From the plot's edges to the first and last levels, px.
const INSET: f64 = 40.0;
/// Widest space between two whiskers at a level, px.
const WHISKERS: f64 = 13.0;
const NAME: Font = BOLD;
/// Most of a plot's width that names beside it may take.
const NAMES_SHARE: f64 = 0.3;
/// Between the top of the plot and what is above it: half a number, and the unit, px.
const ABOVE: f64 = 26.0;
const BELOW_KEY: f64 = 8.0;
/// The lowest plot in which lines can be told from each other, without its axis, px.
const LEAST: f64 = 200.0;
/// A dashed line across.
const BASELINE_DASH: &str = "9 7";

/// The levels of a chart, set evenly.
struct LevelPlane<'c> {
    plane: Plane<'c>,
    scale: AxisScale,
    /// Levels in one px of the axis below.
    per_px: f64,
}

impl LevelPlane<'_> {
    fn at(&self, mark: &Mark) -> Point {
        self.plane.at(means(mark))
    }
}

/// A name at the end of a line.
struct Name {
    lines: Vec<String>,
    colour: Colour,
    /// End of what it names.
    from: Point,
}

/// Draws a chart over levels.
pub(super) fn draw(canvas: &Canvas, plot: &Area, curves: &Curves) -> Drawn {
    let has_key = has_key(curves, plot.width(), plot.height() - ABOVE - BELOW);
    let names = key_names(curves);
    let top = if has_key {
        frame::key(canvas, plot, names.iter().map(|(name, pen)| (name.as_str(), *pen)), Swatch::Joined)
    } else {
        plot.top
    };
    let area = Area {
        left: plot.left + frame::numbers_width(&curves.y.scale()),
        right: plot.right - if has_key { 0.0 } else { widest(curves) + NAME_GAP },
        top: top + ABOVE + if has_key { BELOW_KEY } else { 0.0 },
        bottom: plot.bottom - BELOW,
    };
    let levels = levels(canvas, area, curves)?;
    let mut names = Vec::new();
    let measured = curves.series.iter().filter(|series| series.role == SeriesKind::Measured).count();
    let mut place = 0;
    for series in curves.series.iter().filter(|series| series.role == SeriesKind::Floor) {
        canvas.group("floor", &series.label, |_| floor(&levels, series, 0.3 / (1 + measured) as f64));
    }
    for series in curves.series.iter().filter(|series| series.role != SeriesKind::Floor) {
        canvas.group("series", &series.label, |_| match series.role {
            SeriesKind::Baseline => names.push(baseline(&levels, series)),
            _ => {
                // Within the room of the level, where levels are close.
                let room = (2.0 * INSET).min(0.8 / levels.per_px);
                let space = WHISKERS.min(room / measured as f64);
                let aside = space * (place as f64 - (measured - 1) as f64 / 2.0);
                place += 1;
                intervals(&levels, series, (!curves.is_banded()).then_some(aside));
                strokes(&levels, series, curves);
                names.extend(name(&levels, series));
            }
        });
    }
    if !has_key {
        names.sort_by_key(|name| name.colour == GREY);
        names_at_ends(canvas, &area, &names);
    }
    Ok(())
}

/// The least height in which lines can be told from each other in a plot of this width, px.
pub(super) fn least_height(curves: &Curves, width: f64) -> f64 {
    let names = key_names(curves);
    let names = names.iter().map(|(name, _)| name.as_str());
    let has_key = has_key(curves, width, LEAST);
    let key = if has_key { frame::key_height(width, names, Swatch::Joined) + BELOW_KEY } else { 0.0 };
    ABOVE + LEAST + BELOW + key
}

fn named(curves: &Curves) -> impl Iterator<Item = &Series> {
    curves.series.iter().filter(|series| series.role != SeriesKind::Floor)
}

/// The widest line of a name, px.
fn widest(curves: &Curves) -> f64 {
    named(curves).flat_map(|series| wrapped(&series.label)).map(|line| NAME.width(&line)).fold(0.0, f64::max)
}

/// Whether the names have no room beside a plot of this size.
fn has_key(curves: &Curves, width: f64, height: f64) -> bool {
    let tallest = named(curves).map(|series| wrapped(&series.label).len()).max().unwrap_or(0);
    let is_high = (named(curves).count() * tallest) as f64 * LINE > height;
    let is_cut = || named(curves).flat_map(|series| wrapped(&series.label)).any(|line| line.ends_with('…'));
    is_high || widest(curves) + NAME_GAP > NAMES_SHARE * width || is_cut()
}

/// The names with their pens; bare metal beyond the scale with its value.
fn key_names(curves: &Curves) -> Vec<(String, Pen)> {
    let scale = curves.y.scale();
    let baseline = Pen { colour: GREY, dash: BASELINE_DASH, marker: Marker::Circle };
    let name = |series: &Series| match (series.role, series.points.first()) {
        (SeriesKind::Baseline, Some(mark)) if is_beyond(mark.y.mean, scale.top) => {
            (format!("{} {} ↑", series.label, scale.value(mark.y.mean)), baseline)
        }
        (SeriesKind::Baseline, _) => (series.label.clone(), baseline),
        _ => (series.label.clone(), series.pen),
    };
    named(curves).map(name).collect()
}

/// The axes, with names of the levels; of many, every second, fourth …
fn levels<'c>(canvas: &'c Canvas, area: Area, curves: &Curves) -> Result<LevelPlane<'c>, DrawError> {
    let names = &curves.x.levels;
    let last = names.len().saturating_sub(1) as f64;
    let per_px = if last > 0.0 { last / (area.width() - 2.0 * INSET) } else { 1.0 / area.width() };
    let inset = if last > 0.0 { INSET * per_px } else { 0.5 };
    let every = if last > 0.0 { frame::every(names, 1.0 / per_px) } else { 1 };
    let ticks = (0..names.len()).step_by(every).map(|level| level as f64).collect();
    let scale = curves.y.scale();
    let x = Ticked::new(-inset..last + inset, ticks);
    let mut plane = Plane::new(canvas, area, x, Ticked::scale(&scale))?;
    plane.left_axis(&curves.y, &scale);
    plane.below(false, &|level| names[level.round() as usize].clone());
    frame::below(canvas, &area, &curves.x.title);
    Ok(LevelPlane { plane, scale, per_px })
}

/// A grey area from zero to the floor, with its edge.
fn floor(levels: &LevelPlane, series: &Series, opacity: f64) {
    for run in runs(series, |_| true) {
        let edge: Vec<DataPoint> = run.iter().map(|mark| means(mark)).collect();
        let (Some(first), Some(last)) = (edge.first(), edge.last()) else { continue };
        let half = if edge.len() == 1 { INSET / 2.0 * levels.per_px } else { 0.0 };
        let (start, end) = (first.0 - half, last.0 + half);
        let edge = [&[(start, first.1)], &edge[..], &[(end, last.1)]].concat();
        let area = [&edge[..], &[(end, 0.0), (start, 0.0)]].concat();
        levels.plane.draw_clipped(&Polygon::new(area, GREY.mix(opacity).filled()));
        let line = PathElement::new(edge, Stroke::solid(series.pen.colour, 1.5).style());
        levels.plane.canvas.dashed("2 3", || levels.plane.draw_clipped(&line));
    }
}

/// Intervals of neighbouring points as one band, cut at the frame; or whiskers, each aside from those of other series.
fn intervals(levels: &LevelPlane, series: &Series, aside: Option<f64>) {
    let colour = series.pen.colour;
    let whiskers = |marks: &[&Mark], aside: f64| {
        for (mark, ends) in marks.iter().filter_map(|mark| Some((mark, mark.y.telling_ends()?))) {
            let along = Along::Y(mark.x.mean + aside * levels.per_px);
            levels.plane.whisker(ends, &levels.scale, along, Stroke::solid(colour, 2.0));
        }
    };
    if let Some(aside) = aside {
        return whiskers(&series.points.iter().collect::<Vec<_>>(), aside);
    }
    for run in runs(series, |value| value.telling_ends().is_some()) {
        if run.len() == 1 {
            whiskers(&run, 0.0);
            continue;
        }
        let edge = |end: fn((f64, f64)) -> f64| {
            run.iter().map(move |mark| (mark.x.mean, mark.y.telling_ends().map_or(mark.y.mean, end)))
        };
        let outline: Vec<DataPoint> = edge(|ends| ends.1).chain(edge(|ends| ends.0).rev()).collect();
        levels.plane.draw_clipped(&Polygon::new(outline, colour.mix(0.17).filled()));
    }
}

/// Lines, the dots of single repeats, and points.
fn strokes(levels: &LevelPlane, series: &Series, curves: &Curves) {
    let Pen { colour, dash, marker } = series.pen;
    let LevelPlane { plane, .. } = levels;
    for run in runs(series, |_| true).iter().filter(|run| curves.style == Style::Joined && run.len() > 1) {
        plane.line(run.iter().map(|mark| means(mark)), Stroke { colour, width: 3.5, dash });
    }
    for mark in points_apart(levels, series, curves) {
        plane.canvas.classed("repeat", || {
            for repeat in &mark.repeats {
                let dot = Circle::new((tenths(-14.0), 0), tenths(3.5), Stroke::solid(colour, 1.5).style());
                plane.draw(&(EmptyElement::at((mark.x.mean, *repeat)) + dot));
            }
        });
        plane.canvas.hint(&hint::of_mark(curves, series, mark), || {
            plane.canvas.marker(levels.at(mark), marker, Fill::Full, colour);
        });
    }
}

/// The points that are marked: all, or some of each line where markers would cover each other.
fn points_apart<'s>(levels: &LevelPlane, series: &'s Series, curves: &Curves) -> Vec<&'s Mark> {
    /// Width of a marker with its halo, px.
    const MARKER: f64 = 24.0;
    let every = match curves.style {
        Style::Joined => (MARKER * levels.per_px).ceil().max(1.0) as usize,
        Style::Points | Style::Line => 1,
    };
    let apart = |run: Vec<&'s Mark>| {
        let last = run.len() - 1;
        let kept = run.into_iter().enumerate().filter(move |(at, _)| at.is_multiple_of(every) || *at == last);
        kept.map(|(_, mark)| mark)
    };
    runs(series, |_| true).into_iter().flat_map(apart).collect()
}

/// Points of neighbouring levels that pass.
fn runs(series: &Series, passes: fn(&Estimate) -> bool) -> Vec<Vec<&Mark>> {
    let mut runs: Vec<Vec<&Mark>> = Vec::new();
    for mark in series.points.iter().filter(|mark| passes(&mark.y)) {
        let follows = |run: &Vec<&Mark>| run.last().is_some_and(|last| last.x.mean + 1.0 == mark.x.mean);
        match runs.last_mut().filter(|run| follows(run)) {
            Some(run) => run.push(mark),
            None => runs.push(vec![mark]),
        }
    }
    runs
}

/// Bare metal: dashed across, or an arrow at the top if it is beyond the scale.
fn baseline(LevelPlane { plane, scale, .. }: &LevelPlane, series: &Series) -> Name {
    let value = series.points.first().map_or(0.0, |mark| mark.y.mean);
    let mut lines = wrapped(&series.label);
    if is_beyond(value, scale.top) {
        lines.push(format!("{} ↑", scale.value(value)));
        return Name { lines, colour: GREY, from: (plane.area.right + NAME_GAP, plane.area.top) };
    }
    let (_, y) = plane.at((0.0, value));
    let across = [(plane.area.left, y), (plane.area.right, y)];
    plane.canvas.path(&across, Stroke { colour: GREY, width: 2.5, dash: BASELINE_DASH });
    Name { lines, colour: GREY, from: (plane.area.right, y) }
}

fn name(levels: &LevelPlane, series: &Series) -> Option<Name> {
    let from = levels.at(series.points.last()?);
    Some(Name { lines: wrapped(&series.label), colour: series.pen.colour.of_text(), from })
}

fn wrapped(name: &str) -> Vec<String> {
    NAME.wrap(name, NAME_WIDTH, 3)
}

/// Names beside the ends of their lines, moved apart where they would cover each other, then tied by a thin line.
fn names_at_ends(canvas: &Canvas, area: &Area, names: &[Name]) {
    let tallest = names.iter().map(|name| name.lines.len()).max().unwrap_or(1) as f64;
    let half = (tallest - 1.0) * LINE / 2.0;
    let wanted: Vec<f64> = names.iter().map(|name| name.from.1).collect();
    let gap = LINE * tallest + if tallest > 1.0 { 4.0 } else { 0.0 };
    let places = labels::spread(&wanted, gap, area.top + half, area.bottom - half);
    let x = area.right + NAME_GAP;
    for (name, place) in names.iter().zip(places) {
        let moved = (place - name.from.1).abs() > 5.0 || name.from.0 < area.right - INSET - 1.0;
        if moved && name.from.0 < x {
            let tie = [(name.from.0 + 11.0, name.from.1), (x - 20.0, name.from.1), (x - 6.0, place)];
            canvas.path(&tie, Stroke::solid(name.colour, 1.0));
        }
        let first = place - (name.lines.len() as f64 - 1.0) * LINE / 2.0;
        for (index, line) in name.lines.iter().enumerate() {
            let class = if index == 0 { "series" } else { "more" };
            canvas.centred(class, line, (x, first + index as f64 * LINE), Align::Left, (NAME, name.colour));
        }
    }
}
