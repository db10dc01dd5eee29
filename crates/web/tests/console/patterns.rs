//! Patterns: keeping them, trying them, and the way through approval.

use crate::fixture::{Installation, PASSWORD, add_account};
use app::ChangePattern;
use axum::http::StatusCode;
use domain::account::AccountSettings;
use domain::pattern::PatternStatus;

const FORM: [(&str, &str); 3] = [
    ("title", "Login"),
    ("code", "login-1"),
    ("text", "Your code: %code%"),
];
const AT: &str = "/console/patterns/login-1";

async fn status(installation: &Installation) -> PatternStatus {
    installation.app.pattern("login-1").await.unwrap().status
}

async fn approve(installation: &Installation) {
    let change = ChangePattern {
        status: Some(PatternStatus::Active),
        ..ChangePattern::default()
    };
    installation
        .app
        .change_pattern("login-1", change)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_pattern_waits_for_approval_when_it_is_new_and_when_its_text_changes() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser
        .get("/console/patterns")
        .await
        .says("Make your first one below");
    let made = browser.post("/console/patterns", &FORM).await;
    let page = browser.follow(&made).await;
    page.says("awaiting approval").says("Your code: %code%");
    approve(&installation).await;
    browser
        .get("/console/patterns")
        .await
        .says(">active<")
        .says("login-1");
    // A new title alone changes nothing of what is sent.
    let same = [
        ("title", "Other"),
        ("text", "Your code: %code%"),
        ("variable", "code"),
        ("kind", "text"),
        ("chars_max", "100"),
    ];
    let saved = browser.post(AT, &same).await;
    browser.follow(&saved).await.says("Other").says(">active<");
    let looser = [
        ("text", "Your code: %code%"),
        ("variable", "code"),
        ("kind", "text"),
        ("chars_max", "500"),
    ];
    browser.post(AT, &looser).await;
    assert_eq!(
        status(&installation).await,
        PatternStatus::Waiting,
        "a longer value"
    );
    approve(&installation).await;
    browser
        .post(
            AT,
            &[
                ("text", "Buy now! %code%"),
                ("variable", "code"),
                ("kind", "code"),
            ],
        )
        .await;
    assert_eq!(
        status(&installation).await,
        PatternStatus::Waiting,
        "another text"
    );
}

#[tokio::test]
async fn switching_off_and_on_is_no_way_around_approval() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser.post("/console/patterns", &FORM).await;
    let switch = format!("{AT}/switch");
    for to in ["off", "on", "", "active"] {
        browser.post(&switch, &[("to", to)]).await;
        assert_eq!(status(&installation).await, PatternStatus::Waiting, "{to}");
    }
    approve(&installation).await;
    browser.post(&switch, &[("to", "off")]).await;
    assert_eq!(status(&installation).await, PatternStatus::Inactive);
    browser.post(&switch, &[("to", "on")]).await;
    assert_eq!(status(&installation).await, PatternStatus::Waiting);
    let settings = AccountSettings {
        texts_trusted: true,
        ..AccountSettings::default()
    };
    installation
        .app
        .update_account("shop", None, Some(settings))
        .await
        .unwrap();
    browser.post(AT, &[("text", "Trusted: %code%")]).await;
    assert_eq!(status(&installation).await, PatternStatus::Active);
}

#[tokio::test]
async fn a_pattern_is_tried_with_values_and_shown_as_code() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser.post("/console/patterns", &FORM).await;
    let described = [
        ("text", "Your code: %code%"),
        ("variable", "code"),
        ("kind", "number"),
        ("chars_max", "6"),
    ];
    browser.post(AT, &described).await;
    let test = format!("{AT}/test");
    let page = browser.post(&test, &[("value", "1234")]).await;
    page.says("Your code: 1234").says("1 parts").says("Latin");
    for (value, said) in [
        ("x", "must be a number"),
        ("1234567", "longer than it may be"),
    ] {
        let page = browser.post(&test, &[("value", value)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.body.contains(said), "{}", page.body);
    }
    let page = browser.get(AT).await;
    page.says("cURL")
        .says("Python")
        .says("login-1")
        .says("patternCode");
    page.never_says("PATTERN_CODE");
    let removed = browser.post(&format!("{AT}/remove"), &[]).await;
    browser
        .follow(&removed)
        .await
        .says("The pattern was removed");
    assert_eq!(browser.get(AT).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_pattern_of_another_account_is_used_where_it_may_be_and_never_changed() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser.post("/console/patterns", &FORM).await;
    add_account(&installation.app, "other").await;
    let mut other = installation.signed_in("other", PASSWORD).await;
    assert_eq!(other.get(AT).await.status, StatusCode::NOT_FOUND);
    other.get("/console/patterns").await.never_says("login-1");
    installation
        .app
        .grant_pattern("login-1", "other", true)
        .await
        .unwrap();
    other
        .get("/console/patterns")
        .await
        .says("Patterns of others")
        .says("login-1");
    let page = other.get(AT).await;
    page.says("another account&#39;s pattern")
        .never_says("Remove the pattern");
    other
        .post(&format!("{AT}/test"), &[("value", "1")])
        .await
        .says("Your code: 1");
    for path in ["", "/switch", "/remove"] {
        let page = other
            .post(&format!("{AT}{path}"), &[("text", "stolen %code%")])
            .await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
    }
    installation
        .app
        .grant_pattern("login-1", "other", false)
        .await
        .unwrap();
    assert_eq!(other.get(AT).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_pattern_that_cannot_be_one_is_refused_at_its_field() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    browser.post("/console/patterns", &FORM).await;
    for (form, said) in [
        (
            vec![("text", "%code%")],
            "says nothing beside its variables",
        ),
        (vec![("text", "")], "says nothing beside its variables"),
        (
            vec![("text", "a"), ("code", "a b")],
            "Latin letters, digits",
        ),
        (
            vec![("text", "a"), ("code", "login-1")],
            "This code is taken",
        ),
    ] {
        let page = browser.post("/console/patterns", &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{form:?}");
        assert!(page.body.contains(said), "{form:?}: {}", page.body);
    }
    for length in ["0", "501", "-1", "x", "99999"] {
        let form = [
            ("text", "Your code: %code%"),
            ("variable", "code"),
            ("chars_max", length),
        ];
        let page = browser.post(AT, &form).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{length}");
    }
    let too_many: String = (0..21).map(|n| format!("%v{n}% x ")).collect();
    let page = browser
        .post("/console/patterns", &[("text", &*too_many)])
        .await;
    assert!(page.body.contains("20 variables at most"));
}

#[tokio::test]
async fn texts_of_patterns_do_no_harm() {
    let installation = Installation::new().await;
    let mut browser = installation.shop().await;
    let hostile = "</textarea><script>alert(1)</script>\"><img src=x> %\"><b>%";
    let form = [("title", hostile), ("code", "login-1"), ("text", hostile)];
    let made = browser.post("/console/patterns", &form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let test = format!("{AT}/test");
    let note = ChangePattern {
        note: Some("<script>alert(1)</script>\u{202e}".into()),
        ..ChangePattern::default()
    };
    installation
        .app
        .change_pattern("login-1", note)
        .await
        .unwrap();
    for page in [
        browser.get(AT).await,
        browser.get("/console/patterns").await,
        browser.post(&test, &[("value", hostile)]).await,
        browser
            .post("/console/patterns", &[("text", hostile), ("code", hostile)])
            .await,
    ] {
        page.never_says("<script>alert")
            .never_says("<img src=x")
            .never_says("\u{202e}");
        page.never_says("\"><b>");
    }
}
