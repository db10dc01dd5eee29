//! peyk
fn main() {}
