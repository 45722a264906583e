//! Tables as OpenMetrics 1.0 text: columns that name rows become labels, each column of figures a gauge. A figure over repeats is three
//! gauges: its mean, and `…_low` and `…_high`, the ends of its interval.
//!
//! A gauge's name has its unit, but not always as its last word, and then a UNIT line is not allowed: the HELP line has the unit.

use std::fmt::Write;

use super::file::{Encoding, FileFormat, Purpose};
use super::{Cell, Column, Display, Table};

/// The format. All samples of a gauge stand together, so a table must come in one piece.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "openmetrics",
    extension: "prom",
    about: "gauges for Prometheus: the mean of each metric with the ends of its interval",
    purpose: Purpose::Monitoring,
    encoding: Encoding::Text { head: |_| String::new(), rows: gauges, end: "# EOF\n" },
};

/// The value of a cell that a gauge has.
type Read = fn(&Cell) -> Option<f64>;

/// The gauges of a column: ending of the name, what is added to the meaning, the value.
const GAUGES: [(&str, &str, Read); 3] = [
    ("", "", |cell| match cell.plain() {
        Cell::Integer(number) => Some(number as f64),
        Cell::Real(number) => Some(number),
        _ => None,
    }),
    (
        "_low",
        " (lower end: of its 95 % interval, or the smallest repeat of a skewed figure with fewer than 5 boots)",
        |cell| Some(interval(cell)?.0),
    ),
    (
        "_high",
        " (upper end: of its 95 % interval, or the largest repeat of a skewed figure with fewer than 5 boots)",
        |cell| Some(interval(cell)?.1),
    ),
];

fn interval(cell: &Cell) -> Option<(f64, f64)> {
    if let Cell::Estimate(estimate) = cell { estimate.low_high } else { None }
}

fn gauges(table: &Table) -> String {
    let mut text = String::new();
    let figures = table.columns.iter().enumerate().filter(|(_, column)| is_figure(column));
    for (place, column) in figures {
        for gauge in GAUGES {
            push_gauge(&mut text, table, (place, column), gauge);
        }
    }
    text
}

fn is_figure(column: &Column) -> bool {
    column.is_number() && column.display != Display::Always
}

/// The samples of one gauge below its description; nothing without a sample.
fn push_gauge(
    text: &mut String,
    table: &Table,
    (place, column): (usize, &Column),
    (ending, of_what, read): (&str, &str, Read),
) {
    let name = format!("kvmfair_{}{ending}", column.name);
    let sample = |row: &Vec<Cell>| Some(format!("{name}{{{}}} {}\n", labels(table, row), read(&row[place])?));
    let samples: String = table.rows.iter().filter_map(sample).collect();
    if !samples.is_empty() {
        let unit = if column.unit.is_empty() { String::new() } else { format!(", {}", column.unit) };
        let help = escaped(&format!("{}{unit}{of_what}", column.meaning));
        _ = write!(text, "# TYPE {name} gauge\n# HELP {name} {help}\n{samples}");
    }
}

/// `backend="virtio",vms="2"`: what names a row; a label without a value is left out.
fn labels(table: &Table, row: &[Cell]) -> String {
    let named =
        row.iter().zip(&table.columns).filter(|(cell, column)| **cell != Cell::Empty && !is_figure(column));
    let label = |(cell, column): (&Cell, &Column)| {
        format!("{}=\"{}\"", column.name, escaped(&cell.shown(column.rounding)))
    };
    named.map(label).collect::<Vec<_>>().join(",")
}

/// A text between quotes, or of a HELP line. No cell has a line end, and no meaning.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::file::fixture;

    #[test]
    fn a_figure_is_three_gauges_with_the_levels_as_labels_and_none_where_it_is_undefined() {
        let expected = "# TYPE kvmfair_p99_latency_us gauge\n\
            # HELP kvmfair_p99_latency_us netperf's P99 \\\\ warm-up, µs\n\
            kvmfair_p99_latency_us{backend=\"virtio\",vms=\"2\",rps=\"true\"} 100\n\
            kvmfair_p99_latency_us{backend=\"virtio\",vms=\"8\",rps=\"false\"} 0.5\n\
            # TYPE kvmfair_p99_latency_us_low gauge\n\
            # HELP kvmfair_p99_latency_us_low netperf's P99 \\\\ warm-up, µs (lower end: of its 95 % interval, or the smallest repeat of a skewed figure with fewer than 5 boots)\n\
            kvmfair_p99_latency_us_low{backend=\"virtio\",vms=\"2\",rps=\"true\"} 80\n\
            # TYPE kvmfair_p99_latency_us_high gauge\n\
            # HELP kvmfair_p99_latency_us_high netperf's P99 \\\\ warm-up, µs (upper end: of its 95 % interval, or the largest repeat of a skewed figure with fewer than 5 boots)\n\
            kvmfair_p99_latency_us_high{backend=\"virtio\",vms=\"2\",rps=\"true\"} 120\n\
            # EOF\n";
        assert_eq!(fixture::text(&FORMAT, "virtio"), expected);
    }

    #[test]
    fn a_name_with_quotes_stays_within_its_label() {
        let text = fixture::text(&FORMAT, "x\"} 1\n# EOF \\");
        assert!(text.contains("{backend=\"x\\\"} 1 # EOF \\\\\",vms=\"2\""), "{text}");
    }
}
