use super::*;
use crate::Limits;
use crate::fake_store::{FakeStore, account};
use domain::api_key::ApiKeySettings;
use domain::ids::KeyNo;
use domain::operator::Operators;
use domain::time::{Clock, ManualClock};

const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.1";
const KEY: &str = "peyk_right";

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    clock: Arc<ManualClock>,
}

fn api_key() -> ApiKey {
    ApiKey {
        account: account("shop").id,
        no: KeyNo(1),
        title: String::new(),
        hint: String::new(),
        settings: ApiKeySettings::default(),
        created_at: UnixMillis(0),
        expires_at: None,
        revoked_at: None,
        last_used_at: None,
    }
}

/// An account `shop` with one key.
fn scene() -> Scene {
    let store = Arc::new(FakeStore::default());
    store.with(|state| {
        state.accounts.push(account("shop"));
        state.patterns.keys.push((digest(KEY), api_key()));
    });
    let clock = Arc::new(ManualClock::at(UnixMillis(10_000_000)));
    let operators = Arc::new(Operators::embedded());
    let app = App::new(
        store.clone(),
        clock.clone(),
        operators,
        Limits::default(),
        [7; 32],
    );
    Scene { app, store, clock }
}

impl Scene {
    async fn login(&self, key: &str, from: &str) -> String {
        self.call(key, from, "pattern").await
    }

    async fn call(&self, key: &str, from: &str, operation: &str) -> String {
        let from = from.parse().unwrap();
        match self.app.authenticate_key(key, from, operation).await {
            Ok(account) => account.name.clone(),
            Err(LoginError::Refused(refusal)) => refusal.code().to_string(),
            Err(LoginError::AddressDenied) => "deny".into(),
            Err(LoginError::Unavailable(_)) => "unavailable".into(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut ApiKey)) {
        self.store
            .with(|state| change(&mut state.patterns.keys[0].1));
        self.later(ACCOUNT_REFRESH_MILLIS);
    }

    fn change_account(&self, change: impl FnOnce(&mut Account)) {
        self.store.with(|state| change(&mut state.accounts[0]));
        self.later(ACCOUNT_REFRESH_MILLIS);
    }

    fn later(&self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }

    fn looks(&self) -> u32 {
        self.store.with(|state| state.patterns.key_looks)
    }
}

#[tokio::test]
async fn a_key_lets_its_account_in_and_others_are_1402() {
    let scene = scene();
    assert_eq!(scene.login(KEY, HOME).await, "shop");
    assert_eq!(scene.login(" peyk_right ", HOME).await, "shop");
    let long = "x".repeat(KEY_BYTES_MAX + 1);
    for wrong in ["", "  ", "PEYK_RIGHT", "peyk_righ", "\0", &long] {
        assert_eq!(scene.login(wrong, HOME).await, "1402", "{wrong:?}");
    }
}

#[tokio::test]
async fn refusals_come_in_their_order() {
    let scene = scene();
    scene.change_account(|account| {
        account.settings.restricted = true;
        account.settings.allow_from = vec!["192.0.2.0/24".into()];
        account.settings.operations = Some(vec!["send".into(), "credit".into()]);
    });
    scene.change(|key| {
        key.settings.operations = Some(vec!["send".into(), "lines".into()]);
        key.settings.allow_from = vec!["192.0.2.1".into(), "198.51.100.1".into()];
        key.revoked_at = Some(UnixMillis(5));
    });
    assert_eq!(scene.call("other", AWAY, "lines").await, "1402");
    assert_eq!(scene.call(KEY, AWAY, "lines").await, "1403");
    scene.change(|key| {
        key.revoked_at = None;
        key.expires_at = Some(UnixMillis(5));
    });
    assert_eq!(scene.call(KEY, AWAY, "lines").await, "1403");
    scene.change(|key| key.expires_at = Some(UnixMillis(i64::MAX)));
    assert_eq!(
        scene.call(KEY, AWAY, "lines").await,
        "deny",
        "the account's list"
    );
    assert_eq!(
        scene.call(KEY, "192.0.2.2", "lines").await,
        "deny",
        "the key's list"
    );
    assert_eq!(scene.call(KEY, HOME, "lines").await, "2");
    scene.change_account(|account| account.settings.restricted = false);
    assert_eq!(
        scene.call(KEY, HOME, "lines").await,
        "963",
        "not the account's"
    );
    assert_eq!(
        scene.call(KEY, HOME, "credit").await,
        "963",
        "not the key's"
    );
    assert_eq!(scene.call(KEY, HOME, "").await, "963");
    assert_eq!(scene.call(KEY, HOME, "send").await, "shop");
}

#[tokio::test]
async fn a_key_is_looked_up_once_a_second() {
    let scene = scene();
    for _ in 0..100 {
        assert_eq!(scene.login(KEY, HOME).await, "shop");
    }
    assert_eq!(scene.looks(), 1);
    scene.later(ACCOUNT_REFRESH_MILLIS);
    assert_eq!(scene.login(KEY, HOME).await, "shop");
    assert_eq!(scene.looks(), 2);
}

#[tokio::test]
async fn those_who_guess_are_paused_and_those_who_know_are_not() {
    let scene = scene();
    assert_eq!(scene.login(KEY, HOME).await, "shop");
    for guess in 0..100 {
        assert_eq!(scene.login(&format!("guess{guess}"), HOME).await, "1402");
    }
    let looks = scene.looks();
    assert!(looks < 30, "{looks} guesses were looked up");
    scene.later(ACCOUNT_REFRESH_MILLIS - 1);
    assert_eq!(scene.login(KEY, AWAY).await, "shop", "from elsewhere");
    scene.store.with(|state| {
        let mut second = api_key();
        second.no = KeyNo(2);
        state.patterns.keys.push((digest("second"), second));
    });
    assert_eq!(scene.login("second", HOME).await, "1402", "in the pause");
    scene.later(1);
    assert_eq!(scene.login(KEY, HOME).await, "shop", "it was right before");
    scene.later(60_000);
    assert_eq!(scene.login("second", HOME).await, "shop", "after the pause");
}

#[tokio::test]
async fn an_old_key_that_is_sent_again_and_again_is_no_guessing() {
    let scene = scene();
    for _ in 0..100 {
        assert_eq!(scene.login("of another service", HOME).await, "1402");
    }
    assert_eq!(scene.login(KEY, HOME).await, "shop");
    // It may be brought along later, and then works at once.
    scene.store.with(|state| {
        let brought = digest("of another service");
        state.patterns.keys.push((brought, api_key()));
    });
    assert_eq!(scene.login("of another service", HOME).await, "shop");
}

#[tokio::test]
async fn the_use_of_a_key_is_written_down_once_an_hour() {
    let scene = scene();
    let noted = || scene.store.with(|state| state.patterns.uses_noted.len());
    let begun = scene.clock.now();
    for _ in 0..10 {
        scene.login(KEY, HOME).await;
        // The row still shows no use: it is known from memory that it is being written.
        scene.later(ACCOUNT_REFRESH_MILLIS);
        tokio::task::yield_now().await;
    }
    assert_eq!(noted(), 1);
    scene.clock.set(begun.plus_millis(USE_NOTED_EVERY_MILLIS));
    scene.login(KEY, HOME).await;
    tokio::task::yield_now().await;
    assert_eq!(noted(), 2);
    scene.change(|key| key.settings.operations = Some(Vec::new()));
    scene.later(USE_NOTED_EVERY_MILLIS);
    assert_eq!(scene.login(KEY, HOME).await, "963");
    tokio::task::yield_now().await;
    assert_eq!(noted(), 2, "what was refused is no use");
}
