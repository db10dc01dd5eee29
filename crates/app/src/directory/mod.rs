//! The demographic directory for customers: how many people live where or are interested in what,
//! and sending to them. A customer learns counts and never numbers.
//!
//! Not here: the file and its counts (the crate `directory`). An installation without a directory
//! has no areas, no jobs and nobody to count.

mod selection;
mod send;

pub use selection::DirectoryQuery;

use crate::App;
use crate::send::SendError;
use ::directory::{
    Area, Areas, Directory, DirectoryError, Generations, Job, Jobs, Selection, Trend,
};
use domain::time::UnixMillis;
use std::path::Path;
use std::sync::Arc;
use store::StoreError;
use tokio::sync::Semaphore;

/// Counts that run at the same time; further ones wait. Each may read some megabytes.
const COUNTS_MAX: usize = 8;

/// Where the directory is, and what its areas, jobs and trends are called.
pub struct DirectorySource {
    people: Arc<Generations>,
    areas: Areas,
    jobs: Jobs,
    counts: Semaphore,
}

impl DirectorySource {
    /// The directory at a path, where there may be none yet. A newer file there is taken up while
    /// the server runs.
    #[must_use]
    pub fn new(path: &Path, areas: Areas, jobs: Jobs) -> Self {
        Self {
            people: Arc::new(Generations::at(path)),
            areas,
            jobs,
            counts: Semaphore::new(COUNTS_MAX),
        }
    }

    /// What its jobs and trends are called.
    pub(crate) fn jobs(&self) -> &Jobs {
        &self.jobs
    }

    /// Asks the newest directory aside, since it may have to wait for the disk; `None` where there
    /// is none.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        now: UnixMillis,
        question: impl FnOnce(&Arc<Directory>) -> Result<T, DirectoryError> + Send + 'static,
    ) -> Result<Option<T>, StoreError> {
        // The semaphore is never closed.
        let _permit = self.counts.acquire().await;
        let people = Arc::clone(&self.people);
        let asked = tokio::task::spawn_blocking(move || {
            let newest = people.newest(now).map_err(|error| error.to_string())?;
            let answer = newest.as_ref().map(question).transpose();
            answer.map_err(|error| error.to_string())
        });
        match asked.await {
            Ok(answer) => answer.map_err(StoreError::Other),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

impl App {
    /// Gives the use cases a directory; only the first one counts.
    pub fn attach_directory(&self, source: DirectorySource) {
        let _ = self.0.directory.set(source);
    }

    /// How many different people a query means; 0 where there is no directory, whatever is asked.
    ///
    /// # Errors
    /// Code 422 for a query that makes no sense; or the directory cannot be read.
    pub async fn directory_count(&self, query: DirectoryQuery<'_>) -> Result<u64, SendError> {
        let Some(source) = self.open_directory().await? else {
            return Ok(0);
        };
        let selection = query.selection(self.operators(), &source.jobs)?;
        Ok(self.count(source, selection).await?)
    }

    async fn count(
        &self,
        source: &DirectorySource,
        selection: Selection,
    ) -> Result<u64, StoreError> {
        let count = source.ask(self.now(), move |people| people.count(&selection));
        Ok(count.await?.unwrap_or(0))
    }

    /// The postal areas that can be addressed; none where there is no directory.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub async fn directory_areas(&self) -> Result<Vec<&Area>, StoreError> {
        let source = self.open_directory().await?;
        Ok(source.map_or_else(Vec::new, |source| source.areas.iter().collect()))
    }

    /// The jobs; none where there is no directory.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub async fn directory_jobs(&self) -> Result<Vec<&Job>, StoreError> {
        let source = self.open_directory().await?;
        Ok(source.map_or_else(Vec::new, |source| source.jobs.jobs().collect()))
    }

    /// The trends of a job, or of all; none where there is no directory or no such job.
    ///
    /// # Errors
    /// Code 422 for a job that is no id; or the directory cannot be read.
    pub async fn directory_trends(&self, job: &str) -> Result<Vec<&Trend>, SendError> {
        let job = selection::id_or_none(job)?;
        let Some(source) = self.open_directory().await? else {
            return Ok(Vec::new());
        };
        let all = source.jobs.trends();
        Ok(all
            .filter(|trend| job.is_none_or(|job| trend.job == job))
            .collect())
    }

    /// The source, where there is a directory.
    pub(crate) async fn open_directory(&self) -> Result<Option<&DirectorySource>, StoreError> {
        let Some(source) = self.0.directory.get() else {
            return Ok(None);
        };
        let there = source.ask(self.now(), |_| Ok(())).await?;
        Ok(there.map(|()| source))
    }
}

#[cfg(test)]
mod tests;
