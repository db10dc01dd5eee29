//! What can go wrong with a directory's file, and with the data files beside it.

use std::io;
use thiserror::Error;

/// Why a directory cannot be opened or read.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// The file is damaged, cut short, or none of ours; another one must be built.
    #[error("the directory is damaged: {0}")]
    Damaged(&'static str),
    /// It was built by another version of peyk; it must be built again.
    #[error(
        "the directory has format {found}, and this peyk reads format {wanted}: build it again"
    )]
    Version {
        /// What the file says.
        found: u32,
        /// What this program reads.
        wanted: u32,
    },
    /// The system failed to read it.
    #[error("the directory cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// A table of areas or jobs that cannot be used; shown to the person who edited it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {what}")]
pub struct DataFileError {
    /// Line of the file, from 1.
    pub line: usize,
    /// What is wrong there.
    pub what: String,
}
