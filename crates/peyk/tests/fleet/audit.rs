//! The end of each scenario: everything promised is there, was sent, is final, and is paid once.

use crate::process::Process;
use crate::support::home::CREDIT;
use crate::support::load::{Acknowledged, Load};
use crate::takeovers;
use crate::world::{Part, Place, World, number};
use std::collections::BTreeMap;
use std::time::Instant;

/// A recipient as the store has it at the end.
struct Row {
    number: String,
    state: i64,
    unit_price: i64,
    parts: u8,
}

/// The code of a recipient that was delivered.
const DELIVERED: i64 = 4;
/// The least code of a final state.
const FINAL: i64 = 4;

/// As [`settle`], where nothing may have been sent twice at all.
pub fn settle_without_doubles(world: World, processes: Vec<Process>) {
    let doubles = settle(world, processes);
    assert_eq!(doubles, 0, "nothing broke, and yet parts were sent twice");
}

/// Stops the customers, lets the processes finish, and checks every promise. Says how many parts
/// were sent more than once.
pub fn settle(mut world: World, processes: Vec<Process>) -> usize {
    let idle = Load::of(Vec::new(), 0);
    let promised = std::mem::replace(&mut world.load, idle).stop();
    world.wait("everything is final", || {
        let open = format!("SELECT count(*) FROM recipient WHERE state < {FINAL}");
        number(&world.rows(&open)[0][0]) == 0
    });
    world.wait("nothing is reserved", || {
        world.money().values().all(|(_, reserved)| *reserved == 0)
    });
    world.is_healthy();
    for process in processes {
        let (plan, status) = process.stop();
        assert!(status.success(), "{}: {status}", plan.name);
    }
    let left = world.rows("SELECT count(*) FROM process");
    assert_eq!(number(&left[0][0]), 0, "who stops leaves the store");
    let mut sent: BTreeMap<Part, Vec<Instant>> = BTreeMap::new();
    for submit in world.submits() {
        sent.entry(submit.part).or_default().push(submit.at);
    }
    let doubles = sent.values().filter(|times| times.len() > 1).count();
    println!(
        "{} bulks acknowledged, {} parts sent, {doubles} of them more than once",
        promised.len(),
        sent.len()
    );
    let takeovers = match world.place {
        Place::Sqlite => Vec::new(),
        Place::Postgres { .. } => takeovers::all(&world),
    };
    let bulks = bulks(&world);
    check_promises(&promised, &bulks);
    check_that_all_was_sent(&bulks, &sent);
    check_money(&world, &bulks);
    takeovers::check_doubles(&takeovers, &sent);
    world.is_healthy();
    doubles
}

/// All bulks by account and number, with their recipients in order.
fn bulks(world: &World) -> BTreeMap<(String, u32), Vec<Row>> {
    let rows = world.rows(
        "SELECT a.name, r.bulk_no, r.number, r.state, r.unit_price, r.parts
         FROM recipient r JOIN account a ON a.id = r.account_id
         ORDER BY r.account_id, r.bulk_no, r.seq",
    );
    let mut bulks: BTreeMap<(String, u32), Vec<Row>> = BTreeMap::new();
    for row in rows {
        let bulk = row[1].parse().expect("the number of a bulk");
        let recipient = Row {
            number: row[2].clone(),
            state: number(&row[3]),
            unit_price: number(&row[4]),
            parts: row[5].parse().expect("few parts"),
        };
        bulks
            .entry((row[0].clone(), bulk))
            .or_default()
            .push(recipient);
    }
    bulks
}

/// Each acknowledged bulk is there with its recipients, and delivered.
fn check_promises(promised: &[Acknowledged], bulks: &BTreeMap<(String, u32), Vec<Row>>) {
    for bulk in promised {
        let found = bulks.get(&(bulk.account.clone(), bulk.bulk));
        let found = found.unwrap_or_else(|| panic!("bulk {} is lost", bulk.bulk));
        let numbers: Vec<_> = found
            .iter()
            .map(|row| format!("+98{}", row.number))
            .collect();
        assert_eq!(numbers, bulk.recipients, "recipients of bulk {}", bulk.bulk);
    }
}

/// What the store has was sent, and what was sent the store has; no request was written twice.
fn check_that_all_was_sent(
    bulks: &BTreeMap<(String, u32), Vec<Row>>,
    sent: &BTreeMap<Part, Vec<Instant>>,
) {
    let mut known = BTreeMap::new();
    for (bulk, rows) in bulks {
        for row in rows {
            assert_eq!(row.state, DELIVERED, "{} of bulk {bulk:?}", row.number);
            for part in 0..row.parts {
                let key = (row.number.clone(), part);
                assert!(sent.contains_key(&key), "{key:?} of {bulk:?} is lost");
                let twice = known.insert(key, bulk);
                assert!(twice.is_none(), "one request became {twice:?} and {bulk:?}");
            }
        }
    }
    for part in sent.keys() {
        assert!(known.contains_key(part), "{part:?} is nobody's");
    }
}

/// Each account paid for its delivered parts once, and for nothing else.
fn check_money(world: &World, bulks: &BTreeMap<(String, u32), Vec<Row>>) {
    for (account, money) in world.money() {
        let own = bulks.iter().filter(|((name, _), _)| *name == account);
        let price = |row: &Row| row.unit_price * i64::from(row.parts);
        let spent: i64 = own.flat_map(|(_, rows)| rows).map(price).sum();
        assert!(spent > 0, "{account} sent nothing");
        assert_eq!(
            money,
            (CREDIT - spent, 0),
            "credit and reserved of {account}"
        );
    }
}
