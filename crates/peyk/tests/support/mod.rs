//! What the tests of the whole program share. Each test binary uses a part of it.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod crash;
pub mod demo;
pub mod home;
pub mod http;
pub mod load;
pub mod peer;
pub mod random;
pub mod runner;
pub mod strace;
