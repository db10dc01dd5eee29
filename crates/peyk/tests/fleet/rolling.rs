//! Processes that come and go in order.

use crate::audit::settle_without_doubles;
use crate::process::Plan;
use crate::world::{Place, Setup, World};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

pub fn processes_share_the_links_and_nothing_is_sent_twice() {
    let world = World::in_order();
    let [one, other] = world.ports;
    let plans = [
        Plan::web("both-1", one).and_dispatch(),
        Plan::web("both-2", other).and_dispatch(),
        Plan::dispatch("links-1"),
    ];
    let processes = world.start(&plans);
    world.wait_until_shared(&processes.iter().collect::<Vec<_>>());
    world.wait_for_load();
    for _ in 0..3 {
        let report = world.is_healthy();
        let seen = report["processes"].as_array().expect("processes");
        assert_eq!(seen.len(), plans.len(), "{report}");
        assert!(seen.iter().all(|one| one["runs"] == true), "{report}");
    }
    settle_without_doubles(world, processes);
}

pub fn a_stopped_dispatcher_hands_over_without_doubles() {
    let world = World::in_order();
    let (mut processes, mut dispatchers) = world.start_four();
    let leaving = dispatchers.remove(0);
    let (links, before) = (world.links_of(&leaving), world.connections());
    let (_, status) = leaving.stop();
    let stopped = Instant::now();
    assert!(status.success(), "{status}");
    let took = world.wait_for_takeover(&links, &before, stopped);
    println!("links {links:?} were taken over {took:?} after the stop");
    world.check_that_nobody_sent_beside(&links, &before);
    processes.extend(dispatchers);
    settle_without_doubles(world, processes);
}

pub fn a_rolling_restart_under_load_loses_and_doubles_nothing() {
    let world = World::in_order();
    let (mut webs, mut dispatchers) = world.start_four();
    for _ in 0..2 {
        let (plan, status) = webs.remove(0).stop();
        assert!(status.success(), "{status}");
        let port = plan.web.expect("its port");
        webs.extend(world.start(&[plan]));
        let since = Instant::now();
        world.wait("it answers again", || {
            world.load.count_since(port, since) > 0
        });
    }
    for _ in 0..2 {
        let (plan, status) = dispatchers.remove(0).stop();
        assert!(status.success(), "{status}");
        dispatchers.extend(world.start(&[plan]));
        world.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
    }
    webs.extend(dispatchers);
    settle_without_doubles(world, webs);
}

pub fn on_a_file_web_and_links_may_be_apart() {
    let world = World::new(Setup {
        place: Place::Sqlite,
        host: Ipv4Addr::LOCALHOST,
        lease: Duration::from_secs(3),
    });
    let [one, other] = world.ports;
    let plans = [
        Plan::web("web-1", one),
        Plan::web("web-2", other),
        Plan::dispatch("links-1"),
    ];
    let processes = world.start(&plans);
    world.wait_for_load();
    let (succeeds, _, said) = world.try_peyk(&["serve", "--roles", "dispatch"]);
    assert!(!succeeds && said.contains("another peyk"), "{said}");
    world.is_healthy();
    world.carry_on(Duration::from_secs(1));
    settle_without_doubles(world, processes);
}
