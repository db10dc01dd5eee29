//! What is done for each message, once: the words `11` and `12`, the account's keyword rules, and
//! the calls to its URLs. What was done is written beside the message, in words.
//!
//! A step that failed in the middle is run again from its beginning: leaving and coming back are
//! the same when they are done twice, as are contacts of phonebooks, an answer is sent under an idempotency key, and calls are
//! queued in the command that ends the work.

use super::answer::Answered;
use crate::App;
use crate::catalog::CatalogView;
use domain::account::Account;
use domain::ids::AccountId;
use domain::inbound::opt_out_word;
use domain::inbound::rule::{Comparable, Rule};
use domain::msisdn::Msisdn;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{CallbackTarget, FinishInbound, InboundMessage, InboundWork, StoreError};
use tokio::task::JoinSet;

/// Messages that one step handles.
const MESSAGES_PER_STEP: u32 = 200;

/// What one step handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handled {
    /// Messages that were handled.
    pub messages: u32,
    /// Messages that could not be handled now; they are tried again in the next round.
    pub failed: u32,
    /// Where the next step goes on; `None` when this one reached the end.
    pub next: Option<i64>,
}

/// What was done for a message, so far.
#[derive(Default)]
struct Done {
    words: Vec<String>,
    answered: bool,
    callbacks: Vec<CallbackTarget>,
}

impl App {
    /// Handles a slice of messages, from place `after` on. Accounts are worked for at the same
    /// time, each account's messages in their order.
    ///
    /// # Errors
    /// The store cannot be read. A message that fails alone is logged and left for the next round.
    pub async fn handle_inbound(&self, after: Option<i64>) -> Result<Handled, StoreError> {
        let work = self.store().inbound_work(after, MESSAGES_PER_STEP).await?;
        let mut handled = Handled::default();
        if work.len() == MESSAGES_PER_STEP as usize {
            handled.next = work.last().map(|last| last.n);
        }
        let mut by_account: BTreeMap<Option<AccountId>, Vec<InboundWork>> = BTreeMap::new();
        for one in work {
            let account = one.message.message.owner.ok();
            by_account.entry(account).or_default().push(one);
        }
        let mut tasks = JoinSet::new();
        for (account, work) in by_account {
            let app = self.clone();
            tasks.spawn(async move { app.handle_for(account, work).await });
        }
        while let Some(ended) = tasks.join_next().await {
            let (messages, failed) =
                ended.map_err(|error| StoreError::Other(format!("a task ended badly: {error}")))?;
            handled.messages += messages;
            handled.failed += failed;
        }
        Ok(handled)
    }

    /// Handles messages of one account; says how many were handled and how many failed.
    async fn handle_for(&self, account: Option<AccountId>, work: Vec<InboundWork>) -> (u32, u32) {
        let (mut messages, mut failed) = (0, 0);
        for one in work {
            match self.handle_one(account, &one).await {
                Ok(()) => messages += 1,
                Err(StoreError::Stopped(_)) => return (messages, failed + 1),
                Err(error) => {
                    failed += 1;
                    tracing::error!(%error, ?account, message = %one.message.no,
                        "a message from a handset could not be handled; it is tried again");
                }
            }
        }
        (messages, failed)
    }

    async fn handle_one(
        &self,
        account: Option<AccountId>,
        work: &InboundWork,
    ) -> Result<(), StoreError> {
        let view = self.view().await?;
        let message = &work.message;
        let mut done = Done::default();
        self.heed_opt_out(&view, message, &mut done).await?;
        if let Some(id) = account {
            self.serve_account(&view, id, message, &mut done).await?;
        } else if let Err(reason) = message.message.owner {
            done.words
                .push(format!("in nobody's inbox: {}", reason.words()));
        }
        let outcome = if done.words.is_empty() {
            "nothing was to be done".to_owned()
        } else {
            done.words.join("; ")
        };
        self.store()
            .finish_inbound(FinishInbound {
                n: work.n,
                now: self.now(),
                outcome,
                answered: done.answered,
                callbacks: done.callbacks,
            })
            .await
    }

    /// `11` takes the sender off the line's audience, `12` puts it back, whoever has the line.
    async fn heed_opt_out(
        &self,
        view: &CatalogView,
        message: &InboundMessage,
        done: &mut Done,
    ) -> Result<(), StoreError> {
        let message = &message.message;
        let line = message.line.and_then(|id| view.line(id));
        let Some(line) = line.filter(|line| line.settings.opt_out_words) else {
            return Ok(());
        };
        let (Some(out), Some(number)) = (opt_out_word(&message.text), Msisdn::parse(&message.from))
        else {
            return Ok(());
        };
        self.set_opted_out(line.id, number, out).await?;
        done.words.push(if out {
            "the sender left the line's audience".into()
        } else {
            "the sender came back to the line's audience".into()
        });
        Ok(())
    }

    async fn serve_account(
        &self,
        view: &CatalogView,
        id: AccountId,
        message: &InboundMessage,
        done: &mut Done,
    ) -> Result<(), StoreError> {
        let Some(account) = self.account_by_id(id).await? else {
            done.words.push("the account is gone".into());
            return Ok(());
        };
        if account.is_restricted(self.now()) {
            done.words
                .push("the account is restricted or has expired: only kept in its inbox".into());
            return Ok(());
        }
        if account.settings.inbound_url.is_some() {
            done.callbacks.push(CallbackTarget::Account);
            done.words.push("queued for the account's URL".into());
        }
        let rules = self.store().rules(id).await?;
        let Some(rule) = first_that_takes(&rules, message) else {
            return Ok(());
        };
        let no = rule.no;
        if rule.settings.actions.forward.is_some() {
            done.callbacks.push(CallbackTarget::Rule(no));
            done.words.push(format!("rule {no}: queued for its URL"));
        }
        let words = self.keep_books(id, message, &rule.settings.actions).await?;
        done.words
            .extend(words.into_iter().map(|word| format!("rule {no}: {word}")));
        if let Some(text) = &rule.settings.actions.answer {
            let line = message.message.line.and_then(|id| view.line(id));
            let answered = self
                .answer_handset(&account, line.map(|line| &**line), message, no, text)
                .await?;
            done.answered = matches!(answered, Answered::Sent(_));
            done.words.push(format!("rule {no}: {answered}"));
        }
        Ok(())
    }

    /// The account with this id, as logging in reads it.
    pub(super) async fn account_by_id(
        &self,
        id: AccountId,
    ) -> Result<Option<Arc<Account>>, StoreError> {
        let before = AccountId(id.0.saturating_sub(1));
        let found = self.store().accounts(Some(before), 1).await?;
        let Some(summary) = found.first().filter(|summary| summary.id == id) else {
            return Ok(None);
        };
        let account = self.store().account_by_name(&summary.name).await?;
        Ok(account.map(Arc::new))
    }
}

fn first_that_takes<'r>(rules: &'r [Rule], message: &InboundMessage) -> Option<&'r Rule> {
    if rules.is_empty() {
        return None;
    }
    let line = message.message.line?;
    let text = Comparable::new(&message.message.text);
    rules.iter().find(|rule| rule.settings.takes(line, &text))
}
