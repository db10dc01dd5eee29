//! The schema on a real server: several processes make it once, older programs go on with a newer
//! one as long as they may, and what is somebody else's is left alone. Where PostgreSQL is missing,
//! the tests say so and count as ignored.

use domain::ids::ProcessId;
use domain::time::UnixMillis;
use libtest_mimic::{Arguments, Trial};
use private_postgres::Server;
use std::future::Future;
use store::schema::{Refused, State};
use store::{Beat, Fleet, Roles, Store};
use store_postgres::schema::{MIGRATIONS, contract, read};
use store_postgres::{Config, OpenError, PostgresStore};

/// A database of its own, for a test and for SQL in it.
struct Fresh {
    url: String,
    config: Config,
}

impl Fresh {
    fn new(name: &str) -> Self {
        let name = format!("schema_{}_{name}", std::process::id());
        let url = Server::shared().and_then(|server| server.create_database(&name));
        let url = url.unwrap_or_else(|error| panic!("{error}"));
        let config = Config::parse(&url).expect("an address");
        Self { url, config }
    }

    fn sql(&self, sql: &str) -> String {
        let answer = Server::shared().and_then(|server| server.sql(&self.url, sql));
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    async fn open(&self) -> PostgresStore {
        let opened = PostgresStore::open(&self.config).await;
        opened.unwrap_or_else(|error| panic!("{error}"))
    }
}

fn known() -> u32 {
    u32::try_from(MIGRATIONS.len()).expect("few")
}

/// What a database says of itself that this program has made.
fn whole() -> State {
    let steps = store::schema::pending(State::default(), MIGRATIONS);
    steps.last().expect("some").after
}

async fn processes_that_start_together_make_one_schema() {
    let fresh = Fresh::new("together");
    assert_eq!(read(&fresh.config).await.expect("empty"), State::default());
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let config = fresh.config.clone();
            tokio::spawn(async move { PostgresStore::open(&config).await.map(drop) })
        })
        .collect();
    for start in starts {
        let opened = start.await.expect("no panic");
        opened.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(read(&fresh.config).await.expect("a state"), whole());
    let state = contract(&fresh.config).await.expect("nothing to do");
    assert_eq!(state, whole());
}

async fn an_older_program_goes_on_as_long_as_it_may() {
    let fresh = Fresh::new("older");
    fresh.open().await.close().await;
    // As a later release leaves it, which expanded and then contracted.
    fresh.sql("UPDATE peyk_schema SET applied = applied + 1");
    fresh.open().await.close().await;
    fresh.sql("UPDATE peyk_schema SET oldest = applied");
    let refused = PostgresStore::open(&fresh.config).await.err();
    let newer = Refused::Newer {
        found: known() + 1,
        oldest: known() + 1,
        known: known(),
    };
    assert!(
        matches!(&refused, Some(OpenError::Schema(refused)) if *refused == newer),
        "{refused:?}"
    );
    let refused = contract(&fresh.config).await.err();
    assert!(matches!(refused, Some(OpenError::Schema(_))), "{refused:?}");
}

async fn processes_that_live_are_looked_at_before_anything_is_taken_away() {
    let fresh = Fresh::new("living");
    let store = fresh.open().await;
    let now = UnixMillis(1_800_000_000_000);
    let beat = Beat {
        process: ProcessId(1),
        host: "here".into(),
        pid: 1,
        name: "one".into(),
        roles: Roles::default(),
        version: store::schema::version("0.1.0", MIGRATIONS),
        now,
        expires_at: now.plus_seconds(10),
    };
    store.beat(beat).await.expect("it lives");
    // There is no contraction yet that could be refused; that the rows are read is seen by what
    // happens without them.
    contract(&fresh.config).await.expect("nothing to do");
    fresh.sql("ALTER TABLE process RENAME COLUMN version TO something");
    contract(&fresh.config)
        .await
        .expect_err("the rows are read");
    store.close().await;
}

async fn the_migration_counts_what_is_there_already() {
    let fresh = Fresh::new("counted");
    let store = fresh.open().await;
    // Two accounts; a bulk of each that has recipients in every state, and a blacklisted one that
    // cost nothing.
    fresh.sql(
        "INSERT INTO account (id, name, password_hash, created_at, expires_at, settings)
           SELECT a, 'name' || a, '', 0, 0, '{}' FROM generate_series(1, 2) a;
         INSERT INTO bulk (account_id, line_id, accepted_at, due_at, price, bulk_no,
           report_seconds, next_seq, unsent, submitted, held, delivered, failed, discarded,
           cancelled, unreported, stage, terms, urgent, text)
           SELECT a, 3, 1750000000000, 0, 0, 10001, 1, 10, 2, 1, 1, 1, 1, 2, 1, 1, 1, 0, false, ''
           FROM generate_series(1, 2) a;
         INSERT INTO recipient (account_id, number, unit_price, bulk_no, seq, operator, state,
           reason, parts, link_id)
           SELECT a, 9120000000 + s, 10, 10001, s, 1, least(s, 8), 0, 2,
             CASE WHEN s < 9 THEN 1 END
           FROM generate_series(1, 2) a, generate_series(0, 9) s;
         UPDATE recipient SET state = 6 WHERE seq = 9;
         DROP TABLE statistic",
    );
    let migration = MIGRATIONS.iter().find(|one| one.name == "0012_bulks");
    fresh.sql(migration.expect("it is there").sql);
    let rows = fresh.sql(
        "SELECT string_agg(concat_ws(' ', account_id, hour, line_id, operator, unsent,
         submitted, delivered, failed, other, parts, price), '; ' ORDER BY account_id)
         FROM statistic",
    );
    let hour = domain::schedule::tehran_hour(UnixMillis(1_750_000_000_000));
    let expected = format!("1 {hour} 3 1 2 2 1 1 4 18 180; 2 {hour} 3 1 2 2 1 1 4 18 180");
    assert_eq!(rows, expected);
    let findings = store.check().await.expect("check");
    let wrong = findings.iter().find(|finding| finding.rule == "statistics");
    assert_eq!(wrong, None);
    fresh.sql("UPDATE statistic SET delivered = 2 WHERE account_id = 2");
    let findings = store.check().await.expect("check");
    let wrong = findings
        .iter()
        .filter(|finding| finding.rule == "statistics");
    assert_eq!(wrong.count(), 1);
    store.close().await;
}

async fn a_database_of_something_else_is_left_alone() {
    let fresh = Fresh::new("foreign");
    fresh.sql("CREATE TABLE song (title text)");
    let opened = PostgresStore::open(&fresh.config).await.err();
    assert!(matches!(opened, Some(OpenError::NotOurs)), "{opened:?}");
    let looked = read(&fresh.config).await.err();
    assert!(matches!(looked, Some(OpenError::NotOurs)), "{looked:?}");
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(fresh.sql(tables), "1");
}

/// A trial that runs on a runtime of its own.
fn case<F: Future<Output = ()>>(name: &str, test: impl FnOnce() -> F + Send + 'static) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(test());
        Ok(())
    })
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        println!("skipped: the schema on PostgreSQL: {why}");
    }
    let trials = vec![
        case(
            "processes_that_start_together_make_one_schema",
            processes_that_start_together_make_one_schema,
        ),
        case(
            "an_older_program_goes_on_as_long_as_it_may",
            an_older_program_goes_on_as_long_as_it_may,
        ),
        case(
            "the_migration_counts_what_is_there_already",
            the_migration_counts_what_is_there_already,
        ),
        case(
            "processes_that_live_are_looked_at_before_anything_is_taken_away",
            processes_that_live_are_looked_at_before_anything_is_taken_away,
        ),
        case(
            "a_database_of_something_else_is_left_alone",
            a_database_of_something_else_is_left_alone,
        ),
    ];
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(missing.is_some()))
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
