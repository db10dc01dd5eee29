//! What is kept from leaving: blacklists, opt-outs, and texts that wait for a person's approval.
//!
//! Every kind of send passes through [`gate`], the one place where recipients are left out and
//! texts are judged. What it asks of memory is kept by [`cache`] and follows the store. Not here:
//! the rules themselves (`domain::approval`), and what becomes of a waiting bulk (the store).

pub mod approval;
mod cache;
mod filter;
mod gate;
pub mod lists;
pub mod opt_out;

pub use approval::{Decision, state_words};
pub use lists::{ImportError, Imported, ListPages};

pub(crate) use cache::ScreenCache;
pub(crate) use gate::LineScreen;
