//! Tables as LaTeX: a `tabular` with the rules of booktabs, to be included in a document. Numbers have their interval, as in the report.

use super::file::{Encoding, FileFormat, Purpose};
use super::markdown::{people_text, titled};
use super::{Column, Table};

/// The format.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "latex",
    extension: "tex",
    about: "a tabular with the rules of booktabs; by default the report's tables",
    purpose: Purpose::Reading,
    encoding: Encoding::Text { head, rows, end: "\\bottomrule\n\\end{tabular}\n" },
};

/// How numbers are to be read, as a comment: the table stands alone.
const NOTATION: &str = "% mean +- 95 % interval, or mean (low to high); of too few repeats of a skewed figure: mean [smallest to largest]\n";

/// Words on the left, numbers on the right.
fn head(table: &Table) -> String {
    let sides: String =
        table.columns.iter().map(|column| if column.is_number() { 'r' } else { 'l' }).collect();
    let titles = line(table.columns.iter().map(titled));
    format!(
        "% \\usepackage{{booktabs}}\n{NOTATION}\\begin{{tabular}}{{{sides}}}\n\\toprule\n{titles}\\midrule\n"
    )
}

fn rows(table: &Table) -> String {
    let row = |row: &Vec<super::Cell>| {
        line(row.iter().zip(&table.columns).map(|(cell, column): (_, &Column)| people_text(cell, column)))
    };
    table.rows.iter().map(row).collect()
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| escaped(&cell)).collect();
    format!("{} \\\\\n", cells.join(" & "))
}

/// A text that LaTeX prints as it is: neither a command, nor an option of the line's end before it, nor a ligature.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '#' | '$' | '%' | '&' | '_' | '{' | '}' => safe.extend(['\\', character]),
            '\\' => safe.push_str("\\textbackslash{}"),
            '^' => safe.push_str("\\textasciicircum{}"),
            '~' => safe.push_str("\\textasciitilde{}"),
            '`' => safe.push_str("\\textasciigrave{}"),
            '[' | ']' | '*' | '-' | '\'' => safe.extend(['{', character, '}']),
            '<' | '>' | '|' => safe.extend(['$', character, '$']),
            '"' => safe.push_str("{''}"),
            '–' => safe.push_str("--"),
            '−' => safe.push_str("$-$"),
            '±' => safe.push_str("$\\pm$"),
            '÷' => safe.push_str("$\\div$"),
            '×' => safe.push_str("$\\times$"),
            '·' => safe.push_str("$\\cdot$"),
            'µ' => safe.push_str("$\\mu$"),
            '≤' => safe.push_str("$\\leq$"),
            '≥' => safe.push_str("$\\geq$"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::file::fixture;

    #[test]
    fn a_table_is_a_tabular_whose_numbers_have_their_interval() {
        let expected = "% \\usepackage{booktabs}\n\
            % mean +- 95 % interval, or mean (low to high); of too few repeats of a skewed figure: mean [smallest to largest]\n\
            \\begin{tabular}{lrlr}\n\
            \\toprule\n\
            backend & vms & rps & P99 latency, $\\mu$s \\\\\n\
            \\midrule\n\
            virtio & 2 & true & 100 $\\pm$ 20 \\\\\n\
            -- & 4 & -- & -- \\\\\n\
            virtio & 8 & false & 0.5000 \\\\\n\
            \\bottomrule\n\
            \\end{tabular}\n";
        assert_eq!(fixture::text(&FORMAT, "virtio"), expected);
    }

    #[test]
    fn no_character_of_a_name_is_a_command_an_option_or_the_end_of_a_cell() {
        assert_eq!(escaped("50 % of a_b & c#1, {x} $5"), "50 \\% of a\\_b \\& c\\#1, \\{x\\} \\$5");
        assert_eq!(
            escaped("\\input{x}~^"),
            "\\textbackslash{}input\\{x\\}\\textasciitilde{}\\textasciicircum{}"
        );
        assert_eq!(escaped("[2pt]*"), "{[}2pt{]}{*}");
        assert_eq!(escaped("p < 0.001 – \"q\""), "p $<$ 0.001 -- {''}q{''}");
    }
}
