//! [`store::Console`] for [`SqliteStore`]: people, sessions, drafts and the audit log. The staff has
//! the number 0 in place of an account.

mod audit;
mod drafts;
mod sessions;
mod users;

pub(crate) use sessions::purge;

use crate::SqliteStore;
use crate::error::DbError;
use crate::queries;
use async_trait::async_trait;
use domain::account::Account;
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::User;
use rusqlite::Connection;
use store::{
    AdminError, AuditPage, AuditPlace, AuditQuery, ChangeUser, Console, Draft, EndSessions,
    Finding, NewAudit, NewUser, SaveDraft, Session, SessionId, StoreError, TouchSession,
    UserChanged,
};

#[async_trait]
impl Console for SqliteStore {
    async fn create_user(&self, user: NewUser) -> Result<UserNo, AdminError> {
        self.writer
            .run("create_user", move |group| users::create(group.conn, &user))
            .await?
    }

    async fn change_user(&self, change: ChangeUser) -> Result<UserChanged, StoreError> {
        self.writer
            .run("change_user", move |group| {
                users::change(group.conn, &change)
            })
            .await
    }

    async fn remove_user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<UserChanged, StoreError> {
        self.writer
            .run("remove_user", move |group| {
                users::remove(group.conn, account, no)
            })
            .await
    }

    async fn user(
        &self,
        account: Option<AccountId>,
        no: UserNo,
    ) -> Result<Option<User>, StoreError> {
        self.readers
            .run(move |conn| users::load(conn, account, no))
            .await
    }

    async fn user_by_name(
        &self,
        account: Option<AccountId>,
        name: &str,
    ) -> Result<Option<User>, StoreError> {
        let name = name.to_owned();
        self.readers
            .run(move |conn| users::by_name(conn, account, &name))
            .await
    }

    async fn users(&self, account: Option<AccountId>) -> Result<Vec<User>, StoreError> {
        self.readers
            .run(move |conn| users::list(conn, account))
            .await
    }

    async fn account_by_id(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        self.readers
            .run(move |conn| queries::account_by_id(conn, id))
            .await
    }

    async fn create_session(&self, session: Session) -> Result<(), StoreError> {
        self.writer
            .run("create_session", move |group| {
                sessions::create(group.conn, &session)
            })
            .await?
    }

    async fn session(&self, id: SessionId, now: UnixMillis) -> Result<Option<Session>, StoreError> {
        self.readers
            .run(move |conn| sessions::load(conn, id, now))
            .await
    }

    async fn touch_session(&self, command: TouchSession) -> Result<(), StoreError> {
        self.writer
            .run("touch_session", move |group| {
                sessions::touch(group.conn, &command)
            })
            .await
    }

    async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError> {
        self.writer
            .run("end_sessions", move |group| {
                sessions::end(group.conn, (account, user), which)
            })
            .await
    }

    async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        now: UnixMillis,
    ) -> Result<Vec<Session>, StoreError> {
        self.readers
            .run(move |conn| sessions::list(conn, (account, user), now))
            .await
    }

    async fn save_draft(&self, draft: SaveDraft) -> Result<DraftNo, AdminError> {
        self.writer
            .run("save_draft", move |group| drafts::save(group.conn, &draft))
            .await?
    }

    async fn remove_draft(&self, account: AccountId, no: DraftNo) -> Result<bool, StoreError> {
        self.writer
            .run("remove_draft", move |group| {
                drafts::remove(group.conn, account, no)
            })
            .await
    }

    async fn drafts(&self, account: AccountId) -> Result<Vec<Draft>, StoreError> {
        self.readers
            .run(move |conn| drafts::list(conn, account))
            .await
    }

    async fn draft(&self, account: AccountId, no: DraftNo) -> Result<Option<Draft>, StoreError> {
        self.readers
            .run(move |conn| drafts::load(conn, account, no))
            .await
    }

    async fn begin_audit(&self, entry: NewAudit) -> Result<AuditPlace, StoreError> {
        self.writer
            .run("begin_audit", move |group| audit::begin(group.conn, &entry))
            .await
    }

    async fn end_audit(&self, place: AuditPlace, outcome: String) -> Result<(), StoreError> {
        self.writer
            .run("end_audit", move |group| {
                audit::end(group.conn, place, &outcome)
            })
            .await
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        self.readers
            .run(move |conn| audit::page(conn, &query))
            .await
    }
}

/// What an account hands out, each kind from 1.
#[derive(Clone, Copy)]
enum Numbered {
    User,
    Draft,
    Audit,
}

/// Hands out the next number. Refuse before: what is handed out is used.
fn next_number(conn: &Connection, owner: i64, what: Numbered) -> Result<i64, DbError> {
    let sql = match what {
        Numbered::User => {
            "INSERT INTO console_counter (account_id, next_user_no, next_draft_no, next_audit_no)
             VALUES (?1, 2, 1, 1) ON CONFLICT (account_id)
             DO UPDATE SET next_user_no = next_user_no + 1 RETURNING next_user_no - 1"
        }
        Numbered::Draft => {
            "INSERT INTO console_counter (account_id, next_user_no, next_draft_no, next_audit_no)
             VALUES (?1, 1, 2, 1) ON CONFLICT (account_id)
             DO UPDATE SET next_draft_no = next_draft_no + 1 RETURNING next_draft_no - 1"
        }
        Numbered::Audit => {
            "INSERT INTO console_counter (account_id, next_user_no, next_draft_no, next_audit_no)
             VALUES (?1, 1, 1, 2) ON CONFLICT (account_id)
             DO UPDATE SET next_audit_no = next_audit_no + 1 RETURNING next_audit_no - 1"
        }
    };
    Ok(conn
        .prepare_cached(sql)?
        .query_row([owner], |row| row.get(0))?)
}

/// Numbers that are handed out next are those of no row, and everybody can be read.
pub(crate) fn check(conn: &Connection) -> Result<Vec<Finding>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT account_id, what FROM (
             SELECT account_id, 'person' AS what, max(user_no) AS no FROM console_user
                 GROUP BY account_id
             UNION ALL SELECT account_id, 'draft', max(draft_no) FROM console_draft
                 GROUP BY account_id
             UNION ALL SELECT account_id, 'audit entry', max(no) FROM audit_entry
                 GROUP BY account_id) AS t
         LEFT JOIN console_counter USING (account_id)
         WHERE no >= coalesce(CASE what WHEN 'person' THEN next_user_no
             WHEN 'draft' THEN next_draft_no ELSE next_audit_no END, 1)",
    )?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let (account, what): (i64, String) = (row.get(0)?, row.get(1)?);
        findings.push(Finding {
            rule: "console",
            what: format!("account {account}: the number of its next {what} is taken"),
        });
    }
    Ok(findings)
}
