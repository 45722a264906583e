//! Arithmetic: summaries, intervals, fairness.
