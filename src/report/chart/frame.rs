//! What every chart has: title, the warning about emulation, captions, provenance; and the axes and keys that several kinds
//! share.
//!
//! Everything is wrapped to its measured width; what is left between is the plot's.

use super::font::Font;
use super::palette::{Colour, Look};
use super::plot::{Body, Curves, Plot, Style};
use super::scale::AxisScale;
use super::svg::{Align, Area, Canvas, Fill, GREY, INK, SIZE, Stroke};
use crate::raw::Accel;
use crate::report::{Model, model};
use crate::stats::Ends;

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
pub(super) const ALERT: Colour = Colour(0xb4, 0x3c, 0x00);

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
        self.fitted(plot).max(SIZE.1)
    }

    /// Height of a picture that is no higher than its plot needs, px.
    pub fn fitted(&self, plot: f64) -> f64 {
        self.plot(0.0).top + plot + self.foot_height()
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
    pub fn draw(&self, canvas: &Canvas, height: f64) {
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
        Body::Heat(_) | Body::Lab(_) => return plot.explanation.clone(),
        Body::Scatter(Curves { style: Style::Points | Style::Line, .. }) => {
            return format!("{}; {}", plot.explanation, model.repeats());
        }
        Body::Lines(curves) if curves.is_banded() => "band",
        Body::Bars(bars) if !bars.segments.is_empty() => "whisker of the sum",
        _ => "whisker",
    };
    let trials = model.repeats();
    let mean = if trials == "single trials" { trials } else { format!("mean of {trials}") };
    let interval = interval(&plot.body, shape);
    let floor = if plot.body.has_floor() { FLOOR } else { "" };
    format!("{}; {mean}{interval}{floor}", plot.explanation)
}

/// `, whisker = 95 % interval (arrow: beyond the scale)`.
fn interval(body: &Body, shape: &str) -> String {
    let kinds = body.kinds_of_ends();
    let meaning = match kinds.as_slice() {
        [] => return String::new(),
        [Ends::Extremes] => "smallest to largest repeat",
        [.., Ends::Extremes] => "95\u{a0}%\u{a0}interval, or smallest to largest repeat",
        _ => "95\u{a0}%\u{a0}interval",
    };
    let cut = if shape == "band" { "cut at the top" } else { "arrow: beyond the scale" };
    let notes = [
        (kinds.contains(&Ends::WithinOneBoot), "within one boot"),
        (body.is_cut(), cut),
        (body.has_too_few(), "none for two repeats"),
    ];
    let notes: Vec<&str> = notes.into_iter().filter(|(holds, _)| *holds).map(|(_, note)| note).collect();
    let notes = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
    format!(", {shape} = {meaning}{notes}")
}

/// What was the same for all that is drawn.
fn conditions(model: &Model, plot: &Plot) -> String {
    let window = model.experiment.timing.window.as_secs_f64();
    format!("netperf {}, window {window} s", model::constants(&plot.drawn))
}

/// What the numbers of a scale on the left take, px.
pub(super) fn numbers_width(scale: &AxisScale) -> f64 {
    scale.ticks.iter().map(|tick| TEXT.width(&scale.label(*tick))).fold(0.0, f64::max) + 16.0
}

/// Of how many names of a level one is shown where each has this space, px.
pub(super) fn every(names: &[String], space: f64) -> usize {
    let widest = names.iter().map(|name| TEXT.width(name)).fold(0.0, f64::max) + 10.0;
    (widest / space.max(1.0)).ceil().max(1.0) as usize
}

/// The title of the axis below.
pub(super) fn below(canvas: &Canvas, area: &Area, title: &str) {
    canvas.text("axis", title, (area.middle(), area.bottom + 61.0), Align::Middle, (TEXT, GREY));
}

/// `mean, µs`; either alone if the other is empty.
pub(super) fn with_unit(name: &str, scale: &AxisScale) -> String {
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
    canvas: &Canvas,
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
