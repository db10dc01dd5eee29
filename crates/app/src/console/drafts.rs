//! Messages that were begun and not sent.

use super::Person;
use crate::{App, ManageError};
use domain::ids::DraftNo;
use store::{Draft, SaveDraft, StoreError};

/// Characters of a draft's title.
pub const DRAFT_TITLE_CHARS_MAX: usize = 100;

impl App {
    /// Writes a draft of the person's account, a new one or in place of `no`; answers its number.
    /// A longer title is cut off.
    ///
    /// # Errors
    /// There is no draft with that number, the account has as many as it may, the content is too
    /// long, or the store failed.
    pub async fn save_draft(
        &self,
        person: &Person,
        no: Option<DraftNo>,
        title: &str,
        content: String,
    ) -> Result<DraftNo, ManageError> {
        let account = own(person)?;
        let draft = SaveDraft {
            account,
            no,
            user: person.user.no,
            title: title.trim().chars().take(DRAFT_TITLE_CHARS_MAX).collect(),
            content,
            at: self.now(),
        };
        Ok(self.store().save_draft(draft).await?)
    }

    /// Removes a draft; false where there is none.
    ///
    /// # Errors
    /// The store failed, or the person has no account.
    pub async fn remove_draft(&self, person: &Person, no: DraftNo) -> Result<bool, ManageError> {
        Ok(self.store().remove_draft(own(person)?, no).await?)
    }

    /// The drafts of the person's account, the one written last first, without their contents.
    ///
    /// # Errors
    /// The store failed, or the person has no account.
    pub async fn drafts(&self, person: &Person) -> Result<Vec<Draft>, ManageError> {
        Ok(self.store().drafts(own(person)?).await?)
    }

    /// A draft of the person's account.
    ///
    /// # Errors
    /// The store failed, or the person has no account.
    pub async fn draft(&self, person: &Person, no: DraftNo) -> Result<Option<Draft>, ManageError> {
        Ok(self.store().draft(own(person)?, no).await?)
    }
}

fn own(person: &Person) -> Result<domain::ids::AccountId, ManageError> {
    let account = person.account.as_ref().map(|account| account.id);
    account.ok_or_else(|| StoreError::Other("the staff has no drafts".into()).into())
}
