//! The store on PostgreSQL while connections break, the server dies, and others are in the way.
//!
//! Where PostgreSQL is not installed, each case says so and counts as skipped.

mod away;
mod cancelled;
mod killed;
mod paused;
mod plans;
mod proxy;
mod shared;
mod unknown;
mod words;
mod world;

use libtest_mimic::{Arguments, Trial};
use std::future::Future;
use std::process::ExitCode;

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(case);
}

/// A case under its own name.
macro_rules! case {
    ($theme:ident::$name:ident) => {
        (concat!(stringify!($theme), "::", stringify!($name)), || {
            run($theme::$name())
        })
    };
}

/// Cases that run at the same time.
const THREADS: usize = 4;

/// A name, and the case itself.
type Case = (&'static str, fn());

/// The long ones come first.
const CASES: &[Case] = &[
    case!(killed::what_was_acknowledged_is_there_once_however_often_the_server_dies),
    case!(plans::plans_that_were_made_on_an_empty_database_are_good_for_a_full_one),
    case!(plans::plans_of_the_console_are_good_for_a_full_database),
    case!(paused::a_transaction_that_is_silent_is_ended_by_the_server),
    case!(shared::two_processes_are_never_in_each_others_way),
    case!(unknown::a_group_whose_end_stays_unknown_is_not_written_twice),
    case!(unknown::a_commit_that_is_lost_twice_is_written_once),
    case!(paused::a_held_account_stops_nobody_else),
    case!(paused::a_claim_goes_on_without_a_held_account),
    case!(away::a_database_that_is_read_only_says_so_and_is_written_to_later),
    case!(away::a_server_at_its_limit_of_connections_says_so_and_is_used_later),
    case!(away::a_command_that_finds_no_connection_free_says_so),
    case!(away::a_database_that_is_gone_says_so),
    case!(away::a_connection_that_falls_silent_is_given_up),
    case!(cancelled::who_goes_away_leaves_no_open_transaction_and_no_half_command),
    case!(cancelled::a_store_that_closes_answers_for_all_that_it_wrote),
    case!(words::words_with_a_zero_are_kept_without_it),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // They wait for the server, or for time to pass, more than they compute.
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        eprintln!("skipped: {why}");
    }
    let mut trials = Vec::new();
    for (name, case) in CASES {
        trials.push(Trial::test(*name, move || {
            case();
            Ok(())
        }));
    }
    for (command, which) in unknown::COMMANDS {
        let name = format!("unknown::a_lost_commit_is_written_once ({command})");
        trials.push(Trial::test(name, move || {
            run(unknown::a_lost_commit_is_written_once(which));
            Ok(())
        }));
    }
    let skipped = missing.is_some();
    let trials = trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(skipped));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    world::stop_place();
    conclusion.exit_code()
}
