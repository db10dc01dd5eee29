//! [`store::Tickets`] for [`SqliteStore`].

use crate::SqliteStore;
use crate::check::Findings;
use crate::error::DbError;
use crate::group::Group;
use async_trait::async_trait;
use domain::ids::{AccountId, TicketNo};
use domain::ticket::{
    Author, FILES_MAX, FileKind, Importance, Kind, MESSAGES_MAX, OPEN_MAX, Status, Ticket,
    TicketFile, TicketMessage,
};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{
    AddTicketMessage, NewTicket, NewTicketMessage, StoreError, TicketError, TicketQuery, Tickets,
};

type Answer<T> = Result<Result<T, TicketError>, DbError>;

/// The columns of a ticket, in the order in which [`ticket_row`] reads them.
const COLUMNS: &str = "ticket_no, subject, kind, importance, status, notify, opened_at, \
                       changed_at, messages, files";

#[async_trait]
impl Tickets for SqliteStore {
    async fn open_ticket(&self, new: NewTicket) -> Result<TicketNo, TicketError> {
        self.writer
            .run("open_ticket", move |group| open_ticket(group, &new))
            .await?
    }

    async fn add_ticket_message(&self, command: AddTicketMessage) -> Result<u32, TicketError> {
        self.writer
            .run("add_ticket_message", move |group| {
                add_message(group, &command)
            })
            .await?
    }

    async fn close_ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
        at: UnixMillis,
    ) -> Result<(), TicketError> {
        self.writer
            .run("close_ticket", move |group| {
                close_ticket(group, account, ticket, at)
            })
            .await?
    }

    async fn tickets(&self, query: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, StoreError> {
        self.readers.run(move |conn| tickets(conn, query)).await
    }

    async fn ticket(
        &self,
        account: AccountId,
        ticket: TicketNo,
    ) -> Result<Option<Ticket>, StoreError> {
        self.readers
            .run(move |conn| load(conn, account, ticket))
            .await
    }

    async fn ticket_messages(
        &self,
        account: AccountId,
        ticket: TicketNo,
        after: u32,
        limit: u32,
    ) -> Result<Vec<TicketMessage>, StoreError> {
        self.readers
            .run(move |conn| messages(conn, account, ticket, after, limit))
            .await
    }

    async fn ticket_file(
        &self,
        account: AccountId,
        ticket: TicketNo,
        message: u32,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        self.readers
            .run(move |conn| {
                let mut statement = conn.prepare_cached(
                    "SELECT content FROM ticket_file
                     WHERE account_id = ?1 AND ticket_no = ?2 AND message_no = ?3",
                )?;
                let found =
                    statement.query_row(params![account.0, ticket.0, message], |row| row.get(0));
                Ok(found.optional()?)
            })
            .await
    }
}

fn open_ticket(group: &mut Group<'_>, new: &NewTicket) -> Answer<TicketNo> {
    let conn = group.conn;
    let is_account = conn
        .prepare_cached("SELECT 1 FROM account WHERE id = ?1")?
        .exists([new.account.0])?;
    if !is_account {
        return Ok(Err(TicketError::Unknown));
    }
    let (open, next): (u32, u32) = conn
        .prepare_cached(
            "SELECT (SELECT count(*) FROM ticket WHERE account_id = ?1 AND status <> 2),
             coalesce((SELECT max(ticket_no) + 1 FROM ticket WHERE account_id = ?1), ?2)",
        )?
        .query_row(params![new.account.0, TicketNo::FIRST.0], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    if open >= OPEN_MAX {
        return Ok(Err(TicketError::TooMany));
    }
    let status = new.message.author.leaves();
    conn.prepare_cached(
        "INSERT INTO ticket (account_id, ticket_no, subject, kind, importance, status, notify,
         opened_at, changed_at, messages, files)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, 1, ?9)",
    )?
    .execute(params![
        new.account.0,
        next,
        new.subject,
        new.kind as u8,
        new.importance as u8,
        status as u8,
        new.notify,
        new.message.at.0,
        u32::from(new.message.file.is_some()),
    ])?;
    let ticket = TicketNo(next);
    insert_message(conn, (new.account, ticket), 1, &new.message)?;
    Ok(Ok(ticket))
}

fn add_message(group: &mut Group<'_>, command: &AddTicketMessage) -> Answer<u32> {
    let AddTicketMessage {
        account,
        ticket,
        message,
    } = command;
    let Some(found) = load(group.conn, *account, *ticket)? else {
        return Ok(Err(TicketError::Unknown));
    };
    let with_file = message.file.is_some();
    let is_full = found.messages >= MESSAGES_MAX || (with_file && found.files >= FILES_MAX);
    if message.author == Author::Customer && is_full {
        return Ok(Err(TicketError::TooMany));
    }
    let no = found.messages + 1;
    group
        .conn
        .prepare_cached(
            "UPDATE ticket SET status = ?3, changed_at = ?4, messages = ?5, files = files + ?6
             WHERE account_id = ?1 AND ticket_no = ?2",
        )?
        .execute(params![
            account.0,
            ticket.0,
            message.author.leaves() as u8,
            message.at.0,
            no,
            u32::from(with_file),
        ])?;
    insert_message(group.conn, (*account, *ticket), no, message)?;
    Ok(Ok(no))
}

fn insert_message(
    conn: &Connection,
    (account, ticket): (AccountId, TicketNo),
    no: u32,
    message: &NewTicketMessage,
) -> Result<(), DbError> {
    let file = message.file.as_ref();
    conn.prepare_cached(
        "INSERT INTO ticket_message (account_id, ticket_no, message_no, author, text, at,
         file_name, file_kind, file_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        account.0,
        ticket.0,
        no,
        message.author as u8,
        message.text,
        message.at.0,
        file.map(|file| &file.name),
        file.map(|file| file.kind as u8),
        file.map(|file| file.bytes.len() as i64),
    ])?;
    if let Some(file) = file {
        conn.prepare_cached(
            "INSERT INTO ticket_file (account_id, ticket_no, message_no, content)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![account.0, ticket.0, no, &*file.bytes])?;
    }
    Ok(())
}

fn close_ticket(
    group: &mut Group<'_>,
    account: AccountId,
    ticket: TicketNo,
    at: UnixMillis,
) -> Answer<()> {
    let Some(found) = load(group.conn, account, ticket)? else {
        return Ok(Err(TicketError::Unknown));
    };
    if found.status != Status::Closed {
        group
            .conn
            .prepare_cached(
                "UPDATE ticket SET status = ?3, changed_at = ?4
                 WHERE account_id = ?1 AND ticket_no = ?2",
            )?
            .execute(params![account.0, ticket.0, Status::Closed as u8, at.0])?;
    }
    Ok(Ok(()))
}

fn load(
    conn: &Connection,
    account: AccountId,
    ticket: TicketNo,
) -> Result<Option<Ticket>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM ticket WHERE account_id = ?1 AND ticket_no = ?2"
    ))?;
    let mut rows = statement.query(params![account.0, ticket.0])?;
    rows.next()?.map(ticket_row).transpose()
}

fn tickets(conn: &Connection, query: TicketQuery) -> Result<Vec<(AccountId, Ticket)>, DbError> {
    let (first, no) = query.after.unwrap_or((AccountId(i64::MIN), TicketNo(0)));
    // One account is a range of the key, like all of them.
    let (from, last, no) = match query.account {
        None => (first, i64::MAX, no),
        Some(one) if first < one => (one, one.0, TicketNo(0)),
        Some(one) => (first, one.0, no),
    };
    let open = if query.closed { "" } else { "AND status <> 2" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS}, account_id FROM ticket
         WHERE (account_id, ticket_no) > (?1, ?2) AND account_id <= ?3 {open}
         ORDER BY account_id, ticket_no LIMIT ?4"
    ))?;
    let mut rows = statement.query(params![from.0, no.0, last, query.limit])?;
    let mut tickets = Vec::new();
    while let Some(row) = rows.next()? {
        tickets.push((AccountId(row.get(10)?), ticket_row(row)?));
    }
    Ok(tickets)
}

fn ticket_row(row: &Row<'_>) -> Result<Ticket, DbError> {
    let code = |column| row.get::<_, u8>(column);
    Ok(Ticket {
        no: TicketNo(row.get(0)?),
        subject: row.get(1)?,
        kind: known(Kind::from_code(code(2)?), "kind")?,
        importance: known(Importance::from_code(code(3)?), "importance")?,
        status: known(Status::from_code(code(4)?), "status")?,
        notify: row.get(5)?,
        opened_at: UnixMillis(row.get(6)?),
        changed_at: UnixMillis(row.get(7)?),
        messages: row.get(8)?,
        files: row.get(9)?,
    })
}

fn messages(
    conn: &Connection,
    account: AccountId,
    ticket: TicketNo,
    after: u32,
    limit: u32,
) -> Result<Vec<TicketMessage>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT message_no, author, text, at, file_name, file_kind, file_bytes FROM ticket_message
         WHERE account_id = ?1 AND ticket_no = ?2 AND message_no > ?3 ORDER BY message_no LIMIT ?4",
    )?;
    let mut rows = statement.query(params![account.0, ticket.0, after, limit])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        let file = match row.get::<_, Option<String>>(4)? {
            Some(name) => Some(TicketFile {
                name,
                kind: known(FileKind::from_code(row.get(5)?), "kind of file")?,
                bytes: row.get(6)?,
            }),
            None => None,
        };
        messages.push(TicketMessage {
            no: row.get(0)?,
            author: known(Author::from_code(row.get(1)?), "author")?,
            text: row.get(2)?,
            at: UnixMillis(row.get(3)?),
            file,
        });
    }
    Ok(messages)
}

fn known<T>(value: Option<T>, what: &str) -> Result<T, DbError> {
    value.ok_or_else(|| DbError::Row(format!("a ticket has a {what} that there is not")))
}

/// The counters of each ticket are those of its messages and files.
pub(crate) fn check_tickets(
    conn: &Connection,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT t.ticket_no FROM ticket t WHERE t.account_id = ?1 AND (
             t.messages <> (SELECT count(*) FROM ticket_message m
                 WHERE m.account_id = t.account_id AND m.ticket_no = t.ticket_no)
             OR t.files <> (SELECT count(*) FROM ticket_file f
                 WHERE f.account_id = t.account_id AND f.ticket_no = t.ticket_no)
             OR t.files <> (SELECT count(m.file_name) FROM ticket_message m
                 WHERE m.account_id = t.account_id AND m.ticket_no = t.ticket_no))",
    )?;
    let mut rows = statement.query([id.0])?;
    while let Some(row) = rows.next()? {
        let no: u32 = row.get(0)?;
        findings.expect(false, "tickets", || {
            format!("account {id}: ticket {no} does not count its messages and files")
        });
    }
    Ok(())
}
