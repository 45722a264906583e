//! Tables as HTML: a caption, headings with what each figure is, names on the left and numbers on the right. Every text is escaped.
//!
//! End tags that HTML lets go are left out: of a large table they would be a third.

use std::fmt::Write;

use super::markdown::people_text;
use super::{Column, Display, Table};

/// A table as HTML.
pub struct HtmlTable {
    /// The element.
    pub html: String,
    /// Rows that were left out because of its size.
    pub left_out: usize,
}

impl Table {
    /// The table as HTML, cut after the row with which it has `most` bytes; at least one row.
    pub fn to_html(&self, caption: &str, most: usize) -> HtmlTable {
        let mut html = format!("<table><caption>{}</caption><thead><tr>", escape(caption));
        let names = self.names();
        for (place, column) in self.columns.iter().enumerate() {
            push_heading(&mut html, column, place < names);
        }
        html.push_str("<tbody>");
        let mut shown = 0;
        for row in &self.rows {
            if shown > 0 && html.len() > most {
                break;
            }
            html.push_str("\n<tr>");
            for (place, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                html.push_str(if place < names { "<th scope=row>" } else { "<td>" });
                html.push_str(&escape(&people_text(cell, column)));
            }
            shown += 1;
        }
        html.push_str("</table>");
        HtmlTable { html, left_out: self.rows.len() - shown }
    }

    /// How many columns, from the left, name the rows; of a table of words, the first.
    fn names(&self) -> usize {
        let names = self.columns.iter().take_while(|column| column.display == Display::Always).count();
        if names == self.columns.len() { 1 } else { names }
    }
}

fn push_heading(html: &mut String, column: &Column, is_name: bool) {
    let (heading, meaning) = (escape(&column.heading()), escape(&column.meaning));
    let kind = if is_name || !column.is_number() { "" } else { " class=n" };
    let unit = if column.unit.is_empty() { String::new() } else { format!(", {}", escape(column.unit)) };
    // A String takes whatever is written.
    let _ = write!(html, "<th scope=col{kind} title=\"{meaning}\">{heading}{unit}");
}

/// A text for HTML, between tags or in a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Cell, ColumnType};

    fn table(words: &[&str]) -> Table {
        let columns = vec![
            Column::plain("guest", ColumnType::Text, "its name"),
            Column { unit: "µs", ..Column::plain("latency", ColumnType::Real, "a <time>") },
        ];
        let rows = words.iter().map(|word| vec![Cell::text(*word), Cell::Real(12.5)]).collect();
        Table { name: "words", columns, rows }
    }

    #[test]
    fn whatever_a_guest_or_a_profile_is_called_stays_a_text() {
        let html = table(&["<script>alert(\"'1'\")</script>&"]).to_html("<b>", usize::MAX).html;
        assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
        assert!(html.contains("&lt;script&gt;alert(&quot;&#39;1&#39;&quot;)&lt;/script&gt;&amp;"), "{html}");
    }

    #[test]
    fn names_head_their_rows_and_a_heading_has_its_unit_and_meaning() {
        let html = table(&["one"]).to_html("Latency", usize::MAX).html;
        assert!(html.contains("<caption>Latency</caption>") && html.contains("<th scope=row>one<td>12.50"));
        assert!(html.contains("<th scope=col class=n title=\"a &lt;time&gt;\">latency, µs"), "{html}");
    }

    #[test]
    fn a_table_that_is_too_large_is_cut_and_its_other_rows_are_counted() {
        let all = table(&["word"; 100]);
        assert_eq!(all.to_html("", usize::MAX).left_out, 0);
        assert_eq!(all.to_html("", 0).left_out, 99);
        let cut = all.to_html("", 1000);
        assert!(cut.left_out > 0 && cut.html.len() < 1100, "{}", cut.html.len());
    }
}
