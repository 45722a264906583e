//! What every chart has: title, subtitle, the warning about emulation, and the provenance at the foot.
//!
//! Everything is wrapped or shortened to its measured width; what is left between is the plot's.

use super::SIZE;
use super::canvas::{Align, Canvas, GREY, INK};
use super::text::Font;
use crate::profile::Configuration;
use crate::raw::Accel;
use crate::report::{Model, model};
use plotters::style::RGBColor;

/// Between the picture's edge and anything on it, px.
pub(super) const MARGIN: f64 = 60.0;
const TITLE: Font = Font::bold(38.0);
const WARNING: Font = Font::bold(22.0);
const SUBTITLE: Font = Font::regular(21.0);
const FOOTER: Font = Font::regular(15.0);
/// Okabe and Ito's vermillion.
const ALERT: RGBColor = RGBColor(0xd5, 0x5e, 0x00);

/// What is left for the plot with its axes, px.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// Draws everything around the plot.
pub(super) fn draw(
    canvas: &mut Canvas,
    model: &Model,
    title: &str,
    statistics: &str,
    drawn: &[Configuration],
) -> Frame {
    let (width, height) = (f64::from(SIZE.0), f64::from(SIZE.1));
    let reserved = warning(canvas, model, width);
    let title = TITLE.wrap(title, width - 2.0 * MARGIN - reserved, 2);
    let below_title = lines(canvas, &title, 76.0, 46.0, TITLE, &INK);
    let texts = [statistics.to_owned(), conditions(model, drawn)];
    let subtitle: Vec<String> =
        texts.iter().flat_map(|text| SUBTITLE.wrap(text, width - 2.0 * MARGIN, 2)).collect();
    let top = lines(canvas, &subtitle, below_title - 2.0, 30.0, SUBTITLE, &GREY);
    let footer = FOOTER.wrap(&model.provenance.line(), width - 2.0 * MARGIN, 3);
    let first = height - 30.0 - 21.0 * (footer.len() as f64 - 1.0);
    lines(canvas, &footer, first, 21.0, FOOTER, &GREY);
    Frame { left: MARGIN, right: width - MARGIN, top, bottom: first - 40.0 }
}

/// The warning in the upper right corner; returns the width that the title has to leave.
fn warning(canvas: &mut Canvas, model: &Model, width: f64) -> f64 {
    let accel = model.provenance.accel;
    if accel != Accel::Tcg {
        return 0.0;
    }
    canvas.text(accel.label(), (width - MARGIN, 72.0), Align::Right, WARNING, &ALERT);
    WARNING.width(accel.label()) + 40.0
}

/// Lines of text from a first baseline; returns the next baseline.
fn lines(
    canvas: &mut Canvas,
    text: &[String],
    first: f64,
    height: f64,
    font: Font,
    colour: &RGBColor,
) -> f64 {
    let mut baseline = first;
    for line in text {
        canvas.text(line, (MARGIN, baseline), Align::Left, font, colour);
        baseline += height;
    }
    baseline
}

/// What the values are, over how many trials, and what shows their intervals: `band`, `whisker`. `cut` names the edge at
/// which some of them end; `untold` says that some say nothing and are left out.
pub(super) fn statistics(
    model: &Model,
    explanation: &str,
    shape: &str,
    cut: Option<&str>,
    untold: bool,
) -> String {
    let trials = model.repeats();
    let mean = if trials == "single trials" { trials } else { format!("mean of {trials}") };
    let cut = cut.map(|edge| format!("cut at the {edge}"));
    let untold = untold.then(|| "none where repeats are too few for one".to_owned());
    let notes = cut.into_iter().chain(untold).collect::<Vec<String>>().join("; ");
    let cut = if notes.is_empty() { notes } else { format!(" ({notes})") };
    let shape = if model.has_intervals() {
        format!(", {shape} = 95\u{a0}%\u{a0}interval{cut}")
    } else {
        String::new()
    };
    format!("{explanation}; {mean}{shape}")
}

/// What was the same for all that is drawn.
fn conditions(model: &Model, drawn: &[Configuration]) -> String {
    let window = model.experiment.timing.window.as_secs_f64();
    format!("netperf {}, window {window} s", model::constants(drawn))
}
