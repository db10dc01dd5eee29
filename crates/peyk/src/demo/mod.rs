//! What `peyk demo` is made of: its folder, its lines and prices, what its customer finds, its
//! first message.
//!
//! Not here: the command itself (`cli/demo.rs`) and the server (`serve`).

pub mod folder;
pub mod furnish;
pub mod http;
pub mod people;
pub mod seed;
pub mod show;
