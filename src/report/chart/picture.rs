//! What every kind of chart has to tell: its name and title, what its values are, and how it is painted.

use super::canvas::Canvas;
use super::frame::{self, Frame};
use super::series::{Kind, Plot};
use super::{bars, lines, parts};
use crate::profile::Configuration;
use crate::report::Model;

/// One chart before it is drawn.
pub(super) trait Picture {
    /// File name without extension.
    fn name(&self) -> String;
    /// Title.
    fn title(&self) -> String;
    /// What the values are, and over how many trials.
    fn statistics(&self, model: &Model) -> String;
    /// Every configuration of which something is drawn: the caption tells what they have in common.
    fn drawn(&self) -> &[Configuration];
    /// Draws it into its frame.
    fn paint(&self, canvas: &mut Canvas, frame: &Frame);
}

/// Puts pictures of one kind among those of others.
pub(super) fn boxed<P: Picture + 'static>(pictures: Vec<P>) -> Vec<Box<dyn Picture>> {
    pictures.into_iter().map(|picture| Box::new(picture) as Box<dyn Picture>).collect()
}

impl Picture for Plot {
    fn name(&self) -> String {
        parts::file_name(self.subject.name, &self.part)
    }

    fn title(&self) -> String {
        Plot::title(self)
    }

    fn statistics(&self, model: &Model) -> String {
        let (shape, edge) = match &self.kind {
            Kind::Lines(lines) if lines.banded() => ("band", "top"),
            Kind::Lines(_) => ("whisker", "top"),
            Kind::Bars(_) => ("whisker", "right"),
        };
        frame::statistics(
            model,
            self.subject.explanation,
            shape,
            self.is_cut().then_some(edge),
            self.is_untold(),
        )
    }

    fn drawn(&self) -> &[Configuration] {
        &self.drawn
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        match &self.kind {
            Kind::Lines(lines) => lines::draw(canvas, frame, self, lines),
            Kind::Bars(groups) => bars::draw(canvas, frame, self, groups),
        }
    }
}
