//! The sections of the file, one after the other.

use super::sort::Sorter;
use super::{Built, Distinct, PROGRESS_ROWS, Progress};
use crate::blocks::BlockWriter;
use crate::layout::{BIRTH_BITS, ClassEntry, Header, NUMBER_BITS, REGIONS, Row, Section};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;

/// Bits of a postal code.
const POSTAL_BITS: u32 = 34;
/// Bits of number and birth year.
const TAIL_BITS: u32 = NUMBER_BITS + BIRTH_BITS;
/// Bits of a packed row in a group's key.
const ROW_BITS: u32 = 64;

/// What the rows by postal code are sorted by: class, postal code, number.
pub(super) fn postal_key(row: Row, postal: u64) -> u128 {
    let tail = u128::from(row.number) << BIRTH_BITS | u128::from(row.birth);
    (u128::from(row.high) << POSTAL_BITS | u128::from(postal)) << TAIL_BITS | tail
}

/// What the rows by group are sorted by: group, class, number.
pub(super) fn group_key(group: u32, row: Row) -> u128 {
    u128::from(group) << ROW_BITS | u128::from(row.pack())
}

/// Writes everything, and waits until it is on disk.
pub(super) fn write(
    file: File,
    people: Distinct,
    operators: Vec<String>,
    temporary: &Path,
    built: &mut Built,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<()> {
    let counted = people.classes.iter().enumerate();
    let classes: Vec<ClassEntry> = counted
        .filter(|(_, people)| **people > 0)
        .map(|(class, people)| ClassEntry {
            class: class as u8,
            people: *people,
        })
        .collect();
    let mut out = BlockWriter::new(file)?;
    let mut items = [0; 6];
    let starts = postal_rows(
        &mut out,
        people.by_postal_code,
        &classes,
        people.count,
        progress,
    )?;
    items[Section::PostalRows as usize] = out.end()?;
    items[Section::PostalStarts as usize] = numbers(&mut out, Section::PostalStarts, starts)?;
    let ranked = people.sets.ranked(&people.set_people);
    let mut rank_of = vec![0; people.sets.len()];
    for (rank, set) in ranked.iter().enumerate() {
        rank_of[*set as usize] = rank as u32;
    }
    let mut by_group = Sorter::new(temporary);
    for row in people.tagged.read()? {
        let row = row?;
        let set = (row >> ROW_BITS) as usize;
        by_group.push(u128::from(rank_of[set]) << ROW_BITS | row & u128::from(u64::MAX))?;
    }
    group_rows(&mut out, by_group, people.count, progress)?;
    items[Section::GroupRows as usize] = out.end()?;
    let sizes = ranked.iter().map(|set| people.set_people[*set as usize]);
    let starts = std::iter::once(0).chain(sizes.clone().scan(0, |sum, size| {
        *sum += size;
        Some(*sum)
    }));
    items[Section::GroupStarts as usize] = numbers(&mut out, Section::GroupStarts, starts)?;
    let mut postings: BTreeMap<u32, Vec<(u32, u32)>> = BTreeMap::new();
    for (group, (set, size)) in (0..).zip(ranked.iter().zip(sizes)) {
        for tag in people.sets.tags(*set) {
            postings.entry(*tag).or_default().push((group, size));
        }
    }
    items[Section::Postings as usize] = write_postings(&mut out, &postings)?;
    items[Section::Tags as usize] = write_tags(&mut out, &postings)?;
    built.with_postal_code = items[Section::PostalRows as usize];
    built.with_tags = items[Section::GroupRows as usize];
    built.groups = ranked.len() as u64;
    out.finish(&Header {
        people: people.count,
        items,
        operators,
        classes,
    })
}

/// Writes the rows by postal code, and gives the first row of each class and region.
fn postal_rows(
    out: &mut BlockWriter,
    sorter: Sorter,
    classes: &[ClassEntry],
    people: u64,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<Vec<u32>> {
    out.begin(Section::PostalRows);
    let mut starts = Vec::with_capacity(classes.len() * REGIONS as usize + 1);
    let mut place = 0;
    for (row, key) in (0u32..).zip(sorter.finish()?) {
        let key = key?;
        let class = (key >> (POSTAL_BITS + TAIL_BITS)) as u8;
        let postal = (key >> TAIL_BITS) as u64 & ((1 << POSTAL_BITS) - 1);
        while classes[place].class != class {
            place += 1;
        }
        let region = place as u64 * REGIONS + postal / REGIONS;
        // Every region up to and with this one, as far as none has begun before, begins here.
        starts.resize((region + 1) as usize, row);
        let tail = key as u64 & ((1 << TAIL_BITS) - 1);
        out.push((postal % REGIONS) << TAIL_BITS | tail)?;
        report(progress, "writing by postal code", u64::from(row), people);
    }
    let rows = out.end()? as u32;
    starts.resize(classes.len() * REGIONS as usize + 1, rows);
    Ok(starts)
}

fn group_rows(
    out: &mut BlockWriter,
    sorter: Sorter,
    people: u64,
    progress: &mut dyn FnMut(Progress),
) -> io::Result<()> {
    out.begin(Section::GroupRows);
    for (row, key) in (0..).zip(sorter.finish()?) {
        out.push(key? as u64)?;
        report(progress, "writing by job and trend", row, people);
    }
    Ok(())
}

fn report(progress: &mut dyn FnMut(Progress), step: &'static str, row: u64, people: u64) {
    if row.is_multiple_of(PROGRESS_ROWS) {
        progress(Progress::Step(step, row, people));
    }
}

fn numbers(
    out: &mut BlockWriter,
    section: Section,
    numbers: impl IntoIterator<Item = u32>,
) -> io::Result<u64> {
    out.begin(section);
    for number in numbers {
        out.push(number.into())?;
    }
    out.end()
}

fn write_postings(
    out: &mut BlockWriter,
    postings: &BTreeMap<u32, Vec<(u32, u32)>>,
) -> io::Result<u64> {
    out.begin(Section::Postings);
    for (group, size) in postings.values().flatten() {
        out.push(u64::from(*size) << 32 | u64::from(*group))?;
    }
    out.end()
}

fn write_tags(out: &mut BlockWriter, postings: &BTreeMap<u32, Vec<(u32, u32)>>) -> io::Result<u64> {
    out.begin(Section::Tags);
    let mut first: u64 = 0;
    for (tag, groups) in postings {
        let people: u32 = groups.iter().map(|(_, size)| size).sum();
        let mut item = [0; Section::Tags.width()];
        item[..4].copy_from_slice(&tag.to_le_bytes());
        item[4..8].copy_from_slice(&people.to_le_bytes());
        item[8..16].copy_from_slice(&first.to_le_bytes());
        item[16..].copy_from_slice(&(groups.len() as u32).to_le_bytes());
        out.push_bytes(&item)?;
        first += groups.len() as u64;
    }
    out.end()
}
