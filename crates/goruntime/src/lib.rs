//! What Go left in memory: layouts, goroutines, stacks, panics and values.

pub mod locals;
pub mod value;
