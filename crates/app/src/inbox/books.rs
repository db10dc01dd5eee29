//! Putting the sender of a message into phonebooks, and taking it out.

use crate::phonebooks::ContactAdded;
use crate::{App, BookError};
use domain::ids::AccountId;
use domain::inbound::rule::Actions;
use domain::msisdn::Msisdn;
use store::{InboundMessage, StoreError};

impl App {
    /// Does what a rule asks of the account's books; says in words what became of each. Called
    /// twice for the same message it leaves the books as they are after the first call.
    ///
    /// # Errors
    /// The store failed. A book that is gone or full is said in words and stops nothing.
    pub(super) async fn keep_books(
        &self,
        account: AccountId,
        message: &InboundMessage,
        actions: &Actions,
    ) -> Result<Vec<String>, StoreError> {
        if actions.add_to.is_empty() && actions.remove_from.is_empty() {
            return Ok(Vec::new());
        }
        let Some(number) = Msisdn::parse(&message.message.from) else {
            return Ok(vec![
                "phonebooks are left alone: the sender is no mobile number".into(),
            ]);
        };
        let mut words = Vec::new();
        for &book in &actions.remove_from {
            words.push(match self.remove_contact(account, book, number).await {
                Ok(true) => format!("taken out of book {book}"),
                Ok(false) => format!("was not in book {book}"),
                Err(BookError::Store(error)) => return Err(error),
                Err(_) => format!("book {book} is gone"),
            });
        }
        for &book in &actions.add_to {
            words.push(match self.add_contact(account, book, number, "").await {
                Ok(ContactAdded::Saved) => format!("put into book {book}"),
                Ok(ContactAdded::Exists) => format!("is in book {book} already"),
                Ok(ContactAdded::BookFull | ContactAdded::NameTooLong) => {
                    format!("not put into book {book}, which is full")
                }
                Err(BookError::Store(error)) => return Err(error),
                Err(_) => format!("book {book} is gone"),
            });
        }
        Ok(words)
    }
}
