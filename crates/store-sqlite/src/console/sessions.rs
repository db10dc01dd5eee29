//! Sessions of people who signed in.

use crate::error::DbError;
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::adapter::{owner_no, owner_of};
use store::{EndSessions, SESSIONS_PER_USER_MAX, Session, SessionId, StoreError, TouchSession};

/// Whose sessions.
type Person = (Option<AccountId>, UserNo);

/// Sessions that one sweep forgets.
const PURGED_PER_COMMAND_MAX: usize = 1_000;

/// The columns of a session, in the order in which [`session`] reads them.
const COLUMNS: &str =
    "digest, account_id, user_no, created_at, seen_at, expires_at, address, agent";

pub(super) fn create(
    conn: &Connection,
    session: &Session,
) -> Result<Result<(), StoreError>, DbError> {
    let known = conn
        .prepare_cached("SELECT 1 FROM console_session WHERE digest = ?1")?
        .exists([&session.id.0[..]])?;
    if known {
        let what = "there is such a session".into();
        return Ok(Err(StoreError::Other(what)));
    }
    let owner = owner_no(session.account);
    // Those that ran out, and those beyond the ones seen last, of which the new one is one more.
    conn.prepare_cached(
        "DELETE FROM console_session WHERE account_id = ?1 AND user_no = ?2
         AND digest NOT IN (SELECT digest FROM console_session
             WHERE account_id = ?1 AND user_no = ?2 AND expires_at > ?3
             ORDER BY seen_at DESC, digest DESC LIMIT ?4)",
    )?
    .execute(params![
        owner,
        session.user.0,
        session.created_at.0,
        SESSIONS_PER_USER_MAX - 1,
    ])?;
    conn.prepare_cached(
        "INSERT INTO console_session (digest, account_id, user_no, created_at, seen_at,
         expires_at, address, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        &session.id.0[..],
        owner,
        session.user.0,
        session.created_at.0,
        session.seen_at.0,
        session.expires_at.0,
        session.address,
        session.agent,
    ])?;
    Ok(Ok(()))
}

pub(super) fn touch(conn: &Connection, command: &TouchSession) -> Result<(), DbError> {
    conn.prepare_cached(
        "UPDATE console_session SET seen_at = ?2, expires_at = ?3, address = ?4
         WHERE digest = ?1 AND expires_at > ?2",
    )?
    .execute(params![
        &command.id.0[..],
        command.seen_at.0,
        command.expires_at.0,
        command.address,
    ])?;
    Ok(())
}

pub(super) fn end(
    conn: &Connection,
    (account, user): Person,
    which: EndSessions,
) -> Result<u32, DbError> {
    let owner = owner_no(account);
    let ended = match which {
        EndSessions::All => conn
            .prepare_cached("DELETE FROM console_session WHERE account_id = ?1 AND user_no = ?2")?
            .execute(params![owner, user.0])?,
        EndSessions::One(id) => conn
            .prepare_cached(
                "DELETE FROM console_session
                 WHERE account_id = ?1 AND user_no = ?2 AND digest = ?3",
            )?
            .execute(params![owner, user.0, &id.0[..]])?,
        EndSessions::Others(id) => conn
            .prepare_cached(
                "DELETE FROM console_session
                 WHERE account_id = ?1 AND user_no = ?2 AND digest <> ?3",
            )?
            .execute(params![owner, user.0, &id.0[..]])?,
    };
    Ok(u32::try_from(ended).unwrap_or(u32::MAX))
}

pub(super) fn load(
    conn: &Connection,
    id: SessionId,
    now: UnixMillis,
) -> Result<Option<Session>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM console_session WHERE digest = ?1 AND expires_at > ?2"
    ))?;
    let found = statement.query_row(params![&id.0[..], now.0], session);
    Ok(found.optional()?)
}

pub(super) fn list(
    conn: &Connection,
    (account, user): Person,
    now: UnixMillis,
) -> Result<Vec<Session>, DbError> {
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM console_session
         WHERE account_id = ?1 AND user_no = ?2 AND expires_at > ?3
         ORDER BY seen_at DESC, digest DESC"
    ))?;
    let rows = statement.query_map(params![owner_no(account), user.0, now.0], session)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: SessionId(row.get(0)?),
        account: owner_of(row.get(1)?),
        user: UserNo(row.get(2)?),
        created_at: UnixMillis(row.get(3)?),
        seen_at: UnixMillis(row.get(4)?),
        expires_at: UnixMillis(row.get(5)?),
        address: row.get(6)?,
        agent: row.get(7)?,
    })
}

/// Forgets sessions that ran out, of anybody; true when there may be more.
pub(crate) fn purge(conn: &Connection, now: UnixMillis) -> Result<bool, DbError> {
    let gone = conn
        .prepare_cached(
            "DELETE FROM console_session WHERE digest IN (SELECT digest FROM console_session
             WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
        )?
        .execute(params![now.0, PURGED_PER_COMMAND_MAX as i64])?;
    Ok(gone == PURGED_PER_COMMAND_MAX)
}
