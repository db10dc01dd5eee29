//! Phonebooks: keeping them, and files of contacts into them and out of them.

use crate::fixture::{Browser, Installation, PASSWORD, Page, add_account};
use axum::http::StatusCode;
use domain::ids::BookId;
use std::time::Duration;

/// Texts that would do harm where they were written into a page as they are.
const HOSTILE: [&str; 4] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "a\u{202e}b",
    "=HYPERLINK(\"http://evil.ir\")",
];

/// Fails when a hostile text stands in the page as it was written.
#[track_caller]
fn harmless(page: &Page) {
    for hostile in ["<script>alert", "<img src=x", "\u{202e}", "\0"] {
        page.never_says(hostile);
    }
}

async fn book(browser: &mut Browser, title: &str) -> String {
    let made = browser.post("/console/books", &[("title", title)]).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    made.location().split('?').next().unwrap().to_owned()
}

/// Follows an import until it ended.
async fn ended(browser: &mut Browser, import: &str) -> Page {
    for _ in 0..500 {
        let page = browser.get(import).await;
        if !page.body.contains("hx-trigger=\"every 1s\"") {
            return page;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the import did not end");
}

#[tokio::test]
async fn a_phonebook_is_made_renamed_and_removed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser
        .get("/console/books")
        .await
        .says("You have no phonebook yet");
    let refused = browser.post("/console/books", &[("title", " ")]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused
            .body
            .contains("A phonebook&#39;s name has 1 to 100 characters")
    );
    let href = book(&mut browser, "مشتریان").await;
    browser
        .get("/console/books")
        .await
        .says("مشتریان")
        .says(&href);
    let renamed = browser
        .post(&format!("{href}/rename"), &[("title", "Friends")])
        .await;
    browser
        .follow(&renamed)
        .await
        .says("was renamed")
        .says("Friends");
    let unsure = browser.post(&format!("{href}/remove"), &[]).await;
    assert_eq!(unsure.status, StatusCode::UNPROCESSABLE_ENTITY);
    let removed = browser
        .post(&format!("{href}/remove"), &[("sure", "yes")])
        .await;
    browser
        .follow(&removed)
        .await
        .says("was removed")
        .never_says("Friends");
    assert_eq!(browser.get(&href).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn contacts_are_added_found_changed_and_removed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let contacts = format!("{href}/contacts");
    let field = browser
        .post(&format!("{href}/fields"), &[("name", "City")])
        .await;
    browser.follow(&field).await.says("City");
    let again = browser
        .post(&format!("{href}/fields"), &[("name", " city ")])
        .await;
    assert!(
        again.body.contains("The phonebook has this field"),
        "{}",
        again.body
    );
    let wrong = browser
        .post(&contacts, &[("number", "021"), ("name", "typed")])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("This is no mobile number"));
    assert!(
        wrong.body.contains("value=\"typed\""),
        "what was typed stays"
    );
    let form = [("number", "۰۹۱۲۱۱۱۱۱۱۱"), ("name", "Ali"), ("field", "Qom")];
    let added = browser.post(&contacts, &form).await;
    browser
        .follow(&added)
        .await
        .says("+989121111111")
        .says("Ali")
        .says("Qom");
    let twice = browser.post(&contacts, &form).await;
    assert!(twice.body.contains("The phonebook has this number"));
    browser.post(&contacts, &[("number", "09352222222")]).await;
    let found = browser.get(&format!("{href}?q=0935")).await;
    found.says("+989352222222").never_says("+989121111111");
    browser
        .get(&format!("{href}?q=0999"))
        .await
        .says("No number begins like this");

    let one = format!("{contacts}/9121111111");
    browser
        .get(&one)
        .await
        .says("value=\"Ali\"")
        .says("value=\"Qom\"");
    // What is emptied is empty, other than with an import.
    let changed = browser.post(&one, &[("name", "Reza"), ("field", "")]).await;
    browser
        .follow(&changed)
        .await
        .says("Reza")
        .never_says("Qom");
    let gone = browser.post(&format!("{one}/remove"), &[]).await;
    browser.follow(&gone).await.never_says("+989121111111");
    assert_eq!(browser.get(&one).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn pages_of_contacts_have_each_contact_once() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let rows: Vec<String> = (0..120).map(|n| format!("0912000{n:04}")).collect();
    import(
        &mut browser,
        &href,
        "list.csv",
        rows.join("\n").as_bytes(),
        &[("role_0", "number")],
    )
    .await;
    let (mut seen, mut to) = (Vec::new(), href.clone());
    loop {
        let page = browser.get(&to).await;
        let rows = page.body.split("<th scope=\"row\"").skip(1);
        seen.extend(rows.map(|row| row.split("+98").nth(1).unwrap()[..10].to_owned()));
        let Some(next) = page.body.split("href=\"").find(|rest| {
            rest.starts_with(&href) && rest.contains("after=") && rest.contains(">Next<")
        }) else {
            break;
        };
        to = next
            .split('"')
            .next()
            .unwrap()
            .replace("&#38;", "&")
            .replace("&amp;", "&");
    }
    let expected: Vec<String> = (0..120).map(|n| format!("912000{n:04}")).collect();
    assert_eq!(seen, expected);
}

/// Sends a file up and imports it with these choices; answers the page at the end.
async fn import(
    browser: &mut Browser,
    href: &str,
    name: &str,
    content: &[u8],
    choices: &[(&str, &str)],
) -> Page {
    let to = format!("{href}/import");
    let sent = browser.upload(&to, &[], ("file", name, content)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let at = sent.location().to_owned();
    let begun = browser.post(&at, choices).await;
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    ended(browser, &at).await
}

#[tokio::test]
async fn a_file_is_looked_at_and_then_imported_with_a_report_of_what_was_refused() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    browser
        .post(
            &format!("{href}/contacts"),
            &[("number", "09121111111"), ("name", "kept")],
        )
        .await;
    let text = "نام,موبايل,شهر\nعلي,09121111111,قم\nرضا,09122222222,تهران\nx,021,\n\
                رضا,09122222222,\n";
    let bytes = encoding(text);
    let to = format!("{href}/import");
    let sent = browser.upload(&to, &[], ("file", "list.csv", &bytes)).await;
    let looked = browser.follow(&sent).await;
    looked
        .says("موبايل")
        .says("list.csv")
        .says("value=\"windows-1256\" selected");
    looked.says("<option value=\"number\" selected>");
    let untouched = browser.get(&href).await;
    untouched.never_says("+989122222222");

    let at = sent.location().to_owned();
    let none = browser.post(&at, &[("role_0", "name")]).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        none.body
            .contains("Say which column holds the mobile numbers")
    );
    let two = [("role_0", "number"), ("role_1", "number")];
    assert!(
        browser
            .post(&at, &two)
            .await
            .body
            .contains("Only one column")
    );
    let roles = [
        ("encoding", "windows-1256"),
        ("role_0", "name"),
        ("role_1", "number"),
        ("role_2", "field"),
    ];
    browser.post(&at, &roles).await;
    let page = ended(&mut browser, &at).await;
    page.says("The import is done")
        .says("021")
        .says("this is no mobile number");
    for (what, count) in [
        ("Added", 1),
        ("There before", 1),
        ("Repeated in the file", 1),
        ("Refused", 1),
    ] {
        page.says(&format!("{what}</span><span class=\"value\">{count}<"));
    }
    let report = browser.get(&format!("{at}/refused.csv")).await;
    report.says("4,021,this is no mobile number");
    // Once more is the same import, and not another.
    browser.post(&at, &roles).await;
    ended(&mut browser, &at)
        .await
        .says("Added</span><span class=\"value\">1<");
    let shown = browser.get(&href).await;
    shown.says("رضا").says("تهران").says("kept").says("شهر");
}

/// The text as an old Excel in Iran writes it.
fn encoding(text: &str) -> Vec<u8> {
    let (bytes, _, lost) = encoding_rs::WINDOWS_1256.encode(text);
    assert!(!lost);
    bytes.into_owned()
}

#[tokio::test]
async fn a_workbook_goes_out_and_comes_back() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let contacts = format!("{href}/contacts");
    browser
        .post(&contacts, &[("number", "09121111111"), ("name", "علی")])
        .await;
    let app = &installation.app;
    let shop = installation.account("shop").await.id;
    let file = app
        .book_file(shop, BookId(1), app::sheet::SheetFormat::Xlsx)
        .await
        .unwrap();
    let mut bytes = Vec::new();
    std::io::Read::read_to_end(&mut &file, &mut bytes).unwrap();
    let out = browser.get(&format!("{href}/export.xlsx")).await;
    assert_eq!(out.status, StatusCode::OK);
    assert_eq!(
        out.headers["content-disposition"],
        "attachment; filename=\"phonebook-1.xlsx\""
    );
    let other = book(&mut browser, "y").await;
    let choices = [("role_0", "number"), ("role_1", "name")];
    let page = import(&mut browser, &other, "b.xlsx", &bytes, &choices).await;
    page.says("Added</span><span class=\"value\">1<");
    browser.get(&other).await.says("علی");
}

#[tokio::test]
async fn names_fields_and_files_of_strangers_do_no_harm() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, HOSTILE[0]).await;
    harmless(&browser.get("/console/books").await);
    let contacts = format!("{href}/contacts");
    for (n, hostile) in HOSTILE.iter().enumerate() {
        browser
            .post(&format!("{href}/fields"), &[("name", hostile)])
            .await;
        let number = format!("0912000000{n}");
        let form = [("number", &*number), ("name", hostile), ("field", hostile)];
        let added = browser.post(&contacts, &form).await;
        assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
        harmless(&browser.get(&format!("{contacts}/912000000{n}")).await);
        let wrong = [("number", *hostile), ("name", hostile)];
        harmless_but_for_marks(&browser.post(&contacts, &wrong).await);
    }
    harmless(&browser.get(&href).await);
    let csv = browser.get(&format!("{href}/export.csv")).await;
    csv.says("'=HYPERLINK")
        .never_says("\n=HYPERLINK")
        .never_says(",=HYPERLINK");
    assert_eq!(csv.headers["x-content-type-options"], "nosniff");

    let rows = HOSTILE.map(|hostile| {
        let quoted = hostile.replace('"', "\"\"");
        format!("\"{quoted}\",\"{quoted}\",\"a\0b\"")
    });
    let text = format!("{},0912,x\n{}\n", HOSTILE[0], rows.join("\n"));
    let to = format!("{href}/import");
    let name = "<img src=x>.csv";
    let sent = browser
        .upload(&to, &[], ("file", name, text.as_bytes()))
        .await;
    harmless(&browser.follow(&sent).await);
    let at = sent.location().to_owned();
    browser
        .post(
            &at,
            &[
                ("role_0", "number"),
                ("role_1", "name"),
                ("role_2", "field"),
            ],
        )
        .await;
    let page = ended(&mut browser, &at).await;
    harmless(&page);
    page.says("Refused rows");
    let report = browser.get(&format!("{at}/refused.csv")).await;
    report.says("'=HYPERLINK").never_says(",=HYPERLINK");
}

/// As [`harmless`]; a field that is shown to be typed in again keeps its marks of direction.
#[track_caller]
fn harmless_but_for_marks(page: &Page) {
    for hostile in ["<script>alert", "<img src=x", "\0"] {
        page.never_says(hostile);
    }
}

#[tokio::test]
async fn what_is_no_list_of_contacts_is_refused_in_words() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let to = format!("{href}/import");
    let empty = browser.upload(&to, &[], ("file", "a.csv", b"")).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(empty.body.contains("No file was sent"), "{}", empty.body);
    let none = browser
        .upload(&to, &[], ("other", "a.csv", b"09121111111"))
        .await;
    assert!(none.body.contains("No file was sent"));
    let old = [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, 0, 0];
    let sent = browser.upload(&to, &[], ("file", "a.xls", &old)).await;
    browser
        .follow(&sent)
        .await
        .says("an XLS file of an old Excel");
    let sent = browser
        .upload(&to, &[], ("file", "a.xlsx", b"PK\x03\x04 and no more"))
        .await;
    browser.follow(&sent).await.says("The file cannot be read");
    let sent = browser
        .upload(&to, &[], ("file", "a.csv", b"a,b\nc,d\n"))
        .await;
    browser
        .follow(&sent)
        .await
        .says("No column seems to hold mobile numbers");
    // A column that the file does not have.
    let at = sent.location().to_owned();
    browser.post(&at, &[("role_7", "number")]).await;
    ended(&mut browser, &at)
        .await
        .says("does not have a column");
}

#[tokio::test]
async fn an_import_is_its_accounts_and_says_when_it_is_gone() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let to = format!("{href}/import");
    let sent = browser
        .upload(&to, &[], ("file", "a.csv", b"09121111111\n"))
        .await;
    let at = sent.location().to_owned();
    add_account(&installation.app, "other").await;
    let mut other = installation.signed_in("other", PASSWORD).await;
    assert_eq!(other.get(&href).await.status, StatusCode::NOT_FOUND);
    // A book with the same number, which is another one.
    book(&mut other, "mine").await;
    let page = other.get(&at).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.body.contains("not at hand any more"));
    let begun = other.post(&at, &[("role_0", "number")]).await;
    assert_eq!(begun.status, StatusCode::NOT_FOUND);

    installation
        .clock
        .set(installation.now().plus_seconds(3 * 3_600));
    let mut browser = installation.shop().await;
    browser
        .upload(&to, &[], ("file", "b.csv", b"09121111111\n"))
        .await;
    let gone = browser.get(&at).await;
    assert!(
        gone.body.contains("Files are kept for two hours"),
        "{}",
        gone.body
    );
}

#[tokio::test]
async fn an_account_keeps_a_few_files_and_not_any_number() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let href = book(&mut browser, "x").await;
    let to = format!("{href}/import");
    let mut marks = Vec::new();
    for _ in 0..6 {
        installation.clock.set(installation.now().plus_seconds(1));
        let sent = browser
            .upload(&to, &[], ("file", "a.csv", b"09121111111\n"))
            .await;
        marks.push(sent.location().to_owned());
    }
    for (n, at) in marks.iter().enumerate() {
        let status = browser.get(at).await.status;
        assert_eq!(status == StatusCode::OK, n >= 2, "{n}");
    }
}
