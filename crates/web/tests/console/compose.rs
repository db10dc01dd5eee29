//! Writing a message: recipients, text, price, and that it is sent once.

use crate::fixture::{Browser, Installation, LINE, Page};
use app::{DirectorySource, RecipientQuery, RecipientRow};
use axum::http::StatusCode;
use directory::build::{Input, Plan, build};
use directory::{Areas, Jobs};
use domain::ids::{BookId, BulkNo};
use domain::line::{LineClass, LineSettings};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::operator::Operators;
use domain::phonebook::read_book_id;
use domain::recipient::Address;
use domain::user::Role;
use tempfile::TempDir;

/// Texts that would do harm if a page wrote them as they are.
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>\u{202e}=HYPERLINK(\"x\")";

/// What a form says unless a test says otherwise.
const FORM: [(&str, &str); 4] = [
    ("key", "k1"),
    ("line", LINE),
    ("way", "numbers"),
    ("when", "now"),
];

fn with<'a>(fields: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let given = |name| fields.iter().any(|(other, _)| *other == name);
    let rest = FORM.into_iter().filter(|(name, _)| !given(*name));
    rest.chain(fields.iter().copied()).collect()
}

/// The fields that a page carries on in hidden inputs.
fn carried(page: &Page) -> Vec<(String, String)> {
    let inputs = page.body.split("<input type=\"hidden\" name=\"").skip(1);
    let unescape = |text: &str| {
        text.replace("&#34;", "\"")
            .replace("&#60;", "<")
            .replace("&#62;", ">")
            .replace("&#39;", "'")
            .replace("&#38;", "&")
    };
    inputs
        .filter_map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"")?;
            let (value, _) = rest.split_once("\">")?;
            Some((name.to_owned(), unescape(value)))
        })
        .filter(|(name, _)| name != "back")
        .collect()
}

async fn post_carried(browser: &mut Browser, path: &str, page: &Page) -> Page {
    let fields = carried(page);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    browser.post(path, &fields).await
}

/// The number of the bulk that somebody is led to.
#[track_caller]
fn bulk(page: &Page) -> BulkNo {
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let to = page.location();
    let no = to.strip_prefix("/console/bulks/").unwrap_or_default();
    let no = no.strip_suffix("?done=sent").unwrap_or_default();
    BulkNo(no.parse().unwrap_or_else(|_| panic!("no bulk in {to}")))
}

impl Installation {
    /// Numbers and own texts of a bulk.
    async fn recipients(&self, bulk: BulkNo) -> Vec<(String, Option<String>)> {
        let query = RecipientQuery {
            account: self.account("shop").await.id,
            bulk,
            after: None,
            states: Vec::new(),
            number: None,
            limit: 100,
        };
        let page = self.store.recipient_rows(query).await.unwrap();
        let row = |row: RecipientRow| {
            let number = match row.report.address {
                Address::Mobile(number) => format!("0{}", number.national()),
                Address::Invalid(digits) => digits.to_string(),
                Address::Masked(masked) => masked.to_string(),
            };
            (number, row.text)
        };
        page.rows.into_iter().map(row).collect()
    }

    async fn credit(&self) -> i64 {
        let shop = self.account("shop").await.id;
        self.store.balance(shop).await.unwrap().credit.0
    }

    async fn book(&self, title: &str, contacts: &[(u64, &str)]) -> BookId {
        let shop = self.account("shop").await.id;
        let book = self.app.create_book(shop, title).await.unwrap();
        for (number, name) in contacts {
            let number = Msisdn::from_national(*number).unwrap();
            let added = self.app.add_contact(shop, book, number, name).await;
            added.unwrap();
        }
        book
    }
}

#[tokio::test]
async fn a_message_is_looked_over_with_its_price_and_sent_once() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let page = browser.get("/console/compose").await;
    let key = page.says("New message").says(LINE).field("key");
    assert_eq!(key.len(), 32);
    let fields = with(&[
        ("key", &key),
        ("numbers", "09121111111 ۰۹۳۵۱۱۱۱۱۱۱،9121111111\n12"),
        ("text", "سلام\r\nدنیا"),
    ]);
    let review = browser.post("/console/compose/review", &fields).await;
    review
        .says("MCI (Hamrah-e Aval)")
        .says("Irancell")
        .says("240 rials")
        .says("999,760 rials")
        .says("Repeated, left out")
        .says("Not a number, free")
        .says("<dd>Now</dd>");
    assert_eq!(
        installation.credit().await,
        1_000_000,
        "nothing was written"
    );
    let sent = post_carried(&mut browser, "/console/compose/send", &review).await;
    let no = bulk(&sent);
    assert_eq!(installation.credit().await, 999_760);
    let recipients = installation.recipients(no).await;
    let numbers: Vec<&str> = recipients
        .iter()
        .map(|(number, _)| number.as_str())
        .collect();
    assert_eq!(numbers, ["09121111111", "09351111111", "12"]);
    // A second click, or the page loaded again.
    let again = post_carried(&mut browser, "/console/compose/send", &review).await;
    assert_eq!(bulk(&again), no);
    assert_eq!(installation.credit().await, 999_760);
    // Somebody goes back, changes the text, and means another message.
    let mut fields = carried(&review);
    for field in &mut fields {
        if field.0 == "text" {
            field.1 = "دیگر".into();
        }
    }
    let fields: Vec<_> = fields
        .iter()
        .map(|(a, b)| (a.as_str(), b.as_str()))
        .collect();
    let other = browser.post("/console/compose/send", &fields).await;
    assert_ne!(bulk(&other), no);
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_its_field_and_nothing_typed_is_lost() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let text = "a text that stays";
    let later = |date, hour| [("when", "later"), ("date", date), ("hour", hour)];
    let past = later("2020-01-01", "10:00");
    let unreadable = later("tomorrow", "10:00");
    let far = later("2029-01-01", "10:00");
    let to = ("numbers", "09121111111");
    let cases: [(&[(&str, &str)], &str); 9] = [
        (&[to], "The text is empty"),
        (&[("text", text)], "Write at least one mobile number"),
        (
            &[("text", text), ("numbers", "12")],
            "no mobile number among the recipients",
        ),
        (
            &[("text", text), to, ("line", "1000")],
            "This line is not yours",
        ),
        (
            &[("text", text), to, past[0], past[1], past[2]],
            "That time has passed",
        ),
        (
            &[
                ("text", text),
                to,
                unreadable[0],
                unreadable[1],
                unreadable[2],
            ],
            "Date or time cannot be read",
        ),
        (
            &[("text", text), to, far[0], far[1], far[2]],
            "up to a year ahead",
        ),
        (
            &[("text", text), ("way", "books")],
            "Choose at least one phonebook",
        ),
        (
            &[("text", text), ("way", "books"), ("books", "77")],
            "does not exist any more",
        ),
    ];
    for (fields, said) in cases {
        for path in ["/console/compose/review", "/console/compose/send"] {
            let page = browser.post(path, &with(fields)).await;
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
            assert!(page.body.contains(said), "{said}: {}", page.body);
            assert!(fields[0].0 != "text" || page.body.contains(text), "{said}");
        }
    }
    browser.speak("fa");
    let page = browser.post("/console/compose/review", &with(&[to])).await;
    assert!(page.body.contains("متن پیامک خالی است"), "{}", page.body);
}

#[tokio::test]
async fn too_little_credit_is_said_before_and_refused_after() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await;
    let app = &installation.app;
    let taken = app.top_up("shop", Rials(-999_900), None).await;
    taken.unwrap();
    assert_eq!(app.credit(&shop).await.unwrap(), "100");
    let mut browser = installation.shop().await;
    let fields = with(&[("numbers", "09121111111"), ("text", "سلام")]);
    let review = browser.post("/console/compose/review", &fields).await;
    review
        .says("The credit does not cover this")
        .says("disabled");
    let page = browser.post("/console/compose/send", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("The credit does not cover this"));
}

#[tokio::test]
async fn a_scheduled_message_leaves_at_a_jalali_date() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser.speak("fa");
    let fields = with(&[
        ("numbers", "09121111111"),
        ("text", "سلام"),
        ("when", "later"),
        ("date", "۱۴۰۵/۰۹/۰۲"),
        ("hour", "14:30"),
    ]);
    let review = browser.post("/console/compose/review", &fields).await;
    review.says("۲ آذر ۱۴۰۵، ۱۴:۳۰").says("زمان‌بندی ارسال");
    let no = bulk(&post_carried(&mut browser, "/console/compose/send", &review).await);
    let shop = installation.account("shop").await.id;
    let report = installation.store.bulk(shop, no).await.unwrap().unwrap();
    assert_eq!(
        report.due_at.millis_since(installation.now()),
        (28 * 60 + 30) * 60_000
    );
}

#[tokio::test]
async fn while_somebody_writes_the_text_is_measured() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let say = |text| with(&[("text", text)]);
    let page = browser
        .post("/console/compose/text", &say("Hello “you”"))
        .await;
    page.says("UCS-2")
        .says("<code>“</code>")
        .says("<code>”</code>");
    page.says("<strong>59</strong> left in this part");
    page.never_says("<html");
    let page = browser.post("/console/compose/text", &say("Hello")).await;
    page.says("GSM 7-bit").says("<strong>155</strong> left");
    let long = "x".repeat(161);
    let page = browser.post("/console/compose/text", &say(&long)).await;
    page.says("<strong>2</strong> parts")
        .says("How the text is cut");
    let page = browser
        .post("/console/compose/text", &say("hi {name}"))
        .await;
    page.says("sent as they stand").says("{name}</bdi>");
}

#[tokio::test]
async fn typed_numbers_are_counted() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let fields = with(&[("numbers", "09121111111;9121111111\n<b>x</b>\n021 88")]);
    let page = browser.post("/console/compose/recipients", &fields).await;
    page.says("<strong>1</strong> valid")
        .says("<strong>1</strong> repeated")
        .says("not a number");
    page.never_says("<b>");
}

#[tokio::test]
async fn a_file_becomes_a_phonebook_whose_columns_are_variables() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let file = "mobile,name,city\n09121111111,Ali,Qom\n09122222222,Sara,\n12,x,y\n9121111111,z,z\n";
    let fields = with(&[("way", "file"), ("text", "Hi {name} of {city}")]);
    let upload = ("file", "customers.csv", file.as_bytes());
    let page = browser
        .upload("/console/compose/file", &fields, upload)
        .await;
    page.says("The file is now the phonebook “customers”: 2 contacts.")
        .says("Rows that were repeated: 1. Rows that were not taken: 1 (row 4 among them).")
        .says("Hi Ali of Qom")
        .says("a variable is empty")
        .says("{city}</bdi>");
    let shop = installation.account("shop").await.id;
    let books = installation.app.books(shop).await.unwrap();
    let id = books[0].id.to_string();
    let fields = with(&[
        ("way", "books"),
        ("books", &id),
        ("text", "Hi {name} of {city}"),
    ]);
    let review = browser.post("/console/compose/review", &fields).await;
    review.says("With an empty variable");
    let no = bulk(&post_carried(&mut browser, "/console/compose/send", &review).await);
    let texts: Vec<_> = installation.recipients(no).await;
    assert_eq!(texts[0].1.as_deref(), Some("Hi Ali of Qom"));
    assert_eq!(texts[1].1.as_deref(), Some("Hi Sara of "));

    let fields = with(&[("way", "books"), ("books", &id), ("text", "Hi {age}")]);
    let page = browser.post("/console/compose/review", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("has a column “age”"), "{}", page.body);
}

#[tokio::test]
async fn a_file_that_is_none_leaves_no_book_and_keeps_the_form() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let fields = with(&[("way", "file"), ("text", "a text that stays")]);
    for (content, said) in [
        (&b""[..], "Choose a file."),
        (b"name\nAli\n", "No column of mobile numbers"),
        (b"PK\x03\x04 and nothing else", "The file cannot be read"),
    ] {
        let upload = ("file", "x.csv", content);
        let page = browser
            .upload("/console/compose/file", &fields, upload)
            .await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(said), "{said}: {}", page.body);
        assert!(page.body.contains("a text that stays"));
    }
    let shop = installation.account("shop").await.id;
    assert!(installation.app.books(shop).await.unwrap().is_empty());
}

#[tokio::test]
async fn books_of_another_account_do_not_exist() {
    let installation = Installation::new().await;
    crate::fixture::add_account(&installation.app, "other").await;
    installation.book("secret", &[(9_121_111_111, "x")]).await;
    let mut other = installation
        .signed_in("other", crate::fixture::PASSWORD)
        .await;
    let fields = with(&[("way", "books"), ("books", "1"), ("text", "hi {name}")]);
    for path in [
        "/console/compose/text",
        "/console/compose/recipients",
        "/console/compose",
    ] {
        let page = other.post(path, &fields).await;
        page.never_says("secret").never_says("0912111");
    }
}

#[tokio::test]
async fn a_test_goes_to_the_writer_who_is_remembered() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let fields = with(&[
        ("text", "سلام"),
        ("mobile", "0912 111 1111"),
        ("numbers", "x"),
    ]);
    let page = browser.post("/console/compose/test", &fields).await;
    page.says("A test was sent to 09121111111");
    assert_eq!(installation.credit().await, 999_880);
    browser.post("/console/compose/test", &fields).await;
    assert_eq!(
        installation.credit().await,
        999_880,
        "a double click is one test"
    );
    installation.clock.set(installation.now().plus_seconds(20));
    let fields = with(&[("text", "سلام")]);
    let page = browser.post("/console/compose/test", &fields).await;
    page.says("A test was sent to 09121111111");
    assert_eq!(installation.credit().await, 999_760);
    browser
        .get("/console/compose")
        .await
        .says("value=\"09121111111\"");
    let fields = with(&[("text", "سلام"), ("mobile", "12")]);
    let page = browser.post("/console/compose/test", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("Write your own mobile number."));
}

#[tokio::test]
async fn drafts_are_kept_opened_changed_and_removed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser
        .get("/console/drafts")
        .await
        .says("There are no drafts");
    let book = installation
        .book("friends", &[(9_121_111_111, "x")])
        .await
        .to_string();
    let fields = with(&[
        ("way", "books"),
        ("books", &book),
        ("text", HOSTILE),
        ("when", "later"),
        ("date", "1405/10/01"),
        ("hour", "09:30"),
    ]);
    let saved = browser.post("/console/compose/draft", &fields).await;
    assert_eq!(saved.location(), "/console/compose?draft=1&done=saved");
    let page = browser.follow(&saved).await;
    page.says("The draft was saved.")
        .says("1405/10/01")
        .says("value=\"09:30\"");
    page.says("name=\"books\" value=\"1\" checked");
    page.never_says("<script>alert").never_says("<img src=x");
    let key = page.field("key");
    assert_ne!(key, "k1", "a draft is a new message");
    let fields = with(&[("draft", "1"), ("text", "changed")]);
    let saved = browser.post("/console/compose/draft", &fields).await;
    assert_eq!(saved.location(), "/console/compose?draft=1&done=saved");
    let fields = with(&[("text", HOSTILE)]);
    browser.post("/console/compose/draft", &fields).await;
    let page = browser.get("/console/drafts").await;
    page.says("changed").says("⟦202E⟧");
    page.never_says("<script>alert").never_says("<img src=x");
    let removed = browser.post("/console/drafts/2/remove", &[]).await;
    browser
        .follow(&removed)
        .await
        .says("The draft was removed.");
    for path in ["/console/drafts/2/remove", "/console/drafts/x/remove"] {
        assert_eq!(browser.post(path, &[]).await.status, StatusCode::NOT_FOUND);
    }
    for path in ["/console/compose?draft=2", "/console/compose?draft=x"] {
        assert_eq!(browser.get(path).await.status, StatusCode::NOT_FOUND);
    }
    crate::fixture::add_account(&installation.app, "other").await;
    let mut other = installation
        .signed_in("other", crate::fixture::PASSWORD)
        .await;
    assert_eq!(
        other.get("/console/compose?draft=1").await.status,
        StatusCode::NOT_FOUND
    );
    let long = "x".repeat(300_000);
    let fields = with(&[("text", &*long)]);
    let page = browser.post("/console/compose/draft", &fields).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.body.contains("The draft was not saved"));
}

#[tokio::test]
async fn texts_of_strangers_are_shown_and_never_obeyed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let file = format!(
        "mobile,name,\"{0}\"\n09121111111,\"{0}\",\"{0}\"\n",
        "<script>alert(1)</script>=HYPERLINK(\"\"x\"\")"
    );
    let fields = with(&[("way", "file"), ("text", HOSTILE), ("numbers", HOSTILE)]);
    let name = "<img src=x>.csv";
    let upload = ("file", name, file.as_bytes());
    let page = browser
        .upload("/console/compose/file", &fields, upload)
        .await;
    assert!(page.body.contains("1 contacts"), "{}", page.body);
    let text = format!("{HOSTILE} {{name}}");
    let fields = with(&[("way", "books"), ("books", "1"), ("text", &*text)]);
    for path in [
        "/console/compose",
        "/console/compose/text",
        "/console/compose/review",
    ] {
        let page = browser.post(path, &fields).await;
        page.says("alert(1)");
        for harm in ["<script>alert", "<img src=x", "\"><img"] {
            page.never_says(harm);
        }
    }
    let wrong = format!("{{{}}}", "<script>alert(1)</script>");
    let fields = with(&[("way", "books"), ("books", "1"), ("text", &*wrong)]);
    let page = browser.post("/console/compose/text", &fields).await;
    page.never_says("<script>alert");
}

/// A directory of three people, and an advertising line.
async fn peopled(installation: &Installation) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let jobs = Jobs::parse("1\tDoctors\n1\t11\tsurgeon\n1\t12\tdentist\n2\tx\n2\t21\ty\n").unwrap();
    let path = folder.path().join("people.directory");
    let plan = Plan {
        operators: &Operators::embedded(),
        jobs: &jobs,
        out: &path,
        temporary: None,
        strict: true,
    };
    let people = "number,operator,gender,postal_code,trends\n\
        09121110098,,1,1113344556,11;12\n\
        09351110099,,2,1113344557,12;21\n\
        09351110100,tci,2,1913344557,21\n";
    let input = Input {
        name: "people.csv".into(),
        from: Box::new(people.as_bytes()),
    };
    build(plan, vec![input], &mut |_| {}).unwrap();
    let areas = Areas::parse("11\tTehran\n").unwrap();
    let app = &installation.app;
    app.attach_directory(DirectorySource::new(&path, areas, jobs));
    let settings = LineSettings {
        class: LineClass::Advertising,
        ..LineSettings::default()
    };
    app.add_line("20001000", settings).await.unwrap();
    app.grant_line("shop", "20001000", true).await.unwrap();
    folder
}

#[tokio::test]
async fn people_of_the_directory_are_counted_and_their_numbers_never_shown() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let page = browser.get("/console/compose").await;
    page.never_says("value=\"postal\"");
    let _folder = peopled(&installation).await;
    browser
        .get("/console/compose")
        .await
        .says("value=\"postal\"")
        .says("Tehran");
    let line = ("line", "20001000");
    let text = ("text", "سلام");
    let postal = with(&[line, text, ("way", "postal"), ("postal", "11")]);
    let trends = with(&[
        line,
        text,
        ("way", "trends"),
        ("job", "1"),
        ("trends", "11"),
        ("trends", "12"),
    ]);
    let page = browser.post("/console/compose/trends", &trends).await;
    page.says("surgeon")
        .says("value=\"12\" checked")
        .never_says(">y<");
    for fields in [postal, trends] {
        let counted = browser.post("/console/compose/recipients", &fields).await;
        counted.says("2 people");
        let review = browser.post("/console/compose/review", &fields).await;
        review
            .says("240 rials")
            .never_says("1110098")
            .never_says("1110099");
        let no = bulk(&post_carried(&mut browser, "/console/compose/send", &review).await);
        assert_eq!(installation.recipients(no).await.len(), 2);
    }
    let wrong = with(&[("way", "postal"), ("postal", "1")]);
    let page = browser.post("/console/compose/recipients", &wrong).await;
    page.says("Write 2 to 10 digits");
    // The service line is for no advertising.
    let service = with(&[text, ("way", "postal"), ("postal", "11")]);
    let page = browser.post("/console/compose/review", &service).await;
    assert!(
        page.body.contains("not for bulk or advertising"),
        "{}",
        page.body
    );
}

#[tokio::test]
async fn whoever_may_not_send_has_no_way_to_it() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let password = installation
        .add_person(Some(shop), "ali", Role::Viewer)
        .await;
    let mut ali = installation.signed_in("shop/ali", &password).await;
    ali.get("/console/home")
        .await
        .never_says("/console/compose");
    let fields = with(&[("numbers", "09121111111"), ("text", "سلام")]);
    let page = ali.post("/console/compose/send", &fields).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert_eq!(installation.credit().await, 1_000_000);
}

#[tokio::test]
async fn nonsense_in_a_form_is_no_failure() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let nonsense = "\u{202e}\0\"{}{{<%00";
    assert_eq!(read_book_id(nonsense), None);
    let names = [
        "key", "draft", "line", "way", "numbers", "books", "operator", "gender", "postal", "job",
        "trends", "text", "when", "date", "hour", "mobile",
    ];
    let all: Vec<(&str, &str)> = names.iter().map(|name| (*name, nonsense)).collect();
    for way in ["numbers", "books", "file", "postal", "trends"] {
        let fields: Vec<_> = all
            .iter()
            .map(|(name, value)| (*name, if *name == "way" { way } else { *value }))
            .collect();
        for path in [
            "",
            "/text",
            "/recipients",
            "/trends",
            "/test",
            "/review",
            "/send",
            "/draft",
        ] {
            let page = browser
                .post(&format!("/console/compose{path}"), &fields)
                .await;
            assert!(
                !page.status.is_server_error(),
                "{way} {path}: {}",
                page.status
            );
        }
    }
}
