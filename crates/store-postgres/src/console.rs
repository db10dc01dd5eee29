//! [`store::Console`] for [`PostgresStore`]: people, sessions, drafts and the audit log. The staff
//! has the number 0 in place of an account.
//!
//! Whoever changes people, sessions or the list of drafts of an account holds the lock of its row
//! in `console_counter`; what is read behind it is what the last holder committed. No account and
//! no other counter is locked after it. A session that is only used is written without it.

mod audit;
mod drafts;
mod sessions;
mod users;

pub(crate) use sessions::purge;

use crate::PostgresStore;
use crate::db::{Param, Tx};
use crate::error::DbError;
use crate::queries;
use async_trait::async_trait;
use domain::account::Account;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::User;
use store::{
    AdminError, AuditPage, AuditPlace, AuditQuery, ChangeUser, Console, Draft, EndSessions,
    Finding, NewAudit, NewUser, SaveDraft, Session, SessionId, StoreError, TouchSession,
    UserChanged,
};

/// What a command of the administration answers; a refusal has written nothing.
type Answer<T> = Result<Result<T, AdminError>, DbError>;

/// A person: whose, and who.
type Person = (Option<AccountId>, UserNo);

#[async_trait]
impl Console for PostgresStore {
    async fn create_user(&self, user: NewUser) -> Result<UserNo, AdminError> {
        command!(self, "create_user", users::create, user).await?
    }

    async fn change_user(&self, change: ChangeUser) -> Result<UserChanged, StoreError> {
        command!(self, "change_user", users::change, change).await
    }

    async fn remove_user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<UserChanged, StoreError> {
        let person = (account, no);
        command!(self, "remove_user", users::remove, person).await
    }

    async fn user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<User>, StoreError> {
        let person = (account, no);
        query!(self, users::load, person).await
    }

    async fn user_by_name(
        &self,
        account: Option<AccountId>,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        query!(self, users::by_name, account, name).await
    }

    async fn users(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError> {
        query!(self, users::list, account).await
    }

    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        snapshot!(self, queries::account_by_id, id).await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        command!(self, "create_session", sessions::create, session).await?
    }

    async fn session(&self, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError> {
        query!(self, sessions::load, id, now).await
    }

    async fn touch_session(&self, command: TouchSession) -> Result<(), StoreError> {
        command!(self, "touch_session", sessions::touch, command).await
    }

    async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError> {
        let person = (account, user);
        command!(self, "end_sessions", sessions::end, person, which).await
    }

    async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        now: UnixMillis,
    ) -> Result<Vec<Session>, StoreError> {
        let person = (account, user);
        query!(self, sessions::list, person, now).await
    }

    async fn save_draft(&self, draft: SaveDraft) -> Result<DraftNo, AdminError> {
        command!(self, "save_draft", drafts::save, draft).await?
    }

    async fn remove_draft(&self, account: AccountId, no: DraftNo) -> Result<bool, StoreError> {
        command!(self, "remove_draft", drafts::remove, account, no).await
    }

    async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, StoreError> {
        query!(self, drafts::list, account).await
    }

    async fn draft(&self, account: AccountId, no: DraftNo) -> Result<Option<Draft>, StoreError> {
        query!(self, drafts::load, account, no).await
    }

    async fn begin_audit(&self, entry: NewAudit) -> Result<AuditPlace, StoreError> {
        command!(self, "begin_audit", audit::begin, entry).await
    }

    async fn end_audit(&self, place: AuditPlace, outcome: String) -> Result<(), StoreError> {
        command!(self, "end_audit", audit::end, place, outcome).await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        query!(self, audit::page, query).await
    }
}

/// The numbers that an account (or the staff) hands out next, locked until the end.
struct Next {
    owner: i64,
    user: i64,
    draft: i64,
    audit: i64,
}

impl Next {
    /// Changes nothing and locks the row, which comes into being where there is none.
    async fn lock(tx: &Tx, owner: i64) -> Result<Self, DbError> {
        let row = tx
            .query_one(
                "INSERT INTO console_counter AS c
                 (account_id, next_user_no, next_draft_no, next_audit_no) VALUES ($1, 1, 1, 1)
                 ON CONFLICT (account_id) DO UPDATE SET next_user_no = c.next_user_no
                 RETURNING c.next_user_no, c.next_draft_no, c.next_audit_no",
                &[&owner],
            )
            .await?;
        Ok(Self {
            owner,
            user: row.get(0),
            draft: row.get(1),
            audit: row.get(2),
        })
    }

    async fn write(&self, tx: &Tx) -> Result<(), DbError> {
        let params: [Param<'_>; 4] = [&self.owner, &self.user, &self.draft, &self.audit];
        tx.execute(
            "UPDATE console_counter SET next_user_no = $2, next_draft_no = $3, next_audit_no = $4
             WHERE account_id = $1",
            &params,
        )
        .await
        .map(drop)
    }

    async fn next_user(mut self, tx: &Tx) -> Result<UserNo, DbError> {
        let no = UserNo(number(self.user)?);
        self.user += 1;
        self.write(tx).await?;
        Ok(no)
    }

    async fn next_draft(mut self, tx: &Tx) -> Result<DraftNo, DbError> {
        let no = DraftNo(number(self.draft)?);
        self.draft += 1;
        self.write(tx).await?;
        Ok(no)
    }

    async fn next_audit(mut self, tx: &Tx) -> Result<i64, DbError> {
        let no = self.audit;
        self.audit += 1;
        self.write(tx).await?;
        Ok(no)
    }
}

/// Whether there is such an account.
async fn is_account(tx: &Tx, id: AccountId) -> Result<bool, DbError> {
    let found = tx
        .query_opt("SELECT 1 FROM account WHERE id = $1", &[&id.0])
        .await?;
    Ok(found.is_some())
}

/// A number of a person or a draft as its column keeps it.
fn number(no: i64) -> Result<u32, DbError> {
    u32::try_from(no).map_err(|_| DbError::Row(format!("{no} is out of the range of numbers")))
}

/// Numbers that are handed out next are those of no row.
pub(crate) async fn check(tx: &Tx) -> Result<Vec<Finding>, DbError> {
    let rows = tx
        .query(
            "SELECT t.account_id, t.what FROM (
                 SELECT account_id, 'person' AS what, max(user_no) AS no FROM console_user
                     GROUP BY account_id
                 UNION ALL SELECT account_id, 'draft', max(draft_no) FROM console_draft
                     GROUP BY account_id
                 UNION ALL SELECT account_id, 'audit entry', max(no) FROM audit_entry
                     GROUP BY account_id) AS t
             LEFT JOIN console_counter c ON c.account_id = t.account_id
             WHERE t.no >= coalesce(CASE t.what WHEN 'person' THEN c.next_user_no
                 WHEN 'draft' THEN c.next_draft_no ELSE c.next_audit_no END, 1)",
            &[],
        )
        .await?;
    let finding = |row: &tokio_postgres::Row| {
        let (account, what): (i64, &str) = (row.get(0), row.get(1));
        Finding {
            rule: "console",
            what: format!("account {account}: the number of its next {what} is taken"),
        }
    };
    Ok(rows.iter().map(finding).collect())
}
