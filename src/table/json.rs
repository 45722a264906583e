//! Tables as JSON: objects with the names of the columns as keys; what is undefined is `null`.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value};

use super::file::{Encoding, FileFormat, Purpose};
use super::{Cell, Table};

/// The format: the columns of each object in their order.
pub(super) const FORMAT: FileFormat = FileFormat {
    name: "jsonl",
    extension: "jsonl",
    about: "JSON Lines: an object for each row, null where a cell is empty",
    purpose: Purpose::Analysis,
    encoding: Encoding::Text { head: |_| String::new(), rows: lines, end: "" },
};

/// One row of a table, its cells by their columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Row(pub Map<String, Value>);

/// The columns follow from the profile: `columns.csv` has their types and meanings.
impl JsonSchema for Row {
    fn schema_name() -> Cow<'static, str> {
        "Row".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "properties": {
                "run": { "type": "string", "description": "Name of the run's directory." },
                "configuration": { "type": "string", "description": "Id of the configuration." },
            },
            "required": ["run", "configuration"],
            "additionalProperties": {
                "type": ["string", "number", "boolean", "null"],
                "description": "A column of the table; `columns.csv` has its type, unit and meaning.",
            },
        })
    }
}

impl Table {
    /// One object for each row.
    pub fn to_objects(&self) -> Vec<Row> {
        let object = |row: &Vec<Cell>| {
            let names = self.columns.iter().map(|column| column.name.to_string());
            Row(names.zip(row.iter().map(value)).collect())
        };
        self.rows.iter().map(object).collect()
    }
}

fn lines(table: &Table) -> String {
    let line = |row: &Vec<Cell>| {
        let pairs = table.columns.iter().zip(row);
        let pairs = pairs.map(|(column, cell)| format!("{}:{}", Value::from(&*column.name), value(cell)));
        format!("{{{}}}\n", pairs.collect::<Vec<_>>().join(","))
    };
    table.rows.iter().map(line).collect()
}

fn value(cell: &Cell) -> Value {
    match cell.plain() {
        Cell::Empty => Value::Null,
        Cell::Text(text) => text.into(),
        Cell::Integer(number) => number.into(),
        Cell::Real(number) => number.into(),
        Cell::Boolean(holds) => holds.into(),
        Cell::Estimate(_) | Cell::Trials { .. } => Value::Null, // plain cells are neither
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::file::fixture;

    #[test]
    fn a_line_is_an_object_with_the_columns_in_their_order() {
        let text = fixture::text(&FORMAT, "a \"b\"");
        let expected = [
            r#"{"backend":"a \"b\"","vms":2,"rps":true,"p99_latency_us":100.0}"#,
            r#"{"backend":null,"vms":4,"rps":null,"p99_latency_us":null}"#,
            r#"{"backend":"a \"b\"","vms":8,"rps":false,"p99_latency_us":0.5}"#,
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
