//! Points over two axes of numbers: curves of load and latency, clouds of trials, cumulative distributions.
//!
//! On a curve of loads the fill of a point names what its load is good for; a curve that stands alone has a band behind it for
//! each such zone.

use super::frame::{self, BELOW, LINE, Swatch};
use super::hint;
use super::palette::{Colour, MAX_LINES, Marker};
use super::plane::{Along, Plane, Ticked, means};
use super::plot::{Curves, Series, Style};
use super::scale::AxisScale;
use super::style::TEXT;
use super::svg::{Align, Area, Canvas, Drawn, Fill, GREY, INK, Point, Stroke, WHITE};
use crate::stats::Zone;

/// Half of a point's width, px.
const POINT: f64 = 8.0;
/// The zones with their names, meanings, fills of points and colours of bands.
pub(super) const ZONES: [(Zone, &str, &str, Fill, Colour); 3] = [
    (
        Zone::BestService,
        "lowest latency",
        "up to the most rate ÷ latency",
        Fill::Full,
        Colour(0xeb, 0xf5, 0xee),
    ),
    (
        Zone::LowestCost,
        "most efficient",
        "5 % more rate than below it",
        Fill::Dotted,
        Colour(0xfc, 0xf6, 0xe3),
    ),
    (Zone::OnlyPain, "overload", "less than that", Fill::Hollow, Colour(0xfc, 0xeb, 0xe6)),
];

/// Draws a chart over numbers.
pub(super) fn draw(canvas: &Canvas, plot: &Area, curves: &Curves) -> Drawn {
    let names = curves.series.iter().take(2 * MAX_LINES).map(|series| (series.label.as_str(), series.pen));
    let swatch = if curves.style == Style::Line { Swatch::Line } else { Swatch::Marker };
    let below_key = frame::key(canvas, plot, names, swatch);
    let (x, y) = (curves.x.scale(), curves.y.scale());
    let area = Area {
        left: plot.left + frame::numbers_width(&y),
        right: plot.right - 30.0, // half of the last number
        top: zone_key(canvas, plot, curves, below_key) + 30.0,
        bottom: plot.bottom - BELOW,
    };
    let mut plane = Plane::new(canvas, area, Ticked::scale(&x), Ticked::scale(&y))?;
    let bands = bands(&plane, y.top, curves);
    bands.iter().for_each(|(_, band, colour)| canvas.rectangle(*band, *colour, 1.0));
    plane.left_axis(&curves.y, &y);
    plane.bottom_axis(&curves.x, &x);
    bands.iter().for_each(|band| band_name(canvas, band));
    for series in &curves.series {
        canvas.group("series", &series.label, |_| draw_series(&plane, (&x, &y), series, curves));
    }
    if curves.style != Style::Line {
        point_names(canvas, &plane, curves);
    }
    Ok(())
}

fn draw_series(plane: &Plane, (x, y): (&AxisScale, &AxisScale), series: &Series, curves: &Curves) {
    let (pen, style) = (series.pen, curves.style);
    if style != Style::Points && series.points.len() > 1 {
        let stroke = Stroke { colour: pen.colour, width: 3.5, dash: pen.dash };
        plane.line(series.points.iter().map(means), stroke);
    }
    if style == Style::Line {
        return;
    }
    let thin = Stroke::solid(pen.colour, 1.5);
    for mark in &series.points {
        if let Some(ends) = mark.x.telling_ends() {
            plane.whisker(ends, x, Along::X(mark.y.mean), thin);
        }
        if let Some(ends) = mark.y.telling_ends() {
            plane.whisker(ends, y, Along::Y(mark.x.mean), thin);
        }
    }
    for mark in &series.points {
        plane.canvas.hint(&hint::of_mark(curves, series, mark), || {
            plane.canvas.marker(plane.at(means(mark)), pen.marker, fill(mark.zone), pen.colour);
        });
    }
}

fn fill(zone: Option<Zone>) -> Fill {
    ZONES.iter().find(|(one, ..)| Some(*one) == zone).map_or(Fill::Full, |(_, _, _, fill, _)| *fill)
}

/// The key of the fills, under that of the series. Returns where the rest may begin.
fn zone_key(canvas: &Canvas, plot: &Area, curves: &Curves, top: f64) -> f64 {
    if !curves.points().any(|mark| mark.zone.is_some()) {
        return top;
    }
    let (mut x, y) = (plot.left, top);
    for (_, name, meaning, fill, _) in ZONES {
        let text = format!("{name}: {meaning}");
        canvas.marker((x + 9.0, y), Marker::Circle, fill, INK);
        canvas.centred("zone", &text, (x + 26.0, y), Align::Left, (TEXT, GREY));
        x += 26.0 + TEXT.width(&text) + 26.0;
    }
    top + LINE + 4.0
}

/// The zones as bands of latency, under everything, where one curve has the picture to itself.
fn bands(plane: &Plane, top: f64, curves: &Curves) -> Vec<(&'static str, Area, Colour)> {
    let [series] = curves.series.as_slice() else { return Vec::new() };
    let mut low = 0.0;
    let mut bands = Vec::new();
    for ((_, name, _, _, colour), high) in ZONES.iter().zip(borders(series).unwrap_or_default()) {
        if high > low {
            let height = |value: f64| plane.at((0.0, value.min(top))).1;
            bands.push((*name, Area { top: height(high), bottom: height(low), ..plane.area }, *colour));
            low = high;
        }
    }
    bands
}

/// A band's name in its corner, over the grid.
fn band_name(canvas: &Canvas, (name, band, colour): &(&str, Area, Colour)) {
    if band.height() > LINE {
        let (left, top) = (band.right - 14.0 - TEXT.width(name), band.top + 4.0);
        canvas.rectangle(Area { left, right: band.right - 4.0, top, bottom: top + 22.0 }, *colour, 1.0);
        canvas.text("zone", name, (band.right - 9.0, top + 18.0), Align::Right, (TEXT, GREY));
    }
}

/// Where the three bands end, in units of the latency: half-way between the last load of a zone and the first of the next.
/// `None` if the zones do not lie above each other.
fn borders(series: &Series) -> Option<[f64; 3]> {
    let range = |zone: Zone| {
        let all = series.points.iter().filter(move |mark| mark.zone == Some(zone)).map(|mark| mark.y.mean);
        let (low, high) = (all.clone().reduce(f64::min), all.reduce(f64::max));
        low.zip(high)
    };
    let zones: Vec<(usize, (f64, f64))> =
        ZONES.iter().enumerate().filter_map(|(index, (zone, ..))| Some((index, range(*zone)?))).collect();
    let mut ends = [0.0; 3];
    for pair in zones.windows(2) {
        let ((index, (_, high)), (_, (low, _))) = (pair[0], pair[1]);
        if low < high {
            return None;
        }
        ends[index] = (high + low) / 2.0;
    }
    ends[zones.last()?.0] = f64::INFINITY;
    Some(ends)
}

/// Names of points beside them; one that would cover another name or a point is left out.
fn point_names(canvas: &Canvas, plane: &Plane, curves: &Curves) {
    // A point takes as much as a name of its width below it.
    let points = curves.series.iter().flat_map(|series| &series.points).map(|mark| plane.at(means(mark)));
    let mut taken: Vec<(Point, f64)> = points.map(|(x, y)| ((x - POINT, y + POINT), 2.0 * POINT)).collect();
    for series in &curves.series {
        for mark in series.points.iter().filter(|mark| !mark.label.is_empty()) {
            let width = TEXT.width(&mark.label);
            if let Some(at) = free(&taken, &plane.area, plane.at(means(mark)), width) {
                let colour = if curves.series.len() > 1 { series.pen.colour.of_text() } else { INK };
                let behind = Area {
                    left: at.0 - 2.0,
                    right: at.0 + width + 2.0,
                    top: at.1 - 17.0,
                    bottom: at.1 + 3.0,
                };
                canvas.rectangle(behind, WHITE, 0.8);
                canvas.text("load", &mark.label, at, Align::Left, (TEXT, colour));
                taken.push((at, width));
            }
        }
    }
}

/// Where a name of this width beside a point covers nothing that is taken: lower left corners and widths.
fn free(taken: &[(Point, f64)], area: &Area, (x, y): Point, width: f64) -> Option<Point> {
    let above = (y - 12.0).max(area.top);
    // Up and to the left of a curve that rises to the right nothing is drawn, nor below it to the right.
    let places = [((x - 14.0 - width).max(area.left + 4.0), above), (x + 14.0, y + 28.0), (x + 12.0, above)];
    let covers = |at: Point, (left, base): Point, taken: f64| {
        (at.1 - base).abs() <= TEXT.size && at.0 <= left + taken + 4.0 && at.0 + width + 4.0 >= left
    };
    let inside = |at: &Point| at.1 < area.bottom - 4.0 && at.0 + width <= area.right;
    let mut places = places.into_iter().filter(inside);
    places.find(|at| !taken.iter().any(|(corner, taken)| covers(*at, *corner, *taken)))
}

#[cfg(test)]
mod tests {
    use super::super::palette::Pens;
    use super::super::plot::{Mark, SeriesKind};
    use super::*;
    use crate::stats::Estimate;

    const AREA: Area = Area { left: 100.0, right: 900.0, top: 100.0, bottom: 700.0 };

    fn series(points: &[(f64, Zone)]) -> Series {
        let mark = |&(latency, zone): &(f64, Zone)| Mark {
            zone: Some(zone),
            ..Mark::new(1.0, Estimate::exact(latency))
        };
        let pen = Pens::assign([]).get("virtio");
        Series {
            label: String::new(),
            role: SeriesKind::Measured,
            pen,
            points: points.iter().map(mark).collect(),
        }
    }

    #[test]
    fn bands_end_half_way_and_the_last_one_nowhere() {
        let all = [(10.0, Zone::BestService), (12.0, Zone::BestService), (20.0, Zone::LowestCost)];
        assert_eq!(borders(&series(&all)), Some([16.0, f64::INFINITY, 0.0]));
        let skipped = [(10.0, Zone::BestService), (30.0, Zone::OnlyPain)];
        assert_eq!(borders(&series(&skipped)), Some([20.0, 0.0, f64::INFINITY]));
    }

    #[test]
    fn zones_that_overlap_have_no_bands() {
        assert_eq!(borders(&series(&[(20.0, Zone::BestService), (10.0, Zone::OnlyPain)])), None);
        assert_eq!(borders(&series(&[])), None);
    }

    #[test]
    fn a_name_stands_up_and_left_of_its_point_unless_another_point_is_there() {
        let point = (400.0, 300.0);
        assert_eq!(free(&[], &AREA, point, 20.0), Some((366.0, 288.0)));
        let other = ((370.0, 296.0), 16.0);
        assert_eq!(free(&[other], &AREA, point, 20.0), Some((414.0, 328.0)), "below it");
        let other = ((370.0, 686.0), 16.0);
        assert_eq!(free(&[other], &AREA, (400.0, 690.0), 20.0), Some((412.0, 678.0)), "not on the axis");
    }

    #[test]
    fn a_name_that_has_no_place_is_left_out() {
        let wide = [((0.0, 288.0), 1000.0), ((0.0, 328.0), 1000.0)];
        assert_eq!(free(&wide, &AREA, (400.0, 300.0), 20.0), None);
    }
}
