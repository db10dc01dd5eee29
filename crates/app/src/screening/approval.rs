//! Approving texts: the rules, the queue of those who decide, and the decision.

use crate::App;
use crate::manage::ManageError;
use domain::account::Account;
use domain::approval::{RULE_CHARS_MAX, Rule, RuleMatch, RuleScope, RuleSet};
use domain::ids::{BulkNo, RuleId};
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{
    Approval, ApprovalCursor, ApprovalState, DECISION_CHARS_MAX, DecideApproval, Decided, NewRule,
    StoreError,
};

/// A decision about a text, by a person.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'a> {
    /// True to let it go, false to reject it.
    pub approve: bool,
    /// Who decides.
    pub by: &'a str,
    /// Why.
    pub reason: Option<&'a str>,
}

impl App {
    /// The bulks that wait for somebody to decide, the oldest first, after the one given.
    ///
    /// # Errors
    /// The store failed.
    pub async fn approvals_waiting(
        &self,
        after: Option<&Approval>,
        limit: u32,
    ) -> Result<Vec<Approval>, StoreError> {
        let after = after.map(|last| ApprovalCursor {
            since: last.since,
            account: last.account,
            bulk: last.bulk,
        });
        self.store().approvals_waiting(after, limit).await
    }

    /// What was asked and decided about a bulk's text; `None` where it needed no approval, or the
    /// account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn approval(
        &self,
        account: &Account,
        bulk: BulkNo,
    ) -> Result<Option<Approval>, StoreError> {
        self.store().approval(account.id, bulk).await
    }

    /// Approves a text or rejects it.
    ///
    /// # Errors
    /// There is no such bulk, nobody has to decide about it any more, what was given is too long,
    /// or the store failed before anything was decided. Once it is decided, a failure while it is
    /// carried out is logged, and the sweep goes on with it.
    pub async fn decide_approval(
        &self,
        account: &Account,
        bulk: BulkNo,
        decision: Decision<'_>,
    ) -> Result<(), ManageError> {
        let given = [Some(decision.by), decision.reason];
        for text in given.into_iter().flatten() {
            if text.chars().count() > DECISION_CHARS_MAX {
                return Err(ManageError::Invalid(format!(
                    "who decides, and why, may have at most {DECISION_CHARS_MAX} characters each"
                )));
            }
        }
        let command = DecideApproval {
            account: account.id,
            bulk,
            approve: decision.approve,
            by: decision.by.to_owned(),
            reason: decision.reason.map(str::to_owned),
            now: self.now(),
        };
        match self.store().decide_approval(command.clone()).await? {
            Decided::Done => Ok(()),
            Decided::More => {
                self.carry_out(command).await;
                Ok(())
            }
            Decided::Unknown => Err(ManageError::Unknown(format!(
                "bulk {bulk} of this account that needs approval"
            ))),
            Decided::Already(state) => Err(ManageError::Invalid(format!(
                "bulk {bulk} was decided about before: {}",
                state_words(state)
            ))),
        }
    }

    /// Repeats a decision until it is carried out. A task of its own, so that a caller who hangs
    /// up leaves nothing half done.
    async fn carry_out(&self, command: DecideApproval) {
        let (store, clock) = (Arc::clone(self.store()), Arc::clone(&self.0.clock));
        let (account, bulk) = (command.account, command.bulk);
        let rest = tokio::spawn(async move {
            loop {
                let now = clock.now();
                let command = DecideApproval {
                    now,
                    ..command.clone()
                };
                match store.decide_approval(command).await {
                    Ok(Decided::More) => {}
                    // Somebody else, such as the sweep, has finished it.
                    Ok(_) => return Ok(()),
                    Err(error) => return Err(error),
                }
            }
        });
        if !matches!(rest.await, Ok(Ok(()))) {
            tracing::warn!(%account, %bulk,
                "a decision could not be carried out whole; the sweep goes on with it");
        }
    }

    /// The rules in the order of their numbers.
    ///
    /// # Errors
    /// The store failed.
    pub async fn approval_rules(&self) -> Result<Vec<Rule>, StoreError> {
        let state = self.store().screening(None).await?;
        Ok(state.and_then(|state| state.rules).unwrap_or_default())
    }

    /// Makes a rule. What was accepted before is not judged by it.
    ///
    /// # Errors
    /// It cannot be used, there are too many, or the store failed.
    pub async fn add_approval_rule(
        &self,
        matches: RuleMatch,
        scope: RuleScope,
        note: &str,
    ) -> Result<RuleId, ManageError> {
        let invalid = |error: &dyn std::fmt::Display| ManageError::Invalid(error.to_string());
        if note.chars().count() > RULE_CHARS_MAX {
            let sentence = format!("a note has at most {RULE_CHARS_MAX} characters");
            return Err(ManageError::Invalid(sentence));
        }
        matches.check().map_err(|error| invalid(&error))?;
        let mut all = self.approval_rules().await?;
        all.push(Rule {
            id: RuleId(i64::MAX),
            matches: matches.clone(),
            scope,
            note: String::new(),
            created_at: UnixMillis(0),
        });
        // All of them together have limits too.
        RuleSet::new(all).map_err(|error| invalid(&error))?;
        let rule = NewRule {
            matches,
            scope,
            note: note.to_owned(),
            at: self.now(),
        };
        let id = self.store().add_approval_rule(rule).await?;
        self.0.screens.invalidate();
        Ok(id)
    }

    /// Removes a rule. What it holds goes on waiting.
    ///
    /// # Errors
    /// There is no such rule, or the store failed.
    pub async fn remove_approval_rule(&self, rule: RuleId) -> Result<(), ManageError> {
        self.store().remove_approval_rule(rule).await?;
        self.0.screens.invalidate();
        Ok(())
    }

    /// The rules that would hold this text, whoever sent it.
    ///
    /// # Errors
    /// The store failed, or a rule in it cannot be used.
    pub async fn test_approval(&self, text: &str) -> Result<Vec<Rule>, ManageError> {
        let rules = RuleSet::new(self.approval_rules().await?);
        let rules = rules.map_err(|error| ManageError::Invalid(error.to_string()))?;
        Ok(rules.all_hits(text).into_iter().cloned().collect())
    }
}

/// An approval's state for people.
#[must_use]
pub fn state_words(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Building => "it is being written",
        ApprovalState::Waiting => "it waits for a decision",
        ApprovalState::Approved => "approved",
        ApprovalState::Rejected => "rejected",
        ApprovalState::TimedOut => "rejected, since nobody decided in time",
        ApprovalState::Withdrawn => "withdrawn, since its sender cancelled it",
    }
}
