//! `check` must find what is wrong: each case damages one thing behind the store's back.

use super::{LINE, NOW, OPERATOR, account, bulk, open, recipients};
use domain::api_key::ApiKeySettings;
use domain::ids::{AccountId, LinkId, PartKey};
use domain::pattern::{Kind, Pattern, PatternStatus, Variable};
use domain::user::{Role, UserSettings};
use rusqlite::Connection;
use store::{ClaimDue, Lane, LaneShare, LinkShare, Outcome, RecordOutcomes, Store, SubmitResult};
use store::{Console, NewAudit, NewUser, SaveDraft};
use store::{NewApiKey, PatternGrant, Patterns};
use store_sqlite::SqliteStore;
use tempfile::TempDir;

/// What is damaged, and the rules of which at least one must be named.
const DAMAGES: &[(&str, &[&str])] = &[
    ("UPDATE account SET credit = credit + 1", &["balance"]),
    (
        "UPDATE account SET next_entry_no = next_entry_no + 1",
        &["entries"],
    ),
    ("DELETE FROM ledger_entry WHERE no = 1", &["entries"]),
    (
        "UPDATE recipient SET unit_price = 11 WHERE state = 0",
        &["reserved"],
    ),
    ("UPDATE bulk SET price = price + 1", &["bulk-entries"]),
    ("UPDATE bulk SET returned = 1", &["bulk-money"]),
    (
        "UPDATE bulk SET delivered = delivered + 1, unsent = unsent - 1",
        &["bulk-counts"],
    ),
    ("UPDATE bulk SET reached = 0", &["bulk-counts"]),
    ("UPDATE bulk SET sweep_at = NULL", &["sweep"]),
    ("UPDATE bulk SET next_seq = 99", &["bulk-recipients"]),
    ("UPDATE bulk SET stage = 2", &["slices"]),
    (
        "UPDATE recipient SET outstanding = 0 WHERE state = 1",
        &["outstanding"],
    ),
    ("UPDATE slice SET waiting = waiting + 1", &["slices"]),
    ("DELETE FROM slice", &["slices"]),
    ("UPDATE receipt_map SET seq = 77", &["receipt-map"]),
    ("UPDATE pattern SET account_id = 77", &["pattern-owner"]),
    ("UPDATE pattern SET status = 9", &["pattern-form"]),
    ("UPDATE pattern SET text = '%code%'", &["pattern-form"]),
    ("UPDATE pattern SET variables = '{'", &["pattern-form"]),
    ("UPDATE pattern SET code = 'other'", &["pattern-grant"]),
    ("UPDATE api_key SET account_id = 77", &["key-owner"]),
    ("UPDATE console_counter SET next_user_no = 1", &["console"]),
    ("UPDATE console_counter SET next_draft_no = 1", &["console"]),
    ("UPDATE console_counter SET next_audit_no = 1", &["console"]),
    ("DELETE FROM console_counter", &["console"]),
];

/// One bulk with recipients that wait, are attempted and are submitted.
async fn fill(store: &SqliteStore) {
    let sender = account(store, "sender", 1_000).await;
    store
        .accept_bulk(bulk(sender, recipients(6, 10)))
        .await
        .unwrap();
    let lane = Lane {
        line: LINE,
        operator: OPERATOR,
    };
    let lanes = vec![LaneShare { lane, parts_max: 4 }];
    let links = vec![LinkShare {
        link: LinkId(1),
        epoch: 0,
        parts_max: 4,
        lanes,
    }];
    let claimed = store.claim_due(ClaimDue { now: NOW, links }).await.unwrap();
    let outcomes = claimed[..2]
        .iter()
        .enumerate()
        .map(|(id, message)| Outcome {
            part: PartKey {
                recipient: message.key,
                part: 0,
            },
            result: SubmitResult::Accepted {
                message_id: Some(vec![id as u8].into()),
            },
        });
    let outcomes = outcomes.collect();
    let command = RecordOutcomes {
        link: LinkId(1),
        epoch: 0,
        now: NOW,
        outcomes,
    };
    store.record_outcomes(command).await.unwrap();
    fill_patterns(store, sender).await;
    fill_console(store, sender).await;
}

/// A person, a draft and an entry of the audit log.
async fn fill_console(store: &SqliteStore, owner: AccountId) {
    let user = NewUser {
        account: Some(owner),
        name: "ali".into(),
        role: Role::Sender,
        settings: UserSettings::default(),
        at: NOW,
        users_max: 1,
    };
    let user = store.create_user(user).await.unwrap();
    let draft = SaveDraft {
        account: owner,
        no: None,
        user,
        title: String::new(),
        content: String::new(),
        at: NOW,
    };
    store.save_draft(draft).await.unwrap();
    let entry = NewAudit {
        account: Some(owner),
        at: NOW,
        actor: "sender".into(),
        address: String::new(),
        action: "user.create".into(),
        subject: "ali".into(),
        details: String::new(),
    };
    store.begin_audit(entry).await.unwrap();
}

/// A pattern that another account may use, and a key.
async fn fill_patterns(store: &SqliteStore, owner: AccountId) {
    let user = account(store, "user", 1).await;
    let pattern = Pattern {
        owner,
        code: "login".into(),
        title: String::new(),
        text: "code: %code%".into(),
        variables: vec![Variable::new("code", Kind::Code)],
        status: PatternStatus::Active,
        note: String::new(),
        created_at: NOW,
    };
    store.create_pattern(pattern).await.unwrap();
    let grant = PatternGrant {
        owner,
        code: "login".into(),
        account: user,
        granted: true,
    };
    store.grant_pattern(grant).await.unwrap();
    let key = NewApiKey {
        account: owner,
        digest: [7; 32],
        title: String::new(),
        hint: String::new(),
        settings: ApiKeySettings::default(),
        created_at: NOW,
        expires_at: None,
    };
    store.create_api_key(key).await.unwrap();
}

#[tokio::test]
async fn each_damage_is_found_and_named() {
    for (damage, rules) in DAMAGES {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("peyk.db");
        let store = open(&path);
        fill(&store).await;
        assert_eq!(
            store.check().await.unwrap(),
            vec![],
            "sound before {damage}"
        );
        let changed = Connection::open(&path)
            .unwrap()
            .execute(damage, [])
            .unwrap();
        assert!(changed > 0, "{damage}");
        let found = store.check().await.unwrap();
        let named = found.iter().any(|finding| rules.contains(&finding.rule));
        assert!(named, "{damage}: {found:?}");
    }
}
