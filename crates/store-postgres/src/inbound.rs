//! Messages from handsets, kept as they came.

use crate::db::Tx;
use crate::error::DbError;
use store::InboundPart;

/// Records inbound parts.
pub(crate) async fn record_inbound(tx: &Tx, parts: &[InboundPart]) -> Result<(), DbError> {
    if parts.is_empty() {
        return Ok(());
    }
    let of = |number: fn(&InboundPart) -> i64| parts.iter().map(number).collect::<Vec<i64>>();
    let mark = |number: fn((u16, u8, u8)) -> i64| -> Vec<Option<i64>> {
        parts.iter().map(|part| part.part.map(number)).collect()
    };
    let payloads: Vec<&[u8]> = parts.iter().map(|part| &*part.payload).collect();
    let senders: Vec<_> = parts.iter().map(|part| &*part.from).collect();
    let lines: Vec<_> = parts.iter().map(|part| &*part.to).collect();
    let disturbed: Vec<Option<i64>> = parts
        .iter()
        .map(|part| part.disturbed_at.map(|at| at.0))
        .collect();
    let count = i64::try_from(parts.len()).unwrap_or(i64::MAX);
    let first = tx.next_number("inbound_part", count).await?;
    tx.execute(
        "INSERT INTO inbound_part (n, link_id, at, data_coding, reference, part_total, part_no,
         header_octets, disturbed_at, sender, line, payload)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],
         $6::int8[], $7::int8[], $8::int8[], $9::int8[], $10::text[], $11::text[], $12::bytea[])",
        &[
            &(first..first + count).collect::<Vec<i64>>(),
            &of(|part| part.link.0),
            &of(|part| part.at.0),
            &of(|part| part.data_coding.into()),
            &mark(|(reference, _, _)| reference.into()),
            &mark(|(_, total, _)| total.into()),
            &mark(|(_, _, no)| no.into()),
            &of(|part| part.header_octets.into()),
            &disturbed,
            &senders,
            &lines,
            &payloads,
        ],
    )
    .await?;
    Ok(())
}
