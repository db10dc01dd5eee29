//! The server is there and will not do it, or does not answer: a clear error within patience, and
//! everything as before once it will again.

use crate::world::*;
use domain::ids::AccountId;
use std::process::Command;
use std::time::Duration;
use store::*;
use store_postgres::{Config, PostgresStore};
use tokio_postgres::NoTls;

/// A configuration that waits for a second.
fn hasty(url: &str) -> Config {
    let mut config = config(url);
    config.patience_seconds = 1;
    config
}

/// The name of the database in a URL.
fn name(url: &str) -> &str {
    let path = url.rsplit('/').next().expect("a database");
    path.split('?').next().expect("a name")
}

/// Ends the sessions of a database, as a restart would.
fn end_sessions(url: &str) {
    let sql = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'",
        name(url)
    );
    place().sql(place().server.url(), &sql);
}

fn assert_says<T: std::fmt::Debug, E: std::fmt::Display>(answer: Result<T, E>, words: &str) {
    let error = answer.expect_err("the database is away").to_string();
    assert!(error.contains(words), "`{error}` says nothing of `{words}`");
}

async fn assert_works(store: &PostgresStore, w: World, account: AccountId, bulks: i64) {
    send(store, w.bulk(account, "سلام", 1)).await;
    let (credit, reserved) = money(store, account).await;
    assert_eq!((credit, reserved), (CREDIT - bulks * PRICE, bulks * PRICE));
    assert_sound(store).await;
}

pub async fn a_database_that_is_read_only_says_so_and_is_written_to_later() {
    let url = place().fresh();
    let store = open(&hasty(&url)).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    let set = |value| {
        let name = name(&url);
        let sql = format!("ALTER DATABASE {name} SET default_transaction_read_only = {value}");
        place().sql(place().server.url(), &sql);
        end_sessions(&url);
    };
    set("on");
    let accepted = store.accept_bulk(w.bulk(account, "سلام", 1)).await;
    assert_says(accepted, "read-only");
    assert_says(store.top_up(top_up(account, 1)).await, "read-only");
    assert_eq!(money(&store, account).await, (CREDIT, 0), "it can be read");
    set("off");
    assert_works(&store, w, account, 1).await;
    store.close().await;
}

pub async fn a_server_at_its_limit_of_connections_says_so_and_is_used_later() {
    let url = place().fresh();
    let role = format!("of_{}", name(&url));
    let sql = format!(
        "CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
         ALTER ROLE {role} CONNECTION LIMIT 6"
    );
    place().sql(&url, &sql);
    let of_role = url.replacen("peyk@", &format!("{role}@"), 1);
    let store = open(&hasty(&of_role)).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    end_sessions(&url);
    let mut others = Vec::new();
    for _ in 0..6 {
        let (client, connection) = tokio_postgres::connect(&of_role, NoTls)
            .await
            .expect("room");
        tokio::spawn(connection);
        others.push(client);
    }
    let accepted = store.accept_bulk(w.bulk(account, "سلام", 1)).await;
    assert_says(accepted, "too many connections");
    assert_says(store.balance(account).await, "too many connections");
    drop(others);
    end_sessions(&url);
    assert_works(&store, w, account, 1).await;
    store.close().await;
}

pub async fn a_command_that_finds_no_connection_free_says_so() {
    let url = place().fresh();
    let mut config = hasty(&url);
    (config.connections, config.writers) = (1, 1);
    let store = open(&config).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    let (other, connection) = tokio_postgres::connect(&url, NoTls).await.expect("connect");
    tokio::spawn(connection);
    let lock = format!("BEGIN; SELECT 1 FROM account WHERE id = {account} FOR UPDATE");
    other.batch_execute(&lock).await.expect("the lock");
    let busy = async {
        tokio::join!(
            store.top_up(top_up(account, 1)),
            store.top_up(top_up(account, 1))
        )
    };
    let waiting = async {
        // Both connections wait for the lock by then.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let balance = store.balance(account).await;
        other.batch_execute("ROLLBACK").await.expect("ROLLBACK");
        balance
    };
    let ((one, two), balance) = tokio::join!(busy, waiting);
    assert_says(balance, "no connection to the database");
    one.expect("top_up");
    two.expect("top_up");
    store.top_up(top_up(account, -2)).await.expect("top_up");
    assert_works(&store, w, account, 1).await;
    store.close().await;
}

pub async fn a_database_that_is_gone_says_so() {
    let url = place().fresh();
    let store = open(&hasty(&url)).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    let sql = format!("DROP DATABASE {} WITH (FORCE)", name(&url));
    place().sql(place().server.url(), &sql);
    let accepted = store.accept_bulk(w.bulk(account, "سلام", 1)).await;
    assert_says(accepted, "does not exist");
    assert_says(store.balance(account).await, "does not exist");
    store.close().await;
}

/// The server takes connections and answers nothing on the one that the store has, as on a machine
/// that stands still: the store goes on over another one.
pub async fn a_connection_that_falls_silent_is_given_up() {
    let url = place().fresh();
    let mut config = config(&url);
    config.statement_timeout_seconds = 1;
    let store = open(&config).await;
    let w = World::make(&store).await;
    let account = account(&store, "customer").await;
    let sql = format!(
        "SELECT pid FROM pg_stat_activity WHERE datname = '{}'",
        name(&url)
    );
    let sessions = place().sql(place().server.url(), &sql);
    let signal = |signal| {
        for pid in sessions.lines() {
            let sent = Command::new("kill").args([signal, pid]).status();
            assert!(sent.expect("kill runs").success(), "kill {signal} {pid}");
        }
    };
    signal("-STOP");
    let (balance, paid) = tokio::join!(store.balance(account), store.top_up(top_up(account, 100)));
    signal("-CONT");
    balance.expect("balance");
    paid.expect("top_up");
    store.top_up(top_up(account, -100)).await.expect("top_up");
    assert_works(&store, w, account, 1).await;
    store.close().await;
}
