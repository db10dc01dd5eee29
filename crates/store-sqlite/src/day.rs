//! What an account has sent in a day, for those whose package limits it. The others have no row, and
//! pay nothing for it on the accept path.

use crate::error::DbError;
use domain::ids::AccountId;
use rusqlite::{Connection, OptionalExtension, params};
use store::{AcceptBulk, DayLimit};

/// Messages that an account is about to send, and its limit if it has one.
pub(crate) struct Day {
    pub(crate) account: AccountId,
    pub(crate) limit: Option<DayLimit>,
    pub(crate) messages: i64,
}

impl Day {
    /// Of a bulk at its acceptance. One that is being built is counted when it is sealed.
    pub(crate) fn of(command: &AcceptBulk) -> Self {
        let to_be_sent = command.recipients.iter().filter(|r| r.ends_as.is_none());
        Self {
            account: command.account,
            limit: command.day_limit.filter(|_| command.whole),
            messages: to_be_sent.count() as i64,
        }
    }

    /// Whether the messages stay within the limit. What sends nothing is held up by no limit, not
    /// even by one that was lowered meanwhile.
    pub(crate) fn holds(&self, conn: &Connection) -> Result<bool, DbError> {
        let Some(limit) = self.limit.filter(|_| self.messages > 0) else {
            return Ok(true);
        };
        let sent: Option<i64> = conn
            .prepare_cached("SELECT messages FROM account_day WHERE account_id = ?1 AND day = ?2")?
            .query_row(params![self.account.0, limit.day], |row| row.get(0))
            .optional()?;
        Ok(sent.unwrap_or(0) + self.messages <= i64::from(limit.messages_max))
    }

    /// Counts the messages. The rows of earlier days go with the first of a new one.
    pub(crate) fn count(&self, conn: &Connection) -> Result<(), DbError> {
        let Some(limit) = self.limit.filter(|_| self.messages > 0) else {
            return Ok(());
        };
        let row = params![self.account.0, limit.day, self.messages];
        let known = conn
            .prepare_cached(
                "UPDATE account_day SET messages = messages + ?3
                 WHERE account_id = ?1 AND day = ?2",
            )?
            .execute(row)?;
        if known > 0 {
            return Ok(());
        }
        conn.prepare_cached("DELETE FROM account_day WHERE account_id = ?1 AND day < ?2")?
            .execute(params![self.account.0, limit.day])?;
        conn.prepare_cached(
            "INSERT INTO account_day (account_id, day, messages) VALUES (?1, ?2, ?3)",
        )?
        .execute(row)?;
        Ok(())
    }
}
