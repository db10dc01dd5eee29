//! Patterns, who may use them, and API keys.

use super::Harness;
use super::fixture::*;
use crate::{AdminError, MetPattern, NewApiKey, PatternChange, PatternGrant};
use domain::api_key::{ApiKey, ApiKeySettings};
use domain::ids::{AccountId, KeyNo};
use domain::pattern::{Access, Kind, Pattern, PatternStatus, Variable};
use domain::time::UnixMillis;

fn pattern(owner: AccountId, code: &str) -> Pattern {
    Pattern {
        owner,
        code: code.into(),
        title: "ورود".into(),
        text: "کد: %code%".into(),
        variables: vec![Variable::new("code", Kind::Code)],
        status: PatternStatus::Waiting,
        note: "new".into(),
        created_at: T0,
    }
}

fn new_key(account: AccountId, digest: u8) -> NewApiKey {
    NewApiKey {
        account,
        digest: [digest; 32],
        title: "site".into(),
        hint: "peyk_ab".into(),
        settings: ApiKeySettings {
            operations: Some(vec!["pattern".into()]),
            allow_from: vec!["192.0.2.0/24".into()],
        },
        created_at: T0,
        expires_at: Some(UnixMillis(T0.0 + 1_000)),
    }
}

fn exists<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Exists(_))), "{answer:?}");
}

fn unknown<T: std::fmt::Debug>(answer: Result<T, AdminError>) {
    assert!(matches!(answer, Err(AdminError::Unknown(_))), "{answer:?}");
}

async fn grant(w: &World<'_>, owner: AccountId, account: AccountId, granted: bool) {
    let code = "a1".into();
    w.grant_pattern(PatternGrant {
        owner,
        code,
        account,
        granted,
    })
    .await
    .expect("grant_pattern");
}

async fn access(w: &World<'_>, account: AccountId) -> Option<Access> {
    let met = w.met_pattern(account, "a1").await.expect("met_pattern");
    met.map(|met| met.access)
}

pub(super) async fn a_pattern_is_met_by_its_owner_as_it_was_made(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let owner = w.account(0).await;
    w.create_pattern(pattern(owner, "a1"))
        .await
        .expect("create_pattern");
    w.reopen().await;
    let met = MetPattern {
        pattern: pattern(owner, "a1"),
        access: Access::Owner,
    };
    assert_eq!(
        w.met_pattern(owner, "a1").await.expect("met_pattern"),
        Some(met)
    );
    assert_eq!(
        w.pattern_by_code("a1").await.expect("pattern_by_code"),
        Some(pattern(owner, "a1"))
    );
    for code in ["A1", "a", "a11", ""] {
        assert_eq!(w.met_pattern(owner, code).await.expect("met_pattern"), None);
    }
    w.finish().await;
}

pub(super) async fn a_pattern_code_is_given_once_in_the_installation(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    w.create_pattern(pattern(one, "a1"))
        .await
        .expect("create_pattern");
    exists(w.create_pattern(pattern(one, "a1")).await);
    exists(w.create_pattern(pattern(other, "a1")).await);
    unknown(w.create_pattern(pattern(AccountId(999), "a2")).await);
    w.finish().await;
}

pub(super) async fn a_pattern_of_another_account_does_not_exist(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (owner, other) = (w.account(0).await, w.account(0).await);
    w.create_pattern(pattern(owner, "a1"))
        .await
        .expect("create_pattern");
    assert_eq!(access(&w, other).await, None);
    // What was never given cannot be taken back, and tells nothing.
    grant(&w, owner, other, false).await;
    assert_eq!(access(&w, other).await, None);
    unknown(
        w.update_pattern(other, "a1", PatternChange::default())
            .await,
    );
    unknown(w.remove_pattern(other, "a1").await);
    let stolen = PatternGrant {
        owner: other,
        code: "a1".into(),
        account: other,
        granted: true,
    };
    unknown(w.grant_pattern(stolen).await);
    assert_eq!(access(&w, other).await, None);
    w.finish().await;
}

pub(super) async fn a_grant_of_a_pattern_is_given_and_taken_back(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (owner, other, third) = (w.account(0).await, w.account(0).await, w.account(0).await);
    w.create_pattern(pattern(owner, "a1"))
        .await
        .expect("create_pattern");
    grant(&w, owner, other, true).await;
    grant(&w, owner, third, true).await;
    assert_eq!(access(&w, other).await, Some(Access::Granted));
    let users = |after| w.pattern_users("a1", after, 1);
    assert_eq!(users(None).await.expect("users"), [other]);
    assert_eq!(users(Some(other)).await.expect("users"), [third]);
    w.create_pattern(pattern(owner, "b2"))
        .await
        .expect("create_pattern");
    let usable = |account, after: Option<&str>| {
        let after = after.map(str::to_owned);
        let found = w.granted_patterns(account, after, 10);
        async move {
            let found = found.await.expect("granted_patterns");
            found.into_iter().map(|one| one.code).collect::<Vec<_>>()
        }
    };
    assert_eq!(usable(other, None).await, ["a1"]);
    assert!(usable(other, Some("a1")).await.is_empty());
    assert!(
        usable(owner, None).await.is_empty(),
        "its own are not others'"
    );
    grant(&w, owner, other, false).await;
    assert!(usable(other, None).await.is_empty());
    w.crash().await;
    assert_eq!(access(&w, other).await, Some(Access::Withdrawn));
    let users = w.pattern_users("a1", None, 10).await.expect("users");
    assert_eq!(users, [third]);
    grant(&w, owner, other, true).await;
    assert_eq!(access(&w, other).await, Some(Access::Granted));
    w.remove_pattern(owner, "a1").await.expect("remove_pattern");
    w.create_pattern(pattern(owner, "a1"))
        .await
        .expect("the code is free again");
    assert_eq!(access(&w, other).await, None, "a new pattern is nobody's");
    w.finish().await;
}

pub(super) async fn a_change_of_a_pattern_leaves_the_rest(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let owner = w.account(0).await;
    w.create_pattern(pattern(owner, "a1"))
        .await
        .expect("create_pattern");
    let mut expected = pattern(owner, "a1");
    let change = |change| w.update_pattern(owner, "a1", change);
    change(PatternChange {
        status: Some(PatternStatus::Active),
        ..PatternChange::default()
    })
    .await
    .expect("update_pattern");
    expected.status = PatternStatus::Active;
    assert_eq!(
        w.pattern_by_code("a1").await.expect("pattern"),
        Some(expected.clone())
    );
    expected.variables = vec![Variable::new("n", Kind::Number)];
    expected.text = "%n%!".into();
    (expected.title, expected.note) = ("t".into(), String::new());
    change(PatternChange {
        title: Some("t".into()),
        text: Some((expected.text.clone(), expected.variables.clone())),
        status: None,
        note: Some(String::new()),
    })
    .await
    .expect("update_pattern");
    assert_eq!(
        w.pattern_by_code("a1").await.expect("pattern"),
        Some(expected)
    );
    unknown(
        w.update_pattern(owner, "a2", PatternChange::default())
            .await,
    );
    w.finish().await;
}

pub(super) async fn each_change_gives_the_patterns_a_new_version(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let (owner, other) = (w.account(0).await, w.account(0).await);
    let mut before = w.pattern_version().await.expect("pattern_version");
    for step in 0..5 {
        match step {
            0 => w.create_pattern(pattern(owner, "a1")).await.expect("made"),
            1 => {
                let change = PatternChange::default();
                w.update_pattern(owner, "a1", change)
                    .await
                    .expect("changed");
            }
            2 => grant(&w, owner, other, true).await,
            3 => grant(&w, owner, other, false).await,
            _ => w.remove_pattern(owner, "a1").await.expect("removed"),
        }
        let after = w.pattern_version().await.expect("pattern_version");
        assert!(after > before, "step {step}: {after} after {before}");
        before = after;
    }
    exists_not_versioned(&w, owner, before).await;
    w.reopen().await;
    assert!(w.pattern_version().await.expect("pattern_version") >= before);
    w.finish().await;
}

/// What is refused is no change.
async fn exists_not_versioned(w: &World<'_>, owner: AccountId, before: u64) {
    unknown(w.remove_pattern(owner, "a1").await);
    assert_eq!(w.pattern_version().await.expect("version"), before);
}

pub(super) async fn patterns_are_listed_in_pages(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    for (owner, code) in [(other, "a"), (one, "b"), (one, "c"), (other, "d")] {
        w.create_pattern(pattern(owner, code))
            .await
            .expect("create_pattern");
    }
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = w.patterns(None, after, 3).await.expect("patterns");
        let Some(last) = page.last() else { break };
        after = Some((last.owner, last.code.clone()));
        seen.extend(page.into_iter().map(|pattern| pattern.code));
    }
    assert_eq!(seen, ["b", "c", "a", "d"]);
    let own = |after| w.patterns(Some(one), after, 1);
    assert_eq!(own(None).await.expect("patterns")[0].code, "b");
    let after_b = Some((one, "b".to_owned()));
    assert_eq!(own(after_b).await.expect("patterns")[0].code, "c");
    let after_c = Some((one, "c".to_owned()));
    assert_eq!(own(after_c).await.expect("patterns"), []);
    w.finish().await;
}

pub(super) async fn a_key_leads_to_its_account_by_its_digest(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(0).await;
    let new = new_key(account, 7);
    let no = w.create_api_key(new.clone()).await.expect("create_api_key");
    w.crash().await;
    let (key, found) = w
        .api_key_by_digest([7; 32])
        .await
        .expect("api_key_by_digest")
        .expect("the key");
    let expected = ApiKey {
        account,
        no,
        title: new.title,
        hint: new.hint,
        settings: new.settings,
        created_at: new.created_at,
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
    };
    assert_eq!(key, expected);
    assert_eq!(found.id, account);
    let other = w.api_key_by_digest([8; 32]).await.expect("look");
    assert!(other.is_none());
    w.finish().await;
}

pub(super) async fn keys_are_numbered_in_each_account_and_given_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    for (account, digest, no) in [(one, 1, 1), (one, 2, 2), (other, 3, 1), (one, 4, 3)] {
        let made = w.create_api_key(new_key(account, digest)).await;
        assert_eq!(made.expect("create_api_key"), KeyNo(no));
    }
    exists(w.create_api_key(new_key(other, 1)).await);
    unknown(w.create_api_key(new_key(AccountId(999), 9)).await);
    let page = async |after| {
        let keys = w.api_keys(one, after, 2).await.expect("api_keys");
        keys.iter().map(|key| key.no.0).collect::<Vec<_>>()
    };
    assert_eq!(page(None).await, [1, 2]);
    assert_eq!(page(Some(KeyNo(2))).await, [3]);
    w.finish().await;
}

pub(super) async fn a_key_is_revoked_once_and_by_its_own_account(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (w.account(0).await, w.account(0).await);
    let no = w.create_api_key(new_key(one, 1)).await.expect("key");
    unknown(w.revoke_api_key(other, no, T0).await);
    let later = UnixMillis(T0.0 + 5);
    w.revoke_api_key(one, no, T0).await.expect("revoked");
    w.revoke_api_key(one, no, later).await.expect("again");
    let (key, _) = w
        .api_key_by_digest([1; 32])
        .await
        .expect("look")
        .expect("key");
    assert_eq!(key.revoked_at, Some(T0));
    w.finish().await;
}

pub(super) async fn the_last_use_of_a_key_only_moves_forward(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let no = w.create_api_key(new_key(account, 1)).await.expect("key");
    for (at, known) in [(5, 5), (3, 5), (9, 9)] {
        let at = UnixMillis(T0.0 + at);
        w.note_key_use(account, no, at).await.expect("note_key_use");
        let keys = w.api_keys(account, None, 1).await.expect("api_keys");
        assert_eq!(keys[0].last_used_at, Some(UnixMillis(T0.0 + known)));
    }
    w.note_key_use(account, KeyNo(99), T0)
        .await
        .expect("a key that is not there is no error");
    w.finish().await;
}
