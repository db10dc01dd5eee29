//! Messages from handsets, kept as they came.

use crate::error::DbError;
use crate::group::Group;
use rusqlite::params;
use store::InboundPart;

/// Records inbound parts.
pub(crate) fn record_inbound(group: &mut Group<'_>, parts: &[InboundPart]) -> Result<(), DbError> {
    let mut insert = group.conn.prepare_cached(
        "INSERT INTO inbound_part (link_id, at, sender, line, data_coding, payload, reference,
         part_total, part_no, header_octets, disturbed_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    for part in parts {
        insert.execute(params![
            part.link.0,
            part.at.0,
            &*part.from,
            &*part.to,
            part.data_coding,
            &part.payload[..],
            part.part.map(|(reference, _, _)| reference),
            part.part.map(|(_, total, _)| total),
            part.part.map(|(_, _, no)| no),
            part.header_octets,
            part.disturbed_at.map(|at| at.0),
        ])?;
    }
    Ok(())
}
