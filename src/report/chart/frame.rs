//! What every chart has: title, the warning about emulation, captions, provenance; and the axes and keys that several kinds
//! share.
//!
//! Everything is wrapped to its measured width; what is left between is the plot's.

use super::font::Font;
use super::palette::{Colour, Pen};
use super::plot::{Body, Curves, Plot, Style};
use super::scale::AxisScale;
use super::style::{BOLD, ChartStyle, PAGE, TEXT};
use super::svg::{Align, Area, Canvas, Fill, GREY, INK, Point, Stroke};
use crate::raw::Accel;
use crate::report::{Model, Provenance, model};
use crate::stats::Ends;

/// Between the picture's edge and anything on it, px.
const MARGIN: f64 = 44.0;
const TITLE: Font = Font::bold(31.0);
const SUBTITLE: Font = Font::regular(25.0);
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
    width: f64,
}

impl Frame {
    /// Sets the texts of a plot of one run or several in a picture of this width, px.
    pub fn new(models: &[&Model], plot: &Plot, style: ChartStyle, width: f64) -> Frame {
        let emulated = models.iter().any(|model| model.provenance.accel == Accel::Tcg);
        let warning = if emulated { Accel::Tcg.label() } else { "" };
        // Narrow pictures have more lines.
        let narrower = (PAGE.0 / width).max(1.0);
        let texts = [
            ("title", plot.title.clone(), TITLE, INK, 2.0),
            ("subtitle", plot.subtitle.clone(), SUBTITLE, INK, 2.0),
            ("warning", warning.to_owned(), BOLD, ALERT, 2.0),
            ("caption", caption(models, plot), TEXT, GREY, 4.0),
            ("caption", conditions(models, plot), TEXT, GREY, 3.0),
            ("note", plot.note.clone(), BOLD, INK, 3.0),
        ];
        let mut frame = Frame { lines: Vec::new(), foot: Vec::new(), top: 18.0, width };
        for (class, text, font, colour, most) in texts {
            for text in font.wrap(&text, width - 2.0 * MARGIN, (most * narrower).ceil() as usize) {
                frame.top += font.size + 7.0;
                frame.lines.push(Line { class, text, font, colour, baseline: frame.top });
            }
        }
        if style.has_provenance {
            let of_runs: Vec<&Provenance> = models.iter().map(|model| model.provenance).collect();
            let most = (3.0 * narrower).ceil() as usize;
            let lines = Provenance::lines(&of_runs).into_iter();
            frame.foot = lines.flat_map(|line| TEXT.wrap(&line, width - 2.0 * MARGIN, most)).collect();
        }
        frame
    }

    /// Height of a picture that is no higher than its plot needs, px.
    pub fn fitted(&self, plot: f64) -> f64 {
        self.plot(0.0).top + plot + self.foot_height()
    }

    /// What is left for the plot with its axes in a picture so high.
    pub fn plot(&self, height: f64) -> Area {
        let (left, right) = (MARGIN, self.width - MARGIN);
        Area { left, right, top: self.top + 32.0, bottom: height - self.foot_height() }
    }

    fn foot_height(&self) -> f64 {
        if self.foot.is_empty() { 18.0 } else { 34.0 + LINE * self.foot.len() as f64 }
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
fn caption(models: &[&Model], plot: &Plot) -> String {
    let trials = distinct(models.iter().map(|model| model.repeats()));
    let shape = match &plot.body {
        Body::Heat(_) | Body::Lab(_) => return plot.explanation.clone(),
        Body::Scatter(Curves { style: Style::Points | Style::Line, .. }) => {
            return format!("{}; {trials}", plot.explanation);
        }
        Body::Lines(curves) if curves.is_banded() => "band",
        Body::Bars(bars) if !bars.segments.is_empty() => "whisker of the sum",
        _ => "whisker",
    };
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
fn conditions(models: &[&Model], plot: &Plot) -> String {
    let window = |model: &&Model| format!("{} s", model.experiment.timing.window.as_secs_f64());
    let pings = plot.drawn.iter().filter(|one| one.test.is_ping()).count();
    let program = match pings {
        0 => "netperf ",
        pings if pings == plot.drawn.len() => "", // it is the first of the constants
        _ => "netperf and ping ",
    };
    let constants = model::constants(&plot.drawn);
    format!("{program}{constants}, window {}", distinct(models.iter().map(window)))
}

/// Each of these once: `5 repeats or 3 repeats`.
fn distinct(texts: impl Iterator<Item = String>) -> String {
    let mut once: Vec<String> = Vec::new();
    for text in texts {
        if !once.contains(&text) {
            once.push(text);
        }
    }
    once.join(" or ")
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

/// `mean, µs`; either alone if the other is empty; with `(log scale)` where it is one.
pub(super) fn with_unit(name: &str, scale: &AxisScale) -> String {
    let title = match (name, scale.unit) {
        (name, "") => name.into(),
        ("", unit) => unit.into(),
        (name, unit) => format!("{name}, {unit}"),
    };
    if scale.is_log() { format!("{title} (log scale)").trim().to_owned() } else { title }
}

/// What a swatch of the key shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Swatch {
    Line,
    /// A line through a marker.
    Joined,
    Marker,
    Square,
}

impl Swatch {
    /// Its width, px.
    fn width(self) -> f64 {
        if matches!(self, Swatch::Line | Swatch::Joined) { 48.0 } else { 20.0 }
    }

    fn draw(self, canvas: &Canvas, (x, y): Point, pen: Pen) {
        let width = self.width();
        if matches!(self, Swatch::Line | Swatch::Joined) {
            let stroke = Stroke { colour: pen.colour, width: 4.0, dash: pen.dash };
            canvas.path(&[(x, y), (x + width, y)], stroke);
        }
        let square = Area { left: x, right: x + width, top: y - 9.0, bottom: y + 9.0 };
        match self {
            Swatch::Square => canvas.rectangle(square, pen.colour, 1.0),
            Swatch::Line => {}
            Swatch::Marker | Swatch::Joined => {
                canvas.marker((square.middle(), y), pen.marker, Fill::Full, pen.colour);
            }
        }
    }
}

/// From a swatch to its name, px.
const BESIDE: f64 = 9.0;
const BETWEEN_NAMES: f64 = 30.0;
/// Widest name in a key, px.
const KEY_NAME: f64 = 640.0;

/// The places of a key's swatches with their names, in lines across a plot, and where the rest may begin.
fn places<'n>(
    plot: &Area,
    names: impl IntoIterator<Item = &'n str>,
    swatch: Swatch,
) -> (Vec<(Point, String)>, f64) {
    let most = KEY_NAME.min(plot.width() - swatch.width() - BESIDE);
    let names: Vec<String> = names.into_iter().map(|name| BOLD.shorten(name, most)).collect();
    let width = |name: &String| swatch.width() + BESIDE + BOLD.width(name) + BETWEEN_NAMES;
    // In columns where one line has no room for all.
    let is_one_line = names.iter().map(width).sum::<f64>() - BETWEEN_NAMES <= plot.width();
    let column = if is_one_line { 0.0 } else { names.iter().map(width).fold(0.0, f64::max) };
    let (mut x, mut y) = (plot.left, plot.top);
    let mut places = Vec::new();
    for name in names {
        let width = width(&name);
        if x > plot.left && x + width - BETWEEN_NAMES > plot.right {
            (x, y) = (plot.left, y + LINE + 4.0);
        }
        places.push(((x, y), name));
        x += column.max(width);
    }
    let below = if places.is_empty() { plot.top } else { y + LINE + 4.0 };
    (places, below)
}

/// Height of a key of these names in a plot of this width, px.
pub(super) fn key_height<'n>(width: f64, names: impl IntoIterator<Item = &'n str>, swatch: Swatch) -> f64 {
    places(&Area { left: 0.0, right: width, top: 0.0, bottom: 0.0 }, names, swatch).1
}

/// The key: a swatch and a name for each pen, in lines across the plot. Returns where the rest may begin.
pub(super) fn key<'n>(
    canvas: &Canvas,
    plot: &Area,
    names: impl IntoIterator<Item = (&'n str, Pen)>,
    swatch: Swatch,
) -> f64 {
    let (names, pens): (Vec<&str>, Vec<Pen>) = names.into_iter().unzip();
    let (places, below) = places(plot, names, swatch);
    for (((x, y), name), pen) in places.into_iter().zip(pens) {
        swatch.draw(canvas, (x, y), pen);
        let at = (x + swatch.width() + BESIDE, y);
        canvas.centred("series", &name, at, Align::Left, (BOLD, pen.colour.of_text()));
    }
    below
}
