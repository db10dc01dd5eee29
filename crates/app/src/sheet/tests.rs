use super::*;
use domain::msisdn::Msisdn;
use proptest::prelude::*;
use tempfile::TempDir;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> std::path::PathBuf {
        let path = self.0.path().join("file");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// Everything that a file gives: head, and for each row its number and what became of it.
async fn read(bytes: &[u8], options: ReadOptions) -> Result<(Head, Vec<Entry>), SheetError> {
    let folder = Folder::new();
    let mut sheet = Sheet::open(&folder.file(bytes), options).await?;
    let mut entries = Vec::new();
    while let Some(batch) = sheet.next().await? {
        entries.extend(batch);
    }
    Ok((sheet.head().clone(), entries))
}

async fn fails(bytes: &[u8]) -> String {
    match read(bytes, ReadOptions::default()).await {
        Ok(read) => panic!("{read:?}"),
        Err(error) => error.to_string(),
    }
}

fn contact(national: u64, name: &str, fields: &[&str]) -> Contact {
    Contact {
        fields: fields.iter().map(|value| (*value).to_owned()).collect(),
        ..Contact::new(Msisdn::from_national(national).unwrap(), name)
    }
}

fn refused(row: u64, given: &str, reason: RefusedReason) -> Entry {
    let given = given.to_owned();
    Entry::Refused(RefusedRow { row, given, reason })
}

const LIST: &str = "نام;موبایل;شهر\nعلی;۰۹۱۲۱۱۱۱۱۱۱;تهران\n\nرضا;02188;\n;٠٩٣٥٢٢٢٢٢٢٢;\n";

fn expected() -> (Head, Vec<Entry>) {
    let head = Head {
        fields: vec!["شهر".into()],
        number_column: "موبایل".into(),
        name_columns: vec!["نام".into()],
        other_sheets: vec![],
    };
    let entries = vec![
        Entry::Contact(2, contact(9_121_111_111, "علی", &["تهران"])),
        refused(4, "02188", RefusedReason::NotMobile),
        Entry::Contact(5, contact(9_352_222_222, "", &[])),
    ];
    (head, entries)
}

#[tokio::test]
async fn a_list_is_the_same_in_every_encoding() {
    let marked = format!("\u{feff}{LIST}");
    for bytes in [LIST.as_bytes(), marked.as_bytes()] {
        assert_eq!(
            read(bytes, ReadOptions::default()).await.unwrap(),
            expected()
        );
    }
    for text in [LIST, &marked] {
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        assert_eq!(
            read(&little, ReadOptions::default()).await.unwrap(),
            expected()
        );
        assert_eq!(
            read(&big, ReadOptions::default()).await.unwrap(),
            expected()
        );
    }
}

#[tokio::test]
async fn windows_1256_is_read_as_old_programs_wrote_it() {
    let text = "نام,موبايل\nعلي,09121111111\n";
    let (bytes, _, lost) = encoding_rs::WINDOWS_1256.encode(text);
    // The letter ی has no place in that code page, and nobody's file has it.
    assert!(!lost);
    let (head, entries) = read(&bytes, ReadOptions::default()).await.unwrap();
    assert_eq!(
        (head.number_column.as_str(), &head.name_columns[..]),
        ("موبايل", &["نام".to_owned()][..])
    );
    assert_eq!(
        entries,
        [Entry::Contact(2, contact(9_121_111_111, "علي", &[]))]
    );
    let forced = ReadOptions {
        encoding: Some(Encoding::Windows1256),
        separator: Some(b','),
        ..ReadOptions::default()
    };
    assert_eq!(read(&bytes, forced).await.unwrap().1, entries);
}

#[tokio::test]
async fn cells_with_line_ends_and_quotation_marks_are_whole() {
    let text = "mobile,name\n09121111111,\"Ali \"\"the\nsecond\"\"\"\n09352222222,x\"y\n";
    let (_, entries) = read(text.as_bytes(), ReadOptions::default()).await.unwrap();
    let rows = [
        Entry::Contact(2, contact(9_121_111_111, "Ali \"the second\"", &[])),
        Entry::Contact(4, contact(9_352_222_222, "x\"y", &[])),
    ];
    assert_eq!(entries, rows);
}

#[tokio::test]
async fn rows_are_known_by_their_lines_whatever_these_end_with() {
    let text = "mobile,name\n\n\n1,\"a\nb\"\n2,\n\n3,\"c\nd\"";
    for text in [
        text.to_owned(),
        text.replace('\n', "\r\n"),
        format!("{text}\n"),
    ] {
        let (_, entries) = read(text.as_bytes(), ReadOptions::default()).await.unwrap();
        let lines = entries.iter().map(|entry| match entry {
            Entry::Refused(row) => (row.row, row.given.as_str()),
            Entry::Contact(..) => panic!("{entry:?}"),
        });
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines, [(4, "1"), (6, "2"), (8, "3")], "{text:?}");
    }
}

#[tokio::test]
async fn hostile_cells_become_harmless_texts() {
    let text = "mobile,name,note\n09121111111,\0<script>\u{202e},'=HYPERLINK(1)\n";
    let (_, entries) = read(text.as_bytes(), ReadOptions::default()).await.unwrap();
    let row = Entry::Contact(2, contact(9_121_111_111, "<script>", &["=HYPERLINK(1)"]));
    assert_eq!(entries, [row]);
}

#[tokio::test]
async fn what_cannot_be_a_list_is_refused_in_words() {
    for (bytes, said) in [
        (&b""[..], "no column of mobile numbers"),
        (b"\0\0\0\0", "no column of mobile numbers"),
        (b"a,b\n1,2\n", "no column of mobile numbers"),
        (b"PK\x03\x04 and no zip", "damaged"),
        (&[0xd0, 0xcf, 0x11, 0xe0, 0, 0, 0, 0, 0], "save it as XLSX"),
    ] {
        let error = fails(bytes).await;
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[tokio::test]
async fn a_quotation_mark_that_stays_open_does_not_swallow_the_file() {
    let mut text = "mobile\n09121111111\n\"0935".to_owned();
    text.push_str(&"2222222\n".repeat(1 << 18));
    let error = fails(text.as_bytes()).await;
    assert!(
        error.contains("line 3") && error.contains("quotation mark"),
        "{error}"
    );
}

/// A file that [`SheetWriter`] wrote.
fn written(format: SheetFormat, fields: &[&str], contacts: &[Contact]) -> Vec<u8> {
    let fields: Vec<String> = fields.iter().map(|name| (*name).to_owned()).collect();
    let mut out = io::Cursor::new(Vec::new());
    let mut writer = SheetWriter::begin(&mut out, format, &fields).unwrap();
    for contact in contacts {
        writer.write(contact).unwrap();
    }
    writer.finish().unwrap();
    out.into_inner()
}

#[tokio::test]
async fn worksheets_are_read_with_numbers_dates_and_gaps() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let date = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd");
    sheet.write(0, 1, "لیست").unwrap();
    sheet.write(2, 1, "نام").unwrap();
    sheet.write(2, 2, "شماره موبایل").unwrap();
    sheet.write(2, 4, "تولد").unwrap();
    sheet.write(2, 5, "امتیاز").unwrap();
    sheet.write(3, 1, "علی").unwrap();
    sheet.write(3, 2, 9_121_111_111_u64).unwrap();
    sheet.write_with_format(3, 4, 33_000, &date).unwrap();
    sheet.write(3, 5, 2.5).unwrap();
    sheet.write(6, 2, "+98 (935) 222-2222").unwrap();
    sheet.write(7, 1, "بی‌شماره").unwrap();
    sheet.write(8, 2, 989_121_111_112_u64).unwrap();
    book.add_worksheet().set_name("other").unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let (head, entries) = read(&bytes, ReadOptions::default()).await.unwrap();
    assert_eq!(head.fields, ["تولد", "امتیاز"]);
    assert_eq!(head.other_sheets, ["other"]);
    let rows = [
        Entry::Contact(4, contact(9_121_111_111, "علی", &["1990-05-07", "2.5"])),
        Entry::Contact(7, contact(9_352_222_222, "", &[])),
        refused(8, "", RefusedReason::NoNumber),
        Entry::Contact(9, contact(9_121_111_112, "", &[])),
    ];
    assert_eq!(entries, rows);
    let other = ReadOptions {
        sheet: Some("third".into()),
        ..ReadOptions::default()
    };
    let error = read(&bytes, other).await.unwrap_err().to_string();
    assert!(
        error.contains("`third`") && error.contains("`other`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_formula_is_text_in_a_worksheet_and_guarded_in_csv() {
    let evil = contact(9_121_111_111, "=HYPERLINK(\"http://x\")", &["+1", "@x"]);
    let csv = written(SheetFormat::Csv, &["a", "b"], std::slice::from_ref(&evil));
    let text = "\u{feff}number,name,a,b\n09121111111,\"'=HYPERLINK(\"\"http://x\"\")\",'+1,'@x\n";
    assert_eq!(String::from_utf8(csv).unwrap(), text);
    let xlsx = written(SheetFormat::Xlsx, &["a", "b"], &[evil]);
    let mut zip = zip::ZipArchive::new(io::Cursor::new(xlsx)).unwrap();
    let mut sheet = String::new();
    let mut part = zip.by_name("xl/worksheets/sheet1.xml").unwrap();
    io::Read::read_to_string(&mut part, &mut sheet).unwrap();
    assert!(
        !sheet.contains("<f>") && sheet.contains("=HYPERLINK"),
        "{sheet}"
    );
}

#[tokio::test]
async fn a_long_file_is_read_whole_in_batches() {
    let all: Vec<Contact> = (0..25_000)
        .map(|n| contact(9_120_000_000 + n, &format!("n{n}"), &[]))
        .collect();
    for format in [SheetFormat::Csv, SheetFormat::Xlsx] {
        let bytes = written(format, &[], &all);
        let (_, entries) = read(&bytes, ReadOptions::default()).await.unwrap();
        assert_eq!(entries.len(), all.len());
        let last = Entry::Contact(25_001, all[24_999].clone());
        assert_eq!(entries.last(), Some(&last));
    }
}

#[tokio::test]
async fn whoever_leaves_early_leaves_no_thread_behind() {
    let folder = Folder::new();
    let path = folder.file("09121111111,x\n".repeat(200_000).as_bytes());
    let mut sheet = Sheet::open(&path, ReadOptions::default()).await.unwrap();
    assert!(sheet.next().await.unwrap().is_some());
    // Else the end of the runtime would wait for the reading for ever.
    drop(sheet);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_is_exported_is_imported_as_it_was(
        people in proptest::collection::vec(
            (0_u64..1_000_000_000, "\\PC{0,12}", "['=+@;,\"\t\n -]{0,4}\\PC{0,6}"), 1..8
        )
    ) {
        let contacts: Vec<Contact> = people
            .iter()
            .map(|(n, name, field)| {
                let clean = domain::phonebook::clean;
                let mut contact = contact(9_000_000_000 + n, &clean(name), &[]);
                contact.fields = vec![clean(field)];
                contact.trim_fields();
                contact
            })
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for format in [SheetFormat::Csv, SheetFormat::Xlsx] {
            let bytes = written(format, &["field"], &contacts);
            let read = runtime.block_on(read(&bytes, ReadOptions::default()));
            let (_, entries) = read.unwrap();
            let back: Vec<Contact> = entries
                .into_iter()
                .map(|entry| match entry {
                    Entry::Contact(_, contact) => contact,
                    Entry::Refused(row) => panic!("{row:?}"),
                })
                .collect();
            prop_assert_eq!(&back, &contacts, "{:?}", format);
        }
    }

    #[test]
    fn no_bytes_make_the_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        // Whatever comes of it.
        let _ = runtime.block_on(read(&bytes, ReadOptions::default()));
    }
}
