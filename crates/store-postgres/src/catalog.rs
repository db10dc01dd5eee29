//! The catalog: lines, grants, links and prices, read whole when its version has changed.

use crate::db::Tx;
use crate::error::DbError;
use crate::resellers;
use crate::rows::from_json;
use domain::ids::{AccountId, LineId, LinkId, OperatorId};
use domain::line::Line;
use domain::line_number::LineNumber;
use domain::link::Link;
use domain::money::Rials;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use store::Catalog;
use tokio_postgres::Row;

/// The catalog, unless its version is still `known`. The caller gives a snapshot.
pub(crate) async fn catalog(tx: &Tx, known: &Option<u64>) -> Result<Option<Catalog>, DbError> {
    let version = tx.counter("catalog").await?;
    let version = u64::try_from(version).unwrap_or(0);
    if *known == Some(version) {
        return Ok(None);
    }
    Ok(Some(Catalog {
        version,
        lines: lines(tx).await?,
        grants: grants(tx).await?,
        links: links(tx).await?,
        tariffs: tariffs(tx).await?,
        packages: resellers::packages(tx).await?,
        offers: resellers::offers(tx).await?,
    }))
}

async fn lines(tx: &Tx) -> Result<Vec<Line>, DbError> {
    let rows = tx
        .query(
            "SELECT id, number, display, settings FROM line ORDER BY id",
            &[],
        )
        .await?;
    let line = |row: &Row| {
        let id = LineId(row.get(0));
        Ok(Line {
            id,
            number: LineNumber::parse(row.get(1))
                .ok_or_else(|| DbError::Row(format!("the number of line {id} is no line")))?,
            display: row.get(2),
            settings: from_json(row, 3, "settings of a line")?,
        })
    };
    rows.iter().map(line).collect()
}

async fn grants(tx: &Tx) -> Result<Vec<(AccountId, LineId)>, DbError> {
    let rows = tx
        .query(
            "SELECT account_id, line_id FROM line_grant ORDER BY account_id, line_id",
            &[],
        )
        .await?;
    let grant = |row: &Row| (AccountId(row.get(0)), LineId(row.get(1)));
    Ok(rows.iter().map(grant).collect())
}

async fn links(tx: &Tx) -> Result<Vec<Link>, DbError> {
    let rows = tx
        .query("SELECT id, name, settings FROM link ORDER BY id", &[])
        .await?;
    let link = |row: &Row| {
        Ok(Link {
            id: LinkId(row.get(0)),
            name: row.get(1),
            settings: from_json(row, 2, "settings of a link")?,
        })
    };
    rows.iter().map(link).collect()
}

async fn tariffs(tx: &Tx) -> Result<Vec<TariffRow>, DbError> {
    let rows = tx
        .query(
            "SELECT line_id, operator, alphabet, price FROM tariff
             ORDER BY line_id, operator, alphabet",
            &[],
        )
        .await?;
    rows.iter().map(|row| tariff_row(row, 0)).collect()
}

/// A price from the columns line, operator, alphabet, price, the first of which is at `from`.
pub(crate) fn tariff_row(row: &Row, from: usize) -> Result<TariffRow, DbError> {
    let (line, operator): (i64, i64) = (row.get(from), row.get(from + 1));
    let operator = match operator {
        -1 => None,
        code => Some(OperatorId(u8::try_from(code).map_err(|_| {
            DbError::Row(format!("a price is for operator {code}, which cannot be"))
        })?)),
    };
    Ok(TariffRow {
        line: (line != -1).then_some(LineId(line)),
        operator,
        alphabet: match row.get::<_, i64>(from + 2) {
            0 => Alphabet::Gsm7,
            _ => Alphabet::Ucs2,
        },
        price: Rials(row.get(from + 3)),
    })
}
