//! What is in the directory, in counts. No number of it is ever shown to anybody.

use crate::App;
use ::directory::{Audience, PostalPrefix, Selection, Who};
use store::StoreError;

/// How many people have a job or a trend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagFact {
    /// The job.
    pub job: u32,
    /// The trend; `None` for the job as a whole.
    pub trend: Option<u32>,
    /// What it is called.
    pub title: String,
    /// People.
    pub people: u64,
}

/// What is in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryFacts {
    /// People in all.
    pub people: u64,
    /// Those with a postal code.
    pub with_postal_code: u64,
    /// Those with a job or a trend.
    pub with_tags: u64,
    /// Octets of the file.
    pub bytes: u64,
    /// By operator (its key) and gender (1 men, 2 women, else unknown).
    pub classes: Vec<(String, u8, u64)>,
    /// Jobs, each before its trends.
    pub tags: Vec<TagFact>,
}

impl App {
    /// What is in the directory; `None` where there is none.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub async fn directory_facts(&self) -> Result<Option<DirectoryFacts>, StoreError> {
        let Some(source) = self.open_directory().await? else {
            return Ok(None);
        };
        let facts = source.ask(self.now(), |people| {
            let classes = people.classes();
            let classes = classes.map(|(key, gender, count)| (key.to_owned(), gender, count));
            let tags: Vec<_> = people.tags().collect();
            let facts = DirectoryFacts {
                people: people.people(),
                with_postal_code: people.with_postal_code(),
                with_tags: people.with_tags(),
                bytes: people.bytes(),
                classes: classes.collect(),
                tags: Vec::new(),
            };
            Ok((facts, tags))
        });
        let Some((mut facts, tags)) = facts.await? else {
            return Ok(None);
        };
        let jobs = source.jobs();
        for tag in tags {
            let (job, trend, title) = if tag.is_job {
                (Some(tag.id), None, jobs.job(tag.id).map(|job| &job.title))
            } else {
                let trend = jobs.trend(tag.id);
                let title = trend.map(|trend| &trend.title);
                (trend.map(|trend| trend.job), Some(tag.id), title)
            };
            facts.tags.push(TagFact {
                job: job.unwrap_or(0),
                trend,
                title: title.cloned().unwrap_or_default(),
                people: tag.people,
            });
        }
        facts.tags.sort_by_key(|tag| (tag.job, tag.trend));
        Ok(Some(facts))
    }

    /// How many people live where the postal code begins with these 2 to 10 digits; `None` where
    /// there is no directory, or these are no such digits.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub async fn directory_people_at(&self, prefix: &str) -> Result<Option<u64>, StoreError> {
        let Some(prefix) = PostalPrefix::parse(prefix) else {
            return Ok(None);
        };
        let Some(source) = self.open_directory().await? else {
            return Ok(None);
        };
        let selection = Selection {
            audience: Audience::Postal(prefix),
            who: Who::default(),
        };
        source
            .ask(self.now(), move |people| people.count(&selection))
            .await
    }
}
