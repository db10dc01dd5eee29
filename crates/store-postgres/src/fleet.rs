//! [`store::Fleet`] for [`PostgresStore`], and the fence before the commands of a link.
//!
//! Leases of several machines are judged by one clock, the database's: a process learns it from
//! the answer to its beat.

use crate::PostgresStore;
use crate::db::Tx;
use crate::error::DbError;
use crate::work::Query;
use async_trait::async_trait;
use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;
use std::collections::{HashMap, HashSet};
use store::{
    Beat, BeatAnswer, Duty, Fleet, HeldLink, Lease, PROCESS_FORGOTTEN_HOURS, Process, Roles,
    StoreError, TakeDuties,
};
use tokio_postgres::Row;

#[async_trait]
impl Fleet for PostgresStore {
    async fn beat(&self, beat: Beat) -> Result<BeatAnswer, StoreError> {
        let own_clock = self.own_clock;
        let answer = command!(self, "beat", record_beat, beat, own_clock).await?;
        self.bell.know_others(answer.processes.len() > 1);
        Ok(answer)
    }

    async fn leave(&self, process: ProcessId) -> Result<(), StoreError> {
        command!(self, "leave", leave, process).await
    }

    async fn take_duties(&self, command: TakeDuties) -> Result<Vec<Lease>, StoreError> {
        command!(self, "take_duties", take, command).await
    }

    async fn release_duties(
        &self,
        process: ProcessId,
        duties: Vec<Duty>,
    ) -> Result<(), StoreError> {
        command!(self, "release_duties", release, process, duties).await
    }

    async fn duties(&self) -> Result<Vec<Lease>, StoreError> {
        query!(self, duties).await
    }

    async fn processes(&self) -> Result<Vec<Process>, StoreError> {
        let since = UnixMillis(i64::MIN);
        query!(self, processes, since).await
    }
}

/// The question for [`fenced`]; it keeps the leases with their holder until the end, and comes
/// before any lock of an account. The lock is the weakest that a new holder waits for, so that
/// renewals, which change neither holder nor epoch, do not wait for it.
pub(crate) async fn fence_query(tx: &Tx, links: &[HeldLink]) -> Result<Query, DbError> {
    let statement = tx
        .prepare(
            "SELECT duty, holder, epoch FROM lease WHERE duty = ANY ($1) ORDER BY duty FOR KEY SHARE",
        )
        .await?;
    let duties: Vec<i64> = links
        .iter()
        .map(|held| Duty::Link(held.link).code())
        .collect();
    Ok((statement, vec![Box::new(duties)]))
}

/// The first of these links that is not held under its epoch.
pub(crate) fn fenced(links: &[HeldLink], rows: &[Row]) -> Option<LinkId> {
    let leases: HashMap<i64, (bool, i64)> = rows
        .iter()
        .map(|row| {
            let holder: Option<i64> = row.get(1);
            (row.get(0), (holder.is_some(), row.get(2)))
        })
        .collect();
    links
        .iter()
        .find(|held| match leases.get(&Duty::Link(held.link).code()) {
            None => held.epoch != 0,
            Some((holds, epoch)) => !holds || u64::try_from(*epoch) != Ok(held.epoch),
        })
        .map(|held| held.link)
}

async fn record_beat(tx: &Tx, beat: &Beat, own_clock: &bool) -> Result<BeatAnswer, DbError> {
    let store_now = if *own_clock {
        let row = tx
            .query_one(
                "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8",
                &[],
            )
            .await?;
        UnixMillis(row.get(0))
    } else {
        beat.now
    };
    let expires_at = store_now.plus_millis(beat.expires_at.millis_since(beat.now));
    let forgotten = store_now.plus_seconds(-PROCESS_FORGOTTEN_HOURS * 3_600);
    tx.execute("DELETE FROM process WHERE expires_at < $1", &[&forgotten.0])
        .await?;
    let roles = i64::from(beat.roles.web) | i64::from(beat.roles.dispatch) << 1;
    tx.execute(
        "INSERT INTO process (id, host, pid, name, roles, version, started_at, seen_at,
         expires_at, clock_ahead) VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET host = excluded.host, pid = excluded.pid,
         name = excluded.name, roles = excluded.roles, version = excluded.version,
         seen_at = excluded.seen_at, expires_at = excluded.expires_at,
         clock_ahead = excluded.clock_ahead",
        &[
            &beat.process.0,
            &beat.host,
            &i64::from(beat.pid),
            &beat.name,
            &roles,
            &beat.version,
            &store_now.0,
            &expires_at.0,
            &beat.now.millis_since(store_now),
        ],
    )
    .await?;
    Ok(BeatAnswer {
        processes: processes(tx, &store_now).await?,
        store_now,
    })
}

/// Those that expire after `now`.
async fn processes(tx: &Tx, now: &UnixMillis) -> Result<Vec<Process>, DbError> {
    let rows = tx
        .query(
            "SELECT id, host, pid, name, roles, version, started_at, seen_at, expires_at,
             clock_ahead FROM process WHERE expires_at > $1 ORDER BY id",
            &[&now.0],
        )
        .await?;
    Ok(rows.iter().map(process).collect())
}

fn process(row: &Row) -> Process {
    let roles: i64 = row.get(4);
    let pid: i64 = row.get(2);
    Process {
        id: ProcessId(row.get(0)),
        host: row.get(1),
        pid: u32::try_from(pid).unwrap_or(0),
        name: row.get(3),
        roles: Roles {
            web: roles & 1 != 0,
            dispatch: roles & 2 != 0,
        },
        version: row.get(5),
        started_at: UnixMillis(row.get(6)),
        seen_at: UnixMillis(row.get(7)),
        expires_at: UnixMillis(row.get(8)),
        clock_ahead_millis: row.get(9),
    }
}

async fn leave(tx: &Tx, process: &ProcessId) -> Result<(), DbError> {
    tx.execute("DELETE FROM process WHERE id = $1", &[&process.0])
        .await?;
    // What was begun under these leases ends before they do.
    tx.execute(
        "WITH held AS (SELECT duty FROM lease WHERE holder = $1 ORDER BY duty FOR UPDATE)
         UPDATE lease SET holder = NULL FROM held WHERE lease.duty = held.duty",
        &[&process.0],
    )
    .await?;
    Ok(())
}

async fn take(tx: &Tx, command: &TakeDuties) -> Result<Vec<Lease>, DbError> {
    let mut codes: Vec<i64> = command.duties.iter().map(|duty| duty.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    let mut rows = renew(tx, command, &codes).await?;
    let held: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    codes.retain(|code| !held.contains(code));
    if !codes.is_empty() {
        rows.extend(take_free(tx, command, &codes).await?);
    }
    let mut held = HashMap::new();
    for row in &rows {
        let code: i64 = row.get(0);
        let duty = Duty::from_code(code);
        held.insert(code, lease(duty, command.process, row.get(1), row.get(2))?);
    }
    let mut taken: Vec<Lease> = Vec::with_capacity(held.len());
    for duty in &command.duties {
        taken.extend(held.remove(&duty.code()));
    }
    Ok(taken)
}

/// Makes those last longer that the process holds.
async fn renew(tx: &Tx, command: &TakeDuties, codes: &[i64]) -> Result<Vec<Row>, DbError> {
    tx.query(
        "UPDATE lease SET expires_at = greatest(expires_at, $3)
         WHERE duty = ANY ($1) AND holder = $2 RETURNING duty, epoch, expires_at",
        &[&codes, &command.process.0, &command.expires_at.0],
    )
    .await
}

/// Takes those that nobody holds. One whose last holder has a command under way is left for the
/// next time: a process that was cut off in the middle of one must not hold up the leases of those
/// who live.
async fn take_free(tx: &Tx, command: &TakeDuties, codes: &[i64]) -> Result<Vec<Row>, DbError> {
    let (process, expires_at) = (command.process.0, command.expires_at.0);
    let mut taken = tx
        .query(
            "INSERT INTO lease (duty, holder, epoch, expires_at)
             SELECT v.duty, $2, 1, $3 FROM unnest($1::int8[]) AS v (duty)
             WHERE NOT EXISTS (SELECT FROM lease l WHERE l.duty = v.duty)
             ON CONFLICT (duty) DO NOTHING RETURNING duty, epoch, expires_at",
            &[&codes, &process, &expires_at],
        )
        .await?;
    let rows = tx
        .query(
            "WITH free AS (
                 SELECT duty FROM lease
                 WHERE duty = ANY ($1) AND (holder IS NULL OR holder <> $2 AND expires_at <= $3)
                 ORDER BY duty FOR UPDATE SKIP LOCKED)
             UPDATE lease SET holder = $2, epoch = epoch + 1, expires_at = $4
             FROM free WHERE lease.duty = free.duty
             RETURNING lease.duty, lease.epoch, lease.expires_at",
            &[&codes, &process, &command.now.0, &expires_at],
        )
        .await?;
    taken.extend(rows);
    Ok(taken)
}

async fn release(tx: &Tx, process: &ProcessId, duties: &[Duty]) -> Result<(), DbError> {
    let codes: Vec<i64> = duties.iter().map(|duty| duty.code()).collect();
    // What was begun under these leases ends before they do.
    tx.execute(
        "WITH held AS (
             SELECT duty FROM lease WHERE duty = ANY ($1) AND holder = $2
             ORDER BY duty FOR UPDATE)
         UPDATE lease SET holder = NULL FROM held WHERE lease.duty = held.duty",
        &[&codes, &process.0],
    )
    .await?;
    Ok(())
}

async fn duties(tx: &Tx) -> Result<Vec<Lease>, DbError> {
    let rows = tx
        .query(
            "SELECT duty, holder, epoch, expires_at FROM lease
             WHERE holder IS NOT NULL ORDER BY duty",
            &[],
        )
        .await?;
    rows.iter()
        .map(|row| {
            let (duty, holder) = (Duty::from_code(row.get(0)), ProcessId(row.get(1)));
            lease(duty, holder, row.get(2), row.get(3))
        })
        .collect()
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
