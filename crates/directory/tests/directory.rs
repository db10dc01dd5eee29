//! The directory against a model as simple as can be: lists of people, counted one by one. And
//! what becomes of files that are damaged, replaced or none.

use directory::build::{BuildError, Built, Input, Plan, build};
use directory::{
    Audience, Directory, DirectoryError, Gender, Generations, Jobs, PostalPrefix, Selection, Who,
};
use domain::operator::Operators;
use domain::time::UnixMillis;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

const JOBS: &str = "1\tx\n1\t11\ta\n1\t12\tb\n2\ty\n2\t21\tc\n2\t22\td\n2\t23\te\n";
const HEADER: &str = "number,operator,gender,birth_year,postal_code,job,trends\n";
const KEYS: [&str; 5] = ["", "tci", "mtn", "rightel", "other"];

/// A row as a table of people has it; 0 and nothing for unknown.
#[derive(Clone, Debug, Default, PartialEq)]
struct Row {
    number: u64,
    operator: usize,
    gender: u8,
    birth: u16,
    postal: u64,
    job: u32,
    trends: Vec<u32>,
}

impl Row {
    fn csv(&self) -> String {
        let some = |value: u64| {
            if value == 0 {
                String::new()
            } else {
                value.to_string()
            }
        };
        let trends: Vec<String> = self.trends.iter().map(u32::to_string).collect();
        format!(
            "0{},{},{},{},{},{},{}\n",
            self.number,
            KEYS[self.operator],
            self.gender,
            some(self.birth.into()),
            some(self.postal),
            some(self.job.into()),
            trends.join(";")
        )
    }
}

/// What is known of one person.
#[derive(Clone, Debug, Default)]
struct Known {
    operator: String,
    gender: u8,
    birth: u16,
    postal: u64,
    jobs: BTreeSet<u32>,
    trends: BTreeSet<u32>,
}

fn model(rows: &[Row]) -> BTreeMap<u64, Known> {
    let operators = Operators::embedded();
    let mut people: BTreeMap<u64, Known> = BTreeMap::new();
    for row in rows {
        let person = people.entry(row.number).or_default();
        // Of two known values the larger; operators by their keys.
        person.operator = person.operator.clone().max(KEYS[row.operator].to_owned());
        person.gender = person.gender.max(row.gender);
        person.birth = person.birth.max(row.birth);
        person.postal = person.postal.max(row.postal);
        person.jobs.extend((row.job != 0).then_some(row.job));
        person.trends.extend(&row.trends);
    }
    for (number, person) in &mut people {
        if person.operator.is_empty() {
            let number = domain::msisdn::Msisdn::from_national(*number).unwrap();
            let id = operators.resolve(number);
            person.operator = operators.by_id(id).unwrap().key.clone();
        }
    }
    people
}

fn is_meant(person: &Known, selection: &Selection) -> bool {
    let who = &selection.who;
    let there = match &selection.audience {
        Audience::Postal(prefix) => {
            person.postal != 0 && person.postal.to_string().starts_with(&prefix.to_string())
        }
        Audience::Trends(trends) => trends.iter().any(|trend| person.trends.contains(trend)),
        Audience::Job(job) => person.jobs.contains(job),
    };
    there
        && who
            .operator
            .as_ref()
            .is_none_or(|key| *key == person.operator)
        && who
            .gender
            .is_none_or(|gender| gender as u8 == person.gender)
        && who
            .born
            .as_ref()
            .is_none_or(|born| person.birth != 0 && born.contains(&person.birth))
}

fn built(path: &Path, texts: Vec<String>) -> Result<Built, BuildError> {
    let operators = Operators::embedded();
    let jobs = Jobs::parse(JOBS).unwrap();
    let plan = Plan {
        operators: &operators,
        jobs: &jobs,
        out: path,
        temporary: None,
        strict: true,
    };
    let input = |text: String| Input {
        name: "people.csv".into(),
        from: Box::new(Cursor::new(text.into_bytes())),
    };
    build(plan, texts.into_iter().map(input).collect(), &mut |_| {})
}

fn text(rows: &[Row]) -> String {
    HEADER.to_owned() + &rows.iter().map(Row::csv).collect::<String>()
}

fn numbers(directory: &Arc<Directory>, selection: &Selection) -> Result<Vec<u64>, DirectoryError> {
    let mut source = directory.numbers(selection)?;
    let mut all = Vec::new();
    loop {
        let slice = source.next_slice()?;
        if slice.is_empty() {
            return Ok(all);
        }
        all.extend(slice.into_iter().map(|number| number.national()));
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    // Few numbers, codes and years, so that rows meet; the ends of every range among them.
    let number = prop_oneof![
        Just(9_000_000_000u64),
        Just(9_999_999_999),
        9_121_111_100u64..9_121_111_160,
        9_351_111_100u64..9_351_111_120
    ];
    let postal = prop_oneof![
        Just(0u64),
        Just(1_000_000_000),
        Just(9_999_999_999),
        1_113_300_000u64..1_113_300_030,
        1_100_000_000u64..1_199_999_999
    ];
    let birth = prop_oneof![Just(0u16), Just(1_300), Just(1_410), 1_360u16..1_370];
    let trends = prop::collection::vec(prop::sample::select(vec![11u32, 12, 21, 22, 23]), 0..4);
    let row = (number, 0usize..5, 0u8..3, birth, postal, 0u32..3, trends);
    let row = row.prop_map(
        |(number, operator, gender, birth, postal, job, trends)| Row {
            number,
            operator,
            gender,
            birth,
            postal,
            job,
            trends,
        },
    );
    prop::collection::vec(row, 0..120)
}

fn selections() -> impl Strategy<Value = Selection> {
    let prefix = prop_oneof![
        Just("11".to_owned()),
        Just("99".to_owned()),
        Just("1113".to_owned()),
        Just("11133".to_owned()),
        Just("1113300".to_owned()),
        Just("111330001".to_owned()),
        Just("1000000000".to_owned()),
        Just("9999999999".to_owned()),
        "1[0-3][0-9]{0,4}",
        "11133000[0-2][0-9]"
    ];
    let audience = prop_oneof![
        prefix.prop_map(|text| Audience::Postal(PostalPrefix::parse(&text).unwrap())),
        prop::collection::vec(prop::sample::select(vec![11u32, 12, 21, 22, 23, 99]), 0..5)
            .prop_map(Audience::Trends),
        (1u32..4).prop_map(Audience::Job),
    ];
    let operator = prop::option::of(prop::sample::select(vec!["tci", "mtn", "nobody"]));
    let gender = prop::option::of(prop::sample::select(vec![Gender::Man, Gender::Woman]));
    let born = prop::option::of((1_290u16..1_420, 1_290u16..1_420));
    (audience, operator, gender, born).prop_map(|(audience, operator, gender, born)| Selection {
        audience,
        who: Who {
            operator: operator.map(str::to_owned),
            gender,
            born: born.map(|(first, last)| first..=last),
        },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn counts_and_numbers_are_those_of_a_naive_model(
        rows in rows(),
        selections in prop::collection::vec(selections(), 1..12),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.directory");
        let report = built(&path, vec![text(&rows)]).unwrap();
        let people = model(&rows);
        prop_assert_eq!(report.people, people.len() as u64);
        prop_assert_eq!(report.doubled, (rows.len() - people.len()) as u64);
        let directory = Arc::new(Directory::open(&path).unwrap());
        prop_assert_eq!(directory.bytes(), std::fs::metadata(&path).unwrap().len());
        for selection in selections {
            let meant = people.iter().filter(|(_, person)| is_meant(person, &selection));
            let expected: Vec<u64> = meant.map(|(number, _)| *number).collect();
            let count = directory.count(&selection).unwrap();
            prop_assert_eq!(count, expected.len() as u64, "{:?}", &selection);
            let mut found = numbers(&directory, &selection).unwrap();
            found.sort_unstable();
            prop_assert_eq!(found, expected, "{:?}", &selection);
        }
    }

    #[test]
    fn the_same_people_make_the_same_file_whatever_the_order_of_rows_and_files(
        (rows, shuffled) in rows().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        built(&one, vec![text(&rows)]).unwrap();
        let (first, second) = shuffled.split_at(cut.index(shuffled.len() + 1));
        built(&other, vec![text(first), text(second)]).unwrap();
        prop_assert!(std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap());
    }

    #[test]
    fn damage_is_an_error_and_never_a_wrong_count(
        seed in any::<u64>(),
        place in any::<prop::sample::Index>(),
        flipped in 1u8..=255,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("people.directory");
        let rows = sample(seed, 300);
        built(&path, vec![text(&rows)]).unwrap();
        let whole = Arc::new(Directory::open(&path).unwrap());
        let mut bytes = std::fs::read(&path).unwrap();
        let place = place.index(bytes.len());
        bytes[place] ^= flipped;
        let damaged = folder.path().join("damaged");
        std::fs::write(&damaged, bytes).unwrap();
        let Ok(directory) = Directory::open(&damaged).map(Arc::new) else {
            return Ok(());
        };
        let checked = directory.check(&mut |_| ());
        prop_assert!(checked.is_err());
        for selection in some_selections() {
            if let Ok(count) = directory.count(&selection) {
                prop_assert_eq!(count, whole.count(&selection).unwrap());
            }
            if let Ok(found) = numbers(&directory, &selection) {
                prop_assert_eq!(found, numbers(&whole, &selection).unwrap());
            }
        }
    }

    #[test]
    fn garbage_is_refused_without_a_crash(bytes in prop::collection::vec(any::<u8>(), 0..9_000)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("garbage");
        std::fs::write(&path, &bytes).unwrap();
        prop_assert!(Directory::open(&path).is_err());
        let mut marked = b"PEYKDIR\n\x01\0\0\0".to_vec();
        marked.extend(bytes);
        std::fs::write(&path, &marked).unwrap();
        prop_assert!(Directory::open(&path).is_err());
    }
}

fn sample(seed: u64, count: u64) -> Vec<Row> {
    let mix = |place: u64| (seed ^ place).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let row = |place: u64| Row {
        number: 9_120_000_000 + mix(place) % 10_000,
        operator: (mix(place + 1_000) % 5) as usize,
        gender: (mix(place + 2_000) % 3) as u8,
        birth: 1_350 + (mix(place + 3_000) % 50) as u16,
        postal: 1_100_000_000 + mix(place + 4_000) % 1_000_000_000,
        job: 1 + (mix(place + 5_000) % 2) as u32,
        trends: vec![
            11 + (mix(place + 6_000) % 2) as u32,
            21 + (mix(place + 7_000) % 3) as u32,
        ],
    };
    (0..count).map(row).collect()
}

fn some_selections() -> Vec<Selection> {
    let everybody = Who::default();
    let men = Who {
        gender: Some(Gender::Man),
        born: Some(1_360..=1_380),
        operator: Some("mtn".into()),
    };
    let audiences = ["11", "15", "113", "11335", "1234567", "1999999999"]
        .map(|text| Audience::Postal(PostalPrefix::parse(text).unwrap()))
        .into_iter()
        .chain([
            Audience::Trends(vec![11, 12, 21]),
            Audience::Trends(vec![]),
            Audience::Job(2),
        ]);
    let both = |audience: Audience| {
        [&everybody, &men].map(|who| Selection {
            audience: audience.clone(),
            who: who.clone(),
        })
    };
    audiences.flat_map(both).collect()
}

fn trends(ids: &[u32]) -> Selection {
    Selection {
        audience: Audience::Trends(ids.to_vec()),
        who: Who::default(),
    }
}

#[test]
fn a_file_cut_short_at_any_block_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    built(&path, vec![text(&sample(1, 50))]).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let cut = folder.path().join("cut");
    for length in (0..bytes.len()).step_by(2_048).chain([bytes.len() - 1]) {
        std::fs::write(&cut, &bytes[..length]).unwrap();
        assert!(Directory::open(&cut).is_err(), "{length} bytes");
    }
    let longer = [bytes.as_slice(), &[0; 4_096]].concat();
    std::fs::write(&cut, longer).unwrap();
    assert!(Directory::open(&cut).is_err());
}

#[test]
fn a_file_cut_short_while_it_is_read_fails_the_read_and_not_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    built(&path, vec![text(&sample(1, 5_000))]).unwrap();
    let directory = Arc::new(Directory::open(&path).unwrap());
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(8_192).unwrap();
    assert!(directory.count(&trends(&[11])).is_err());
    assert!(numbers(&directory, &trends(&[11])).is_err());
}

#[test]
fn a_number_that_stands_twice_is_one_person_with_everything_that_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    let first = "number,operator,gender,postal_code,trends\n09121111111,,1,1113344556,11\n";
    let second = "number,operator,gender,birth_year,job,trends\n+989121111111,mtn,2,1370,2,21\n09121111111,,,,,11\n";
    let report = built(&path, vec![first.into(), second.into()]).unwrap();
    assert_eq!((report.rows, report.people, report.doubled), (3, 1, 2));
    let directory = Directory::open(&path).unwrap();
    assert_eq!(directory.classes().collect::<Vec<_>>(), [("mtn", 2, 1)]);
    assert_eq!(directory.count(&trends(&[11, 21])).unwrap(), 1);
    let tags: Vec<_> = directory
        .tags()
        .map(|tag| (tag.id, tag.is_job, tag.people))
        .collect();
    assert_eq!(tags, [(11, false, 1), (21, false, 1), (2, true, 1)]);
}

#[test]
fn an_empty_directory_counts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    built(&path, vec![HEADER.into()]).unwrap();
    let directory = Arc::new(Directory::open(&path).unwrap());
    for selection in some_selections() {
        assert_eq!(directory.count(&selection).unwrap(), 0);
        assert_eq!(numbers(&directory, &selection).unwrap(), []);
    }
}

#[test]
fn a_strict_build_refuses_what_it_cannot_use_and_leaves_the_older_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    built(&path, vec![text(&sample(1, 5))]).unwrap();
    let before = std::fs::read(&path).unwrap();
    let failed = built(&path, vec!["number,gender\n02188,9\n".into()])
        .unwrap_err()
        .to_string();
    assert!(failed.contains("the first at people.csv:2"), "{failed}");
    assert!(std::fs::read(&path).unwrap() == before);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "temporary files are left: {left:?}");
}

#[test]
fn a_newer_file_is_taken_up_and_whoever_reads_the_older_one_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.directory");
    let generations = Generations::at(&path);
    let at = |seconds: i64| generations.newest(UnixMillis(seconds * 1_000));
    assert!(at(0).unwrap().is_none());
    built(&path, vec![text(&sample(1, 6_000))]).unwrap();
    let older = at(1).unwrap().unwrap();
    let mut under_way = older.numbers(&trends(&[11, 12])).unwrap();
    let mut read = under_way.next_slice().unwrap().len() as u64;
    built(&path, vec![text(&sample(2, 10))]).unwrap();
    let newer = at(2).unwrap().unwrap();
    assert_ne!(newer.people(), older.people());
    loop {
        let slice = under_way.next_slice().unwrap();
        if slice.is_empty() {
            break;
        }
        read += slice.len() as u64;
    }
    assert_eq!(read, older.people());
    // One that cannot be used does not take its place; without any there is none.
    std::fs::write(&path, b"garbage").unwrap();
    assert_eq!(at(3).unwrap().unwrap().people(), newer.people());
    std::fs::remove_file(&path).unwrap();
    assert!(at(4).unwrap().is_none());
    std::fs::write(&path, b"garbage").unwrap();
    assert!(at(5).is_err());
}
