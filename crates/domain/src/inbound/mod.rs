//! Messages from handsets: whose they are, what their octets say, and what their words ask for.
//!
//! Not here: the protocol's marks on parts (`smpp::concat`), and the rows in which parts wait for
//! each other (the store).

pub mod callback;
pub mod coding;
pub mod rule;

use crate::ids::{AccountId, LineId};
use crate::line::Line;
use crate::msisdn::Msisdn;
use crate::text::{ascii_digit, is_invisible};
use serde::{Deserialize, Serialize};

/// Characters of a sender that are kept; an SMPP address has 20 octets at most (3.4, 5.2.9).
pub const SENDER_CHARS_MAX: usize = 40;

/// What stands in a text for parts that never came.
pub const MISSING_PART: char = '\u{2026}';

/// Why a message belongs to no account. It is kept for the operator of the installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unowned {
    /// There is no line with that number.
    NoSuchLine,
    /// The line is set not to receive.
    LineDoesNotReceive,
    /// No account has the line, or the one that its setting names no longer does.
    NobodyHasTheLine,
    /// Several accounts have the line, and its setting names none of them.
    SeveralHaveTheLine,
}

impl Unowned {
    /// Every reason, in the order of [`Unowned::code`].
    pub const ALL: [Self; 4] = [
        Self::NoSuchLine,
        Self::LineDoesNotReceive,
        Self::NobodyHasTheLine,
        Self::SeveralHaveTheLine,
    ];

    /// The number by which rows keep it.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::NoSuchLine => 0,
            Self::LineDoesNotReceive => 1,
            Self::NobodyHasTheLine => 2,
            Self::SeveralHaveTheLine => 3,
        }
    }

    /// The reason with this number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The reason as a person reads it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::NoSuchLine => "there is no such line",
            Self::LineDoesNotReceive => "the line is set not to receive",
            Self::NobodyHasTheLine => "no account has the line",
            Self::SeveralHaveTheLine => "several accounts have the line and none is named for it",
        }
    }
}

/// Whose inbox a message for this line goes to: the account that the line names, as long as the
/// line is granted to it; otherwise the only account that has the line. Lines that accounts have
/// through a package alone do not count: many accounts share a package.
///
/// # Errors
/// Why it is nobody's.
pub fn owner(
    line: Option<&Line>,
    grants: &[(AccountId, LineId)],
) -> Result<(AccountId, LineId), Unowned> {
    let line = line.ok_or(Unowned::NoSuchLine)?;
    if !line.settings.can_receive {
        return Err(Unowned::LineDoesNotReceive);
    }
    let mut holders = grants
        .iter()
        .filter(|(_, granted)| *granted == line.id)
        .map(|(account, _)| *account);
    if let Some(named) = line.settings.inbound_account {
        return holders
            .find(|account| *account == named)
            .map(|account| (account, line.id))
            .ok_or(Unowned::NobodyHasTheLine);
    }
    match (holders.next(), holders.next()) {
        (Some(only), None) => Ok((only, line.id)),
        (None, _) => Err(Unowned::NobodyHasTheLine),
        (Some(_), Some(_)) => Err(Unowned::SeveralHaveTheLine),
    }
}

/// A sender as replies and pages show it: a mobile number as `+98` and ten digits, anything else
/// (a short code, a name) as the operator wrote it, without control characters.
#[must_use]
pub fn sender_shown(given: &str) -> String {
    match Msisdn::parse(given) {
        Some(number) => number.to_string(),
        None => given
            .chars()
            .filter(|c| !c.is_control() && !is_invisible(*c))
            .take(SENDER_CHARS_MAX)
            .collect(),
    }
}

/// Whether a text asks to leave a line's audience (`11`: true) or to come back (`12`: false).
/// Digits may be Persian or Arabic-Indic, with blanks and invisible marks around and between.
#[must_use]
pub fn opt_out_word(text: &str) -> Option<bool> {
    let mut digits = [0; 2];
    let mut count = 0;
    for c in text.chars() {
        if c.is_whitespace() || is_invisible(c) {
            continue;
        }
        *digits.get_mut(count)? = ascii_digit(c)?;
        count += 1;
    }
    match (count, digits) {
        (2, [1, 1]) => Some(true),
        (2, [1, 2]) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::LineSettings;
    use crate::line_number::LineNumber;

    const A: AccountId = AccountId(1);
    const B: AccountId = AccountId(2);
    const LINE: LineId = LineId(7);

    fn line(settings: LineSettings) -> Line {
        Line {
            id: LINE,
            number: LineNumber::parse("3000505").unwrap(),
            display: "3000505".into(),
            settings,
        }
    }

    #[test]
    fn a_message_goes_to_the_account_that_the_line_names_or_to_the_only_one_that_has_it() {
        let other = (B, LineId(8));
        let plain = line(LineSettings::default());
        let named = line(LineSettings {
            inbound_account: Some(B),
            ..LineSettings::default()
        });
        let deaf = line(LineSettings {
            can_receive: false,
            ..LineSettings::default()
        });
        for (line, grants, expected) in [
            (None, vec![(A, LINE)], Err(Unowned::NoSuchLine)),
            (Some(&plain), vec![(A, LINE), other], Ok((A, LINE))),
            (Some(&plain), vec![other], Err(Unowned::NobodyHasTheLine)),
            (
                Some(&plain),
                vec![(A, LINE), (B, LINE)],
                Err(Unowned::SeveralHaveTheLine),
            ),
            (Some(&named), vec![(A, LINE), (B, LINE)], Ok((B, LINE))),
            (
                Some(&named),
                vec![(A, LINE)],
                Err(Unowned::NobodyHasTheLine),
            ),
            (
                Some(&deaf),
                vec![(A, LINE)],
                Err(Unowned::LineDoesNotReceive),
            ),
        ] {
            assert_eq!(owner(line, &grants), expected);
        }
        for reason in Unowned::ALL {
            assert_eq!(Unowned::from_code(reason.code()), Some(reason));
        }
    }

    #[test]
    fn eleven_leaves_and_twelve_comes_back_in_any_digits() {
        for (text, expected) in [
            ("11", Some(true)),
            (" ۱۱ \n", Some(true)),
            ("١١", Some(true)),
            ("\u{200f}۱1\u{200e}", Some(true)),
            ("1 1", Some(true)),
            ("12", Some(false)),
            ("۱۲", Some(false)),
            ("", None),
            ("1", None),
            ("13", None),
            ("111", None),
            ("لغو11", None),
            ("11.", None),
        ] {
            assert_eq!(opt_out_word(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_sender_is_shown_without_what_could_harm() {
        assert_eq!(sender_shown("989121234567"), "+989121234567");
        assert_eq!(sender_shown("0912 123 4567"), "+989121234567");
        assert_eq!(sender_shown("20001\0\u{1b}[2J"), "20001[2J");
        assert_eq!(sender_shown("BANK"), "BANK");
        assert_eq!(sender_shown(&"x".repeat(500)).len(), SENDER_CHARS_MAX);
    }
}
