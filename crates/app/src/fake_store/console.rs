//! [`store::Console`] for the fake: the same part in memory that the suite's reference store has.

use super::{FakeStore, State};
use async_trait::async_trait;
use domain::account::Account;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::User;
use store::*;

impl State {
    /// Whether a test has put such an account here; the staff always is.
    fn has(&self, account: Option<AccountId>) -> bool {
        account.is_none_or(|id| self.accounts.iter().any(|one| one.id == id))
    }
}

#[async_trait]
impl Console for FakeStore {
    async fn create_user(&self, user: NewUser) -> Result<UserNo, AdminError> {
        self.with(|state| {
            let exists = state.has(user.account);
            state.console.create_user(user, exists)
        })
    }
    async fn change_user(&self, change: ChangeUser) -> Result<UserChanged, StoreError> {
        Ok(self.with(|state| {
            let exists = state.has(change.account);
            state.console.change_user(change, exists)
        }))
    }
    async fn remove_user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<UserChanged, StoreError> {
        Ok(self.with(|state| state.console.remove_user(account, no)))
    }
    async fn user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.with(|state| state.console.user(account, no)))
    }
    async fn user_by_name(
        &self,
        account: Option<AccountId>,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        Ok(self.with(|state| state.console.user_by_name(account, name)))
    }
    async fn users(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError> {
        Ok(self.with(|state| state.console.users(account)))
    }
    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        Ok(self.with(|state| state.accounts.iter().find(|one| one.id == id).cloned()))
    }
    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        let begun = self.with(|state| state.console.create_session(session));
        begun
            .then_some(())
            .ok_or_else(|| StoreError::Other("there is such a session".into()))
    }
    async fn session(&self, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError> {
        Ok(self.with(|state| state.console.session(id, now)))
    }
    async fn touch_session(&self, command: TouchSession) -> Result<(), StoreError> {
        self.with(|state| state.console.touch_session(command));
        Ok(())
    }
    async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError> {
        Ok(self.with(|state| state.console.end_sessions(account, user, which)))
    }
    async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        now: UnixMillis,
    ) -> Result<Vec<Session>, StoreError> {
        Ok(self.with(|state| state.console.sessions(account, user, now)))
    }
    async fn save_draft(&self, draft: SaveDraft) -> Result<DraftNo, AdminError> {
        self.with(|state| {
            let exists = state.has(Some(draft.account));
            state.console.save_draft(draft, exists)
        })
    }
    async fn remove_draft(&self, account: AccountId, no: DraftNo) -> Result<bool, StoreError> {
        Ok(self.with(|state| state.console.remove_draft(account, no)))
    }
    async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, StoreError> {
        Ok(self.with(|state| state.console.drafts(account)))
    }
    async fn draft(&self, account: AccountId, no: DraftNo) -> Result<Option<Draft>, StoreError> {
        Ok(self.with(|state| state.console.draft(account, no)))
    }
    async fn begin_audit(&self, entry: NewAudit) -> Result<AuditPlace, StoreError> {
        Ok(self.with(|state| state.console.begin_audit(entry)))
    }
    async fn end_audit(&self, place: AuditPlace, outcome: String) -> Result<(), StoreError> {
        self.with(|state| state.console.end_audit(place, outcome));
        Ok(())
    }
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        Ok(self.with(|state| state.console.audit(&query)))
    }
}
