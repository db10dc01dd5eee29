//! The audit log: what was changed, by whom, from where, and what came of it.
//!
//! An entry is on disk *before* the change, and gets its outcome after it. So no change is without
//! an entry, also when the program ends in between: then the entry has no outcome, and says so.

use super::Person;
use crate::App;
use domain::ids::AccountId;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fmt::Display;
use store::{AUDIT_DETAILS_BYTES_MAX, AuditPage, AuditQuery, NewAudit, StoreError};
use thiserror::Error;

/// The outcome of a change that was made.
const DONE: &str = "done";

/// What stands in the names of settings that the log does not show.
const UNSHOWN: [&str; 3] = ["password", "hash", "url"];

/// A change that somebody is about to make.
#[derive(Clone, Debug)]
pub struct Change {
    /// The account that is changed; `None` for what is the installation's.
    pub account: Option<AccountId>,
    /// Who makes it.
    pub actor: String,
    /// From where, where that is known.
    pub address: String,
    /// What, in a word that stays the same: `line.update`.
    pub action: &'static str,
    /// To what: a name, a number.
    pub subject: String,
    /// From what to what, or with which values; never a password, a key or a text.
    pub details: String,
}

impl Change {
    /// A change by somebody at the console, of what is theirs: their account, or the installation.
    #[must_use]
    pub fn by(person: &Person, action: &'static str, subject: impl Display) -> Self {
        Self {
            account: person.account.as_ref().map(|account| account.id),
            actor: person.login(),
            address: person.session.address.clone(),
            action,
            subject: subject.to_string(),
            details: String::new(),
        }
    }

    /// A change at the command line.
    #[must_use]
    pub fn at_command_line(user: &str, action: &'static str, subject: impl Display) -> Self {
        Self {
            account: None,
            actor: format!("command line: {user}"),
            address: String::new(),
            action,
            subject: subject.to_string(),
            details: String::new(),
        }
    }

    /// Of another account than the person's own.
    #[must_use]
    pub fn of(mut self, account: AccountId) -> Self {
        self.account = Some(account);
        self
    }

    /// With these values.
    #[must_use]
    pub fn with(mut self, details: impl Display) -> Self {
        let mut details = details.to_string();
        let end = details.floor_char_boundary(AUDIT_DETAILS_BYTES_MAX);
        details.truncate(end);
        self.details = details;
        self
    }
}

/// From what to what settings change, key by key, for [`Change::with`]. Passwords, and URLs,
/// which may have keys in them, are named and not shown.
#[must_use]
pub fn changes<T: Serialize>(old: &T, new: &T) -> String {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return String::new();
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let none = Value::Null;
    let mut said = Vec::new();
    for key in keys {
        let was = old.get(key).unwrap_or(&none);
        let is = new.get(key).unwrap_or(&none);
        if was == is {
            continue;
        }
        if UNSHOWN.iter().any(|word| key.contains(word)) {
            said.push(format!("{key}: changed"));
        } else {
            said.push(format!("{key}: {was} → {is}"));
        }
    }
    said.join("; ")
}

/// The change was not begun, since it could not be written down.
#[derive(Debug, Error)]
#[error("the change could not be written into the audit log: {0}")]
pub struct NotAudited(#[from] pub StoreError);

impl App {
    /// Makes a change, with an entry of the audit log before it and its outcome after it.
    ///
    /// # Errors
    /// The entry could not be written, so nothing was changed; or the change itself failed.
    pub async fn audited<T, E>(
        &self,
        change: Change,
        make: impl Future<Output = Result<T, E>>,
    ) -> Result<Result<T, E>, NotAudited>
    where
        E: Display,
    {
        let entry = NewAudit {
            account: change.account,
            at: self.now(),
            actor: change.actor,
            address: change.address,
            action: change.action.to_owned(),
            subject: change.subject,
            details: change.details,
        };
        let place = self.store().begin_audit(entry).await?;
        let made = make.await;
        let outcome = match &made {
            Ok(_) => DONE.to_owned(),
            Err(error) => error.to_string(),
        };
        // What was changed stays changed: without its outcome the entry says that it may be.
        if let Err(error) = self.store().end_audit(place, outcome).await {
            tracing::warn!(%error, "the outcome of a change is missing in the audit log");
        }
        Ok(made)
    }

    /// A page of the audit log, the newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn audit(&self, query: AuditQuery) -> Result<AuditPage, StoreError> {
        self.store().audit(query).await
    }
}
