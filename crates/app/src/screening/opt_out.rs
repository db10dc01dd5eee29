//! Opting out of one line, and back in: what an inbound `11` and `12` ask for.

use crate::App;
use domain::blacklist::BlackList;
use domain::ids::LineId;
use domain::msisdn::Msisdn;
use store::{ListChange, StoreError};

impl App {
    /// Puts a number on a line's list, or takes it off. When this returns, the number is not sent
    /// to from that line any more: neither by sends from now on, in any process, nor by bulks that
    /// wait already. Who is missed by a filter that is half a second old is met by the claim.
    /// What is with a link already goes its way.
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
        self.store().change_list(change).await?;
        self.0.screens.invalidate();
        Ok(())
    }
}
