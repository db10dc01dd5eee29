//! `peyk db`: SQL on the store with the engine that peyk is built with.
//!
//! The system's `sqlite3` may be too old for the file. Without `--write` nothing typed here can
//! change it: SQLite itself is asked what each statement would do, and refuses all but reading.

use crate::config::Config;
use crate::exit::{Exit, cannot_open};
use crate::output::{Table, json, say};
use crate::place::Place;
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Batch, Connection, OpenFlags, Statement};
use serde_json::{Map, Value};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

const EXAMPLE: &str = "\
Examples:
  peyk db \"SELECT name, credit FROM account\"
  peyk db --json \"SELECT * FROM bulk ORDER BY accepted_at DESC LIMIT 5\"
  peyk db < statements.sql
  peyk db                       (a prompt; Ctrl-D ends it)

It only reads. --write allows changes, which no rule of peyk checks: take a backup first, and run
`peyk doctor` after.";

const POSTGRES: &str = "SQL on it is for `psql`; this shell is the one of the embedded store";

/// Milliseconds to wait for another process that writes.
const BUSY_MILLIS: u64 = 10_000;
/// Rows of one answer; a table is held in memory to be aligned.
const ROWS_MAX: usize = 100_000;
/// Pragmas that only tell something, also with an argument.
const TELLING: &[&str] = &[
    "table_info",
    "table_xinfo",
    "table_list",
    "index_list",
    "index_info",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "foreign_key_check",
];

/// SQL shell on the store; read-only unless --write
#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub struct DbArgs {
    /// Statements [default: read from stdin]
    #[arg(value_name = "SQL")]
    sql: Option<String>,
    /// Allow changes
    #[arg(long)]
    write: bool,
    /// Print each answer as a JSON array of objects
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: DbArgs, config: &Config) -> Result<Exit> {
    let place = config.store.place().map_err(cannot_open)?;
    place.file(POSTGRES)?;
    // SQLite blocks, and so does a prompt.
    let work = tokio::task::spawn_blocking(move || {
        let conn = open(&place, args.write)?;
        match &args.sql {
            Some(sql) => run_all(&conn, sql, args.json),
            None => shell(&conn, args.json),
        }
    });
    work.await.context("the shell ended badly")??;
    Ok(Exit::Done)
}

fn open(place: &Place, write: bool) -> Result<Connection> {
    let path = place.file(POSTGRES)?;
    if !path.exists() {
        return Err(place.missing());
    }
    let failed = |error: &dyn std::fmt::Display| {
        cannot_open(format!("cannot open the store {}: {error}", path.display()))
    };
    if write {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(|error| failed(&error))?;
        conn.busy_timeout(Duration::from_millis(BUSY_MILLIS))?;
        conn.execute_batch("PRAGMA synchronous=FULL")?;
        return Ok(conn);
    }
    let mut conn = store_sqlite::open_read_only(path).map_err(|error| failed(&error))?;
    conn.authorizer(Some(only_reading))?;
    Ok(conn)
}

/// What a read-only shell may do. `query_only` alone would not hold: a statement could switch it
/// off, or attach another file.
fn only_reading(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Select
        | AuthAction::Read { .. }
        | AuthAction::Function { .. }
        | AuthAction::Recursive
        | AuthAction::Pragma {
            pragma_value: None, ..
        } => Authorization::Allow,
        AuthAction::Pragma { pragma_name, .. } if TELLING.contains(&pragma_name) => {
            Authorization::Allow
        }
        _ => Authorization::Deny,
    }
}

fn run_all(conn: &Connection, sql: &str, as_json: bool) -> Result<()> {
    let mut batch = Batch::new(conn, sql);
    while let Some(mut statement) = batch.next().map_err(explain)? {
        run_one(&mut statement, as_json)?;
    }
    Ok(())
}

fn run_one(statement: &mut Statement<'_>, as_json: bool) -> Result<()> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if columns.is_empty() {
        let changed = statement.execute([]).map_err(explain)?;
        if !as_json {
            say!("Done; {changed} rows changed.");
        }
        return Ok(());
    }
    let mut table = Table::new(columns.clone());
    let mut objects = Vec::new();
    let mut count = 0;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(explain)? {
        count += 1;
        if count > ROWS_MAX {
            bail!("more than {ROWS_MAX} rows; add a LIMIT");
        }
        if as_json {
            let mut object = Map::new();
            for (at, name) in columns.iter().enumerate() {
                object.insert(name.clone(), to_json(row.get_ref(at)?));
            }
            objects.push(Value::Object(object));
        } else {
            let cells: Result<Vec<String>, rusqlite::Error> = (0..columns.len())
                .map(|at| row.get_ref(at).map(to_text))
                .collect();
            table.row(cells?);
        }
    }
    if as_json {
        return json(&objects);
    }
    table.print("No rows.");
    Ok(())
}

fn to_json(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(octets) => hex(octets).into(),
    }
}

fn to_text(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        // One row is one line.
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            text.chars()
                .map(|c| if c.is_control() { ' ' } else { c })
                .collect()
        }
        ValueRef::Blob(octets) => hex(octets),
    }
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn explain(error: rusqlite::Error) -> anyhow::Error {
    use rusqlite::ErrorCode::{AuthorizationForStatementDenied, ReadOnly};
    match error.sqlite_error_code() {
        Some(AuthorizationForStatementDenied | ReadOnly) => {
            anyhow!("this shell only reads; `peyk db --write` allows changes")
        }
        _ => match error {
            rusqlite::Error::SqlInputError { msg, .. } => anyhow!("{msg}"),
            other => anyhow!(other),
        },
    }
}

/// Reads statements from stdin; each ends with a semicolon at the end of a line. At a terminal an
/// error does not end the shell; from a file the first one does.
fn shell(conn: &Connection, as_json: bool) -> Result<()> {
    let stdin = std::io::stdin();
    let at_terminal = stdin.is_terminal();
    let mut pending = String::new();
    prompt(at_terminal, &pending)?;
    for line in stdin.lock().lines() {
        pending.push_str(&line.context("cannot read stdin")?);
        pending.push('\n');
        if pending.trim_end().ends_with(';') {
            answer(conn, &pending, at_terminal, as_json)?;
            pending.clear();
        }
        prompt(at_terminal, &pending)?;
    }
    if at_terminal {
        say!("");
    }
    // The last statement of a file needs no semicolon.
    if pending.trim().is_empty() {
        Ok(())
    } else {
        answer(conn, &pending, at_terminal, as_json)
    }
}

fn answer(conn: &Connection, sql: &str, at_terminal: bool, as_json: bool) -> Result<()> {
    match run_all(conn, sql, as_json) {
        Err(error) if at_terminal => {
            eprintln!("{error:#}");
            Ok(())
        }
        done => done,
    }
}

fn prompt(at_terminal: bool, pending: &str) -> Result<()> {
    if at_terminal {
        let mut out = std::io::stdout().lock();
        out.write_all(if pending.trim().is_empty() {
            b"peyk> "
        } else {
            b"  ... "
        })?;
        out.flush()?;
    }
    Ok(())
}
