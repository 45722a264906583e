//! Fields of a configuration as values of levels.

use std::path::PathBuf;

use super::background::Background;
use super::pin::Pin;
use super::policy::SchedulingPolicy;
use super::test::Test;
use super::value::Value;
use crate::backend::Backend;

/// The type of a field.
pub(super) trait FieldLevel: Sized {
    fn to_value(&self) -> Value;
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! levels {
    ($($variant:ident: $type:ty;)+) => {$(
        impl FieldLevel for $type {
            fn to_value(&self) -> Value {
                Value::$variant(self.clone())
            }

            fn from_value(value: &Value) -> Option<Self> {
                if let Value::$variant(level) = value { Some(level.clone()) } else { None }
            }
        }
    )+};
}

levels! {
    Backend: Backend;
    Test: Test;
    Number: u32;
    Switch: bool;
    Path: PathBuf;
    Pin: Pin;
    Policy: SchedulingPolicy;
    Background: Background;
}

/// A level that may be left as found.
impl<T: FieldLevel> FieldLevel for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::AsFound, FieldLevel::to_value)
    }

    fn from_value(value: &Value) -> Option<Self> {
        if *value == Value::AsFound { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// The store of a factor in a field of the configuration.
macro_rules! field {
    ($($path:tt)+) => {
        $crate::factor::descriptor::Store::Field {
            get: |configuration| $crate::factor::field::FieldLevel::to_value(&configuration.$($path)+),
            set: |configuration, value| {
                configuration.$($path)+ = $crate::factor::field::FieldLevel::from_value(value)?;
                Some(())
            },
        }
    };
}

pub(super) use field;
