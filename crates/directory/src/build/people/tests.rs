use super::*;

fn read(text: &str) -> Result<(Vec<Person>, Vec<Problem>), BuildError> {
    let operators = Operators::embedded();
    let order = ["mtn", "other", "rightel", "tci"].map(str::to_owned);
    let jobs = Jobs::parse("1\tx\n1\t11\ta\n1\t12\tb\n").unwrap();
    let mut reader = PeopleReader::new(&operators, &order, &jobs);
    let mut people = Vec::new();
    let from = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
    let mut input = Input {
        name: "people.csv".into(),
        from,
    };
    reader.read(&mut input, &mut |_| {}, &mut |person| {
        people.push(person);
        Ok(())
    })?;
    Ok((people, reader.problems))
}

fn refused(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn columns_may_stand_in_any_order_and_most_may_be_missing() {
    let (people, problems) =
        read("\u{feff}Postal Code,NUMBER\n1939534567,09121111111\r\n\n,0912 111 1112\n").unwrap();
    assert_eq!(problems, []);
    assert_eq!(people.len(), 2);
    assert_eq!(
        (people[0].number, people[0].postal),
        (121_111_111, 1_939_534_567)
    );
    assert_eq!((people[1].number, people[1].postal), (121_111_112, 0));
}

#[test]
fn a_whole_row_is_read_with_its_words() {
    let text = "number,operator,gender,birth_year,postal_code,job,trends\n\
                +989121111111,MTN,زن,۱۳۷۰,\"1939534567\",1,\"11;12 11\"\n";
    let (people, problems) = read(text).unwrap();
    assert_eq!(problems, []);
    let person = Person {
        number: 121_111_111,
        operator: 1,
        gender: 2,
        birth: 71,
        postal: 1_939_534_567,
        set: 1,
    };
    assert_eq!(people, [person]);
}

#[test]
fn what_cannot_be_used_is_left_out_and_counted_with_its_first_place() {
    let text = "number,operator,gender,birth_year,postal_code,job,trends\n\
                02188,tci,1,1370,1939534567,1,11\n\
                09121111111,nobody,3,1299,0939534567,2,13;11\n\
                09121111112,<script>,=HYPERLINK(1),1411,193953456,x,\u{202e}\n\
                \u{0}\n";
    let (people, problems) = read(text).unwrap();
    assert_eq!(people.len(), 2);
    assert_eq!((people[0].set, people[1].set), (1, 0));
    assert!(
        people
            .iter()
            .all(|one| (one.operator, one.gender, one.birth, one.postal) == (0, 0, 0, 0))
    );
    let mut noted: Vec<_> = problems
        .iter()
        .map(|one| (one.column as usize, one.rows, one.line))
        .collect();
    noted.sort_unstable();
    assert_eq!(
        noted,
        [
            (0, 2, 2),
            (1, 2, 3),
            (2, 2, 3),
            (3, 2, 3),
            (4, 2, 3),
            (5, 2, 3),
            (6, 2, 3)
        ]
    );
}

#[test]
fn a_header_that_cannot_be_understood_is_refused() {
    assert_eq!(refused(""), "people.csv: the file is empty");
    assert!(refused("number,name\n").contains("names a column `name`; there are number,"));
    assert!(refused("gender\n1\n").ends_with("its first row names no column `number`"));
    assert!(refused("number,Number\n").ends_with("names the column number twice"));
}

#[test]
fn a_missing_quotation_mark_does_not_eat_the_file_or_the_memory() {
    let text = format!(
        "number,trends\n09121111111,\"11\n{}",
        "09121111112,11\n".repeat(2_000)
    );
    assert!(refused(&text).starts_with("people.csv:2: the row has more than 8192 bytes"));
    let wide = format!("number\n{}", ",".repeat(1_000));
    assert!(refused(&wide).starts_with("people.csv:2: "));
}
