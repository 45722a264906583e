//! Values by colour, a row for each guest over time: who starves, and when, at a glance.

use super::frame::{self, BELOW, LINE, TEXT};
use super::palette::Colour;
use super::plot::Heat;
use super::scale::Scale;
use super::svg::{AXIS, Align, Area, Canvas, GREY, INK, Stroke};

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

/// Draws a heat map.
pub(super) fn draw(canvas: &mut Canvas, plot: &Area, heat: &Heat) {
    let values = heat.rows.iter().flat_map(|(_, values)| values.iter().copied());
    let scale = Scale::new(values.fold(0.0, f64::max), heat.unit);
    let names = heat.rows.iter().map(|(name, _)| TEXT.width(name)).fold(TEXT.width(heat.row_title), f64::max);
    let area = Area {
        left: plot.left + names + 16.0,
        right: plot.right - KEY,
        top: plot.top + 22.0,
        bottom: plot.bottom - BELOW,
    };
    canvas.text("unit", heat.row_title, (plot.left, plot.top + 2.0), Align::Left, (TEXT, GREY));
    let slices = heat.rows.iter().map(|(_, values)| values.len()).max().unwrap_or(0).max(1);
    let (width, height) = (area.width() / slices as f64, area.height() / heat.rows.len().max(1) as f64);
    let gap = if height > 12.0 { 2.0 } else { 0.0 };
    let every = (LINE / height).ceil().max(1.0) as usize;
    for (row, (name, values)) in heat.rows.iter().enumerate() {
        let top = area.top + row as f64 * height;
        for (slice, value) in values.iter().enumerate() {
            let left = area.left + slice as f64 * width;
            let cell = Area { left, right: left + width, top, bottom: top + height - gap };
            canvas.rectangle(cell, colour(value / scale.top), 1.0);
        }
        if row.is_multiple_of(every) {
            let at = (area.left - 12.0, top + height / 2.0);
            canvas.centred("bar", name, at, Align::Right, (TEXT, INK));
        }
    }
    time(canvas, &area, heat.slice_s * slices as f64);
    key(canvas, &area, &scale);
}

/// Seconds of the window.
fn time(canvas: &mut Canvas, area: &Area, length_s: f64) {
    let scale = Scale::new(length_s, "s");
    for tick in scale.ticks.iter().filter(|tick| **tick <= length_s + 1e-9) {
        let x = area.left + area.width() * tick / length_s;
        canvas.path(&[(x, area.bottom), (x, area.bottom + 7.0)], Stroke::solid(AXIS, 1.5));
        canvas.text("tick", &scale.label(*tick), (x, area.bottom + 30.0), Align::Middle, (TEXT, INK));
    }
    frame::below(canvas, area, "time in the window, s");
}

/// The scale of colours, from zero up.
fn key(canvas: &mut Canvas, area: &Area, scale: &Scale) {
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
