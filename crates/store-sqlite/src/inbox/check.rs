//! What must hold of messages from handsets: nothing is stranded between two steps.

use crate::error::DbError;
use rusqlite::Connection;
use store::Finding;

/// Each rule with a query that finds the first offence; it gives a text.
const RULES: [(&str, &str); 6] = [
    (
        "inbound_parts",
        "SELECT 'gathering ' || id || ' has not the parts that it counts' FROM inbound_gathering
         WHERE have != (SELECT count(*) FROM inbound_fragment WHERE gathering_id = id) LIMIT 1",
    ),
    (
        "inbound_parts",
        "SELECT 'gathering ' || gathering_id || ' is gone, and parts of it are there'
         FROM inbound_fragment
         WHERE gathering_id NOT IN (SELECT id FROM inbound_gathering) LIMIT 1",
    ),
    (
        "inbox",
        "SELECT 'inbox ' || account_id || ': its numbers are not in order' FROM inbox
         WHERE read_before > read_through OR read_through >= next_no
         OR next_no <= (SELECT coalesce(max(no), 0) FROM inbound_message m
                        WHERE m.account_id = inbox.account_id) LIMIT 1",
    ),
    (
        "inbox_work",
        "SELECT 'message ' || account_id || '/' || no || ' has work and an outcome, or neither'
         FROM inbound_work w LEFT JOIN inbound_message m USING (account_id, no)
         WHERE m.text IS NULL OR m.outcome IS NOT NULL LIMIT 1",
    ),
    (
        "callbacks",
        "SELECT 'callbacks of account ' || account_id || ' to target ' || target
         || ' wait, and their queue does not' FROM callback c
         WHERE state = 0 AND state <= 1 AND NOT EXISTS (SELECT 1 FROM callback_queue q
             WHERE q.account_id = c.account_id AND q.target = c.target
             AND q.due_at IS NOT NULL) LIMIT 1",
    ),
    (
        "callbacks",
        "SELECT 'callback ' || account_id || '/' || no || ' stands aside for ever' FROM callback
         WHERE state = 1 AND due_at IS NULL LIMIT 1",
    ),
];

/// The first offence against each rule. The caller gives a snapshot.
pub(crate) fn check(conn: &Connection) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    for (rule, sql) in RULES {
        let mut statement = conn.prepare_cached(sql)?;
        let mut rows = statement.query([])?;
        if let Some(row) = rows.next()? {
            let what = row.get(0)?;
            findings.push(Finding { rule, what });
        }
    }
    Ok(findings)
}
