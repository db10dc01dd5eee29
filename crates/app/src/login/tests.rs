use super::*;
use crate::fake_store::{FakeStore, account};
use crate::password::{hash_with, verify};
use domain::operator::Operators;
use domain::time::ManualClock;
use verifier::Verdict;

const HOME: &str = "192.0.2.1";
const AWAY: &str = "198.51.100.1";

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    clock: Arc<ManualClock>,
}

/// An account `shop` with the password `right`, hashed with parameters that cost nothing.
fn scene() -> Scene {
    scene_with(Limits::default())
}

fn scene_with(limits: Limits) -> Scene {
    let store = Arc::new(FakeStore::default());
    let shop = Account {
        password_hash: cheap("right"),
        ..account("shop")
    };
    store.with(|state| state.accounts.push(shop));
    let clock = Arc::new(ManualClock::at(UnixMillis(1_000_000)));
    let operators = Arc::new(Operators::embedded());
    let mut app = App::new(
        store.clone(),
        clock.clone(),
        operators,
        limits.clone(),
        [7; 32],
    );
    // The dummy hash costs nothing either, so that tests are fast without optimisation.
    let inner = Arc::get_mut(&mut app.0).unwrap();
    let mut gate = Gate::new([7; 32], &limits, clock.clone());
    gate.dummy_hash = cheap("nobody's").into();
    inner.gate = Arc::new(gate);
    Scene { app, store, clock }
}

fn cheap(password: &str) -> String {
    hash_with(password, 8, 1).unwrap()
}

impl Scene {
    async fn login(&self, name: &str, password: &str, from: &str) -> String {
        word(
            self.app
                .authenticate(name, password, from.parse().unwrap(), "send")
                .await,
        )
    }

    fn hashes(&self) -> u64 {
        self.app.0.gate.verifier.computed()
    }

    fn later(&self, millis: i64) {
        self.clock.set(self.clock.now().plus_millis(millis));
    }

    fn change_shop(&self, change: impl FnOnce(&mut Account)) {
        self.store.with(|state| change(&mut state.accounts[0]));
        self.later(ACCOUNT_REFRESH_MILLIS);
    }
}

fn word(outcome: Result<Arc<Account>, LoginError>) -> String {
    match outcome {
        Ok(_) => "in".into(),
        Err(LoginError::Refused(refusal)) => refusal.code().to_string(),
        Err(LoginError::AddressDenied) => "deny".into(),
        Err(LoginError::Unavailable(_)) => "unavailable".into(),
    }
}

#[tokio::test]
async fn refusals_come_in_the_order_962_deny_2_963() {
    let scene = scene();
    let full = |account: &mut Account| {
        account.settings.allow_from = vec!["203.0.113.0/24".into()];
        account.settings.restricted = true;
        account.settings.operations = Some(vec!["credit".into()]);
    };
    scene.change_shop(full);
    assert_eq!(scene.login("shop", "wrong", HOME).await, "962");
    assert_eq!(scene.login("shop", "right", HOME).await, "deny");
    scene.change_shop(|account| account.settings.allow_from = vec![HOME.into()]);
    assert_eq!(scene.login("shop", "right", HOME).await, "2");
    assert_eq!(scene.login("shop", "right", "::ffff:192.0.2.1").await, "2");
    scene.change_shop(|account| account.settings.restricted = false);
    assert_eq!(scene.login("shop", "right", HOME).await, "963");
    scene.change_shop(|account| account.expires_at = UnixMillis(5));
    assert_eq!(scene.login("shop", "right", HOME).await, "2");
    scene.change_shop(|account| {
        account.expires_at = UnixMillis(i64::MAX);
        account.settings.operations = Some(vec!["Send".into()]);
    });
    assert_eq!(scene.login(" SHOP ", "right", HOME).await, "in");
}

#[tokio::test]
async fn empty_and_endless_credentials_are_wrong_without_a_hash() {
    let scene = scene();
    let endless = "x".repeat(2_000);
    for (name, password) in [
        ("", "right"),
        ("shop", ""),
        ("", ""),
        ("shop", endless.as_str()),
    ] {
        assert_eq!(scene.login(name, password, HOME).await, "962");
    }
    assert_eq!(scene.hashes(), 0);
}

#[tokio::test]
async fn the_hash_of_right_credentials_is_computed_once() {
    let scene = scene();
    for _ in 0..50 {
        assert_eq!(scene.login("shop", "right", HOME).await, "in");
        assert_eq!(scene.login("Shop", "right", AWAY).await, "in");
        scene.later(700);
    }
    assert_eq!(scene.hashes(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn requests_with_the_same_credentials_share_one_computation() {
    let scene = Arc::new(scene());
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.login("shop", "right", HOME).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "in");
    }
    assert_eq!(scene.hashes(), 1);
}

#[tokio::test]
async fn an_unknown_user_takes_the_path_of_a_wrong_password() {
    let scene = scene();
    for (name, password) in [
        ("shop", "wrong"),
        ("nobody", "wrong"),
        ("not a name!", "x"),
        ("nobody", "nobody's"),
    ] {
        let before = scene.hashes();
        assert_eq!(scene.login(name, password, HOME).await, "962", "{name}");
        assert_eq!(scene.hashes(), before + 1, "{name}");
    }
    // And it is paused in the same way.
    for name in ["shop", "nobody"] {
        for guess in 0..20 {
            assert_eq!(
                scene.login(name, &format!("guess{guess}"), AWAY).await,
                "962"
            );
        }
    }
    assert_eq!(scene.hashes(), 4 + 5 + 5);
}

#[tokio::test]
async fn a_changed_password_counts_at_the_next_look_and_the_old_one_no_more() {
    let scene = scene();
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
    scene.change_shop(|account| account.password_hash = cheap("newer"));
    assert_eq!(scene.login("shop", "right", HOME).await, "962");
    assert_eq!(scene.login("shop", "newer", HOME).await, "in");
    // Through this process it counts at once.
    scene
        .app
        .set_password("shop", Some("newest"))
        .await
        .unwrap();
    assert_eq!(scene.login("shop", "newer", HOME).await, "962");
    assert_eq!(scene.login("shop", "newest", HOME).await, "in");
}

#[tokio::test]
async fn guessing_is_paused_but_known_credentials_and_other_addresses_pass() {
    let scene = scene();
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
    for guess in 0..100 {
        assert_eq!(
            scene.login("shop", &format!("guess{guess}"), HOME).await,
            "962"
        );
    }
    assert_eq!(scene.hashes(), 1 + 5);
    // The same address, as behind a shared one: what was right before passes.
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
    // Another address is not paused, with the same account or another password.
    assert_eq!(scene.login("shop", "right", AWAY).await, "in");
    assert_eq!(scene.login("shop", "guess", AWAY).await, "962");
    assert_eq!(scene.hashes(), 1 + 5 + 1);
    // When the pause is over one guess is looked at, and the next pause is longer.
    scene.later(1_000);
    for guess in 0..10 {
        assert_eq!(
            scene.login("shop", &format!("more{guess}"), HOME).await,
            "962"
        );
    }
    assert_eq!(scene.hashes(), 1 + 5 + 1 + 1);
    scene.later(1_999);
    assert_eq!(scene.login("shop", "yet", HOME).await, "962");
    assert_eq!(scene.hashes(), 1 + 5 + 1 + 1);
}

#[tokio::test]
async fn hammering_during_a_pause_does_not_keep_a_right_password_out_for_ever() {
    let scene = scene();
    for guess in 0..1_000 {
        scene.login("shop", &format!("guess{guess}"), HOME).await;
    }
    assert_eq!(scene.login("shop", "right", HOME).await, "962");
    scene.later(backoff::PAUSE_MAX_MILLIS);
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_burst_of_guesses_does_not_slip_past_the_pause() {
    let scene = Arc::new(scene());
    let tasks: Vec<_> = (0..60)
        .map(|guess| {
            let scene = Arc::clone(&scene);
            tokio::spawn(async move { scene.login("shop", &format!("g{guess}"), HOME).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), "962");
    }
    // Five are free, and as many more as are computed at the same moment.
    assert!(scene.hashes() <= 5 + 1, "{} hashes", scene.hashes());
}

#[tokio::test]
async fn too_many_waiting_logins_are_turned_away_and_known_ones_are_not() {
    let scene = scene_with(Limits {
        logins_waiting_max: 1,
        ..Limits::default()
    });
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
    let (a, b, c, d, known) = tokio::join!(
        scene.login("shop", "a", HOME),
        scene.login("shop", "b", HOME),
        scene.login("shop", "c", HOME),
        scene.login("shop", "d", HOME),
        scene.login("shop", "right", HOME),
    );
    assert_eq!(
        [a, b, c, d, known],
        ["962", "962", "962", "unavailable", "in"]
    );
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_sink_the_others() {
    let scene = scene();
    let verifier = &scene.app.0.gate.verifier;
    let stored = cheap("right");
    let ask = || {
        verifier.verify(
            Attempt::new("shop", HOME.parse().unwrap()),
            "shop",
            "right",
            &stored,
        )
    };
    {
        let mut first = Box::pin(ask());
        let started = std::future::poll_fn(|context| {
            std::task::Poll::Ready(first.as_mut().poll(context).is_pending())
        });
        assert!(started.await);
    }
    assert_eq!(ask().await.unwrap(), Verdict::Right);
    assert_eq!(scene.hashes(), 1);
    assert!(verify("right", &stored));
}

#[tokio::test]
async fn a_client_with_an_old_password_costs_one_hash_and_pauses_nobody() {
    let scene = scene();
    for _ in 0..1_000 {
        assert_eq!(scene.login("shop", "old", HOME).await, "962");
        assert_eq!(scene.login("closed-shop", "old", HOME).await, "962");
        scene.later(60_000);
    }
    assert_eq!(scene.hashes(), 2);
    // Mended, or a neighbour on the same host: in at once.
    assert_eq!(scene.login("shop", "right", HOME).await, "in");
    scene.change_shop(|account| account.password_hash = cheap("old"));
    assert_eq!(scene.login("shop", "old", HOME).await, "in");
}
