//! Horizontal bars in groups, for experiments with one number of guests.
//!
//! Whiskers show the interval; the value stands beside each bar.

use plotters::style::{Color, RGBColor, WHITE};

use super::canvas::{AXIS, Align, Canvas, FAINT, GREY, INK, Point};
use super::frame::Frame;
use super::palette;
use super::scale::Scale;
use super::series::{Bar, Group, Plot};
use super::text::Font;

const TICK: Font = Font::regular(20.0);
/// Widest name of a bar, px, before it is shortened.
const NAME_WIDTH: f64 = 520.0;
/// Highest row, px.
const ROW: f64 = 120.0;
/// Thickest bar, px.
const BAR: f64 = 60.0;
/// Height of a group's title and of the space between groups, in rows.
const TITLE_ROWS: f64 = 0.9;
const SPACE_ROWS: f64 = 0.4;

/// Where values lie on the picture.
struct Plane {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    scale: Scale,
    row: f64,
}

impl Plane {
    /// Position of a value; beyond the scale, its edge.
    fn x(&self, value: f64) -> f64 {
        self.left + (value / self.scale.top).clamp(0.0, 1.0) * (self.right - self.left)
    }

    fn font(&self, bold: bool) -> Font {
        Font { size: (0.55 * self.row).clamp(11.0, 21.0), bold }
    }
}

/// Draws a bar chart into the frame.
pub(super) fn draw(canvas: &mut Canvas, frame: &Frame, plot: &Plot, groups: &[Group]) {
    let plane = plane(frame, plot, groups);
    axis(canvas, &plane);
    let mut top = plane.top;
    for group in groups {
        if !group.title.is_empty() {
            let at = (frame.left, top + TITLE_ROWS * plane.row / 2.0);
            let title = plane.font(true).shorten(&group.title, NAME_WIDTH);
            canvas.centred(&title, at, Align::Left, plane.font(true), &INK);
            top += TITLE_ROWS * plane.row;
        }
        let mut index = 0; // what is drawn grey has no colour of its own
        for bar in &group.bars {
            let colour = if bar.baseline { GREY } else { palette::line(colour_index(groups, index)) };
            draw_bar(canvas, &plane, bar, top + plane.row / 2.0, colour);
            index += usize::from(!bar.baseline);
            top += plane.row;
        }
        top += SPACE_ROWS * plane.row;
    }
}

/// One colour per place in a group; a single group has one colour.
fn colour_index(groups: &[Group], index: usize) -> usize {
    if groups.iter().all(|group| group.title.is_empty()) { 0 } else { index }
}

fn plane(frame: &Frame, plot: &Plot, groups: &[Group]) -> Plane {
    let bars = || groups.iter().flat_map(|group| &group.bars);
    let titles = groups.iter().filter(|group| !group.title.is_empty()).count() as f64;
    let spaces = groups.len() as f64 - 1.0;
    let rows = bars().count() as f64 + titles * TITLE_ROWS + spaces * SPACE_ROWS;
    let top = frame.top + 6.0;
    let row = ((frame.bottom - 84.0 - top) / rows).min(ROW);
    let scale = plot.scale();
    let mut plane = Plane { left: frame.left, right: frame.right, top, bottom: top + rows * row, scale, row };
    let font = plane.font(false);
    let titles = groups.iter().map(|group| plane.font(true).width(&group.title));
    let names = bars().map(|bar| font.width(&bar.label)).chain(titles).fold(0.0, f64::max).min(NAME_WIDTH);
    let values = bars().map(|bar| font.width(&plane.scale.value(bar.value.mean))).fold(0.0, f64::max);
    plane.left += names + 20.0;
    plane.right -= values + 16.0;
    plane
}

fn axis(canvas: &mut Canvas, plane: &Plane) {
    for tick in &plane.scale.ticks {
        let x = plane.x(*tick);
        let colour = if *tick == 0.0 { &AXIS } else { &FAINT };
        canvas.path(&[(x, plane.top), (x, plane.bottom)], colour, 2);
        canvas.text(&plane.scale.label(*tick), (x, plane.bottom + 32.0), Align::Middle, TICK, &INK);
    }
    let middle = (plane.left + plane.right) / 2.0;
    canvas.text(plane.scale.unit, (middle, plane.bottom + 70.0), Align::Middle, TICK, &GREY);
}

fn draw_bar(canvas: &mut Canvas, plane: &Plane, bar: &Bar, y: f64, colour: RGBColor) {
    let font = plane.font(false);
    let half = (0.62 * plane.row).min(BAR) / 2.0;
    let end = plane.x(bar.value.mean);
    let name = font.shorten(&bar.label, NAME_WIDTH);
    canvas.centred(&name, (plane.left - 14.0, y), Align::Right, font, &INK);
    canvas.rectangle((plane.left, y - half), (end, y + half), &colour);
    if let Some((low, high)) = bar.value.ends {
        whisker(canvas, (plane.x(low), y), (plane.x(high), y), half / 2.0);
    }
    let value = plane.scale.value(bar.value.mean);
    // Behind a whisker that is cut it would read as a value at the edge.
    let reached = bar.value.ends.filter(|(_, high)| *high <= plane.scale.top).map(|(_, high)| plane.x(high));
    let x = reached.unwrap_or(end).max(end) + 8.0;
    canvas.rectangle((x, y - half), (x + font.width(&value) + 6.0, y + half), &WHITE);
    canvas.centred(&value, (x + 4.0, y), Align::Left, font, &INK);
}

/// A line with end strokes; with a halo, because bars may be as dark.
fn whisker(canvas: &mut Canvas, from: Point, to: Point, half: f64) {
    let upright = |end: Point, half: f64| [(end.0, end.1 - half), (end.0, end.1 + half)];
    for path in [[from, to], upright(from, half + 1.0), upright(to, half + 1.0)] {
        canvas.path(&path, &WHITE.mix(0.7), 4);
    }
    for path in [[from, to], upright(from, half), upright(to, half)] {
        canvas.path(&path, &INK, 2);
    }
}
