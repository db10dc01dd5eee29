//! Leaving a line's audience and coming back, as the handset asks for it.

use crate::App;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use store::{BlackList, ListChange, StoreError};

impl App {
    /// Takes a number off a line's audience, or puts it back. Doing it twice is the same as once.
    ///
    /// # Errors
    /// The store failed.
    pub async fn set_opted_out(
        &self,
        line: LineId,
        number: Msisdn,
        out: bool,
    ) -> Result<(), StoreError> {
        let change = ListChange {
            list: BlackList::Line(line),
            numbers: vec![number],
            add: out,
            at: self.now(),
        };
        self.store().change_list(change).await
    }
}
