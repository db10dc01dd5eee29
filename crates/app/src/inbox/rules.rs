//! Keyword rules: adding, removing, listing. The first rule that takes a text decides, in the order
//! in which they were added: two answers to one text would cost twice and surprise.

use super::check_callback_url;
use crate::access::Access;
use crate::manage::ManageError;
use crate::{App, draft};
use domain::account::Account;
use domain::ids::RuleNo;
use domain::inbound::rule::{Actions, Matching, Rule, RuleSettings};
use domain::text::ReferenceBits;
use store::StoreError;

/// Rules that an account may have: each is compared with each message.
pub const RULES_PER_ACCOUNT_MAX: u32 = 200;

/// A rule to be added.
#[derive(Clone, Debug)]
pub struct NewRule {
    /// Only messages to this line; `None` is every line of the account.
    pub line: Option<String>,
    /// What is compared.
    pub matching: Matching,
    /// With what.
    pub word: String,
    /// What is done.
    pub actions: Actions,
}

impl App {
    /// Adds a keyword rule after those that the account has.
    ///
    /// # Errors
    /// The rule cannot work, the account does not have the line or a book, it has too many rules, or the
    /// store failed.
    pub async fn add_rule(&self, account: &Account, new: NewRule) -> Result<RuleNo, ManageError> {
        let line = match &new.line {
            None => None,
            Some(number) => {
                let line = self.line(number).await?;
                let view = self.view().await?;
                if !Access::of(&view, account).may_use(line.id) {
                    return Err(ManageError::Invalid(format!(
                        "account {} does not have line {}",
                        account.name, line.display
                    )));
                }
                Some(line.id)
            }
        };
        let settings = RuleSettings {
            line,
            matching: new.matching,
            word: new.word.trim().to_owned(),
            actions: new.actions,
        };
        settings.check().map_err(ManageError::Invalid)?;
        self.check_actions(account, &settings.actions).await?;
        let no = self
            .store()
            .add_rule(account.id, settings, RULES_PER_ACCOUNT_MAX)
            .await?;
        Ok(no)
    }

    async fn check_actions(&self, account: &Account, actions: &Actions) -> Result<(), ManageError> {
        if let Some(url) = &actions.forward {
            check_callback_url(url).map_err(ManageError::Invalid)?;
        }
        if let Some(text) = &actions.answer {
            if draft::is_blank(text) {
                return Err(ManageError::Invalid("the answer shows nothing".into()));
            }
            draft::measured(text, ReferenceBits::Sixteen, self.limits())
                .map_err(|_| ManageError::Invalid("the answer is too long".into()))?;
        }
        for &book in actions.add_to.iter().chain(&actions.remove_from) {
            if self.book(account.id, book).await?.is_none() {
                return Err(ManageError::Invalid(format!(
                    "account {} has no book {book}",
                    account.name
                )));
            }
        }
        Ok(())
    }

    /// Removes a keyword rule. Calls to its URL that wait are dropped.
    ///
    /// # Errors
    /// There is none with that number, or the store failed.
    pub async fn remove_rule(&self, account: &Account, no: RuleNo) -> Result<(), ManageError> {
        if self.store().remove_rule(account.id, no).await? {
            Ok(())
        } else {
            Err(ManageError::Unknown(format!("rule {no}")))
        }
    }

    /// The keyword rules of an account in their order.
    ///
    /// # Errors
    /// The store failed.
    pub async fn rules(&self, account: &Account) -> Result<Vec<Rule>, StoreError> {
        self.store().rules(account.id).await
    }
}
