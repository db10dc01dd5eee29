//! The gate that every kind of send passes: who is left out, and whether the text must be read.
//!
//! For a line without lists and rules there is no gate, and a send pays two look-ups in memory.

use super::cache::{Followed, ScreenView};
use crate::App;
use crate::send::TextSource;
use domain::approval::Subject;
use domain::blacklist::BlackList;
use domain::ids::{AccountId, LineId};
use domain::msisdn::Msisdn;
use domain::reason::Reason;
use domain::recipient::{Address, NewRecipient};
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{AcceptBulk, ApprovalWanted, LIST_NUMBERS_PER_COMMAND_MAX, Store, StoreError};

/// Texts that are judged before others get a turn on this thread.
const TEXTS_PER_TURN: usize = 200;
/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// Why, where no rule but the line wants a text approved.
const LINE_WANTS_IT: &str = "its line wants every text approved";

/// What screens the messages of one bulk.
pub(crate) struct LineScreen {
    store: Arc<dyn Store>,
    lists: Vec<(BlackList, Arc<Followed>)>,
    judge: Option<Judge>,
}

/// What judges texts. It goes when there is nothing more to find out.
struct Judge {
    view: Arc<ScreenView>,
    subject: Subject,
    line_wants_it: bool,
    until: UnixMillis,
}

impl App {
    /// What screens a bulk of this account from this line; `None` where nothing has to be.
    pub(crate) async fn line_screen(
        &self,
        account: AccountId,
        line: LineId,
    ) -> Result<Option<LineScreen>, StoreError> {
        let catalog = self.view().await?;
        let screens = &self.0.screens;
        let view = screens.view(self.store(), &*self.0.clock).await?;
        let settings = catalog.line(line).map(|line| &line.settings);
        let class = settings.map(|settings| settings.class).unwrap_or_default();
        let lists: Vec<_> = BlackList::that_bind(line, class)
            .filter_map(|list| Some((list, Arc::clone(view.list(list)?))))
            .collect();
        let subject = Subject {
            account,
            line,
            class,
        };
        let line_wants_it = settings.is_some_and(|settings| settings.approve_texts);
        let judge = (line_wants_it || view.rules.looks_at(&subject)).then(|| Judge {
            view,
            subject,
            line_wants_it,
            until: self
                .now()
                .plus_seconds(i64::from(self.limits().approval_days_max) * DAY_SECONDS),
        });
        if lists.is_empty() && judge.is_none() {
            return Ok(None);
        }
        let store = Arc::clone(self.store());
        Ok(Some(LineScreen {
            store,
            lists,
            judge,
        }))
    }

    /// Screens the first command of a bulk; gives what screens the others. The text of a pattern
    /// was approved with the pattern, and is not judged again.
    pub(crate) async fn screened(
        &self,
        command: &mut AcceptBulk,
        source: TextSource,
    ) -> Result<Option<LineScreen>, StoreError> {
        let Some(mut screen) = self.line_screen(command.account, command.line).await? else {
            return Ok(None);
        };
        if source == TextSource::Pattern {
            screen.judge = None;
        }
        screen.leave_out(&mut command.recipients).await?;
        let text = Arc::clone(&command.text);
        command.approval = screen.judge(&text, &command.recipients).await?;
        Ok(Some(screen))
    }

    /// For each number why nothing may be sent to it from this line; `None` where it may. For
    /// those who leave recipients out before they are priced; [`App::send`] and its siblings
    /// report them as discarded instead, and need no such question.
    ///
    /// # Errors
    /// The store failed.
    pub async fn screen_numbers(
        &self,
        line: LineId,
        numbers: &[Msisdn],
    ) -> Result<Vec<Option<Reason>>, StoreError> {
        // Rules are about texts, so whose numbers they are does not matter.
        let Some(screen) = self.line_screen(AccountId(0), line).await? else {
            return Ok(vec![None; numbers.len()]);
        };
        let mut reasons = vec![None; numbers.len()];
        for (place, list) in screen.on_lists(numbers.iter().copied().enumerate()).await? {
            reasons[place] = Some(list.reason());
        }
        Ok(reasons)
    }
}

impl LineScreen {
    /// Lets recipients on a list end as discarded, without a price.
    pub(crate) async fn leave_out(
        &self,
        recipients: &mut [NewRecipient],
    ) -> Result<(), StoreError> {
        if self.lists.is_empty() {
            return Ok(());
        }
        let mobiles = recipients
            .iter()
            .enumerate()
            .filter_map(|(place, one)| match one.address {
                Address::Mobile(number) if one.ends_as.is_none() => Some((place, number)),
                _ => None,
            });
        let listed = self.on_lists(mobiles).await?;
        for (place, list) in listed {
            recipients[place].ends_as = Some((domain::status::State::Discarded, list.reason()));
        }
        Ok(())
    }

    /// The numbers that stand on a list, each with its first list. Most are told by the filters;
    /// the store is asked for the rest.
    async fn on_lists(
        &self,
        numbers: impl Iterator<Item = (usize, Msisdn)>,
    ) -> Result<Vec<(usize, BlackList)>, StoreError> {
        let suspect = |number| self.lists.iter().any(|(_, list)| list.may_hold(number));
        let suspects: Vec<(usize, Msisdn)> =
            numbers.filter(|(_, number)| suspect(*number)).collect();
        let lists: Vec<BlackList> = self.lists.iter().map(|(list, _)| *list).collect();
        let mut found = Vec::new();
        for chunk in suspects.chunks(LIST_NUMBERS_PER_COMMAND_MAX) {
            let numbers = chunk.iter().map(|(_, number)| *number).collect();
            let listed = self.store.listed(lists.clone(), numbers).await?;
            let both = chunk.iter().zip(listed);
            found.extend(both.filter_map(|((place, _), list)| Some((*place, list?))));
        }
        Ok(found)
    }

    /// As [`Self::would_hold`], of a text that is being sent.
    pub(crate) async fn judge(
        &mut self,
        text: &str,
        recipients: &[NewRecipient],
    ) -> Result<Option<ApprovalWanted>, StoreError> {
        let wanted = self.would_hold(text, recipients).await?;
        if wanted.is_some() {
            metrics::counter!("peyk_texts_held_total").increment(1);
        }
        Ok(wanted)
    }

    /// Whether a person must read the text, or one of those that recipients have of their own.
    /// An empty `text` is none. Asked again for later recipients of the same bulk, it answers at
    /// most once.
    pub(crate) async fn would_hold(
        &mut self,
        text: &str,
        recipients: &[NewRecipient],
    ) -> Result<Option<ApprovalWanted>, StoreError> {
        let Some(judge) = &self.judge else {
            return Ok(None);
        };
        let Some(wanted) = judge.find(text, recipients).await else {
            return Ok(None);
        };
        let account = judge.subject.account;
        self.judge = None;
        if is_trusted(&*self.store, account).await? {
            return Ok(None);
        }
        Ok(Some(wanted))
    }
}

impl Judge {
    async fn find(&self, text: &str, recipients: &[NewRecipient]) -> Option<ApprovalWanted> {
        if !text.is_empty()
            && let Some(wanted) = self.wanted(text, None)
        {
            return Some(wanted);
        }
        let own = recipients.iter().filter(|one| one.ends_as.is_none());
        let own = own.filter_map(|one| one.text.as_deref());
        for (place, text) in own.enumerate() {
            if place % TEXTS_PER_TURN == TEXTS_PER_TURN - 1 {
                tokio::task::yield_now().await;
            }
            if let Some(wanted) = self.wanted(text, Some(text)) {
                return Some(wanted);
            }
        }
        None
    }

    /// A rule says more to the person who decides than the line does, so it goes first.
    fn wanted(&self, text: &str, own: Option<&str>) -> Option<ApprovalWanted> {
        let hit = self.view.rules.first_hit(text, &self.subject);
        if hit.is_none() && !self.line_wants_it {
            return None;
        }
        Some(ApprovalWanted {
            rule: hit.map(|rule| rule.id),
            why: hit.map_or_else(|| LINE_WANTS_IT.to_owned(), ToString::to_string),
            text: own.map(Box::from),
            until: self.until,
        })
    }
}

/// Asked only for a text that would have to wait, so nothing is remembered.
async fn is_trusted(store: &dyn Store, account: AccountId) -> Result<bool, StoreError> {
    let before = AccountId(account.0.saturating_sub(1));
    let found = store.accounts(Some(before), 1).await?;
    Ok(found
        .first()
        .is_some_and(|found| found.id == account && found.settings.texts_trusted))
}

#[cfg(test)]
#[path = "gate_tests.rs"]
mod tests;
