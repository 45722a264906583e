//! Tables as JSON: an array of objects with the names of the columns as keys; what is undefined is `null`.

use serde_json::{Map, Value};

use super::{Cell, Table};

impl Table {
    /// One object for each row.
    pub fn to_json(&self) -> Value {
        let object = |row: &Vec<Cell>| {
            let names = self.columns.iter().map(|column| column.name.to_string());
            Value::Object(names.zip(row.iter().map(value)).collect::<Map<String, Value>>())
        };
        self.rows.iter().map(object).collect()
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Empty => Value::Null,
        Cell::Text(text) => text.as_str().into(),
        Cell::Integer(number) => (*number).into(),
        Cell::Real(number) => (*number).into(),
        Cell::Boolean(holds) => (*holds).into(),
    }
}
