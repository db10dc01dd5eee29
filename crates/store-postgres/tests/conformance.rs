//! The store port's own suite, on databases of a private PostgreSQL server.
//!
//! Where PostgreSQL is not installed, each case says so and counts as skipped.

use async_trait::async_trait;
use libtest_mimic::{Arguments, Trial};
use private_postgres::{Server, Settings};
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use store::Store;
use store::conformance::{CASES, Harness, run};
use store_postgres::{Config, PostgresStore};

/// Databases are copies of this one, which is quicker than applying all migrations each time.
const TEMPLATE: &str = "peyk_template";

/// A server with a database to copy.
struct Place {
    server: Server,
    next: AtomicU32,
    copying: Mutex<()>,
}

static PLACE: OnceLock<Place> = OnceLock::new();

fn config(url: &str, lock_one_by_one: bool) -> Config {
    let mut config = Config::parse(url).expect("the server's own address");
    // The cases tell the time.
    config.own_clock = false;
    config.connections = 4;
    config.lock_one_by_one = Some(lock_one_by_one);
    config
}

impl Place {
    fn start() -> Self {
        // Stores that were left as a crash leaves them keep their connections.
        let settings = Settings {
            connections: 400,
            ..Settings::default()
        };
        let server = Server::start(settings).expect("the server starts");
        let url = server.create_database(TEMPLATE).expect("a database");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let store = PostgresStore::open(&config(&url, false)).await;
            store.expect("the store opens").close().await;
        });
        drop(runtime);
        Self {
            server,
            next: AtomicU32::new(1),
            copying: Mutex::new(()),
        }
    }

    fn fresh(&self) -> String {
        let name = format!("peyk_{}", self.next.fetch_add(1, Ordering::Relaxed));
        // The template may not be copied by two at once.
        let _one = self.copying.lock().unwrap_or_else(|e| e.into_inner());
        let sql = format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}");
        self.server
            .sql(self.server.url(), &sql)
            .expect("a copy of the template");
        let url = self.server.url();
        let at = url.rfind('/').expect("a URL");
        format!("{}/{name}", &url[..at])
    }
}

/// Stores in databases of their own. Which store lies where is known by the address of its `Arc`.
#[derive(Default)]
struct Databases {
    lock_one_by_one: bool,
    urls: Mutex<HashMap<usize, String>>,
    /// Stores that were left as a crash leaves them: never closed, never dropped.
    crashed: Mutex<Vec<Arc<dyn Store>>>,
}

fn address(store: &Arc<dyn Store>) -> usize {
    Arc::as_ptr(store).cast::<()>() as usize
}

impl Databases {
    async fn open(&self, url: String) -> Arc<dyn Store> {
        let opened = PostgresStore::open(&config(&url, self.lock_one_by_one)).await;
        let store: Arc<dyn Store> = Arc::new(opened.expect("the store opens"));
        self.urls.lock().unwrap().insert(address(&store), url);
        store
    }

    fn url(&self, store: &Arc<dyn Store>) -> String {
        self.urls.lock().unwrap()[&address(store)].clone()
    }
}

#[async_trait]
impl Harness for Databases {
    async fn fresh(&self) -> Arc<dyn Store> {
        let url = PLACE.get_or_init(Place::start).fresh();
        self.open(url).await
    }

    async fn reopen(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let url = self.url(&store);
        store.close().await;
        drop(store);
        self.open(url).await
    }

    async fn crash(&self, store: Arc<dyn Store>) -> Arc<dyn Store> {
        let url = self.url(&store);
        self.crashed.lock().unwrap().push(store);
        self.open(url).await
    }
}

fn case(name: &'static str, lock_one_by_one: bool) {
    // Outside of the case's runtime, since it has one of its own.
    PLACE.get_or_init(Place::start);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let databases = Databases {
            lock_one_by_one,
            ..Databases::default()
        };
        run(name, &databases).await;
    });
}

/// The themes of the message's way run once more as on an engine whose tables are spread.
const SPREAD_THEMES: [&str; 5] = [
    "claiming::",
    "concurrency::",
    "receipts::",
    "recovery::",
    "stopping::",
];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        eprintln!("skipped: {why}");
    }
    let mut trials = Vec::new();
    for (name, _) in CASES {
        let spread = SPREAD_THEMES.iter().any(|theme| name.starts_with(theme));
        for lock_one_by_one in [false, true] {
            if lock_one_by_one && !spread {
                continue;
            }
            let suffix = if lock_one_by_one { " (one by one)" } else { "" };
            let trial = Trial::test(format!("{name}{suffix}"), move || {
                case(name, lock_one_by_one);
                Ok(())
            });
            trials.push(trial.with_ignored_flag(missing.is_some()));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(place) = PLACE.get() {
        place.server.stop_fast().expect("the server stops");
    }
    conclusion.exit_code()
}
