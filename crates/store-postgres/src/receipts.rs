//! Delivery receipts: matched by link and message id, parked where their message is not known yet.
//!
//! Outcomes and receipts of one link may be written at the same time: then a receipt is parked
//! although its message is being recorded. [`match_parked`] applies those, at each sweep.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;
use crate::fleet::fence_query;
use crate::group::{Group, Job, held};
use crate::rows::{code, int4, recipient_key};
use crate::work::{Need, Query, Work};
use domain::ids::{LinkId, PartKey, RecipientKey};
use domain::status::Event;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::adapter::{receipt_kind, receipt_kind_code};
use store::{
    HeldLink, NewReceipt, PARKED_RECEIPT_DAYS, ReceiptsRecorded, RecordReceipts, SubmitResult,
};
use tokio_postgres::Row;

/// Parked receipts that one sweep removes, or matches, at most.
const PURGED_PER_SWEEP_MAX: i64 = 1_000;

/// Minutes within which a parked receipt may turn out to belong to a message that was being
/// recorded when it came.
const MATCHED_LATE_MINUTES: i64 = 60;

/// A link and the operator's id of a message.
type MessageId = (LinkId, Box<[u8]>);

/// A receipt without its part: kind and error.
type Said = (domain::status::ReceiptKind, Option<u32>);

/// What a group knows of message ids.
#[derive(Default)]
pub(crate) struct Receipts {
    /// The part of each receipt, by job and place, as far as the database knows it.
    found: HashMap<(usize, usize), PartKey>,
    /// Ids that this group records.
    recorded: BTreeMap<MessageId, PartKey>,
    /// Parked receipts of ids that this group records, in their order.
    parked: HashMap<MessageId, Vec<Said>>,
    /// Ids whose parked receipts were applied, and are to be removed.
    taken: BTreeSet<MessageId>,
    /// Receipts that this group parks.
    to_park: BTreeMap<MessageId, Vec<(Said, UnixMillis)>>,
    any_parked: bool,
    order: (i64, i64),
}

fn happened(part: u8, (kind, error): Said) -> Event {
    Event::Receipt { part, kind, error }
}

impl Receipts {
    /// Looks up the messages of the receipts of a group, and whether any receipt is parked. Also
    /// answers the leases of the links whose outcomes the group records.
    pub(crate) async fn look_up(
        tx: &Tx,
        jobs: &[Job],
        order: (i64, i64),
    ) -> Result<(Self, Vec<Row>), DbError> {
        let mut known = Self {
            order,
            ..Self::default()
        };
        let (mut at, mut links, mut ids) = (Vec::new(), Vec::new(), Vec::new());
        for (job, command) in jobs.iter().enumerate() {
            let Job::Receipts(command) = command else {
                continue;
            };
            for (place, receipt) in command.receipts.iter().enumerate() {
                at.push((job, place));
                links.push(command.link.0);
                ids.push(receipt.message_id.to_vec());
            }
        }
        let mut queries: Vec<Query> = Vec::new();
        if !at.is_empty() {
            let numbers: Vec<i64> = (0..).take(at.len()).collect();
            let sql = "SELECT v.n, m.account_id, m.bulk_no, m.seq, m.part
                 FROM unnest($1::int8[], $2::int8[], $3::bytea[]) AS v (n, link_id, message_id)
                 JOIN receipt_map m ON m.message_id = v.message_id AND m.link_id = v.link_id";
            let params: Vec<OwnedParam> = vec![Box::new(numbers), Box::new(links), Box::new(ids)];
            queries.push((tx.prepare(sql).await?, params));
        }
        let links: Vec<HeldLink> = jobs
            .iter()
            .filter_map(|job| match job {
                Job::Outcomes(command) => Some(held(command)),
                _ => None,
            })
            .collect();
        if !links.is_empty() {
            queries.push(fence_query(tx, &links).await?);
            let sql = "SELECT 1 FROM parked_receipt ORDER BY at LIMIT 1";
            queries.push((tx.prepare(sql).await?, Vec::new()));
        }
        let mut answers = tx.query_all(&queries).await?.into_iter();
        if !at.is_empty() {
            for row in answers.next().unwrap_or_default() {
                let n = usize::try_from(row.get::<_, i64>(0)).unwrap_or(usize::MAX);
                if let Some(at) = at.get(n) {
                    known.found.insert(*at, part_key(&row)?);
                }
            }
        }
        let fences = answers.next().unwrap_or_default();
        known.any_parked = answers.next().is_some_and(|rows| !rows.is_empty());
        Ok((known, fences))
    }

    /// The recipients of the receipts that were found.
    pub(crate) fn recipients(&self) -> impl Iterator<Item = RecipientKey> + '_ {
        self.found.values().map(|part| part.recipient)
    }

    /// The question for receipts that are parked for ids which this group records.
    pub(crate) async fn parked_query(&self, tx: &Tx, jobs: &[Job]) -> Result<Query, DbError> {
        let sql = "SELECT p.link_id, p.message_id, p.kind, p.error
             FROM unnest($1::int8[], $2::bytea[]) AS v (link_id, message_id)
             JOIN parked_receipt p ON p.message_id = v.message_id AND p.link_id = v.link_id
             ORDER BY p.at, p.n";
        let (mut links, mut ids): (Vec<i64>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for job in jobs.iter().filter(|_| self.any_parked) {
            let Job::Outcomes(command) = job else {
                continue;
            };
            for outcome in &command.outcomes {
                if let SubmitResult::Accepted {
                    message_id: Some(id),
                } = &outcome.result
                {
                    links.push(command.link.0);
                    ids.push(id.to_vec());
                }
            }
        }
        Ok((tx.prepare(sql).await?, vec![Box::new(links), Box::new(ids)]))
    }

    /// Reads what [`Receipts::parked_query`] answered.
    pub(crate) fn add_parked(&mut self, rows: &[Row]) -> Result<(), DbError> {
        for row in rows {
            let id: &[u8] = row.get(1);
            let key = (LinkId(row.get(0)), id.into());
            self.parked.entry(key).or_default().push(said(row, 2)?);
        }
        Ok(())
    }

    /// An answer brought this id for this part; what was parked for it happens now.
    pub(crate) fn answered(&mut self, link: LinkId, id: &[u8], part: PartKey) -> Vec<Event> {
        let key: MessageId = (link, id.into());
        let mut events = Vec::new();
        if let Some(parked) = self.parked.remove(&key) {
            events.extend(parked.into_iter().map(|said| happened(part.part, said)));
            self.taken.insert(key.clone());
        }
        if let Some(here) = self.to_park.remove(&key) {
            events.extend(here.into_iter().map(|(said, _)| happened(part.part, said)));
        }
        self.recorded.insert(key, part);
        events
    }

    /// The statements that write what changed.
    pub(crate) async fn writes(self, tx: &Tx) -> Result<Vec<Write>, DbError> {
        let mut writes = Vec::new();
        if !self.recorded.is_empty() {
            writes.push(map_write(tx, self.recorded).await?);
        }
        if !self.taken.is_empty() {
            writes.push(taken_write(tx, &self.taken).await?);
        }
        if !self.to_park.is_empty() {
            writes.push(park_write(tx, self.to_park, self.order).await?);
        }
        Ok(writes)
    }
}

/// Records receipts.
pub(crate) fn record_receipts(
    group: &mut Group,
    job: usize,
    command: &RecordReceipts,
) -> Result<ReceiptsRecorded, DbError> {
    let mut recorded = ReceiptsRecorded::default();
    let mut matched: BTreeMap<RecipientKey, Vec<Event>> = BTreeMap::new();
    for (place, receipt) in command.receipts.iter().enumerate() {
        let key: MessageId = (command.link, receipt.message_id.clone());
        let here = group.receipts.recorded.get(&key);
        let part = here.or_else(|| group.receipts.found.get(&(job, place)));
        match part {
            Some(part) => {
                recorded.matched += 1;
                let event = happened(part.part, said_by(receipt));
                matched.entry(part.recipient).or_default().push(event);
            }
            None => {
                recorded.parked += 1;
                let waiting = group.receipts.to_park.entry(key).or_default();
                waiting.push((said_by(receipt), command.now));
            }
        }
    }
    for (key, events) in matched {
        group.work.apply(key, command.now, &events)?;
    }
    Ok(recorded)
}

fn said_by(receipt: &NewReceipt) -> Said {
    (receipt.kind, receipt.error)
}

fn said(row: &Row, from: usize) -> Result<Said, DbError> {
    let error: Option<i64> = row.get(from + 1);
    Ok((
        receipt_kind(code(row.get(from))?)?,
        error.map(|error| u32::try_from(error).unwrap_or(u32::MAX)),
    ))
}

fn part_key(row: &Row) -> Result<PartKey, DbError> {
    Ok(PartKey {
        recipient: recipient_key(row, 1),
        part: code(row.get(4))?,
    })
}

async fn map_write(tx: &Tx, recorded: BTreeMap<MessageId, PartKey>) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO receipt_map (link_id, message_id, account_id, bulk_no, seq, part)
             SELECT * FROM unnest($1::int8[], $2::bytea[], $3::int8[], $4::int4[], $5::int4[],
             $6::int2[])
             ON CONFLICT (message_id, link_id) DO UPDATE SET account_id = excluded.account_id,
             bulk_no = excluded.bulk_no, seq = excluded.seq, part = excluded.part",
        )
        .await?;
    let (mut links, mut ids): (Vec<i64>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mut accounts: Vec<i64> = Vec::new();
    let (mut bulks, mut seqs): (Vec<i32>, Vec<i32>) = (Vec::new(), Vec::new());
    let mut parts: Vec<i16> = Vec::new();
    for ((link, id), part) in recorded {
        links.push(link.0);
        ids.push(id.into_vec());
        accounts.push(part.recipient.account.0);
        bulks.push(int4(part.recipient.bulk.0));
        seqs.push(int4(part.recipient.seq.0));
        parts.push(part.part.into());
    }
    let params: Vec<OwnedParam> = vec![
        Box::new(links),
        Box::new(ids),
        Box::new(accounts),
        Box::new(bulks),
        Box::new(seqs),
        Box::new(parts),
    ];
    Ok((statement, params))
}

async fn taken_write(tx: &Tx, taken: &BTreeSet<MessageId>) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "DELETE FROM parked_receipt p USING unnest($1::int8[], $2::bytea[])
             AS v (link_id, message_id)
             WHERE p.message_id = v.message_id AND p.link_id = v.link_id",
        )
        .await?;
    let links: Vec<i64> = taken.iter().map(|key| key.0.0).collect();
    let ids: Vec<Vec<u8>> = taken.iter().map(|key| key.1.to_vec()).collect();
    Ok((statement, vec![Box::new(links), Box::new(ids)]))
}

async fn park_write(
    tx: &Tx,
    to_park: BTreeMap<MessageId, Vec<(Said, UnixMillis)>>,
    (order, process): (i64, i64),
) -> Result<Write, DbError> {
    let statement = tx
        .prepare(
            "INSERT INTO parked_receipt (link_id, message_id, kind, error, at, n, process)
             SELECT v.*, $7::int8 FROM unnest($1::int8[], $2::bytea[], $3::int2[], $4::int8[],
             $5::int8[], $6::int8[]) AS v",
        )
        .await?;
    let (mut links, mut ids): (Vec<i64>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let (mut kinds, mut errors): (Vec<i16>, Vec<Option<i64>>) = (Vec::new(), Vec::new());
    let (mut ats, mut numbers): (Vec<i64>, Vec<i64>) = (Vec::new(), Vec::new());
    for ((link, id), receipts) in to_park {
        for (place, ((kind, error), at)) in (0..).zip(receipts) {
            links.push(link.0);
            ids.push(id.to_vec());
            kinds.push(receipt_kind_code(kind).into());
            errors.push(error.map(i64::from));
            ats.push(at.0);
            // Groups are numbered, and a group parks fewer than a million of one id.
            numbers.push(order.saturating_mul(1_000_000).saturating_add(place));
        }
    }
    let params: Vec<OwnedParam> = vec![
        Box::new(links),
        Box::new(ids),
        Box::new(kinds),
        Box::new(errors),
        Box::new(ats),
        Box::new(numbers),
        Box::new(process),
    ];
    Ok((statement, params))
}

/// Applies receipts that were parked while their message was being recorded; true when there may
/// be more.
pub(crate) async fn match_parked(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let since = now.plus_seconds(-MATCHED_LATE_MINUTES * 60);
    let rows = tx
        .query(
            "SELECT m.account_id, m.account_id, m.bulk_no, m.seq, m.part, p.link_id, p.message_id
             FROM parked_receipt p
             JOIN receipt_map m ON m.message_id = p.message_id AND m.link_id = p.link_id
             WHERE p.at > $1 ORDER BY p.at LIMIT $2",
            &[&since.0, &PURGED_PER_SWEEP_MAX],
        )
        .await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let mut parts: BTreeMap<MessageId, PartKey> = BTreeMap::new();
    for row in &rows {
        let id: &[u8] = row.get(6);
        parts.insert((LinkId(row.get(5)), id.into()), part_key(row)?);
    }
    let mut need = Need::recipients(parts.values().map(|part| part.recipient));
    need.accounts = need.recipients.iter().map(|key| key.account).collect();
    let mut work = Work::default();
    work.load(tx, &need, Vec::new()).await?;
    // Read again under the locks: somebody else may have applied them meanwhile.
    let mut receipts = Receipts {
        any_parked: true,
        ..Receipts::default()
    };
    let links: Vec<i64> = parts.keys().map(|key| key.0.0).collect();
    let ids: Vec<Vec<u8>> = parts.keys().map(|key| key.1.to_vec()).collect();
    let sql = "DELETE FROM parked_receipt p USING unnest($1::int8[], $2::bytea[])
         AS v (link_id, message_id)
         WHERE p.message_id = v.message_id AND p.link_id = v.link_id
         RETURNING p.link_id, p.message_id, p.kind, p.error, p.at, p.n";
    let mut removed = tx.query(sql, &[&links, &ids]).await?;
    removed.sort_by_key(|row| (row.get::<_, i64>(4), row.get::<_, i64>(5)));
    receipts.add_parked(&removed)?;
    for ((link, id), part) in parts {
        let events = receipts.answered(link, &id, part);
        work.apply(part.recipient, *now, &events)?;
    }
    work.flush(tx, *now).await?;
    Ok(rows.len() as i64 >= PURGED_PER_SWEEP_MAX)
}

/// Removes parked receipts past their time; true when there may be more.
pub(crate) async fn purge_parked(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let before = now.plus_seconds(-PARKED_RECEIPT_DAYS * 24 * 3_600);
    let rows = tx
        .query(
            "SELECT link_id, message_id FROM parked_receipt WHERE at < $1 ORDER BY at LIMIT $2",
            &[&before.0, &PURGED_PER_SWEEP_MAX],
        )
        .await?;
    if rows.is_empty() {
        return Ok(false);
    }
    let links: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let ids: Vec<Vec<u8>> = rows.iter().map(|row| row.get(1)).collect();
    tx.execute(
        "DELETE FROM parked_receipt p USING unnest($1::int8[], $2::bytea[])
         AS v (link_id, message_id)
         WHERE p.message_id = v.message_id AND p.link_id = v.link_id AND p.at < $3",
        &[&links, &ids, &before.0],
    )
    .await?;
    Ok(rows.len() as i64 >= PURGED_PER_SWEEP_MAX)
}
