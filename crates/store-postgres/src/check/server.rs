//! What the server says of itself: settings under which acknowledged work may be lost or the queue
//! grows without end, and damage that it has found already. What is a matter of taste or of
//! measuring is not here, and neither are the marks of commands, which come and go.

use super::Findings;
use crate::db::{Db, Tx};
use crate::error::{DbError, Remedy};
use store::StoreError;

/// Transactions that a database may be behind in freezing. The server refuses every write at about
/// 2.1 thousand million, and freezes by itself from 200 million on.
const UNFROZEN_TRANSACTIONS_MAX: i32 = 1_500_000_000;

/// Hours after which a prepared transaction, which holds its locks, counts as left behind.
const PREPARED_HOURS_MAX: i32 = 1;

/// Each rule with a query that gives a sentence for each offence.
fn rules() -> [(&'static str, String); 5] {
    [
        (
            "server-settings",
            "SELECT 'the server runs with ' || name || ' = ' || setting FROM pg_settings
             WHERE name IN ('fsync', 'full_page_writes', 'autovacuum') AND setting = 'off'
             OR name IN ('zero_damaged_pages', 'ignore_checksum_failure') AND setting = 'on'
             ORDER BY name"
                .into(),
        ),
        (
            "server-checksums",
            "SELECT 'the server found ' || checksum_failures || ' damaged pages, the last at '
             || coalesce(checksum_last_failure::text, 'an unknown time') FROM pg_stat_database
             WHERE datname = current_database() AND checksum_failures > 0"
                .into(),
        ),
        (
            "server-indexes",
            "SELECT 'the index ' || i.indexrelid::regclass::text
             || ' is not valid: it is being built, or its building was broken off'
             FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE NOT i.indisvalid AND n.nspname = current_schema() ORDER BY c.relname"
                .into(),
        ),
        (
            "server-freeze",
            format!(
                "SELECT 'the server is ' || age(datfrozenxid)
                 || ' transactions behind in freezing, and will refuse to write at 2 thousand million'
                 FROM pg_database WHERE datname = current_database()
                 AND age(datfrozenxid) > {UNFROZEN_TRANSACTIONS_MAX}"
            ),
        ),
        (
            "server-prepared",
            format!(
                "SELECT 'the prepared transaction ' || gid || ' holds its locks since ' || prepared
                 FROM pg_prepared_xacts WHERE database = current_database()
                 AND prepared < now() - interval '{PREPARED_HOURS_MAX} hours' ORDER BY prepared"
            ),
        ),
    ]
}

/// Asks the server. One that does not know a question has nothing to say to it.
pub(super) async fn check(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    for (rule, sql) in rules() {
        let sql = &sql;
        let said = db.read(|tx| async move { ask(&tx, rule, sql).await });
        for what in said.await? {
            findings.expect(false, rule, || what);
        }
    }
    Ok(())
}

async fn ask(tx: &Tx, rule: &'static str, sql: &str) -> Result<Vec<String>, DbError> {
    match tx.query(sql, &[]).await {
        Ok(rows) => Ok(rows.iter().map(|row| row.get(0)).collect()),
        Err(error) if error.remedy() == Remedy::GiveUp => {
            tracing::debug!(rule, %error, "the server cannot answer");
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}
