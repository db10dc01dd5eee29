//! Sessions of people who signed in.

use super::{Next, Person, number};
use crate::db::{Param, Tx};
use crate::error::DbError;
use domain::ids::UserNo;
use domain::time::UnixMillis;
use store::adapter::{owner_no, owner_of};
use store::{EndSessions, SESSIONS_PER_USER_MAX, Session, SessionId, StoreError, TouchSession};
use tokio_postgres::Row;

/// Sessions that one sweep forgets.
const PURGED_PER_COMMAND_MAX: i64 = 1_000;

/// The columns of a session, in the order in which [`session`] reads them.
const COLUMNS: &str =
    "digest, account_id, user_no, created_at, seen_at, expires_at, address, agent";

pub(super) async fn create(tx: &Tx, session: &Session) -> Result<Result<(), StoreError>, DbError> {
    let owner = owner_no(session.account);
    Next::lock(tx, owner).await?;
    let digest = &session.id.0[..];
    let user = i64::from(session.user.0);
    let params: [Param<'_>; 8] = [
        &digest,
        &owner,
        &user,
        &session.created_at.0,
        &session.seen_at.0,
        &session.expires_at.0,
        &session.address,
        &session.agent,
    ];
    let written = tx
        .execute(
            "INSERT INTO console_session (digest, account_id, user_no, created_at, seen_at,
             expires_at, address, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (digest) DO NOTHING",
            &params,
        )
        .await?;
    if written == 0 {
        let what = "there is such a session".into();
        return Ok(Err(StoreError::Other(what)));
    }
    // Those that ran out, and those beyond the ones seen last, of which the new one is one more.
    let kept = i64::from(SESSIONS_PER_USER_MAX - 1);
    let params: [Param<'_>; 5] = [&owner, &user, &session.created_at.0, &digest, &kept];
    tx.execute(
        "DELETE FROM console_session WHERE account_id = $1 AND user_no = $2 AND digest <> $4
         AND digest NOT IN (SELECT digest FROM console_session
             WHERE account_id = $1 AND user_no = $2 AND expires_at > $3 AND digest <> $4
             ORDER BY seen_at DESC, digest DESC LIMIT $5)",
        &params,
    )
    .await?;
    Ok(Ok(()))
}

pub(super) async fn touch(tx: &Tx, command: &TouchSession) -> Result<(), DbError> {
    let digest = &command.id.0[..];
    let params: [Param<'_>; 4] = [
        &digest,
        &command.seen_at.0,
        &command.expires_at.0,
        &command.address,
    ];
    tx.execute(
        "UPDATE console_session SET seen_at = $2, expires_at = $3, address = $4
         WHERE digest = $1 AND expires_at > $2",
        &params,
    )
    .await
    .map(drop)
}

pub(super) async fn end(tx: &Tx, person: &Person, which: &EndSessions) -> Result<u32, DbError> {
    let (owner, user) = (owner_no(person.0), i64::from(person.1.0));
    Next::lock(tx, owner).await?;
    let (sql, id) = match which {
        EndSessions::All => return end_all(tx, *person).await,
        EndSessions::One(id) => (
            "DELETE FROM console_session WHERE account_id = $1 AND user_no = $2 AND digest = $3",
            id,
        ),
        EndSessions::Others(id) => (
            "DELETE FROM console_session WHERE account_id = $1 AND user_no = $2 AND digest <> $3",
            id,
        ),
    };
    let ended = tx.execute(sql, &[&owner, &user, &&id.0[..]]).await?;
    Ok(u32::try_from(ended).unwrap_or(u32::MAX))
}

/// Ends all sessions of a person. The caller has the lock.
pub(super) async fn end_all(tx: &Tx, (account, user): Person) -> Result<u32, DbError> {
    let ended = tx
        .execute(
            "DELETE FROM console_session WHERE account_id = $1 AND user_no = $2",
            &[&owner_no(account), &i64::from(user.0)],
        )
        .await?;
    Ok(u32::try_from(ended).unwrap_or(u32::MAX))
}

pub(super) async fn load(
    tx: &Tx,
    id: &SessionId,
    now: &UnixMillis,
) -> Result<Option<Session>, DbError> {
    let sql =
        format!("SELECT {COLUMNS} FROM console_session WHERE digest = $1 AND expires_at > $2");
    let row = tx.query_opt(&sql, &[&&id.0[..], &now.0]).await?;
    row.as_ref().map(session).transpose()
}

pub(super) async fn list(
    tx: &Tx,
    (account, user): &Person,
    now: &UnixMillis,
) -> Result<Vec<Session>, DbError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM console_session
         WHERE account_id = $1 AND user_no = $2 AND expires_at > $3
         ORDER BY seen_at DESC, digest DESC"
    );
    let params: [Param<'_>; 3] = [&owner_no(*account), &i64::from(user.0), &now.0];
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(session).collect()
}

fn session(row: &Row) -> Result<Session, DbError> {
    let digest: &[u8] = row.get(0);
    let id = digest
        .try_into()
        .map_err(|_| DbError::Row("the digest of a session has another length".into()))?;
    Ok(Session {
        id: SessionId(id),
        account: owner_of(row.get(1)),
        user: UserNo(number(row.get(2))?),
        created_at: UnixMillis(row.get(3)),
        seen_at: UnixMillis(row.get(4)),
        expires_at: UnixMillis(row.get(5)),
        address: row.get(6),
        agent: row.get(7),
    })
}

/// Forgets sessions that ran out, of anybody; true when there may be more. Asked twice whether one
/// ran out: it may be used at this moment, and last longer by it.
pub(crate) async fn purge(tx: &Tx, now: &UnixMillis) -> Result<bool, DbError> {
    let gone = tx
        .execute(
            "DELETE FROM console_session s USING (SELECT digest FROM console_session
                 WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2) AS old
             WHERE s.digest = old.digest AND s.expires_at <= $1",
            &[&now.0, &PURGED_PER_COMMAND_MAX],
        )
        .await?;
    Ok(gone >= PURGED_PER_COMMAND_MAX.cast_unsigned())
}
