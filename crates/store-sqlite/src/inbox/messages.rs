//! Messages in their inboxes.

use crate::error::DbError;
use crate::group::Group;
use domain::ids::{AccountId, InboundNo, LineId, LinkId};
use domain::inbound::Unowned;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{InboundMessage, NewInbound, ReadInbox};

/// The account that stands for the operator of the installation.
const NOBODY: i64 = 0;

/// The number under which an inbox stands.
fn inbox_of(account: Option<AccountId>) -> i64 {
    account.map_or(NOBODY, |id| id.0)
}

/// The columns that [`message`] reads; `m` is the message, `i` its inbox.
pub(super) const MESSAGE: &str = "m.account_id, m.no, m.unowned, m.line_id, m.link_id, m.at,
    m.sender, m.recipient, m.parts, m.missing, m.outcome, m.text, m.no <= i.read_through";

/// Reads the columns of [`MESSAGE`], of which the first is column `from`.
pub(super) fn message(row: &Row<'_>, from: usize) -> Result<InboundMessage, DbError> {
    let account: i64 = row.get(from)?;
    let owner = match row.get::<_, Option<u8>>(from + 2)? {
        None => Ok(AccountId(account)),
        Some(code) => Err(Unowned::from_code(code)
            .ok_or_else(|| DbError::Row(format!("there is no reason {code} to be unowned")))?),
    };
    Ok(InboundMessage {
        no: InboundNo(row.get(from + 1)?),
        message: NewInbound {
            owner,
            line: row.get::<_, Option<i64>>(from + 3)?.map(LineId),
            link: LinkId(row.get(from + 4)?),
            at: UnixMillis(row.get(from + 5)?),
            from: row.get(from + 6)?,
            to: row.get(from + 7)?,
            text: row.get(from + 11)?,
            parts: row.get(from + 8)?,
            missing: row.get(from + 9)?,
        },
        read: row.get(from + 12)?,
        outcome: row.get(from + 10)?,
    })
}

/// Writes a message into its inbox, and that there is work for it.
pub(super) fn insert(conn: &Connection, new: &NewInbound) -> Result<(), DbError> {
    let account = inbox_of(new.owner.ok());
    let no: u32 = conn
        .prepare_cached(
            "INSERT INTO inbox (account_id, next_no) VALUES (?1, 2)
             ON CONFLICT (account_id) DO UPDATE SET next_no = next_no + 1
             RETURNING next_no - 1",
        )?
        .query_row([account], |row| row.get(0))?;
    conn.prepare_cached(
        "INSERT INTO inbound_message (account_id, no, unowned, line_id, link_id, at, sender,
         recipient, parts, missing, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        account,
        no,
        new.owner.err().map(Unowned::code),
        new.line.map(|id| id.0),
        new.link.0,
        new.at.0,
        new.from,
        new.to,
        new.parts,
        new.missing,
        new.text,
    ])?;
    conn.prepare_cached("INSERT INTO inbound_work (account_id, no) VALUES (?1, ?2)")?
        .execute(params![account, no])?;
    Ok(())
}

/// Fetches unread messages and marks them as read, or fetches the last ones again.
pub(super) fn read(
    group: &mut Group<'_>,
    command: ReadInbox,
) -> Result<Vec<InboundMessage>, DbError> {
    let marks = group
        .conn
        .prepare_cached("SELECT read_before, read_through FROM inbox WHERE account_id = ?1")?
        .query_row([command.account.0], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?))
        })
        .optional()?;
    let Some((before, through)) = marks else {
        return Ok(Vec::new());
    };
    let (after, last) = if command.again {
        (before, through)
    } else {
        (through, u32::MAX)
    };
    let mut statement = group.conn.prepare_cached(&format!(
        "SELECT {MESSAGE} FROM inbound_message m JOIN inbox i USING (account_id)
         WHERE m.account_id = ?1 AND m.no > ?2 AND m.no <= ?3 ORDER BY m.no LIMIT ?4"
    ))?;
    let mut rows = statement.query(params![
        command.account.0,
        after,
        last,
        command.messages_max
    ])?;
    let mut found = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next()? {
        let mut one = message(row, 0)?;
        one.read = true;
        bytes += one.message.text.len();
        found.push(one);
        if bytes >= command.text_bytes_max as usize {
            break;
        }
    }
    drop(rows);
    if let Some(newest) = found.last().filter(|_| !command.again) {
        group
            .conn
            .prepare_cached(
                "UPDATE inbox SET read_before = read_through, read_through = ?2
                 WHERE account_id = ?1",
            )?
            .execute(params![command.account.0, newest.no.0])?;
    }
    Ok(found)
}

/// Messages of an inbox, newest first.
pub(super) fn list(
    conn: &Connection,
    account: Option<AccountId>,
    before: Option<InboundNo>,
    limit: u32,
) -> Result<Vec<InboundMessage>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {MESSAGE} FROM inbound_message m JOIN inbox i USING (account_id)
         WHERE m.account_id = ?1 AND m.no < ?2 ORDER BY m.no DESC LIMIT ?3"
    ))?;
    let before = before.map_or(i64::MAX, |no| i64::from(no.0));
    let mut rows = statement.query(params![inbox_of(account), before, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(message(row, 0)?);
    }
    Ok(found)
}
