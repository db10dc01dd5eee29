//! Runs tests of which some may have to be skipped: what needs a missing program says why, and
//! counts as ignored instead of passed.

use libtest_mimic::{Arguments, Trial};

/// A test by its name; with the reason when it cannot run here.
pub fn case(name: &str, skipped: Option<String>, test: fn()) -> Trial {
    if let Some(why) = &skipped {
        println!("skipped: {name}: {why}");
    }
    Trial::test(name, move || {
        test();
        Ok(())
    })
    .with_ignored_flag(skipped.is_some())
}

/// Runs them as `cargo test` expects.
pub fn run(cases: Vec<Trial>) {
    libtest_mimic::run(&Arguments::from_args(), cases).exit();
}

/// `case!(name)` or `case!(name, unless)`: a test function under its own name.
#[macro_export]
macro_rules! case {
    ($test:ident) => {
        $crate::support::runner::case(stringify!($test), None, $test)
    };
    ($test:ident, $skipped:expr) => {
        $crate::support::runner::case(stringify!($test), $skipped, $test)
    };
}
