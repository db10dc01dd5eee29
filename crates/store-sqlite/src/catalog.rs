//! The catalog: lines, grants, links and prices, read whole when its version has changed.

use crate::error::DbError;
use crate::queries::from_json;
use crate::resellers;
use domain::ids::{AccountId, LineId, LinkId, OperatorId};
use domain::line::Line;
use domain::line_number::LineNumber;
use domain::link::Link;
use domain::money::Rials;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use rusqlite::{Connection, Row};
use store::Catalog;

/// The catalog, unless its version is still `known`. The caller gives a snapshot.
pub(crate) fn catalog(conn: &Connection, known: Option<u64>) -> Result<Option<Catalog>, DbError> {
    let version = conn
        .prepare_cached("SELECT value FROM meta WHERE key = 'catalog_version'")?
        .query_row([], |row| row.get::<_, i64>(0))?;
    let version = u64::try_from(version).unwrap_or(0);
    if known == Some(version) {
        return Ok(None);
    }
    Ok(Some(Catalog {
        version,
        lines: lines(conn)?,
        grants: grants(conn)?,
        links: links(conn)?,
        tariffs: tariffs(conn)?,
        packages: resellers::packages(conn)?,
        offers: resellers::offers(conn)?,
    }))
}

fn lines(conn: &Connection) -> Result<Vec<Line>, DbError> {
    let mut statement =
        conn.prepare_cached("SELECT id, number, display, settings FROM line ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        let id = LineId(row.get(0)?);
        let number: String = row.get(1)?;
        lines.push(Line {
            id,
            number: LineNumber::parse(&number)
                .ok_or_else(|| DbError::Row(format!("the number of line {id} is no line")))?,
            display: row.get(2)?,
            settings: from_json(row, 3, "settings of a line")?,
        });
    }
    Ok(lines)
}

fn grants(conn: &Connection) -> Result<Vec<(AccountId, LineId)>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT account_id, line_id FROM line_grant ORDER BY account_id, line_id",
    )?;
    let grants = statement
        .query_map([], |row| Ok((AccountId(row.get(0)?), LineId(row.get(1)?))))?
        .collect::<Result<_, _>>()?;
    Ok(grants)
}

fn links(conn: &Connection) -> Result<Vec<Link>, DbError> {
    let mut statement = conn.prepare_cached("SELECT id, name, settings FROM link ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut links = Vec::new();
    while let Some(row) = rows.next()? {
        links.push(Link {
            id: LinkId(row.get(0)?),
            name: row.get(1)?,
            settings: from_json(row, 2, "settings of a link")?,
        });
    }
    Ok(links)
}

fn tariffs(conn: &Connection) -> Result<Vec<TariffRow>, DbError> {
    let mut statement = conn.prepare_cached(
        "SELECT line_id, operator, alphabet, price FROM tariff
         ORDER BY line_id, operator, alphabet",
    )?;
    let tariffs = statement
        .query_map([], tariff_row)?
        .collect::<Result<_, _>>()?;
    Ok(tariffs)
}

/// A price from the columns line, operator, alphabet, price.
pub(crate) fn tariff_row(row: &Row<'_>) -> rusqlite::Result<TariffRow> {
    Ok(TariffRow {
        line: row.get::<_, Option<i64>>(0)?.map(LineId),
        operator: row.get::<_, Option<u8>>(1)?.map(OperatorId),
        alphabet: if row.get::<_, u8>(2)? == 0 {
            Alphabet::Gsm7
        } else {
            Alphabet::Ucs2
        },
        price: Rials(row.get(3)?),
    })
}
