//! From what a client wrote to whom it means. What makes no sense is refused, and not read as
//! something else: a slip must not become a campaign to others than were counted.

use ::directory::{Audience, Gender, Jobs, PostalPrefix, Selection, TRENDS_ASKED_MAX, Who};
use domain::operator::Operators;
use domain::refusal::Refusal;
use domain::text::{ascii_digit, is_invisible};
use std::collections::BTreeSet;

/// Whom a client asks for, decoded but not judged.
#[derive(Clone, Copy, Debug)]
pub enum DirectoryQuery<'a> {
    /// People by postal code.
    Postal {
        /// The key of an operator; nothing for all of them.
        operator: &'a str,
        /// 1 for men, 2 for women; 0 or nothing for everybody.
        gender: &'a str,
        /// What the postal code begins with: 2 to 10 digits.
        prefix: &'a str,
    },
    /// People with any of some trends.
    Trends {
        /// The ids of the trends.
        trends: &'a [String],
        /// The id of the job that all of them belong to; nothing where it does not matter.
        job: &'a str,
    },
}

impl DirectoryQuery<'_> {
    /// Whom it means; code 422 where it makes no sense.
    pub(super) fn selection(
        self,
        operators: &Operators,
        jobs: &Jobs,
    ) -> Result<Selection, Refusal> {
        match self {
            Self::Postal {
                operator,
                gender,
                prefix,
            } => {
                let prefix = PostalPrefix::parse(prefix).ok_or(Refusal::InputInvalid)?;
                let who = Who {
                    operator: read_operator(operator, operators)?,
                    gender: read_gender(gender)?,
                    born: None,
                };
                let audience = Audience::Postal(prefix);
                Ok(Selection { audience, who })
            }
            Self::Trends { trends, job } => {
                let audience = Audience::Trends(read_trends(trends, job, jobs)?);
                let who = Who::default();
                Ok(Selection { audience, who })
            }
        }
    }
}

fn read_operator(key: &str, operators: &Operators) -> Result<Option<String>, Refusal> {
    if key.trim().is_empty() {
        return Ok(None);
    }
    let operator = operators.by_key(key).ok_or(Refusal::InputInvalid)?;
    Ok(Some(operator.key.clone()))
}

fn read_gender(text: &str) -> Result<Option<Gender>, Refusal> {
    match read_number(text)? {
        None | Some(0) => Ok(None),
        Some(1) => Ok(Some(Gender::Man)),
        Some(2) => Ok(Some(Gender::Woman)),
        Some(_) => Err(Refusal::InputInvalid),
    }
}

fn read_trends(given: &[String], job: &str, jobs: &Jobs) -> Result<Vec<u32>, Refusal> {
    let job = id_or_none(job)?;
    let mut trends = BTreeSet::new();
    if given.len() > TRENDS_ASKED_MAX {
        return Err(Refusal::InputInvalid);
    }
    for text in given {
        let id = id_or_none(text)?.ok_or(Refusal::InputInvalid)?;
        let trend = jobs.trend(id).ok_or(Refusal::InputInvalid)?;
        if job.is_some_and(|job| trend.job != job) {
            return Err(Refusal::InputInvalid);
        }
        trends.insert(id);
    }
    if trends.is_empty() {
        return Err(Refusal::InputInvalid);
    }
    Ok(trends.into_iter().collect())
}

/// An id; `None` where nothing was given, code 422 where it is none.
pub(super) fn id_or_none(text: &str) -> Result<Option<u32>, Refusal> {
    let number = read_number(text)?;
    let id = number.map(u32::try_from).transpose();
    id.map_err(|_| Refusal::InputInvalid)
}

/// A number in digits of any script; `None` where nothing was given, code 422 where it is none.
fn read_number(text: &str) -> Result<Option<u64>, Refusal> {
    let mut number: Option<u64> = None;
    for c in text.trim().chars().filter(|c| !is_invisible(*c)) {
        let digit = ascii_digit(c).ok_or(Refusal::InputInvalid)?;
        let longer = number.unwrap_or(0).checked_mul(10);
        let longer = longer.and_then(|longer| longer.checked_add(u64::from(digit)));
        number = Some(longer.ok_or(Refusal::InputInvalid)?);
    }
    Ok(number)
}
