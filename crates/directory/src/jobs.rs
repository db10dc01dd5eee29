//! Jobs and their trends, from a table that people edit. Their ids stand in that table, so they
//! stay the same however often a directory is built.

use crate::error::DataFileError;
use crate::table;
use std::collections::{BTreeMap, HashSet};

/// Jobs and trends together that one table may have.
pub const JOBS_MAX: usize = 20_000;
/// The largest id of a job or a trend: clients read ids as 32-bit integers.
pub const ID_MAX: u32 = i32::MAX as u32;

/// A job, or a field of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: u32,
    /// Its name.
    pub title: String,
}

/// A trend of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trend {
    /// Its id, different from that of every other trend.
    pub id: u32,
    /// Its name.
    pub title: String,
    /// The job that it belongs to.
    pub job: u32,
}

/// All jobs and trends, by id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jobs {
    jobs: BTreeMap<u32, Job>,
    trends: BTreeMap<u32, Trend>,
}

impl Jobs {
    /// The table that peyk was built with.
    ///
    /// # Panics
    /// Never: a test reads the same embedded text.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(include_str!("../data/jobs.tsv")).expect("read by a test")
    }

    /// Reads a table in the format of `data/jobs.tsv`, which explains itself at its head.
    ///
    /// # Errors
    /// The first line that cannot be used, and why.
    pub fn parse(text: &str) -> Result<Self, DataFileError> {
        let mut all = Self::default();
        let mut titles = HashSet::new();
        table::rows(text, |columns| {
            let (job, trend, title) = match columns {
                [job, title] => (id(job)?, None, title),
                [job, trend, title] => (id(job)?, Some(id(trend)?), title),
                _ => {
                    let count = columns.len();
                    return Err(format!("{count} columns instead of 2 or 3 parted by tabs"));
                }
            };
            let title = table::title(title)?;
            if !titles.insert((trend.map(|_| job), title.clone())) {
                return Err(format!("the title `{title}` is given twice"));
            }
            if all.jobs.len() + all.trends.len() == JOBS_MAX {
                return Err(format!("more than {JOBS_MAX} jobs and trends"));
            }
            all.add(job, trend, title)
        })?;
        Ok(all)
    }

    fn add(&mut self, job: u32, trend: Option<u32>, title: String) -> Result<(), String> {
        let Some(trend) = trend else {
            let doubled = self.jobs.insert(job, Job { id: job, title });
            return doubled.map_or(Ok(()), |_| Err(format!("the job {job} is given twice")));
        };
        if !self.jobs.contains_key(&job) {
            return Err(format!(
                "the trend {trend} belongs to the job {job}, which no row before it gives"
            ));
        }
        let row = Trend {
            id: trend,
            title,
            job,
        };
        let doubled = self.trends.insert(trend, row);
        doubled.map_or(Ok(()), |_| Err(format!("the trend {trend} is given twice")))
    }

    /// All jobs, by id.
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = &Job> {
        self.jobs.values()
    }

    /// All trends, by id.
    pub fn trends(&self) -> impl ExactSizeIterator<Item = &Trend> {
        self.trends.values()
    }

    /// The job with this id.
    #[must_use]
    pub fn job(&self, id: u32) -> Option<&Job> {
        self.jobs.get(&id)
    }

    /// The trend with this id.
    #[must_use]
    pub fn trend(&self, id: u32) -> Option<&Trend> {
        self.trends.get(&id)
    }
}

fn id(text: &str) -> Result<u32, String> {
    let number = table::digits(text, 10).and_then(|id| u32::try_from(id).ok());
    number
        .filter(|id| (1..=ID_MAX).contains(id))
        .ok_or_else(|| format!("`{text}` is no id of 1 to {ID_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_jobs_can_be_read_and_each_has_trends() {
        let jobs = Jobs::embedded();
        assert!(jobs.jobs().len() >= 8);
        for job in jobs.jobs() {
            assert!(
                jobs.trends().any(|trend| trend.job == job.id),
                "{}",
                job.title
            );
        }
    }

    #[test]
    fn rows_that_cannot_be_used_say_why() {
        let wrong = |text: &str| Jobs::parse(text).unwrap_err().what;
        assert_eq!(wrong("1\tx\n1\ty"), "the job 1 is given twice");
        assert_eq!(
            wrong("1\tx\n1\t5\ta\n1\t5\tb"),
            "the trend 5 is given twice"
        );
        assert_eq!(
            wrong("1\t5\ta"),
            "the trend 5 belongs to the job 1, which no row before it gives"
        );
        assert_eq!(wrong("0\tx"), "`0` is no id of 1 to 2147483647");
        assert_eq!(
            wrong("1\tx\n1\t5\ta\n1\t6\ta"),
            "the title `a` is given twice"
        );
        assert_eq!(wrong("1"), "1 columns instead of 2 or 3 parted by tabs");
    }
}
