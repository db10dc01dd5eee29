//! What features beside the message's way promise: here, and only here, each is asked.

use super::{FINDINGS_MAX, Findings, Reading, piece};
use crate::db::{Db, Tx};
use crate::error::DbError;
use crate::{approval, console, inbox, patterns, phonebooks, resellers_check, tickets};
use domain::bulk::BulkStage;
use domain::ids::AccountId;
use store::adapter::{BulkKey, BulkRow};
use store::{ApprovalState, StoreError};

/// Of one account, in the snapshot in which its ledger is read.
pub(super) async fn check_account(
    tx: &Tx,
    id: AccountId,
    findings: &mut Findings,
) -> Result<(), DbError> {
    findings.extend(resellers_check::check_transfers(tx, id).await?);
    findings.extend(resellers_check::check_place(tx, id).await?);
    findings.extend(tickets::check_tickets(tx, id).await?);
    Ok(())
}

/// Of one bulk, in the snapshot in which its recipients are read: somebody is asked about a bulk
/// that waits for it.
pub(super) async fn check_bulk(
    tx: &Tx,
    key: BulkKey,
    bulk: &BulkRow,
    findings: &mut Findings,
) -> Result<(), DbError> {
    if bulk.stage != BulkStage::AwaitingApproval {
        return Ok(());
    }
    let asked = approval::load(tx, key).await?;
    let asked = asked.map(|approval| approval.state);
    findings.expect(asked == Some(ApprovalState::Waiting), "approval", || {
        let (account, bulk) = key;
        format!("account {account}, bulk {bulk}: nobody is asked for the approval it waits for")
    });
    Ok(())
}

/// Of the whole installation, each in a snapshot of its own.
pub(super) async fn check(db: &Db, findings: &mut Findings) -> Result<(), StoreError> {
    let whole = Reading::Whole;
    findings.extend(piece(db, whole, |tx| async move { patterns::check(&tx).await }).await?);
    findings.extend(piece(db, whole, |tx| async move { inbox::check(&tx).await }).await?);
    findings.extend(piece(db, whole, |tx| async move { console::check(&tx).await }).await?);
    let books = |tx| async move { phonebooks::check(&tx, FINDINGS_MAX).await };
    findings.extend(piece(db, whole, books).await?);
    let asked = |tx| async move { approval::disagreements(&tx, FINDINGS_MAX as u32).await };
    for (account, bulk) in piece(db, whole, asked).await? {
        // Nobody is asked about a bulk that does not wait for it.
        findings.expect(false, "approval", || {
            format!(
                "account {account}, bulk {bulk}: an approval is asked for, but it does not wait \
                 for one"
            )
        });
    }
    Ok(())
}
