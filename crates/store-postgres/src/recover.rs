//! After a crash: attempts that have no answer. Their slices have an index of their own, which is
//! as short as what was in flight.

use crate::db::Tx;
use crate::error::DbError;
use crate::fleet::{fence_query, fenced};
use crate::rows::{int4, recipient_key};
use crate::stop::SETTLED_PER_COMMAND_MAX;
use crate::work::{Need, Work};
use domain::ids::RecipientKey;
use domain::status::Event;
use domain::time::UnixMillis;
use store::{RecoverInDoubt, Recovered, SLICE_RECIPIENTS, StoreError};

/// Lets the answers of attempts of these links count as lost, at most a thousand recipients.
pub(crate) async fn recover(
    tx: &Tx,
    command: &RecoverInDoubt,
) -> Result<Result<Recovered, StoreError>, DbError> {
    let fences = tx
        .query_all(&[fence_query(tx, &command.links).await?])
        .await?;
    let fences = fences.first().map_or(&[][..], Vec::as_slice);
    if let Some(link) = fenced(&command.links, fences) {
        return Ok(Err(StoreError::Fenced(link)));
    }
    let links: Vec<i64> = command.links.iter().map(|held| held.link.0).collect();
    settle(tx, &links, command.now).await.map(Ok)
}

async fn settle(tx: &Tx, links: &[i64], now: UnixMillis) -> Result<Recovered, DbError> {
    let found = attempted(tx, links).await?;
    if found.is_empty() {
        return Ok(Recovered::default());
    }
    let more = found.len() >= SETTLED_PER_COMMAND_MAX as usize;
    let mut work = Work::default();
    let need = Need {
        accounts: found.iter().map(|key| key.account).collect(),
        ..Need::default()
    };
    work.load(tx, &need, Vec::new()).await?;
    // Asked again under the locks: some may have been answered meanwhile.
    let keys = still_attempted(tx, links, &found).await?;
    let need = Need::recipients(keys.iter().copied());
    work.load(tx, &need, Vec::new()).await?;
    let mut recovered = Recovered {
        recipients: Vec::new(),
        more,
    };
    for key in keys {
        let Some(progress) = work.progress(key) else {
            continue;
        };
        let lost: Vec<Event> = progress
            .outstanding
            .iter()
            .map(|part| Event::AnswerLost { part })
            .collect();
        work.apply(key, now, &lost)?;
        recovered.recipients.push(key);
    }
    work.flush(tx, now).await?;
    // Where nothing could be settled, asking again would end the same way.
    recovered.more &= !recovered.recipients.is_empty();
    Ok(recovered)
}

// Lateral with a limit, so that no plan can begin with the recipients.
const STEPS: &str = "SELECT r.account_id, r.bulk_no, r.seq FROM slice s CROSS JOIN LATERAL (
       SELECT c.account_id, c.bulk_no, c.seq FROM recipient c
       WHERE c.account_id = s.account_id AND c.bulk_no = s.bulk_no
       AND c.seq >= s.slice_no * $2 AND c.seq < s.slice_no * $2 + $2
       AND c.operator = s.operator AND c.state = 1
       AND (c.link_id = ANY ($1) OR c.link_id IS NULL)
       ORDER BY c.seq LIMIT $3) r
     WHERE s.attempted > 0 LIMIT $3";

// The same where recipients are spread over servers, which cannot be asked slice by slice.
const JOINED: &str = "SELECT r.account_id, r.bulk_no, r.seq FROM slice s
     JOIN recipient r ON r.account_id = s.account_id AND r.bulk_no = s.bulk_no
     AND r.seq >= s.slice_no * $2 AND r.seq < s.slice_no * $2 + $2 AND r.operator = s.operator
     WHERE s.attempted > 0 AND r.state = 1
     AND (r.link_id = ANY ($1) OR r.link_id IS NULL) LIMIT $3";

async fn attempted(tx: &Tx, links: &[i64]) -> Result<Vec<RecipientKey>, DbError> {
    let rows = tx
        .query(
            if tx.lock_one_by_one { JOINED } else { STEPS },
            &[
                &links,
                &int4(SLICE_RECIPIENTS),
                &i64::from(SETTLED_PER_COMMAND_MAX),
            ],
        )
        .await?;
    Ok(rows.iter().map(|row| recipient_key(row, 0)).collect())
}

async fn still_attempted(
    tx: &Tx,
    links: &[i64],
    keys: &[RecipientKey],
) -> Result<Vec<RecipientKey>, DbError> {
    let accounts: Vec<i64> = keys.iter().map(|key| key.account.0).collect();
    let bulks: Vec<i32> = keys.iter().map(|key| int4(key.bulk.0)).collect();
    let seqs: Vec<i32> = keys.iter().map(|key| int4(key.seq.0)).collect();
    let rows = tx
        .query(
            "SELECT r.account_id, r.bulk_no, r.seq
             FROM unnest($2::int8[], $3::int4[], $4::int4[]) AS v (account_id, bulk_no, seq)
             JOIN recipient r ON r.account_id = v.account_id AND r.bulk_no = v.bulk_no
             AND r.seq = v.seq
             WHERE r.state = 1 AND (r.link_id = ANY ($1) OR r.link_id IS NULL)
             ORDER BY r.account_id, r.bulk_no, r.seq",
            &[&links, &accounts, &bulks, &seqs],
        )
        .await?;
    Ok(rows.iter().map(|row| recipient_key(row, 0)).collect())
}
