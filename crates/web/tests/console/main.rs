//! The console as a browser meets it: pages and forms on a real store, through the whole router.

mod account;
mod books;
mod compose;
mod doors;
mod fixture;
mod inbox;
mod lines;
mod operation;
mod patterns;
mod reports;
mod resellers;
mod sign_in;
mod traffic;
