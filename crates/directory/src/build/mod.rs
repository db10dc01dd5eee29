//! Building a directory's file from rows of people.
//!
//! Three sorts, each in bounded memory with temporary files: people by number, so that rows of one
//! person meet; then those with a postal code by class and code; then those with jobs or trends by
//! group. The same people give the same file, byte for byte, whatever the order of rows and files.

mod people;
mod sets;
mod sort;
mod write;

pub use people::{Column, Problem, ROW_BYTES_MAX};
pub use sets::SETS_MAX;

use crate::jobs::Jobs;
use crate::layout::{GENDERS, OPERATOR_KEY_BYTES_MAX, OPERATORS_MAX, Row};
use crate::person::{Person, number_of};
use domain::ids::OperatorId;
use domain::operator::Operators;
use people::PeopleReader;
use sets::Sets;
use sort::{Sorter, Spool};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use thiserror::Error;

/// Rows between two reports of progress.
const PROGRESS_ROWS: u64 = 100_000;
/// Classes that there can be.
const CLASSES_MAX: usize = OPERATORS_MAX * GENDERS as usize;

/// A source of rows.
pub struct Input {
    /// What messages call it.
    pub name: String,
    /// Its bytes.
    pub from: Box<dyn Read + Send>,
}

/// What is built, and where.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The operators and the prefixes of their numbers.
    pub operators: &'a Operators,
    /// The jobs and trends that rows may name.
    pub jobs: &'a Jobs,
    /// The file; one that is there already is replaced at the end, at once.
    pub out: &'a Path,
    /// The folder of temporary files, about 50 bytes a person; `None` for that of the file.
    pub temporary: Option<&'a Path>,
    /// Whether a value that cannot be used ends the building.
    pub strict: bool,
}

/// How far the building is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many more bytes of input were read.
    Read(u64),
    /// So many of so many people went through this step.
    Step(&'static str, u64, u64),
}

/// What was built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Built {
    /// Rows of the input, without headers and blank lines.
    pub rows: u64,
    /// Different people.
    pub people: u64,
    /// Rows whose number stood in an earlier row too.
    pub doubled: u64,
    /// People with a postal code.
    pub with_postal_code: u64,
    /// People with a job or a trend.
    pub with_tags: u64,
    /// Different sets of jobs and trends.
    pub groups: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Values that could not be used.
    pub problems: Vec<Problem>,
}

/// Why nothing was built. A file that was there before is still there.
#[derive(Debug, Error)]
pub enum BuildError {
    /// The first row of an input is no header.
    #[error("{0}: {1}")]
    Header(String, String),
    /// A row is longer than any person: mostly a missing quotation mark.
    #[error("{0}:{1}: the row has more than {ROW_BYTES_MAX} bytes; is a quotation mark missing?")]
    RowTooLong(String, u64),
    /// An input cannot be read.
    #[error("{0} cannot be read: {1}")]
    Input(String, #[source] io::Error),
    /// Values that cannot be used, and the plan is strict.
    #[error("values that cannot be used:{}", .0.iter().map(|one| format!("\n  {one}")).collect::<String>())]
    Problems(Vec<Problem>),
    /// More different sets of jobs and trends than memory is meant for.
    #[error("more than {SETS_MAX} different sets of jobs and trends")]
    TooManySets,
    /// More operators than a directory can tell apart, or one with a longer key.
    #[error(
        "more than {OPERATORS_MAX} operators, or a key longer than {OPERATOR_KEY_BYTES_MAX} bytes"
    )]
    Operators,
    /// The file or a temporary one cannot be written.
    #[error("the directory cannot be written: {0}")]
    Output(#[from] io::Error),
}

/// Builds a file.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    plan: Plan<'_>,
    inputs: Vec<Input>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Built, BuildError> {
    let folder = plan
        .out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let temporary = plan.temporary.unwrap_or(folder);
    // Made first: a folder that cannot be written is better known before an hour of reading.
    let file = tempfile::Builder::new()
        .prefix(".directory-")
        .tempfile_in(folder)?;
    let order = operator_order(plan.operators)?;
    let mut reader = PeopleReader::new(plan.operators, &order, plan.jobs);
    let mut by_number = Sorter::new(temporary);
    for mut input in inputs {
        reader.read(
            &mut input,
            &mut |bytes| progress(Progress::Read(bytes)),
            &mut |person| Ok(by_number.push(person.pack())?),
        )?;
    }
    let mut built = Built {
        rows: reader.rows,
        problems: std::mem::take(&mut reader.problems),
        ..Built::default()
    };
    built
        .problems
        .sort_unstable_by_key(|problem| problem.column as usize);
    if plan.strict && !built.problems.is_empty() {
        return Err(BuildError::Problems(built.problems));
    }
    let resolver = Resolver::new(plan.operators, &order);
    let people = Distinct::collect(
        by_number,
        reader.sets,
        &resolver,
        temporary,
        built.rows,
        progress,
    )?;
    let left_out = built
        .problems
        .iter()
        .find(|one| one.column == Column::Number);
    built.people = people.count;
    built.doubled = built.rows - left_out.map_or(0, |one| one.rows) - people.count;
    let target = file.reopen()?;
    write::write(target, people, order, temporary, &mut built, progress)?;
    built.bytes = file.as_file().metadata()?.len();
    file.persist(plan.out).map_err(|error| error.error)?;
    // Without this the old file could be back after a power failure.
    File::open(folder)?.sync_all()?;
    Ok(built)
}

/// The operators' keys in the order by which classes name them.
fn operator_order(operators: &Operators) -> Result<Vec<String>, BuildError> {
    let mut keys: Vec<String> = operators.iter().map(|one| one.key.clone()).collect();
    keys.sort_unstable();
    if keys.len() > OPERATORS_MAX || keys.iter().any(|key| key.len() > OPERATOR_KEY_BYTES_MAX) {
        return Err(BuildError::Operators);
    }
    Ok(keys)
}

/// The operator of a number whose row names none.
struct Resolver<'a> {
    operators: &'a Operators,
    /// The place of each id among the keys.
    places: [u8; 256],
}

impl<'a> Resolver<'a> {
    fn new(operators: &'a Operators, order: &[String]) -> Self {
        let mut places = [0; 256];
        for one in operators.iter() {
            let OperatorId(id) = one.id;
            let place = order.iter().position(|key| *key == one.key).unwrap_or(0);
            places[usize::from(id)] = place as u8;
        }
        Self { operators, places }
    }

    fn class(&self, person: &Person) -> u8 {
        let place = match (person.operator.checked_sub(1), number_of(person.number)) {
            (Some(place), _) => place,
            (None, Some(number)) => {
                let OperatorId(id) = self.operators.resolve(number);
                self.places[usize::from(id)]
            }
            (None, None) => 0,
        };
        place * GENDERS + person.gender
    }
}

/// The different people, on their way into the two orders of the file.
struct Distinct {
    count: u64,
    classes: [u64; CLASSES_MAX],
    /// Class, postal code, number, birth year.
    by_postal_code: Sorter,
    /// Set, then the packed row; not sorted yet, because the order of sets is known only at the end.
    tagged: Spool,
    sets: Sets,
    /// People of each set.
    set_people: Vec<u32>,
}

impl Distinct {
    fn collect(
        by_number: Sorter,
        sets: Sets,
        resolver: &Resolver<'_>,
        temporary: &Path,
        rows: u64,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Self, BuildError> {
        let mut people = Self {
            count: 0,
            classes: [0; CLASSES_MAX],
            by_postal_code: Sorter::new(temporary),
            tagged: Spool::new(temporary)?,
            set_people: vec![0; sets.len()],
            sets,
        };
        let mut last: Option<Person> = None;
        for (done, row) in (1..).zip(by_number.finish()?) {
            let person = Person::unpack(row?);
            match &mut last {
                Some(known) if known.number == person.number => {
                    known.set = people.sets.union(known.set, person.set)?;
                    known.merge(person);
                }
                _ => {
                    if let Some(known) = last.replace(person) {
                        people.take(&known, resolver)?;
                    }
                }
            }
            if done % PROGRESS_ROWS == 0 {
                progress(Progress::Step("finding each person once", done, rows));
            }
        }
        if let Some(known) = last {
            people.take(&known, resolver)?;
        }
        Ok(people)
    }

    fn take(&mut self, person: &Person, resolver: &Resolver<'_>) -> io::Result<()> {
        let class = resolver.class(person);
        self.count += 1;
        self.classes[usize::from(class)] += 1;
        let row = Row {
            high: u32::from(class),
            number: person.number,
            birth: person.birth,
        };
        if person.postal != 0 {
            self.by_postal_code
                .push(write::postal_key(row, person.postal))?;
        }
        if person.set != 0 {
            let set = person.set as usize;
            if self.set_people.len() <= set {
                self.set_people.resize(set + 1, 0);
            }
            self.set_people[set] += 1;
            self.tagged.push(write::group_key(person.set, row))?;
        }
        Ok(())
    }
}
