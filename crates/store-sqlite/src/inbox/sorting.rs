//! From queued parts to messages: repetitions dropped, parts of one message gathered.

use super::messages;
use crate::error::DbError;
use crate::group::Group;
use domain::ids::LinkId;
use domain::time::UnixMillis;
use rusqlite::{Connection, OptionalExtension, Row, params};
use store::{
    Becomes, Gathered, InboundPart, InboundSorted, Joined, QueuedInbound, Repetition, SortInbound,
};

/// Digests that one command forgets, for each part that it sorts, and at least.
const FORGOTTEN_PER_PART: i64 = 2;
const FORGOTTEN_MIN: i64 = 100;

const QUEUED: &str = "n, link_id, at, sender, line, data_coding, payload, reference, part_total,
    part_no, header_octets, disturbed_at";

/// Reads the columns of [`QUEUED`].
fn queued(row: &Row<'_>) -> rusqlite::Result<QueuedInbound> {
    let marks = (row.get(7)?, row.get(8)?, row.get(9)?);
    let part = match marks {
        (Some(reference), Some(total), Some(no)) => Some((reference, total, no)),
        _ => None,
    };
    Ok(QueuedInbound {
        n: row.get(0)?,
        part: InboundPart {
            link: LinkId(row.get(1)?),
            at: UnixMillis(row.get(2)?),
            from: row.get::<_, String>(3)?.into(),
            to: row.get::<_, String>(4)?.into(),
            data_coding: row.get(5)?,
            payload: row.get::<_, Vec<u8>>(6)?.into(),
            part,
            header_octets: row.get(10)?,
            disturbed_at: row.get::<_, Option<i64>>(11)?.map(UnixMillis),
        },
    })
}

/// The oldest parts of the queue.
pub(super) fn queue(conn: &Connection, limit: u32) -> Result<Vec<QueuedInbound>, DbError> {
    let parts = conn
        .prepare_cached(&format!(
            "SELECT {QUEUED} FROM inbound_part ORDER BY n LIMIT ?1"
        ))?
        .query_map([limit], queued)?
        .collect::<Result<_, _>>()?;
    Ok(parts)
}

/// Takes parts out of the queue.
pub(super) fn sort(group: &mut Group<'_>, command: &SortInbound) -> Result<InboundSorted, DbError> {
    let mut sorted = InboundSorted::default();
    let take = format!("DELETE FROM inbound_part WHERE n = ?1 RETURNING {QUEUED}");
    for item in &command.parts {
        let taken = group
            .conn
            .prepare_cached(&take)?
            .query_row([item.n], queued)
            .optional()?;
        let Some(taken) = taken else { continue };
        if is_repetition(group.conn, &item.repetition, taken.part.at)? {
            sorted.repeated += 1;
            continue;
        }
        match &item.becomes {
            Becomes::Message(message) => {
                messages::insert(group.conn, message)?;
                sorted.messages += 1;
            }
            Becomes::Gathered => match gather(group.conn, &taken.part)? {
                true => sorted.gathered += 1,
                false => sorted.repeated += 1,
            },
        }
    }
    let forgotten = FORGOTTEN_MIN + FORGOTTEN_PER_PART * command.parts.len() as i64;
    group
        .conn
        .prepare_cached(
            "DELETE FROM inbound_seen WHERE digest IN
             (SELECT digest FROM inbound_seen WHERE at < ?1 ORDER BY at LIMIT ?2)",
        )?
        .execute(params![command.forget_before.0, forgotten])?;
    Ok(sorted)
}

/// Whether the same came before in that time. The last time it came is remembered.
fn is_repetition(
    conn: &Connection,
    repetition: &Repetition,
    at: UnixMillis,
) -> Result<bool, DbError> {
    let before = conn
        .prepare_cached("SELECT at FROM inbound_seen WHERE digest = ?1")?
        .query_row([&repetition.digest[..]], |row| row.get::<_, i64>(0))
        .optional()?;
    conn.prepare_cached("INSERT OR REPLACE INTO inbound_seen (digest, at) VALUES (?1, ?2)")?
        .execute(params![&repetition.digest[..], at.0])?;
    Ok(match (before, repetition.between) {
        (Some(before), Some((from, to))) => (from.0..=to.0).contains(&before),
        _ => false,
    })
}

/// Puts a part beside the others of its message; false when it is there already.
fn gather(conn: &Connection, part: &InboundPart) -> Result<bool, DbError> {
    let Some((reference, total, no)) = part.part else {
        return Err(DbError::Row("a whole message is to be gathered".into()));
    };
    let key = params![&*part.to, &*part.from, reference, total];
    let open = conn
        .prepare_cached(
            "SELECT id FROM inbound_gathering WHERE line = ?1 AND sender = ?2 AND reference = ?3
             AND part_total = ?4 AND closed = 0",
        )?
        .query_row(key, |row| row.get::<_, i64>(0))
        .optional()?;
    let id = match open {
        Some(id) => match same_number(conn, id, no)? {
            None => id,
            Some((coding, payload)) if coding == part.data_coding && *payload == *part.payload => {
                return Ok(false);
            }
            // The sender has begun another message with the same reference.
            Some(_) => {
                conn.prepare_cached("UPDATE inbound_gathering SET closed = 1 WHERE id = ?1")?
                    .execute([id])?;
                open_gathering(conn, part, reference, total)?
            }
        },
        None => open_gathering(conn, part, reference, total)?,
    };
    conn.prepare_cached(
        "INSERT INTO inbound_fragment (gathering_id, part_no, link_id, at, data_coding,
         header_octets, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        id,
        no,
        part.link.0,
        part.at.0,
        part.data_coding,
        part.header_octets,
        &part.payload[..],
    ])?;
    conn.prepare_cached(
        "UPDATE inbound_gathering SET have = have + 1, last_at = max(last_at, ?2),
         closed = have + 1 >= part_total WHERE id = ?1",
    )?
    .execute(params![id, part.at.0])?;
    Ok(true)
}

fn open_gathering(
    conn: &Connection,
    part: &InboundPart,
    reference: u16,
    total: u8,
) -> Result<i64, DbError> {
    conn.prepare_cached(
        "INSERT INTO inbound_gathering (line, sender, reference, part_total, have, last_at)
         VALUES (?1, ?2, ?3, ?4, 0, ?5)",
    )?
    .execute(params![&*part.to, &*part.from, reference, total, part.at.0])?;
    Ok(conn.last_insert_rowid())
}

/// Coding and octets of the part with this number, if it is there.
fn same_number(conn: &Connection, id: i64, no: u8) -> Result<Option<(u8, Vec<u8>)>, DbError> {
    let found = conn
        .prepare_cached(
            "SELECT data_coding, payload FROM inbound_fragment
             WHERE gathering_id = ?1 AND part_no = ?2",
        )?
        .query_row(params![id, no], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found)
}

/// Gatherings that wait for nothing any more. The caller gives a snapshot.
pub(super) fn gathered(
    conn: &Connection,
    quiet_since: UnixMillis,
    limit: u32,
) -> Result<Vec<Gathered>, DbError> {
    // Two statements, each along its own index.
    let mut found = ripe(
        conn,
        "SELECT id, line, sender, reference, part_total FROM inbound_gathering
         INDEXED BY inbound_gathering_closed WHERE closed = 1 AND ?1 IS NOT NULL
         ORDER BY id LIMIT ?2",
        quiet_since,
        limit,
    )?;
    let rest = limit - found.len() as u32;
    found.extend(ripe(
        conn,
        "SELECT id, line, sender, reference, part_total FROM inbound_gathering
         INDEXED BY inbound_gathering_quiet WHERE closed = 0 AND last_at < ?1
         ORDER BY last_at LIMIT ?2",
        quiet_since,
        rest,
    )?);
    Ok(found)
}

fn ripe(
    conn: &Connection,
    sql: &str,
    quiet_since: UnixMillis,
    limit: u32,
) -> Result<Vec<Gathered>, DbError> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![quiet_since.0, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let (to, from): (String, String) = (row.get(1)?, row.get(2)?);
        let (reference, total): (u16, u8) = (row.get(3)?, row.get(4)?);
        let parts = conn
            .prepare_cached(
                "SELECT part_no, link_id, at, data_coding, header_octets, payload
                 FROM inbound_fragment WHERE gathering_id = ?1 ORDER BY part_no",
            )?
            .query_map([id], |row| {
                Ok(InboundPart {
                    link: LinkId(row.get(1)?),
                    at: UnixMillis(row.get(2)?),
                    from: from.as_str().into(),
                    to: to.as_str().into(),
                    data_coding: row.get(3)?,
                    payload: row.get::<_, Vec<u8>>(5)?.into(),
                    part: Some((reference, total, row.get(0)?)),
                    header_octets: row.get(4)?,
                    disturbed_at: None,
                })
            })?
            .collect::<Result<_, _>>()?;
        found.push(Gathered { id, total, parts });
    }
    Ok(found)
}

/// Writes messages in place of their parts.
pub(super) fn record_joined(group: &mut Group<'_>, joined: &[Joined]) -> Result<u32, DbError> {
    let mut written = 0;
    for one in joined {
        let gone = group
            .conn
            .prepare_cached("DELETE FROM inbound_gathering WHERE id = ?1 AND have = ?2")?
            .execute(params![one.id, one.parts])?;
        if gone == 0 {
            continue;
        }
        group
            .conn
            .prepare_cached("DELETE FROM inbound_fragment WHERE gathering_id = ?1")?
            .execute([one.id])?;
        messages::insert(group.conn, &one.message)?;
        written += 1;
    }
    Ok(written)
}
