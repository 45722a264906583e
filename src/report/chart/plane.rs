//! plotters' chart on a plot's area: its coordinates, the mesh with its numbers, and elements placed by their values.

use std::ops::Range;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::coord::types::RangedCoordf64;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::*;

use super::axis::Axis;
use super::frame::{self, BELOW};
use super::plot::{Mark, is_beyond};
use super::scale::AxisScale;
use super::sheet::{Sheet, px, tenths};
use super::style::TEXT;
use super::svg::{AXIS, Align, Area, Canvas, DrawError, FAINT, GREY, INK, Point, Stroke, text_style};

/// A value along each axis.
pub(super) type DataPoint = (f64, f64);
type Coordinates = Cartesian2d<Ticked, Ticked>;

/// Where the means of a mark lie.
pub(super) fn means(mark: &Mark) -> DataPoint {
    (mark.x.mean, mark.y.mean)
}

/// The values of one axis, with ticks of our own: plotters' axis with ticks (`WithKeyPoints`) has no mesh for numbers, and its
/// logarithmic axis places its own.
#[derive(Clone)]
pub(super) struct Ticked {
    ends: Range<f64>,
    ticks: Vec<f64>,
    is_log: bool,
}

impl Ticked {
    /// The axis from one value to another.
    pub fn new(range: Range<f64>, ticks: Vec<f64>) -> Ticked {
        Ticked { ends: range, ticks, is_log: false }
    }

    /// The axis of a scale.
    pub fn scale(scale: &AxisScale) -> Ticked {
        Ticked { is_log: scale.is_log(), ..Ticked::new(scale.bottom..scale.top, scale.ticks.clone()) }
    }
}

impl Ranged for Ticked {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        // What is not above zero lies below any logarithmic scale.
        let place = |value: f64| if self.is_log { value.max(self.ends.start).ln() } else { value };
        let (start, end) = (place(self.ends.start), place(self.ends.end));
        let furthest = FURTHEST * (end - start).abs();
        let value = place(*value).max(start.min(end) - furthest).min(start.max(end) + furthest);
        RangedCoordf64::from(start..end).map(&value, limit)
    }

    fn key_points<H: KeyPointHint>(&self, hint: H) -> Vec<f64> {
        // Those of the fine mesh, which is not drawn.
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Range<f64> {
        self.ends.clone()
    }
}

/// Lengths of an axis beyond its ends up to which values have a place of their own: an interval of two repeats may reach further
/// than pixels can be counted.
const FURTHEST: f64 = 100.0;
/// Half of a whisker's end stroke, px.
const HALF: f64 = 6.0;
/// Ticks outside of a plot, px; plotters sets the numbers twice as far from it.
const TICK: f64 = 7.0;

/// Where values lie on the picture.
pub(super) struct Plane<'c> {
    pub canvas: &'c Canvas,
    pub area: Area,
    chart: ChartContext<'c, Sheet, Coordinates>,
    /// The same coordinates beyond the plot.
    beyond: DrawingArea<Sheet, Coordinates>,
}

impl<'c> Plane<'c> {
    /// The coordinates of an area.
    ///
    /// # Errors
    /// If plotters cannot set the chart.
    pub fn new(canvas: &'c Canvas, area: Area, x: Ticked, y: Ticked) -> Result<Plane<'c>, DrawError> {
        let size = (tenths(area.right), tenths(area.height() + BELOW));
        let place = canvas.page.clone().shrink((0, tenths(area.top)), size);
        let chart = ChartBuilder::on(&place)
            .x_label_area_size(tenths(BELOW))
            .y_label_area_size(tenths(area.left))
            .build_cartesian_2d(x, y)?;
        let beyond = canvas.whole.apply_coord_spec(Coordinates::clone(chart.as_coord_spec()));
        Ok(Plane { canvas, area, chart, beyond })
    }

    /// The place of a value, which may lie beyond the area, px.
    pub fn at(&self, value: DataPoint) -> Point {
        px(self.chart.backend_coord(&value))
    }

    /// An element by values; what lies beyond the area is moved to its edge.
    pub fn draw<E>(&self, element: &E)
    where
        for<'e> &'e E: PointCollection<'e, DataPoint>,
        E: Drawable<Sheet>,
    {
        self.canvas.note(self.chart.plotting_area().draw(element));
    }

    /// An element of which nothing is visible outside of the area.
    pub fn draw_clipped<E>(&self, element: &E)
    where
        for<'e> &'e E: PointCollection<'e, DataPoint>,
        E: Drawable<Sheet>,
    {
        self.canvas.clipped(self.area, || self.canvas.note(self.beyond.draw(element)));
    }

    /// A line through values.
    pub fn line(&self, values: impl IntoIterator<Item = DataPoint>, stroke: Stroke) {
        self.canvas.dashed(stroke.dash, || {
            for element in LineSeries::new(values, stroke.style()) {
                self.draw(&element);
            }
        });
    }

    /// The grid across and its numbers on the left, with the title above them.
    pub fn left_axis(&mut self, axis: &Axis, scale: &AxisScale) {
        let left = self.area.left - frame::numbers_width(scale);
        let title = frame::with_unit(&axis.title, scale);
        self.canvas.text("unit", &title, (left, self.area.top - 22.0), Align::Left, (TEXT, GREY));
        let label = |tick: &f64| scale.label(*tick);
        let mut mesh = self.chart.configure_mesh();
        mesh.disable_x_mesh().disable_x_axis().y_label_formatter(&label).axis_style(TRANSPARENT);
        mesh.y_label_style(text_style(TEXT, INK)).set_tick_mark_size(LabelAreaPosition::Left, tenths(TICK));
        mesh.bold_line_style(Stroke::solid(FAINT, self.canvas.theme.grid_width()).style());
        self.canvas.classed("value", || self.canvas.note(mesh.draw()));
    }

    /// The grid from top to bottom, the axis below with its numbers, and its title.
    pub fn bottom_axis(&mut self, axis: &Axis, scale: &AxisScale) {
        self.bottom_ticks(scale);
        frame::below(self.canvas, &self.area, &frame::with_unit(&axis.title, scale));
    }

    /// The same without the title; every second number where there is no room for all.
    pub fn bottom_ticks(&mut self, scale: &AxisScale) {
        let names: Vec<String> = scale.ticks.iter().map(|tick| scale.label(*tick)).collect();
        let every = frame::every(&names, self.area.width() / (names.len() - 1).max(1) as f64);
        let step = scale.top / (names.len() - 1).max(1) as f64;
        self.below(true, &|tick| {
            let index = (tick / step).round() as usize;
            names.get(index).filter(|_| index.is_multiple_of(every)).cloned().unwrap_or_default()
        });
        let (left, bottom) = (self.area.left, self.area.bottom);
        self.canvas.path(&[(left, self.area.top), (left, bottom)], Stroke::solid(AXIS, 1.5));
    }

    /// The axis below with names of its ticks, with or without a grid.
    pub fn below(&mut self, grid: bool, name: &dyn Fn(&f64) -> String) {
        let mut mesh = self.chart.configure_mesh();
        mesh.disable_y_mesh().disable_y_axis().x_label_formatter(name);
        mesh.axis_style(Stroke::solid(AXIS, 1.5).style()).x_label_style(text_style(TEXT, INK));
        mesh.set_tick_mark_size(LabelAreaPosition::Bottom, tenths(TICK));
        mesh.bold_line_style(Stroke::solid(FAINT, self.canvas.theme.grid_width()).style());
        if !grid {
            mesh.disable_x_mesh();
        }
        self.canvas.classed("tick", || self.canvas.note(mesh.draw()));
    }

    /// An interval that ends in strokes, or in an arrow where it reaches beyond the top of its scale.
    pub fn whisker(&self, (low, high): (f64, f64), scale: &AxisScale, along: Along, stroke: Stroke) {
        self.line([along.value(low), along.value(high)], stroke);
        // Below zero nothing is cut: there is no such value. A logarithmic scale cuts what lies below it.
        for end in [low, high].into_iter().filter(|end| !scale.is_log() || *end >= scale.bottom) {
            let value = along.value(end.clamp(scale.bottom, scale.top));
            if is_beyond(end, scale.top) {
                let corners = [(0.0, 0.0), (-2.0 * HALF, -HALF), (-2.0 * HALF, HALF)];
                let corners = corners.map(|corner| along.offset(corner));
                self.draw(&(EmptyElement::at(value) + Polygon::new(corners, stroke.colour.filled())));
            } else {
                let ends = [-HALF, HALF].map(|side| along.offset((0.0, side)));
                self.draw(&(EmptyElement::at(value) + PathElement::new(ends, stroke.style())));
            }
        }
    }
}

/// The direction of an interval, and where it lies on the other axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Along {
    /// From left to right at this height.
    X(f64),
    /// Upwards at this place.
    Y(f64),
}

impl Along {
    fn value(self, value: f64) -> DataPoint {
        match self {
            Along::X(y) => (value, y),
            Along::Y(x) => (x, value),
        }
    }

    /// plotters' pixels of an offset along the interval and to its side, px.
    fn offset(self, (along, side): (f64, f64)) -> (i32, i32) {
        match self {
            Along::X(_) => (tenths(along), tenths(side)),
            Along::Y(_) => (tenths(side), -tenths(along)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The confidence interval of two repeats that differ wildly has ends of any size.
    #[test]
    fn values_far_beyond_an_axis_have_a_place_beyond_it() {
        let pixels = (400, 3_000);
        for is_log in [false, true] {
            let axis = Ticked { is_log, ..Ticked::new(1.0..2.0, Vec::new()) };
            let places = [1e300, 2.0, 1.0, -1e300].map(|value| axis.map(&value, pixels));
            assert!(places[0] > 3_000 && places[1] >= 2_999 && places[2] == 400, "{places:?}");
            assert!(places[3] <= 400, "{places:?}");
        }
    }
}
