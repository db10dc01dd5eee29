//! An open directory: counts, and the numbers behind them.

use crate::blocks::{BLOCK_BYTES, Blocks};
use crate::classes::Filter;
use crate::error::DirectoryError;
use crate::groups::{self, Groups, Tag};
use crate::layout::{GENDERS, JOB_BIT, Section};
use crate::numbers::Numbers;
use crate::postal;
use crate::{Audience, Selection};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A directory's file, open for reading. It stays readable when another file takes its place.
#[derive(Debug)]
pub struct Directory {
    pub(crate) blocks: Blocks,
    tags: Vec<Tag>,
}

/// How many people have a job or a trend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagCount {
    /// The id of the job or the trend.
    pub id: u32,
    /// Whether it is a job.
    pub is_job: bool,
    /// The people who have it.
    pub people: u64,
}

impl Directory {
    /// Opens a file: reads its header and its list of tags, and nothing else.
    ///
    /// # Errors
    /// There is none, or it is damaged, cut short, or none of ours.
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        let blocks = Blocks::open(File::open(path)?)?;
        let tags = groups::read_tags(&blocks)?;
        Ok(Self { blocks, tags })
    }

    /// How many people there are, each number once.
    #[must_use]
    pub fn people(&self) -> u64 {
        self.blocks.header.people
    }

    /// How many of them have a postal code.
    #[must_use]
    pub fn with_postal_code(&self) -> u64 {
        self.blocks.items(Section::PostalRows)
    }

    /// How many of them have a job or a trend.
    #[must_use]
    pub fn with_tags(&self) -> u64 {
        self.blocks.items(Section::GroupRows)
    }

    /// How many different sets of jobs and trends they have.
    #[must_use]
    pub fn groups(&self) -> u64 {
        self.blocks.items(Section::GroupStarts).saturating_sub(1)
    }

    /// Bytes of the file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.blocks.header.blocks().unwrap_or(0) * BLOCK_BYTES as u64
    }

    /// People by operator's key and gender (0 for unknown).
    pub fn classes(&self) -> impl Iterator<Item = (&str, u8, u64)> {
        let header = &self.blocks.header;
        header.classes.iter().map(|entry| {
            let key = header.operators[usize::from(entry.class / GENDERS)].as_str();
            (key, entry.class % GENDERS, entry.people)
        })
    }

    /// People by job and by trend.
    pub fn tags(&self) -> impl Iterator<Item = TagCount> {
        self.tags.iter().map(|tag| TagCount {
            id: tag.tag & !JOB_BIT,
            is_job: tag.tag & JOB_BIT != 0,
            people: tag.people,
        })
    }

    /// How many different people a selection means.
    ///
    /// # Errors
    /// What is read of the file is damaged, or cannot be read.
    pub fn count(&self, selection: &Selection) -> Result<u64, DirectoryError> {
        let filter = Filter::new(&self.blocks.header, &selection.who);
        match &selection.audience {
            Audience::Postal(prefix) => {
                let ranges = postal::ranges(&self.blocks, *prefix, &filter)?;
                postal::count(&self.blocks, &ranges, &filter)
            }
            audience => {
                let groups = Groups::with_any(&self.blocks, &self.meant(audience))?;
                groups::count(&self.blocks, &groups, &filter)
            }
        }
    }

    /// The numbers behind a selection, each once, a slice at a time.
    ///
    /// # Errors
    /// What is read of the file is damaged, or cannot be read.
    pub fn numbers(self: &Arc<Self>, selection: &Selection) -> Result<Numbers, DirectoryError> {
        let filter = Filter::new(&self.blocks.header, &selection.who);
        let directory = Arc::clone(self);
        Ok(match &selection.audience {
            Audience::Postal(prefix) => {
                let ranges = postal::ranges(&self.blocks, *prefix, &filter)?;
                Numbers::of_ranges(directory, ranges, filter)
            }
            audience => {
                let groups = Groups::with_any(&self.blocks, &self.meant(audience))?;
                Numbers::of_groups(directory, groups, filter)
            }
        })
    }

    /// The tags of an audience, each once. One that nobody has is left out.
    fn meant(&self, audience: &Audience) -> Vec<Tag> {
        let wanted: BTreeSet<u32> = match audience {
            Audience::Postal(_) => BTreeSet::new(),
            Audience::Trends(trends) => trends.iter().copied().collect(),
            Audience::Job(job) => BTreeSet::from([job | JOB_BIT]),
        };
        let find = |tag: u32| self.tags.binary_search_by_key(&tag, |one| one.tag).ok();
        let places = wanted.into_iter().filter_map(find);
        places.map(|place| self.tags[place]).collect()
    }

    /// Reads the whole file and checks every block; `progress` hears how many bytes were.
    ///
    /// # Errors
    /// The file is damaged, or cannot be read.
    pub fn check(&self, progress: &mut dyn FnMut(u64)) -> Result<(), DirectoryError> {
        self.blocks
            .check_all(&mut |blocks| progress(blocks * BLOCK_BYTES as u64))
    }
}
