//! Prices.

use super::ManageError;
use crate::App;
use domain::money::Rials;
use domain::text::Alphabet;
use store::TariffChange;

/// Highest price of a part, in rials: the price of the largest bulk still fits 64 bits by far.
pub const PRICE_RIALS_MAX: i64 = 1_000_000_000;

/// One price to be set or removed.
#[derive(Clone, Copy, Debug)]
pub struct SetTariff<'a> {
    /// For this line, or for all.
    pub line: Option<&'a str>,
    /// For the operator with this key (`tci`, `mtn`), or for all.
    pub operator: Option<&'a str>,
    /// For texts in this alphabet.
    pub alphabet: Alphabet,
    /// Rials a part; `None` removes the price.
    pub price: Option<Rials>,
}

impl App {
    /// Sets or removes a price. Bulks that were accepted keep theirs.
    ///
    /// # Errors
    /// There is no such line or operator, the price is out of its range, or the store failed.
    pub async fn set_tariff(&self, tariff: SetTariff<'_>) -> Result<(), ManageError> {
        let change = self.tariff_change(tariff).await?;
        self.store().set_tariff(change).await?;
        self.catalog_changed();
        Ok(())
    }

    /// A price as the store takes it, with ids for names.
    pub(crate) async fn tariff_change(
        &self,
        tariff: SetTariff<'_>,
    ) -> Result<TariffChange, ManageError> {
        if tariff
            .price
            .is_some_and(|price| !(0..=PRICE_RIALS_MAX).contains(&price.0))
        {
            return Err(ManageError::Invalid(format!(
                "a price is 0 to {PRICE_RIALS_MAX} rials"
            )));
        }
        let line = match tariff.line {
            Some(number) => Some(self.line(number).await?.id),
            None => None,
        };
        let operator = match tariff.operator {
            Some(key) => {
                let known = self.operators().by_key(key).map(|operator| operator.id);
                Some(known.ok_or_else(|| ManageError::Unknown(format!("operator `{key}`")))?)
            }
            None => None,
        };
        Ok(TariffChange {
            line,
            operator,
            alphabet: tariff.alphabet,
            price: tariff.price,
        })
    }
}
