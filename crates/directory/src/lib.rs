//! The demographic directory: people by postal code, job and trend, for advertising that is
//! addressed by place or interest. Built from CSV files into one file, counted and streamed from it.
//!
//! The file is made once and never changed; a newer one takes its place by a rename, and whoever
//! reads the older one goes on with it to the end. It is read by position and not mapped: mapped
//! pages would count as the server's memory, a file that somebody cuts short would kill the
//! process instead of failing one read, and mapping needs unsafe code. Every block that is read is
//! checked first, so damage is an error and never a wrong count.
//!
//! Not here: prices, lines and sending (`app`), and the wire (`web`).
#![forbid(unsafe_code)]

mod areas;
mod blocks;
pub mod build;
mod classes;
mod error;
mod file;
pub mod generate;
mod generations;
mod groups;
mod jobs;
mod layout;
mod numbers;
mod person;
mod postal;
mod table;

pub use areas::{Area, Areas};
pub use error::{DataFileError, DirectoryError};
pub use file::{Directory, TagCount};
pub use generations::Generations;
pub use jobs::{Job, Jobs, Trend};
pub use numbers::Numbers;
pub use person::{BIRTH_YEAR_FIRST, BIRTH_YEAR_LAST, Gender, TAGS_PER_PERSON_MAX};
pub use postal::{PREFIX_DIGITS_MAX, PREFIX_DIGITS_MIN, PostalPrefix};

use std::ops::RangeInclusive;

/// Trends that one question may name.
pub const TRENDS_ASKED_MAX: usize = 1_000;

/// Whom a count or a send means: a place or an interest, and who of the people there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// The place or the interest.
    pub audience: Audience,
    /// Who of them.
    pub who: Who,
}

/// A place or an interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody whose postal code begins so.
    Postal(PostalPrefix),
    /// Everybody with at least one of these trends, each person once.
    Trends(Vec<u32>),
    /// Everybody with this job.
    Job(u32),
}

/// Who of an audience; the default is everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The key of the only operator, such as `mtn`.
    pub operator: Option<String>,
    /// Men or women only.
    pub gender: Option<Gender>,
    /// Born in these Jalali years; people of unknown age are none of them.
    pub born: Option<RangeInclusive<u16>>,
}
