//! Contract, section 2: phonebooks on the wire.

use domain::account::AccountSettings;
use domain::ids::BookId;
use domain::msisdn::Msisdn;

use crate::fixture::{FORM, LOGIN, Service};

async fn account(service: &Service, name: &str) -> domain::ids::AccountId {
    service.app.account(name).await.unwrap().id
}

/// A book of `shop` with these numbers, counted from 9120000000.
async fn book(service: &Service, title: &str, numbers: impl IntoIterator<Item = u64>) -> BookId {
    let shop = account(service, "shop").await;
    let book = service.app.create_book(shop, title).await.unwrap();
    for n in numbers {
        let number = Msisdn::from_national(9_120_000_000 + n).unwrap();
        let added = service.app.add_contact(shop, book, number, "");
        added.await.unwrap();
    }
    book
}

const EMPTY: &str = r#"[1,"\u0645\u062a\u0646 \u067e\u06cc\u0627\u0645 \u062e\u0627\u0644\u06cc \u0627\u0633\u062a"]"#;
const NOBODY: &str = r#"[4,"\u0647\u06cc\u0686 \u06af\u06cc\u0631\u0646\u062f\u0647 \u0645\u0639\u062a\u0628\u0631\u06cc \u062f\u0627\u062f\u0647 \u0646\u0634\u062f\u0647 \u0627\u0633\u062a"]"#;
const NO_BOOK: &str = r#"[105,"\u062f\u0641\u062a\u0631\u0686\u0647 \u062f\u0631 \u062f\u0633\u062a\u0631\u0633 \u0646\u06cc\u0633\u062a"]"#;
const NO_ARRAY: &str = r#"[993,"\u0634\u0646\u0627\u0633\u0647 \u062f\u0641\u062a\u0631\u0686\u0647\u200c\u0647\u0627 \u0628\u0627\u06cc\u062f \u0622\u0631\u0627\u06cc\u0647 \u0628\u0627\u0634\u062f"]"#;

#[tokio::test]
async fn booklist_is_an_array_within_a_string() {
    let service = Service::start().await;
    insta::assert_snapshot!(service.post(FORM, &format!("{LOGIN}&op=booklist")).await, @r#"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,"[]"]"#);
    book(&service, "مشتریان", [1]).await;
    book(&service, "a/b \"c\" <script>", []).await;
    insta::assert_snapshot!(service.form("op=BookList").await, @r#"[0,"[{\"id\":1,\"title\":\"\\u0645\\u0634\\u062a\\u0631\\u06cc\\u0627\\u0646\"},{\"id\":2,\"title\":\"a\\\/b \\\"c\\\" <script>\"}]"]"#);
    service
        .add_account("other", AccountSettings::default())
        .await;
    insta::assert_snapshot!(service.bare_form("uname=other&pass=p/q+1&op=booklist").await, @r#"[0,"[]"]"#);
}

#[tokio::test]
async fn booklistv2_has_a_status_and_pages() {
    let service = Service::start().await;
    for n in 1..=101 {
        book(&service, &format!("b{n}"), []).await;
    }
    let first = service.form("op=booklistV2&page=1").await;
    assert!(first.starts_with(r#"{"status":{"code":0,"message":"\u0627\u0646\u062c\u0627\u0645 \u0634\u062f"},"data":{"phoneBook":[{"title":"b1","phoneBookId":1},{"title":"b2","phoneBookId":2},"#), "{first}");
    assert!(first.ends_with(r#"{"title":"b100","phoneBookId":100}]}}"#));
    for page in ["", "&page=", "&page=0", "&page=۱"] {
        assert_eq!(service.form(&format!("op=booklistV2{page}")).await, first);
    }
    insta::assert_snapshot!(service.form("op=booklistV2&page=2").await, @r#"{"status":{"code":0,"message":"\u0627\u0646\u062c\u0627\u0645 \u0634\u062f"},"data":{"phoneBook":[{"title":"b101","phoneBookId":101}]}}"#);
    insta::assert_snapshot!(service.form("op=booklistV2&page=3").await, @r#"{"status":{"code":0,"message":"\u0627\u0646\u062c\u0627\u0645 \u0634\u062f"},"data":{"phoneBook":[]}}"#);
    insta::assert_snapshot!(service.form("op=booklistV2&page=x").await, @r#"{"status":{"code":422,"message":"\u0648\u0631\u0648\u062f\u06cc \u0646\u0627\u062f\u0631\u0633\u062a \u0627\u0633\u062a"},"data":{"phoneBook":[]}}"#);
}

#[tokio::test]
async fn a_contact_is_added_once_and_the_code_says_what_became_of_it() {
    let service = Service::start().await;
    book(&service, "x", []).await;
    let saved = r#"{"status":{"code":0,"message":"\u0627\u0646\u062c\u0627\u0645 \u0634\u062f"},"data":{"response":"\u0634\u0645\u0627\u0631\u0647 \u062f\u0631 \u062f\u0641\u062a\u0631\u0686\u0647 \u0630\u062e\u06cc\u0631\u0647 \u0634\u062f"}}"#;
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"phoneBookAdd","phoneBookId":1,"number":"۰۹۱۲۱۱۱۱۱۱۱","name":"علی"}"#;
    let reply = service.post("application/json", json).await;
    assert_eq!(
        reply,
        format!("HTTP/1.1 200 OK | text/html; charset=UTF-8 | {saved}")
    );
    let raw = "op=phoneBookAdd&phonebook_id=1&number=+989122222222";
    assert_eq!(service.form(raw).await, saved);
    insta::assert_snapshot!(service.form("op=phoneBookAdd&phoneBookId=1&number=9121111111").await, @r#"{"status":{"code":101,"message":"\u0627\u06cc\u0646 \u0634\u0645\u0627\u0631\u0647 \u062f\u0631 \u062f\u0641\u062a\u0631\u0686\u0647 \u0647\u0633\u062a"},"data":{"response":"\u0627\u06cc\u0646 \u0634\u0645\u0627\u0631\u0647 \u062f\u0631 \u062f\u0641\u062a\u0631\u0686\u0647 \u0647\u0633\u062a"}}"#);
    let long = "x".repeat(101);
    for (rest, code) in [
        ("phoneBookId=1&number=02188", 100),
        ("phoneBookId=1", 100),
        ("phoneBookId=2&number=09123333333", 105),
        ("number=09123333333", 105),
        (
            &format!("phoneBookId=1&number=09123333333&name={long}"),
            422,
        ),
    ] {
        let reply = service.form(&format!("op=phoneBookAdd&{rest}")).await;
        let start = format!(r#"{{"status":{{"code":{code},"message":""#);
        assert!(reply.starts_with(&start), "{rest}: {reply}");
    }
    let numbers = service.form("op=booknumberlist&phonebook_id=1").await;
    insta::assert_snapshot!(numbers, @r#"["+989121111111","+989122222222"]"#);
    // Nobody is logged in yet, so this is the answer that every operation gives.
    let stranger = "uname=shop&pass=x&op=phoneBookAdd&phoneBookId=1&number=09121111111";
    insta::assert_snapshot!(service.bare_form(stranger).await, @r#"[962,"the username or password is incorrect"]"#);
}

#[tokio::test]
async fn booknumberlist_is_a_flat_array_however_long() {
    const COUNT: u64 = 12_000;
    let service = Service::start().await;
    let id = book(&service, "x", []).await;
    let numbers = || (0..COUNT).map(|n| Msisdn::from_national(9_120_000_000 + n).unwrap());
    let contacts = numbers().map(|number| domain::phonebook::Contact::new(number, ""));
    let contacts: Vec<_> = contacts.collect();
    for slice in contacts.chunks(5_000) {
        let command = store::AddContacts {
            account: account(&service, "shop").await,
            book: id,
            contacts: slice.to_vec(),
            update: false,
            contacts_max: u32::MAX,
        };
        service.store.add_contacts(command).await.unwrap();
    }
    let texts: Vec<_> = numbers().map(|number| format!("\"{number}\"")).collect();
    let expected = format!("[{}]", texts.join(","));
    assert_eq!(
        service.form("op=booknumberlist&phonebook_id=1").await,
        expected
    );
    book(&service, "y", []).await;
    assert_eq!(service.form("op=booknumberlist&phonebook_id=2").await, "[]");
    for wrong in ["3", "", "x", "99999999999"] {
        let form = format!("op=booknumberlist&phonebook_id={wrong}");
        assert_eq!(service.form(&form).await, NO_BOOK);
    }
}

#[tokio::test]
async fn booksend_sends_to_each_number_once_over_all_books() {
    let service = Service::start().await;
    book(&service, "x", [1, 2]).await;
    book(&service, "y", [2, 3]).await;
    let mut expected = 10_000;
    for ids in [
        "bookid=[1,2]",
        r#"bookid=["1","2"]"#,
        "bookid[]=1&bookid[]=2",
        "bookid=%5B%22%DB%B1%22%2C+2%5D",
        r#"bookid="[1,2]""#,
        "BookId=[2,1,2]",
    ] {
        expected += 1;
        let form = format!("op=booksend&from=3000505&message=a&{ids}");
        assert_eq!(
            service.form(&form).await,
            format!("[0,{expected}]"),
            "{ids}"
        );
    }
    let json = r#"{"uname":"shop","pass":"p/q 1","op":"booksend","from":"3000505","message":"a","bookid":[1,"2"]}"#;
    insta::assert_snapshot!(service.post("application/json", json).await, @"HTTP/1.1 200 OK | text/html; charset=UTF-8 | [0,10007]");
    insta::assert_snapshot!(service.form("op=delivery&uinqid=10001").await, @r#"[0,"[\"+989120000001:notsync\",\"+989120000002:notsync\",\"+989120000003:notsync\"]"]"#);
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"931122"]"#);
}

#[tokio::test]
async fn booksend_refuses_in_the_documented_order() {
    let service = Service::start().await;
    book(&service, "x", [1]).await;
    book(&service, "empty", []).await;
    service
        .add_account("other", AccountSettings::default())
        .await;
    let other = account(&service, "other").await;
    service.app.create_book(other, "theirs").await.unwrap();
    let theirs = service.app.create_book(other, "theirs").await.unwrap();
    assert_eq!(theirs, BookId(2));
    let third = service.app.create_book(other, "theirs").await.unwrap();
    for (rest, reply) in [
        ("from=1&message=&bookid=1".to_owned(), EMPTY),
        ("from=1&message=a&bookid=1".into(), NO_ARRAY),
        ("from=1&message=a&bookid=1,2".into(), NO_ARRAY),
        ("from=1&message=a".into(), NO_ARRAY),
        (format!("from=1&message=a&bookid=[1,{third}]"), NO_BOOK),
        ("from=1&message=a&bookid=[\"x\"]".into(), NO_BOOK),
        ("from=1&message=a&bookid=[]".into(), NOBODY),
        ("from=1&message=a&bookid=[2]".into(), NOBODY),
    ] {
        assert_eq!(
            service.form(&format!("op=booksend&{rest}")).await,
            reply,
            "{rest}"
        );
    }
    for (rest, code) in [
        ("from=1&message=a&bookid=[1]", 3),
        ("from=3000505&message=a&bookid=[1]&time=2000-01-01", 1_006),
        ("from=3000505&message[]=a&message[]=b&bookid=[1]", 422),
    ] {
        let reply = service.form(&format!("op=booksend&{rest}")).await;
        assert!(reply.starts_with(&format!("[{code},")), "{rest}: {reply}");
    }
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933222"]"#);
}

#[tokio::test]
async fn the_same_key_answers_the_first_booksend() {
    let service = Service::start().await;
    book(&service, "x", [1, 2]).await;
    let form = "op=booksend&from=3000505&message=a&bookid=[1]&localid=k1";
    insta::assert_snapshot!(service.form(form).await, @"[0,10001]");
    insta::assert_snapshot!(service.form(form).await, @"[0,10001]");
    insta::assert_snapshot!(service.form("op=credit").await, @r#"[0,"933022"]"#);
    let scheduled = "op=booksend&from=3000505&message=a&bookid=[1]&time=2026-11-23";
    insta::assert_snapshot!(service.form(scheduled).await, @"[0,10002]");
    insta::assert_snapshot!(service.form("op=checkmessage&messageid=10002").await, @r#"{"statusMessage":"Active","validMessage":"approve"}"#);
}
