//! Which column of a file is the number, which the name, and what the others are called.
//!
//! By the headings that people write, in Persian and English; where there are none, by what
//! stands in the columns.

use super::{ColumnChoice, Head, ReadOptions, SheetError};
use domain::msisdn::Msisdn;
use domain::phonebook::{
    Contact, FIELD_CHARS_MAX, FIELD_NAME_CHARS_MAX, FIELDS_MAX, NAME_CHARS_MAX, RefusedReason,
    clean, clean_within,
};
use domain::text::{ascii_digit, normalise_for_matching};

/// Headings of a column of mobile numbers, as [`key`] writes them.
const MOBILE: &[&str] = &[
    "موبایل",
    "شمارهموبایل",
    "تلفنموبایل",
    "همراه",
    "شمارههمراه",
    "تلفنهمراه",
    "شمارهتلفنهمراه",
    "mobile",
    "mobilenumber",
    "mobileno",
    "mobilephone",
    "cell",
    "cellphone",
    "cellnumber",
    "msisdn",
];
/// Headings that may also stand over numbers that are no mobile ones.
const PHONE: &[&str] = &[
    "شماره",
    "شمارهتماس",
    "شمارهتلفن",
    "شمارهمخاطب",
    "تلفن",
    "تلفنتماس",
    "number",
    "phone",
    "phonenumber",
    "phoneno",
    "tel",
    "telephone",
    "contactnumber",
];
/// Words by which longer headings of mobile numbers are known, such as «شماره موبایل مشتری».
const MOBILE_WORDS: &[&str] = &["موبایل", "همراه", "mobile", "cellphone", "msisdn"];
/// Headings of a column of whole names.
const NAME: &[&str] = &[
    "نامونامخانوادگی",
    "نامونامخانوادگیمشتری",
    "نامکامل",
    "ناممخاطب",
    "ناممشتری",
    "نامونشان",
    "name",
    "fullname",
    "contactname",
    "customername",
];
/// Headings of a column of first names, which may stand for whole ones.
const GIVEN: &[&str] = &["نام", "نامکوچک", "اسم", "firstname", "givenname"];
/// Headings of a column of family names.
const FAMILY: &[&str] = &[
    "نامخانوادگی",
    "نامفامیل",
    "فامیل",
    "فامیلی",
    "lastname",
    "familyname",
    "surname",
];
/// A cell with as many digits is data and no heading, though it is no mobile number.
const DATA_DIGITS: usize = 5;

/// The columns of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    number: usize,
    /// Joined by a blank.
    names: Vec<usize>,
    fields: Vec<(usize, String)>,
    headings: Vec<String>,
}

impl Columns {
    /// Finds the columns in the first rows of a file; also says at which of them the data begins.
    pub(super) fn find(
        sample: &[&[String]],
        options: &ReadOptions,
    ) -> Result<(Self, usize), SheetError> {
        if let Some(choice) = &options.columns {
            return Self::chosen(sample, choice);
        }
        let (number, heading) = match &options.number_column {
            Some(wanted) => named(sample, wanted)?,
            None => by_heading(sample)
                .or_else(|| by_content(sample))
                .ok_or(SheetError::NoNumbers)?,
        };
        let headings: Vec<String> = match heading {
            Some(row) => sample[row].to_vec(),
            None => Vec::new(),
        };
        let first = heading.map_or(0, |row| row + 1);
        let names = match (&options.name_column, heading) {
            (Some(wanted), _) => vec![named(sample, wanted)?.0],
            (None, Some(_)) => names_by_heading(&headings, number),
            (None, None) => name_by_content(sample, number),
        };
        let mut columns = Self {
            number,
            names,
            fields: Vec::new(),
            headings,
        };
        if !options.without_fields {
            columns.find_fields(sample)?;
        }
        Ok((columns, first))
    }

    /// The columns as somebody chose them.
    fn chosen(sample: &[&[String]], choice: &ColumnChoice) -> Result<(Self, usize), SheetError> {
        let width = sample.iter().map(|row| row.len()).max().unwrap_or(0);
        let chosen = || choice.names.iter().chain(&choice.fields);
        if let Some(beyond) = std::iter::once(&choice.number)
            .chain(chosen())
            .find(|column| **column >= width)
        {
            return Err(SheetError::NoSuchColumn((beyond + 1).to_string()));
        }
        let heading = heading_above(sample, choice.number);
        let mut columns = Self {
            number: choice.number,
            names: choice.names.clone(),
            fields: Vec::new(),
            headings: heading.map_or_else(Vec::new, |row| sample[row].to_vec()),
        };
        for &column in &choice.fields {
            let heading = columns.headings.get(column).map(|text| clean(text));
            let name = heading.filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| format!("column {}", column + 1));
            let name = columns.different(name.chars().take(FIELD_NAME_CHARS_MAX).collect());
            columns.fields.push((column, name));
        }
        if columns.fields.len() > FIELDS_MAX {
            return Err(SheetError::TooManyFields(columns.fields.len()));
        }
        Ok((columns, heading.map_or(0, |row| row + 1)))
    }

    /// What each column is taken for.
    pub(super) fn choice(&self) -> ColumnChoice {
        ColumnChoice {
            number: self.number,
            names: self.names.clone(),
            fields: self.fields.iter().map(|(column, _)| *column).collect(),
        }
    }

    /// Columns beside number and name become fields; without a heading only where no column has
    /// one.
    fn find_fields(&mut self, sample: &[&[String]]) -> Result<(), SheetError> {
        let width = sample.iter().map(|row| row.len()).max().unwrap_or(0);
        for column in 0..width {
            if column == self.number || self.names.contains(&column) {
                continue;
            }
            let name = match self.headings.get(column) {
                Some(heading) => clean(heading),
                None if self.headings.is_empty() => format!("column {}", column + 1),
                None => continue,
            };
            if name.is_empty() {
                continue;
            }
            let name = self.different(name.chars().take(FIELD_NAME_CHARS_MAX).collect());
            self.fields.push((column, name));
        }
        if self.fields.len() > FIELDS_MAX {
            return Err(SheetError::TooManyFields(self.fields.len()));
        }
        Ok(())
    }

    /// The name, or `name (2)` where a column before has it.
    fn different(&self, name: String) -> String {
        let taken = |name: &str| self.fields.iter().any(|(_, known)| known == name);
        if !taken(&name) {
            return name;
        }
        (2..)
            .map(|n| format!("{name} ({n})"))
            .find(|name| !taken(name))
            .unwrap_or(name)
    }

    /// What people are told of the columns.
    pub(super) fn head(&self) -> Head {
        let heading = |column: usize| match self.headings.get(column).map(|text| clean(text)) {
            Some(heading) if !heading.is_empty() => heading,
            _ => (column + 1).to_string(),
        };
        Head {
            fields: self.fields.iter().map(|(_, name)| name.clone()).collect(),
            number_column: heading(self.number),
            name_columns: self.names.iter().map(|column| heading(*column)).collect(),
            other_sheets: Vec::new(),
        }
    }

    /// What a row gives as the number.
    pub(super) fn given<'a>(&self, cells: &'a [String]) -> &'a str {
        cells.get(self.number).map_or("", |cell| cell.trim())
    }

    /// The contact of a row; `None` for a blank one.
    pub(super) fn contact(&self, cells: &[String]) -> Option<Result<Contact, RefusedReason>> {
        if cells.iter().all(|cell| is_blank(cell)) {
            return None;
        }
        Some(self.read(cells))
    }

    fn read(&self, cells: &[String]) -> Result<Contact, RefusedReason> {
        let given = self.given(cells);
        if is_blank(given) {
            return Err(RefusedReason::NoNumber);
        }
        let number = Msisdn::parse(given).ok_or(RefusedReason::NotMobile)?;
        let name = clean_within(&self.name(cells), NAME_CHARS_MAX);
        let mut contact = Contact {
            number,
            name: name.ok_or(RefusedReason::NameTooLong)?,
            fields: Vec::with_capacity(self.fields.len()),
        };
        for (column, _) in &self.fields {
            let value = cells.get(*column).map_or("", String::as_str);
            let value = clean_within(value, FIELD_CHARS_MAX);
            contact
                .fields
                .push(value.ok_or(RefusedReason::FieldTooLong)?);
        }
        contact.trim_fields();
        Ok(contact)
    }

    fn name(&self, cells: &[String]) -> String {
        let mut name = String::new();
        for column in &self.names {
            let part = cells.get(*column).map_or("", |cell| cell.trim());
            if !name.is_empty() && !part.is_empty() {
                name.push(' ');
            }
            name.push_str(part);
        }
        name
    }
}

fn is_blank(text: &str) -> bool {
    crate::draft::is_blank(text)
}

fn is_mobile(text: &str) -> bool {
    Msisdn::parse(text).is_some()
}

/// A heading as it is compared: without letter case, blanks, punctuation and different letters
/// for the same sound.
fn key(heading: &str) -> String {
    let normal = normalise_for_matching(heading);
    let letters = normal.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

fn is_one_of(words: &[&str], heading: &str) -> bool {
    words.contains(&key(heading).as_str())
}

/// How sure a heading is that mobile numbers stand under it; less is surer.
fn rank(heading: &str) -> Option<u8> {
    let key = key(heading);
    if MOBILE.contains(&key.as_str()) {
        Some(0)
    } else if MOBILE_WORDS.iter().any(|word| key.contains(word)) {
        Some(1)
    } else if PHONE.contains(&key.as_str()) {
        Some(2)
    } else {
        None
    }
}

/// The column that was asked for, and the row of its heading.
fn named(sample: &[&[String]], wanted: &str) -> Result<(usize, Option<usize>), SheetError> {
    let wanted_key = key(wanted);
    for (row, cells) in sample.iter().enumerate() {
        let column = cells
            .iter()
            .position(|cell| !wanted_key.is_empty() && key(cell) == wanted_key && !is_mobile(cell));
        if let Some(column) = column {
            return Ok((column, Some(row)));
        }
    }
    let position = wanted.trim().parse::<usize>().ok();
    let width = sample.iter().map(|row| row.len()).max().unwrap_or(0);
    match position.and_then(|position| position.checked_sub(1)) {
        Some(column) if column < width => Ok((column, heading_above(sample, column))),
        _ => Err(SheetError::NoSuchColumn(wanted.to_owned())),
    }
}

/// The first row with a heading of numbers, before any row with a number. A heading is believed
/// only while no other column holds the numbers: «شماره» also stands over the numbers of the rows.
fn by_heading(sample: &[&[String]]) -> Option<(usize, Option<usize>)> {
    for (row, cells) in sample.iter().enumerate() {
        if cells.iter().any(|cell| is_mobile(cell)) {
            return None;
        }
        let below = &sample[row + 1..];
        let ranked = cells.iter().enumerate();
        let best = ranked
            .filter_map(|(column, cell)| Some((mobiles(below, column) == 0, rank(cell)?, column)))
            .min();
        if let Some((is_empty, _, column)) = best {
            let other = by_content(below).filter(|_| is_empty);
            let column = other.map_or(column, |(other, _)| other);
            return Some((column, Some(row)));
        }
    }
    None
}

/// How many mobile numbers stand in a column.
fn mobiles(sample: &[&[String]], column: usize) -> usize {
    let cells = sample.iter().filter_map(|row| row.get(column));
    cells.filter(|cell| is_mobile(cell)).count()
}

/// The column that most mobile numbers stand in.
fn by_content(sample: &[&[String]]) -> Option<(usize, Option<usize>)> {
    let width = sample.iter().map(|row| row.len()).max().unwrap_or(0);
    let counted = (0..width).map(|column| (mobiles(sample, column), width - column));
    // Of columns with as many the leftmost.
    let (_, from_right) = counted.max().filter(|(most, _)| *most > 0)?;
    let column = width - from_right;
    Some((column, heading_above(sample, column)))
}

/// The first row, where it is the heading of this column and no data.
fn heading_above(sample: &[&[String]], column: usize) -> Option<usize> {
    let first = sample.first()?;
    let cell = first.get(column).map_or("", String::as_str);
    let digits = cell.chars().filter_map(ascii_digit).count();
    let is_heading = digits < DATA_DIGITS && first.iter().any(|cell| !is_blank(cell));
    is_heading.then_some(0)
}

/// The column of names; where first and family name have columns of their own, both.
fn names_by_heading(headings: &[String], number: usize) -> Vec<usize> {
    let find = |words: &[&str]| {
        let mut columns = headings.iter().enumerate();
        columns
            .find(|(column, heading)| *column != number && is_one_of(words, heading))
            .map(|(column, _)| column)
    };
    if let Some(whole) = find(NAME) {
        return vec![whole];
    }
    find(GIVEN).into_iter().chain(find(FAMILY)).collect()
}

/// Without headings the name is the first other column with letters in it.
fn name_by_content(sample: &[&[String]], number: usize) -> Vec<usize> {
    let has_letters = |column: usize| {
        let mut cells = sample.iter().filter_map(|row| row.get(column));
        cells.any(|cell| cell.chars().any(char::is_alphabetic))
    };
    let width = sample.iter().map(|row| row.len()).max().unwrap_or(0);
    (0..width)
        .find(|column| *column != number && has_letters(*column))
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(rows: &[&[&str]], options: &ReadOptions) -> Result<(Columns, usize), SheetError> {
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect();
        let sample: Vec<&[String]> = rows.iter().map(Vec::as_slice).collect();
        Columns::find(&sample, options)
    }

    /// Number, names, fields, first row of data.
    fn shown(rows: &[&[&str]]) -> (usize, Vec<usize>, Vec<String>, usize) {
        let (columns, first) = find(rows, &ReadOptions::default()).unwrap();
        let fields = columns.head().fields;
        (columns.number, columns.names, fields, first)
    }

    #[test]
    fn headings_are_known_in_persian_and_english() {
        for (headings, number, names) in [
            (&["نام", "موبایل"][..], 1, &[0][..]),
            (&["شماره‌ي موبايل", "نام و نام خانوادگي"], 0, &[1]),
            (&["نام", "نام خانوادگی", "تلفن همراه"], 2, &[0, 1]),
            (&["نام خانوادگی", "همراه"], 1, &[0]),
            (&["تلفن", "موبایل", "نام"], 1, &[2]),
            (&["Full Name", "Mobile_Number"], 1, &[0]),
            (&["PHONE", "Last name", "First name"], 0, &[2, 1]),
            (&["number", "name"], 0, &[1]),
            (&["ردیف", "شماره موبایل مشتری:"], 1, &[]),
            (&["شماره", "شماره همراه"], 1, &[]),
        ] {
            let found = shown(&[headings, &["x", "y", "z"]]);
            assert_eq!(
                (found.0, &found.1[..], found.3),
                (number, names, 1),
                "{headings:?}"
            );
        }
    }

    #[test]
    fn other_columns_are_fields_under_their_headings() {
        let rows: &[&[&str]] = &[
            &["کد", "موبایل", "", "شهر", "شهر", " تولد "],
            &["1", "09121111111", "x", "تهران", "قم", "1370"],
        ];
        let fields = ["کد", "شهر", "شهر (2)", "تولد"].map(str::to_owned).to_vec();
        assert_eq!(shown(rows), (1, vec![], fields, 1));
        let none = ReadOptions {
            without_fields: true,
            ..ReadOptions::default()
        };
        assert_eq!(find(rows, &none).unwrap().0.head().fields, [""; 0]);
    }

    #[test]
    fn without_headings_the_columns_tell_what_they_are() {
        let rows: &[&[&str]] = &[
            &["1", "علی", "09121111111", "تهران"],
            &["2", "رضا", "9122222222", ""],
        ];
        let fields = ["column 1", "column 4"].map(str::to_owned).to_vec();
        assert_eq!(shown(rows), (2, vec![1], fields, 0));
        // A heading that nobody knows is one all the same.
        assert_eq!(
            shown(&[&["Kunde"], &["09121111111"]]),
            (0, vec![], vec![], 1)
        );
        // A wrong number is data.
        assert_eq!(
            shown(&[&["0912111111"], &["09121111111"]]),
            (0, vec![], vec![], 0)
        );
    }

    #[test]
    fn a_heading_without_numbers_below_gives_way_to_the_column_that_has_them() {
        let rows: &[&[&str]] = &[
            &["شماره", "نام", "تماس"],
            &["1", "علی", "09121111111"],
            &["2", "رضا", "09122222222"],
        ];
        let fields = vec!["شماره".to_owned()];
        assert_eq!(shown(rows), (2, vec![1], fields, 1));
        // Of two columns with numbers the heading decides.
        let rows: &[&[&str]] = &[&["تلفن", "همراه"], &["09121111111", "09122222222"]];
        assert_eq!(shown(rows).0, 1);
    }

    #[test]
    fn a_title_above_the_headings_is_passed_over() {
        let rows: &[&[&str]] = &[
            &["فهرست مشتریان"],
            &[],
            &["نام", "موبایل"],
            &["علی", "09121111111"],
        ];
        assert_eq!(shown(rows), (1, vec![0], vec![], 3));
    }

    #[test]
    fn a_column_can_be_named_by_heading_or_position() {
        let rows: &[&[&str]] = &[
            &["A", "Mobile", "Work phone"],
            &["x", "09121111111", "09122222222"],
        ];
        let by = |number: &str, name: &str| {
            let options = ReadOptions {
                number_column: Some(number.into()),
                name_column: Some(name.into()),
                ..ReadOptions::default()
            };
            find(rows, &options).map(|(columns, first)| (columns.number, columns.names, first))
        };
        assert_eq!(by("work PHONE", "a").unwrap(), (2, vec![0], 1));
        assert_eq!(by("3", "1").unwrap(), (2, vec![0], 1));
        for wrong in ["4", "0", "Fax", ""] {
            let error = by(wrong, "a").unwrap_err();
            assert!(matches!(error, SheetError::NoSuchColumn(_)), "{wrong}");
        }
    }

    #[test]
    fn a_file_without_numbers_is_refused() {
        for rows in [&[][..], &[&["a", "b"][..], &["1", "2"]]] {
            let found = find(rows, &ReadOptions::default());
            assert!(matches!(found, Err(SheetError::NoNumbers)));
        }
    }

    #[test]
    fn more_columns_than_a_book_keeps_are_refused() {
        let mut headings = vec!["mobile".to_owned()];
        headings.extend((0..=FIELDS_MAX).map(|n| format!("f{n}")));
        let row: Vec<&str> = headings.iter().map(String::as_str).collect();
        let found = find(&[&row], &ReadOptions::default());
        assert!(found.is_err_and(|error| error.to_string().contains("31 columns")));
    }

    #[test]
    fn each_row_is_a_contact_or_has_its_reason() {
        let (columns, _) = find(
            &[&["نام", "نام خانوادگی", "موبایل", "شهر"]],
            &ReadOptions::default(),
        )
        .unwrap();
        let read = |cells: &[&str]| {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            columns.contact(&cells)
        };
        let contact = read(&[" علی", "رضایی ", "۰۹۱۲۱۱۱۱۱۱۱", "تهران\n"])
            .unwrap()
            .unwrap();
        assert_eq!(contact.number.national(), 9_121_111_111);
        assert_eq!(
            (contact.name.as_str(), &contact.fields[..]),
            ("علی رضایی", &["تهران".to_owned()][..])
        );
        let alone = read(&["", "رضایی", "٠٩١٢١١١١١١١"]).unwrap().unwrap();
        assert_eq!((alone.name.as_str(), alone.fields.len()), ("رضایی", 0));
        assert_eq!(read(&["", " ", "\u{200c}"]), None);
        let long = "x".repeat(501);
        for (cells, reason) in [
            (&["a", "", " ", ""][..], RefusedReason::NoNumber),
            (&["a"], RefusedReason::NoNumber),
            (&["a", "", "02188776655"], RefusedReason::NotMobile),
            (&["a", "", "9.12E+09"], RefusedReason::NotMobile),
            (&[&long, "", "09121111111"], RefusedReason::NameTooLong),
            (
                &["a", "", "09121111111", &long],
                RefusedReason::FieldTooLong,
            ),
        ] {
            assert_eq!(read(cells), Some(Err(reason)), "{reason:?}");
        }
    }
}
