//! Messages in their inboxes.

use super::{column, number, number_opt, write};
use crate::account::Accounts;
use crate::db::{Tx, Write};
use crate::error::DbError;
use domain::ids::{AccountId, InboundNo, LineId, LinkId};
use domain::inbound::Unowned;
use domain::time::UnixMillis;
use std::collections::{BTreeMap, BTreeSet};
use store::{InboundMessage, NewInbound, ReadInbox};
use tokio_postgres::Row;

/// The account that stands for the operator of the installation. It has no row to be locked:
/// its inbox is written under the counter `inbound` alone.
const NOBODY: i64 = 0;

/// The number under which an inbox stands.
fn inbox_of(account: Option<AccountId>) -> i64 {
    account.map_or(NOBODY, |id| id.0)
}

/// The columns that [`message`] reads, of `inbound_message` as `m`. The inbox is no join, so that
/// no plan can begin with it and sort all its messages to give the first few.
pub(super) const MESSAGE: &str = "m.account_id, m.no, m.unowned, m.line_id, m.link_id, m.at,
    m.sender, m.recipient, m.parts, m.missing, m.outcome, m.text,
    (SELECT m.no <= i.read_through FROM inbox i WHERE i.account_id = m.account_id)";

/// Reads the columns of [`MESSAGE`], of which the first is column `from`.
pub(super) fn message(row: &Row, from: usize) -> Result<InboundMessage, DbError> {
    let owner = match number_opt::<u8>(row, from + 2)? {
        None => Ok(AccountId(row.get(from))),
        Some(code) => Err(Unowned::from_code(code)
            .ok_or_else(|| DbError::Row(format!("there is no reason {code} to be unowned")))?),
    };
    let text = String::from_utf8(row.get(from + 11))
        .map_err(|_| DbError::Row("the text of a message is not UTF-8".into()))?;
    Ok(InboundMessage {
        no: InboundNo(number(row, from + 1)?),
        message: NewInbound {
            owner,
            line: row.get::<_, Option<i64>>(from + 3).map(LineId),
            link: LinkId(row.get(from + 4)),
            at: UnixMillis(row.get(from + 5)),
            from: row.get(from + 6),
            to: row.get(from + 7),
            text,
            parts: number(row, from + 8)?,
            missing: number(row, from + 9)?,
        },
        read: row.get(from + 12),
        outcome: row.get(from + 10),
    })
}

/// Whose inboxes these messages go to, as far as they are accounts'.
pub(super) fn owners<'a>(
    messages: impl IntoIterator<Item = &'a NewInbound>,
) -> BTreeSet<AccountId> {
    let owners = messages.into_iter().filter_map(|new| new.owner.ok());
    owners.collect()
}

/// Gives messages their numbers, and adds the statements that write them into their inboxes and
/// that there is work for them. With each comes its place in `inbound_work`. The caller has locked
/// their [`owners`] and the counter `inbound`.
pub(super) async fn insert(
    tx: &Tx,
    messages: &[(i64, &NewInbound)],
    writes: &mut Vec<Write>,
) -> Result<(), DbError> {
    if messages.is_empty() {
        return Ok(());
    }
    let inboxes: Vec<i64> = messages
        .iter()
        .map(|(_, new)| inbox_of(new.owner.ok()))
        .collect();
    let nos = numbers(tx, &inboxes).await?;
    let places: Vec<i64> = messages.iter().map(|(place, _)| *place).collect();
    let sql = "INSERT INTO inbound_work (n, account_id, no)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[])";
    let params = vec![column(places), column(inboxes.clone()), column(nos.clone())];
    writes.push(write(tx, sql, params).await?);
    let of = |value: fn(&NewInbound) -> i64| {
        column(messages.iter().map(|(_, new)| value(new)).collect())
    };
    let maybe = |value: fn(&NewInbound) -> Option<i64>| {
        column(messages.iter().map(|(_, new)| value(new)).collect())
    };
    let words = |value: fn(&NewInbound) -> &str| {
        column(
            messages
                .iter()
                .map(|(_, new)| value(new).to_owned())
                .collect(),
        )
    };
    let texts = messages.iter().map(|(_, new)| new.text.as_bytes().to_vec());
    let sql = "INSERT INTO inbound_message (account_id, no, unowned, line_id, link_id, at, parts,
         missing, sender, recipient, text)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],
         $6::int8[], $7::int8[], $8::int8[], $9::text[], $10::text[], $11::bytea[])";
    let params = vec![
        column(inboxes),
        column(nos),
        maybe(|new| new.owner.err().map(|why| why.code().into())),
        maybe(|new| new.line.map(|line| line.0)),
        of(|new| new.link.0),
        of(|new| new.at.0),
        of(|new| new.parts.into()),
        of(|new| new.missing.into()),
        words(|new| &new.from),
        words(|new| &new.to),
        column(texts.collect()),
    ];
    writes.push(write(tx, sql, params).await?);
    Ok(())
}

/// The next numbers of inboxes, one for each place of the list.
async fn numbers(tx: &Tx, inboxes: &[i64]) -> Result<Vec<i64>, DbError> {
    let mut counts: BTreeMap<i64, i64> = BTreeMap::new();
    for inbox in inboxes {
        *counts.entry(*inbox).or_default() += 1;
    }
    let ids: Vec<i64> = counts.keys().copied().collect();
    let many: Vec<i64> = counts.values().copied().collect();
    let rows = tx
        .query(
            "INSERT INTO inbox (account_id, next_no)
             SELECT k.account_id, 1 + k.many
             FROM unnest($1::int8[], $2::int8[]) AS k (account_id, many)
             ON CONFLICT (account_id) DO UPDATE
             SET next_no = inbox.next_no + excluded.next_no - 1
             RETURNING account_id, next_no",
            &[&ids, &many],
        )
        .await?;
    let mut next: BTreeMap<i64, i64> = BTreeMap::new();
    for row in &rows {
        let (inbox, after): (i64, i64) = (row.get(0), row.get(1));
        next.insert(inbox, after - counts.get(&inbox).copied().unwrap_or(0));
    }
    let mut nos = Vec::with_capacity(inboxes.len());
    for inbox in inboxes {
        let next = next
            .get_mut(inbox)
            .ok_or_else(|| DbError::Row(format!("inbox {inbox} gave no number")))?;
        nos.push(*next);
        *next += 1;
    }
    Ok(nos)
}

/// True when there may be messages that the account has not fetched.
pub(super) async fn may_be_unread(tx: &Tx, account: &AccountId) -> Result<bool, DbError> {
    let row = tx
        .query_opt(
            "SELECT next_no - 1 > read_through FROM inbox WHERE account_id = $1",
            &[&account.0],
        )
        .await?;
    Ok(row.is_some_and(|row| row.get(0)))
}

/// Fetches unread messages and marks them as read.
pub(super) async fn read(tx: &Tx, command: &ReadInbox) -> Result<Vec<InboundMessage>, DbError> {
    Accounts::lock(tx, [command.account]).await?;
    let found = page(tx, command, UNREAD).await?;
    if let Some(newest) = found.last() {
        tx.execute(
            "UPDATE inbox SET read_before = read_through, read_through = $2
             WHERE account_id = $1",
            &[&command.account.0, &i64::from(newest.no.0)],
        )
        .await?;
    }
    Ok(found)
}

/// Fetches the messages again that were fetched last.
pub(super) async fn read_again(
    tx: &Tx,
    command: &ReadInbox,
) -> Result<Vec<InboundMessage>, DbError> {
    page(tx, command, READ_LAST).await
}

const UNREAD: &str = "m.no > (SELECT read_through FROM inbox WHERE account_id = $1)";
const READ_LAST: &str = "m.no > (SELECT read_before FROM inbox WHERE account_id = $1)
    AND m.no <= (SELECT read_through FROM inbox WHERE account_id = $1)";

/// The first messages of an inbox of which `which` is true, as many as the command takes.
async fn page(tx: &Tx, command: &ReadInbox, which: &str) -> Result<Vec<InboundMessage>, DbError> {
    let sql = format!(
        "SELECT {MESSAGE} FROM inbound_message m
         WHERE m.account_id = $1 AND {which} ORDER BY m.no LIMIT $2"
    );
    let limit = i64::from(command.messages_max);
    let mut found = Vec::new();
    let mut bytes = 0;
    for row in tx.query(&sql, &[&command.account.0, &limit]).await? {
        let mut one = message(&row, 0)?;
        one.read = true;
        bytes += one.message.text.len();
        found.push(one);
        if bytes >= command.text_bytes_max as usize {
            break;
        }
    }
    Ok(found)
}

/// Messages of an inbox, newest first.
pub(super) async fn list(
    tx: &Tx,
    account: &Option<AccountId>,
    before: &Option<InboundNo>,
    limit: &u32,
) -> Result<Vec<InboundMessage>, DbError> {
    let sql = format!(
        "SELECT {MESSAGE} FROM inbound_message m
         WHERE m.account_id = $1 AND m.no < $2 ORDER BY m.no DESC LIMIT $3"
    );
    let before = before.map_or(i64::MAX, |no| i64::from(no.0));
    let rows = tx
        .query(&sql, &[&inbox_of(*account), &before, &i64::from(*limit)])
        .await?;
    rows.iter().map(|row| message(row, 0)).collect()
}
