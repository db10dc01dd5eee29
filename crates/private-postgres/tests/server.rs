//! The real server: it keeps what it acknowledged over a kill, listens to this machine alone, and
//! leaves nothing behind. Where PostgreSQL is missing, the tests say so and count as ignored.

use libtest_mimic::{Arguments, Trial};
use private_postgres::{Server, Settings, Unavailable};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set for this program when it is to own a server and be killed.
const OWNER: &str = "PRIVATE_POSTGRES_OWNER";
/// How often, and how long after another, a test looks whether the guard has done its work.
const GUARD_ATTEMPTS: u32 = 600;
const GUARD_PAUSE: Duration = Duration::from_millis(100);

fn server() -> Server {
    Server::start(Settings::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn sql(server: &Server, url: &str, statement: &str) -> String {
    server
        .sql(url, statement)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn what_was_committed_survives_a_kill() {
    let server = server();
    let url = server.create_database("kept").expect("a database");
    sql(
        &server,
        &url,
        "CREATE TABLE t (n int); INSERT INTO t VALUES (7)",
    );
    let before = server.pid().expect("it runs");
    server.kill().expect("killed");
    assert_eq!(server.pid(), None);
    assert!(server.sql(&url, "SELECT 1").is_err());
    server.start_again().expect("it recovers");
    assert_ne!(server.pid(), Some(before));
    assert_eq!(sql(&server, &url, "SELECT n FROM t"), "7");
    let log = server.log();
    assert!(log.contains("was not properly shut down"), "{log}");
    server.stop_fast().expect("stopped");
    assert_eq!(server.pid(), None);
    server.start_again().expect("it starts");
    assert_eq!(sql(&server, &url, "SELECT n FROM t"), "7");
}

fn a_database_of_the_same_name_is_made_anew() {
    let server = server();
    let url = server.create_database("again").expect("a database");
    sql(&server, &url, "CREATE TABLE t (n int)");
    assert_eq!(server.create_database("again").expect("a database"), url);
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sql(&server, &url, tables), "0");
}

fn commits_are_durable_and_only_this_machine_is_listened_to() {
    let server = Server::start(Settings {
        connections: 17,
        more: vec![("max_wal_size".into(), "2GB".into())],
        ..Settings::default()
    });
    let server = server.unwrap_or_else(|error| panic!("{error}"));
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("max_connections", "17"),
        ("max_wal_size", "2GB"),
    ] {
        let shown = sql(&server, server.url(), &format!("SHOW {setting}"));
        assert_eq!(shown, value, "{setting}");
    }
}

fn a_dropped_server_leaves_neither_process_nor_folder() {
    let server = server();
    let folder = server.folder().to_owned();
    let address = address(server.url());
    TcpStream::connect(&address).expect("it runs");
    drop(server);
    TcpStream::connect(&address).expect_err("it has ended");
    assert!(!folder.exists());
}

/// Host and port of a URL of ours.
fn address(url: &str) -> String {
    let after_user = url.split('@').nth(1).expect("a user");
    after_user.split('/').next().expect("a host").to_owned()
}

fn an_owner_that_is_killed_leaves_nothing_behind() {
    let mut owner = Command::new(std::env::current_exe().expect("this program"))
        .env(OWNER, "")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program again");
    let mut lines = BufReader::new(owner.stdout.take().expect("its output")).lines();
    let mut line = || lines.next().expect("a line").expect("text");
    let (folder, address) = (PathBuf::from(line()), line());
    TcpStream::connect(&address).expect("it runs");
    owner.kill().expect("killed");
    owner.wait().expect("it has ended");
    for _ in 0..GUARD_ATTEMPTS {
        if !folder.exists() {
            break;
        }
        std::thread::sleep(GUARD_PAUSE);
    }
    assert!(!folder.exists());
    TcpStream::connect(&address).expect_err("it has ended");
}

/// The part of the owner in the test above.
fn be_an_owner() {
    let server = server();
    println!("{}\n{}", server.folder().display(), address(server.url()));
    // Until the test kills this, or has ended itself.
    std::io::stdin()
        .read_line(&mut String::new())
        .expect("input");
}

fn the_shared_server_is_one() {
    let first = Server::shared().expect("a server");
    let second = Server::shared().expect("a server");
    assert!(std::ptr::eq(first, second));
    let name = format!("shared_{}", std::process::id());
    let url = first.create_database(&name).expect("a database");
    assert_eq!(
        first.sql(&url, "SELECT current_database()").expect("rows"),
        name
    );
    let dropped = first.sql(first.url(), &format!("DROP DATABASE {name}"));
    dropped.expect("dropped");
}

fn a_statement_that_fails_is_an_error_with_its_words() {
    let server = server();
    let error = server
        .sql(server.url(), "SELECT nothing")
        .expect_err("no such column");
    assert!(
        error.to_string().contains("\"nothing\" does not exist"),
        "{error}"
    );
    assert!(matches!(error, Unavailable::Failed(_)));
}

fn main() {
    if std::env::var_os(OWNER).is_some() {
        return be_an_owner();
    }
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        println!("skipped: the private server: {why}");
    }
    let case = |name: &str, test: fn()| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    };
    let trials = vec![
        case(
            "what_was_committed_survives_a_kill",
            what_was_committed_survives_a_kill,
        ),
        case(
            "a_database_of_the_same_name_is_made_anew",
            a_database_of_the_same_name_is_made_anew,
        ),
        case(
            "commits_are_durable_and_only_this_machine_is_listened_to",
            commits_are_durable_and_only_this_machine_is_listened_to,
        ),
        case(
            "a_dropped_server_leaves_neither_process_nor_folder",
            a_dropped_server_leaves_neither_process_nor_folder,
        ),
        case(
            "an_owner_that_is_killed_leaves_nothing_behind",
            an_owner_that_is_killed_leaves_nothing_behind,
        ),
        case("the_shared_server_is_one", the_shared_server_is_one),
        case(
            "a_statement_that_fails_is_an_error_with_its_words",
            a_statement_that_fails_is_an_error_with_its_words,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}
