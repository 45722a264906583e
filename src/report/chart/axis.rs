//! What one axis of a plot shows. No pixels.

use super::scale::AxisScale;

/// What one axis shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Axis {
    pub title: String,
    pub unit: &'static str,
    /// Upper end of what has to be visible.
    pub largest: f64,
    /// Lower end of a logarithmic scale; `None`: linear from zero.
    pub log_from: Option<f64>,
    /// Names of levels, set evenly; empty for an axis of numbers.
    pub levels: Vec<String>,
}

impl Axis {
    /// Numbers from zero.
    pub fn numbers(title: &str, unit: &'static str, largest: f64) -> Axis {
        Axis { title: title.to_owned(), unit, largest, ..Axis::default() }
    }

    pub fn scale(&self) -> AxisScale {
        match self.log_from {
            None => AxisScale::new(self.largest, self.unit),
            Some(smallest) => AxisScale::log(smallest, self.largest, self.unit),
        }
    }
}
