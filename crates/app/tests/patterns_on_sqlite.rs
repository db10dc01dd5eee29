//! Keeping patterns and keys, over the SQLite store.

use app::keys::KEY_CHARS_MIN;
use app::patterns::GENERATED_CODE_CHARS;
use app::{App, ChangePattern, CreateAccount, CreateKey, CreatePattern, Limits, ManageError};
use domain::ids::KeyNo;
use domain::operator::Operators;
use domain::pattern::{Kind, PatternStatus, Variable};
use domain::time::{ManualClock, UnixMillis};
use std::sync::Arc;
use store_sqlite::{Options, SqliteStore};

const NOW: UnixMillis = UnixMillis(1_795_329_672_000);

async fn scene() -> (App, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("peyk.db"), Options::default()).unwrap();
    let clock = Arc::new(ManualClock::at(NOW));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(
        Arc::new(store),
        clock,
        operators,
        Limits::default(),
        [7; 32],
    );
    for name in ["shop", "other"] {
        let account = CreateAccount {
            name: name.into(),
            ..CreateAccount::default()
        };
        app.create_account(account).await.unwrap();
    }
    (app, folder)
}

fn new(text: &str) -> CreatePattern {
    CreatePattern {
        account: "shop".into(),
        code: None,
        title: String::new(),
        text: text.into(),
        variables: Vec::new(),
        status: PatternStatus::Active,
    }
}

fn refused<T>(answer: Result<T, ManageError>) -> String {
    match answer {
        Ok(_) => "done".into(),
        Err(error) => error.to_string(),
    }
}

#[tokio::test]
async fn a_code_is_made_up_or_brought_along() {
    let (app, _folder) = scene().await;
    let one = app.create_pattern(new("x%a%")).await.unwrap();
    let other = app.create_pattern(new("x%a%")).await.unwrap();
    assert_ne!(one.code, other.code);
    assert_eq!(one.code.len(), GENERATED_CODE_CHARS);
    assert!(one.code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let brought = |code: &str| CreatePattern {
        code: Some(code.into()),
        ..new("x%a%")
    };
    let made = app.create_pattern(brought(" K3-zn ")).await.unwrap();
    assert_eq!(app.pattern("K3-zn").await.unwrap(), made);
    let taken = CreatePattern {
        account: "other".into(),
        ..brought("K3-zn")
    };
    assert_eq!(
        refused(app.create_pattern(taken).await),
        "pattern K3-zn exists already"
    );
    assert_eq!(
        refused(app.create_pattern(brought("a b")).await),
        "not a pattern's code (letters, digits, - and _, at most 64)"
    );
}

#[tokio::test]
async fn a_changed_text_keeps_what_its_variables_may_hold() {
    let (app, _folder) = scene().await;
    let first = CreatePattern {
        variables: vec![
            Variable::new("code", Kind::Code),
            Variable::new("n", Kind::Number),
        ],
        ..new("%code% %n%!")
    };
    let code = app.create_pattern(first).await.unwrap().code;
    let change = ChangePattern {
        text: Some("%name%: %CODE%, %n%".into()),
        variables: vec![Variable::new("N", Kind::Name)],
        ..ChangePattern::default()
    };
    let changed = app.change_pattern(&code, change).await.unwrap();
    let kinds: Vec<(&str, Kind)> = changed
        .variables
        .iter()
        .map(|one| (one.name.as_str(), one.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("name", Kind::Text),
            ("CODE", Kind::Code),
            ("n", Kind::Name)
        ]
    );
    let gone = ChangePattern {
        text: Some("%code%.".into()),
        ..ChangePattern::default()
    };
    let changed = app.change_pattern(&code, gone).await.unwrap();
    assert_eq!(changed.variables, [Variable::new("code", Kind::Code)]);
    let wrong = ChangePattern {
        variables: vec![Variable::new("n", Kind::Number)],
        ..ChangePattern::default()
    };
    assert_eq!(
        refused(app.change_pattern(&code, wrong).await),
        "the text has no variable %n%"
    );
    assert_eq!(app.pattern(&code).await.unwrap(), changed);
}

#[tokio::test]
async fn the_leave_to_use_a_pattern_is_shown_and_an_owner_needs_none() {
    let (app, _folder) = scene().await;
    let code = app.create_pattern(new("x%a%")).await.unwrap().code;
    assert_eq!(
        refused(app.grant_pattern(&code, "shop", true).await),
        "the pattern is shop's own"
    );
    app.grant_pattern(&code, "other", true).await.unwrap();
    let other = app.account("other").await.unwrap();
    assert_eq!(app.show_pattern(&code).await.unwrap().users, [other.id]);
    app.grant_pattern(&code, "other", false).await.unwrap();
    assert!(app.show_pattern(&code).await.unwrap().users.is_empty());
    let (text, measure) = app
        .try_pattern(&code, &[("a".into(), "%a%".into())])
        .await
        .unwrap();
    assert_eq!((text.as_str(), measure.parts), ("x%a%", 1));
}

#[tokio::test]
async fn a_key_of_another_service_is_taken_once_and_long_enough() {
    let (app, _folder) = scene().await;
    let brought = |key: &str| CreateKey {
        key: Some(key.into()),
        ..CreateKey::default()
    };
    let made = app
        .create_key("shop", brought("0123456789abcdef"))
        .await
        .unwrap();
    assert_eq!((made.no, made.generated), (KeyNo(1), None));
    let home = "192.0.2.1".parse().unwrap();
    let account = app
        .authenticate_key("0123456789abcdef", home, "send")
        .await
        .unwrap();
    assert_eq!(account.name, "shop");
    let again = app.create_key("other", brought("0123456789abcdef")).await;
    assert_eq!(refused(again), "this key exists already");
    let short = app
        .create_key("shop", brought(&"x".repeat(KEY_CHARS_MIN - 1)))
        .await;
    assert_eq!(
        refused(short),
        "a key has 16 to 256 visible ASCII characters"
    );
    let over = CreateKey {
        expires_at: Some(NOW),
        ..CreateKey::default()
    };
    assert_eq!(
        refused(app.create_key("shop", over).await),
        "the key would have expired already"
    );
}
