//! Points over two axes of numbers: curves of load and latency, congestion, cumulative distributions.

use plotters::style::{Color, WHITE};

use super::axes::{self, Plane};
use super::canvas::{Align, Canvas, INK, Point};
use super::estimate::{Estimate, reach};
use super::frame::{self, Frame};
use super::picture::Picture;
use super::scale::Scale;
use super::text::Font;
use super::{palette, parts, zones};
use crate::profile::Configuration;
use crate::report::Model;
use crate::stats::Zone;

const NAME: Font = Font::regular(19.0);
/// Half of a point's width, px.
const POINT: f64 = 8.0;

/// What one axis shows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Axis {
    pub name: &'static str,
    pub unit: &'static str,
    /// Whether nothing can be above 100.
    pub ends_at_100: bool,
}

/// How the points of a trace are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Single points.
    Dots,
    /// Points joined in their order.
    Curve,
    /// A line without points.
    Line,
}

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scatter {
    /// Beginning of the file's name.
    pub name: &'static str,
    /// Beginning of the title.
    pub title: &'static str,
    /// The levels that all of it has in common, in words.
    pub part: Vec<String>,
    /// Every configuration of which something is drawn.
    pub drawn: Vec<Configuration>,
    pub explanation: String,
    pub x: Axis,
    pub y: Axis,
    pub style: Style,
    pub traces: Vec<Trace>,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trace {
    pub label: String,
    pub marks: Vec<Mark>,
}

/// One point, with a name of its own if it needs one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub x: Estimate,
    pub y: Estimate,
    pub label: String,
    /// What its load is good for, where it stands on a curve of loads.
    pub zone: Option<Zone>,
}

impl Scatter {
    fn scale(&self, axis: Axis, of: fn(&Mark) -> &Estimate) -> Scale {
        let largest = reach(self.traces.iter().flat_map(|trace| &trace.marks).map(of));
        Scale::new(if axis.ends_at_100 { largest.clamp(50.0, 100.0) } else { largest }, axis.unit)
    }

    fn is_cut(&self) -> bool {
        let [x, y] = [self.scale(self.x, |m| &m.x).top, self.scale(self.y, |m| &m.y).top];
        let mut marks = self.traces.iter().flat_map(|trace| &trace.marks);
        marks.any(|mark| mark.x.high() > 1.001 * x || mark.y.high() > 1.001 * y)
    }
}

impl Picture for Scatter {
    fn name(&self) -> String {
        parts::file_name(self.name, &self.part)
    }

    fn title(&self) -> String {
        parts::title(self.title, &self.part)
    }

    fn statistics(&self, model: &Model) -> String {
        match self.style {
            Style::Curve => {
                let cut = self.is_cut().then_some("edge");
                let mut marks = self.traces.iter().flat_map(|trace| &trace.marks);
                let untold = marks.any(|mark| mark.x.untold || mark.y.untold);
                frame::statistics(model, &self.explanation, "whiskers", cut, untold)
            }
            Style::Dots | Style::Line => format!("{}; {}", self.explanation, model.repeats()),
        }
    }

    fn drawn(&self) -> &[Configuration] {
        &self.drawn
    }

    fn paint(&self, canvas: &mut Canvas, frame: &Frame) {
        let colours = (0..).map(palette::line);
        let names: Vec<_> = self.traces.iter().map(|trace| trace.label.clone()).zip(colours).collect();
        let below = axes::key(canvas, frame, &names);
        let top = zones::key(canvas, frame, &self.traces, below) + 48.0;
        let (x, y) = (self.scale(self.x, |mark| &mark.x), self.scale(self.y, |mark| &mark.y));
        let mut plane = Plane::inside(frame, top, &y);
        plane.right -= 40.0; // the last tick's label
        zones::bands(canvas, &plane, &y, &self.traces);
        axes::vertical(canvas, frame, &plane, &y, self.y.name);
        axes::horizontal(canvas, &plane, &x, self.x.name);
        let place = |mark: &Mark| (plane.x(&x, mark.x.mean), plane.y(&y, mark.y.mean));
        for (index, trace) in self.traces.iter().enumerate() {
            let points: Vec<Point> = trace.marks.iter().map(place).collect();
            if self.style != Style::Dots && points.len() > 1 {
                canvas.path(&points, &palette::line(index), 4);
            }
        }
        if self.style != Style::Line {
            self.intervals(canvas, &plane, (&x, &y));
            let all = || self.traces.iter().enumerate();
            for (index, mark) in all().flat_map(|(index, t)| t.marks.iter().map(move |mark| (index, mark))) {
                canvas.mark(place(mark), mark.zone, &palette::line(index));
            }
            self.names(canvas, &plane, &place);
        }
    }
}

impl Scatter {
    /// Thin whiskers in both directions, under the points.
    fn intervals(&self, canvas: &mut Canvas, plane: &Plane, (x, y): (&Scale, &Scale)) {
        for (index, trace) in self.traces.iter().enumerate() {
            let colour = palette::line(index);
            for mark in &trace.marks {
                let at = (plane.x(x, mark.x.mean), plane.y(y, mark.y.mean));
                if let Some((low, high)) = mark.x.ends {
                    canvas.path(&[(plane.x(x, low), at.1), (plane.x(x, high), at.1)], &colour, 1);
                }
                if let Some((low, high)) = mark.y.ends {
                    canvas.path(&[(at.0, plane.y(y, low)), (at.0, plane.y(y, high))], &colour, 1);
                }
            }
        }
    }

    /// Names of points beside them; one that would cover another name or a point is left out.
    fn names(&self, canvas: &mut Canvas, plane: &Plane, place: &dyn Fn(&Mark) -> Point) {
        // A point takes as much as a name of its width below it.
        let points = self.traces.iter().flat_map(|trace| &trace.marks).map(place);
        let mut taken: Vec<(Point, f64)> =
            points.map(|(x, y)| ((x - POINT, y + POINT), 2.0 * POINT)).collect();
        for (index, trace) in self.traces.iter().enumerate() {
            for mark in trace.marks.iter().filter(|mark| !mark.label.is_empty()) {
                let width = NAME.width(&mark.label);
                if let Some(at) = free(&taken, plane, place(mark), width) {
                    let colour = if self.traces.len() > 1 { palette::text(index) } else { INK };
                    let (from, to) = ((at.0 - 2.0, at.1 - 16.0), (at.0 + width + 2.0, at.1 + 3.0));
                    canvas.rectangle(from, to, &WHITE.mix(0.8));
                    canvas.text(&mark.label, at, Align::Left, NAME, &colour);
                    taken.push((at, width));
                }
            }
        }
    }
}

/// Where a name of this width beside a point covers nothing that is taken: lower left corners and widths.
fn free(taken: &[(Point, f64)], plane: &Plane, (x, y): Point, width: f64) -> Option<Point> {
    let above = (y - 12.0).max(plane.top);
    // Up and to the left of a curve that rises to the right nothing is drawn, nor below it to the right.
    let places = [((x - 14.0 - width).max(plane.left + 4.0), above), (x + 14.0, y + 28.0), (x + 12.0, above)];
    let covers = |at: Point, (left, base): Point, taken: f64| {
        (at.1 - base).abs() <= NAME.size && at.0 <= left + taken + 4.0 && at.0 + width + 4.0 >= left
    };
    let inside = |at: &Point| at.1 < plane.bottom - 4.0 && at.0 + width <= plane.right;
    let mut places = places.into_iter().filter(inside);
    places.find(|at| !taken.iter().any(|(corner, taken)| covers(*at, *corner, *taken)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLANE: Plane = Plane { left: 100.0, right: 900.0, top: 100.0, bottom: 700.0 };

    #[test]
    fn a_name_stands_up_and_left_of_its_point_unless_another_point_is_there() {
        let point = (400.0, 300.0);
        assert_eq!(free(&[], &PLANE, point, 20.0), Some((366.0, 288.0)));
        let other = ((370.0, 296.0), 16.0);
        assert_eq!(free(&[other], &PLANE, point, 20.0), Some((414.0, 328.0)), "below it");
        let other = ((370.0, 686.0), 16.0);
        assert_eq!(free(&[other], &PLANE, (400.0, 690.0), 20.0), Some((412.0, 678.0)), "not on the axis");
    }

    #[test]
    fn a_name_that_has_no_place_is_left_out() {
        let wide = [((0.0, 288.0), 1000.0), ((0.0, 328.0), 1000.0)];
        assert_eq!(free(&wide, &PLANE, (400.0, 300.0), 20.0), None);
    }
}
