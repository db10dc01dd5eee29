//! Reading the waiting recipients of slices, in one statement or in one for each slice. What they
//! are read for is decided in `queue`.

use crate::db::{OwnedParam, Tx};
use crate::error::DbError;
use crate::rows::{PROGRESS_COLUMNS, int4};
use crate::work::{Query, SliceKey};
use store::SLICE_RECIPIENTS;

/// Where to read recipients of a slice.
pub(crate) struct Place {
    /// Its place among those that are asked for.
    n: i32,
    account: i64,
    bulk: i32,
    operator: i16,
    first: i32,
    past: i32,
    most: i64,
}

impl Place {
    /// From `next_seq` on to the end of the slice, at most `most`.
    pub(crate) fn of(n: i32, slice: SliceKey, next_seq: u32, most: i64) -> Self {
        let (account, bulk, place, operator) = slice;
        Self {
            n,
            account,
            bulk: int4(bulk),
            operator: operator.into(),
            first: int4(next_seq),
            past: int4((place + 1).saturating_mul(SLICE_RECIPIENTS)),
            most,
        }
    }
}

/// The statements that read the waiting recipients of these places: number of the place, sequence
/// number, mobile number, own text, and [`PROGRESS_COLUMNS`].
pub(crate) async fn queries(tx: &Tx, places: &[Place]) -> Result<Vec<Query>, DbError> {
    if tx.lock_one_by_one {
        return of_each(tx, places).await;
    }
    Ok(vec![of_all(tx, places).await?])
}

async fn of_all(tx: &Tx, places: &[Place]) -> Result<Query, DbError> {
    let sql = format!(
        "SELECT v.n, r.seq, r.number, r.text, {PROGRESS_COLUMNS}
         FROM unnest($1::int4[], $2::int8[], $3::int4[], $4::int2[], $5::int4[], $6::int4[],
         $7::int8[]) AS v (n, account_id, bulk_no, operator, first, past, most)
         CROSS JOIN LATERAL (SELECT * FROM recipient c
           WHERE c.account_id = v.account_id AND c.bulk_no = v.bulk_no AND c.seq >= v.first
           AND c.seq < v.past AND c.operator = v.operator AND c.state = 0
           ORDER BY c.seq LIMIT v.most) AS r
         ORDER BY v.n, r.seq"
    );
    let params: Vec<OwnedParam> = vec![
        Box::new(places.iter().map(|p| p.n).collect::<Vec<i32>>()),
        Box::new(places.iter().map(|p| p.account).collect::<Vec<i64>>()),
        Box::new(places.iter().map(|p| p.bulk).collect::<Vec<i32>>()),
        Box::new(places.iter().map(|p| p.operator).collect::<Vec<i16>>()),
        Box::new(places.iter().map(|p| p.first).collect::<Vec<i32>>()),
        Box::new(places.iter().map(|p| p.past).collect::<Vec<i32>>()),
        Box::new(places.iter().map(|p| p.most).collect::<Vec<i64>>()),
    ];
    Ok((tx.prepare(&sql).await?, params))
}

/// As [`of_all`], a statement for each place: where recipients are spread over servers,
/// a list of places cannot be looked up row by row, and each of these concerns one server.
async fn of_each(tx: &Tx, places: &[Place]) -> Result<Vec<Query>, DbError> {
    let sql = format!(
        "SELECT $1::int4, r.seq, r.number, r.text, {PROGRESS_COLUMNS} FROM recipient r
         WHERE r.account_id = $2 AND r.bulk_no = $3 AND r.seq >= $5 AND r.seq < $6
         AND r.operator = $4 AND r.state = 0 ORDER BY r.seq LIMIT $7"
    );
    let statement = tx.prepare(&sql).await?;
    let query = |place: &Place| {
        let params: Vec<OwnedParam> = vec![
            Box::new(place.n),
            Box::new(place.account),
            Box::new(place.bulk),
            Box::new(place.operator),
            Box::new(place.first),
            Box::new(place.past),
            Box::new(place.most),
        ];
        (statement.clone(), params)
    };
    Ok(places.iter().map(query).collect())
}
