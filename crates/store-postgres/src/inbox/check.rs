//! What must hold of messages from handsets: nothing is stranded between two steps.

use crate::db::Tx;
use crate::error::DbError;
use store::Finding;

/// Each rule with a query that finds the first offence; it gives a text.
const RULES: [(&str, &str); 6] = [
    (
        "inbound_parts",
        "SELECT 'gathering ' || g.id || ' has not the parts that it counts'
         FROM inbound_gathering g
         WHERE g.have != (SELECT count(*) FROM inbound_fragment f WHERE f.gathering_id = g.id)
         LIMIT 1",
    ),
    (
        "inbound_parts",
        "SELECT 'gathering ' || f.gathering_id || ' is gone, and parts of it are there'
         FROM inbound_fragment f
         WHERE NOT EXISTS (SELECT 1 FROM inbound_gathering g WHERE g.id = f.gathering_id)
         LIMIT 1",
    ),
    (
        "inbox",
        "SELECT 'inbox ' || i.account_id || ': its numbers are not in order' FROM inbox i
         WHERE i.read_before > i.read_through OR i.read_through >= i.next_no
         OR i.next_no <= (SELECT coalesce(max(m.no), 0) FROM inbound_message m
                          WHERE m.account_id = i.account_id) LIMIT 1",
    ),
    (
        "inbox_work",
        "SELECT 'message ' || w.account_id || '/' || w.no
         || ' has work and an outcome, or neither'
         FROM inbound_work w
         LEFT JOIN inbound_message m ON m.account_id = w.account_id AND m.no = w.no
         WHERE m.no IS NULL OR m.outcome IS NOT NULL LIMIT 1",
    ),
    (
        "callbacks",
        "SELECT 'callbacks of account ' || c.account_id || ' to target ' || c.target
         || ' wait, and their queue does not' FROM callback c
         WHERE c.state = 0 AND NOT EXISTS (SELECT 1 FROM callback_queue q
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
pub(crate) async fn check(tx: &Tx) -> Result<Vec<Finding>, DbError> {
    let mut findings = Vec::new();
    for (rule, sql) in RULES {
        if let Some(row) = tx.query_opt(sql, &[]).await? {
            let what = row.get(0);
            findings.push(Finding { rule, what });
        }
    }
    Ok(findings)
}
