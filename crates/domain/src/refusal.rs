//! What the web service may answer beside success: codes and texts, from `data/refusals.tsv`.
//!
//! The table is data, so that the contract can be read beside the code; the enum is what code
//! branches on. A test holds the one to the other.

use std::collections::HashMap;
use std::sync::LazyLock;

macro_rules! refusals {
    ($($name:ident = $code:literal, $doc:literal;)*) => {
        /// A documented answer other than success. The discriminant is the code on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum Refusal { $(#[doc = $doc] $name = $code,)* }

        impl Refusal {
            /// Every refusal that code can give.
            pub const ALL: &'static [Refusal] = &[$(Refusal::$name,)*];

            /// The name that stands in the table.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Refusal::$name => stringify!($name),)* }
            }
        }
    };
}

refusals! {
    EmptyMessage = 1, "The text is empty.";
    AccountRestricted = 2, "The account is restricted or has expired.";
    LineNotOwned = 3, "The sender line is not the account's.";
    NoRecipient = 4, "Not one valid recipient.";
    InsufficientCredit = 5, "The credit does not cover the price.";
    TextCountMismatch = 6, "Not as many texts as recipients.";
    LineUnfitForBulk = 7, "The line takes single messages only.";
    LineClosedNow = 9, "The line refuses outside its hours.";
    TooManyRecipients = 98, "More recipients than a request may have.";
    OperatorDown = 99, "The line refuses while its operator is unreachable.";
    UserNameCharacters = 301, "The new user name has characters other than letters and digits.";
    ContactInvalid = 100, "A contact's number is no mobile number.";
    ContactExists = 101, "The contact is in the book already.";
    ContactSaved = 102, "A contact was saved: a success that has a code of its own.";
    BookUnavailable = 105, "No such phonebook in this account.";
    NoTariff = 302, "No price is set for this send.";
    UserNameMissing = 303, "No user name for the new account.";
    UserNameTaken = 304, "Another account has the user name.";
    NameMissing = 305, "No name of the person.";
    NationalIdMissing = 306, "No national id.";
    NationalIdWrong = 307, "The national id's control digit is wrong, or it has other than ten digits.";
    CertificateIdWrong = 308, "The certificate number is no number of one to ten digits.";
    CertificateIdMissing = 309, "No certificate number.";
    EmailMissing = 310, "No e-mail address.";
    TelephoneMissing = 311, "No telephone number.";
    TelephoneWrong = 312, "The telephone number is none of Iran.";
    AddressMissing = 313, "No address.";
    MobileMissing = 314, "No mobile number.";
    MobileWrong = 315, "The mobile number is none of Iran.";
    AccessIdWrong = 316, "Not a package that this reseller may hand out.";
    PasswordMissing = 317, "No password for the new account.";
    PatternUnavailable = 404, "No such pattern for this account.";
    InputInvalid = 422, "A parameter cannot be read.";
    ScheduleCancelled = 455, "A scheduled bulk was cancelled: a success that has the form of an error.";
    BulkUnknown = 456, "No such bulk in this account.";
    TicketUnknown = 458, "No such ticket in this account.";
    LoginWrong = 962, "Unknown user or wrong password: one answer for both.";
    OperationNotAllowed = 963, "The operation is unknown, or not open to this account.";
    NotReseller = 964, "The account may open no sub-accounts.";
    PatternParametersWrong = 970, "The values do not fit the pattern's variables.";
    PatternWrong = 971, "The pattern's code cannot be one, or the pattern was rejected.";
    PatternRecipientWrong = 972, "Not one valid recipient for a pattern.";
    PatternInactive = 996, "The pattern is switched off, or waits for approval.";
    PatternNotPermitted = 997, "The pattern may not be used by this account any more.";
    UserNameFormat = 1001, "The new user name is too short, too long or not in Latin letters.";
    PasswordWeak = 1002, "The new password is too easy to guess.";
    RegistrationFailed = 1003, "The account cannot be opened, though nothing in the request is wrong.";
    BookIdNotArray = 993, "The ids of phonebooks are not written as an array.";
    TimeInPast = 1006, "The send time has passed.";
    KeyInvalid = 1402, "Unknown API key.";
    KeyRevoked = 1403, "The API key was revoked or has expired.";
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The code on the wire.
    pub code: u16,
    /// The name used in code and documentation.
    pub name: &'static str,
    /// The text on the wire (Persian, but for code 962).
    pub wire_text: &'static str,
    /// What it means, in English.
    pub english: &'static str,
    /// Which operations give it.
    pub used_by: &'static str,
}

/// The table as shipped, in the order of its codes.
pub static TABLE: LazyLock<Vec<Row>> = LazyLock::new(|| {
    include_str!("../data/refusals.tsv")
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut cells = line.split('\t');
            Some(Row {
                code: cells.next()?.parse().ok()?,
                name: cells.next()?,
                wire_text: cells.next()?,
                english: cells.next()?,
                used_by: cells.next()?,
            })
        })
        .collect()
});

static BY_CODE: LazyLock<HashMap<u16, Row>> =
    LazyLock::new(|| TABLE.iter().map(|row| (row.code, *row)).collect());

/// The text on the wire of success, for replies that say it in words.
#[must_use]
pub fn success_text() -> &'static str {
    BY_CODE.get(&0).map_or("", |row| row.wire_text)
}

impl Refusal {
    /// The code on the wire.
    #[must_use]
    pub fn code(self) -> u16 {
        self as u16
    }

    /// The text on the wire.
    #[must_use]
    pub fn wire_text(self) -> &'static str {
        BY_CODE.get(&self.code()).map_or("", |row| row.wire_text)
    }

    /// The meaning in English, for the command line and logs.
    #[must_use]
    pub fn english(self) -> &'static str {
        BY_CODE.get(&self.code()).map_or("", |row| row.english)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_stands_in_the_table_under_its_name() {
        for refusal in Refusal::ALL {
            let row = BY_CODE.get(&refusal.code()).expect("code in the table");
            assert_eq!(row.name, refusal.name());
            assert!(!row.wire_text.is_empty());
        }
    }

    #[test]
    fn every_line_of_the_table_is_read_and_codes_are_unique() {
        let lines = include_str!("../data/refusals.tsv").lines().count() - 1;
        assert_eq!(TABLE.len(), lines);
        assert_eq!(BY_CODE.len(), lines);
    }

    #[test]
    fn a_wrong_login_is_answered_in_the_english_words_that_clients_compare() {
        assert_eq!(
            Refusal::LoginWrong.wire_text(),
            "the username or password is incorrect"
        );
    }
}
