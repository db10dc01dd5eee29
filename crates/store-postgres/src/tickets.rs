//! [`store::Tickets`] for [`PostgresStore`].
//!
//! Whoever writes to a ticket holds the lock of its row, and whoever opens one that of the
//! account's row in `ticket_counter`. No account and no other counter is locked after these.

use crate::PostgresStore;
use crate::db::{Param, Tx};
use crate::error::DbError;
use async_trait::async_trait;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{
    Author, FILES_MAX, FileKind, Importance, Kind, MESSAGES_MAX, OPEN_MAX, Status, Ticket,
    TicketFile, TicketMessage,
};
use domain::time::UnixMillis;
use store::{
    AddTicketMessage, Finding, NewTicket, NewTicketMessage, StoreError, TicketError, TicketQuery,
    Tickets,
};
use tokio_postgres::Row;

type Key = (AccountId, TicketNo);
type Answer<T> = Result<Result<T, TicketError>, DbError>;

/// The columns of a ticket, in the order in which [`ticket_row`] reads them.
const COLUMNS: &str = "ticket_no, subject, kind, importance, status, notify, opened_at, \
                       changed_at, messages, files";

#[async_trait]
impl Tickets for PostgresStore {
    async fn open_ticket(&self, new: NewTicket) -> Result<TicketNo, TicketError> {
        command!(self, "open_ticket", open_ticket, new).await?
    }

    async fn add_ticket_message(&self, command: AddTicketMessage) -> Result<u32, TicketError> {
        command!(self, "add_ticket_message", add_message, command).await?
    }

    async fn close_ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
        at: UnixMillis,
    ) -> Result<(), TicketError> {
        let key = (account, ticket);
        command!(self, "close_ticket", close_ticket, key, at).await?
    }

    async fn tickets(&self, query: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, StoreError> {
        query!(self, tickets, query).await
    }

    async fn ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
    ) -> Result<Option<Ticket>, StoreError> {
        let key = (account, ticket);
        query!(self, load, key).await
    }

    async fn ticket_messages(
        &self,
        account: AccountId,
        ticket: TicketNo,
        after: u32,
        limit: u32,
    ) -> Result<Vec<TicketMessage>, StoreError> {
        let key = (account, ticket);
        query!(self, messages, key, after, limit).await
    }

    async fn ticket_file(
        &self,
        account: AccountId,
        ticket: TicketNo,
        message: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = (account, ticket);
        query!(self, file, key, message).await
    }
}

/// A ticket's number as its column keeps it.
fn ticket_no(key: Key) -> i64 {
    key.1.0.into()
}

async fn open_ticket(tx: &Tx, new: &NewTicket) -> Answer<TicketNo> {
    let account = new.account.0;
    let known = tx
        .query_opt("SELECT 1 FROM account WHERE id = $1", &[&account])
        .await?;
    if known.is_none() {
        return Ok(Err(TicketError::Unknown));
    }
    // Changes nothing and locks the row, so that those who open at once count one by one.
    let row = tx
        .query_one(
            "INSERT INTO ticket_counter AS c (account_id, next_ticket_no) VALUES ($1, $2)
             ON CONFLICT (account_id) DO UPDATE SET next_ticket_no = c.next_ticket_no
             RETURNING c.next_ticket_no",
            &[&account, &i64::from(TicketNo::FIRST.0)],
        )
        .await?;
    let key = (new.account, TicketNo(read_u32(row.get(0))?));
    let row = tx
        .query_one(
            "SELECT count(*) FROM ticket WHERE account_id = $1 AND status <> 2",
            &[&account],
        )
        .await?;
    if row.get::<_, i64>(0) >= i64::from(OPEN_MAX) {
        return Ok(Err(TicketError::TooMany));
    }
    tx.execute(
        "UPDATE ticket_counter SET next_ticket_no = next_ticket_no + 1 WHERE account_id = $1",
        &[&account],
    )
    .await?;
    insert_ticket(tx, key, new).await?;
    insert_message(tx, key, 1, &new.message).await?;
    Ok(Ok(key.1))
}

async fn insert_ticket(tx: &Tx, key: Key, new: &NewTicket) -> Result<(), DbError> {
    let no = ticket_no(key);
    let (kind, importance) = (new.kind as i64, new.importance as i64);
    let status = new.message.author.leaves() as i64;
    let files = i64::from(new.message.file.is_some());
    let params: [Param<'_>; 9] = [
        &key.0.0,
        &no,
        &new.subject,
        &kind,
        &importance,
        &status,
        &new.notify,
        &new.message.at.0,
        &files,
    ];
    tx.execute(
        "INSERT INTO ticket (account_id, ticket_no, subject, kind, importance, status, notify,
         opened_at, changed_at, messages, files)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, 1, $9)",
        &params,
    )
    .await?;
    Ok(())
}

async fn add_message(tx: &Tx, command: &AddTicketMessage) -> Answer<u32> {
    let key = (command.account, command.ticket);
    let message = &command.message;
    let Some(found) = lock(tx, key).await? else {
        return Ok(Err(TicketError::Unknown));
    };
    let with_file = message.file.is_some();
    let is_full = found.messages >= MESSAGES_MAX || (with_file && found.files >= FILES_MAX);
    if message.author == Author::Customer && is_full {
        return Ok(Err(TicketError::TooMany));
    }
    let no = found.messages + 1;
    let status = message.author.leaves() as i64;
    let params: [Param<'_>; 6] = [
        &key.0.0,
        &ticket_no(key),
        &status,
        &message.at.0,
        &i64::from(no),
        &i64::from(with_file),
    ];
    tx.execute(
        "UPDATE ticket SET status = $3, changed_at = $4, messages = $5, files = files + $6
         WHERE account_id = $1 AND ticket_no = $2",
        &params,
    )
    .await?;
    insert_message(tx, key, no, message).await?;
    Ok(Ok(no))
}

async fn insert_message(
    tx: &Tx,
    key: Key,
    no: u32,
    message: &NewTicketMessage,
) -> Result<(), DbError> {
    let file = message.file.as_ref();
    let (ticket, no) = (ticket_no(key), i64::from(no));
    let author = message.author as i64;
    let name = file.map(|file| &file.name);
    let kind = file.map(|file| file.kind as i64);
    let bytes = file.map(|file| file.bytes.len() as i64);
    let params: [Param<'_>; 9] = [
        &key.0.0,
        &ticket,
        &no,
        &author,
        &message.text,
        &message.at.0,
        &name,
        &kind,
        &bytes,
    ];
    tx.execute(
        "INSERT INTO ticket_message (account_id, ticket_no, message_no, author, text, at,
         file_name, file_kind, file_bytes) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &params,
    )
    .await?;
    if let Some(file) = file {
        tx.execute(
            "INSERT INTO ticket_file (account_id, ticket_no, message_no, content)
             VALUES ($1, $2, $3, $4)",
            &[&key.0.0, &ticket, &no, &&*file.bytes],
        )
        .await?;
    }
    Ok(())
}

async fn close_ticket(tx: &Tx, key: &Key, at: &UnixMillis) -> Answer<()> {
    let Some(found) = lock(tx, *key).await? else {
        return Ok(Err(TicketError::Unknown));
    };
    if found.status != Status::Closed {
        tx.execute(
            "UPDATE ticket SET status = $3, changed_at = $4
             WHERE account_id = $1 AND ticket_no = $2",
            &[&key.0.0, &ticket_no(*key), &(Status::Closed as i64), &at.0],
        )
        .await?;
    }
    Ok(Ok(()))
}

async fn load(tx: &Tx, key: &Key) -> Result<Option<Ticket>, DbError> {
    let sql = format!("SELECT {COLUMNS} FROM ticket WHERE account_id = $1 AND ticket_no = $2");
    let row = tx.query_opt(&sql, &[&key.0.0, &ticket_no(*key)]).await?;
    row.as_ref().map(ticket_row).transpose()
}

/// Locks a ticket and reads it; `None` where there is no such ticket.
async fn lock(tx: &Tx, key: Key) -> Result<Option<Ticket>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM ticket WHERE account_id = $1 AND ticket_no = $2 FOR UPDATE");
    let row = tx.query_opt(&sql, &[&key.0.0, &ticket_no(key)]).await?;
    row.as_ref().map(ticket_row).transpose()
}

async fn tickets(tx: &Tx, query: &TicketQuery) -> Result<Vec<(AccountId, Ticket)>, DbError> {
    let (first, no) = query.after.unwrap_or((AccountId(i64::MIN), TicketNo(0)));
    // One account is a range of the key, like all of them.
    let (from, last, no) = match query.account {
        None => (first, i64::MAX, no),
        Some(one) if first < one => (one, one.0, TicketNo(0)),
        Some(one) => (first, one.0, no),
    };
    let open = if query.closed { "" } else { "AND status <> 2" };
    let sql = format!(
        "SELECT {COLUMNS}, account_id FROM ticket
         WHERE (account_id, ticket_no) > ($1, $2) AND account_id <= $3 {open}
         ORDER BY account_id, ticket_no LIMIT $4"
    );
    let params: [Param<'_>; 4] = [&from.0, &i64::from(no.0), &last, &i64::from(query.limit)];
    let rows = tx.query(&sql, &params).await?;
    rows.iter()
        .map(|row| Ok((AccountId(row.get(10)), ticket_row(row)?)))
        .collect()
}

fn ticket_row(row: &Row) -> Result<Ticket, DbError> {
    Ok(Ticket {
        no: TicketNo(read_u32(row.get(0))?),
        subject: row.get(1),
        kind: known(row.get(2), Kind::from_code, "kind")?,
        importance: known(row.get(3), Importance::from_code, "importance")?,
        status: known(row.get(4), Status::from_code, "status")?,
        notify: row.get(5),
        opened_at: UnixMillis(row.get(6)),
        changed_at: UnixMillis(row.get(7)),
        messages: read_u32(row.get(8))?,
        files: read_u32(row.get(9))?,
    })
}

async fn messages(
    tx: &Tx,
    key: &Key,
    after: &u32,
    limit: &u32,
) -> Result<Vec<TicketMessage>, DbError> {
    let rows = tx
        .query(
            "SELECT message_no, author, text, at, file_name, file_kind, file_bytes
             FROM ticket_message WHERE account_id = $1 AND ticket_no = $2 AND message_no > $3
             ORDER BY message_no LIMIT $4",
            &[
                &key.0.0,
                &ticket_no(*key),
                &i64::from(*after),
                &i64::from(*limit),
            ],
        )
        .await?;
    rows.iter().map(message_row).collect()
}

fn message_row(row: &Row) -> Result<TicketMessage, DbError> {
    let file = match row.get::<_, Option<String>>(4) {
        Some(name) => Some(TicketFile {
            name,
            kind: known(row.get(5), FileKind::from_code, "kind of file")?,
            bytes: read_u32(row.get(6))?,
        }),
        None => None,
    };
    Ok(TicketMessage {
        no: read_u32(row.get(0))?,
        author: known(row.get(1), Author::from_code, "author")?,
        text: row.get(2),
        at: UnixMillis(row.get(3)),
        file,
    })
}

async fn file(tx: &Tx, key: &Key, message: &u32) -> Result<Option<Vec<u8>>, DbError> {
    let row = tx
        .query_opt(
            "SELECT content FROM ticket_file
             WHERE account_id = $1 AND ticket_no = $2 AND message_no = $3",
            &[&key.0.0, &ticket_no(*key), &i64::from(*message)],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// Reads a column that is NULL only where the row is damaged.
fn known<T>(
    value: Option<i64>,
    from_code: impl Fn(u8) -> Option<T>,
    what: &str,
) -> Result<T, DbError> {
    value
        .and_then(|code| u8::try_from(code).ok())
        .and_then(from_code)
        .ok_or_else(|| DbError::Row(format!("a ticket has a {what} that there is not")))
}

fn read_u32(value: Option<i64>) -> Result<u32, DbError> {
    value
        .and_then(|value| u32::try_from(value).ok())
        .ok_or_else(|| DbError::Row("a ticket has a number or count out of its range".into()))
}

/// The counters of each ticket are those of its messages and files, and the account's next number
/// is one that no ticket has.
pub(crate) async fn check_tickets(tx: &Tx, id: AccountId) -> Result<Vec<Finding>, DbError> {
    let rows = tx
        .query(
            "SELECT t.ticket_no FROM ticket t WHERE t.account_id = $1 AND (
                 t.messages <> (SELECT count(*) FROM ticket_message m
                     WHERE m.account_id = $1 AND m.ticket_no = t.ticket_no)
                 OR t.files <> (SELECT count(*) FROM ticket_file f
                     WHERE f.account_id = $1 AND f.ticket_no = t.ticket_no)
                 OR t.files <> (SELECT count(m.file_name) FROM ticket_message m
                     WHERE m.account_id = $1 AND m.ticket_no = t.ticket_no))",
            &[&id.0],
        )
        .await?;
    let finding = |what| Finding {
        rule: "tickets",
        what,
    };
    let mut findings = Vec::new();
    for row in &rows {
        let no: i64 = row.get(0);
        findings.push(finding(format!(
            "account {id}: ticket {no} does not count its messages and files"
        )));
    }
    let beyond = tx
        .query_opt(
            "SELECT 1 FROM ticket t WHERE t.account_id = $1 AND t.ticket_no >=
             coalesce((SELECT next_ticket_no FROM ticket_counter WHERE account_id = $1), 0)
             LIMIT 1",
            &[&id.0],
        )
        .await?;
    if beyond.is_some() {
        findings.push(finding(format!(
            "account {id}: the number of its next ticket is taken"
        )));
    }
    Ok(findings)
}
