//! The schema of the database: its migrations, which of them are applied, carrying out the others,
//! one process at a time. When that is allowed is decided by [`store::schema`].

use crate::connect::Config;
use crate::db::{Db, Tx};
use crate::error::{DbError, OpenError};
use std::time::Duration;
use store::schema::{self, Kind, Living, Migration, Plan, Refused, State, Step};

/// Every migration, in order.
pub const MIGRATIONS: &[Migration] = &[
    first("0001_first", include_str!("../migrations/0001_first.sql")),
    first(
        "0002_phonebooks",
        include_str!("../migrations/0002_phonebooks.sql"),
    ),
    first("0003_inbox", include_str!("../migrations/0003_inbox.sql")),
    first(
        "0004_screening",
        include_str!("../migrations/0004_screening.sql"),
    ),
    first(
        "0005_resellers",
        include_str!("../migrations/0005_resellers.sql"),
    ),
    first(
        "0006_patterns",
        include_str!("../migrations/0006_patterns.sql"),
    ),
    first(
        "0007_tickets",
        include_str!("../migrations/0007_tickets.sql"),
    ),
    first("0008_fleet", include_str!("../migrations/0008_fleet.sql")),
    first("0009_copy", include_str!("../migrations/0009_copy.sql")),
    first(
        "0010_account_guard",
        include_str!("../migrations/0010_account_guard.sql"),
    ),
    added(
        "0011_console",
        include_str!("../migrations/0011_console.sql"),
    ),
    added("0012_bulks", include_str!("../migrations/0012_bulks.sql")),
];

const fn first(name: &'static str, sql: &'static str) -> Migration {
    Migration {
        name,
        kind: Kind::First,
        sql,
    }
}

const fn added(name: &'static str, sql: &'static str) -> Migration {
    Migration {
        name,
        kind: Kind::Expand,
        sql,
    }
}

/// Times that the migrations are begun again, when several processes make the tables at once or a
/// lock cannot be had, and the pause between two.
const ATTEMPTS_MAX: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// A migration may take as long as it takes, but everybody else waits behind one that waits for a
/// lock: so it gives up, and begins again.
const LIMITS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5s'";

/// What a database says of its schema, without changing it. An empty one says so.
///
/// # Errors
/// Nobody answers there, or it is a database of something else.
pub async fn read(config: &Config) -> Result<State, OpenError> {
    let db = Db::open(config).await?;
    let tx = db.connection().await?;
    let state = look(&tx).await;
    db.close();
    Ok(state?.unwrap_or_default())
}

/// Carries out everything that is pending, contractions among it, unless a process needs what they
/// take away: one of those that have said in the database that they live.
///
/// # Errors
/// As [`read`]; and as [`store::schema::contract`].
pub async fn contract(config: &Config) -> Result<State, OpenError> {
    let db = Db::open(config).await?;
    let plan = |state, living: Vec<Living>| schema::contract(state, MIGRATIONS, &living);
    let done = carry_out(&db, plan).await;
    db.close();
    done
}

/// The processes that have said that they live, by the database's clock.
async fn living(tx: &Tx) -> Result<Vec<Living>, DbError> {
    let table = tx
        .query_one("SELECT to_regclass('process') IS NOT NULL", &[])
        .await?;
    // An empty database has no table for them yet.
    if !table.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let sql = "SELECT name, version FROM process
               WHERE expires_at > (extract(epoch FROM now()) * 1000)::int8 - $1";
    let rows = tx.query(sql, &[&schema::GONE_AFTER_MILLIS]).await?;
    Ok(rows
        .iter()
        .map(|row| Living::of(row.get(0), row.get(1)))
        .collect())
}

/// Brings the database as far as opening may.
pub(crate) async fn expand(db: &Db) -> Result<(), OpenError> {
    let plan = |state, _| schema::plan(state, MIGRATIONS);
    // Most starts find nothing to do, and need no lock for that.
    let found = look(&db.connection().await?).await?;
    if let Some(state) = found
        && plan(state, Vec::new())?.run.is_empty()
    {
        return Ok(());
    }
    carry_out(db, plan).await.map(drop)
}

async fn carry_out<'a>(
    db: &Db,
    plan: impl Fn(State, Vec<Living>) -> Result<Plan<'a>, Refused>,
) -> Result<State, OpenError> {
    let mut attempt = 1;
    loop {
        match once(db, &plan).await {
            Err(Problem::Db(error)) if attempt < ATTEMPTS_MAX && error.as_raced() => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(Problem::Db(error)) => return Err(error.into()),
            Err(Problem::Open(error)) => return Err(error),
            Ok(state) => return Ok(state),
        }
    }
}

enum Problem {
    Db(DbError),
    Open(OpenError),
}

impl From<DbError> for Problem {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<Problem> for OpenError {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Db(error) => error.into(),
            Problem::Open(error) => error,
        }
    }
}

impl DbError {
    /// Two processes that make the first table at the same time meet in the catalogs of the
    /// database: the second one fails, and finds everything done the next time.
    fn as_raced(&self) -> bool {
        // 42P07: the table exists; 23505: a row of the catalog does; XX000: it changed meanwhile;
        // 55P03: a lock was not to be had.
        let raced = ["42P07", "23505", "XX000", "55P03", "40001", "40P01"];
        match self {
            Self::Sql(error) => error
                .code()
                .is_some_and(|code| raced.contains(&code.code())),
            Self::Away(_) | Self::Stuck(..) | Self::Held(_) | Self::Row(_) => false,
        }
    }
}

async fn once<'a>(
    db: &Db,
    plan: &impl Fn(State, Vec<Living>) -> Result<Plan<'a>, Refused>,
) -> Result<State, Problem> {
    let tx = db.begin("BEGIN").await?.without_limit();
    tx.batch(LIMITS).await?;
    if look(&tx).await?.is_none() {
        tx.batch(
            "CREATE TABLE peyk_schema (
                 one int8 PRIMARY KEY, applied int8 NOT NULL, oldest int8 NOT NULL
             );
             INSERT INTO peyk_schema (one, applied, oldest) VALUES (1, 0, 0)",
        )
        .await?;
    }
    let lock = "SELECT applied, oldest FROM peyk_schema WHERE one = 1 FOR UPDATE";
    let found = state_of(&tx, lock).await?;
    // Asked under the lock: another process may have been faster.
    let plan = plan(found, living(&tx).await?).map_err(|refused| Problem::Open(refused.into()))?;
    apply(&tx, &plan.run).await?;
    tx.write_all(&[], true).await?;
    Ok(plan.after())
}

async fn apply(tx: &Tx, steps: &[Step<'_>]) -> Result<(), DbError> {
    for step in steps {
        tx.batch(step.migration.sql).await?;
    }
    let Some(last) = steps.last() else {
        return Ok(());
    };
    let State { applied, oldest } = last.after;
    tx.execute(
        "UPDATE peyk_schema SET applied = $1, oldest = $2 WHERE one = 1",
        &[&i64::from(applied), &i64::from(oldest)],
    )
    .await
    .map(drop)
}

/// What the database says of itself; nothing where it has no tables yet.
async fn look(tx: &Tx) -> Result<Option<State>, Problem> {
    let ours = tx
        .query_one("SELECT to_regclass('peyk_schema') IS NOT NULL", &[])
        .await?;
    if ours.get(0) {
        let sql = "SELECT applied, oldest FROM peyk_schema WHERE one = 1";
        return Ok(Some(state_of(tx, sql).await?));
    }
    let tables = tx
        .query_one(
            // Views are not counted: extensions put theirs beside the tables.
            "SELECT count(*) FROM information_schema.tables
             WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
            &[],
        )
        .await?;
    if tables.get::<_, i64>(0) > 0 {
        return Err(Problem::Open(OpenError::NotOurs));
    }
    Ok(None)
}

async fn state_of(tx: &Tx, sql: &str) -> Result<State, DbError> {
    let row = tx.query_one(sql, &[]).await?;
    let number = |at| u32::try_from(row.get::<_, i64>(at)).unwrap_or(u32::MAX);
    Ok(State {
        applied: number(0),
        oldest: number(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order() {
        assert_eq!(schema::check_list(MIGRATIONS), Ok(()));
    }
}
