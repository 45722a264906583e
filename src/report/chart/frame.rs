//! What every chart has: title, the warning about emulation, captions, provenance; and the axes and keys that several kinds
//! share.
//!
//! Everything is wrapped to its measured width; what is left between is the plot's.

use super::font::Font;
use super::palette::{Colour, Look};
use super::plot::{Axis, Body, Curves, Plot, Style};
use super::scale::Scale;
use super::svg::{AXIS, Align, Area, Canvas, FAINT, Fill, GREY, INK, SIZE, Stroke};
use crate::raw::Accel;
use crate::report::{Model, model};

/// Between the picture's edge and anything on it, px.
const MARGIN: f64 = 44.0;
const TITLE: Font = Font::bold(31.0);
/// The smallest type: 14 pt on a slide.
pub(super) const TEXT: Font = Font::regular(21.0);
pub(super) const BOLD: Font = Font::bold(21.0);
/// Height of a line of text, px.
pub(super) const LINE: f64 = 27.0;
/// What an axis below a plot takes, with its title, px.
pub(super) const BELOW: f64 = 74.0;
/// What a noise floor is.
const FLOOR: &str = "; grey, up to the dotted edge: what equal guests with this noise would show";
const ALERT: Colour = Colour(0xb4, 0x3c, 0x00);

/// A line of text around a plot, and where it stands.
struct Line {
    class: &'static str,
    text: String,
    font: Font,
    colour: Colour,
    baseline: f64,
}

/// The texts around a plot.
pub(super) struct Frame {
    lines: Vec<Line>,
    foot: Vec<String>,
    top: f64,
}

impl Frame {
    /// Sets the texts of a plot.
    pub fn new(model: &Model, plot: &Plot) -> Frame {
        let accel = model.provenance.accel;
        let warning = if accel == Accel::Tcg { accel.label() } else { "" };
        let texts = [
            ("title", plot.title.clone(), TITLE, INK, 2),
            ("warning", warning.to_owned(), BOLD, ALERT, 2),
            ("caption", caption(model, plot), TEXT, GREY, 4),
            ("caption", conditions(model, plot), TEXT, GREY, 3),
        ];
        let mut frame = Frame { lines: Vec::new(), foot: Vec::new(), top: 18.0 };
        for (class, text, font, colour, most) in texts {
            for text in font.wrap(&text, SIZE.0 - 2.0 * MARGIN, most) {
                frame.top += font.size + 7.0;
                frame.lines.push(Line { class, text, font, colour, baseline: frame.top });
            }
        }
        frame.foot = TEXT.wrap(&model.provenance.line(), SIZE.0 - 2.0 * MARGIN, 3);
        frame
    }

    /// Height of a picture in which the plot with its axes has at least so much, px.
    pub fn height(&self, plot: f64) -> f64 {
        (self.plot(0.0).top + plot + self.foot_height()).max(SIZE.1)
    }

    /// What is left for the plot with its axes in a picture so high.
    pub fn plot(&self, height: f64) -> Area {
        let (left, right) = (MARGIN, SIZE.0 - MARGIN);
        Area { left, right, top: self.top + 32.0, bottom: height - self.foot_height() }
    }

    fn foot_height(&self) -> f64 {
        34.0 + LINE * self.foot.len() as f64
    }

    /// Draws the texts around the plot.
    pub fn draw(&self, canvas: &mut Canvas, height: f64) {
        for Line { class, text, font, colour, baseline } in &self.lines {
            canvas.text(class, text, (MARGIN, *baseline), Align::Left, (*font, *colour));
        }
        let first = height - 18.0 - LINE * (self.foot.len() as f64 - 1.0);
        for (index, text) in self.foot.iter().enumerate() {
            let baseline = first + LINE * index as f64;
            canvas.text("provenance", text, (MARGIN, baseline), Align::Left, (TEXT, GREY));
        }
    }
}

/// What the values are, over how many trials, and what shows their intervals.
fn caption(model: &Model, plot: &Plot) -> String {
    let shape = match &plot.body {
        Body::Heat(_) => return plot.explanation.clone(),
        Body::Scatter(Curves { style: Style::Points | Style::Line, .. }) => {
            return format!("{}; {}", plot.explanation, model.repeats());
        }
        Body::Lines(curves) if curves.is_banded() => "band",
        Body::Bars(bars) if !bars.segments.is_empty() => "whisker of the sum",
        _ => "whisker",
    };
    let trials = model.repeats();
    let mean = if trials == "single trials" { trials } else { format!("mean of {trials}") };
    let interval = if model.has_intervals() { interval(&plot.body, shape) } else { String::new() };
    let floor = if plot.body.has_floor() { FLOOR } else { "" };
    format!("{}; {mean}{interval}{floor}", plot.explanation)
}

/// `, whisker = 95 % interval (arrow: beyond the scale)`.
fn interval(body: &Body, shape: &str) -> String {
    let cut = if shape == "band" { "cut at the top" } else { "arrow: beyond the scale" };
    let notes = [(body.is_cut(), cut), (body.has_too_few(), "none where repeats are too few for one")];
    let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    format!(", {shape} = 95\u{a0}%\u{a0}interval{notes}")
}

/// What was the same for all that is drawn.
fn conditions(model: &Model, plot: &Plot) -> String {
    let window = model.experiment.timing.window.as_secs_f64();
    format!("netperf {}, window {window} s", model::constants(&plot.drawn))
}

/// What the numbers of a scale on the left take, px.
pub(super) fn numbers_width(scale: &Scale) -> f64 {
    scale.ticks.iter().map(|tick| TEXT.width(&scale.label(*tick))).fold(0.0, f64::max) + 16.0
}

/// Height of a value in an area, which may lie beyond it.
pub(super) fn y_of(area: &Area, scale: &Scale, value: f64) -> f64 {
    area.bottom - value / scale.top * area.height()
}

/// The same from left to right.
pub(super) fn x_of(area: &Area, scale: &Scale, value: f64) -> f64 {
    area.left + value / scale.top * area.width()
}

/// The scale on the left, with its grid and its title above it.
pub(super) fn left_axis(canvas: &mut Canvas, area: &Area, axis: &Axis) {
    let scale = axis.scale();
    let left = area.left - numbers_width(&scale);
    canvas.text("unit", &with_unit(&axis.title, &scale), (left, area.top - 22.0), Align::Left, (TEXT, GREY));
    for tick in &scale.ticks {
        let y = y_of(area, &scale, *tick);
        canvas.path(&[(area.left, y), (area.right, y)], grid(*tick));
        canvas.centred("value", &scale.label(*tick), (area.left - 14.0, y), Align::Right, (TEXT, INK));
    }
}

/// The scale below, with its grid and its title under it.
pub(super) fn bottom_axis(canvas: &mut Canvas, area: &Area, axis: &Axis) {
    let scale = axis.scale();
    bottom_ticks(canvas, area, &scale);
    below(canvas, area, &with_unit(&axis.title, &scale));
}

/// The grid of the scale below and its numbers; every second where there is no room for all.
pub(super) fn bottom_ticks(canvas: &mut Canvas, area: &Area, scale: &Scale) {
    let widest = scale.ticks.iter().map(|tick| TEXT.width(&scale.label(*tick))).fold(0.0, f64::max) + 14.0;
    let space = area.width() / (scale.ticks.len() - 1).max(1) as f64;
    let every = (widest / space).ceil().max(1.0) as usize;
    for (index, tick) in scale.ticks.iter().enumerate() {
        let x = x_of(area, scale, *tick);
        canvas.path(&[(x, area.top), (x, area.bottom)], grid(*tick));
        if index.is_multiple_of(every) {
            canvas.text("tick", &scale.label(*tick), (x, area.bottom + 30.0), Align::Middle, (TEXT, INK));
        }
    }
}

/// The title of the axis below.
pub(super) fn below(canvas: &mut Canvas, area: &Area, title: &str) {
    canvas.text("axis", title, (area.middle(), area.bottom + 61.0), Align::Middle, (TEXT, GREY));
}

fn grid(tick: f64) -> Stroke {
    Stroke::solid(if tick == 0.0 { AXIS } else { FAINT }, 1.5)
}

/// `mean, µs`; either alone if the other is empty.
pub(super) fn with_unit(name: &str, scale: &Scale) -> String {
    match (name, scale.unit) {
        (name, "") => name.into(),
        ("", unit) => unit.into(),
        (name, unit) => format!("{name}, {unit}"),
    }
}

/// What a swatch of the key shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swatch {
    Line,
    Marker,
    Square,
}

/// The key: a swatch and a name for each look, in lines across the plot. Returns where the rest may begin.
pub(super) fn key<'n>(
    canvas: &mut Canvas,
    plot: &Area,
    names: impl IntoIterator<Item = (&'n str, Look)>,
    swatch: Swatch,
) -> f64 {
    let (mut x, mut y) = (plot.left, plot.top);
    let mut any = false;
    for (name, look) in names {
        any = true;
        let name = BOLD.shorten(name, 640.0);
        let width = if swatch == Swatch::Line { 48.0 } else { 20.0 };
        let end = x + width + 9.0 + BOLD.width(&name);
        if x > plot.left && end > plot.right {
            (x, y) = (plot.left, y + LINE + 4.0);
        }
        let square = Area { left: x, right: x + width, top: y - 9.0, bottom: y + 9.0 };
        match swatch {
            Swatch::Square => canvas.rectangle(square, look.colour, 1.0),
            Swatch::Line => {
                let stroke = Stroke { colour: look.colour, width: 4.0, dash: look.dash };
                canvas.path(&[(x, y), (x + width, y)], stroke);
            }
            Swatch::Marker => canvas.marker((square.middle(), y), look.marker, Fill::Full, look.colour),
        }
        canvas.centred("series", &name, (x + width + 9.0, y), Align::Left, (BOLD, look.colour.of_text()));
        x += width + 9.0 + BOLD.width(&name) + 30.0;
    }
    if any { y + LINE + 4.0 } else { plot.top }
}

/// An interval that ends in strokes, or in arrows where it reaches beyond an area. `along` names the point of a value on it,
/// `range` the ends of its scale.
pub(super) fn whisker(
    canvas: &mut Canvas,
    (low, high): (f64, f64),
    range: (f64, f64),
    along: impl Fn(f64, f64) -> (f64, f64),
    stroke: Stroke,
) {
    /// Half of an end stroke, and the length of an arrow, px.
    const HALF: f64 = 6.0;
    let (from, to) = (low.clamp(range.0, range.1), high.clamp(range.0, range.1));
    canvas.path(&[along(from, 0.0), along(to, 0.0)], stroke);
    for (end, at) in [(low, from), (high, to)] {
        // Below zero nothing is cut: there is no such value.
        if end > 1.001 * range.1 {
            let (left, right) = arrow_back(&along, at, range, HALF);
            canvas.polygon(&[along(at, 0.0), left, right], stroke.colour, 1.0);
        } else {
            canvas.path(&[along(at, -HALF), along(at, HALF)], stroke);
        }
    }
}

/// The two corners of an arrow behind its tip.
fn arrow_back(
    along: &impl Fn(f64, f64) -> (f64, f64),
    tip: f64,
    range: (f64, f64),
    half: f64,
) -> ((f64, f64), (f64, f64)) {
    let (start, end) = (along(range.0, 0.0), along(range.1, 0.0));
    let length = (end.0 - start.0).hypot(end.1 - start.1);
    let back = tip - (range.1 - range.0) * 2.0 * half / length.max(1.0);
    (along(back, -half), along(back, half))
}
