//! What became of a bulk's recipients (`delivery`), page by page: a report of a million recipients
//! needs no more memory than one page, and holds no read open between two.

use crate::App;
use domain::account::Account;
use domain::bulk::BulkReport;
use domain::ids::{AccountId, BulkNo, Seq};
use domain::recipient::{Address, RecipientReport};
use domain::text::{ascii_digit, is_invisible};
use std::fmt::Write;
use std::sync::Arc;
use store::{Store, StoreError};

/// Recipients that one read answers.
pub const REPORT_PAGE_RECIPIENTS: u32 = 1_000;
/// Digits of the longest bulk number.
const BULK_DIGITS_MAX: usize = 10;

/// A report under way.
pub struct Delivery {
    store: Arc<dyn Store>,
    account: AccountId,
    bulk: BulkReport,
    after: Option<Seq>,
    ended: bool,
}

impl Delivery {
    /// The bulk as a whole, as it stood when the report began.
    #[must_use]
    pub fn bulk(&self) -> &BulkReport {
        &self.bulk
    }

    /// The next recipients in the order sent; none at the end. Where the sender may not see the
    /// numbers they are masked here already, so that no front door can forget it.
    ///
    /// # Errors
    /// The store failed; the same page may be asked for again.
    pub async fn next_page(&mut self) -> Result<Vec<RecipientReport>, StoreError> {
        if self.ended {
            return Ok(Vec::new());
        }
        let limit = REPORT_PAGE_RECIPIENTS;
        let mut page = self
            .store
            .recipients(self.account, self.bulk.no, self.after, limit)
            .await?;
        match page.last() {
            Some(last) => self.after = Some(last.seq),
            None => self.ended = true,
        }
        if self.bulk.masked {
            for recipient in &mut page {
                recipient.address = recipient.address.masked();
            }
        }
        Ok(page)
    }
}

impl App {
    /// Begins the report of a bulk; `None` when the account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn delivery(
        &self,
        account: &Account,
        bulk: BulkNo,
    ) -> Result<Option<Delivery>, StoreError> {
        let found = self.store().bulk(account.id, bulk).await?;
        Ok(found.map(|bulk| Delivery {
            store: Arc::clone(self.store()),
            account: account.id,
            bulk,
            after: None,
            ended: false,
        }))
    }

    /// Hands each recipient of a bulk to `take`, in the order sent; false when the account has no
    /// such bulk.
    ///
    /// # Errors
    /// The store failed, perhaps after some were handed over.
    pub async fn delivery_items(
        &self,
        account: &Account,
        bulk: BulkNo,
        take: &mut impl FnMut(&RecipientReport),
    ) -> Result<bool, StoreError> {
        let Some(mut delivery) = self.delivery(account, bulk).await? else {
            return Ok(false);
        };
        loop {
            let page = delivery.next_page().await?;
            if page.is_empty() {
                return Ok(true);
            }
            page.iter().for_each(&mut *take);
        }
    }
}

/// Appends a recipient in its wire form, `+989121111111:delivered`, or `+98912***1111:delivered`. An address that is no mobile
/// number stands with its digits as they were given; it never holds a character that would have to
/// be escaped.
pub fn write_item(recipient: &RecipientReport, out: &mut String) {
    match &recipient.address {
        // Writing to a string cannot fail.
        Address::Mobile(number) => drop(write!(out, "{number}")),
        Address::Invalid(digits) => out.push_str(digits),
        Address::Masked(number) => drop(write!(out, "{number}")),
    }
    out.push(':');
    out.push_str(recipient.state.wire_word());
}

/// Reads a bulk's number as clients write it: with blanks around, perhaps in Persian digits.
/// `None` is answered as an unknown bulk.
#[must_use]
pub fn read_bulk_no(text: &str) -> Option<BulkNo> {
    let shown = || text.trim().chars().filter(|c| !is_invisible(*c));
    if shown().count() > BULK_DIGITS_MAX {
        return None;
    }
    let mut number: Option<u64> = None;
    for c in shown() {
        number = Some(number.unwrap_or(0) * 10 + u64::from(ascii_digit(c)?));
    }
    let bulk = BulkNo(u32::try_from(number?).ok()?);
    (BulkNo::FIRST..=BulkNo::LAST)
        .contains(&bulk)
        .then_some(bulk)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::money::Rials;
    use domain::msisdn::Msisdn;
    use domain::reason::Reason;
    use domain::status::State;

    #[test]
    fn bulk_numbers_are_read_as_clients_write_them() {
        for (text, number) in [
            ("10001", Some(10_001)),
            (" ۱۰۰۰۱\n", Some(10_001)),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("10000", None),
            ("99999999999999999999999", None),
            ("-10001", None),
            ("10001x", None),
            ("", None),
        ] {
            assert_eq!(read_bulk_no(text), number.map(BulkNo), "{text:?}");
        }
    }

    #[test]
    fn an_item_is_the_number_and_one_of_six_words() {
        let mut report = RecipientReport {
            seq: Seq(0),
            address: Address::Mobile(Msisdn::from_national(9_121_111_111).unwrap()),
            state: State::Delivered,
            reason: Reason::Delivered,
            detail: None,
            parts: 1,
            unit_price: Rials(1),
            attempts: 1,
        };
        let mut out = String::new();
        write_item(&report, &mut out);
        report.address = Address::Invalid("02188".into());
        report.state = State::Failed;
        out.push(' ');
        write_item(&report, &mut out);
        assert_eq!(out, "+989121111111:delivered 02188:failed");
    }
}
