//! Horizontal bars in groups, of one piece or of segments, in one panel or in several side by side over the same names.
//!
//! Each panel has a scale of its own: beside a maximum of fifty times as much a mean would be hardly a line. Whiskers show the
//! interval; the value stands beside each bar.

use plotters::prelude::{Color, Rectangle, ShapeStyle};

use super::axis::Axis;
use super::font::Font;
use super::frame::{self, BELOW, LINE, Swatch};
use super::hint;
use super::plane::{Along, Plane, Ticked};
use super::plot::{Bar, Bars};
use super::scale::AxisScale;
use super::style::{BOLD, TEXT};
use super::svg::{Align, Area, Canvas, DrawError, Drawn, GREY, INK, Point, Stroke, WHITE};
use crate::stats::Estimate;

/// Widest line of a bar's name, px; with panels side by side. A name has two lines where its row has room for them, then it is
/// shortened.
const NAME_WIDTH: f64 = 470.0;
const NAME_BESIDE_PANELS: f64 = 330.0;
/// Highest and lowest row, and the thickest bar, px.
const ROW: f64 = 84.0;
const LOWEST_ROW: f64 = 26.0;
const BAR: f64 = 42.0;
/// Height of a group's title and of the space between groups, in rows.
const TITLE_ROWS: f64 = 1.0;
const SPACE_ROWS: f64 = 0.3;
/// Between panels, px.
const GAP: f64 = 30.0;

/// Rows that the bars take, with titles and spaces.
fn rows(bars: &Bars) -> f64 {
    let titles = bars.groups.iter().filter(|group| !group.title.is_empty()).count() as f64;
    bars.bars().count() as f64 + titles * TITLE_ROWS + (bars.groups.len() as f64 - 1.0) * SPACE_ROWS
}

/// Height above the first row.
fn head(bars: &Bars) -> f64 {
    if bars.panels.len() > 1 { LINE + 8.0 } else { 0.0 }
}

/// The least height in which every bar can be read, px.
pub(super) fn least_height(bars: &Bars) -> f64 {
    let key = if bars.segments.is_empty() { 0.0 } else { 3.0 * LINE };
    rows(bars) * LOWEST_ROW + BELOW + head(bars) + key
}

/// One panel on the picture.
struct Panel<'c> {
    /// Values to the right; downwards, px of the picture.
    plane: Plane<'c>,
    scale: AxisScale,
}

/// Draws a bar chart.
pub(super) fn draw(canvas: &Canvas, plot: &Area, bars: &Bars) -> Drawn {
    let names = bars.segments.iter().map(|(name, pen)| (name.as_str(), *pen));
    let top = frame::key(canvas, plot, names, Swatch::Square) + head(bars);
    let row = ((plot.bottom - BELOW - top) / rows(bars)).clamp(LOWEST_ROW, ROW);
    let most = if bars.panels.len() > 1 { NAME_BESIDE_PANELS } else { NAME_WIDTH };
    let name = |bar: &Bar| TEXT.wrap(&bar.label, most, if row < 2.0 * LINE { 1 } else { 2 });
    let widest = bars.bars().flat_map(name).map(|line| TEXT.width(&line)).fold(0.0, f64::max) + 14.0;
    let panels = panels(canvas, plot, bars, (top, top + rows(bars) * row), widest)?;
    let mut y = top;
    for group in &bars.groups {
        if !group.title.is_empty() {
            let title = BOLD.shorten(&group.title, plot.width());
            let at = (plot.left, y + TITLE_ROWS * row / 2.0);
            on_white(canvas, "series", &title, at, BOLD);
            y += TITLE_ROWS * row;
        }
        for bar in &group.bars {
            let middle = y + row / 2.0;
            let id = format!("{} {}", group.title, bar.label);
            canvas.group("series", &id, |canvas| {
                let name = name(bar);
                let first = middle - (name.len() as f64 - 1.0) * LINE / 2.0;
                for (number, line) in name.iter().enumerate() {
                    let at = (plot.left + widest - 12.0, first + number as f64 * LINE);
                    canvas.centred("bar", line, at, Align::Right, (TEXT, INK));
                }
                for (index, panel) in panels.iter().enumerate() {
                    if let Some(value) = bar.values.get(index).copied().flatten() {
                        let facts = hint::of_bar(&group.title, bar, &bars.panels[index], &value);
                        let place = (middle, (0.66 * row).min(BAR) / 2.0);
                        canvas.hint(&facts, || draw_bar(panel, bars, bar, &value, place));
                    }
                }
            });
            y += row;
        }
        y += SPACE_ROWS * row;
    }
    Ok(())
}

/// The panels that have something to show, side by side: with their names above them where there are several, else with the
/// unit below.
fn panels<'c>(
    canvas: &'c Canvas,
    plot: &Area,
    bars: &Bars,
    (top, bottom): (f64, f64),
    names: f64,
) -> Result<Vec<Panel<'c>>, DrawError> {
    let count = bars.panels.len() as f64;
    let width = (plot.width() - names - GAP * (count - 1.0)) / count;
    let panel = |(index, axis): (usize, &Axis)| {
        let scale = axis.scale();
        let values = bars.values(index).map(|value| TEXT.width(&scale.value(value.mean))).fold(0.0, f64::max);
        let left = plot.left + names + index as f64 * (width + GAP);
        let area = Area { left, right: left + width - values - 14.0, top, bottom };
        let rows = Ticked::new(bottom..top, Vec::new());
        let mut plane = Plane::new(canvas, area, Ticked::scale(&scale), rows)?;
        if bars.panels.len() > 1 {
            let name = frame::with_unit(&axis.title, &scale);
            canvas.text("series", &name, (left, top - 14.0), Align::Left, (BOLD, INK));
            plane.bottom_ticks(&scale);
        } else {
            plane.bottom_axis(axis, &scale);
        }
        Ok(Panel { plane, scale })
    };
    bars.panels.iter().enumerate().map(panel).collect()
}

fn draw_bar(Panel { plane, scale }: &Panel, bars: &Bars, bar: &Bar, value: &Estimate, (y, half): (f64, f64)) {
    let piece = |from: f64, to: f64, half: f64, style: ShapeStyle| {
        plane.draw(&Rectangle::new([(from, y - half), (to, y + half)], style));
    };
    let whole = [(value.mean, bar.pen.map_or(GREY, |pen| pen.colour))];
    let segments = bar.segments.iter().zip(&bars.segments).map(|(size, (_, pen))| (*size, pen.colour));
    let mut from = 0.0;
    for (size, colour) in segments.chain(whole.into_iter().filter(|_| bars.segments.is_empty())) {
        piece(from, from + size, half, colour.filled());
        from += size;
    }
    if let Some(floor) = bar.floor {
        piece(0.0, floor, half + 5.0, GREY.mix(0.3).filled());
        let edge = [(floor, y - half - 5.0), (floor, y + half + 5.0)];
        plane.line(edge, Stroke { colour: INK, width: 1.5, dash: "2 3" });
    }
    // With a halo, because bars may be as dark.
    for (ends, stroke) in value.telling_ends().into_iter().flat_map(|ends| HALO.map(|stroke| (ends, stroke)))
    {
        plane.whisker(ends, scale, Along::X(y), stroke);
    }
    let (end, _) = plane.at((value.high().max(value.mean).min(scale.top), y));
    on_white(plane.canvas, "figure", &scale.value(value.mean), (end + 9.0, y), TEXT);
}

const HALO: [Stroke; 2] = [Stroke::solid(WHITE, 5.0), Stroke::solid(INK, 2.0)];

/// A text on white: the grid runs behind it.
fn on_white(canvas: &Canvas, class: &str, text: &str, at: Point, font: Font) {
    let half = 0.55 * font.size;
    let behind = Area {
        left: at.0 - 2.0,
        right: at.0 + font.width(text) + 2.0,
        top: at.1 - half,
        bottom: at.1 + half,
    };
    canvas.rectangle(behind, WHITE, 1.0);
    canvas.centred(class, text, at, Align::Left, (font, INK));
}
