//! Arguments -> exit code, nothing else.

fn main() {}
