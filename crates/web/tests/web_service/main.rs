//! The web service over a real socket, on a real store: requests as clients write them, byte for
//! byte, and whole answers.

mod books;
mod connections;
mod contract;
mod directory;
mod documentation;
mod encodings;
mod fixture;
mod neighbours;
mod operations;
mod patterns;
mod probes;
mod recipients;
mod refusals;
mod resellers;
mod screening;
