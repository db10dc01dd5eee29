//! From queued parts to messages: repetitions dropped, whole messages written. Parts of longer
//! ones go to [`super::gathering`].
//!
//! Whoever sorts or joins holds the counter `inbound`, so what is read here stays as it was until
//! it is written, and a second process finds the parts gone.

use super::gathering::Gatherings;
use super::{column, messages, number, number_opt, write};
use crate::account::Accounts;
use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use domain::ids::{AccountId, LinkId};
use domain::time::UnixMillis;
use std::collections::{BTreeSet, HashMap};
use store::{
    Becomes, InboundPart, InboundSorted, NewInbound, QueuedInbound, Repetition, SortInbound,
};
use tokio_postgres::Row;

/// Digests that one command forgets, for each part that it sorts, and at least.
const FORGOTTEN_PER_PART: i64 = 2;
const FORGOTTEN_MIN: i64 = 100;

const QUEUED: &str = "n, link_id, at, sender, line, data_coding, payload, reference, part_total,
    part_no, header_octets, disturbed_at";

/// Reads the columns of [`QUEUED`].
fn queued(row: &Row) -> Result<QueuedInbound, DbError> {
    let marks = (
        number_opt(row, 7)?,
        number_opt(row, 8)?,
        number_opt(row, 9)?,
    );
    let part = match marks {
        (Some(reference), Some(total), Some(no)) => Some((reference, total, no)),
        _ => None,
    };
    Ok(QueuedInbound {
        n: row.get(0),
        part: InboundPart {
            link: LinkId(row.get(1)),
            at: UnixMillis(row.get(2)),
            from: row.get::<_, String>(3).into(),
            to: row.get::<_, String>(4).into(),
            data_coding: number(row, 5)?,
            payload: row.get::<_, Vec<u8>>(6).into(),
            part,
            header_octets: number(row, 10)?,
            disturbed_at: row.get::<_, Option<i64>>(11).map(UnixMillis),
        },
    })
}

/// The oldest parts of the queue.
pub(super) async fn queue(tx: &Tx, limit: &u32) -> Result<Vec<QueuedInbound>, DbError> {
    let sql = format!("SELECT {QUEUED} FROM inbound_part ORDER BY n LIMIT $1");
    let rows = tx.query(&sql, &[&i64::from(*limit)]).await?;
    rows.iter().map(queued).collect()
}

/// Takes parts out of the queue.
pub(super) async fn sort(tx: &Tx, command: &SortInbound) -> Result<InboundSorted, DbError> {
    Accounts::lock(tx, owners(command)).await?;
    // One number for each part is enough: it becomes a message or begins a gathering at most.
    let count = i64::try_from(command.parts.len()).unwrap_or(i64::MAX);
    let first = tx.next_number("inbound", count).await?;
    let mut numbers = first..first + count;
    let mut taken = take(tx, command).await?;
    let mut seen = Seen::read(tx, command).await?;
    let mut sorted = InboundSorted::default();
    let mut whole: Vec<(i64, &NewInbound)> = Vec::new();
    let mut fragments: Vec<(i64, InboundPart)> = Vec::new();
    for item in &command.parts {
        // Another process took it.
        let Some(part) = taken.remove(&item.n) else {
            continue;
        };
        if seen.is_repetition(&item.repetition, part.at) {
            sorted.repeated += 1;
            continue;
        }
        let number = numbers
            .next()
            .ok_or_else(|| DbError::Row("there are more parts than numbers".into()))?;
        match &item.becomes {
            Becomes::Message(message) => whole.push((number, message)),
            Becomes::Gathered => fragments.push((number, part)),
        }
    }
    sorted.messages = u32::try_from(whole.len()).unwrap_or(u32::MAX);
    let mut writes = Vec::new();
    seen.write(tx, &mut writes).await?;
    messages::insert(tx, &whole, &mut writes).await?;
    if !fragments.is_empty() {
        let mut gatherings = Gatherings::read(tx, &fragments).await?;
        for (number, part) in fragments {
            match gatherings.add(part, number)? {
                true => sorted.gathered += 1,
                false => sorted.repeated += 1,
            }
        }
        gatherings.write(tx, &mut writes).await?;
    }
    writes.push(forget(tx, command).await?);
    tx.write_all(&writes, false).await?;
    Ok(sorted)
}

/// Whose inboxes the whole messages of a command go to.
fn owners(command: &SortInbound) -> BTreeSet<AccountId> {
    let whole = command.parts.iter().filter_map(|item| match &item.becomes {
        Becomes::Message(message) => Some(&**message),
        Becomes::Gathered => None,
    });
    messages::owners(whole)
}

/// Takes the parts of a command out of the queue, as far as they are in it.
async fn take(tx: &Tx, command: &SortInbound) -> Result<HashMap<i64, InboundPart>, DbError> {
    let places: Vec<i64> = command.parts.iter().map(|item| item.n).collect();
    let sql = format!("DELETE FROM inbound_part WHERE n = ANY ($1) RETURNING {QUEUED}");
    let mut taken = HashMap::new();
    for row in tx.query(&sql, &[&places]).await? {
        let one = queued(&row)?;
        taken.insert(one.n, one.part);
    }
    Ok(taken)
}

/// When the same came last, of the parts of a command.
struct Seen {
    at: HashMap<[u8; 32], i64>,
    /// Of which parts of this command came.
    changed: HashMap<[u8; 32], i64>,
}

impl Seen {
    async fn read(tx: &Tx, command: &SortInbound) -> Result<Self, DbError> {
        let digests: Vec<&[u8]> = command
            .parts
            .iter()
            .map(|item| &item.repetition.digest[..])
            .collect();
        let rows = tx
            .query(
                "SELECT digest, at FROM inbound_seen WHERE digest = ANY ($1)",
                &[&digests],
            )
            .await?;
        let mut at = HashMap::new();
        for row in &rows {
            let digest = row.get::<_, &[u8]>(0).try_into();
            let digest = digest.map_err(|_| DbError::Row("a digest has not 32 octets".into()))?;
            at.insert(digest, row.get(1));
        }
        let changed = HashMap::new();
        Ok(Self { at, changed })
    }

    /// Whether the same came before in that time. The last time it came is remembered.
    fn is_repetition(&mut self, repetition: &Repetition, at: UnixMillis) -> bool {
        let before = self.at.insert(repetition.digest, at.0);
        self.changed.insert(repetition.digest, at.0);
        match (before, repetition.between) {
            (Some(before), Some((from, to))) => (from.0..=to.0).contains(&before),
            _ => false,
        }
    }

    async fn write(self, tx: &Tx, writes: &mut Vec<Write>) -> Result<(), DbError> {
        if self.changed.is_empty() {
            return Ok(());
        }
        let (digests, ats): (Vec<Vec<u8>>, Vec<i64>) = self
            .changed
            .into_iter()
            .map(|(digest, at)| (digest.to_vec(), at))
            .unzip();
        let sql = "INSERT INTO inbound_seen (digest, at)
             SELECT * FROM unnest($1::bytea[], $2::int8[])
             ON CONFLICT (digest) DO UPDATE SET at = excluded.at";
        writes.push(write(tx, sql, vec![column(digests), column(ats)]).await?);
        Ok(())
    }
}

/// The statement that forgets old digests, a slice of them.
async fn forget(tx: &Tx, command: &SortInbound) -> Result<Write, DbError> {
    let parts = i64::try_from(command.parts.len()).unwrap_or(i64::MAX);
    let forgotten = FORGOTTEN_PER_PART
        .saturating_mul(parts)
        .saturating_add(FORGOTTEN_MIN);
    let params: Vec<OwnedParam> = vec![Box::new(command.forget_before.0), Box::new(forgotten)];
    let sql = "DELETE FROM inbound_seen WHERE digest = ANY (ARRAY
         (SELECT digest FROM inbound_seen WHERE at < $1 ORDER BY at LIMIT $2))";
    write(tx, sql, params).await
}
