//! What a chart shows, before it is drawn: titles, axes, and series of points with their intervals. No pixels.

use super::axis::Axis;
use super::lab_picture::LabPicture;
use super::palette::Pen;
use super::svg::slug;
use crate::profile::Configuration;
use crate::stats::{Ends, Estimate, Zone};

/// One picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// File name without extension.
    pub name: String,
    pub title: String,
    /// Below the title; may be empty.
    pub subtitle: String,
    /// What the values are.
    pub explanation: String,
    /// What a reader is to notice; may be empty.
    pub note: String,
    /// Every configuration of which something is drawn: the caption names what they have in common.
    pub drawn: Vec<Configuration>,
    pub body: Body,
}

impl Plot {
    /// A picture of a subject, given as file name and title: `rate_per_flow_tps-virtio`, `Rate per flow: virtio`. `levels` are
    /// those that all of it has in common, in words.
    pub fn new((name, title): (&str, &str), levels: &[String], explanation: String, body: Body) -> Plot {
        let slugs = levels.iter().map(|level| slug(level));
        let title =
            if levels.is_empty() { title.to_owned() } else { format!("{title}: {}", levels.join(", ")) };
        let name = std::iter::once(name.to_owned()).chain(slugs).collect::<Vec<_>>().join("-");
        let (subtitle, note) = (String::new(), String::new());
        Plot { name, title, subtitle, explanation, note, drawn: Vec::new(), body }
    }

    /// What it shows and of what, for readers who do not see it.
    pub fn description(&self) -> String {
        let names: Vec<&str> = match &self.body {
            Body::Lines(curves) | Body::Scatter(curves) => {
                curves.series.iter().map(|series| series.label.as_str()).collect()
            }
            Body::Bars(bars) => bars.bars().map(|bar| bar.label.as_str()).collect(),
            Body::Heat(_) | Body::Lab(_) => Vec::new(),
        };
        let of_names = if names.is_empty() { String::new() } else { format!("; {}", names.join(", ")) };
        format!("{}{of_names}", self.explanation)
    }

    /// The same, of these configurations.
    pub fn of_configurations(self, drawn: Vec<Configuration>) -> Plot {
        Plot { drawn, ..self }
    }
}

/// The kinds of picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Body {
    /// Over levels.
    Lines(Curves),
    /// Over numbers.
    Scatter(Curves),
    Bars(Bars),
    Heat(Heat),
    /// The machines themselves.
    Lab(LabPicture),
}

/// Series of points over two axes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curves {
    pub x: Axis,
    pub y: Axis,
    pub style: Style,
    pub series: Vec<Series>,
}

/// How the points of a series are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Single points.
    Points,
    /// Points joined in their order.
    Joined,
    /// A line without points.
    Line,
}

/// What a series stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SeriesKind {
    Measured,
    /// The same for every level: a dashed line across.
    Baseline,
    /// A grey area from zero: what equal guests would show with this noise.
    Floor,
}

/// Points that belong together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Series {
    pub label: String,
    pub role: SeriesKind,
    pub pen: Pen,
    pub points: Vec<Mark>,
}

/// One point. Where levels are on the axis below, `x` is the place of its level, from 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub x: Estimate,
    pub y: Estimate,
    /// A name beside the point; empty for none.
    pub label: String,
    /// What its load is good for, on a curve of loads.
    pub zone: Option<Zone>,
    /// The values of single repeats.
    pub repeats: Vec<f64>,
    /// The trials that it is made of.
    pub trials: Vec<u32>,
}

impl Mark {
    /// A point without a name.
    pub fn new(x: f64, y: Estimate) -> Mark {
        let (label, zone, repeats, trials) = (String::new(), None, Vec::new(), Vec::new());
        Mark { x: Estimate::exact(x), y, label, zone, repeats, trials }
    }

    /// The same, made of these trials.
    pub fn of_trials(self, trials: &[u32]) -> Mark {
        Mark { trials: trials.to_vec(), ..self }
    }
}

impl Curves {
    /// All points of what was measured.
    pub fn points(&self) -> impl Iterator<Item = &Mark> {
        self.series
            .iter()
            .filter(|series| series.role == SeriesKind::Measured)
            .flat_map(|series| &series.points)
    }

    /// Whether intervals are bands: two can be told from each other, more cannot.
    pub fn is_banded(&self) -> bool {
        let measured = self.series.iter().filter(|series| series.role == SeriesKind::Measured).count();
        self.style == Style::Joined && measured <= 2
    }
}

/// Bars in groups, over one or more panels side by side that share the names of the bars.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bars {
    /// One for each value of a bar; its title is empty where there is only one.
    pub panels: Vec<Axis>,
    /// What the bars are made of, from the axis on; empty where they are of one piece.
    pub segments: Vec<(String, Pen)>,
    pub groups: Vec<BarGroup>,
}

/// Bars under one title; a single group has none.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BarGroup {
    pub title: String,
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bar {
    pub label: String,
    /// None for bare metal and for what is due: grey.
    pub pen: Option<Pen>,
    /// One for each panel; what is undefined is a gap.
    pub values: Vec<Option<Estimate>>,
    /// Sizes of the segments, as many as have names.
    pub segments: Vec<f64>,
    /// What equal guests would show with this noise.
    pub floor: Option<f64>,
    /// The trials that it is made of.
    pub trials: Vec<u32>,
}

impl Bars {
    pub fn bars(&self) -> impl Iterator<Item = &Bar> {
        self.groups.iter().flat_map(|group| &group.bars)
    }

    /// The values that a panel shows.
    pub fn values(&self, panel: usize) -> impl Iterator<Item = &Estimate> {
        self.bars().filter_map(move |bar| bar.values.get(panel)?.as_ref())
    }
}

/// A value for each row and slice of time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Heat {
    /// Length of a slice, s.
    pub slice_s: f64,
    /// What the rows are.
    pub row_title: &'static str,
    pub rows: Vec<(String, Vec<f64>)>,
    pub unit: &'static str,
}

/// Where a scale from zero should end: at the largest mean, or at an interval's end that is not far beyond it.
pub(super) fn reach<'e>(values: impl IntoIterator<Item = &'e Estimate>) -> f64 {
    /// How far an interval may stretch the scale beyond the largest mean.
    const INTERVAL_REACH: f64 = 1.4;
    let (mean, high) = values
        .into_iter()
        .fold((0.0_f64, 0.0_f64), |(mean, high), value| (mean.max(value.mean), high.max(value.high())));
    mean.max(high.min(INTERVAL_REACH * mean))
}

impl Body {
    /// The values with the ends of their scales.
    fn values(&self) -> Vec<(Estimate, f64)> {
        match self {
            Body::Lines(curves) | Body::Scatter(curves) => {
                let [x, y] = [&curves.x, &curves.y].map(|axis| axis.scale().top);
                let numeric = curves.x.levels.is_empty();
                curves
                    .points()
                    .flat_map(|mark| [(mark.y, y)].into_iter().chain(numeric.then_some((mark.x, x))))
                    .collect()
            }
            Body::Bars(bars) => {
                let panels = bars.panels.iter().enumerate();
                panels
                    .flat_map(|(panel, axis)| bars.values(panel).map(move |value| (*value, axis.scale().top)))
                    .collect()
            }
            Body::Heat(_) | Body::Lab(_) => Vec::new(),
        }
    }

    /// Whether an interval reaches beyond its scale.
    pub fn is_cut(&self) -> bool {
        self.values().iter().any(|(value, top)| is_beyond(value.high(), *top))
    }

    /// Whether a noise floor is drawn.
    pub fn has_floor(&self) -> bool {
        match self {
            Body::Lines(curves) | Body::Scatter(curves) => {
                curves.series.iter().any(|series| series.role == SeriesKind::Floor)
            }
            Body::Bars(bars) => bars.bars().any(|bar| bar.floor.is_some()),
            Body::Heat(_) | Body::Lab(_) => false,
        }
    }

    /// Whether a value has several repeats and no interval to be shown.
    pub fn has_too_few(&self) -> bool {
        self.values().iter().any(|(value, _)| value.low_high.is_some() && value.telling_ends().is_none())
    }

    /// What the ends that are shown are; each kind once.
    pub fn kinds_of_ends(&self) -> Vec<Ends> {
        let values = self.values();
        let has = |ends: &Ends| {
            values.iter().any(|(value, _)| value.telling_ends().is_some() && value.ends == *ends)
        };
        [Ends::OverBoots, Ends::WithinOneBoot, Ends::Extremes].into_iter().filter(has).collect()
    }
}

/// Whether a value lies beyond the end of a scale, apart from rounding.
pub(super) fn is_beyond(value: f64, top: f64) -> bool {
    value > 1.001 * top
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::{Observation, Scale};

    #[test]
    fn two_repeats_have_no_ends_and_stretch_no_scale() {
        let of = |values: &[f64]| {
            let trials = (0..).zip(values).map(|(boot, value)| Observation { boot, value: *value });
            Estimate::from_observations(&trials.collect::<Vec<_>>(), Scale::Log).unwrap()
        };
        assert_eq!(reach([&of(&[1.0, 9.0])]), 5.0);
        assert!(reach([&of(&[4.9, 5.0, 5.1])]) > 5.1);
    }
}
