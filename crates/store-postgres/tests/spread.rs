//! That the tables could be spread over several servers by account: what their keys lead with, what
//! none of them has, and that docs/scale-out.md knows each of them. Nothing here runs on several
//! servers. Where PostgreSQL is missing, the tests say so and count as ignored.

use domain::ids::AccountId;
use domain::money::Rials;
use domain::time::UnixMillis;
use libtest_mimic::{Arguments, Trial};
use private_postgres::Server;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use store::{Store, TopUp};
use store_postgres::{Config, PostgresStore};

const DOCUMENT: &str = include_str!("../../../docs/scale-out.md");

/// Tables with an account in them that are looked up by something else.
const LOOKED_UP_OTHERWISE: [(&str, &str); 5] = [
    ("receipt_map", "a receipt brings the operator's message id"),
    (
        "inbound_work",
        "one process takes the work of all, in order",
    ),
    ("pattern_code", "a code is given once in the installation"),
    (
        "api_key_digest",
        "a key is given once in the installation, and says whose it is",
    ),
    (
        "console_session",
        "a browser brings a session, and that says whose it is",
    ),
];

/// A database with the whole schema.
struct Fresh {
    url: String,
}

impl Fresh {
    async fn new(name: &str, spread: bool) -> (Self, PostgresStore) {
        let name = format!("spread_{}_{name}", std::process::id());
        let url = Server::shared().and_then(|server| server.create_database(&name));
        let url = url.unwrap_or_else(|error| panic!("{error}"));
        let mut config = Config::parse(&url).expect("an address");
        config.lock_one_by_one = Some(spread);
        let store = PostgresStore::open(&config).await;
        let store = store.unwrap_or_else(|error| panic!("{error}"));
        (Self { url }, store)
    }

    fn sql(&self, sql: &str) -> String {
        let answer = Server::shared().and_then(|server| server.sql(&self.url, sql));
        answer.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The words of an answer of one row.
    fn words(&self, sql: &str) -> BTreeSet<String> {
        let answer = self.sql(sql);
        answer.split_whitespace().map(Into::into).collect()
    }

    fn tables(&self) -> BTreeSet<String> {
        self.words("SELECT string_agg(tablename, ' ') FROM pg_tables WHERE schemaname = 'public'")
    }

    /// The tables with this column.
    fn with_column(&self, column: &str) -> BTreeSet<String> {
        self.words(&format!(
            "SELECT string_agg(table_name, ' ') FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = '{column}'"
        ))
    }

    /// `table.index` of each unique index, primary keys among them, that does not lead with this
    /// column.
    fn unique_without(&self, column: &str) -> BTreeSet<String> {
        self.words(&format!(
            "SELECT string_agg(t.relname || '.' || c.relname, ' ')
             FROM pg_index i
             JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
             JOIN pg_namespace n ON n.oid = t.relnamespace
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
             WHERE n.nspname = 'public' AND i.indisunique AND a.attname <> '{column}'"
        ))
    }

    fn without_primary_key(&self) -> BTreeSet<String> {
        self.words(
            "SELECT string_agg(t.relname, ' ') FROM pg_class t
             JOIN pg_namespace n ON n.oid = t.relnamespace
             WHERE n.nspname = 'public' AND t.relkind = 'r' AND NOT EXISTS
             (SELECT 1 FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)",
        )
    }
}

fn table_of(index: &str) -> &str {
    index.split('.').next().unwrap_or(index)
}

async fn the_keys_of_an_accounts_rows_lead_with_the_account() {
    let (fresh, store) = Fresh::new("keys", false).await;
    store.close().await;
    assert_eq!(fresh.without_primary_key(), BTreeSet::new());
    let of_accounts = fresh.with_column("account_id");
    assert!(of_accounts.contains("recipient"), "{of_accounts:?}");
    let others = fresh.unique_without("account_id");
    let excepted: BTreeSet<&str> = LOOKED_UP_OTHERWISE.iter().map(|(name, _)| *name).collect();
    let offending: Vec<&String> = others
        .iter()
        .filter(|index| of_accounts.contains(table_of(index)))
        .filter(|index| !excepted.contains(table_of(index)))
        .collect();
    assert!(offending.is_empty(), "{offending:?}");
    // An exception that is none any more would hide the next one.
    for name in excepted {
        assert!(of_accounts.contains(name), "{name}");
        assert!(others.iter().any(|index| table_of(index) == name), "{name}");
    }
}

async fn the_schema_is_tables_and_indexes_alone() {
    let (fresh, store) = Fresh::new("alone", false).await;
    store.close().await;
    let found = fresh.sql(
        "SELECT concat_ws(', ',
           (SELECT string_agg(c.relkind::text || ' ' || c.relname, ', ') FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = 'public' AND c.relkind NOT IN ('r', 'i')),
           (SELECT string_agg('trigger ' || tgname, ', ') FROM pg_trigger),
           (SELECT string_agg('constraint ' || conname, ', ') FROM pg_constraint c
            JOIN pg_namespace n ON n.oid = c.connamespace
            WHERE n.nspname = 'public' AND contype NOT IN ('p', 'u')),
           (SELECT string_agg('function ' || proname, ', ') FROM pg_proc p
            JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'),
           (SELECT string_agg('identity ' || column_name, ', ') FROM information_schema.columns
            WHERE table_schema = 'public' AND (is_identity = 'YES' OR is_generated = 'ALWAYS')))",
    );
    assert_eq!(found, "", "sequences, triggers, foreign keys, functions");
}

/// What the document's statements for Citus do with each table: the column by which it is
/// distributed, or nothing where it stays. A table that is named twice fails the test.
fn groups(document: &str) -> BTreeMap<String, Option<String>> {
    let mut groups = BTreeMap::new();
    let mut put = |table: &str, column: Option<&str>| {
        let before = groups.insert(table.to_owned(), column.map(ToOwned::to_owned));
        assert!(before.is_none(), "{table} is named twice");
    };
    for line in document.lines() {
        if let Some(call) = line.strip_prefix("SELECT create_distributed_table(") {
            let mut quoted = call.split('\'').skip(1).step_by(2);
            let (table, column) = (quoted.next(), quoted.next());
            put(table.expect("a table"), Some(column.expect("a column")));
        } else if let Some(names) = line.strip_prefix("-- stays: ") {
            names.split(", ").for_each(|name| put(name, None));
        }
    }
    groups
}

async fn the_document_puts_each_table_into_one_group() {
    let (fresh, store) = Fresh::new("document", false).await;
    store.close().await;
    let groups = groups(DOCUMENT);
    assert_eq!(
        groups.keys().cloned().collect::<BTreeSet<_>>(),
        fresh.tables()
    );
    for (table, column) in &groups {
        let Some(column) = column else { continue };
        assert!(fresh.with_column(column).contains(table), "{table}");
        let others = fresh.unique_without(column);
        let without: Vec<_> = others.iter().filter(|one| table_of(one) == table).collect();
        assert!(without.is_empty(), "no shard could hold {without:?}");
    }
    let columns: BTreeSet<&str> = groups.values().flatten().map(String::as_str).collect();
    assert_eq!(columns, BTreeSet::from(["account_id", "message_id"]));
}

async fn the_server_takes_the_documents_settings_of_tables() {
    let (fresh, store) = Fresh::new("settings", false).await;
    store.close().await;
    let settings: Vec<&str> = DOCUMENT
        .lines()
        .filter(|line| line.starts_with("ALTER TABLE "))
        .collect();
    assert!(settings.len() >= 5, "{settings:?}");
    for sql in settings {
        fresh.sql(sql);
    }
}

async fn whoever_locks_an_account_writes_its_guard_where_tables_are_spread() {
    for (name, spread, turns) in [("guarded", true, "1:2"), ("unguarded", false, "")] {
        let (fresh, store) = Fresh::new(name, spread).await;
        fresh.sql(
            "INSERT INTO account (id, name, password_hash, created_at, expires_at, settings)
             VALUES (1, 'one', '', 0, 0, '{}')",
        );
        for _ in 0..2 {
            let command = TopUp {
                account: AccountId(1),
                amount: Rials(100),
                note: None,
                at: UnixMillis(1_800_000_000_000),
            };
            store.top_up(command).await.expect("an account");
        }
        store.close().await;
        let guards = "SELECT string_agg(account_id || ':' || turns, ' ') FROM account_guard";
        assert_eq!(fresh.sql(guards), turns);
        assert_eq!(fresh.sql("SELECT credit FROM account"), "200");
    }
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
        println!("skipped: tables that could be spread: {why}");
    }
    let trials = vec![
        case(
            "the_keys_of_an_accounts_rows_lead_with_the_account",
            the_keys_of_an_accounts_rows_lead_with_the_account,
        ),
        case(
            "the_schema_is_tables_and_indexes_alone",
            the_schema_is_tables_and_indexes_alone,
        ),
        case(
            "the_document_puts_each_table_into_one_group",
            the_document_puts_each_table_into_one_group,
        ),
        case(
            "the_server_takes_the_documents_settings_of_tables",
            the_server_takes_the_documents_settings_of_tables,
        ),
        case(
            "whoever_locks_an_account_writes_its_guard_where_tables_are_spread",
            whoever_locks_an_account_writes_its_guard_where_tables_are_spread,
        ),
    ];
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(missing.is_some()))
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
