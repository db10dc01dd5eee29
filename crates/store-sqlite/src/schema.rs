//! The schema of the file: its migrations, which of them are applied, carrying out the others.
//! When that is allowed is decided by [`store::schema`].

use crate::connect::{open_bare, refuse_foreign};
use crate::error::OpenError;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use std::path::Path;
use store::schema::{self, Kind, Living, Migration, Plan, State, Step};

/// `PRAGMA application_id` of our files: "peyk" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x7065_796b;

/// The key in `meta` of the oldest program that may work with the file. How many migrations were
/// applied is `PRAGMA user_version`.
const OLDEST: &str = "schema_oldest";

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
    added(
        "0010_console",
        include_str!("../migrations/0010_console.sql"),
    ),
    added("0011_bulks", include_str!("../migrations/0011_bulks.sql")),
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

/// What a file says of its schema, without changing it.
///
/// # Errors
/// There is no such file, or it is not a peyk database.
pub fn read(path: &Path) -> Result<State, OpenError> {
    let conn = open_bare(path)?;
    refuse_foreign(&conn, path)?;
    state(&conn)
}

/// Carries out everything that is pending in an existing file, contractions among it, unless a
/// process needs what they take away: one of those that have said in the file that they live, or
/// one of `others`.
///
/// # Errors
/// As [`read`]; and as [`store::schema::contract`].
pub fn contract(path: &Path, now: UnixMillis, others: &[Living]) -> Result<State, OpenError> {
    let mut conn = open_bare(path)?;
    refuse_foreign(&conn, path)?;
    conn.execute_batch("PRAGMA synchronous=FULL")?;
    contract_to(&mut conn, MIGRATIONS, now, others)
}

fn contract_to(
    conn: &mut Connection,
    migrations: &[Migration],
    now: UnixMillis,
    others: &[Living],
) -> Result<State, OpenError> {
    run(conn, |tx, state| {
        let living = [&living(tx, now)?, others].concat();
        Ok(schema::contract(state, migrations, &living)?)
    })
}

/// The processes that have said that they live.
fn living(conn: &Connection, now: UnixMillis) -> Result<Vec<Living>, OpenError> {
    let table = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'process')";
    if !conn.query_row(table, [], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut processes = conn.prepare("SELECT name, version FROM process WHERE expires_at > ?1")?;
    let gone = now.0.saturating_sub(schema::GONE_AFTER_MILLIS);
    let found = processes.query_map([gone], |row| {
        let (name, version): (String, String) = (row.get(0)?, row.get(1)?);
        Ok(Living::of(&name, &version))
    })?;
    Ok(found.collect::<Result<_, _>>()?)
}

/// Brings the file as far as opening may.
pub(crate) fn expand(conn: &mut Connection) -> Result<(), OpenError> {
    expand_to(conn, MIGRATIONS)
}

fn expand_to(conn: &mut Connection, migrations: &[Migration]) -> Result<(), OpenError> {
    // Most starts find nothing to do, and need no lock for that.
    if schema::plan(state(conn)?, migrations)?.run.is_empty() {
        return Ok(());
    }
    run(conn, |_, state| Ok(schema::plan(state, migrations)?)).map(drop)
}

/// Whether this program may read the file. Reading does not expand.
pub(crate) fn admit(conn: &Connection, path: &Path) -> Result<(), OpenError> {
    let state = state(conn)?;
    if state == State::default() {
        return Err(OpenError::NotOurs(path.to_owned()));
    }
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    Ok(state.admit(known)?)
}

fn state(conn: &Connection) -> Result<State, OpenError> {
    let applied: u32 = conn.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if applied == 0 {
        return Ok(State::default());
    }
    let oldest = conn
        .query_row("SELECT value FROM meta WHERE key = ?1", [OLDEST], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(State {
        applied,
        // A file that does not say is taken to be for its own program alone.
        oldest: oldest.unwrap_or(applied),
    })
}

fn run<'a>(
    conn: &mut Connection,
    plan: impl FnOnce(&Connection, State) -> Result<Plan<'a>, OpenError>,
) -> Result<State, OpenError> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked under the lock: another process may have been faster.
    let plan = plan(&tx, state(&tx)?)?;
    apply(&tx, &plan.run)?;
    tx.commit()?;
    Ok(plan.after())
}

fn apply(conn: &Connection, steps: &[Step<'_>]) -> Result<(), OpenError> {
    for step in steps {
        conn.execute_batch(step.migration.sql)?;
    }
    let Some(last) = steps.last() else {
        return Ok(());
    };
    conn.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES (?1, ?2)",
        (OLDEST, last.after.oldest),
    )?;
    conn.execute_batch(&format!(
        "PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={}",
        last.after.applied
    ))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::schema::Refused;

    /// What a later release might add to a list.
    fn later(more: &[Migration]) -> Vec<Migration> {
        [MIGRATIONS, more].concat()
    }

    const EXPAND: Migration = Migration {
        name: "9001_wide",
        kind: Kind::Expand,
        sql: "ALTER TABLE meta ADD COLUMN note TEXT; CREATE TABLE later (id INTEGER PRIMARY KEY);",
    };
    const CONTRACT: Migration = Migration {
        name: "9002_narrow",
        kind: Kind::Contract,
        sql: "ALTER TABLE meta DROP COLUMN note",
    };
    const BROKEN: Migration = Migration {
        name: "9003_broken",
        kind: Kind::Expand,
        sql: "CREATE TABLE whole (id INTEGER PRIMARY KEY); CREATE TABLE meta (id INTEGER)",
    };

    fn conn(folder: &tempfile::TempDir) -> Connection {
        let path = folder.path().join("peyk.db");
        Connection::open(path).expect("a database")
    }

    fn count() -> u32 {
        u32::try_from(MIGRATIONS.len()).expect("few")
    }

    /// The oldest program that may work with a file that this one made.
    fn oldest() -> u32 {
        let steps = schema::pending(State::default(), MIGRATIONS);
        steps.last().expect("some").after.oldest
    }

    #[test]
    fn the_list_is_in_order() {
        assert_eq!(schema::check_list(MIGRATIONS), Ok(()));
    }

    #[test]
    fn an_older_program_goes_on_after_an_expansion_and_not_after_a_contraction() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut old, mut new) = (conn(&folder), conn(&folder));
        expand_to(&mut old, MIGRATIONS).expect("made");
        let list = later(&[EXPAND, CONTRACT]);
        expand_to(&mut new, &list).expect("expanded");
        let expanded = State {
            applied: count() + 1,
            oldest: oldest(),
        };
        assert_eq!(state(&old).expect("a state"), expanded);
        expand_to(&mut old, MIGRATIONS).expect("the older one goes on");
        old.execute("INSERT INTO meta (key, value) VALUES ('x', 1)", [])
            .expect("the older one writes");

        let now = UnixMillis(1_000_000);
        let beat = "INSERT INTO process (id, host, pid, name, roles, version, started_at, seen_at, \
                    expires_at) VALUES (1, '', 1, 'old', 1, ?1, 0, 0, ?2)";
        old.execute(beat, (schema::version("0", MIGRATIONS), now.0))
            .expect("it says that it lives");
        let refused = contract_to(&mut new, &list, now, &[]).expect_err("it is needed");
        assert!(
            refused.to_string().contains("the process old (0+schema."),
            "{refused}"
        );
        assert!(matches!(refused, OpenError::Schema(Refused::Living { .. })));
        assert_eq!(state(&old).expect("a state"), expanded);

        let later = now.plus_millis(schema::GONE_AFTER_MILLIS);
        let unknown = [Living {
            name: "somebody".into(),
            schema: None,
        }];
        contract_to(&mut new, &list, later, &unknown).expect_err("somebody may need it");
        contract_to(&mut new, &list, later, &[]).expect("contracted");
        let contracted = State {
            applied: count() + 2,
            oldest: count() + 2,
        };
        assert_eq!(state(&new).expect("a state"), contracted);
        let refused = expand_to(&mut old, MIGRATIONS).expect_err("too old");
        assert!(matches!(refused, OpenError::Schema(Refused::Newer { .. })));
    }

    #[test]
    fn a_migration_that_fails_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut file = conn(&folder);
        expand_to(&mut file, MIGRATIONS).expect("made");
        let before = state(&file).expect("a state");
        expand_to(&mut file, &later(&[EXPAND, BROKEN])).expect_err("it fails");
        assert_eq!(state(&file).expect("a state"), before);
        let tables: u32 = file
            .query_row(
                "SELECT count(*) FROM sqlite_schema WHERE name IN ('later', 'whole')",
                [],
                |row| row.get(0),
            )
            .expect("a count");
        assert_eq!(tables, 0);
    }

    #[test]
    fn two_that_open_an_empty_file_at_the_same_time_make_one_schema() {
        let folder = tempfile::tempdir().expect("a folder");
        let both: Vec<_> = (0..2)
            .map(|_| {
                let mut file = conn(&folder);
                let wait = std::time::Duration::from_secs(60);
                file.busy_timeout(wait).expect("set");
                std::thread::spawn(move || expand_to(&mut file, MIGRATIONS))
            })
            .collect();
        for one in both {
            one.join().expect("no panic").expect("open");
        }
        let made = state(&conn(&folder)).expect("a state");
        assert_eq!((made.applied, made.oldest), (count(), oldest()));
    }
}
