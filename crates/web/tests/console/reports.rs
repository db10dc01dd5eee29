//! Dashboards and reports: what somebody sees of their bulks, and what they do about them.

use crate::fixture::{Browser, Installation, LINE, NOW, PASSWORD, add_account};
use crate::traffic::REFUSAL;
use app::Texts;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use calamine::{Data, Reader, Xlsx};
use domain::ids::{BulkNo, OperatorId};
use domain::line::Terms;
use domain::link::LinkState;
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::recipient::{Address, NewRecipient};
use domain::user::Role;
use http_body_util::BodyExt;
use std::io::Cursor;
use store::{AcceptBulk, AuditQuery};
use tower::ServiceExt;

const ALI: &str = "09121234567";
const SARA: &str = "09351234567";
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>\u{202e}=HYPERLINK(\"x\")";

fn page_of(no: BulkNo) -> String {
    format!("/console/bulks/{no}")
}

/// The answer as it comes, for what is no page.
async fn raw(installation: &Installation, browser: &Browser, path: &str) -> Response {
    let cookies: Vec<String> = browser
        .cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let request = Request::get(path)
        .header(header::COOKIE, cookies.join("; "))
        .body(Body::empty())
        .unwrap();
    installation.router.clone().oneshot(request).await.unwrap()
}

async fn file(installation: &Installation, browser: &Browser, path: &str) -> Bytes {
    let response = raw(installation, browser, path).await;
    assert_eq!(response.status(), StatusCode::OK);
    let kind = response.headers()[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap();
    assert!(kind.starts_with("attachment; filename=\"bulk-"), "{kind}");
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn the_page_of_a_bulk_says_where_each_recipient_stands_and_why() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    installation.link_is(LinkState::Up, None).await;
    let no = installation
        .send("hello there", &[ALI, SARA, "021-88"])
        .await;
    let page = browser.get(&page_of(no)).await;
    page.says("Waiting for its turn.")
        .says("hello there")
        .says(ALI);
    page.says("not a mobile number").says("in the queue");
    let refused = Msisdn::parse(SARA).unwrap();
    installation.deliver(|message| message.to == refused).await;
    let page = browser.get(&page_of(no)).await;
    page.says("Finished: 1 delivered, 2 failed.")
        .says("delivered to the handset");
    page.says("the operator refused it")
        .says(&format!(">{REFUSAL}</bdi>"));
    page.never_says("sse-connect");
    let failed = browser.get(&format!("{}?state=failed", page_of(no))).await;
    failed.says(SARA).never_says(ALI);
    let one = browser
        .get(&format!("{}?number=%2B989121234567", page_of(no)))
        .await;
    one.says(ALI).never_says(SARA);
    let wrong = browser.get(&format!("{}?number=12", page_of(no))).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Write the whole mobile number"));
    browser.speak("fa");
    let page = browser.get(&page_of(no)).await;
    page.says("پایان یافت: ۱ رسیده، ۲ ناموفق.")
        .says("به گوشی رسید");
}

#[tokio::test]
async fn a_bulk_that_stands_still_says_why_without_the_names_of_links() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    installation
        .link_is(LinkState::Down, Some("refused by smsc.secret"))
        .await;
    let no = installation.send("hello", &[ALI]).await;
    let said = "to MCI (Hamrah-e Aval) has been down since 10:00.";
    for path in [page_of(no), "/console/home".into()] {
        let page = browser.get(&path).await;
        page.says(said).never_says("secret").never_says("link mci");
    }
    let mut staff = installation.staff("nima", Role::Operator).await;
    let page = staff.get("/console/staff/home").await;
    page.says(said.trim_end_matches('.'))
        .says("refused by smsc.secret")
        .says("mci");
    browser.speak("fa");
    browser
        .get(&page_of(no))
        .await
        .says("با همراه اول از ۱۰:۰۰ قطع است.");
}

#[tokio::test]
async fn a_bulk_is_paused_gone_on_with_and_cancelled_and_the_audit_log_knows() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let no = installation.send("hello", &[ALI, SARA]).await;
    let path = page_of(no);
    let answer = browser.post(&format!("{path}/pause"), &[]).await;
    assert_eq!(answer.location(), format!("{path}?done=paused"));
    let page = browser.follow(&answer).await;
    page.says("goes its way")
        .says("Go on")
        .never_says("/pause\"");
    assert!(
        installation.claim().await.is_empty(),
        "nothing of it leaves"
    );
    browser.get("/console/bulks?state=paused").await.says(&path);
    browser.get("/console/home").await.says("Paused;");
    let answer = browser.post(&format!("{path}/go-on"), &[]).await;
    assert_eq!(answer.location(), format!("{path}?done=going"));
    browser
        .follow(&answer)
        .await
        .says("It goes on.")
        .says("/pause\"");
    let answer = browser.post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(answer.location(), format!("{path}?done=cancelled"));
    let page = browser.follow(&answer).await;
    page.says("It was cancelled.")
        .says("600 rials")
        .never_says("/cancel\"");
    let again = browser.post(&format!("{path}/cancel"), &[]).await;
    assert_eq!(again.location(), format!("{path}?done=nothing"));
    let shop = installation.account("shop").await;
    let query = AuditQuery {
        account: Some(shop.id),
        limit: 50,
        ..AuditQuery::default()
    };
    let log = installation.app.audit(query).await.unwrap();
    let done: Vec<_> = log
        .entries
        .iter()
        .map(|entry| (entry.entry.action.as_str(), entry.entry.subject.as_str()))
        .collect();
    let no = no.to_string();
    let expected = ["bulk.cancel", "bulk.cancel", "bulk.go_on", "bulk.pause"];
    assert_eq!(done, expected.map(|action| (action, no.as_str())));
}

#[tokio::test]
async fn a_viewer_sees_reports_and_stops_nothing() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await.id;
    let password = installation
        .add_person(Some(shop), "ali", Role::Viewer)
        .await;
    let mut viewer = installation.signed_in("shop/ali", &password).await;
    let no = installation.send("hello", &[ALI]).await;
    let page = viewer.get(&page_of(no)).await;
    page.says(ALI)
        .never_says("/cancel\"")
        .never_says("/pause\"");
    viewer
        .get("/console/home")
        .await
        .says("Messages today")
        .never_says("/console/ledger");
}

#[tokio::test]
async fn bulks_are_found_by_state_line_date_text_and_number() {
    let installation = Installation::new().await;
    let old = installation.send("قرعه‌کشی بزرگ", &[ALI]).await;
    installation.deliver(|_| false).await;
    installation.clock.set(NOW.plus_seconds(3 * 86_400));
    let new = installation.send("another", &[SARA]).await;
    let mut browser = installation.shop().await;
    let (old_path, new_path) = (page_of(old), page_of(new));
    for (query, has_old, has_new) in [
        ("", true, true),
        ("?state=open", false, true),
        ("?state=finished", true, false),
        ("?state=rejected", false, false),
        ("?state=nonsense", true, true),
        ("?line=3000505", true, true),
        ("?line=%2B983000505", true, true),
        ("?line=3000999", false, false),
        ("?from=1405/09/02", false, true),
        ("?to=2026-11-22", true, false),
        ("?from=1405/09/01&to=1405/09/01", true, false),
        ("?text=%D8%A8%D8%B2%D8%B1%DA%AF", true, false),
        (&format!("?before={new}"), true, false),
        ("?before=x", true, true),
    ] {
        let page = browser.get(&format!("/console/bulks{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        let has = |path: &str| page.body.contains(&format!("href=\"{path}\""));
        assert_eq!(
            (has(&old_path), has(&new_path)),
            (has_old, has_new),
            "{query}"
        );
    }
    let found = browser.get(&format!("/console/bulks?no={old}")).await;
    assert_eq!(found.location(), old_path);
    browser
        .get("/console/bulks?no=99999")
        .await
        .says("You have no bulk with this number.");
    browser
        .get("/console/bulks?from=yesterday")
        .await
        .says("Write the date as");
}

#[tokio::test]
async fn the_list_and_the_recipients_go_on_from_page_to_page() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let mut numbers = Vec::new();
    for last in 0..60 {
        numbers.push(format!("091212345{last:02}"));
    }
    let to: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let first = installation.send("many", &to).await;
    for _ in 0..26 {
        installation.send("one", &[ALI]).await;
    }
    let page = browser.get("/console/bulks").await;
    page.never_says(&format!("href=\"{}\"", page_of(first)));
    let older = link(&page.body, "rel=\"next\"");
    browser
        .get(&older)
        .await
        .says(&format!("href=\"{}\"", page_of(first)))
        .says("Newest");
    let page = browser.get(&page_of(first)).await;
    page.says(&numbers[0]).never_says(&numbers[55]);
    let next = link(&page.body, "rel=\"next\"");
    let page = browser.get(next.split('#').next().unwrap()).await;
    page.says(&numbers[55])
        .never_says(&numbers[0])
        .says("From the beginning");
}

/// The address of the link that has this attribute.
fn link(body: &str, attribute: &str) -> String {
    let before = body.split(attribute).next().unwrap();
    let href = before.rsplit("href=\"").next().unwrap();
    href.split('"')
        .next()
        .unwrap()
        .replace("&#38;", "&")
        .replace("&amp;", "&")
}

#[tokio::test]
async fn what_strangers_write_stays_text() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let no = installation.send(HOSTILE, &[ALI, HOSTILE]).await;
    let own = [HOSTILE.to_owned(), "hi\0there".to_owned()];
    let each = installation
        .send_with(Texts::Each(&own), &[ALI, SARA], None)
        .await;
    let attack = "?text=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&no=%3Cscript%3Ealert(1)";
    let recipients = "?number=%22%3E%3Cscript%3Ealert(1)&state=%22%3E%3Cscript%3E";
    for path in [
        page_of(no),
        page_of(each),
        "/console/bulks".into(),
        "/console/home".into(),
        "/console/home/bulks".into(),
        format!("{}/state", page_of(no)),
        format!("/console/bulks{attack}"),
        format!("{}{recipients}", page_of(no)),
        format!("/console/home{attack}&period=%22%3E%3Cscript%3E&by=%22%3E"),
    ] {
        let page = browser.get(&path).await;
        page.never_says("<script>alert")
            .never_says("<img src")
            .never_says("\u{202e}");
        page.never_says("\0");
    }
    browser
        .get(&page_of(no))
        .await
        .says("⟦202E⟧")
        .says("&#60;script&#62;");
}

#[tokio::test]
async fn the_bulks_of_others_do_not_exist() {
    let installation = Installation::new().await;
    add_account(&installation.app, "other").await;
    let no = installation.send("hello", &[ALI]).await;
    let mut other = installation.signed_in("other", PASSWORD).await;
    for below in ["", "/state", "/live", "/export.csv", "/export.xlsx"] {
        let page = other.get(&format!("{}{below}", page_of(no))).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{below}");
    }
    for below in ["/cancel", "/pause", "/go-on"] {
        let page = other.post(&format!("{}{below}", page_of(no)), &[]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{below}");
    }
    other.get("/console/bulks").await.never_says(&page_of(no));
    other.get("/console/home").await.never_says(&page_of(no));
    assert_eq!(installation.claim().await.len(), 1, "it goes its way");
}

#[tokio::test]
async fn an_export_has_every_recipient_and_no_formula() {
    let installation = Installation::new().await;
    let browser = installation.shop().await;
    let texts = [HOSTILE.to_owned(), "=1+1".to_owned(), "@me".to_owned()];
    let to = [ALI, SARA, "09201234567"];
    let no = installation.send_with(Texts::Each(&texts), &to, None).await;
    let csv = file(
        &installation,
        &browser,
        &format!("{}/export.csv", page_of(no)),
    )
    .await;
    assert!(csv.starts_with(b"\xef\xbb\xbf"), "Excel needs the mark");
    let csv = String::from_utf8(csv[3..].to_vec()).unwrap();
    assert!(
        csv.starts_with("Row,Recipient,Operator,State,Reason"),
        "{csv}"
    );
    assert!(
        csv.contains("\n1,09121234567,MCI (Hamrah-e Aval),waiting,"),
        "{csv}"
    );
    assert!(csv.contains(",'=1+1\n") && csv.contains(",'@me\n"), "{csv}");
    for line in csv.lines() {
        for cell in line.split(',') {
            let cell = cell.trim_start_matches('"');
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{line}");
        }
    }
    let xlsx = file(
        &installation,
        &browser,
        &format!("{}/export.xlsx", page_of(no)),
    )
    .await;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx)).unwrap();
    let sheet = book.worksheet_range("recipients").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[1][1], Data::String(ALI.into()));
    assert_eq!(rows[2][8], Data::String("=1+1".into()));
    assert!(book.worksheet_formula("recipients").unwrap().is_empty());
}

#[tokio::test]
async fn an_export_of_many_pages_is_whole() {
    let installation = Installation::new().await;
    let browser = installation.shop().await;
    let numbers: Vec<String> = (0..2_500).map(|n| format!("0912{n:07}")).collect();
    let to: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let no = installation.send("hello", &to).await;
    let csv = file(
        &installation,
        &browser,
        &format!("{}/export.csv", page_of(no)),
    )
    .await;
    let csv = String::from_utf8(csv.to_vec()).unwrap();
    let found: Vec<&str> = csv
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    assert_eq!(found, to);
    let xlsx = file(
        &installation,
        &browser,
        &format!("{}/export.xlsx", page_of(no)),
    )
    .await;
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(xlsx)).unwrap();
    assert_eq!(book.worksheet_range("recipients").unwrap().height(), 2_501);
}

#[tokio::test]
async fn the_numbers_of_a_masked_bulk_are_seen_nowhere() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let no = masked(&installation).await;
    let page = browser.get(&page_of(no)).await;
    page.says("0912***4567")
        .never_says("1234567")
        .never_says("name=\"number\"");
    let looked = browser.get(&format!("{}?number={ALI}", page_of(no))).await;
    looked.says("No recipient fits this search.");
    let csv = file(
        &installation,
        &browser,
        &format!("{}/export.csv", page_of(no)),
    )
    .await;
    let csv = String::from_utf8(csv.to_vec()).unwrap();
    assert!(
        csv.contains(",0912***4567,") && !csv.contains("1234567"),
        "{csv}"
    );
}

async fn masked(installation: &Installation) -> BulkNo {
    let shop = installation.account("shop").await;
    let line = installation.app.catalog().await.unwrap().lines[0].id;
    let command = AcceptBulk {
        account: shop.id,
        line,
        terms: Terms::default(),
        report_seconds: 3_600,
        reference_bits: domain::text::ReferenceBits::Sixteen,
        text: "hello".into(),
        accepted_at: installation.now(),
        due_at: installation.now(),
        expires_at: None,
        urgent: true,
        masked: true,
        idempotency_key: None,
        recipients: vec![NewRecipient {
            address: Address::Mobile(Msisdn::parse(ALI).unwrap()),
            operator: OperatorId(1),
            parts: 1,
            unit_price: Rials(100),
            text: None,
            ends_as: None,
        }],
        day_limit: None,
        whole: true,
        approval: None,
    };
    installation.store.accept_bulk(command).await.unwrap().bulk
}

#[tokio::test]
async fn a_page_is_told_when_its_bulk_changes_and_when_it_is_finished() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    installation.link_is(LinkState::Up, None).await;
    let no = installation.send("hello", &[ALI]).await;
    let path = page_of(no);
    browser
        .get(&path)
        .await
        .says(&format!("sse-connect=\"{path}/live\""));
    let response = raw(&installation, &browser, &format!("{path}/live")).await;
    let kind = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert_eq!(kind, "text/event-stream");
    assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    let mut events = response.into_body();
    let first = next_event(&mut events).await.unwrap();
    assert!(first.starts_with("event: state\n"), "{first}");
    assert!(
        first.contains("data: ") && first.contains("in the queue"),
        "{first}"
    );
    installation.deliver(|_| false).await;
    let second = next_event(&mut events).await.unwrap();
    assert!(second.contains("Finished: 1 delivered."), "{second}");
    let end = next_event(&mut events).await.unwrap();
    assert!(end.starts_with("event: end\n"), "{end}");
    assert_eq!(next_event(&mut events).await, None, "the stream is over");
    let asked = browser.get(&format!("{path}/state")).await;
    assert_eq!(asked.status.as_u16(), 286, "htmx asks no more");
}

async fn next_event(events: &mut Body) -> Option<String> {
    let frame = events.frame().await?.unwrap();
    Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn the_dashboard_counts_this_day_and_shows_what_waits() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser
        .get("/console/home")
        .await
        .says("Nothing was sent yet.")
        .says("1,000,000 rials");
    installation.clock.set(NOW.plus_seconds(60));
    installation.link_is(LinkState::Up, None).await;
    let no = installation.send("hello", &[ALI, SARA]).await;
    let refused = Msisdn::parse(SARA).unwrap();
    installation.deliver(|message| message.to == refused).await;
    let page = browser.get("/console/home").await;
    page.says("999,700 rials")
        .says("50%")
        .says("1 messages failed today.");
    page.says(&format!("href=\"{}\"", page_of(no)));
    page.says("MCI (Hamrah-e Aval): up");
    for (query, said) in [
        ("?period=7d", "Sunday 22 Nov 2026"),
        ("?period=30d&by=operator", ">Irancell<"),
        ("?by=line", LINE),
        ("?period=x&by=y", "data-chart=\"chart-rate\""),
    ] {
        browser
            .get(&format!("/console/home{query}"))
            .await
            .says(said);
    }
    let mut staff = installation.staff("nima", Role::Support).await;
    let page = staff.get("/console/staff/home").await;
    page.says("Messages today")
        .says("None stands still.")
        .says("50%");
}

#[tokio::test]
async fn a_scheduled_bulk_says_when_it_leaves() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let time = Some("2026-11-23 08:00:00");
    let no = installation
        .send_with(Texts::One("hello"), &[ALI], time)
        .await;
    let page = browser.get(&page_of(no)).await;
    page.says("Scheduled: it leaves on 23 Nov 2026, 08:00.")
        .says("scheduled");
    browser.speak("fa");
    browser
        .get(&page_of(no))
        .await
        .says("زمان‌بندی شده: ۲ آذر ۱۴۰۵، ۰۸:۰۰ فرستاده می‌شود.");
}

#[tokio::test]
async fn a_text_that_awaits_approval_waits_on_the_dashboards_and_may_be_cancelled() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let settings = installation.app.catalog().await.unwrap().lines[0]
        .settings
        .clone();
    let settings = domain::line::LineSettings {
        approve_texts: true,
        ..settings
    };
    installation.app.update_line(LINE, settings).await.unwrap();
    let no = installation.send("hello", &[ALI]).await;
    let path = page_of(no);
    let page = browser.get(&path).await;
    page.says("its text has awaited approval since 10:00")
        .says("/cancel\"");
    page.never_says("/pause\"");
    browser.get("/console/home").await.says("awaited approval");
    browser
        .get("/console/bulks?state=approval")
        .await
        .says(&path);
    let mut staff = installation.staff("nima", Role::Moderator).await;
    let page = staff.get("/console/staff/home").await;
    page.says("href=\"/console/staff/approvals\"");
    let shop = installation.account("shop").await;
    let decision = app::Decision {
        approve: false,
        by: "nima",
        reason: Some("<b>a lottery</b>"),
    };
    let decide = installation.app.decide_approval(&shop, no, decision);
    decide.await.unwrap();
    let page = browser.get(&path).await;
    page.says("Its text was not approved")
        .says("&#60;b&#62;a lottery")
        .says("text rejected");
    page.never_says("nima").never_says("/cancel\"");
}
