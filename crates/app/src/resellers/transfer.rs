//! Credit that moves between a reseller and the accounts directly below it, and what became of it.

use crate::App;
use crate::manage::{ManageError, check_note};
use domain::ids::AccountId;
use domain::money::Rials;
use domain::time::UnixMillis;
use store::{LedgerSums, StoreError, Transfer, Transferred};

/// Ledger entries that one look adds up: some milliseconds, in which a reader is busy.
const ENTRIES_PER_LOOK: u32 = 20_000;

/// Credit to be moved.
#[derive(Clone, Debug)]
pub struct TransferRequest<'a> {
    /// User name of who gives.
    pub from: &'a str,
    /// User name of who gets. One of the two stands directly below the other.
    pub to: &'a str,
    /// How much; more than zero.
    pub amount: Rials,
    /// What both ledgers show beside it.
    pub note: Option<&'a str>,
}

impl App {
    /// Moves credit from one account to another: down to a sub-account, or back up. The notes in
    /// the two ledgers name the other account.
    ///
    /// # Errors
    /// There is no such account, neither stands directly below the other, the amount is not above
    /// zero or beyond the credit of who gives, the note is too long, or the store failed.
    pub async fn transfer(&self, request: TransferRequest<'_>) -> Result<Transferred, ManageError> {
        if request.amount <= Rials::ZERO {
            return Err(ManageError::Invalid(
                "the amount must be more than zero".into(),
            ));
        }
        check_note(request.note)?;
        let from = self.account(request.from).await?;
        let to = self.account(request.to).await?;
        let note = |word: &str, other: &str| match request.note {
            Some(note) => format!("{word} {other}: {note}"),
            None => format!("{word} {other}"),
        };
        let command = Transfer {
            from: from.id,
            to: to.id,
            amount: request.amount,
            note_from: Some(note("to", &to.name)),
            note_to: Some(note("from", &from.name)),
            at: self.now(),
        };
        Ok(self.store().transfer(command).await?)
    }

    /// What an account's ledger adds up to since a time. Reads it in slices, so that the longest
    /// one holds nobody up.
    ///
    /// # Errors
    /// The store failed.
    pub async fn ledger_sums(
        &self,
        account: AccountId,
        since: UnixMillis,
    ) -> Result<LedgerSums, StoreError> {
        let mut whole = LedgerSums::default();
        let mut after = 0;
        loop {
            let store = self.store();
            let slice = store
                .ledger_sums(account, since, after, ENTRIES_PER_LOOK)
                .await?;
            let Some(last) = slice.last else {
                return Ok(whole);
            };
            after = last;
            whole.last = Some(last);
            whole.topped_up += slice.topped_up;
            whole.transferred += slice.transferred;
            whole.charged += slice.charged;
            whole.refunded += slice.refunded;
        }
    }
}
