//! Parts of longer messages, beside each other until all are there.

use super::{column, messages, number, write};
use crate::account::Accounts;
use crate::db::{Tx, Write};
use crate::error::DbError;
use domain::ids::LinkId;
use domain::time::UnixMillis;
use std::collections::{HashMap, HashSet};
use store::{Gathered, InboundPart, Joined, NewInbound};
use tokio_postgres::Row;

/// What parts of one message have in common: line, sender, reference and total.
type Marks = (Box<str>, Box<str>, u16, u8);

/// A gathering of a command.
struct Gathering {
    id: i64,
    marks: Marks,
    have: i64,
    last_at: i64,
    closed: bool,
    /// Not in the table yet.
    new: bool,
    changed: bool,
}

struct Fragment {
    gathering: i64,
    no: u8,
    part: InboundPart,
}

/// Coding and octets of parts, by gathering and number.
type There = HashMap<(i64, u8), (u8, Box<[u8]>)>;

/// The gatherings that the parts of a command go to, as they are when it is done with them.
pub(super) struct Gatherings {
    all: Vec<Gathering>,
    /// The one that takes parts with these marks.
    open: HashMap<Marks, usize>,
    /// What is there already, as far as the command has parts with these numbers.
    there: There,
    added: Vec<Fragment>,
}

/// The marks of a part, and its number.
fn marks(part: &InboundPart) -> Result<(Marks, u8), DbError> {
    let (reference, total, no) = part
        .part
        .ok_or_else(|| DbError::Row("a whole message is to be gathered".into()))?;
    Ok(((part.to.clone(), part.from.clone(), reference, total), no))
}

impl Gatherings {
    /// Reads those that these parts may go to.
    pub(super) async fn read(tx: &Tx, parts: &[(i64, InboundPart)]) -> Result<Self, DbError> {
        let mut wanted: HashMap<Marks, HashSet<u8>> = HashMap::new();
        for (_, part) in parts {
            let (marks, no) = marks(part)?;
            wanted.entry(marks).or_default().insert(no);
        }
        let keys: Vec<&Marks> = wanted.keys().collect();
        let lines: Vec<&str> = keys.iter().map(|marks| &*marks.0).collect();
        let senders: Vec<&str> = keys.iter().map(|marks| &*marks.1).collect();
        let references: Vec<i64> = keys.iter().map(|marks| marks.2.into()).collect();
        let totals: Vec<i64> = keys.iter().map(|marks| marks.3.into()).collect();
        let rows = tx
            .query(
                "SELECT g.id, g.line, g.sender, g.reference, g.part_total, g.have, g.last_at
                 FROM unnest($1::text[], $2::text[], $3::int8[], $4::int8[])
                 AS k (line, sender, reference, part_total)
                 JOIN inbound_gathering g ON g.line = k.line AND g.sender = k.sender
                 AND g.reference = k.reference AND g.part_total = k.part_total
                 WHERE NOT g.closed",
                &[&lines, &senders, &references, &totals],
            )
            .await?;
        let all: Vec<Gathering> = rows.iter().map(gathering).collect::<Result<_, _>>()?;
        let mut open = HashMap::new();
        let mut places: Vec<(i64, u8)> = Vec::new();
        for (at, gathering) in all.iter().enumerate() {
            open.insert(gathering.marks.clone(), at);
            let nos = wanted.get(&gathering.marks).into_iter().flatten();
            places.extend(nos.map(|no| (gathering.id, *no)));
        }
        Ok(Self {
            there: there(tx, &places).await?,
            all,
            open,
            added: Vec::new(),
        })
    }

    /// Puts a part beside the others of its message; false when it is there already. A gathering
    /// that begins with it gets the id `new_id`.
    pub(super) fn add(&mut self, part: InboundPart, new_id: i64) -> Result<bool, DbError> {
        let (marks, no) = marks(&part)?;
        let mut open = self.open.get(&marks).copied();
        if let Some(at) = open
            && let Some((coding, payload)) = self.there.get(&(self.all[at].id, no))
        {
            if *coding == part.data_coding && *payload == part.payload {
                return Ok(false);
            }
            // The sender has begun another message with the same reference.
            self.all[at].closed = true;
            self.all[at].changed = true;
            open = None;
        }
        let at = open.unwrap_or_else(|| {
            self.all.push(Gathering {
                id: new_id,
                marks: marks.clone(),
                have: 0,
                last_at: part.at.0,
                closed: false,
                new: true,
                changed: false,
            });
            self.open.insert(marks.clone(), self.all.len() - 1);
            self.all.len() - 1
        });
        let gathering = &mut self.all[at];
        gathering.have += 1;
        gathering.last_at = gathering.last_at.max(part.at.0);
        gathering.closed = gathering.have >= i64::from(marks.3);
        gathering.changed = true;
        if gathering.closed {
            self.open.remove(&marks);
        }
        let octets = (part.data_coding, part.payload.clone());
        self.there.insert((gathering.id, no), octets);
        self.added.push(Fragment {
            gathering: gathering.id,
            no,
            part,
        });
        Ok(true)
    }

    /// Adds the statements that write what changed.
    pub(super) async fn write(self, tx: &Tx, writes: &mut Vec<Write>) -> Result<(), DbError> {
        let (new, old): (Vec<Gathering>, Vec<Gathering>) = self
            .all
            .into_iter()
            .filter(|gathering| gathering.changed)
            .partition(|gathering| gathering.new);
        // First those that close: only one with the same marks may be open.
        if !old.is_empty() {
            let of = |number: fn(&Gathering) -> i64| column(old.iter().map(number).collect());
            let closed: Vec<bool> = old.iter().map(|gathering| gathering.closed).collect();
            let sql = "UPDATE inbound_gathering g SET have = v.have, last_at = v.last_at,
                 closed = v.closed
                 FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::bool[])
                 AS v (id, have, last_at, closed) WHERE g.id = v.id";
            let params = vec![
                of(|gathering| gathering.id),
                of(|gathering| gathering.have),
                of(|gathering| gathering.last_at),
                column(closed),
            ];
            writes.push(write(tx, sql, params).await?);
        }
        if !new.is_empty() {
            writes.push(insert(tx, &new).await?);
        }
        if !self.added.is_empty() {
            writes.push(insert_fragments(tx, &self.added).await?);
        }
        Ok(())
    }
}

fn gathering(row: &Row) -> Result<Gathering, DbError> {
    let (line, sender): (String, String) = (row.get(1), row.get(2));
    Ok(Gathering {
        id: row.get(0),
        marks: (line.into(), sender.into(), number(row, 3)?, number(row, 4)?),
        have: row.get(5),
        last_at: row.get(6),
        closed: false,
        new: false,
        changed: false,
    })
}

/// Coding and octets of the parts with these gatherings and numbers, as far as they are there.
async fn there(tx: &Tx, places: &[(i64, u8)]) -> Result<There, DbError> {
    if places.is_empty() {
        return Ok(There::new());
    }
    let (ids, nos): (Vec<i64>, Vec<i64>) =
        places.iter().map(|(id, no)| (*id, i64::from(*no))).unzip();
    let rows = tx
        .query(
            "SELECT f.gathering_id, f.part_no, f.data_coding, f.payload
             FROM unnest($1::int8[], $2::int8[]) AS k (gathering_id, part_no)
             JOIN inbound_fragment f ON f.gathering_id = k.gathering_id
             AND f.part_no = k.part_no",
            &[&ids, &nos],
        )
        .await?;
    let mut there = There::new();
    for row in &rows {
        let payload: Vec<u8> = row.get(3);
        let octets = (number(row, 2)?, payload.into());
        there.insert((row.get(0), number(row, 1)?), octets);
    }
    Ok(there)
}

async fn insert(tx: &Tx, new: &[Gathering]) -> Result<Write, DbError> {
    let of = |number: fn(&Gathering) -> i64| column(new.iter().map(number).collect());
    let words = |words: fn(&Gathering) -> &str| {
        column(new.iter().map(|one| words(one).to_owned()).collect())
    };
    let closed: Vec<bool> = new.iter().map(|gathering| gathering.closed).collect();
    let sql = "INSERT INTO inbound_gathering (id, line, sender, reference, part_total, have,
         last_at, closed)
         SELECT * FROM unnest($1::int8[], $2::text[], $3::text[], $4::int8[], $5::int8[],
         $6::int8[], $7::int8[], $8::bool[])";
    let params = vec![
        of(|gathering| gathering.id),
        words(|gathering| &gathering.marks.0),
        words(|gathering| &gathering.marks.1),
        of(|gathering| gathering.marks.2.into()),
        of(|gathering| gathering.marks.3.into()),
        of(|gathering| gathering.have),
        of(|gathering| gathering.last_at),
        column(closed),
    ];
    write(tx, sql, params).await
}

async fn insert_fragments(tx: &Tx, added: &[Fragment]) -> Result<Write, DbError> {
    let of = |number: fn(&Fragment) -> i64| column(added.iter().map(number).collect());
    let payloads: Vec<Vec<u8>> = added
        .iter()
        .map(|fragment| fragment.part.payload.to_vec())
        .collect();
    let sql = "INSERT INTO inbound_fragment (gathering_id, part_no, link_id, at, data_coding,
         header_octets, payload)
         SELECT * FROM unnest($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[],
         $6::int8[], $7::bytea[])";
    let params = vec![
        of(|fragment| fragment.gathering),
        of(|fragment| fragment.no.into()),
        of(|fragment| fragment.part.link.0),
        of(|fragment| fragment.part.at.0),
        of(|fragment| fragment.part.data_coding.into()),
        of(|fragment| fragment.part.header_octets.into()),
        column(payloads),
    ];
    write(tx, sql, params).await
}

/// Gatherings that wait for nothing any more. The caller gives a snapshot.
pub(super) async fn gathered(
    tx: &Tx,
    quiet_since: &UnixMillis,
    limit: &u32,
) -> Result<Vec<Gathered>, DbError> {
    // Two statements, each along its own index.
    let mut ripe = tx
        .query(
            "SELECT id, line, sender, reference, part_total, have, last_at FROM inbound_gathering
             WHERE closed ORDER BY id LIMIT $1",
            &[&i64::from(*limit)],
        )
        .await?;
    let rest = i64::from(*limit) - i64::try_from(ripe.len()).unwrap_or(i64::MAX);
    let quiet = tx
        .query(
            "SELECT id, line, sender, reference, part_total, have, last_at FROM inbound_gathering
             WHERE NOT closed AND last_at < $1 ORDER BY last_at LIMIT $2",
            &[&quiet_since.0, &rest],
        )
        .await?;
    ripe.extend(quiet);
    let ripe: Vec<Gathering> = ripe.iter().map(gathering).collect::<Result<_, _>>()?;
    let mut parts = fragments(tx, &ripe).await?;
    let gathered = |one: &Gathering| Gathered {
        id: one.id,
        total: one.marks.3,
        parts: parts.remove(&one.id).unwrap_or_default(),
    };
    Ok(ripe.iter().map(gathered).collect())
}

/// The parts of gatherings, in the order of their numbers.
async fn fragments(tx: &Tx, of: &[Gathering]) -> Result<HashMap<i64, Vec<InboundPart>>, DbError> {
    let by_id: HashMap<i64, &Marks> = of.iter().map(|one| (one.id, &one.marks)).collect();
    let ids: Vec<i64> = of.iter().map(|one| one.id).collect();
    let mut parts: HashMap<i64, Vec<InboundPart>> = HashMap::new();
    if ids.is_empty() {
        return Ok(parts);
    }
    let rows = tx
        .query(
            "SELECT gathering_id, part_no, link_id, at, data_coding, header_octets, payload
             FROM inbound_fragment WHERE gathering_id = ANY ($1)
             ORDER BY gathering_id, part_no",
            &[&ids],
        )
        .await?;
    for row in &rows {
        let id: i64 = row.get(0);
        let Some((to, from, reference, total)) = by_id.get(&id) else {
            continue;
        };
        parts.entry(id).or_default().push(InboundPart {
            link: LinkId(row.get(2)),
            at: UnixMillis(row.get(3)),
            from: from.clone(),
            to: to.clone(),
            data_coding: number(row, 4)?,
            payload: row.get::<_, Vec<u8>>(6).into(),
            part: Some((*reference, *total, number(row, 1)?)),
            header_octets: number(row, 5)?,
            disturbed_at: None,
        });
    }
    Ok(parts)
}

/// Writes messages in place of their parts.
pub(super) async fn record_joined(tx: &Tx, joined: &[Joined]) -> Result<u32, DbError> {
    let owners = messages::owners(joined.iter().map(|one| &one.message));
    Accounts::lock(tx, owners).await?;
    let count = i64::try_from(joined.len()).unwrap_or(i64::MAX);
    let first = tx.next_number("inbound", count).await?;
    let (ids, parts): (Vec<i64>, Vec<i64>) = joined
        .iter()
        .map(|one| (one.id, i64::from(one.parts)))
        .unzip();
    let rows = tx
        .query(
            "DELETE FROM inbound_gathering g
             USING unnest($1::int8[], $2::int8[]) AS k (id, have)
             WHERE g.id = k.id AND g.have = k.have RETURNING g.id, g.have",
            &[&ids, &parts],
        )
        .await?;
    let mut gone: HashSet<(i64, i64)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    if gone.is_empty() {
        return Ok(0);
    }
    let ids: Vec<i64> = gone.iter().map(|(id, _)| *id).collect();
    let written: Vec<(i64, &NewInbound)> = (first..)
        .zip(joined)
        .filter(|(_, one)| gone.remove(&(one.id, one.parts.into())))
        .map(|(number, one)| (number, &one.message))
        .collect();
    let sql = "DELETE FROM inbound_fragment WHERE gathering_id = ANY ($1)";
    let mut writes = vec![write(tx, sql, vec![column(ids)]).await?];
    messages::insert(tx, &written, &mut writes).await?;
    tx.write_all(&writes, false).await?;
    Ok(u32::try_from(written.len()).unwrap_or(u32::MAX))
}
