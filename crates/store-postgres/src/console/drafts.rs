//! Messages that were begun and not sent.

use super::{Answer, Next, is_account, number};
use crate::db::{Param, Tx};
use crate::error::DbError;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use store::adapter::draft_fits;
use store::{AdminError, DRAFTS_MAX, Draft, SaveDraft};
use tokio_postgres::Row;

pub(super) async fn save(tx: &Tx, draft: &SaveDraft) -> Answer<DraftNo> {
    if let Err(refused) = draft_fits(&draft.content) {
        return Ok(Err(refused));
    }
    if !is_account(tx, draft.account).await? {
        return Ok(Err(AdminError::Unknown("account")));
    }
    match draft.no {
        Some(no) => replace(tx, no, draft).await,
        None => insert(tx, draft).await,
    }
}

async fn replace(tx: &Tx, no: DraftNo, draft: &SaveDraft) -> Answer<DraftNo> {
    let replaced = tx
        .execute(
            "UPDATE console_draft SET user_no = $3, title = $4, updated_at = $5, content = $6
             WHERE account_id = $1 AND draft_no = $2",
            &[
                &draft.account.0,
                &i64::from(no.0),
                &i64::from(draft.user.0),
                &draft.title,
                &draft.at.0,
                &draft.content,
            ],
        )
        .await?;
    Ok(match replaced {
        0 => Err(AdminError::Unknown("draft")),
        _ => Ok(no),
    })
}

async fn insert(tx: &Tx, draft: &SaveDraft) -> Answer<DraftNo> {
    let account = draft.account.0;
    let next = Next::lock(tx, account).await?;
    let row = tx
        .query_one(
            "SELECT count(*) FROM console_draft WHERE account_id = $1",
            &[&account],
        )
        .await?;
    if row.get::<_, i64>(0) >= i64::from(DRAFTS_MAX) {
        return Ok(Err(AdminError::Refused(
            "there are as many drafts as may be",
        )));
    }
    let no = next.next_draft(tx).await?;
    let params: [Param<'_>; 6] = [
        &account,
        &i64::from(no.0),
        &i64::from(draft.user.0),
        &draft.title,
        &draft.at.0,
        &draft.content,
    ];
    tx.execute(
        "INSERT INTO console_draft (account_id, draft_no, user_no, title, updated_at, content)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &params,
    )
    .await?;
    Ok(Ok(no))
}

pub(super) async fn remove(tx: &Tx, account: &AccountId, no: &DraftNo) -> Result<bool, DbError> {
    let removed = tx
        .execute(
            "DELETE FROM console_draft WHERE account_id = $1 AND draft_no = $2",
            &[&account.0, &i64::from(no.0)],
        )
        .await?;
    Ok(removed > 0)
}

pub(super) async fn list(tx: &Tx, account: &AccountId) -> Result<Vec<Draft>, DbError> {
    let rows = tx
        .query(
            "SELECT draft_no, user_no, title, updated_at, '' FROM console_draft
             WHERE account_id = $1 ORDER BY updated_at DESC, draft_no DESC",
            &[&account.0],
        )
        .await?;
    rows.iter().map(draft).collect()
}

pub(super) async fn load(
    tx: &Tx,
    account: &AccountId,
    no: &DraftNo,
) -> Result<Option<Draft>, DbError> {
    let row = tx
        .query_opt(
            "SELECT draft_no, user_no, title, updated_at, content FROM console_draft
             WHERE account_id = $1 AND draft_no = $2",
            &[&account.0, &i64::from(no.0)],
        )
        .await?;
    row.as_ref().map(draft).transpose()
}

fn draft(row: &Row) -> Result<Draft, DbError> {
    Ok(Draft {
        no: DraftNo(number(row.get(0))?),
        user: UserNo(number(row.get(1))?),
        title: row.get(2),
        updated_at: UnixMillis(row.get(3)),
        content: row.get(4),
    })
}
