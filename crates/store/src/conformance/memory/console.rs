//! [`crate::Console`] over the store in memory.

use super::{Data, Memory};
use crate::*;
use async_trait::async_trait;
use domain::account::Account;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::User;

impl Data {
    /// Whether there is such an account; the staff always is.
    fn has(&self, account: Option<AccountId>) -> bool {
        account.is_none_or(|id| self.accounts.contains_key(&id))
    }
}

#[async_trait]
impl Console for Memory {
    async fn create_user(&self, user: NewUser) -> Result<UserNo, AdminError> {
        let mut data = self.serves()?.data();
        let exists = data.has(user.account);
        data.console.create_user(user, exists)
    }
    async fn change_user(&self, change: ChangeUser) -> Result<UserChanged, StoreError> {
        let mut data = self.serves()?.data();
        let exists = data.has(change.account);
        Ok(data.console.change_user(change, exists))
    }
    async fn remove_user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<UserChanged, StoreError> {
        Ok(self.serves()?.data().console.remove_user(account, no))
    }
    async fn user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.serves()?.data().console.user(account, no))
    }
    async fn user_by_name(
        &self,
        account: Option<AccountId>,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.serves()?.data().console.user_by_name(account, name))
    }
    async fn users(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError> {
        Ok(self.serves()?.data().console.users(account))
    }
    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let data = self.serves()?.data();
        Ok(data.accounts.get(&id).map(|one| Account {
            ancestors: data.ancestors(one.parent),
            ..one.account.clone()
        }))
    }
    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        let begun = self.serves()?.data().console.create_session(session);
        begun
            .then_some(())
            .ok_or_else(|| StoreError::Other("there is such a session".into()))
    }
    async fn session(&self, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError> {
        Ok(self.serves()?.data().console.session(id, now))
    }
    async fn touch_session(&self, command: TouchSession) -> Result<(), StoreError> {
        self.serves()?.data().console.touch_session(command);
        Ok(())
    }
    async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError> {
        let mut data = self.serves()?.data();
        Ok(data.console.end_sessions(account, user, which))
    }
    async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        now: UnixMillis,
    ) -> Result<Vec<Session>, StoreError> {
        Ok(self.serves()?.data().console.sessions(account, user, now))
    }
    async fn save_draft(&self, draft: SaveDraft) -> Result<DraftNo, AdminError> {
        let mut data = self.serves()?.data();
        let exists = data.has(Some(draft.account));
        data.console.save_draft(draft, exists)
    }
    async fn remove_draft(&self, account: AccountId, no: DraftNo) -> Result<bool, StoreError> {
        Ok(self.serves()?.data().console.remove_draft(account, no))
    }
    async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, StoreError> {
        Ok(self.serves()?.data().console.drafts(account))
    }
    async fn draft(&self, account: AccountId, no: DraftNo) -> Result<Option<Draft>, StoreError> {
        Ok(self.serves()?.data().console.draft(account, no))
    }
    async fn begin_audit(&self, entry: NewAudit) -> Result<AuditPlace, StoreError> {
        Ok(self.serves()?.data().console.begin_audit(entry))
    }
    async fn end_audit(&self, place: AuditPlace, outcome: String) -> Result<(), StoreError> {
        self.serves()?.data().console.end_audit(place, outcome);
        Ok(())
    }
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        Ok(self.serves()?.data().console.audit(&query))
    }
}
