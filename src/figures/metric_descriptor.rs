//! The row of the table of metrics, and the macro that makes the table.

use super::{Better, Need, Numbers, Section};
use crate::stats::Scale;

/// One row of the table of metrics.
pub(super) struct MetricDescriptor {
    pub column: &'static str,
    pub label: &'static str,
    pub unit: &'static str,
    pub better: Better,
    pub scale: Scale,
    pub section: Section,
    pub rank: u8,
    pub needs: &'static [Need],
    pub explanation: &'static str,
    pub value: fn(&Numbers) -> Option<f64>,
}

/// Makes the metrics of one table. A row: name, column, label, unit, direction, scale of its intervals, section of the report, rank in a
/// terminal (1: the last to be left out; 0: not shown there), what an experiment needs to have it, one line of explanation, its
/// value.
macro_rules! metrics {
    ($($(#[$doc:meta])+ $metric:ident: $column:literal, $label:literal, $unit:literal, $better:ident, $scale:ident,
        $section:ident, $rank:literal, [$($need:expr),*], $explanation:literal, $value:expr;)+) => {
        /// A figure of a trial.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        pub enum Metric {
            $($(#[$doc])+ $metric,)+
        }

        impl Metric {
            /// Every metric, in the order of the columns.
            pub const ALL: [Metric; [$($column),+].len()] = [$(Metric::$metric),+];

            const TABLE: [MetricDescriptor; Metric::ALL.len()] = [$(MetricDescriptor {
                column: $column,
                label: $label,
                unit: $unit,
                better: Better::$better,
                scale: Scale::$scale,
                section: Section::$section,
                rank: $rank,
                needs: &[$($need),*],
                explanation: $explanation,
                value: $value,
            }),+];
        }
    };
}

pub(super) use metrics;
