//! Reading people from CSV: a header that names the columns, then one person a row.
//!
//! Rows are read in bounded memory whatever is in the file. A value that cannot be used is left
//! out and counted, with the place of the first one of its kind; a row without a usable number is
//! left out whole.

use super::sets::Sets;
use super::{BuildError, Input};
use crate::jobs::Jobs;
use crate::layout::JOB_BIT;
use crate::person::{POSTAL_MAX, POSTAL_MIN, Person, birth_bits, number_bits};
use crate::table::digits;
use csv_core::{ReadRecordResult, Reader};
use domain::msisdn::Msisdn;
use domain::operator::Operators;
use std::fmt;
use std::io::Read;

/// Bytes that one row may have.
pub const ROW_BYTES_MAX: usize = 8_192;
/// Columns that one row may have.
const COLUMNS_MAX: usize = 64;
/// Bytes that are read at once.
const READ_BYTES: usize = 256 << 10;

/// A column of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Column {
    /// The mobile number, in any format that the web service takes; the only column that must be.
    Number = 0,
    /// The operator's key; empty for the one that the prefix tells.
    Operator = 1,
    /// 1 or `m` for men, 2 or `f` for women, 0 or nothing for unknown.
    Gender = 2,
    /// Jalali.
    BirthYear = 3,
    /// Ten digits.
    PostalCode = 4,
    /// The id of a job.
    Job = 5,
    /// Ids of trends, parted by semicolons, blanks or `|`.
    Trends = 6,
}

impl Column {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Number,
        Self::Operator,
        Self::Gender,
        Self::BirthYear,
        Self::PostalCode,
        Self::Job,
        Self::Trends,
    ];

    /// Its name in the header.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Operator => "operator",
            Self::Gender => "gender",
            Self::BirthYear => "birth_year",
            Self::PostalCode => "postal_code",
            Self::Job => "job",
            Self::Trends => "trends",
        }
    }
}

/// Values of one column that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which column.
    pub column: Column,
    /// How many rows had one.
    pub rows: u64,
    /// The file of the first one.
    pub file: String,
    /// Its line, from 1.
    pub line: u64,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.column {
            Column::Number => "no mobile number of Iran: the row is left out",
            Column::Operator => "no operator's key: taken from the prefix",
            Column::Gender => "not 0, 1 or 2: unknown",
            Column::BirthYear => "not 1300 to 1410: unknown",
            Column::PostalCode => "not ten digits: none",
            Column::Job => "no job of the jobs file: none",
            Column::Trends => "no trend of the jobs file: left out",
        };
        let Self {
            rows, file, line, ..
        } = self;
        write!(
            f,
            "{}: {what} ({rows} rows, the first at {file}:{line})",
            self.column.name()
        )
    }
}

/// Turns rows into people.
pub(super) struct PeopleReader<'a> {
    operators: &'a Operators,
    /// Ids of the operators in the order of their keys in the file that is built.
    order: &'a [String],
    jobs: &'a Jobs,
    pub(super) sets: Sets,
    pub(super) rows: u64,
    pub(super) problems: Vec<Problem>,
    tags: Vec<u32>,
}

/// Where a row stands.
struct Place<'a> {
    file: &'a str,
    line: u64,
}

impl<'a> PeopleReader<'a> {
    pub(super) fn new(operators: &'a Operators, order: &'a [String], jobs: &'a Jobs) -> Self {
        Self {
            operators,
            order,
            jobs,
            sets: Sets::new(),
            rows: 0,
            problems: Vec::new(),
            tags: Vec::new(),
        }
    }

    /// Reads one file to its end. `progress` hears of bytes read.
    pub(super) fn read(
        &mut self,
        input: &mut Input,
        progress: &mut dyn FnMut(u64),
        take: &mut impl FnMut(Person) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let mut rows = Rows::new(&mut input.from);
        let name = input.name.as_str();
        let Some(header) = rows.next(name, progress)? else {
            return Err(BuildError::Header(name.into(), "the file is empty".into()));
        };
        let columns = columns(&header).map_err(|what| BuildError::Header(name.into(), what))?;
        while let Some(row) = rows.next(name, progress)? {
            // A blank line.
            if row.len() == 1 && row.get(0).trim_ascii().is_empty() {
                continue;
            }
            self.rows += 1;
            let place = Place {
                file: name,
                line: row.line,
            };
            if let Some(person) = self.person(&row, &columns, &place)? {
                take(person)?;
            }
        }
        Ok(())
    }

    fn person(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        place: &Place<'_>,
    ) -> Result<Option<Person>, BuildError> {
        let text = |column: Column| {
            let field = columns.0[column as usize].map_or(&b""[..], |at| row.get(at));
            str::from_utf8(field).map(str::trim).unwrap_or("\u{fffd}")
        };
        let Some(number) = Msisdn::parse(text(Column::Number)) else {
            self.note(Column::Number, place);
            return Ok(None);
        };
        let mut person = Person {
            number: number_bits(number),
            ..Person::default()
        };
        person.operator = self.known(
            Column::Operator,
            text(Column::Operator),
            place,
            |it, key| it.operator(key),
        );
        person.gender = self.known(Column::Gender, text(Column::Gender), place, |_, word| {
            gender(word)
        });
        person.birth = self.known(
            Column::BirthYear,
            text(Column::BirthYear),
            place,
            |_, year| birth_bits(u16::try_from(digits(year, 4)?).ok()?),
        );
        let postal = text(Column::PostalCode);
        person.postal = self.known(Column::PostalCode, postal, place, |_, code| {
            digits(code, 10).filter(|code| (POSTAL_MIN..=POSTAL_MAX).contains(code))
        });
        let mut tags = std::mem::take(&mut self.tags);
        tags.clear();
        let job = self.known(Column::Job, text(Column::Job), place, |it, id| {
            it.jobs.job(id_of(id)?).map(|job| job.id | JOB_BIT)
        });
        tags.extend((job != 0).then_some(job));
        for item in text(Column::Trends).split([';', '|', ' ', '،', ',']) {
            let trend = self.known(Column::Trends, item, place, |it, id| {
                it.jobs.trend(id_of(id)?).map(|trend| trend.id)
            });
            tags.extend((trend != 0).then_some(trend));
        }
        person.set = self.sets.number(&mut tags)?;
        self.tags = tags;
        Ok(Some(person))
    }

    /// A value, or the one for unknown; noted where there is text that cannot be used.
    fn known<T: Default>(
        &mut self,
        column: Column,
        text: &str,
        place: &Place<'_>,
        read: impl FnOnce(&Self, &str) -> Option<T>,
    ) -> T {
        if text.is_empty() {
            return T::default();
        }
        let value = read(self, text);
        if value.is_none() {
            self.note(column, place);
        }
        value.unwrap_or_default()
    }

    fn operator(&self, key: &str) -> Option<u8> {
        let key = &self.operators.by_key(key)?.key;
        let place = self.order.iter().position(|known| known == key)?;
        u8::try_from(place + 1).ok()
    }

    fn note(&mut self, column: Column, place: &Place<'_>) {
        if let Some(known) = self.problems.iter_mut().find(|one| one.column == column) {
            known.rows += 1;
            return;
        }
        self.problems.push(Problem {
            column,
            rows: 1,
            file: place.file.to_owned(),
            line: place.line,
        });
    }
}

fn gender(word: &str) -> Option<u8> {
    match word {
        "0" | "۰" => Some(0),
        "1" | "۱" | "m" | "M" | "مرد" => Some(1),
        "2" | "۲" | "f" | "F" | "زن" => Some(2),
        _ => None,
    }
}

fn id_of(text: &str) -> Option<u32> {
    u32::try_from(digits(text, 10)?).ok()
}

/// Where each column stands in a row.
struct Columns([Option<usize>; 7]);

fn columns(header: &Row<'_>) -> Result<Columns, String> {
    let mut places = [None; 7];
    for at in 0..header.len() {
        let given = String::from_utf8_lossy(header.get(at));
        let plain: String = given
            .trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
            .chars()
            .map(|c| {
                if c == '-' || c == ' ' {
                    '_'
                } else {
                    c.to_ascii_lowercase()
                }
            })
            .collect();
        let found = Column::ALL.iter().find(|column| column.name() == plain);
        let Some(column) = found else {
            let names = Column::ALL.map(Column::name).join(", ");
            let shown: String = given.chars().filter(|c| !c.is_control()).take(40).collect();
            return Err(format!(
                "its first row names a column `{shown}`; there are {names}"
            ));
        };
        if places[*column as usize].replace(at).is_some() {
            return Err(format!("its first row names the column {plain} twice"));
        }
    }
    if places[Column::Number as usize].is_none() {
        return Err("its first row names no column `number`".into());
    }
    Ok(Columns(places))
}

/// One row, its fields without their quotation marks.
struct Row<'a> {
    fields: &'a [u8],
    ends: &'a [usize],
    line: u64,
}

impl Row<'_> {
    fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field; a row that ends early has empty ones.
    fn get(&self, at: usize) -> &[u8] {
        let from = if at == 0 {
            Some(&0)
        } else {
            self.ends.get(at - 1)
        };
        match (from, self.ends.get(at)) {
            (Some(from), Some(to)) => self.fields.get(*from..*to).unwrap_or_default(),
            _ => b"",
        }
    }
}

/// Cuts a stream into rows.
struct Rows<'a> {
    from: &'a mut (dyn Read + Send),
    reader: Reader,
    buffer: Vec<u8>,
    unread: std::ops::Range<usize>,
    fields: Vec<u8>,
    ends: Vec<usize>,
    total: u64,
    ended: bool,
}

impl<'a> Rows<'a> {
    fn new(from: &'a mut (dyn Read + Send)) -> Self {
        Self {
            from,
            reader: Reader::new(),
            buffer: vec![0; READ_BYTES],
            unread: 0..0,
            fields: vec![0; ROW_BYTES_MAX],
            ends: vec![0; COLUMNS_MAX],
            total: 0,
            ended: false,
        }
    }

    fn next(
        &mut self,
        file: &str,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<Row<'_>>, BuildError> {
        let line = self.reader.line();
        let (mut bytes, mut fields) = (0, 0);
        loop {
            if self.unread.is_empty() && !self.ended {
                self.fill(file, progress)?;
            }
            let input = &self.buffer[self.unread.clone()];
            let (result, taken, written, ended) =
                self.reader
                    .read_record(input, &mut self.fields[bytes..], &mut self.ends[fields..]);
            self.unread.start += taken;
            bytes += written;
            fields += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(BuildError::RowTooLong(file.into(), line));
                }
                ReadRecordResult::End => return Ok(None),
                ReadRecordResult::Record => {
                    return Ok(Some(Row {
                        fields: &self.fields[..bytes],
                        ends: &self.ends[..fields],
                        line,
                    }));
                }
            }
        }
    }

    fn fill(&mut self, file: &str, progress: &mut dyn FnMut(u64)) -> Result<(), BuildError> {
        loop {
            match self.from.read(&mut self.buffer) {
                Ok(length) => {
                    self.unread = 0..length;
                    self.ended = length == 0;
                    self.total += length as u64;
                    progress(length as u64);
                    return Ok(());
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(BuildError::Input(file.into(), error)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
