//! The accept path: `accept_bulk`, `add_recipients`, `seal_bulk`. Each checks everything before it
//! writes anything, in the order in which refusals are documented.

use crate::approval;
use crate::day::Day;
use crate::error::DbError;
use crate::group::Group;
use crate::rows::{Number, load_bulk};
use crate::work::set_sweep;
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo, LineId};
use domain::ledger::EntryKind;
use domain::money::Rials;
use domain::reason::Reason;
use domain::recipient::NewRecipient;
use domain::status::State;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::BTreeMap;
use store::adapter::{
    BUILDING_MILLIS_MAX, BulkKey, BulkRow, MASKED_BIT, NEVER, RowCounts, covers, first_stage,
    first_sweep, pack_terms, price_of,
};
use store::{
    AcceptBulk, AcceptError, AcceptedBulk, AddRecipients, ApprovalState, DayLimit,
    IDEMPOTENCY_HOURS, SLICE_RECIPIENTS,
};

type Answer<T> = Result<Result<T, AcceptError>, DbError>;

/// Takes a bulk.
pub(crate) fn accept_bulk(group: &mut Group<'_>, command: &AcceptBulk) -> Answer<AcceptedBulk> {
    let Some(account) = group.account(command.account)? else {
        return refused("there is no such account");
    };
    let (credit, next) = (account.balance.credit, account.next_bulk_no);
    if let Some(bulk) = known_key(group.conn, command)? {
        return Ok(Ok(AcceptedBulk {
            bulk,
            repeated: true,
        }));
    }
    let price = match price_of(&command.recipients) {
        Ok(price) => price,
        Err(why) => return refused(why),
    };
    let day = Day::of(command);
    if !day.holds(group.conn)? {
        return Ok(Err(AcceptError::DayLimit));
    }
    if !covers(credit, price) {
        return Ok(Err(AcceptError::InsufficientCredit));
    }
    if next > BulkNo::LAST.0 {
        return refused("the account has no bulk number left");
    }
    day.count(group.conn)?;
    let bulk = group.next_bulk_no(command.account)?;
    let key = (command.account, bulk);
    let stage = insert_bulk(group.conn, key, command, price)?;
    let accepted = stage == BulkStage::Accepted;
    let place = Place {
        key,
        line: command.line,
        urgent: command.urgent,
        due_at: if accepted { command.due_at.0 } else { NEVER },
    };
    let waits = insert_recipients(group.conn, &place, 0, &command.recipients)?;
    let at = command.accepted_at;
    group
        .statistics
        .add_new(key, command.line, at, &command.recipients);
    ask_for_approval(group.conn, key, command, stage)?;
    group.post(
        command.account,
        EntryKind::Reserve,
        price,
        Some(bulk),
        command.accepted_at,
        None,
    )?;
    group.made_due |= waits && accepted;
    remember_key(group.conn, key, command)?;
    Ok(Ok(AcceptedBulk {
        bulk,
        repeated: false,
    }))
}

/// Remembers the idempotency key that the bulk came with, if it came with one.
fn remember_key(
    conn: &Connection,
    (account, bulk): (AccountId, BulkNo),
    command: &AcceptBulk,
) -> Result<(), DbError> {
    let Some(digest) = &command.idempotency_key else {
        return Ok(());
    };
    conn.prepare_cached(
        "INSERT OR REPLACE INTO idempotency (account_id, key, bulk_no, at)
         VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        account.0,
        &digest[..],
        bulk.0,
        command.accepted_at.0
    ])?;
    Ok(())
}

/// Adds recipients to a bulk that is being built.
pub(crate) fn add_recipients(group: &mut Group<'_>, command: &AddRecipients) -> Answer<()> {
    let key = (command.account, command.bulk);
    let Some(mut bulk) = building(group.conn, key)? else {
        return refused("the bulk is not being built");
    };
    let Some(account) = group.account(command.account)? else {
        return refused("there is no such account");
    };
    let credit = account.balance.credit;
    let price = match price_of(&command.recipients) {
        Ok(price) => price,
        Err(why) => return refused(why),
    };
    if !covers(credit, price) {
        return Ok(Err(AcceptError::InsufficientCredit));
    }
    let count = u32::try_from(command.recipients.len()).unwrap_or(u32::MAX);
    let first = bulk.next_seq;
    let (Some(next), Some(total)) = (first.checked_add(count), bulk.price.checked_add(price))
    else {
        return refused("the bulk has too many recipients");
    };
    let place = Place {
        key,
        line: bulk.line,
        urgent: bulk.urgent,
        due_at: NEVER,
    };
    insert_recipients(group.conn, &place, first, &command.recipients)?;
    let at = bulk.accepted_at;
    group
        .statistics
        .add_new(key, bulk.line, at, &command.recipients);
    if let Some(wanted) = &command.approval {
        let state = ApprovalState::Building;
        approval::insert(group.conn, key, wanted, bulk.accepted_at, state)?;
    }
    bulk.counts.add_new(&command.recipients);
    save_built(group.conn, key, &bulk.counts, next, total, command.now)?;
    group.post(
        command.account,
        EntryKind::Reserve,
        price,
        Some(command.bulk),
        command.now,
        None,
    )?;
    Ok(Ok(()))
}

/// Makes a bulk due that was built in several commands.
pub(crate) fn seal_bulk(
    group: &mut Group<'_>,
    account: AccountId,
    bulk: BulkNo,
    day_limit: Option<DayLimit>,
) -> Answer<()> {
    let key = (account, bulk);
    let Some(row) = building(group.conn, key)? else {
        return refused("the bulk is not being built");
    };
    let day = Day {
        account,
        limit: day_limit,
        messages: row.counts.unsent(),
    };
    if !day.holds(group.conn)? {
        return Ok(Err(AcceptError::DayLimit));
    }
    day.count(group.conn)?;
    let until = approval::sealed(group.conn, key, &row)?;
    let stage = if until.is_some() {
        BulkStage::AwaitingApproval
    } else {
        BulkStage::Accepted
    };
    group
        .conn
        .prepare_cached("UPDATE bulk SET stage = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![account.0, bulk.0, stage as u8])?;
    if let Some(until) = until {
        set_sweep(group.conn, key, Some(until.0), 0)?;
        return Ok(Ok(()));
    }
    let open = row.counts.open() > 0;
    let sweep_at = first_sweep(
        row.accepted_at,
        row.due_at,
        row.expires_at,
        row.report_millis(),
    );
    set_sweep(group.conn, key, open.then_some(sweep_at), 0)?;
    group
        .conn
        .prepare_cached("UPDATE slice SET due_at = ?3 WHERE account_id = ?1 AND bulk_no = ?2")?
        .execute(params![account.0, bulk.0, row.due_at.0])?;
    group.made_due |= open;
    Ok(Ok(()))
}

fn refused<T>(why: &'static str) -> Answer<T> {
    Ok(Err(AcceptError::Refused(why)))
}

fn building(conn: &Connection, key: BulkKey) -> Result<Option<BulkRow>, DbError> {
    Ok(load_bulk(conn, key)?.filter(|bulk| bulk.stage == BulkStage::Building))
}

fn known_key(conn: &Connection, command: &AcceptBulk) -> Result<Option<BulkNo>, DbError> {
    let Some(digest) = &command.idempotency_key else {
        return Ok(None);
    };
    let since = command.accepted_at.plus_seconds(-IDEMPOTENCY_HOURS * 3_600);
    let bulk = conn
        .prepare_cached(
            "SELECT bulk_no FROM idempotency i WHERE account_id = ?1 AND key = ?2 AND at > ?3
             AND NOT EXISTS (SELECT 1 FROM bulk b WHERE b.account_id = i.account_id
                 AND b.bulk_no = i.bulk_no AND b.stage = 3)",
        )?
        .query_row(params![command.account.0, &digest[..], since.0], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(bulk.map(BulkNo))
}

fn insert_bulk(
    conn: &Connection,
    key: BulkKey,
    command: &AcceptBulk,
    price: Rials,
) -> Result<BulkStage, DbError> {
    let mut counts = RowCounts::default();
    counts.add_new(&command.recipients);
    let (stage, sweep_at) = first_stage(command, &counts);
    let masked = if command.masked { MASKED_BIT } else { 0 };
    let mut insert = conn.prepare_cached(
        "INSERT INTO bulk (account_id, bulk_no, line_id, stage, terms, report_seconds, urgent,
         accepted_at, due_at, expires_at, next_seq, price, unsent, delivered, failed, discarded,
         cancelled, unreported, sweep_at, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
         ?19, ?20)",
    )?;
    insert.execute(params![
        key.0.0,
        key.1.0,
        command.line.0,
        stage as u8,
        pack_terms(command.terms, command.reference_bits) | masked,
        command.report_seconds,
        command.urgent,
        command.accepted_at.0,
        command.due_at.0,
        command.expires_at.map(|at| at.0),
        command.recipients.len() as i64,
        price.0,
        counts.0[0],
        counts.0[3],
        counts.0[4],
        counts.0[5],
        counts.0[6],
        counts.0[7],
        sweep_at,
        &*command.text,
    ])?;
    Ok(stage)
}

/// Writes down the question about the text of a bulk at its first command.
fn ask_for_approval(
    conn: &Connection,
    key: BulkKey,
    command: &AcceptBulk,
    stage: BulkStage,
) -> Result<(), DbError> {
    let state = match stage {
        BulkStage::AwaitingApproval => ApprovalState::Waiting,
        BulkStage::Building => ApprovalState::Building,
        _ => return Ok(()),
    };
    match &command.approval {
        Some(wanted) => approval::insert(conn, key, wanted, command.accepted_at, state),
        None => Ok(()),
    }
}

fn save_built(
    conn: &Connection,
    key: BulkKey,
    counts: &RowCounts,
    next_seq: u32,
    price: Rials,
    now: UnixMillis,
) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE bulk SET next_seq = ?3, price = ?4, unsent = ?5, delivered = ?6, failed = ?7,
         discarded = ?8, cancelled = ?9, unreported = ?10, sweep_at = ?11
         WHERE account_id = ?1 AND bulk_no = ?2",
    )?
    .execute(params![
        key.0.0,
        key.1.0,
        next_seq,
        price.0,
        counts.0[0],
        counts.0[3],
        counts.0[4],
        counts.0[5],
        counts.0[6],
        counts.0[7],
        now.plus_millis(BUILDING_MILLIS_MAX).0,
    ])?;
    Ok(())
}

/// What the slices of new recipients have in common.
struct Place {
    key: BulkKey,
    line: LineId,
    urgent: bool,
    due_at: i64,
}

/// Writes recipients from place `first` on, and their slices; true when any of them waits.
fn insert_recipients(
    conn: &Connection,
    place: &Place,
    first: u32,
    recipients: &[NewRecipient],
) -> Result<bool, DbError> {
    let mut slices: BTreeMap<(u32, u8), (i64, u32)> = BTreeMap::new();
    let (account, bulk) = (place.key.0.0, place.key.1.0);
    let mut insert = conn.prepare_cached(
        "INSERT INTO recipient (account_id, bulk_no, seq, number, operator, state, reason, parts,
         unit_price, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (seq, recipient) in (first..).zip(recipients) {
        let (state, reason) = recipient
            .ends_as
            .unwrap_or((State::Waiting, Reason::Accepted));
        insert.raw_bind_parameter(1, account)?;
        insert.raw_bind_parameter(2, bulk)?;
        insert.raw_bind_parameter(3, seq)?;
        insert.raw_bind_parameter(4, Number(&recipient.address))?;
        insert.raw_bind_parameter(5, recipient.operator.0)?;
        insert.raw_bind_parameter(6, state as u8)?;
        insert.raw_bind_parameter(7, reason as u8)?;
        insert.raw_bind_parameter(8, recipient.parts)?;
        insert.raw_bind_parameter(9, recipient.unit_price.0)?;
        insert.raw_bind_parameter(10, recipient.text.as_deref())?;
        insert.raw_execute()?;
        if recipient.ends_as.is_none() {
            let slice = slices.entry((seq / SLICE_RECIPIENTS, recipient.operator.0));
            slice.or_insert((0, seq)).0 += 1;
        }
    }
    let mut upsert = conn.prepare_cached(
        "INSERT INTO slice (account_id, bulk_no, slice_no, operator, line_id, urgent, due_at,
         waiting, attempted, first_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9)
         ON CONFLICT DO UPDATE SET waiting = waiting + excluded.waiting",
    )?;
    for ((slice_no, operator), (waiting, first_seq)) in &slices {
        upsert.execute(params![
            account,
            bulk,
            slice_no,
            operator,
            place.line.0,
            place.urgent,
            place.due_at,
            waiting,
            first_seq,
        ])?;
    }
    Ok(!slices.is_empty())
}
