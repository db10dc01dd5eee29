//! Whole installations from a SQLite file to PostgreSQL and back: everything comes over, a copy
//! that is broken off is gone on with, and the installation goes on where it was. Where PostgreSQL
//! is missing, the tests say so and count as ignored.

mod broken_off;
mod cases;
mod goes_on;
mod made_up;
mod stores;

use libtest_mimic::{Arguments, Trial};
use std::future::Future;

/// A test on a runtime of its own.
fn on_a_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(test);
}

macro_rules! tests {
    ($($module:ident::$name:ident,)*) => {
        [$((
            concat!(stringify!($module), "::", stringify!($name)),
            (|| on_a_runtime($module::$name())) as fn(),
        ),)*]
    };
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = private_postgres::missing();
    if let Some(why) = &missing {
        println!("skipped: moving to PostgreSQL and back: {why}");
    }
    let tests = tests! {
        cases::what_the_suite_leaves_behind_comes_over_and_back,
        made_up::rows_of_every_table_come_over_and_back_to_the_letter,
        made_up::tables_of_many_pages_come_over_and_back,
        made_up::a_text_that_postgres_cannot_hold_comes_over_without_its_nul,
        broken_off::a_copy_goes_on_wherever_it_was_broken_off,
        broken_off::a_copy_dropped_in_the_middle_of_a_page_goes_on,
        broken_off::a_target_with_something_else_in_it_is_left_alone,
        broken_off::a_copy_of_another_or_a_changed_source_is_not_gone_on_with,
        broken_off::what_changes_while_it_is_copied_is_found_at_the_end,
        goes_on::the_installation_goes_on_in_the_target_and_back,
        stores::every_table_and_column_is_copied_or_left_out_for_a_reason,
    };
    let trials = tests.map(|(name, test)| {
        let run = move || {
            test();
            Ok(())
        };
        Trial::test(name, run).with_ignored_flag(missing.is_some())
    });
    libtest_mimic::run(&arguments, trials.into()).exit();
}
