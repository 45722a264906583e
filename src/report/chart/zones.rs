//! What loads are good for, as marks of their points; and, where there is one curve, as bands of latency behind it.

use plotters::style::{Color, RGBColor};

use super::axes::{self, Plane};
use super::canvas::{Align, Canvas, GREY, INK};
use super::frame::Frame;
use super::scale::Scale;
use super::scatter::Trace;
use super::text::Font;
use crate::stats::Zone;

const NAME: Font = Font::regular(19.0);
/// Height of the line with the key, px.
const LINE: f64 = 30.0;
/// The zones with their names, meanings and the colours of their bands.
const ZONES: [(Zone, &str, &str, RGBColor); 3] = [
    (Zone::BestService, "best service", "up to the most rate ÷ latency", RGBColor(0xe6, 0xf2, 0xea)),
    (Zone::LowestCost, "lowest cost", "5 % more rate than below it", RGBColor(0xfb, 0xf4, 0xdc)),
    (Zone::OnlyPain, "only pain", "less than that", RGBColor(0xfb, 0xe6, 0xe0)),
];

/// The key of the marks, a line under that of the colours. Returns where the plot may begin; `top` if nothing has a zone.
pub(super) fn key(canvas: &mut Canvas, frame: &Frame, traces: &[Trace], top: f64) -> f64 {
    if !traces.iter().flat_map(|trace| &trace.marks).any(|mark| mark.zone.is_some()) {
        return top;
    }
    let (mut x, y) = (frame.left, top + 4.0);
    for (zone, name, meaning, _) in ZONES {
        let text = format!("{name}: {meaning}");
        canvas.mark((x + 9.0, y), Some(zone), &INK);
        canvas.centred(&text, (x + 28.0, y), Align::Left, NAME, &GREY);
        x += 28.0 + NAME.width(&text) + 36.0;
    }
    top + LINE
}

/// The bands of latency, under everything, where one curve has the picture to itself.
pub(super) fn bands(canvas: &mut Canvas, plane: &Plane, y: &Scale, traces: &[Trace]) {
    let [trace] = traces else { return };
    let borders = borders(trace);
    let mut low = 0.0;
    for ((_, name, _, colour), high) in ZONES.iter().zip(borders.unwrap_or_default()) {
        if high <= low {
            continue;
        }
        let (bottom, top) = (plane.y(y, low), plane.y(y, high));
        canvas.rectangle((plane.left, top), (plane.right, bottom), &colour.mix(0.8));
        if bottom - top > axes::UNIT.size {
            canvas.text(name, (plane.right - 10.0, top + 22.0), Align::Right, NAME, &GREY);
        }
        low = high;
    }
}

/// Where the three bands end, in units of the latency: half-way between the last load of a zone and the first of the next.
/// `None` if the zones do not lie above each other.
fn borders(trace: &Trace) -> Option<[f64; 3]> {
    let of = |zone: Zone| {
        let all = trace.marks.iter().filter(move |mark| mark.zone == Some(zone)).map(|mark| mark.y.mean);
        let (low, high) = (all.clone().reduce(f64::min), all.reduce(f64::max));
        low.zip(high)
    };
    let zones: Vec<(usize, (f64, f64))> =
        ZONES.iter().enumerate().filter_map(|(index, (zone, ..))| Some((index, of(*zone)?))).collect();
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

#[cfg(test)]
mod tests {
    use super::super::estimate::Estimate;
    use super::super::scatter::Mark;
    use super::*;

    fn trace(points: &[(f64, Zone)]) -> Trace {
        let mark = |&(latency, zone): &(f64, Zone)| Mark {
            x: Estimate::exact(1.0),
            y: Estimate::exact(latency),
            label: String::new(),
            zone: Some(zone),
        };
        Trace { label: String::new(), marks: points.iter().map(mark).collect() }
    }

    #[test]
    fn bands_end_half_way_and_the_last_one_nowhere() {
        let all = [(10.0, Zone::BestService), (12.0, Zone::BestService), (20.0, Zone::LowestCost)];
        assert_eq!(borders(&trace(&all)), Some([16.0, f64::INFINITY, 0.0]));
        let skipped = [(10.0, Zone::BestService), (30.0, Zone::OnlyPain)];
        assert_eq!(borders(&trace(&skipped)), Some([20.0, 0.0, f64::INFINITY]));
    }

    #[test]
    fn zones_that_overlap_have_no_bands() {
        assert_eq!(borders(&trace(&[(20.0, Zone::BestService), (10.0, Zone::OnlyPain)])), None);
        assert_eq!(borders(&trace(&[])), None);
    }
}
