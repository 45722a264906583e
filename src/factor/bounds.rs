//! Bounds that several factors share.

use super::fault::Fault;
use super::value::Value;

/// A number of something.
pub(super) fn bounded(number: u32, least: u32, most: u32, what: &str) -> Result<Value, Fault> {
    bounded_as(number, least, most, |number| format!("{number} {what}"))
}

/// A number that is worded by `what`.
pub(super) fn bounded_as(
    number: u32,
    least: u32,
    most: u32,
    what: impl Fn(u32) -> String,
) -> Result<Value, Fault> {
    if (least..=most).contains(&number) {
        return Ok(Value::Number(number));
    }
    let label = if number < least { format!("below {least}") } else { format!("above {most}") };
    Err(Fault::new(
        format!("{} cannot be measured", what(number)),
        label,
        format!("use a number from {least} to {most}"),
    ))
}
