//! Two axes from zero, and the names of what is drawn between them, for charts with a scale on the left.

use plotters::style::RGBColor;

use super::canvas::{AXIS, Align, Canvas, FAINT, GREY, INK, Point};
use super::frame::Frame;
use super::scale::Scale;
use super::text::Font;

/// Numbers at ticks.
pub(super) const TICK: Font = Font::regular(21.0);
/// Units and titles of axes.
pub(super) const UNIT: Font = Font::regular(20.0);
const KEY: Font = Font::bold(21.0);
/// Height of a line of the key, px.
const KEY_LINE: f64 = 34.0;
/// Side of a swatch, px.
const SWATCH: f64 = 18.0;

/// What lies between the axes, px.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plane {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

impl Plane {
    /// The place beside an axis of `scale` and above one with a title.
    pub fn inside(frame: &Frame, top: f64, scale: &Scale) -> Plane {
        Plane {
            left: frame.left + numbers_width(scale),
            right: frame.right,
            top,
            bottom: frame.bottom - 96.0,
        }
    }

    /// Height of a value; beyond the scale, its edge.
    pub fn y(&self, scale: &Scale, value: f64) -> f64 {
        self.bottom - (value / scale.top).clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// The same from left to right.
    pub fn x(&self, scale: &Scale, value: f64) -> f64 {
        self.left + (value / scale.top).clamp(0.0, 1.0) * (self.right - self.left)
    }
}

/// What the numbers of a scale on the left take, px.
pub(super) fn numbers_width(scale: &Scale) -> f64 {
    scale.ticks.iter().map(|tick| TICK.width(&scale.label(*tick))).fold(0.0, f64::max) + 18.0
}

/// The scale on the left, with its grid and `name` above it.
pub(super) fn vertical(canvas: &mut Canvas, frame: &Frame, plane: &Plane, scale: &Scale, name: &str) {
    canvas.text(&with_unit(name, scale), (frame.left, plane.top - 34.0), Align::Left, UNIT, &GREY);
    grid(canvas, plane, scale);
}

/// The lines of a scale on the left, and its numbers.
pub(super) fn grid(canvas: &mut Canvas, plane: &Plane, scale: &Scale) {
    for tick in &scale.ticks {
        let y = plane.y(scale, *tick);
        let colour = if *tick == 0.0 { &AXIS } else { &FAINT };
        canvas.path(&[(plane.left, y), (plane.right, y)], colour, 2);
        canvas.centred(&scale.label(*tick), (plane.left - 18.0, y), Align::Right, TICK, &INK);
    }
}

/// The scale below, with its grid and `name` under it.
pub(super) fn horizontal(canvas: &mut Canvas, plane: &Plane, scale: &Scale, name: &str) {
    for tick in &scale.ticks {
        let x = plane.x(scale, *tick);
        let colour = if *tick == 0.0 { &AXIS } else { &FAINT };
        canvas.path(&[(x, plane.top), (x, plane.bottom)], colour, 2);
        canvas.text(&scale.label(*tick), (x, plane.bottom + 38.0), Align::Middle, TICK, &INK);
    }
    below(canvas, plane, &with_unit(name, scale));
}

/// The title of the axis below.
pub(super) fn below(canvas: &mut Canvas, plane: &Plane, title: &str) {
    let middle = (plane.left + plane.right) / 2.0;
    canvas.text(title, (middle, plane.bottom + 80.0), Align::Middle, UNIT, &GREY);
}

/// `mean, µs`; either alone if the other is empty.
pub(super) fn with_unit(name: &str, scale: &Scale) -> String {
    match (name, scale.unit) {
        (name, "") => name.into(),
        ("", unit) => unit.into(),
        (name, unit) => format!("{name}, {unit}"),
    }
}

/// The key: a swatch and a name for each colour, in lines across the frame. Returns where the plot may begin.
pub(super) fn key(canvas: &mut Canvas, frame: &Frame, names: &[(String, RGBColor)]) -> f64 {
    let (mut x, mut y) = (frame.left, frame.top + 6.0);
    for (name, colour) in names {
        let name = KEY.shorten(name, 700.0);
        let width = SWATCH + 10.0 + KEY.width(&name) + 36.0;
        if x > frame.left && x + width > frame.right {
            (x, y) = (frame.left, y + KEY_LINE);
        }
        canvas.rectangle((x, y - SWATCH / 2.0), (x + SWATCH, y + SWATCH / 2.0), colour);
        canvas.centred(&name, (x + SWATCH + 10.0, y), Align::Left, KEY, &INK);
        x += width;
    }
    if names.is_empty() { frame.top } else { y + KEY_LINE }
}

/// An upright line with end strokes.
pub(super) fn whisker(canvas: &mut Canvas, x: f64, ends: (f64, f64), half: f64, colour: &RGBColor) {
    canvas.path(&[(x, ends.0), (x, ends.1)], colour, 2);
    for end in [ends.0, ends.1] {
        let stroke: [Point; 2] = [(x - half, end), (x + half, end)];
        canvas.path(&stroke, colour, 2);
    }
}
