//! Horizontal bars made of parts, in groups: a sum and what it is made of.

use plotters::style::WHITE;

use super::axes::{self, TICK};
use super::canvas::{AXIS, Align, Canvas, FAINT, GREY, INK};
use super::estimate::{Estimate, reach};
use super::frame::{self, Frame};
use super::picture::Picture;
use super::scale::Scale;
use super::text::Font;
use super::{palette, parts};
use crate::profile::Configuration;
use crate::report::Model;

/// Widest name of a bar, px, before it is shortened.
const NAME_WIDTH: f64 = 520.0;
/// Highest row and thickest bar, px.
const ROW: f64 = 120.0;
const BAR: f64 = 60.0;

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stacks {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub title: &'static str,
    /// The levels that all of it has in common, in words.
    pub part: Vec<String>,
    /// Every configuration of which something is drawn.
    pub drawn: Vec<Configuration>,
    pub unit: &'static str,
    pub explanation: String,
    /// The name of each part, from the axis on.
    pub parts: Vec<String>,
    /// The bars, each below the title of its group.
    pub groups: Vec<StackGroup>,
}

/// A title, empty for a single group, and its bars.
pub(super) type StackGroup = (String, Vec<Stack>);

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    pub label: String,
    /// As many as there are names of parts.
    pub parts: Vec<f64>,
    /// Their sum, with its interval.
    pub total: Estimate,
}

impl Stacks {
    fn stacks(&self) -> impl Iterator<Item = &Stack> {
        self.groups.iter().flat_map(|(_, stacks)| stacks)
    }

    fn scale(&self) -> Scale {
        Scale::new(reach(self.stacks().map(|stack| &stack.total)), self.unit)
    }
}

impl Picture for Stacks {
    fn name(&self) -> String {
        parts::file_name(self.name, &self.part)
    }

    fn title(&self) -> String {
        parts::title(self.title, &self.part)
    }

    fn statistics(&self, model: &Model) -> String {
        let top = 1.001 * self.scale().top;
        let cut = self.stacks().any(|stack| stack.total.high() > top).then_some("right");
        frame::statistics(
            model,
            &self.explanation,
            "whisker of the sum",
            cut,
            self.stacks().any(|s| s.total.untold),
        )
    }

    fn drawn(&self) -> &[Configuration] {
        &self.drawn
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        let colours = (0..).map(palette::line);
        let names: Vec<_> = self.parts.iter().cloned().zip(colours).collect();
        let top = axes::key(canvas, frame, &names) + 6.0;
        let titles = self.groups.iter().filter(|(title, _)| !title.is_empty()).count() as f64;
        let rows = self.stacks().count() as f64 + 0.9 * titles + 0.4 * (self.groups.len() as f64 - 1.0);
        let row = ((frame.bottom - 84.0 - top) / rows).min(ROW);
        let font = Font::regular((0.55 * row).clamp(11.0, 21.0));
        let bold = Font::bold(font.size);
        let scale = self.scale();
        let headings = self.groups.iter().map(|(title, _)| bold.width(title));
        let labels = self.stacks().map(|stack| font.width(&stack.label)).chain(headings);
        let left = frame.left + labels.chain([80.0]).fold(0.0, f64::max).min(NAME_WIDTH) + 20.0;
        let right = frame.right - 110.0;
        let x = |value: f64| left + (value / scale.top).clamp(0.0, 1.0) * (right - left);
        grid(canvas, &scale, &x, (top, top + rows * row));
        let mut y = top;
        for (title, stacks) in &self.groups {
            if !title.is_empty() {
                let title = bold.shorten(title, NAME_WIDTH);
                canvas.centred(&title, (frame.left, y + 0.45 * row), Align::Left, bold, &INK);
                y += 0.9 * row;
            }
            for stack in stacks {
                let name = font.shorten(&stack.label, NAME_WIDTH);
                canvas.centred(&name, (left - 14.0, y + row / 2.0), Align::Right, font, &INK);
                draw(canvas, stack, &x, (y + row / 2.0, (0.62 * row).min(BAR) / 2.0));
                value(
                    canvas,
                    &scale.value(stack.total.mean),
                    (x(stack.total.high()) + 10.0, y + row / 2.0),
                    font,
                );
                y += row;
            }
            y += 0.4 * row;
        }
    }
}

fn grid(canvas: &mut Canvas, scale: &Scale, x: &dyn Fn(f64) -> f64, (top, bottom): (f64, f64)) {
    for tick in &scale.ticks {
        let colour = if *tick == 0.0 { &AXIS } else { &FAINT };
        canvas.path(&[(x(*tick), top), (x(*tick), bottom)], colour, 2);
        canvas.text(&scale.label(*tick), (x(*tick), bottom + 32.0), Align::Middle, TICK, &INK);
    }
    canvas.text(scale.unit, (x(scale.top / 2.0), bottom + 70.0), Align::Middle, TICK, &GREY);
}

fn draw(canvas: &mut Canvas, stack: &Stack, x: &dyn Fn(f64) -> f64, (y, half): (f64, f64)) {
    let mut from = 0.0;
    for (index, part) in stack.parts.iter().enumerate().filter(|(_, part)| **part > 0.0) {
        canvas.rectangle((x(from), y - half), (x(from + part), y + half), &palette::line(index));
        from += part;
    }
    if let Some((low, high)) = stack.total.ends {
        canvas.path(&[(x(low), y), (x(high), y)], &INK, 2);
        for end in [low, high] {
            canvas.path(&[(x(end), y - half / 2.0), (x(end), y + half / 2.0)], &INK, 2);
        }
    }
}

/// On white: the grid runs behind it.
fn value(canvas: &mut Canvas, text: &str, at: (f64, f64), font: Font) {
    let half = 0.6 * font.size;
    canvas.rectangle((at.0 - 4.0, at.1 - half), (at.0 + font.width(text), at.1 + half), &WHITE);
    canvas.centred(text, at, Align::Left, font, &INK);
}
