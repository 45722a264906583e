//! Charts: what the tables say, for slides. SVG through plotters, PNG through resvg (better text than plotters' own).
//!
//! - `series`: rows -> lines or bars: what is drawn; `parts`: which rows share a picture; `estimate`: a value of theirs
//! - `shares`: the same of groups of guests
//! - `congestion`, `background`, `exits`, `guests`, `cdf`: latency over rate and waiting over CPU, interference, why KVM left the
//!   guests, what each of them got, how the flows' rates are distributed: what is drawn
//! - `scale`: ticks and their labels
//! - `labels`: places for labels that would collide
//! - `text`: the font, measured widths, wrapping
//! - `canvas`: the few shapes that charts are made of
//! - `frame`: title, subtitle, unit, footer: what every chart has
//! - `axes`: two scales and the key of colours; `picture`: what every kind of chart has to tell
//! - `lines`, `bars`, `scatter`, `columns`, `stacks`, `heat`: the kinds; `palette`: their colours;
//!   `zones`: what loads are good for
//! - `raster`: SVG -> PNG

mod axes;
mod background;
mod bars;
mod canvas;
mod cdf;
mod columns;
mod congestion;
mod estimate;
mod exits;
mod frame;
#[cfg(test)]
mod gallery;
mod guests;
mod heat;
mod labels;
mod lines;
mod palette;
mod parts;
mod picture;
mod raster;
mod scale;
mod scatter;
mod series;
mod shares;
#[cfg(test)]
mod sources;
mod stacks;
mod text;
mod zones;

use super::Model;
use crate::figures::Metric;
use crate::profile::Factor;
use canvas::Canvas;
use picture::{Picture, boxed};

pub use raster::{PngError, png};

/// Width and height of every chart, px.
pub const SIZE: (u32, u32) = (1920, 1080);

/// The metrics that are drawn.
const DRAWN: [Metric; 13] = [
    Metric::RatePerFlow,
    Metric::TotalRate,
    Metric::ThroughputPerFlow,
    Metric::Throughput,
    Metric::Loss,
    Metric::MeanLatency,
    Metric::P99Latency,
    Metric::HostCpu,
    Metric::CpuPerTransaction,
    Metric::CpuPerMegabit,
    Metric::BiasRate,
    Metric::BiasLatency,
    Metric::BiasCpu,
];

/// One picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chart {
    /// File name without extension: `rate_per_flow_tps`, or `rate_per_flow_tps-virtio` where one picture is not enough.
    pub name: String,
    /// Its title.
    pub title: String,
    /// The picture.
    pub svg: String,
}

/// Every chart that has something to show. Metrics without any value are left out.
pub fn charts(model: &Model) -> Result<Vec<Chart>, ChartError> {
    // What background does is in the tail first.
    let longest = model.experiment.factors.contains(&Factor::Background).then_some(Metric::MaxLatency);
    let metrics: Vec<_> =
        DRAWN.into_iter().chain(longest).flat_map(|metric| series::plots(model, metric)).collect();
    let pictures = [
        boxed(congestion::curves(model)),
        boxed(congestion::waiting(model).into_iter().collect()),
        boxed(background::plots(model)),
        boxed(metrics),
        boxed(series::to_bare_metal(model)),
        boxed(exits::plots(model)),
        boxed(guests::plot(model).into_iter().collect()),
        boxed(heat::worst(model).into_iter().collect()),
        boxed(cdf::plots(model)),
        boxed(shares::plots(model)),
    ];
    pictures.into_iter().flatten().map(|picture| chart(model, picture.as_ref())).collect()
}

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("failed to draw a chart: {0}")]
pub struct ChartError(String);

fn chart(model: &Model, picture: &dyn Picture) -> Result<Chart, ChartError> {
    let (name, title) = (picture.name(), picture.title());
    let statistics = picture.statistics(model);
    let svg = Canvas::draw(|canvas| {
        let frame = frame::draw(canvas, model, &title, &statistics, picture.drawn());
        picture.paint(canvas, &frame);
    })?;
    Ok(Chart { name, title, svg })
}
