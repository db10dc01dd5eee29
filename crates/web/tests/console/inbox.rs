//! The inbox: reading, searching, answering, and keyword rules.

use crate::fixture::{Browser, Installation, LINE, Page};
use axum::http::StatusCode;
use domain::ids::LinkId;
use store::InboundPart;

const HOSTILE: &str = "<script>alert(1)</script> \"><img src=x> \u{202e}oh =HYPERLINK(\"x\")";

/// A text comes from a handset, and everything is done for it.
async fn receive(installation: &Installation, from: &str, text: &str) {
    let part = InboundPart {
        link: LinkId(1),
        at: installation.now(),
        from: from.into(),
        to: format!("98{LINE}").into(),
        data_coding: 8,
        payload: text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        part: None,
        header_octets: 0,
        disturbed_at: None,
    };
    installation.store.record_inbound(vec![part]).await.unwrap();
    installation.app.assemble_inbound(900).await.unwrap();
    installation.app.handle_inbound(None).await.unwrap();
    installation.clock.set(installation.now().plus_seconds(60));
}

#[track_caller]
fn harmless(page: &Page) {
    page.never_says("<script>alert")
        .never_says("<img src=x")
        .never_says("\u{202e}");
}

#[tokio::test]
async fn messages_are_read_and_found_and_stay_unread_for_the_web_service() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser
        .get("/console/inbox")
        .await
        .says("No message has come yet");
    receive(&installation, "989121111111", "قيمت چند است؟").await;
    receive(&installation, "989352222222", "hello").await;
    let all = browser.get("/console/inbox").await;
    all.says("hello")
        .says("+989121111111")
        .says("does not mark anything as read");
    assert!(
        all.body.find("hello") < all.body.find("چند است"),
        "the newest first"
    );
    // However it is spelt.
    browser
        .get("/console/inbox?q=قیمت")
        .await
        .says("چند است")
        .never_says("hello");
    browser
        .get("/console/inbox?q=nothing")
        .await
        .says("No message fits");
    browser
        .get(&format!("/console/inbox?line={LINE}"))
        .await
        .says("hello");
    browser
        .get("/console/inbox?line=3000999")
        .await
        .never_says("hello");
    browser.get("/console/inbox?before=x&line=%00").await;
    let thread = browser.get("/console/inbox/%2B989121111111").await;
    thread.says("چند است").never_says("hello");
    let shop = installation.account("shop").await;
    let unread = installation.app.read_inbox(&shop, false).await.unwrap();
    assert_eq!(unread.len(), 2);
}

#[tokio::test]
async fn an_answer_says_its_price_and_is_sent_once() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    receive(&installation, "989121111111", "سلام").await;
    let thread = "/console/inbox/%2B989121111111";
    let page = browser.get(thread).await;
    let key = page.field("key");
    let line = format!("+98{LINE}");
    let text = "پاسخ شما: بله";
    let form = [("key", &*key), ("line", &*line), ("text", text)];
    let quoted = browser.post(thread, &form).await;
    quoted.says("120 rials").says("Parts: 1").says(text);
    assert_eq!(quoted.field("price"), "120");
    let form = [
        ("key", &*key),
        ("line", &*line),
        ("text", text),
        ("price", "120"),
    ];
    let sent = browser.post(thread, &form).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let again = browser.post(thread, &form).await;
    assert_eq!(
        again.location(),
        sent.location(),
        "the same form sends once"
    );
    let page = browser.follow(&sent).await;
    page.says("The answer was accepted")
        .says("Your answer")
        .says(text);
    let shop = installation.account("shop").await;
    let credit = installation.app.credit(&shop).await.unwrap();
    assert_eq!(credit, "999880");
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_says_why_and_keeps_what_was_typed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    receive(&installation, "989121111111", "x").await;
    receive(&installation, "BANK<b>", "x").await;
    let thread = "/console/inbox/%2B989121111111";
    let line = format!("+98{LINE}");
    for (form, said) in [
        (vec![("line", &*line), ("text", " ")], "The text is empty"),
        (vec![("line", "3000999"), ("text", "typed")], "typed"),
        (vec![], "The text is empty"),
    ] {
        let page = browser.post(thread, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(said), "{}", page.body);
    }
    let name = "/console/inbox/BANK%3Cb%3E";
    browser
        .get(name)
        .await
        .says("cannot be answered")
        .never_says("BANK<b>");
    let page = browser.post(name, &[("line", &*line), ("text", "x")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    for sender in ["%2B989129999999", "nobody", "%3Cscript%3E"] {
        let page = browser.get(&format!("/console/inbox/{sender}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{sender}");
    }
}

async fn book(browser: &mut Browser, title: &str) {
    browser.post("/console/books", &[("title", title)]).await;
}

#[tokio::test]
async fn a_rule_is_made_works_and_is_removed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    book(&mut browser, "members").await;
    let page = browser.get("/console/rules").await;
    page.says("There is no rule").says("members");
    let form = [
        ("line", ""),
        ("matching", "first_word"),
        ("word", "عضویت"),
        ("answer", "خوش آمدید"),
        ("add_to", "1"),
    ];
    let added = browser.post("/console/rules", &form).await;
    browser
        .follow(&added)
        .await
        .says("The rule was added")
        .says("عضویت")
        .says("خوش آمدید");
    receive(&installation, "989121111111", "عضويت لطفا").await;
    receive(&installation, "989121111111", "چیز دیگر").await;
    let rules = browser.get("/console/rules").await;
    rules.says("1<br>").says("22 Nov 2026");
    let thread = browser.get("/console/inbox/%2B989121111111").await;
    thread
        .says("rule 1: answered as bulk")
        .says("rule 1: put into phonebook 1");
    thread.says("Your answer").says("خوش آمدید");
    browser.speak("fa");
    let thread = browser.get("/console/inbox/%2B989121111111").await;
    thread
        .says("قاعدهٔ 1: در دفترچه گذاشته شد: 1")
        .never_says("put into");
    browser.speak("en");
    browser.get("/console/books/1").await.says("+989121111111");
    let removed = browser.post("/console/rules/1/remove", &[]).await;
    browser.follow(&removed).await.says("There is no rule");
    assert_eq!(
        browser.post("/console/rules/1/remove", &[]).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn a_rule_that_cannot_work_is_refused_at_its_field() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    book(&mut browser, "x").await;
    for (form, said) in [
        (vec![("answer", "x")], "Write the word"),
        (
            vec![("word", "a b"), ("answer", "x")],
            "cannot be several words",
        ),
        (vec![("word", "a")], "Say what is to be done"),
        (
            vec![("word", "a"), ("forward", "ftp://x")],
            "This address cannot be called",
        ),
        (
            vec![("word", "a"), ("add_to", "1"), ("remove_from", "1")],
            "cannot get the sender and lose it",
        ),
    ] {
        let page = browser.post("/console/rules", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(page.body.contains(said), "{form:?}: {}", page.body);
    }
    browser.get("/console/rules").await.says("There is no rule");
    let unknown = [("word", "a"), ("add_to", "77")];
    let page = browser.post("/console/rules", &unknown).await;
    assert_eq!(
        page.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "a book that is not there"
    );
}

#[tokio::test]
async fn texts_of_strangers_do_no_harm_in_the_inbox() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    receive(&installation, "989121111111", HOSTILE).await;
    receive(&installation, "<script>alert(1)</script>", HOSTILE).await;
    let form = [("matching", "any"), ("answer", HOSTILE), ("word", "")];
    let added = browser.post("/console/rules", &form).await;
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    receive(&installation, "989123333333", "x").await;
    harmless(&browser.get("/console/rules").await);
    let inbox = browser.get("/console/inbox").await;
    harmless(&inbox);
    inbox.says("⟦202E⟧");
    for thread in ["%2B989121111111", "%2B989123333333"] {
        let page = browser.get(&format!("/console/inbox/{thread}")).await;
        harmless(&page);
        page.says("=HYPERLINK");
    }
    // The link that the list has for a sender leads to what they wrote.
    let link = inbox
        .body
        .split("href=\"/console/inbox/%3C")
        .nth(1)
        .unwrap();
    let rest = link.split('"').next().unwrap();
    let page = browser.get(&format!("/console/inbox/%3C{rest}")).await;
    page.says("=HYPERLINK");
    harmless(&page);
}
