//! Patterns as the people of an account keep them.
//!
//! What a pattern sends is not looked at again, so a text that nobody approved would be a way
//! around approval. So a pattern that people of an account write waits until the staff approves it,
//! unless the account's texts are trusted; and a new text waits anew.

use super::Person;
use crate::patterns::{ChangePattern, CreatePattern};
use crate::send::SendError;
use crate::{App, ManageError};
use domain::account::Account;
use domain::pattern::{Pattern, PatternStatus, Value, ValueError, Variable};
use domain::text::{Measure, ReferenceBits, measure};
use store::StoreError;

/// Patterns of a page.
pub const PATTERNS_PAGE: u32 = 50;

/// What is written about a pattern by its owner.
#[derive(Clone, Debug, Default)]
pub struct WrittenPattern {
    /// What people call it.
    pub title: String,
    /// The text with its variables as `%name%`.
    pub text: String,
    /// What the variables may hold.
    pub variables: Vec<Variable>,
}

fn own(person: &Person) -> Result<&Account, ManageError> {
    let account = person.account.as_deref();
    account.ok_or_else(|| ManageError::Unknown("account of this person".into()))
}

fn status(account: &Account) -> PatternStatus {
    match account.settings.texts_trusted {
        true => PatternStatus::Active,
        false => PatternStatus::Waiting,
    }
}

impl App {
    /// Makes a pattern of the person's account; `code` empty makes one up.
    ///
    /// # Errors
    /// As [`App::create_pattern`].
    pub async fn propose_pattern(
        &self,
        person: &Person,
        code: &str,
        written: WrittenPattern,
    ) -> Result<Pattern, ManageError> {
        let account = own(person)?;
        let new = CreatePattern {
            account: account.name.clone(),
            code: Some(code.trim().to_owned()).filter(|code| !code.is_empty()),
            title: written.title,
            text: written.text,
            variables: written.variables,
            status: status(account),
        };
        self.create_pattern(new).await
    }

    /// The pattern with this code, if it is the account's own.
    ///
    /// # Errors
    /// It is not, or the store failed.
    pub async fn own_pattern(&self, account: &Account, code: &str) -> Result<Pattern, ManageError> {
        let pattern = self.pattern(code).await?;
        if pattern.owner == account.id {
            Ok(pattern)
        } else {
            Err(ManageError::Unknown(format!("pattern {code}")))
        }
    }

    /// Writes a pattern of the person's account anew. With another text, or other variables, it
    /// waits for approval.
    ///
    /// # Errors
    /// As [`App::change_pattern`]; it is another account's.
    pub async fn rewrite_pattern(
        &self,
        person: &Person,
        code: &str,
        written: WrittenPattern,
    ) -> Result<Pattern, ManageError> {
        let account = own(person)?;
        let pattern = self.own_pattern(account, code).await?;
        let same = pattern.text == written.text && pattern.variables == written.variables;
        let changed = (!same).then(|| status(account));
        // What the note says is said of the old text.
        let note = changed.map(|_| String::new());
        let change = ChangePattern {
            title: Some(written.title),
            text: Some(written.text),
            variables: written.variables,
            status: changed,
            note,
        };
        self.change_pattern(&pattern.code, change).await
    }

    /// Switches a pattern of the person's account off, or on again: it then waits for approval.
    /// One that waits or was rejected stays what it is.
    ///
    /// # Errors
    /// It is another account's, or the store failed.
    pub async fn switch_pattern(
        &self,
        person: &Person,
        code: &str,
        on: bool,
    ) -> Result<Pattern, ManageError> {
        let account = own(person)?;
        let pattern = self.own_pattern(account, code).await?;
        let status = match (pattern.status, on) {
            (PatternStatus::Active, false) => PatternStatus::Inactive,
            (PatternStatus::Inactive, true) => status(account),
            _ => return Ok(pattern),
        };
        let change = ChangePattern {
            status: Some(status),
            ..ChangePattern::default()
        };
        self.change_pattern(&pattern.code, change).await
    }

    /// Removes a pattern of the person's account.
    ///
    /// # Errors
    /// It is another account's, or the store failed.
    pub async fn remove_own_pattern(&self, person: &Person, code: &str) -> Result<(), ManageError> {
        let pattern = self.own_pattern(own(person)?, code).await?;
        self.remove_pattern(&pattern.code).await
    }

    /// The patterns of others that the account may use, by their codes, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn granted_patterns(
        &self,
        account: &Account,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        let found = self.store().granted_patterns(account.id, after, limit);
        found.await
    }

    /// What a pattern that the account may use makes of these values, and its measure on a common
    /// line. Nothing is sent.
    ///
    /// # Errors
    /// The account has no such pattern, or the store failed; in the answer, why the values do not
    /// fit.
    pub async fn fill_pattern(
        &self,
        account: &Account,
        code: &str,
        values: &[Value],
    ) -> Result<Result<(String, Measure), ValueError>, SendError> {
        let met = self.met_pattern(account, code).await?;
        Ok(met.form.fill(values, &[]).map(|text| {
            let measured = measure(&text, ReferenceBits::Eight);
            (text, measured)
        }))
    }
}
