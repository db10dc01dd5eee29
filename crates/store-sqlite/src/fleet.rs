//! [`store::Fleet`] for [`SqliteStore`], and the fence before the commands of a link.

use crate::SqliteStore;
use crate::error::DbError;
use crate::group::Group;
use async_trait::async_trait;
use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{
    Beat, BeatAnswer, Duty, Fleet, Lease, PROCESS_FORGOTTEN_HOURS, Process, Roles, StoreError,
    TakeDuties,
};

/// The columns of a process, in the order in which [`process_row`] reads them.
const PROCESS: &str = "id, host, pid, name, roles, version, started_at, seen_at, expires_at";

#[async_trait]
impl Fleet for SqliteStore {
    async fn beat(&self, beat: Beat) -> Result<BeatAnswer, StoreError> {
        self.writer
            .run("beat", move |group| record_beat(group, &beat))
            .await
    }

    async fn leave(&self, process: ProcessId) -> Result<(), StoreError> {
        self.writer
            .run("leave", move |group| leave(group, process))
            .await
    }

    async fn take_duties(&self, command: TakeDuties) -> Result<Vec<Lease>, StoreError> {
        self.writer
            .run("take_duties", move |group| take(group, &command))
            .await
    }

    async fn release_duties(
        &self,
        process: ProcessId,
        duties: Vec<Duty>,
    ) -> Result<(), StoreError> {
        self.writer
            .run("release_duties", move |group| {
                release(group, process, &duties)
            })
            .await
    }

    async fn duties(&self) -> Result<Vec<Lease>, StoreError> {
        self.readers.run(duties).await
    }

    async fn processes(&self) -> Result<Vec<Process>, StoreError> {
        self.readers
            .run(|conn| processes(conn, UnixMillis(i64::MIN)))
            .await
    }
}

/// Refuses the command of whoever does not hold the link under this epoch. One look by the key,
/// before anything is written.
pub(crate) fn fence(
    conn: &Connection,
    link: LinkId,
    epoch: u64,
) -> Result<Result<(), StoreError>, DbError> {
    let mut look = conn.prepare_cached("SELECT holder, epoch FROM lease WHERE duty = ?1")?;
    let lease: Option<(Option<i64>, i64)> = look
        .query_row([Duty::Link(link).code()], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let held = match lease {
        None => epoch == 0,
        Some((holder, held)) => holder.is_some() && u64::try_from(held) == Ok(epoch),
    };
    Ok(if held {
        Ok(())
    } else {
        Err(StoreError::Fenced(link))
    })
}

fn record_beat(group: &mut Group<'_>, beat: &Beat) -> Result<BeatAnswer, DbError> {
    let conn = group.conn;
    let forgotten = beat.now.plus_seconds(-PROCESS_FORGOTTEN_HOURS * 3_600);
    conn.prepare_cached("DELETE FROM process WHERE expires_at < ?1")?
        .execute([forgotten.0])?;
    conn.prepare_cached(
        "INSERT INTO process (id, host, pid, name, roles, version, started_at, seen_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)
         ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid,
         name = excluded.name, roles = excluded.roles, version = excluded.version,
         seen_at = excluded.seen_at, expires_at = excluded.expires_at",
    )?
    .execute(params![
        beat.process.0,
        beat.host,
        beat.pid,
        beat.name,
        u8::from(beat.roles.web) | u8::from(beat.roles.dispatch) << 1,
        beat.version,
        beat.now.0,
        beat.expires_at.0,
    ])?;
    Ok(BeatAnswer {
        processes: processes(conn, beat.now)?,
        store_now: beat.now,
    })
}

/// Those that expire after `now`.
fn processes(conn: &Connection, now: UnixMillis) -> Result<Vec<Process>, DbError> {
    let sql = format!("SELECT {PROCESS} FROM process WHERE expires_at > ?1 ORDER BY id");
    let found = conn
        .prepare_cached(&sql)?
        .query_map([now.0], process_row)?
        .collect::<Result<_, _>>()?;
    Ok(found)
}

fn process_row(row: &Row<'_>) -> rusqlite::Result<Process> {
    let roles: u8 = row.get(4)?;
    Ok(Process {
        id: ProcessId(row.get(0)?),
        host: row.get(1)?,
        pid: row.get(2)?,
        name: row.get(3)?,
        roles: Roles {
            web: roles & 1 != 0,
            dispatch: roles & 2 != 0,
        },
        version: row.get(5)?,
        started_at: UnixMillis(row.get(6)?),
        seen_at: UnixMillis(row.get(7)?),
        expires_at: UnixMillis(row.get(8)?),
        // One file is on one machine, and its clock is the only one.
        clock_ahead_millis: 0,
    })
}

fn leave(group: &mut Group<'_>, process: ProcessId) -> Result<(), DbError> {
    let conn = group.conn;
    conn.prepare_cached("DELETE FROM process WHERE id = ?1")?
        .execute([process.0])?;
    conn.prepare_cached("UPDATE lease SET holder = NULL WHERE holder = ?1")?
        .execute([process.0])?;
    Ok(())
}

fn take(group: &mut Group<'_>, command: &TakeDuties) -> Result<Vec<Lease>, DbError> {
    let mut take = group.conn.prepare_cached(
        "INSERT INTO lease (duty, holder, epoch, expires_at) VALUES (?1, ?2, 1, ?4)
         ON CONFLICT (duty) DO UPDATE SET
         epoch = epoch + (holder IS NOT excluded.holder),
         expires_at = CASE WHEN holder IS excluded.holder
             THEN max(expires_at, excluded.expires_at) ELSE excluded.expires_at END,
         holder = excluded.holder
         WHERE holder IS NULL OR holder = excluded.holder OR expires_at <= ?3
         RETURNING epoch, expires_at",
    )?;
    let mut held = Vec::with_capacity(command.duties.len());
    for duty in &command.duties {
        let taken: Option<(i64, i64)> = take
            .query_row(
                params![
                    duty.code(),
                    command.process.0,
                    command.now.0,
                    command.expires_at.0
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        if let Some((epoch, expires_at)) = taken {
            held.push(lease(*duty, command.process, epoch, expires_at)?);
        }
    }
    Ok(held)
}

fn release(group: &mut Group<'_>, process: ProcessId, duties: &[Duty]) -> Result<(), DbError> {
    let mut release = group
        .conn
        .prepare_cached("UPDATE lease SET holder = NULL WHERE duty = ?1 AND holder = ?2")?;
    for duty in duties {
        release.execute([duty.code(), process.0])?;
    }
    Ok(())
}

fn duties(conn: &Connection) -> Result<Vec<Lease>, DbError> {
    let mut held = conn.prepare_cached(
        "SELECT duty, holder, epoch, expires_at FROM lease WHERE holder IS NOT NULL ORDER BY duty",
    )?;
    let mut rows = held.query([])?;
    let mut leases = Vec::new();
    while let Some(row) = rows.next()? {
        let (duty, holder) = (Duty::from_code(row.get(0)?), ProcessId(row.get(1)?));
        leases.push(lease(duty, holder, row.get(2)?, row.get(3)?)?);
    }
    Ok(leases)
}

fn lease(duty: Duty, holder: ProcessId, epoch: i64, expires_at: i64) -> Result<Lease, DbError> {
    Ok(Lease {
        duty,
        holder,
        epoch: u64::try_from(epoch)
            .map_err(|_| DbError::Row(format!("the lease {duty:?} has epoch {epoch}")))?,
        expires_at: UnixMillis(expires_at),
    })
}
