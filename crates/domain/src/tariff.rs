//! What one part of a message costs, by line, operator and alphabet.
//!
//! Not here: how many parts there are (`text`), and the taking of the money (`ledger`). The price
//! is asked once, at acceptance, and stays with the recipient.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::ids::{LineId, OperatorId};
use crate::money::Rials;
use crate::text::Alphabet;

/// One row of the price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TariffRow {
    /// The line it is for; `None` for every line.
    pub line: Option<LineId>,
    /// The recipient's operator it is for; `None` for every operator.
    pub operator: Option<OperatorId>,
    /// The alphabet it is for: a part in GSM 7-bit and one in UCS-2 have different prices, and
    /// the former is often the dearer.
    pub alphabet: Alphabet,
    /// Price of one part, in whole rials, not negative.
    pub price: Rials,
}

/// A price list that cannot be used; shown to the person who edited it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// A price below zero: sending would bring credit in.
    #[error("the price of {0:?} is below zero")]
    Negative(TariffRow),
    /// Two prices for one line, operator and alphabet: no order between them can be justified.
    #[error("a second price for the line, operator and alphabet of {0:?}")]
    Twice(TariffRow),
}

/// The price list, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct Tariffs {
    prices: HashMap<(Option<LineId>, Option<OperatorId>, Alphabet), Rials>,
}

impl Tariffs {
    /// Builds the list from its rows, in any order.
    ///
    /// # Errors
    /// The first row with a negative price, or that prices again what an earlier one has priced.
    pub fn new(rows: impl IntoIterator<Item = TariffRow>) -> Result<Self, TariffError> {
        let mut prices = HashMap::new();
        for row in rows {
            if row.price.0 < 0 {
                return Err(TariffError::Negative(row));
            }
            let key = (row.line, row.operator, row.alphabet);
            if prices.insert(key, row.price).is_some() {
                return Err(TariffError::Twice(row));
            }
        }
        Ok(Self { prices })
    }

    /// Price of one part, in rials; `None` when no row covers it (error 302 of the web service).
    ///
    /// The most specific row wins: (line, operator), (line, any), (any, operator), (any, any).
    #[must_use]
    pub fn price_per_part(
        &self,
        line: LineId,
        operator: OperatorId,
        alphabet: Alphabet,
    ) -> Option<Rials> {
        [
            (Some(line), Some(operator)),
            (Some(line), None),
            (None, Some(operator)),
            (None, None),
        ]
        .into_iter()
        .find_map(|(line, operator)| self.prices.get(&(line, operator, alphabet)).copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: Option<i64>, operator: Option<u8>, alphabet: Alphabet, price: i64) -> TariffRow {
        TariffRow {
            line: line.map(LineId),
            operator: operator.map(OperatorId),
            alphabet,
            price: Rials(price),
        }
    }

    #[test]
    fn the_most_specific_row_wins_and_the_line_counts_before_the_operator() {
        use Alphabet::{Gsm7, Ucs2};
        let tariffs = Tariffs::new([
            row(None, None, Ucs2, 100),
            row(None, Some(2), Ucs2, 200),
            row(Some(7), None, Ucs2, 300),
            row(Some(7), Some(1), Ucs2, 0),
            row(Some(7), Some(1), Gsm7, 900),
        ])
        .unwrap();
        for (line, operator, alphabet, price) in [
            (7, 1, Ucs2, Some(0)),
            (7, 2, Ucs2, Some(300)),
            (8, 2, Ucs2, Some(200)),
            (8, 1, Ucs2, Some(100)),
            (7, 1, Gsm7, Some(900)),
            (7, 2, Gsm7, None),
            (8, 1, Gsm7, None),
        ] {
            let found = tariffs.price_per_part(LineId(line), OperatorId(operator), alphabet);
            assert_eq!(
                found,
                price.map(Rials),
                "line {line}, operator {operator}, {alphabet:?}"
            );
        }
        let none = Tariffs::default();
        assert_eq!(none.price_per_part(LineId(1), OperatorId(1), Ucs2), None);
    }

    #[test]
    fn a_negative_or_second_price_is_refused() {
        let negative = row(None, None, Alphabet::Gsm7, -1);
        assert_eq!(
            Tariffs::new([negative]).unwrap_err(),
            TariffError::Negative(negative)
        );
        let second = row(Some(1), None, Alphabet::Gsm7, 5);
        let first = row(Some(1), None, Alphabet::Gsm7, 4);
        assert_eq!(
            Tariffs::new([first, second]).unwrap_err(),
            TariffError::Twice(second)
        );
    }
}
