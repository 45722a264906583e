//! Upright bars side by side at each level of a factor: several values of the same unit, with their intervals.

use super::axes::{self, Plane, TICK};
use super::canvas::{AXIS, Align, Canvas, INK};
use super::estimate::{Estimate, reach};
use super::frame::{self, Frame};
use super::picture::Picture;
use super::scale::Scale;
use super::text::Font;
use super::{palette, parts};
use crate::report::Model;

const VALUE: Font = Font::regular(19.0);
/// Widest bar, px.
const WIDEST: f64 = 130.0;
/// Part of a level's place that its bars fill.
const FILLED: f64 = 0.78;

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Columns {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub title: &'static str,
    /// The levels that all of it has in common, in words.
    pub part: Vec<String>,
    pub explanation: &'static str,
    pub unit: &'static str,
    /// What the levels are of.
    pub axis: &'static str,
    /// The name of each bar of a level.
    pub bars: Vec<&'static str>,
    pub levels: Vec<Level>,
    /// Upper end of what has to be visible.
    pub largest: f64,
}

/// The bars at one level; what is undefined is a gap.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Level {
    pub label: String,
    pub values: Vec<Option<Estimate>>,
}

impl Columns {
    /// What the scale of some levels has to reach.
    pub fn reach<'l>(levels: impl IntoIterator<Item = &'l Level>) -> f64 {
        reach(levels.into_iter().flat_map(|level| level.values.iter().flatten()))
    }

    fn is_cut(&self) -> bool {
        let top = Scale::new(self.largest, self.unit).top;
        self.levels.iter().flat_map(|level| level.values.iter().flatten()).any(|v| v.high() > 1.001 * top)
    }
}

impl Picture for Columns {
    fn name(&self) -> String {
        parts::file_name(self.name, &self.part)
    }

    fn title(&self) -> String {
        parts::title(self.title, &self.part)
    }

    fn statistics(&self, model: &Model) -> String {
        let untold = self.levels.iter().flat_map(|level| level.values.iter().flatten()).any(|v| v.untold);
        frame::statistics(model, self.explanation, "whisker", self.is_cut().then_some("top"), untold)
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        let colours = (0..).map(palette::line);
        let names: Vec<_> = self.bars.iter().map(|name| name.to_string()).zip(colours).collect();
        let scale = Scale::new(self.largest, self.unit);
        let plane = Plane::inside(frame, axes::key(canvas, frame, &names) + 48.0, &scale);
        axes::vertical(canvas, frame, &plane, &scale, "");
        axes::below(canvas, &plane, self.axis);
        let place = (plane.right - plane.left) / self.levels.len() as f64;
        let width = (FILLED * place / self.bars.len() as f64).min(WIDEST);
        for (index, level) in self.levels.iter().enumerate() {
            let middle = plane.left + (index as f64 + 0.5) * place;
            let label = TICK.shorten(&level.label, place - 12.0);
            canvas.text(&label, (middle, plane.bottom + 38.0), Align::Middle, TICK, &INK);
            let first = middle - width * self.bars.len() as f64 / 2.0;
            for (bar, value) in level.values.iter().enumerate() {
                let left = first + bar as f64 * width;
                if let Some(value) = value {
                    column(canvas, &plane, &scale, (left, left + width), value, bar);
                }
            }
        }
        canvas.path(&[(plane.left, plane.bottom), (plane.right, plane.bottom)], &AXIS, 2);
    }
}

/// A bar with its whisker, and its value above both: a mean beside a maximum of sixty times as much is hardly a line.
fn column(
    canvas: &mut Canvas,
    plane: &Plane,
    scale: &Scale,
    (left, right): (f64, f64),
    value: &Estimate,
    bar: usize,
) {
    let (top, middle) = (plane.y(scale, value.mean), (left + right) / 2.0);
    let inset = 0.08 * (right - left);
    canvas.rectangle((left + inset, top), (right - inset, plane.bottom), &palette::line(bar));
    let reached = value.ends.map(|(low, high)| {
        let ends = (plane.y(scale, low), plane.y(scale, high));
        axes::whisker(canvas, middle, ends, 0.12 * (right - left), &INK);
        ends.1
    });
    let above = reached.unwrap_or(top).min(top) - 10.0;
    let font = if VALUE.width(&scale.value(value.mean)) > right - left { Font::regular(14.0) } else { VALUE };
    canvas.text(&scale.value(value.mean), (middle, above), Align::Middle, font, &INK);
}
