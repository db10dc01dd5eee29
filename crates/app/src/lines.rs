//! The lines that an account may use (`lines`).

use crate::App;
use crate::access::Access;
use domain::account::Account;
use domain::line::Line;
use store::StoreError;

/// A line as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// `+98…`; a name in the letter case in which it was registered.
    pub number: String,
    /// Whether it may send.
    pub send: bool,
    /// Whether it may receive.
    pub gets: bool,
}

impl App {
    /// The lines that the account may use, in the order in which they were added.
    ///
    /// # Errors
    /// The store failed.
    pub async fn lines(&self, account: &Account) -> Result<Vec<LineItem>, StoreError> {
        let view = self.view().await?;
        let access = Access::of(&view, account);
        Ok(access
            .lines()
            .map(|line| LineItem {
                number: shown(line),
                send: line.settings.can_send,
                gets: line.settings.can_receive,
            })
            .collect())
    }
}

/// A line as people and clients read it.
pub(crate) fn shown(line: &Line) -> String {
    if line.number.is_numeric() {
        line.number.to_string()
    } else {
        line.display.clone()
    }
}
