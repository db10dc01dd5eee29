//! The rows by which a command knows that it was committed.

use crate::db::{OwnedParam, Tx, Write};
use crate::error::DbError;

/// Names one command among all commands of all processes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) process: i64,
    pub(crate) no: i64,
    /// Which run of the command: runs differ in their answers, and one of them is committed.
    pub(crate) run: i32,
}

/// The statement that writes a mark.
pub(crate) async fn mark_write(tx: &Tx, mark: Mark) -> Result<Write, DbError> {
    let statement = tx
        .prepare("INSERT INTO commit_mark (process, no, run) VALUES ($1, $2, $3)")
        .await?;
    let params: Vec<OwnedParam> = vec![
        Box::new(mark.process),
        Box::new(mark.no),
        Box::new(mark.run),
    ];
    Ok((statement, params))
}

/// Writes the mark of a command that may have been committed, or says by which run it was.
pub(crate) async fn mark_again(tx: &Tx, mark: Mark) -> Result<Option<i32>, DbError> {
    let written = tx
        .execute(
            "INSERT INTO commit_mark (process, no, run) VALUES ($1, $2, $3)
             ON CONFLICT (process, no) DO NOTHING",
            &[&mark.process, &mark.no, &mark.run],
        )
        .await?;
    if written > 0 {
        return Ok(None);
    }
    let sql = "SELECT run FROM commit_mark WHERE process = $1 AND no = $2";
    let row = tx.query_one(sql, &[&mark.process, &mark.no]).await?;
    Ok(Some(row.get(0)))
}
