//! The staff's pages: what each of them shows, and what comes of their forms.

use crate::fixture::{Browser, Installation, LINE, Page, add_account};
use app::screening::Decision;
use app::{AuditQuery, EndSessions};
use axum::http::StatusCode;
use domain::approval::{RuleMatch, RuleScope};
use domain::blacklist::BlackList;
use domain::ids::UserNo;
use domain::link::{LinkState, LinkStatus};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::text::Alphabet;
use domain::user::Role;

const ALI: &str = "09121234567";
const HOSTILE: &str = "<script>alert(1)</script>\"><img src=x>\u{202e}=HYPERLINK(\"x\")";

/// Fails where a stranger's text came through as anything but text.
#[track_caller]
fn harmless(page: &Page) {
    page.never_says("<script>alert")
        .never_says("<img src=x")
        .never_says("\u{202e}");
}

async fn hold_everything(installation: &Installation) {
    let scope = RuleScope::default();
    let rule = installation
        .app
        .add_approval_rule(RuleMatch::Everything, scope, HOSTILE);
    rule.await.unwrap();
}

/// The newest entry of the audit log, as action, subject, details and outcome.
async fn last_change(installation: &Installation) -> (String, String, String, String) {
    let query = AuditQuery {
        limit: 1,
        ..AuditQuery::default()
    };
    let page = installation.app.audit(query).await.unwrap();
    let audit = page.entries.into_iter().next().expect("an entry");
    let entry = audit.entry;
    let outcome = audit.outcome.unwrap_or_default();
    (entry.action, entry.subject, entry.details, outcome)
}

/// What a form of settings would send as it is shown: its fields with their values.
fn filled(page: &Page) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    for tag in page.body.split('<').skip(1) {
        let value = |name: &str| {
            let start = format!(" {name}=\"");
            let rest = tag.split_once(start.as_str())?.1;
            Some(rest.split('"').next()?.replace("&#60;", "<"))
        };
        let Some(name) = value("name") else { continue };
        let kind = value("type").unwrap_or_default();
        if tag.starts_with("textarea") {
            let text = tag.split_once('>').map_or("", |(_, text)| text);
            fields.push((name, text.to_owned()));
        } else if kind == "checkbox" {
            if tag.contains(" checked") {
                fields.push((name, value("value").unwrap_or_default()));
            }
        } else if tag.starts_with("input") {
            fields.push((name, value("value").unwrap_or_default()));
        }
    }
    // Choices, with the option that is chosen, or the first.
    for select in page.body.split("<select").skip(1) {
        let name = select.split_once(" name=\"").unwrap().1;
        let name = name.split('"').next().unwrap().to_owned();
        let inside = select.split("</select").next().unwrap();
        let options: Vec<&str> = inside.split("<option value=\"").skip(1).collect();
        let chosen = options.iter().find(|option| option.contains(" selected"));
        let chosen = chosen.or(options.first()).unwrap();
        fields.push((name, chosen.split('"').next().unwrap().to_owned()));
    }
    fields
}

/// Sends a form as it is shown, but for some fields.
async fn resend(browser: &mut Browser, page: &Page, path: &str, other: &[(&str, &str)]) -> Page {
    let mut fields = filled(page);
    fields.retain(|(name, _)| !other.iter().any(|(changed, _)| changed == name));
    let mut form: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    form.extend_from_slice(other);
    browser.post(path, &form).await
}

#[tokio::test]
async fn a_text_that_waits_is_shown_whole_and_goes_its_way_when_it_is_approved() {
    let installation = Installation::new().await;
    hold_everything(&installation).await;
    let text = format!("first line\n{HOSTILE}");
    let no = installation.send(&text, &[ALI]).await;
    let shop = installation.account("shop").await;
    let mut moderator = installation.staff("mod", Role::Moderator).await;
    let queue = moderator.get("/console/staff/approvals").await;
    queue.says("first line").says(LINE).says(&no.to_string());
    harmless(&queue);
    let pick = format!("{}.{no}", shop.id);
    let form = [
        ("pick", pick.as_str()),
        ("decision", "approve"),
        ("reason", "fine"),
    ];
    let page = moderator.post("/console/staff/approvals", &form).await;
    let queue = moderator.follow(&page).await;
    queue.says("1 approved").says("No text waits");
    let approval = installation.app.approval(&shop, no).await.unwrap().unwrap();
    assert_eq!(approval.decided_by.as_deref(), Some("staff:mod"));
    assert_eq!(approval.reason.as_deref(), Some("fine"));
    let (action, subject, _, outcome) = last_change(&installation).await;
    assert_eq!(
        (action.as_str(), outcome.as_str()),
        ("approval.approve", "done")
    );
    assert_eq!(subject, no.to_string());
    let decided = moderator.get("/console/staff/approvals/decided").await;
    decided.says("staff:mod").says("fine").says(&no.to_string());
}

#[tokio::test]
async fn several_texts_are_rejected_at_once_and_those_that_somebody_else_decided_are_counted() {
    let installation = Installation::new().await;
    hold_everything(&installation).await;
    let numbers = [
        installation.send("one", &[ALI]).await,
        installation.send("two", &[ALI]).await,
    ];
    let shop = installation.account("shop").await;
    let decision = Decision {
        approve: true,
        by: "another",
        reason: None,
    };
    let before = installation
        .app
        .decide_approval(&shop, numbers[0], decision);
    before.await.unwrap();
    let mut moderator = installation.staff("mod", Role::Moderator).await;
    let picks = numbers.map(|no| format!("{}.{no}", shop.id));
    let form = [
        ("pick", picks[0].as_str()),
        ("pick", &picks[1]),
        ("pick", "x"),
        ("decision", "reject"),
    ];
    let page = moderator.post("/console/staff/approvals", &form).await;
    let page = moderator.follow(&page).await;
    page.says("1 rejected").says("1 could not be decided");
    let page = moderator
        .post("/console/staff/approvals", &[("decision", "reject")])
        .await;
    moderator.follow(&page).await.says("No text was chosen");
}

#[tokio::test]
async fn a_rule_marks_what_it_found_and_a_text_can_be_tried_against_all() {
    let installation = Installation::new().await;
    let mut moderator = installation.staff("mod", Role::Moderator).await;
    let rules = moderator.get("/console/staff/approval-rules").await;
    let path = "/console/staff/approval-rules";
    let new = [("kind", "word"), ("what", "lottery"), ("note", HOSTILE)];
    let page = resend(&mut moderator, &rules, path, &new).await;
    let page = moderator.follow(&page).await;
    page.says("The rule was added").says("lottery");
    harmless(&page);
    let tried = moderator
        .post(
            "/console/staff/approval-rules/try",
            &[("text", "win the Lottery now")],
        )
        .await;
    tried.says("These rules would hold it");
    let tried = moderator
        .post("/console/staff/approval-rules/try", &[("text", "hello")])
        .await;
    tried.says("No rule would hold this text");
    installation.send("win the Lottery now", &[ALI]).await;
    let queue = moderator.get("/console/staff/approvals").await;
    queue.says("<mark>Lottery</mark>");
    let bad = resend(
        &mut moderator,
        &rules,
        path,
        &[("kind", "pattern"), ("what", "(")],
    )
    .await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(bad.body.contains("Not taken"), "{}", bad.body);
}

#[tokio::test]
async fn a_link_is_paused_resumed_connected_anew_and_changed_and_its_password_is_never_shown() {
    let installation = Installation::new().await;
    let app = &installation.app;
    let mut settings = app.link("mci").await.unwrap().settings;
    settings.host = "smsc".into();
    settings.password = "sesame-open".into();
    app.update_link("mci", settings).await.unwrap();
    let id = app.link("mci").await.unwrap().id;
    let mut operator = installation.staff("op", Role::Operator).await;
    let path = format!("/console/staff/links/{id}");
    let page = operator.post(&format!("{path}/pause"), &[]).await;
    operator.follow(&page).await.says("paused");
    assert!(!app.link("mci").await.unwrap().settings.enabled);
    operator.post(&format!("{path}/resume"), &[]).await;
    assert!(app.link("mci").await.unwrap().settings.enabled);
    operator.post(&format!("{path}/reconnect"), &[]).await;
    assert_eq!(app.link("mci").await.unwrap().settings.reconnects, 1);
    let edit = operator.get(&format!("{path}/edit")).await;
    edit.says("smsc").never_says("sesame-open");
    let changed = resend(
        &mut operator,
        &edit,
        &format!("{path}/edit"),
        &[("window", "۲۵۰"), ("errors", "88=throttled")],
    )
    .await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", changed.body);
    let settings = app.link("mci").await.unwrap().settings;
    assert_eq!((settings.window, settings.errors.len()), (250, 1));
    assert_eq!(settings.password, "sesame-open");
    assert_eq!((settings.enabled, settings.reconnects), (true, 1));
    let changed = resend(
        &mut operator,
        &edit,
        &format!("{path}/edit"),
        &[("password", "another-one")],
    )
    .await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER);
    let (action, _, details, _) = last_change(&installation).await;
    assert_eq!(action, "link.update");
    assert!(details.contains("password: changed"), "{details}");
    assert!(!details.contains("another-one"), "{details}");
    let wrong = resend(
        &mut operator,
        &edit,
        &format!("{path}/edit"),
        &[("binds", "0")],
    )
    .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("from 1 to 64"), "{}", wrong.body);
}

#[tokio::test]
async fn a_links_state_window_and_speed_stand_in_the_list_and_its_error_does_no_harm() {
    let installation = Installation::new().await;
    let link = installation.app.link("mci").await.unwrap();
    let status = LinkStatus {
        link: link.id,
        state: LinkState::Down,
        since: installation.now(),
        at: installation.now(),
        binds_up: 0,
        in_flight: 17,
        last_error: Some(HOSTILE.into()),
        rate_learnt: Some(42),
        per_second: Some(31),
    };
    installation.store.save_link_status(status).await.unwrap();
    let mut support = installation.staff("sup", Role::Support).await;
    for path in ["/console/staff/links", "/console/staff/links/table"] {
        let page = support.get(path).await;
        page.says("down")
            .says("17 / 100")
            .says("42 a second")
            .says("31 a second");
        page.never_says("/pause");
        harmless(&page);
    }
    harmless(
        &support
            .get(&format!("/console/staff/links/{}", link.id))
            .await,
    );
}

#[tokio::test]
async fn a_line_is_added_routed_and_given_to_an_account() {
    let installation = Installation::new().await;
    let app = &installation.app;
    let link = app.link("mci").await.unwrap().id.to_string();
    let mut operator = installation.staff("op", Role::Operator).await;
    let new = operator.get("/console/staff/lines/new").await;
    let form = [
        ("number", "3000777"),
        ("hours", "08:00-22:00"),
        ("route-every", link.as_str()),
        ("class", "advertising"),
    ];
    let page = resend(&mut operator, &new, "/console/staff/lines/new", &form).await;
    let page = operator.follow(&page).await;
    page.says("3000777").says("08:00-22:00").says("mci");
    let line = app.line("3000777").await.unwrap();
    assert_eq!(line.settings.routes.len(), 1);
    let path = format!("/console/staff/lines/{}", line.id);
    operator
        .post(&format!("{path}/grant"), &[("account", "shop")])
        .await;
    let lines = app
        .lines(&*installation.account("shop").await)
        .await
        .unwrap();
    assert_eq!(lines.len(), 2);
    let nobody = operator
        .post(&format!("{path}/grant"), &[("account", "nobody")])
        .await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    // The form that is shown, sent as it is, changes nothing.
    installation
        .clock
        .set(installation.now().plus_millis(1_000));
    let edit = operator.get(&format!("{path}/edit")).await;
    let same = resend(&mut operator, &edit, &format!("{path}/edit"), &[]).await;
    assert_eq!(same.status, StatusCode::SEE_OTHER, "{}", same.body);
    assert_eq!(app.line("3000777").await.unwrap().settings, line.settings);
    let (_, _, details, _) = last_change(&installation).await;
    assert_eq!(details, "");
    let wrong = resend(
        &mut operator,
        &edit,
        &format!("{path}/edit"),
        &[("hours", "22-8")],
    )
    .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn prices_are_set_changed_and_removed_and_a_form_cut_short_removes_none() {
    let installation = Installation::new().await;
    let mut operator = installation.staff("op", Role::Operator).await;
    let path = "/console/staff/tariffs";
    let page = operator.get(path).await;
    page.says("value=\"120\"");
    let set = resend(
        &mut operator,
        &page,
        path,
        &[("price-mtn-ucs2", "۱۵۰"), ("price-every-gsm7", "")],
    )
    .await;
    assert_eq!(set.status, StatusCode::SEE_OTHER, "{}", set.body);
    let prices = |catalog: &app::Catalog| catalog.tariffs.clone();
    let catalog = installation.app.catalog().await.unwrap();
    let prices_now = prices(&catalog);
    assert!(
        prices_now
            .iter()
            .any(|row| row.operator.is_some() && row.price == Rials(150))
    );
    assert!(!prices_now.iter().any(|row| row.alphabet == Alphabet::Gsm7));
    let cut = operator.post(path, &[("line", "")]).await;
    assert_eq!(cut.status, StatusCode::SEE_OTHER);
    let catalog = installation.app.catalog().await.unwrap();
    assert_eq!(prices(&catalog), prices_now);
    let wrong = resend(&mut operator, &page, path, &[("price-mtn-ucs2", "-3")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn an_account_is_opened_paid_into_restricted_and_found_by_a_word() {
    let installation = Installation::new().await;
    let app = &installation.app;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    let new = admin.get("/console/staff/accounts/new").await;
    let form = [
        ("name", "bakery"),
        ("title", HOSTILE),
        ("expires", "2027-03-20"),
    ];
    let opened = resend(&mut admin, &new, "/console/staff/accounts/new", &form).await;
    opened.says("This password is shown this once");
    let password = opened.body.split_once("<code id=\"password\">").unwrap().1;
    let password = password.split('<').next().unwrap().to_owned();
    installation.signed_in("bakery", &password).await;
    let account = installation.account("bakery").await;
    let path = format!("/console/staff/accounts/{}", account.id);
    let form = [("amount", "۲۵٬۰۰۰"), ("way", "in"), ("note", "cash")];
    let page = admin.post(&format!("{path}/money"), &form).await;
    admin.follow(&page).await.says("25,000 rials");
    let too_much = admin
        .post(
            &format!("{path}/money"),
            &[("amount", "90000"), ("way", "out")],
        )
        .await;
    assert_eq!(too_much.status, StatusCode::UNPROCESSABLE_ENTITY);
    let ledger = admin.get(&format!("{path}/ledger")).await;
    ledger.says("paid in or corrected").says("cash");
    admin.post(&format!("{path}/restrict"), &[]).await;
    assert!(installation.account("bakery").await.settings.restricted);
    let found = admin.get("/console/staff/accounts?q=BAKE").await;
    found.says("bakery").never_says(">shop<").says("restricted");
    harmless(&found);
    harmless(&admin.get(&path).await);
    let edit = admin.get(&format!("{path}/edit")).await;
    harmless_form(&edit);
    let bad = resend(
        &mut admin,
        &edit,
        &format!("{path}/edit"),
        &[("allow_from", "10.0.0.0/99")],
    )
    .await;
    assert_eq!(bad.status, StatusCode::UNPROCESSABLE_ENTITY);
    let renewed = admin.post(&format!("{path}/password"), &[]).await;
    renewed.says("A new password");
    let (action, subject, details, _) = last_change(&installation).await;
    assert_eq!(
        (action.as_str(), subject.as_str()),
        ("account.password", "bakery")
    );
    assert_eq!(details, "");
    assert!(app.account("bakery").await.is_ok());
}

/// A form shows what was typed as it is, so it may turn; it must not act.
#[track_caller]
fn harmless_form(page: &Page) {
    page.never_says("<script>alert").never_says("<img src=x");
}

#[tokio::test]
async fn the_settings_form_of_an_account_sent_as_it_is_changes_nothing() {
    let installation = Installation::new().await;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    let before = installation.account("shop").await;
    let path = format!("/console/staff/accounts/{}/edit", before.id);
    let page = admin.get(&path).await;
    let same = resend(&mut admin, &page, &path, &[]).await;
    assert_eq!(same.status, StatusCode::SEE_OTHER, "{}", same.body);
    let after = installation.account("shop").await;
    assert_eq!(after.settings, before.settings);
}

#[tokio::test]
async fn a_package_is_made_priced_given_and_offered() {
    let installation = Installation::new().await;
    let app = &installation.app;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    let line = app.line(LINE).await.unwrap().id.to_string();
    let new = admin.get("/console/staff/packages/new").await;
    let form = [
        ("name", "gold"),
        ("title", HOSTILE),
        ("lines", line.as_str()),
        ("sub_accounts_max", "5"),
    ];
    let page = resend(&mut admin, &new, "/console/staff/packages/new", &form).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    harmless(&admin.follow(&page).await);
    let package = app.package("gold").await.unwrap();
    assert_eq!(package.settings.operations, None);
    let path = format!("/console/staff/packages/{}", package.id);
    let prices = admin.get(&format!("{path}/tariffs")).await;
    resend(
        &mut admin,
        &prices,
        &format!("{path}/tariffs"),
        &[("price-every-ucs2", "130")],
    )
    .await;
    assert_eq!(app.package("gold").await.unwrap().tariffs.len(), 1);
    let shop = installation.account("shop").await;
    let account = format!("/console/staff/accounts/{}", shop.id);
    let given = admin
        .post(&format!("{account}/package"), &[("package", "gold")])
        .await;
    admin.follow(&given).await.says("another package");
    assert_eq!(installation.account("shop").await.package, Some(package.id));
    let offered = admin
        .post(&format!("{path}/offer"), &[("account", "shop")])
        .await;
    admin.follow(&offered).await.says("may hand it out");
    let kept = admin.post(&format!("{path}/remove"), &[]).await;
    assert_eq!(kept.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn numbers_come_onto_a_blacklist_from_a_form_and_from_a_file() {
    let installation = Installation::new().await;
    let app = &installation.app;
    let mut moderator = installation.staff("mod", Role::Moderator).await;
    let path = "/console/staff/blacklists/installation";
    let added = moderator
        .post(
            &format!("{path}/add"),
            &[("numbers", "09121234567\n۰۹۳۵۱۲۳۴۵۶۷")],
        )
        .await;
    moderator.follow(&added).await.says("2 were added");
    let found = moderator
        .get(&format!("/console/staff/blacklists?number={ALI}"))
        .await;
    found.says("The installation&#39;s own list");
    let removed = moderator
        .post(&format!("{path}/remove"), &[("numbers", ALI)])
        .await;
    moderator.follow(&removed).await.says("1 were removed");
    let wrong = moderator
        .post(&format!("{path}/add"), &[("numbers", HOSTILE)])
        .await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    harmless(&wrong);
    let content = format!("\u{feff}09121111111\n{HOSTILE}\n09122222222\n09121111111\n");
    let file = ("file", "numbers.txt", content.as_bytes());
    let read = moderator
        .upload(&format!("{path}/import"), &[("replace", "1")], file)
        .await;
    read.says("2 came from the file")
        .says("1 were doubled")
        .says("1 lines were refused");
    harmless(&read);
    let lists = app.blacklists().await.unwrap();
    let own = lists
        .iter()
        .find(|state| state.list == BlackList::Installation);
    assert_eq!(own.unwrap().count, 2);
    let number = Msisdn::parse("09351234567").unwrap();
    assert_eq!(app.blacklists_of(number).await.unwrap(), []);
    let empty = moderator
        .upload(
            &format!("{path}/import"),
            &[("replace", "1")],
            ("file", "x", b"nothing"),
        )
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let nowhere = moderator
        .post("/console/staff/blacklists/line-99/add", &[("numbers", ALI)])
        .await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_ticket_is_read_answered_and_closed_and_its_file_is_only_ever_saved() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await;
    let picture = b"\x89PNG\r\n\x1a\n<script>alert(1)</script>";
    let form = app::TicketForm {
        ticket: "",
        subject: "a question about lines",
        description: HOSTILE,
        kind: "problem",
        importance: "acute",
        sms_notification: "yes",
        file: Some(app::GivenFile::Content("../\"><img src=x>.png", picture)),
    };
    let no = installation.app.write_ticket(&shop, &form).await.unwrap();
    let mut moderator = installation.staff("mod", Role::Moderator).await;
    let list = moderator.get("/console/staff/tickets").await;
    list.says("a question about lines").says("at once");
    let path = format!("/console/staff/tickets/{}/{no}", shop.id);
    let page = moderator.get(&path).await;
    page.says("a question about lines");
    harmless(&page);
    let file = moderator.get(&format!("{path}/files/1")).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.headers["content-type"], "application/octet-stream");
    assert_eq!(file.headers["x-content-type-options"], "nosniff");
    let disposition = file.headers["content-disposition"].to_str().unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"ticket-1.png\""),
        "{disposition}"
    );
    assert_eq!(
        moderator.get(&format!("{path}/files/2")).await.status,
        StatusCode::NOT_FOUND
    );
    let answered = moderator
        .post(&format!("{path}/reply"), &[("text", "we look at it")])
        .await;
    let page = moderator.follow(&answered).await;
    page.says("we look at it")
        .says("No account and line are set");
    let empty = moderator
        .post(&format!("{path}/reply"), &[("text", " ")])
        .await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let closed = moderator.post(&format!("{path}/close"), &[]).await;
    moderator
        .follow(&closed)
        .await
        .says("The ticket is closed")
        .says("There is no open ticket");
    let (action, _, details, _) = last_change(&installation).await;
    assert_eq!((action.as_str(), details.as_str()), ("ticket.close", ""));
}

#[tokio::test]
async fn the_audit_log_is_filtered_and_a_change_without_an_outcome_says_so() {
    let installation = Installation::new().await;
    add_account(&installation.app, "bakery").await;
    let mut operator = installation.staff("op", Role::Operator).await;
    let id = installation.app.link("mci").await.unwrap().id;
    operator
        .post(&format!("/console/staff/links/{id}/pause"), &[])
        .await;
    let entry = store::NewAudit {
        account: Some(installation.account("bakery").await.id),
        at: installation.now(),
        actor: HOSTILE.into(),
        address: String::new(),
        action: "key.create".into(),
        subject: HOSTILE.into(),
        details: HOSTILE.into(),
    };
    installation.store.begin_audit(entry).await.unwrap();
    let log = operator.get("/console/staff/audit").await;
    log.says("link.pause")
        .says("staff:op")
        .says("unknown: it may be done")
        .says("192.0.2.7");
    harmless(&log);
    let of_links = operator.get("/console/staff/audit?action=link.").await;
    of_links.says("link.pause").never_says("key.create");
    let of_bakery = operator.get("/console/staff/audit?account=bakery").await;
    of_bakery.says("key.create").never_says("link.pause");
    operator
        .get("/console/staff/audit?account=nobody")
        .await
        .says("There is no such account");
    operator
        .get("/console/staff/audit?before=nonsense")
        .await
        .says("link.pause");
}

#[tokio::test]
async fn somebody_of_the_staff_is_added_changed_locked_and_removed_but_never_the_last_administrator()
 {
    let installation = Installation::new().await;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    let list = admin.get("/console/staff/people").await;
    let new = [("name", "reza"), ("title", HOSTILE), ("role", "operator")];
    let added = resend(&mut admin, &list, "/console/staff/people", &new).await;
    added.says("This password is shown this once");
    let twice = resend(&mut admin, &list, "/console/staff/people", &new).await;
    assert_eq!(twice.status, StatusCode::UNPROCESSABLE_ENTITY);
    harmless_form(&twice);
    let people = installation.app.people(None).await.unwrap();
    let of = |name: &str| people.iter().find(|user| user.name == name).unwrap().no;
    let (reza, boss) = (of("reza"), of("boss"));
    let path = format!("/console/staff/people/{reza}");
    let page = admin.get(&path).await;
    let changed = resend(
        &mut admin,
        &page,
        &path,
        &[("role", "moderator"), ("locked", "1")],
    )
    .await;
    admin
        .follow(&changed)
        .await
        .says("moderator")
        .says("locked");
    admin
        .post(&format!("{path}/password"), &[])
        .await
        .says("A new password");
    let removed = admin.post(&format!("{path}/remove"), &[]).await;
    admin.follow(&removed).await.never_says(">reza<");
    let last = admin
        .post(&format!("/console/staff/people/{boss}/remove"), &[])
        .await;
    assert_eq!(last.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        last.body.contains("One administrator must be left"),
        "{}",
        last.body
    );
}

#[tokio::test]
async fn a_queue_that_stands_still_says_why() {
    let installation = Installation::new().await;
    installation.send("hello", &[ALI]).await;
    let mut support = installation.staff("sup", Role::Support).await;
    let health = support.get("/console/staff/health").await;
    health
        .says(LINE)
        .says("was never up")
        .says("No process sends anything")
        .says("peyk doctor");
    let link = installation.app.link("mci").await.unwrap();
    let status = LinkStatus {
        link: link.id,
        state: LinkState::Up,
        since: installation.now(),
        at: installation.now(),
        binds_up: 1,
        in_flight: 0,
        last_error: None,
        rate_learnt: None,
        per_second: None,
    };
    installation.store.save_link_status(status).await.unwrap();
    installation
        .clock
        .set(installation.now().plus_millis(1_000));
    support
        .get("/console/staff/health/now")
        .await
        .says("No queue stands still");
}

#[tokio::test]
async fn the_second_factor_of_somebody_of_an_account_can_be_reset() {
    let installation = Installation::new().await;
    let shop = installation.account("shop").await;
    installation
        .add_person(Some(shop.id), "ali", Role::Sender)
        .await;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    let page = admin
        .get(&format!("/console/staff/accounts/{}", shop.id))
        .await;
    page.says("shop/ali");
    let path = format!("/console/staff/accounts/{}/people", shop.id);
    let reset = admin.post(&format!("{path}/1/factor"), &[]).await;
    admin
        .follow(&reset)
        .await
        .says("The second factor was removed");
    let nobody = admin.post(&format!("{path}/77/factor"), &[]).await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let ended = installation
        .app
        .end_sessions(Some(shop.id), UserNo(1), EndSessions::All);
    assert_eq!(ended.await.unwrap(), 0);
}

#[tokio::test]
async fn the_pages_are_there_in_both_languages() {
    let installation = Installation::new().await;
    let mut admin = installation.staff("boss", Role::Administrator).await;
    for language in ["fa", "en"] {
        admin.speak(language);
        for page in [
            "approvals",
            "approvals/decided",
            "approval-rules",
            "links",
            "links/new",
            "lines",
            "lines/new",
            "tariffs",
            "packages",
            "packages/new",
            "accounts",
            "accounts/new",
            "blacklists",
            "directory",
            "tickets",
            "audit",
            "people",
            "health",
            "settings",
        ] {
            let page = admin.get(&format!("/console/staff/{page}")).await;
            page.says("<h1>")
                .never_says(" style=\"")
                .never_says(" onclick");
        }
    }
    admin
        .get("/console/staff/directory")
        .await
        .says("There is no directory");
}
