//! Ends of the real server that nothing announces: kills at random instants and at exact system
//! calls, a disk that fails, and an orderly stop among them. What was acknowledged must be there,
//! go out, and be paid for once.

mod support;

use std::path::Path;
use std::time::Duration;
use support::crash::{InDoubt, Remains, Scenario};
use support::home::{Home, wait_until};
use support::http::Answer;
use support::random::{self, Random};
use support::strace;

/// Kills of one run of the suite; `PEYK_CRASH_ROUNDS` asks for more.
const ROUNDS: u64 = 6;
/// How long the server runs after its first acknowledgement, in milliseconds.
const ALIVE_MILLIS: (u64, u64) = (50, 600);
/// When a server is killed that has perhaps not even recovered from the last kill, in
/// milliseconds after its start.
const YOUNG_MILLIS: (u64, u64) = (0, 250);
/// One in so many kills comes that early.
const YOUNG_ONE_IN: u64 = 4;

fn rounds() -> u64 {
    let given = std::env::var("PEYK_CRASH_ROUNDS").ok();
    given.map_or(ROUNDS, |text| {
        text.parse().expect("PEYK_CRASH_ROUNDS is a number")
    })
}

/// Kills the server again and again under load, then checks every promise.
fn kill_at_random_instants(in_doubt: InDoubt, rounds: u64) {
    let seed = random::seed();
    let mut random = Random::new(seed);
    let mut scenario = Scenario::new(in_doubt, seed);
    for _ in 0..rounds {
        if random.next().is_multiple_of(YOUNG_ONE_IN) {
            let server = scenario.home.spawn(&[]);
            scenario.let_them_send();
            sleep(random.between(YOUNG_MILLIS.0, YOUNG_MILLIS.1));
            server.kill();
        } else {
            let before = scenario.load.count();
            let mut server = scenario.serve();
            assert!(
                scenario.wait_for_acknowledgement(&mut server, before),
                "the server ended"
            );
            sleep(random.between(ALIVE_MILLIS.0, ALIVE_MILLIS.1));
            server.kill();
        }
        scenario.examine_the_end();
    }
    let server = scenario.serve();
    scenario.settle(server);
}

fn sleep(millis: u64) {
    std::thread::sleep(Duration::from_millis(millis));
}

fn every_acknowledged_bulk_survives_kills_at_random_instants() {
    kill_at_random_instants(InDoubt::Resend, rounds());
}

fn a_line_that_holds_never_sends_twice_whatever_is_killed() {
    kill_at_random_instants(InDoubt::Hold, rounds().div_ceil(2));
}

/// One end is one lost attempt, however many parts the text has: it must not use up all attempts
/// that a message has.
fn a_text_of_the_most_parts_in_flight_at_a_kill_is_sent_again_and_not_given_up() {
    let mut scenario = Scenario::new(InDoubt::Resend, random::seed());
    scenario.answer_after(Duration::from_secs(600));
    let server = scenario.home.serve();
    // 32 parts of 67 UCS-2 characters, fewer than the windows hold.
    let text = "م".repeat(32 * 67);
    let sent = scenario
        .home
        .customer()
        .send(support::home::LINE, &text, &["09121234567".into()]);
    let Answer::Acknowledged(bulk) = sent else {
        panic!("{sent:?}")
    };
    wait_until("all parts are in flight", Duration::from_secs(60), || {
        scenario.taken() == 32
    });
    server.kill();
    scenario.examine_the_end();
    assert_eq!(scenario.in_doubt_at_the_last_end(), 32);
    scenario.answer_after(Duration::ZERO);
    let server = scenario.home.serve();
    let mut word = String::new();
    wait_until("it has ended", Duration::from_secs(60), || {
        let items = scenario.home.customer().delivery(bulk).expect("the bulk");
        word.clone_from(&items[0].1);
        word == "delivered" || word == "failed"
    });
    assert_eq!(word, "delivered");
    scenario.settle(server);
}

fn a_stop_in_the_middle_of_load_leaves_nothing_in_doubt() {
    let seed = random::seed();
    let mut random = Random::new(seed);
    let mut scenario = Scenario::new(InDoubt::Resend, seed);
    for _ in 0..2 {
        let (before, taken) = (scenario.load.count(), scenario.taken());
        let mut server = scenario.serve();
        assert!(
            scenario.wait_for_acknowledgement(&mut server, before),
            "the server ended"
        );
        wait_until("the link carries", Duration::from_secs(60), || {
            scenario.taken() > taken
        });
        sleep(random.between(ALIVE_MILLIS.0, ALIVE_MILLIS.1));
        let stopped = server.stop();
        assert!(stopped.success(), "{stopped}");
        scenario.examine_the_end();
        assert_eq!(scenario.in_doubt_at_the_last_end(), 0);
    }
    let server = scenario.serve();
    scenario.settle(server);
}

fn a_kill_at_any_sync_loses_no_acknowledged_bulk() {
    let seed = random::seed();
    let mut scenario = Scenario::new(InDoubt::Resend, seed);
    for sync in [1, 2, 3, 4, 6, 9, 13, 19, 28, 41] {
        let log = scenario.home.path().join(format!("syncs-{sync}"));
        let fault = format!("signal=SIGKILL:when={sync}");
        let status = scenario.run_until_it_dies(&strace::at_syncs(&fault, "", &log));
        assert!(
            status.code().is_none(),
            "killed at sync {sync}, it says {status}"
        );
    }
    let server = scenario.serve();
    scenario.settle(server);
}

/// Sends one message after the other until the server is gone; gives the numbers it answered.
fn send_until_it_ends(home: &Home, server: &mut support::home::Server) -> Vec<u32> {
    let customer = home.customer();
    let mut acknowledged = Vec::new();
    for n in 0..5_000 {
        if server.has_ended().is_some() {
            break;
        }
        let to = [format!("0912{n:07}")];
        match customer.send(support::home::LINE, "سلام", &to) {
            Answer::Acknowledged(bulk) => acknowledged.push(bulk),
            Answer::Refused(reply) => assert_eq!(reply.status, 503, "{reply:?}"),
            Answer::Lost(_) => sleep(20),
        }
    }
    acknowledged
}

/// Every acknowledgement leaves after a sync that succeeded since the one before it, and none after
/// the first failed sync. The customer of this test has one request at a time, so that none of an
/// earlier commit can still be on its way. Gives the number of acknowledgements.
fn check_the_order_of_calls(log: &Path) -> usize {
    let text = std::fs::read_to_string(log).expect("strace's log");
    let (mut synced, mut failed, mut acknowledged) = (false, false, 0);
    for call in text.lines() {
        // SQLite ignores a failed sync of the folder, with which it makes the name of a new log last.
        if call.contains("(INJECTED)") && call.contains("/peyk.db") {
            failed = true;
        } else if call.contains("sync") && call.ends_with("= 0") {
            synced = true;
        } else if call.contains("\"[0,1") {
            assert!(!failed, "acknowledged after a failed sync: {call}");
            assert!(synced, "acknowledged without a sync: {call}");
            synced = false;
            acknowledged += 1;
        }
    }
    assert!(failed, "no sync failed");
    acknowledged
}

fn a_failed_fsync_stops_the_process_and_nothing_more_is_acknowledged() {
    let mut most = 0;
    for sync in [2, 5, 12] {
        let home = Home::new("resend", None);
        let log = home.path().join("calls");
        let fault = format!("error=EIO:when={sync}+");
        let wrapper = strace::at_syncs(&fault, ",write,writev,sendto,sendmsg", &log);
        let mut server = home.spawn(&wrapper);
        let acknowledged = send_until_it_ends(&home, &mut server);
        let status = server.wait_end();
        assert!(
            !status.success() && status.code().is_some(),
            "it must fail by itself: {status}"
        );
        assert_eq!(
            check_the_order_of_calls(&log),
            acknowledged.len(),
            "all were seen to leave"
        );
        most = most.max(acknowledged.len());
        home.is_healthy_at(Remains::of(&home).path());
        let again = home.serve();
        let customer = home.customer();
        for bulk in acknowledged {
            assert_eq!(
                customer.delivery(bulk).map(|items| items.len()),
                Some(1),
                "bulk {bulk}"
            );
        }
        assert!(again.stop().success());
        home.is_healthy();
    }
    assert!(
        most > 2,
        "no sync failed late enough for acknowledgements before it"
    );
}

fn main() {
    let untraced = strace::unavailable;
    support::runner::run(vec![
        case!(every_acknowledged_bulk_survives_kills_at_random_instants),
        case!(a_line_that_holds_never_sends_twice_whatever_is_killed),
        case!(a_text_of_the_most_parts_in_flight_at_a_kill_is_sent_again_and_not_given_up),
        case!(a_stop_in_the_middle_of_load_leaves_nothing_in_doubt),
        case!(a_kill_at_any_sync_loses_no_acknowledged_bulk, untraced()),
        case!(
            a_failed_fsync_stops_the_process_and_nothing_more_is_acknowledged,
            untraced()
        ),
    ]);
}
