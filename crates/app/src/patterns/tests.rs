use super::*;
use crate::fake_store::{FakeStore, account, line};
use crate::send::SendError;
use crate::{App, Limits};
use domain::account::Account;
use domain::ids::{AccountId, BulkNo, LineId};
use domain::operator::Operators;
use domain::pattern::{Access, Kind, Pattern, PatternStatus, Variable};
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::{Clock, ManualClock, UnixMillis};
use std::sync::Arc;
use store::MetPattern;

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    clock: Arc<ManualClock>,
    account: Account,
}

/// Line 3000505 is granted, one price is set, there is credit; a pattern `login` with %code%.
fn scene() -> Scene {
    let store = Arc::new(FakeStore::default());
    let account = account("shop");
    store.with(|state| {
        state.credit = 1_000_000;
        state.patterns.met.push((account.id, met(Access::Owner)));
    });
    store.change_catalog(|catalog| {
        catalog.lines = vec![line(1, "3000505")];
        catalog.grants = vec![(account.id, LineId(1))];
        catalog.tariffs = vec![TariffRow {
            line: None,
            operator: None,
            alphabet: Alphabet::Gsm7,
            price: domain::money::Rials(100),
        }];
    });
    let clock = Arc::new(ManualClock::at(UnixMillis(1_795_329_672_000)));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(
        store.clone(),
        clock.clone(),
        operators,
        Limits::default(),
        [7; 32],
    );
    Scene {
        app,
        store,
        clock,
        account,
    }
}

fn met(access: Access) -> MetPattern {
    MetPattern {
        pattern: Pattern {
            owner: AccountId(1),
            code: "login".into(),
            title: String::new(),
            text: "code: %code%".into(),
            variables: vec![Variable::new("code", Kind::Code)],
            status: PatternStatus::Active,
            note: String::new(),
            created_at: UnixMillis(0),
        },
        access,
    }
}

/// A request whose parts the tests spoil one by one.
#[derive(Clone)]
struct Ask {
    from: &'static str,
    to: &'static str,
    code: &'static str,
    value: &'static str,
}

const ASK: Ask = Ask {
    from: "3000505",
    to: "09121111111",
    code: "login",
    value: "1234",
};

impl Scene {
    async fn send(&self, ask: &Ask) -> Result<BulkNo, SendError> {
        let request = PatternSend {
            from: ask.from,
            to: &[ask.to.to_owned()],
            code: ask.code,
            values: Some(&[("code".to_owned(), ask.value.to_owned())]),
            spare: &[],
            idempotency_key: None,
        };
        self.app.send_pattern(&self.account, request).await
    }

    async fn code(&self, ask: &Ask) -> u16 {
        match self.send(ask).await {
            Ok(_) => 0,
            Err(SendError::Refused(refusal)) => refusal.code(),
            Err(SendError::Unavailable(_)) => 503,
        }
    }

    /// A change by another process, seen after the refresh time.
    fn change(&self, change: impl FnOnce(&mut MetPattern)) {
        self.store.with(|state| {
            change(&mut state.patterns.met[0].1);
            state.patterns.version += 1;
        });
        self.later(PATTERN_REFRESH_MILLIS);
    }

    fn later(&self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }

    /// Looks at the version and at patterns.
    fn looks(&self) -> (u32, u32) {
        self.store
            .with(|state| (state.patterns.version_looks, state.patterns.pattern_looks))
    }
}

#[tokio::test]
async fn refusals_come_in_their_order() {
    let scene = scene();
    let mut ask = Ask {
        from: "50009999",
        to: "abc",
        code: "a b",
        value: "1 2",
    };
    assert_eq!(scene.code(&ask).await, 971, "it cannot be a code");
    ask.code = "logout";
    assert_eq!(scene.code(&ask).await, 404);
    ask.code = "login";
    scene.change(|met| {
        met.access = Access::Withdrawn;
        met.pattern.status = PatternStatus::Rejected;
    });
    assert_eq!(scene.code(&ask).await, 997);
    scene.change(|met| met.access = Access::Granted);
    assert_eq!(scene.code(&ask).await, 971, "it was rejected");
    for status in [PatternStatus::Inactive, PatternStatus::Waiting] {
        scene.change(|met| met.pattern.status = status);
        assert_eq!(scene.code(&ask).await, 996, "{status:?}");
    }
    scene.change(|met| met.pattern.status = PatternStatus::Active);
    assert_eq!(scene.code(&ask).await, 970);
    ask.value = "1234";
    assert_eq!(scene.code(&ask).await, 972);
    ask.to = "09121111111";
    assert_eq!(scene.code(&ask).await, 3);
    ask.from = "3000505";
    scene.store.with(|state| state.credit = 99);
    assert_eq!(scene.code(&ask).await, 5);
    scene.store.with(|state| state.credit = 100);
    assert_eq!(scene.code(&ask).await, 0);
}

#[tokio::test]
async fn one_send_is_one_bulk_with_the_filled_text_and_goes_first() {
    let scene = scene();
    assert_eq!(scene.send(&ASK).await.unwrap(), BulkNo(10_001));
    let bulk = scene.store.with(|state| state.bulks[0].clone());
    assert_eq!(&*bulk.text, "code: 1234");
    assert_eq!((bulk.recipients.len(), bulk.urgent), (1, true));
}

#[tokio::test]
async fn a_pattern_is_read_once_and_again_after_a_change() {
    let scene = scene();
    for _ in 0..100 {
        assert_eq!(scene.code(&ASK).await, 0);
    }
    assert_eq!(scene.looks(), (1, 1));
    scene.later(PATTERN_REFRESH_MILLIS);
    assert_eq!(scene.code(&ASK).await, 0);
    assert_eq!(scene.looks(), (2, 1), "nothing was changed");
    scene.change(|met| met.pattern.text = "new: %code%".into());
    assert_eq!(scene.code(&ASK).await, 0);
    assert_eq!(scene.looks(), (3, 2));
    let last = scene
        .store
        .with(|state| state.bulks.last().cloned())
        .unwrap();
    assert_eq!(&*last.text, "new: 1234");
}

#[tokio::test]
async fn a_change_by_this_process_shows_at_once() {
    let scene = scene();
    assert_eq!(scene.code(&ASK).await, 0);
    scene.store.with(|state| {
        state.patterns.met[0].1.pattern.status = PatternStatus::Inactive;
        state.patterns.version += 1;
    });
    assert_eq!(
        scene.code(&ASK).await,
        0,
        "by another, within half a second"
    );
    scene.app.0.patterns.invalidate();
    assert_eq!(scene.code(&ASK).await, 996);
}

#[tokio::test]
async fn requests_that_come_together_share_one_look_at_the_version() {
    let scene = scene();
    let all = tokio::join!(scene.code(&ASK), scene.code(&ASK), scene.code(&ASK));
    assert_eq!(all, (0, 0, 0));
    assert_eq!(scene.looks().0, 1);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_an_old_pattern() {
    let scene = scene();
    assert_eq!(scene.code(&ASK).await, 0);
    scene.change(|met| met.access = Access::Withdrawn);
    scene.clock.set(UnixMillis(5));
    assert_eq!(scene.code(&ASK).await, 997);
}

#[tokio::test]
async fn a_pattern_that_cannot_be_filled_in_is_our_fault_and_not_the_senders() {
    let scene = scene();
    scene.change(|met| met.pattern.text = "no variable".into());
    assert_eq!(scene.code(&ASK).await, 503);
}

#[tokio::test]
async fn blank_values_that_leave_a_text_of_marks_are_sent_and_hostile_ones_are_not() {
    let scene = scene();
    scene.change(|met| {
        met.pattern.text = "%code%!".into();
        met.pattern.variables = vec![Variable::new("code", Kind::Text)];
    });
    for (value, code) in [
        ("", 0),
        ("%code%", 0),
        ("<script>alert(1)</script>", 0),
        ("=HYPERLINK(\"x\")", 0),
        ("a\0", 970),
        ("\u{202e}evil", 970),
    ] {
        let ask = Ask { value, ..ASK };
        assert_eq!(scene.code(&ask).await, code, "{value:?}");
    }
}

#[tokio::test]
async fn what_a_pattern_needs_is_told_whatever_its_status() {
    let scene = scene();
    scene.change(|met| met.pattern.status = PatternStatus::Waiting);
    let info = scene.app.pattern_info(&scene.account, " login ").await;
    let expected = PatternInfo {
        message: "code: %code%".into(),
        variables: vec!["code".into()],
    };
    assert_eq!(info.unwrap(), expected);
    let other = account("other");
    let other = Account {
        id: AccountId(2),
        ..other
    };
    let refused = scene.app.pattern_info(&other, "login").await;
    assert!(matches!(refused, Err(SendError::Refused(refusal)) if refusal.code() == 404));
}
