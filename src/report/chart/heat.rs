//! Values by colour, a row for each guest over time: who starves, and when, at a glance.

use plotters::prelude::{Color, Rectangle};

use super::frame::{self, BELOW, LINE};
use super::palette::Colour;
use super::plane::{Plane, Ticked};
use super::plot::Heat;
use super::scale::AxisScale;
use super::sheet::tenths;
use super::style::TEXT;
use super::svg::{Align, Area, Canvas, Drawn, GREY, INK};
use crate::table::plain;

/// From nothing to the most: cividis (Nuñez, Anderton, Renslow, 2018), which any colour vision and any printer can tell.
const COLOURS: [(f64, f64, f64); 6] = [
    (0.0, 34.0, 78.0),
    (50.0, 65.0, 109.0),
    (107.0, 109.0, 114.0),
    (148.0, 142.0, 119.0),
    (202.0, 185.0, 105.0),
    (254.0, 232.0, 56.0),
];
/// What the scale of colours takes on the right, and its width, px.
const KEY: f64 = 170.0;
const BAR: f64 = 24.0;
/// Cells that still are large enough to be pointed at.
const MOST_HINTS: usize = 1000;

/// Draws a heat map.
pub(super) fn draw(canvas: &Canvas, plot: &Area, heat: &Heat) -> Drawn {
    let values = heat.rows.iter().flat_map(|(_, values)| values.iter().copied());
    let scale = AxisScale::new(values.fold(0.0, f64::max), heat.unit);
    let names = heat.rows.iter().map(|(name, _)| TEXT.width(name)).fold(TEXT.width(heat.row_title), f64::max);
    let area = Area {
        left: plot.left + names + 16.0,
        right: plot.right - KEY,
        top: plot.top + 22.0,
        bottom: plot.bottom - BELOW,
    };
    canvas.text("unit", heat.row_title, (plot.left, plot.top + 2.0), Align::Left, (TEXT, GREY));
    let slices = heat.rows.iter().map(|(_, values)| values.len()).max().unwrap_or(0).max(1);
    let (seconds, rows) = (heat.slice_s * slices as f64, heat.rows.len().max(1) as f64);
    let time = AxisScale::new(seconds, "s");
    let ticks = time.ticks.iter().copied().filter(|tick| *tick <= seconds + 1e-9).collect();
    let x = Ticked::new(0.0..seconds, ticks);
    let mut plane = Plane::new(canvas, area, x, Ticked::new(rows..0.0, Vec::new()))?;
    let height = area.height() / rows;
    let gap = if height > 12.0 { tenths(2.0).unsigned_abs() } else { 0 };
    let hinted = heat.rows.len() * slices <= MOST_HINTS;
    let every = (LINE / height).ceil().max(1.0) as usize;
    for (row, (name, values)) in heat.rows.iter().enumerate() {
        for (slice, value) in values.iter().enumerate() {
            let corner = |beyond: usize| ((slice + beyond) as f64 * heat.slice_s, (row + beyond) as f64);
            let mut cell = Rectangle::new([corner(0), corner(1)], colour(value / scale.top).filled());
            cell.set_margin(0, gap, 0, 0);
            let [from, to] = [slice, slice + 1].map(|slice| slice as f64 * heat.slice_s);
            let value = format!("{} {}", plain(*value), heat.unit);
            let facts = [format!("{} {name}", heat.row_title), format!("{from:.1} to {to:.1} s"), value];
            canvas.hint(if hinted { &facts } else { &[] }, || plane.draw(&cell));
        }
        if row.is_multiple_of(every) {
            let (_, y) = plane.at((0.0, row as f64 + 0.5));
            canvas.centred("bar", name, (area.left - 12.0, y), Align::Right, (TEXT, INK));
        }
    }
    plane.below(false, &|tick| time.label(*tick));
    frame::below(canvas, &area, "time in the window, s");
    key(canvas, &area, &scale);
    Ok(())
}

/// The scale of colours, from zero up.
fn key(canvas: &Canvas, area: &Area, scale: &AxisScale) {
    let left = area.right + 40.0;
    let y = |part: f64| area.bottom - part * area.height();
    const STEPS: u32 = 64;
    for step in 0..STEPS {
        let [from, to] = [step, step + 1].map(|step| f64::from(step) / f64::from(STEPS));
        let cell = Area { left, right: left + BAR, top: y(to), bottom: y(from) };
        canvas.rectangle(cell, colour((from + to) / 2.0), 1.0);
    }
    for tick in &scale.ticks {
        let at = (left + BAR + 10.0, y(tick / scale.top));
        canvas.centred("value", &scale.label(*tick), at, Align::Left, (TEXT, INK));
    }
    canvas.text("unit", scale.unit, (left + KEY - 40.0, area.top - 18.0), Align::Right, (TEXT, GREY));
}

/// The colour of a part of the scale, 0 to 1.
fn colour(part: f64) -> Colour {
    let place = part.clamp(0.0, 1.0) * (COLOURS.len() - 1) as f64;
    let below = (place as usize).min(COLOURS.len() - 2);
    let (from, to, between) = (COLOURS[below], COLOURS[below + 1], place - below as f64);
    let mix = |from: f64, to: f64| (from + between * (to - from)).round() as u8;
    Colour(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_get_brighter_from_nothing_to_the_most() {
        let light = |part: f64| {
            let Colour(r, g, b) = colour(part);
            0.2126 * f64::from(r) + 0.7152 * f64::from(g) + 0.0722 * f64::from(b)
        };
        let steps: Vec<f64> = (0..=20).map(|step| light(f64::from(step) / 20.0)).collect();
        assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
    }
}
