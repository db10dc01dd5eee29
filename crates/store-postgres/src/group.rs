//! What is written in groups: accepted bulks, outcomes and receipts of one commit.
//!
//! A group reads everything that its commands need in one go, lets them happen in memory one
//! behind the other, and writes the sum. Its answers leave after its commit.

use crate::accept::{self, Keys, keys_query, known_keys};
use crate::approval;
use crate::day::{Day, Days};
use crate::db::{Tx, Write};
use crate::error::DbError;
use crate::fleet::fenced;
use crate::inserts::Inserts;
use crate::outcomes;
use crate::receipts::{self, Receipts};
use crate::work::{Need, Query, Work};
use domain::ids::AccountId;
use domain::time::UnixMillis;
use std::collections::BTreeSet;
use store::adapter::BulkKey;
use store::{
    AcceptBulk, AcceptError, AcceptedBulk, AddRecipients, ApprovalState, ApprovalWanted, HeldLink,
    ReceiptsRecorded, RecordOutcomes, RecordReceipts, StoreError,
};

/// One command of a group.
#[derive(Debug)]
pub(crate) enum Job {
    Accept(AcceptBulk),
    Add(AddRecipients),
    Outcomes(RecordOutcomes),
    Receipts(RecordReceipts),
}

/// The answer to a job.
#[derive(Debug)]
pub(crate) enum Answer {
    Accepted(Result<AcceptedBulk, AcceptError>),
    Added(Result<(), AcceptError>),
    Recorded(Result<(), StoreError>),
    Received(ReceiptsRecorded),
}

impl Job {
    /// Rows that it is about to write, by which groups are kept short.
    pub(crate) fn rows(&self) -> usize {
        match self {
            Self::Accept(command) => command.recipients.len(),
            Self::Add(command) => command.recipients.len(),
            Self::Outcomes(command) => command.outcomes.len(),
            Self::Receipts(command) => command.receipts.len(),
        }
    }

    fn now(&self) -> UnixMillis {
        match self {
            Self::Accept(command) => command.accepted_at,
            Self::Add(command) => command.now,
            Self::Outcomes(command) => command.now,
            Self::Receipts(command) => command.now,
        }
    }
}

/// A group under way.
pub(crate) struct Group {
    pub(crate) work: Work,
    pub(crate) inserts: Inserts,
    pub(crate) keys: Keys,
    pub(crate) days: Days,
    pub(crate) receipts: Receipts,
    asked: Vec<(BulkKey, ApprovalWanted, UnixMillis, ApprovalState)>,
}

impl Group {
    /// Writes down with the group that a text needs approval.
    pub(crate) fn ask(
        &mut self,
        key: BulkKey,
        wanted: &ApprovalWanted,
        since: UnixMillis,
        state: ApprovalState,
    ) {
        self.asked.push((key, wanted.clone(), since, state));
    }
}

/// Runs a group; answers are in the order of the jobs, and the last answer is whether recipients
/// became due.
pub(crate) async fn run(
    tx: &Tx,
    jobs: &[Job],
    order: (i64, i64),
) -> Result<((Vec<Answer>, bool), Vec<Write>), DbError> {
    let (mut receipts, fences) = Receipts::look_up(tx, jobs, order).await?;
    let need = need(jobs, &receipts);
    let accepts: Vec<&AcceptBulk> = jobs
        .iter()
        .filter_map(|job| match job {
            Job::Accept(command) => Some(command),
            _ => None,
        })
        .collect();
    let also = questions(tx, &accepts, jobs, &receipts).await?;
    let mut work = Work::default();
    let mut rows = work.load(tx, &need, also).await?.into_iter();
    let keys = known_keys(&rows.next().unwrap_or_default());
    let days = Days::from_rows(&rows.next().unwrap_or_default());
    receipts.add_parked(&rows.next().unwrap_or_default())?;
    let mut group = Group {
        work,
        inserts: Inserts::default(),
        keys,
        days,
        receipts,
        asked: Vec::new(),
    };
    let mut answers = Vec::with_capacity(jobs.len());
    for (at, job) in jobs.iter().enumerate() {
        answers.push(match job {
            Job::Accept(command) => Answer::Accepted(accept::accept_bulk(&mut group, command)?),
            Job::Add(command) => Answer::Added(accept::add_recipients(&mut group, command)?),
            Job::Outcomes(command) => Answer::Recorded(match fenced(&[held(command)], &fences) {
                Some(link) => Err(StoreError::Fenced(link)),
                None => outcomes::record_outcomes(&mut group, command)?,
            }),
            Job::Receipts(command) => {
                Answer::Received(receipts::record_receipts(&mut group, at, command)?)
            }
        });
    }
    let now = jobs.iter().map(Job::now).max().unwrap_or(UnixMillis(0));
    let made_due = group.work.made_due;
    let writes = writes(tx, group, now).await?;
    Ok(((answers, made_due), writes))
}

/// The link of outcomes, and the lease under which they came.
pub(crate) fn held(command: &RecordOutcomes) -> HeldLink {
    HeldLink {
        link: command.link,
        epoch: command.epoch,
    }
}

/// What is asked beside the rows that change: remembered keys, counts of the day, parked receipts.
async fn questions(
    tx: &Tx,
    accepts: &[&AcceptBulk],
    jobs: &[Job],
    receipts: &Receipts,
) -> Result<Vec<Query>, DbError> {
    let pairs: BTreeSet<(AccountId, i64)> = accepts
        .iter()
        .filter_map(|command| Day::of(command).pair())
        .collect();
    Ok(vec![
        keys_query(tx, accepts).await?,
        Days::query(tx, &pairs).await?,
        receipts.parked_query(tx, jobs).await?,
    ])
}

fn need(jobs: &[Job], receipts: &Receipts) -> Need {
    let mut need = Need::default();
    for job in jobs {
        match job {
            Job::Accept(command) => {
                need.accounts.insert(command.account);
            }
            Job::Add(command) => {
                need.accounts.insert(command.account);
                need.bulks.insert((command.account, command.bulk));
            }
            Job::Outcomes(command) => {
                for outcome in &command.outcomes {
                    need.recipient(outcome.part.recipient);
                }
            }
            Job::Receipts(_) => {}
        }
    }
    receipts.recipients().for_each(|key| need.recipient(key));
    let owners: BTreeSet<AccountId> = need.recipients.iter().map(|key| key.account).collect();
    need.accounts.extend(owners);
    need
}

async fn writes(tx: &Tx, mut group: Group, now: UnixMillis) -> Result<Vec<Write>, DbError> {
    let mut writes = group.inserts.writes(tx).await?;
    writes.extend(group.work.writes(tx, now).await?);
    writes.extend(group.days.writes(tx).await?);
    writes.extend(group.receipts.writes(tx).await?);
    for (key, wanted, since, state) in &group.asked {
        writes.push(approval::insert(tx, *key, wanted, *since, *state).await?);
    }
    Ok(writes)
}
