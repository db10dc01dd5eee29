//! The accept path: `accept_bulk` and `add_recipients` in a group, `seal_bulk` by itself. Each
//! checks everything before it changes anything, in the order in which refusals are documented.

use crate::approval;
use crate::day::{Day, Days};
use crate::db::Tx;
use crate::error::DbError;
use crate::group::Group;
use crate::inserts::Place;
use crate::rows::bulk_no;
use crate::work::{Query, Work};
use domain::bulk::BulkStage;
use domain::ids::{AccountId, BulkNo};
use domain::ledger::EntryKind;
use std::collections::HashMap;
use store::adapter::{
    BUILDING_MILLIS_MAX, NEVER, RowCounts, covers, first_stage, first_sweep, price_of,
};
use store::{
    AcceptBulk, AcceptError, AcceptedBulk, AddRecipients, ApprovalState, DayLimit,
    IDEMPOTENCY_HOURS,
};

type Answer<T> = Result<Result<T, AcceptError>, DbError>;

/// Bulks by the caller's key, of those that are remembered.
pub(crate) type Keys = HashMap<(i64, [u8; 32]), BulkNo>;

/// Takes a bulk.
pub(crate) fn accept_bulk(group: &mut Group, command: &AcceptBulk) -> Answer<AcceptedBulk> {
    let Some(account) = group.work.accounts.get(command.account) else {
        return refused("there is no such account");
    };
    let (credit, next) = (account.balance.credit, account.next_bulk_no);
    let digest = command
        .idempotency_key
        .map(|digest| (command.account.0, digest));
    if let Some(bulk) = digest.and_then(|digest| group.keys.get(&digest)) {
        return Ok(Ok(AcceptedBulk {
            bulk: *bulk,
            repeated: true,
        }));
    }
    let price = match price_of(&command.recipients) {
        Ok(price) => price,
        Err(why) => return refused(why),
    };
    let day = Day::of(command);
    if !group.days.holds(&day) {
        return Ok(Err(AcceptError::DayLimit));
    }
    if !covers(credit, price) {
        return Ok(Err(AcceptError::InsufficientCredit));
    }
    if next > i64::from(BulkNo::LAST.0) {
        return refused("the account has no bulk number left");
    }
    group.days.count(&day);
    let bulk = group.work.accounts.next_bulk_no(command.account)?;
    let key = (command.account, bulk);
    let mut counts = RowCounts::default();
    counts.add_new(&command.recipients);
    let begins = first_stage(command, &counts);
    let stage = begins.0;
    group.inserts.bulk(key, command, price, &counts, begins);
    let accepted = stage == BulkStage::Accepted;
    let place = Place {
        key,
        line: command.line,
        urgent: command.urgent,
        due_at: if accepted { command.due_at.0 } else { NEVER },
    };
    let waits = group.inserts.recipients(&place, 0, &command.recipients)?;
    let at = command.accepted_at;
    group
        .work
        .statistics
        .add_new(key, command.line, at, &command.recipients);
    if let (Some(wanted), Some(state)) = (&command.approval, asked(stage)) {
        group.ask(key, wanted, command.accepted_at, state);
    }
    let (kind, at) = (EntryKind::Reserve, command.accepted_at);
    group
        .work
        .accounts
        .post(command.account, kind, price, Some(bulk), at, None)?;
    group.work.made_due |= waits && accepted;
    if let Some((account, digest)) = digest {
        group.inserts.key(account, digest, bulk.0, at.0);
        group.keys.insert((account, digest), bulk);
    }
    Ok(Ok(AcceptedBulk {
        bulk,
        repeated: false,
    }))
}

/// The state of the question about a text, where a bulk in this stage has one.
fn asked(stage: BulkStage) -> Option<ApprovalState> {
    match stage {
        BulkStage::AwaitingApproval => Some(ApprovalState::Waiting),
        BulkStage::Building => Some(ApprovalState::Building),
        _ => None,
    }
}

/// Adds recipients to a bulk that is being built.
pub(crate) fn add_recipients(group: &mut Group, command: &AddRecipients) -> Answer<()> {
    let key = (command.account, command.bulk);
    let bulk = group.work.bulk(key);
    let Some(bulk) = bulk.filter(|bulk| bulk.stage == BulkStage::Building) else {
        return refused("the bulk is not being built");
    };
    let Some(account) = group.work.accounts.get(command.account) else {
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
    let accepted_at = bulk.accepted_at;
    let place = Place {
        key,
        line: bulk.line,
        urgent: bulk.urgent,
        due_at: NEVER,
    };
    group
        .inserts
        .recipients(&place, first, &command.recipients)?;
    group
        .work
        .statistics
        .add_new(key, place.line, accepted_at, &command.recipients);
    if let Some(wanted) = &command.approval {
        group.ask(key, wanted, accepted_at, ApprovalState::Building);
    }
    let bulk = group.work.change_bulk(key)?;
    bulk.counts.add_new(&command.recipients);
    bulk.next_seq = next;
    bulk.price = total;
    bulk.sweep_at = Some(command.now.plus_millis(BUILDING_MILLIS_MAX).0);
    let (kind, no) = (EntryKind::Reserve, Some(command.bulk));
    group
        .work
        .accounts
        .post(command.account, kind, price, no, command.now, None)?;
    Ok(Ok(()))
}

/// Makes a bulk due that was built in several commands; the second answer is whether something
/// became due by it.
pub(crate) async fn seal_bulk(
    tx: &Tx,
    account: &AccountId,
    bulk: &BulkNo,
    day_limit: &Option<DayLimit>,
) -> Result<(Result<(), AcceptError>, bool), DbError> {
    let key = (*account, *bulk);
    let mut work = Work::begin(tx, key).await?;
    let row = work.bulk(key).cloned();
    let Some(row) = row.filter(|bulk| bulk.stage == BulkStage::Building) else {
        let why = "the bulk is not being built";
        return Ok((Err(AcceptError::Refused(why)), false));
    };
    let day = Day {
        account: *account,
        limit: *day_limit,
        messages: row.counts.unsent(),
    };
    let mut days = Days::load(tx, day.pair().into_iter().collect()).await?;
    if !days.holds(&day) {
        return Ok((Err(AcceptError::DayLimit), false));
    }
    days.count(&day);
    tx.write_all(&days.writes(tx).await?, false).await?;
    let until = approval::sealed(tx, key, &row).await?;
    let open = row.counts.open() > 0;
    let now = row.accepted_at;
    let changed = work.change_bulk(key)?;
    if let Some(until) = until {
        changed.stage = BulkStage::AwaitingApproval;
        changed.sweep_at = Some(until.0);
        work.flush(tx, now).await?;
        return Ok((Ok(()), false));
    }
    changed.stage = BulkStage::Accepted;
    let first = first_sweep(now, row.due_at, row.expires_at, row.report_millis());
    changed.sweep_at = open.then_some(first);
    changed.sweep_seq = 0;
    work.flush(tx, now).await?;
    set_due(tx, key, row.due_at.0).await?;
    Ok((Ok(()), open))
}

/// Sets the due time of all slices of a bulk.
pub(crate) async fn set_due(
    tx: &Tx,
    key: store::adapter::BulkKey,
    due_at: i64,
) -> Result<(), DbError> {
    tx.execute(
        "UPDATE slice SET due_at = $3 WHERE account_id = $1 AND bulk_no = $2",
        &[&key.0.0, &bulk_no(key), &due_at],
    )
    .await?;
    Ok(())
}

fn refused<T>(why: &'static str) -> Answer<T> {
    Ok(Err(AcceptError::Refused(why)))
}

/// The question which of these keys are remembered, for [`known_keys`].
pub(crate) async fn keys_query(tx: &Tx, commands: &[&AcceptBulk]) -> Result<Query, DbError> {
    // A bulk that was given up does not answer for its key.
    let statement = tx
        .prepare(
            "SELECT i.account_id, i.key, i.bulk_no
             FROM unnest($1::int8[], $2::bytea[], $3::int8[]) AS v (account_id, key, since)
             JOIN idempotency i ON i.account_id = v.account_id AND i.key = v.key
             LEFT JOIN bulk b ON b.account_id = i.account_id AND b.bulk_no = i.bulk_no
             WHERE i.at > v.since AND b.stage IS DISTINCT FROM 3::int2",
        )
        .await?;
    let (mut accounts, mut digests): (Vec<i64>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    let mut since: Vec<i64> = Vec::new();
    for command in commands {
        if let Some(digest) = command.idempotency_key {
            accounts.push(command.account.0);
            digests.push(digest.to_vec());
            let seconds = -IDEMPOTENCY_HOURS * 3_600;
            since.push(command.accepted_at.plus_seconds(seconds).0);
        }
    }
    Ok((
        statement,
        vec![Box::new(accounts), Box::new(digests), Box::new(since)],
    ))
}

/// Reads what [`keys_query`] answered.
pub(crate) fn known_keys(rows: &[tokio_postgres::Row]) -> Keys {
    rows.iter()
        .filter_map(|row| {
            let digest: &[u8] = row.get(1);
            let bulk: i32 = row.get(2);
            Some((
                (row.get(0), digest.try_into().ok()?),
                BulkNo(crate::rows::from_int4(bulk)),
            ))
        })
        .collect()
}
