//! [`store::Screening`] for [`SqliteStore`].

use crate::SqliteStore;
use crate::error::DbError;
use crate::group::Group;
use async_trait::async_trait;
use rusqlite::params;
use store::{BlackList, ListChange, Screening, StoreError};

#[async_trait]
impl Screening for SqliteStore {
    async fn change_list(&self, change: ListChange) -> Result<(), StoreError> {
        self.writer
            .run("change_list", move |group| change_list(group, &change))
            .await
    }
}

fn change_list(group: &mut Group<'_>, change: &ListChange) -> Result<(), DbError> {
    let BlackList::Line(line) = change.list;
    for number in &change.numbers {
        let national = number.national() as i64;
        if change.add {
            group
                .conn
                .prepare_cached(
                    "INSERT OR IGNORE INTO line_opt_out (line_id, number, at) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![line.0, national, change.at.0])?;
        } else {
            group
                .conn
                .prepare_cached("DELETE FROM line_opt_out WHERE line_id = ?1 AND number = ?2")?
                .execute(params![line.0, national])?;
        }
    }
    Ok(())
}
