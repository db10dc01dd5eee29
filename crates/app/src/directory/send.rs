//! Sending to people of the directory: as to a list that is read in slices, from lines for
//! advertising only, and with numbers that the sender never sees. Who is on a blacklist is left out
//! before anything is priced: nobody is told of numbers that he did not name.

use super::{DirectoryQuery, DirectorySource};
use crate::App;
use crate::draft::{self, Given};
use crate::send::{SendError, TextSource, count};
use crate::send_numbers::{Entry, NumbersError, NumbersRequest, Source};
use ::directory::{DirectoryError, Numbers};
use domain::account::Account;
use domain::ids::{BulkNo, LineId};
use domain::line::LineClass;
use domain::msisdn::Msisdn;
use domain::refusal::Refusal;
use std::io;
use store::{RECIPIENTS_PER_COMMAND_MAX, StoreError};
use tokio::task::JoinHandle;

impl App {
    /// Sends a text to everybody whom a query means, as one bulk whose reports mask the numbers,
    /// whatever `request` says of that. When the future is dropped before the answer, nothing is
    /// sent.
    ///
    /// # Errors
    /// The first refusal in the order 1, 4 (no directory), 422 (the query), 4 (nobody), 98, 3,
    /// 7 (the line is not for advertising), then as [`App::send_numbers`]; or the store or the
    /// directory failed. Nothing is sent then.
    pub async fn send_to_directory(
        &self,
        account: &Account,
        request: NumbersRequest<'_>,
        query: DirectoryQuery<'_>,
    ) -> Result<BulkNo, SendError> {
        let outcome = self.directory_judged(account, request, query).await;
        count(&outcome, TextSource::Sender);
        outcome
    }

    async fn directory_judged(
        &self,
        account: &Account,
        request: NumbersRequest<'_>,
        query: DirectoryQuery<'_>,
    ) -> Result<BulkNo, SendError> {
        if let Some(bulk) = self.sent_before(account, request.idempotency_key).await? {
            return Ok(bulk);
        }
        if draft::is_blank(request.text) {
            return Err(Refusal::EmptyMessage.into());
        }
        let source = self.open_directory().await?.ok_or(Refusal::NoRecipient)?;
        let (many, numbers) = self.numbers_of(source, query).await?;
        let view = self.view().await?;
        let line = draft::own_line(&view, account, request.from).ok_or(Refusal::LineNotOwned)?;
        if line.settings.class != LineClass::Advertising {
            return Err(Refusal::LineUnfitForBulk.into());
        }
        let long = many > RECIPIENTS_PER_COMMAND_MAX as u64;
        let _turn = match long {
            true => Some(self.0.turns.wait(account.id).await),
            false => None,
        };
        let request = NumbersRequest {
            masked: true,
            ..request
        };
        let people = People {
            app: self.clone(),
            line: line.id,
            under_way: Some(fetch(numbers)),
        };
        match self.send_list(account, request, people, |_| {}).await {
            Ok(sent) => Ok(sent.bulk),
            Err(NumbersError::Send(error)) => Err(error),
            Err(NumbersError::Unreadable(error)) => {
                let said = format!("a send to the directory was given up: {error}");
                Err(StoreError::Other(said).into())
            }
        }
    }

    /// Everybody whom a query means, as a list for a send from this line.
    pub(crate) async fn directory_people(
        &self,
        line: LineId,
        query: DirectoryQuery<'_>,
    ) -> Result<impl Source + use<>, SendError> {
        let source = self.open_directory().await?.ok_or(Refusal::NoRecipient)?;
        let (_, numbers) = self.numbers_of(source, query).await?;
        Ok(People {
            app: self.clone(),
            line,
            under_way: Some(fetch(numbers)),
        })
    }

    /// The numbers behind a query, and how many they are; codes 4 and 98 by their count.
    async fn numbers_of(
        &self,
        source: &DirectorySource,
        query: DirectoryQuery<'_>,
    ) -> Result<(u64, Numbers), SendError> {
        let selection = query.selection(self.operators(), &source.jobs)?;
        let asked = source.ask(self.now(), move |people| {
            // Both of one file: a newer one may take its place between two questions.
            Ok((people.count(&selection)?, people.numbers(&selection)?))
        });
        let (count, numbers) = asked.await?.ok_or(Refusal::NoRecipient)?;
        if count == 0 {
            return Err(Refusal::NoRecipient.into());
        }
        if count > u64::from(self.limits().numbers_max) {
            return Err(Refusal::TooManyRecipients.into());
        }
        Ok((count, numbers))
    }
}

/// Numbers with the slice that was read of them.
type Read = (Numbers, Result<Vec<Msisdn>, DirectoryError>);

/// The numbers of people, read aside because that may wait for the disk. A slice is asked for
/// before the one before it is handed over, so that reading and writing go on at the same time.
struct People {
    app: App,
    line: LineId,
    under_way: Option<JoinHandle<Read>>,
}

impl People {
    /// The next slice, as it stands in the directory; none at the end.
    async fn slice(&mut self) -> Result<Vec<Msisdn>, NumbersError> {
        let Some(under_way) = self.under_way.take() else {
            return Ok(Vec::new());
        };
        let (numbers, slice) = under_way.await.map_err(io::Error::other)?;
        let slice = slice.map_err(io::Error::other)?;
        if !slice.is_empty() {
            self.under_way = Some(fetch(numbers));
        }
        Ok(slice)
    }
}

fn fetch(mut numbers: Numbers) -> JoinHandle<Read> {
    tokio::task::spawn_blocking(move || {
        let slice = numbers.next_slice();
        (numbers, slice)
    })
}

impl Source for People {
    async fn next(&mut self) -> Result<Vec<Entry>, NumbersError> {
        loop {
            let slice = self.slice().await?;
            if slice.is_empty() {
                return Ok(Vec::new());
            }
            let screened = self.app.screen_numbers(self.line, &slice).await;
            let reasons = screened.map_err(SendError::from)?;
            let free = slice.into_iter().zip(reasons);
            let free = free.filter_map(|(number, reason)| reason.is_none().then_some(number));
            let free: Vec<Entry> = free.map(|number| Given::Mobile(number).into()).collect();
            // An empty answer would be the end of the list.
            if !free.is_empty() {
                return Ok(free);
            }
        }
    }
}
