//! What a message will cost, to whom it will go and when it will leave, before anything is written.
//!
//! A quote reads the same list in the same way as the send after it, so it costs the same reading;
//! one account has one quote of a long list at a time. What it says may have changed when the
//! message is sent: the price is the price at acceptance.

use super::{ComposeError, Message, Recipients, filling_of};
use crate::App;
use crate::access::Access;
use crate::draft::{self, Due, Pricer};
use crate::send::SendError;
use crate::send_numbers::{ListCounts, NumbersError, Reading, Source, Texts};
use domain::account::Account;
use domain::ids::OperatorId;
use domain::line::{Line, LineClass};
use domain::money::Rials;
use domain::recipient::NewRecipient;
use domain::refusal::Refusal;
use domain::state::State;
use domain::time::UnixMillis;
use std::sync::Arc;
use store::{RECIPIENTS_PER_COMMAND_MAX, StoreError};

/// The part of a quote that goes to one operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorQuote {
    /// The operator.
    pub operator: OperatorId,
    /// Its recipients.
    pub messages: u64,
    /// The messages that go over the air to them.
    pub parts: u64,
    /// What they cost.
    pub price: Rials,
}

/// What a message will cost and do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// By operator, in the order of the installation's table; those without recipients are left
    /// out.
    pub operators: Vec<OperatorQuote>,
    /// What the list held beside its messages.
    pub counts: ListCounts,
    /// Recipients that stand on a blacklist: they are left out and cost nothing.
    pub on_blacklist: u64,
    /// What the account has now.
    pub credit: Rials,
    /// Whether somebody must approve the text first.
    pub needs_approval: bool,
    /// When it was asked to leave.
    pub due_at: UnixMillis,
    /// When the line's hours let it leave; not before `due_at`.
    pub leaves_at: UnixMillis,
}

impl Quote {
    /// Its recipients.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.operators.iter().map(|row| row.messages).sum()
    }

    /// Messages that go over the air.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.operators.iter().map(|row| row.parts).sum()
    }

    /// What it costs.
    #[must_use]
    pub fn price(&self) -> Rials {
        let prices = self.operators.iter().map(|row| row.price.0);
        Rials(prices.fold(0, i64::saturating_add))
    }

    /// What the account has after it; below zero where it has too little.
    #[must_use]
    pub fn credit_after(&self) -> Rials {
        Rials(self.credit.0.saturating_sub(self.price().0))
    }

    /// Whether the credit covers it.
    #[must_use]
    pub fn is_covered(&self) -> bool {
        self.price() <= self.credit
    }
}

/// Sums while a list is read.
#[derive(Default)]
struct Tally {
    operators: Vec<OperatorQuote>,
    on_blacklist: u64,
}

impl Tally {
    fn add(&mut self, recipients: &[NewRecipient]) {
        for recipient in recipients {
            match recipient.ends_as {
                None => self.price(recipient),
                Some((State::Discarded, _)) => self.on_blacklist += 1,
                Some(_) => {}
            }
        }
    }

    fn price(&mut self, recipient: &NewRecipient) {
        let operator = recipient.operator;
        let known = self
            .operators
            .iter()
            .position(|row| row.operator == operator);
        let place = known.unwrap_or_else(|| {
            self.operators.push(OperatorQuote {
                operator,
                messages: 0,
                parts: 0,
                price: Rials::ZERO,
            });
            self.operators.len() - 1
        });
        let row = &mut self.operators[place];
        let price = recipient.unit_price.0 * i64::from(recipient.parts);
        row.messages += 1;
        row.parts += u64::from(recipient.parts);
        row.price = Rials(row.price.0.saturating_add(price));
    }
}

impl App {
    /// What a message will cost and do. Nothing is written.
    ///
    /// # Errors
    /// As [`App::send_composed`], but that too little credit is no refusal: the quote says it.
    pub async fn quote(
        &self,
        account: &Account,
        message: &Message<'_>,
    ) -> Result<Quote, ComposeError> {
        self.check_way(account, &message.recipients).await?;
        if draft::is_blank(message.text) {
            return Err(Refusal::EmptyMessage.into());
        }
        let view = self.view().await?;
        let own_line =
            || draft::own_line(&view, account, message.from).ok_or(Refusal::LineNotOwned);
        match message.recipients {
            Recipients::Numbers(to) => {
                let max = Access::of(&view, account).recipients_max(self.limits());
                if to.len() > max as usize {
                    return Err(Refusal::TooManyRecipients.into());
                }
                let list = Texts(to.iter().cloned().map(Ok));
                self.quoted(account, message, &*own_line()?, list).await
            }
            Recipients::Books(ids) => {
                let (books, contacts) = self.own_books(account, ids).await?;
                self.check_contacts(contacts)?;
                let _turn = match contacts > RECIPIENTS_PER_COMMAND_MAX as u64 {
                    true => Some(self.0.quotes.wait(account.id).await),
                    false => None,
                };
                let filling = filling_of(message.text, &books)?.map(Arc::new);
                let line = own_line()?;
                let list = self.book_pages(account, &books, filling);
                self.quoted(account, message, &line, list).await
            }
            Recipients::People(query) => {
                let line = own_line()?;
                if line.settings.class != LineClass::Advertising {
                    return Err(Refusal::LineUnfitForBulk.into());
                }
                let list = self.directory_people(line.id, query).await?;
                let _turn = self.0.quotes.wait(account.id).await;
                self.quoted(account, message, &line, list).await
            }
        }
    }

    async fn quoted(
        &self,
        account: &Account,
        message: &Message<'_>,
        line: &Line,
        mut list: impl Source,
    ) -> Result<Quote, ComposeError> {
        let view = self.view().await?;
        let bits = line.settings.reference_bits;
        let measure = draft::measured(message.text, bits, self.limits())?;
        let due = Due::read(message.time, self.now())?;
        draft::check_hours(line, &due)?;
        let pricer = Pricer::new(Arc::clone(&view), account, line.id);
        let mut reading = Reading::new(self, line, measure, pricer);
        let mut screen = self.line_screen(account.id, line.id).await?;
        let mut text = match list.has_own_texts() {
            true => "",
            false => message.text,
        };
        let (mut tally, mut needs_approval) = (Tally::default(), false);
        loop {
            let mut chunk = reading.next(&mut list).await.map_err(send_error)?;
            if chunk.is_empty() {
                break;
            }
            if let Some(screen) = &mut screen {
                screen.leave_out(&mut chunk).await?;
                needs_approval |= screen.would_hold(text, &chunk).await?.is_some();
                text = "";
            }
            tally.add(&chunk);
            // Pages of books are read ahead, so this loop alone could hold its thread.
            tokio::task::yield_now().await;
        }
        reading.check_any()?;
        self.check_links(line, &reading.pricer, &due).await?;
        let counts = reading.counts;
        let quote = Quote {
            operators: self.in_order(tally.operators),
            counts,
            on_blacklist: tally.on_blacklist,
            credit: self.store().balance(account.id).await?.credit,
            needs_approval,
            due_at: due.at,
            leaves_at: leaves_at(line, due.at),
        };
        let day = Access::of(&view, account).day_limit(due.now);
        if day.is_some_and(|day| quote.messages() > u64::from(day.messages_max)) {
            return Err(Refusal::TooManyRecipients.into());
        }
        Ok(quote)
    }

    /// In the order of the installation's table.
    fn in_order(&self, mut operators: Vec<OperatorQuote>) -> Vec<OperatorQuote> {
        let place = |row: &OperatorQuote| {
            let all = self.operators();
            all.iter().position(|one| one.id == row.operator)
        };
        operators.sort_by_key(place);
        operators
    }
}

/// When the hours of a line let something leave that is due.
fn leaves_at(line: &Line, due: UnixMillis) -> UnixMillis {
    match line.settings.hours {
        Some(hours) if !hours.is_open(due) => hours.next_opening(due),
        _ => due,
    }
}

fn send_error(error: NumbersError) -> SendError {
    match error {
        NumbersError::Send(error) => error,
        NumbersError::Unreadable(error) => StoreError::Other(error.to_string()).into(),
    }
}
