//! Making, changing and showing patterns, and who may use them.

use crate::App;
use crate::manage::ManageError;
use crate::password;
use domain::ids::AccountId;
use domain::pattern::{Form, Pattern, PatternStatus, TITLE_CHARS_MAX, Value, Variable, read_code};
use domain::text::{Measure, ReferenceBits, measure};
use store::{PatternChange, PatternGrant, StoreError};

/// Patterns that an account may have.
pub const PATTERNS_PER_ACCOUNT_MAX: u32 = 1_000;
/// Characters of a code that peyk makes up: 75 random bits.
pub const GENERATED_CODE_CHARS: usize = 15;

/// A pattern to be made.
#[derive(Clone, Debug)]
pub struct CreatePattern {
    /// Whose it is, by name.
    pub account: String,
    /// Its code; `None` makes one up.
    pub code: Option<String>,
    /// What people call it.
    pub title: String,
    /// The text with its variables as `%name%`.
    pub text: String,
    /// What the variables may hold; those that are left out hold a text.
    pub variables: Vec<Variable>,
    /// Whether it may be sent.
    pub status: PatternStatus,
}

/// What is changed of a pattern; `None` leaves as it is.
#[derive(Clone, Debug, Default)]
pub struct ChangePattern {
    /// A new title.
    pub title: Option<String>,
    /// A new text. Variables that stay keep what they may hold.
    pub text: Option<String>,
    /// What these variables may hold; the others stay.
    pub variables: Vec<Variable>,
    /// A new status.
    pub status: Option<PatternStatus>,
    /// A new note, such as why it was rejected.
    pub note: Option<String>,
}

/// A pattern with who may use it.
#[derive(Clone, Debug)]
pub struct ShownPattern {
    /// The pattern.
    pub pattern: Pattern,
    /// Those who may use it beside the owner: the first [`SHOWN_USERS_MAX`] of them.
    pub users: Vec<AccountId>,
}

/// Users of a pattern that are shown with it.
pub const SHOWN_USERS_MAX: u32 = 1_000;

impl App {
    /// Makes a pattern, and gives it as it was made.
    ///
    /// # Errors
    /// There is no such account, the text cannot be a pattern, the code cannot be one or is taken,
    /// the account has [`PATTERNS_PER_ACCOUNT_MAX`] patterns, or the store failed.
    pub async fn create_pattern(&self, new: CreatePattern) -> Result<Pattern, ManageError> {
        let account = self.account(&new.account).await?;
        let form = read_form(&new.text, &new.variables)?;
        check_words("title", &new.title)?;
        let have = self
            .store()
            .patterns(Some(account.id), None, PATTERNS_PER_ACCOUNT_MAX);
        if have.await?.len() >= PATTERNS_PER_ACCOUNT_MAX as usize {
            return Err(ManageError::Invalid(format!(
                "an account may have {PATTERNS_PER_ACCOUNT_MAX} patterns at most"
            )));
        }
        let code = match new.code {
            Some(code) => checked_code(&code)?.to_owned(),
            None => password::letters(GENERATED_CODE_CHARS)
                .map_err(|error| ManageError::Invalid(error.to_string()))?,
        };
        let pattern = Pattern {
            owner: account.id,
            code,
            title: new.title,
            text: new.text,
            variables: form.variables().to_vec(),
            status: new.status,
            note: String::new(),
            created_at: self.now(),
        };
        self.store().create_pattern(pattern.clone()).await?;
        self.0.patterns.invalidate();
        Ok(pattern)
    }

    /// Changes a pattern, and gives it as it is now. What was sent stays what it was.
    ///
    /// # Errors
    /// There is no such pattern, the text cannot be one, or the store failed.
    pub async fn change_pattern(
        &self,
        code: &str,
        change: ChangePattern,
    ) -> Result<Pattern, ManageError> {
        let mut pattern = self.pattern(code).await?;
        for (what, words) in [("title", &change.title), ("note", &change.note)] {
            words
                .as_ref()
                .map_or(Ok(()), |text| check_words(what, text))?;
        }
        let text = if change.text.is_some() || !change.variables.is_empty() {
            let text = change.text.unwrap_or(pattern.text);
            let form = read_form(
                &text,
                &described(&text, pattern.variables, change.variables),
            )?;
            (pattern.text, pattern.variables) = (text, form.variables().to_vec());
            Some((pattern.text.clone(), pattern.variables.clone()))
        } else {
            None
        };
        let command = PatternChange {
            title: change.title,
            text,
            status: change.status,
            note: change.note,
        };
        let changed = self
            .store()
            .update_pattern(pattern.owner, &pattern.code, command);
        changed.await?;
        self.0.patterns.invalidate();
        self.pattern(code).await
    }

    /// Removes a pattern. What was sent stays.
    ///
    /// # Errors
    /// There is no such pattern, or the store failed.
    pub async fn remove_pattern(&self, code: &str) -> Result<(), ManageError> {
        let pattern = self.pattern(code).await?;
        let removed = self.store().remove_pattern(pattern.owner, &pattern.code);
        removed.await?;
        self.0.patterns.invalidate();
        Ok(())
    }

    /// Lets an account use another's pattern, or no longer.
    ///
    /// # Errors
    /// There is no such pattern or account, the account is the owner, or the store failed.
    pub async fn grant_pattern(
        &self,
        code: &str,
        account: &str,
        granted: bool,
    ) -> Result<(), ManageError> {
        let pattern = self.pattern(code).await?;
        let account = self.account(account).await?;
        if account.id == pattern.owner {
            let sentence = format!("the pattern is {}'s own", account.name);
            return Err(ManageError::Invalid(sentence));
        }
        let command = PatternGrant {
            owner: pattern.owner,
            code: pattern.code,
            account: account.id,
            granted,
        };
        self.store().grant_pattern(command).await?;
        self.0.patterns.invalidate();
        Ok(())
    }

    /// The pattern with this code, whoever owns it, read now.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn pattern(&self, code: &str) -> Result<Pattern, ManageError> {
        let code = checked_code(code)?;
        let found = self.store().pattern_by_code(code).await?;
        found.ok_or_else(|| ManageError::Unknown(format!("pattern {code}")))
    }

    /// The pattern with this code and who may use it.
    ///
    /// # Errors
    /// There is none, or the store failed.
    pub async fn show_pattern(&self, code: &str) -> Result<ShownPattern, ManageError> {
        let pattern = self.pattern(code).await?;
        let users = self
            .store()
            .pattern_users(&pattern.code, None, SHOWN_USERS_MAX);
        let users = users.await?;
        Ok(ShownPattern { pattern, users })
    }

    /// The patterns of one owner, or of all, in the order of owner and code, after `after`.
    ///
    /// # Errors
    /// The store failed.
    pub async fn patterns(
        &self,
        owner: Option<AccountId>,
        after: Option<(AccountId, String)>,
        limit: u32,
    ) -> Result<Vec<Pattern>, StoreError> {
        self.store().patterns(owner, after, limit).await
    }

    /// The text that a pattern makes of these values, and its measure on a common line. Nothing is
    /// sent.
    ///
    /// # Errors
    /// There is no such pattern, the values do not fit it, or the store failed.
    pub async fn try_pattern(
        &self,
        code: &str,
        values: &[Value],
    ) -> Result<(String, Measure), ManageError> {
        let pattern = self.pattern(code).await?;
        let form = read_form(&pattern.text, &pattern.variables)?;
        let text = form
            .fill(values, &[])
            .map_err(|error| ManageError::Invalid(error.to_string()))?;
        let measured = measure(&text, ReferenceBits::Eight);
        Ok((text, measured))
    }
}

fn read_form(text: &str, variables: &[Variable]) -> Result<Form, ManageError> {
    Form::new(text, variables).map_err(|error| ManageError::Invalid(error.to_string()))
}

fn checked_code(code: &str) -> Result<&str, ManageError> {
    read_code(code).ok_or_else(|| {
        let rule = "letters, digits, - and _, at most 64";
        ManageError::Invalid(format!("not a pattern's code ({rule})"))
    })
}

fn check_words(what: &str, words: &str) -> Result<(), ManageError> {
    if words.chars().count() > TITLE_CHARS_MAX {
        let sentence = format!("the {what} is longer than {TITLE_CHARS_MAX} characters");
        return Err(ManageError::Invalid(sentence));
    }
    Ok(())
}

/// What a changed text's variables may hold: as described now, else as they were, where the text
/// still has them.
fn described(text: &str, were: Vec<Variable>, now: Vec<Variable>) -> Vec<Variable> {
    let same = |a: &str, b: &str| {
        domain::pattern::canonical_variable(a) == domain::pattern::canonical_variable(b)
    };
    let template = domain::pattern::Template::parse(text);
    let stays = |old: &Variable| {
        template.names().iter().any(|name| same(name, &old.name))
            && !now.iter().any(|new| same(&new.name, &old.name))
    };
    let mut described: Vec<Variable> = were.into_iter().filter(stays).collect();
    described.extend(now);
    described
}
