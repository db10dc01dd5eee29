//! Leases beside a process that was cut off in the middle of a command. Where PostgreSQL is
//! missing, the tests say so and count as ignored.

use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;
use libtest_mimic::{Arguments, Trial};
use private_postgres::Server;
use std::time::Duration;
use store::{Duty, Fleet, Lease, Store, TakeDuties};
use store_postgres::{Config, PostgresStore};
use tokio_postgres::{Client, NoTls};

const CUT_OFF: ProcessId = ProcessId(1);
const LIVING: ProcessId = ProcessId(2);
/// How long a lease lasts, in milliseconds.
const LEASE: i64 = 10_000;
/// Far longer than any of it takes; the session that is in the way stays for ever.
const WAIT_MAX: Duration = Duration::from_secs(20);

fn link(number: i64) -> Duty {
    Duty::Link(LinkId(number))
}

async fn take(store: &PostgresStore, process: ProcessId, links: &[i64], at: i64) -> Vec<Lease> {
    let command = TakeDuties {
        process,
        duties: links.iter().copied().map(link).collect(),
        now: UnixMillis(at),
        expires_at: UnixMillis(at + LEASE),
    };
    let taken = tokio::time::timeout(WAIT_MAX, store.take_duties(command)).await;
    taken.expect("it waits for nobody").expect("the leases")
}

/// What a process holds in the middle of a command about these links.
async fn fence(url: &str, links: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls)
        .await
        .expect("a session");
    tokio::spawn(connection);
    let sql = format!("BEGIN; SELECT 1 FROM lease WHERE duty IN ({links}) FOR KEY SHARE");
    client.batch_execute(&sql).await.expect("the fence");
    client
}

async fn a_process_cut_off_in_a_command_holds_up_its_own_links_alone() {
    let name = format!("leases_{}", std::process::id());
    let url = Server::shared().and_then(|server| server.create_database(&name));
    let url = url.unwrap_or_else(|error| panic!("{error}"));
    let mut config = Config::parse(&url).expect("an address");
    config.own_clock = false;
    let store = PostgresStore::open(&config).await.expect("a store");
    assert_eq!(take(&store, CUT_OFF, &[1], 0).await.len(), 1);
    let living = take(&store, LIVING, &[2], LEASE - 1).await;
    let session = fence(&url, "1, 2").await;
    // The first lease has run out; its holder's command has not ended. The second one is renewed
    // although a command of its own holder is under way.
    let later = take(&store, LIVING, &[1, 2], LEASE).await;
    let renewed = UnixMillis(LEASE + LEASE);
    let expected = Lease {
        expires_at: renewed,
        ..living[0]
    };
    assert_eq!(later, [expected]);
    session.batch_execute("ROLLBACK").await.expect("its end");
    let taken = take(&store, LIVING, &[1, 2], LEASE).await;
    let epochs: Vec<_> = taken
        .iter()
        .map(|lease| (lease.duty, lease.epoch))
        .collect();
    assert_eq!(epochs, [(link(1), 2), (link(2), 1)]);
    store.close().await;
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        println!("skipped: leases on PostgreSQL: {why}");
    }
    let name = "a_process_cut_off_in_a_command_holds_up_its_own_links_alone";
    let trial = Trial::test(name, || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(a_process_cut_off_in_a_command_holds_up_its_own_links_alone());
        Ok(())
    });
    let trial = trial.with_ignored_flag(missing.is_some());
    libtest_mimic::run(&arguments, vec![trial]).exit();
}
