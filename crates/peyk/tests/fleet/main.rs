//! Several peyk processes on one store, under load and faults: real processes, a real PostgreSQL
//! server, simulated operators. Where PostgreSQL is missing, the tests say so and count as ignored.

#[path = "../support/mod.rs"]
mod support;

mod audit;
mod faults;
mod network;
mod process;
mod proxy;
mod rolling;
mod takeovers;
mod world;

use faults::{
    a_dispatcher_cut_off_from_everything_comes_back,
    a_dispatcher_cut_off_from_the_store_stops_sending_in_time,
    a_killed_dispatcher_is_followed_by_the_other, a_killed_web_service_loses_nothing_acknowledged,
    a_paused_dispatcher_goes_on_without_its_links, the_database_may_die_and_stay_away,
};
use rolling::{
    a_rolling_restart_under_load_loses_and_doubles_nothing,
    a_stopped_dispatcher_hands_over_without_doubles, on_a_file_web_and_links_may_be_apart,
    processes_share_the_links_and_nothing_is_sent_twice,
};

fn main() {
    let missing = private_postgres::missing;
    support::runner::run(vec![
        case!(on_a_file_web_and_links_may_be_apart),
        case!(
            processes_share_the_links_and_nothing_is_sent_twice,
            missing()
        ),
        case!(a_stopped_dispatcher_hands_over_without_doubles, missing()),
        case!(
            a_rolling_restart_under_load_loses_and_doubles_nothing,
            missing()
        ),
        case!(a_killed_dispatcher_is_followed_by_the_other, missing()),
        case!(a_killed_web_service_loses_nothing_acknowledged, missing()),
        case!(the_database_may_die_and_stay_away, missing()),
        case!(a_paused_dispatcher_goes_on_without_its_links, missing()),
        case!(
            a_dispatcher_cut_off_from_the_store_stops_sending_in_time,
            missing()
        ),
        case!(
            a_dispatcher_cut_off_from_everything_comes_back,
            missing().or_else(network::unavailable)
        ),
    ]);
}
