//! Points over levels, joined or single: a band for the interval, or whiskers where bands would hide each other; names at the
//! lines' ends.
//!
//! Levels are set evenly, as numbers of guests usually double. Bare metal is a dashed line across; a noise floor is a grey area
//! from zero.

use super::font::Font;
use super::frame::{self, BELOW, BOLD, LINE, TEXT};
use super::labels;
use super::palette::{Colour, Look};
use super::plot::{Curves, Estimate, Mark, Role, Series, Style, is_beyond};
use super::scale::Scale;
use super::svg::{AXIS, Align, Area, Canvas, Fill, GREY, INK, Point, Stroke};

/// Widest name at the end of a line, px, before it is wrapped.
const NAME_WIDTH: f64 = 300.0;
/// From the plot's right edge to the names, px.
const NAME_GAP: f64 = 26.0;
/// From the plot's edges to the first and last levels, px.
const INSET: f64 = 40.0;
/// Widest space between two whiskers at a level, px.
const WHISKERS: f64 = 13.0;
const NAME: Font = BOLD;

/// Where values lie on the picture.
struct Plane {
    area: Area,
    scale: Scale,
    levels: usize,
}

impl Plane {
    fn x(&self, level: f64) -> f64 {
        let (first, last) = (self.area.left + INSET, self.area.right - INSET);
        if self.levels < 2 {
            self.area.middle()
        } else {
            first + (last - first) * level / (self.levels - 1) as f64
        }
    }

    /// Height of a value, which may lie beyond the scale.
    fn y(&self, value: f64) -> f64 {
        frame::y_of(&self.area, &self.scale, value)
    }

    fn at(&self, mark: &Mark) -> Point {
        (self.x(mark.x.mean), self.y(mark.y.mean))
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
pub(super) fn draw(canvas: &mut Canvas, plot: &Area, curves: &Curves) {
    let named = curves.series.iter().filter(|series| series.role != Role::Floor);
    let widest =
        named.flat_map(|series| wrapped(&series.label)).map(|line| NAME.width(&line)).fold(0.0, f64::max);
    let scale = curves.y.scale();
    let area = Area {
        left: plot.left + frame::numbers_width(&scale),
        right: plot.right - widest - NAME_GAP,
        top: plot.top + 26.0,
        bottom: plot.bottom - BELOW,
    };
    let plane = Plane { area, scale, levels: curves.x.levels.len() };
    frame::left_axis(canvas, &area, &curves.y);
    levels(canvas, &plane, curves);
    let mut names = Vec::new();
    let measured = curves.series.iter().filter(|series| series.role == Role::Measured).count();
    let mut place = 0;
    for series in curves.series.iter().filter(|series| series.role == Role::Floor) {
        canvas.group("floor", &series.label, |canvas| {
            floor(canvas, &plane, series, 0.3 / (1 + measured) as f64)
        });
    }
    for series in curves.series.iter().filter(|series| series.role != Role::Floor) {
        canvas.group("series", &series.label, |canvas| match series.role {
            Role::Baseline => names.push(baseline(canvas, &plane, series)),
            _ => {
                let space = WHISKERS.min(2.0 * INSET / measured as f64);
                let aside = space * (place as f64 - (measured - 1) as f64 / 2.0);
                place += 1;
                intervals(canvas, &plane, series, (!curves.is_banded()).then_some(aside));
                strokes(canvas, &plane, series, curves.style);
                names.extend(name(&plane, series));
            }
        });
    }
    names.sort_by_key(|name| name.colour == GREY);
    names_at_ends(canvas, &plane, &names);
}

/// Ticks and names of the levels; of many, every second, fourth …
fn levels(canvas: &mut Canvas, plane: &Plane, curves: &Curves) {
    let names = &curves.x.levels;
    let widest = names.iter().map(|name| TEXT.width(name)).fold(0.0, f64::max) + 8.0;
    let space = (plane.x(1.0) - plane.x(0.0)).abs().max(1.0);
    let every = if names.len() < 2 { 1 } else { (widest / space).ceil().max(1.0) as usize };
    for (index, level) in names.iter().enumerate().filter(|(index, _)| index.is_multiple_of(every)) {
        let (x, bottom) = (plane.x(index as f64), plane.area.bottom);
        canvas.path(&[(x, bottom), (x, bottom + 7.0)], Stroke::solid(AXIS, 1.5));
        canvas.text("tick", level, (x, bottom + 30.0), Align::Middle, (TEXT, INK));
    }
    frame::below(canvas, &plane.area, &curves.x.title);
}

/// A grey area from zero to the floor, with its edge.
fn floor(canvas: &mut Canvas, plane: &Plane, series: &Series, opacity: f64) {
    canvas.clipped(plane.area, |canvas| {
        for run in runs(series, |_| true) {
            let edge: Vec<Point> = run.iter().map(|mark| plane.at(mark)).collect();
            let (Some(first), Some(last)) = (edge.first(), edge.last()) else { continue };
            let half = if edge.len() == 1 { INSET / 2.0 } else { 0.0 };
            let ends = [(last.0 + half, plane.area.bottom), (first.0 - half, plane.area.bottom)];
            let edge = [&[(first.0 - half, first.1)], &edge[..], &[(last.0 + half, last.1)]].concat();
            canvas.polygon(&[&edge[..], &ends].concat(), GREY, opacity);
            canvas.path(&edge, Stroke { colour: series.look.colour, width: 1.5, dash: "2 3" });
        }
    });
}

/// Intervals of neighbouring points as one band, cut at the frame; or whiskers, each aside from those of other series.
fn intervals(canvas: &mut Canvas, plane: &Plane, series: &Series, aside: Option<f64>) {
    let colour = series.look.colour;
    let whiskers = |canvas: &mut Canvas, marks: &[&Mark], aside: f64| {
        for (mark, ends) in marks.iter().filter_map(|mark| Some((mark, mark.y.ends?))) {
            let x = plane.x(mark.x.mean) + aside;
            let along = |value: f64, side: f64| (x + side, plane.y(value));
            frame::whisker(canvas, ends, (0.0, plane.scale.top), along, Stroke::solid(colour, 2.0));
        }
    };
    if let Some(aside) = aside {
        return whiskers(canvas, &series.points.iter().collect::<Vec<_>>(), aside);
    }
    for run in runs(series, |value| value.ends.is_some()) {
        if run.len() == 1 {
            whiskers(canvas, &run, 0.0);
            continue;
        }
        let edge = |end: fn((f64, f64)) -> f64| {
            run.iter().map(move |mark| (plane.x(mark.x.mean), plane.y(mark.y.ends.map_or(mark.y.mean, end))))
        };
        let outline: Vec<Point> = edge(|ends| ends.1).chain(edge(|ends| ends.0).rev()).collect();
        canvas.clipped(plane.area, |canvas| canvas.polygon(&outline, colour, 0.17));
    }
}

/// Lines, the dots of single repeats, and points.
fn strokes(canvas: &mut Canvas, plane: &Plane, series: &Series, style: Style) {
    let Look { colour, dash, marker } = series.look;
    for run in runs(series, |_| true).iter().filter(|run| style == Style::Joined && run.len() > 1) {
        let points: Vec<Point> = run.iter().map(|mark| plane.at(mark)).collect();
        canvas.path(&points, Stroke { colour, width: 3.5, dash });
    }
    for mark in &series.points {
        for repeat in &mark.repeats {
            canvas.dot((plane.x(mark.x.mean) - 14.0, plane.y(*repeat)), colour);
        }
        canvas.marker(plane.at(mark), marker, Fill::Full, colour);
    }
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
fn baseline(canvas: &mut Canvas, plane: &Plane, series: &Series) -> Name {
    let value = series.points.first().map_or(0.0, |mark| mark.y.mean);
    let mut lines = wrapped(&series.label);
    if is_beyond(value, plane.scale.top) {
        lines.push(format!("{} ↑", plane.scale.value(value)));
        return Name { lines, colour: GREY, from: (plane.area.right + NAME_GAP, plane.area.top) };
    }
    let y = plane.y(value);
    canvas.path(
        &[(plane.area.left, y), (plane.area.right, y)],
        Stroke { colour: GREY, width: 2.5, dash: "9 7" },
    );
    Name { lines, colour: GREY, from: (plane.area.right, y) }
}

fn name(plane: &Plane, series: &Series) -> Option<Name> {
    let from = plane.at(series.points.last()?);
    Some(Name { lines: wrapped(&series.label), colour: series.look.colour.of_text(), from })
}

fn wrapped(name: &str) -> Vec<String> {
    NAME.wrap(name, NAME_WIDTH, 3)
}

/// Names beside the ends of their lines, moved apart where they would cover each other, then tied by a thin line.
fn names_at_ends(canvas: &mut Canvas, plane: &Plane, names: &[Name]) {
    let tallest = names.iter().map(|name| name.lines.len()).max().unwrap_or(1) as f64;
    let half = (tallest - 1.0) * LINE / 2.0;
    let wanted: Vec<f64> = names.iter().map(|name| name.from.1).collect();
    let gap = LINE * tallest + if tallest > 1.0 { 4.0 } else { 0.0 };
    let places = labels::spread(&wanted, gap, plane.area.top + half, plane.area.bottom - half);
    let x = plane.area.right + NAME_GAP;
    for (name, place) in names.iter().zip(places) {
        let moved = (place - name.from.1).abs() > 5.0 || name.from.0 < plane.area.right - INSET - 1.0;
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
