//! Messages that were begun and not sent.

use super::{Numbered, next_number};
use crate::error::DbError;
use crate::patterns::account_exists;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::adapter::draft_fits;
use store::{AdminError, DRAFTS_MAX, Draft, SaveDraft};

pub(super) fn save(
    conn: &Connection,
    draft: &SaveDraft,
) -> Result<Result<DraftNo, AdminError>, DbError> {
    if let Err(refused) = draft_fits(&draft.content) {
        return Ok(Err(refused));
    }
    if !account_exists(conn, draft.account)? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    match draft.no {
        Some(no) => replace(conn, no, draft),
        None => insert(conn, draft),
    }
}

fn replace(
    conn: &Connection,
    no: DraftNo,
    draft: &SaveDraft,
) -> Result<Result<DraftNo, AdminError>, DbError> {
    let replaced = conn
        .prepare_cached(
            "UPDATE console_draft SET user_no = ?3, title = ?4, updated_at = ?5, content = ?6
             WHERE account_id = ?1 AND draft_no = ?2",
        )?
        .execute(params![
            draft.account.0,
            no.0,
            draft.user.0,
            draft.title,
            draft.at.0,
            draft.content,
        ])?;
    Ok(match replaced {
        0 => Err(AdminError::Unknown("draft")),
        _ => Ok(no),
    })
}

fn insert(conn: &Connection, draft: &SaveDraft) -> Result<Result<DraftNo, AdminError>, DbError> {
    let drafts: u32 = conn
        .prepare_cached("SELECT count(*) FROM console_draft WHERE account_id = ?1")?
        .query_row([draft.account.0], |row| row.get(0))?;
    if drafts >= DRAFTS_MAX {
        return Ok(Err(AdminError::Refused(
            "there are as many drafts as may be",
        )));
    }
    let no = next_number(conn, draft.account.0, Numbered::Draft)?;
    let no = u32::try_from(no).map_err(|_| DbError::Row(format!("{no} is no draft's number")))?;
    conn.prepare_cached(
        "INSERT INTO console_draft (account_id, draft_no, user_no, title, updated_at, content)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        draft.account.0,
        no,
        draft.user.0,
        draft.title,
        draft.at.0,
        draft.content,
    ])?;
    Ok(Ok(DraftNo(no)))
}

pub(super) fn remove(conn: &Connection, account: AccountId, no: DraftNo) -> Result<bool, DbError> {
    let removed = conn
        .prepare_cached("DELETE FROM console_draft WHERE account_id = ?1 AND draft_no = ?2")?
        .execute(params![account.0, no.0])?;
    Ok(removed > 0)
}

pub(super) fn list(conn: &Connection, account: AccountId) -> Result<Vec<Draft>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT draft_no, user_no, title, updated_at, '' FROM console_draft
         WHERE account_id = ?1 ORDER BY updated_at DESC, draft_no DESC",
    )?;
    let rows = statement.query_map([account.0], draft)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn load(
    conn: &Connection,
    account: AccountId,
    no: DraftNo,
) -> Result<Option<Draft>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT draft_no, user_no, title, updated_at, content FROM console_draft
         WHERE account_id = ?1 AND draft_no = ?2",
    )?;
    let found = statement.query_row(params![account.0, no.0], draft);
    Ok(found.optional()?)
}

fn draft(row: &Row<'_>) -> rusqlite::Result<Draft> {
    Ok(Draft {
        no: DraftNo(row.get(0)?),
        user: UserNo(row.get(1)?),
        title: row.get(2)?,
        updated_at: UnixMillis(row.get(3)?),
        content: row.get(4)?,
    })
}
