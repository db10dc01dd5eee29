//! Ends that nothing announces: of a process, of the database, of the way between them.

use crate::audit::{settle, settle_without_doubles};
use crate::network::Network;
use crate::process::Plan;
use crate::proxy::Proxy;
use crate::world::{Operator, Place, Setup, World};
use private_postgres::{Server, Settings};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// How long what was taken over is carried before the last holder comes back.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// How long a takeover may take at most, leases and a busy machine included.
const TAKEOVER_MAX: Duration = Duration::from_secs(20);

pub fn a_killed_dispatcher_is_followed_by_the_other() {
    let world = World::new(Setup::default());
    let (mut processes, mut dispatchers) = world.start_four();
    let (links, before) = (world.links_of(&dispatchers[0]), world.connections());
    let killed = Instant::now();
    let plan = dispatchers.remove(0).kill();
    let in_flight = world.in_flight(&links);
    let took = world.wait_for_takeover(&links, &before, killed);
    println!("links {links:?} were taken over {took:?} after the kill");
    world.check_in_doubt(&links, killed, &in_flight);
    assert!(took < TAKEOVER_MAX, "{took:?}");
    dispatchers.extend(world.start(&[plan]));
    world.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
    processes.extend(dispatchers);
    settle(world, processes);
}

pub fn a_killed_web_service_loses_nothing_acknowledged() {
    let world = World::in_order();
    let (mut webs, dispatchers) = world.start_four();
    let plan = webs.remove(0).kill();
    let (killed, other) = (Instant::now(), world.ports[1]);
    world.wait("the other goes on", || {
        world.load.count_since(other, killed) > 20
    });
    let own = plan.web.expect("its port");
    webs.extend(world.start(&[plan]));
    world.wait("it answers again", || {
        world.load.count_since(own, killed) > 0
    });
    webs.extend(dispatchers);
    settle_without_doubles(world, webs);
}

/// The address of a server behind a proxy in place of its own, and its own.
fn through(url: &str, proxy: SocketAddr) -> String {
    let (before, rest) = url.split_once('@').expect("a user");
    let (_, database) = rest.split_once('/').expect("a database");
    format!("{before}@{proxy}/{database}")
}

fn address(url: &str) -> SocketAddr {
    let place = url.split(['@', '/']).find_map(|word| word.parse().ok());
    place.expect("an address and a port")
}

pub fn the_database_may_die_and_stay_away() {
    let server = Server::start(Settings::default()).unwrap_or_else(|error| panic!("{error}"));
    let world = World::new(Setup {
        place: Place::on(server.databases()),
        ..Setup::default()
    });
    let Place::Postgres { url, .. } = &world.place else {
        unreachable!("it was made on a server")
    };
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let proxy = Proxy::start(world.runtime.handle(), listen, address(url));
    let url = Some(through(url, proxy.addr));
    let plan = |plan: Plan| Plan {
        url: url.clone(),
        ..plan
    };
    let [one, other] = world.ports;
    let webs = [Plan::web("web-1", one), Plan::web("web-2", other)];
    let links = [Plan::dispatch("links-1"), Plan::dispatch("links-2")];
    let mut processes = world.start(&webs.map(plan));
    processes.extend(world.start(&links.map(plan)));
    world.wait_until_shared(&[&processes[2], &processes[3]]);
    world.wait_for_load();
    for stays_away in [false, true] {
        let from = Instant::now();
        proxy.close();
        server.kill().expect("the server ends");
        if stays_away {
            world.wait("both web services say that they cannot", || {
                // Also while the backlog is full.
                world.load.allow(100);
                let refuses = |port: &u16| world.load.unavailable_since(*port, from) > 0;
                world.ports.iter().all(refuses)
            });
            world.wait("every link is dropped", || {
                let gone = |one: &Operator| one.sim.counts().connections == 0;
                world.operators.iter().all(gone)
            });
        }
        server.start_again().expect("the server starts");
        proxy.open();
        let since = Instant::now();
        world.wait("both web services acknowledge again", || {
            let goes_on = |port: &u16| world.load.count_since(*port, since) > 5;
            world.ports.iter().all(goes_on)
        });
        world.wait_until_shared(&[&processes[2], &processes[3]]);
        println!("everything went on {:?} after the start", since.elapsed());
        world.wait_for_load();
    }
    settle(world, processes);
}

pub fn a_paused_dispatcher_goes_on_without_its_links() {
    let world = World::new(Setup::default());
    let (mut processes, dispatchers) = world.start_four();
    let (links, before) = (world.links_of(&dispatchers[0]), world.connections());
    let paused = Instant::now();
    dispatchers[0].pause();
    let in_flight = world.in_flight(&links);
    let took = world.wait_for_takeover(&links, &before, paused);
    println!("links {links:?} were taken over {took:?} after the pause");
    world.check_in_doubt(&links, paused, &in_flight);
    assert!(took < TAKEOVER_MAX, "{took:?}");
    world.carry_on(AFTERWARDS);
    dispatchers[0].resume();
    world.wait("it drops what it held", || {
        let log = dispatchers[0].log();
        log.matches("the link is dropped").count() >= links.len()
    });
    world.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
    world.check_that_nobody_sent_beside(&links, &before);
    processes.extend(dispatchers);
    settle(world, processes);
}

/// The store cannot be reached any more, and the operators can.
pub fn a_dispatcher_cut_off_from_the_store_stops_sending_in_time() {
    cut_off(Setup::default(), Vec::new(), Proxy::silence, Proxy::open);
}

/// Neither the store nor the operators can be reached any more.
pub fn a_dispatcher_cut_off_from_everything_comes_back() {
    let network = Network::make().unwrap_or_else(|error| panic!("{error}"));
    let setup = Setup {
        host: network.host(),
        ..Setup::default()
    };
    let (cut, heal) = (|_: &Proxy| network.cut(), |_: &Proxy| network.heal());
    cut_off(setup, network.wrapper(), cut, heal);
}

fn cut_off(
    setup: Setup,
    wrapper: Vec<String>,
    cut: impl FnOnce(&Proxy),
    heal: impl FnOnce(&Proxy),
) {
    let host = setup.host;
    // Long enough that a busy machine does not end the other's; far shorter than what it would have
    // to wait for, were it held up.
    let lease = Duration::from_secs(6);
    let world = World::new(Setup { lease, ..setup });
    let Place::Postgres { url, .. } = &world.place else {
        unreachable!("it was made on a server")
    };
    let proxy = Proxy::start(world.runtime.handle(), (host, 0).into(), address(url));
    let cut_off = Plan {
        url: Some(through(url, proxy.addr)),
        wrapper,
        ..Plan::dispatch("links-1")
    };
    let [one, other] = world.ports;
    let mut processes = world.start(&[Plan::web("web-1", one), Plan::web("web-2", other)]);
    let dispatchers = world.start(&[cut_off, Plan::dispatch("links-2")]);
    world.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
    world.wait_for_load();
    let (links, before) = (world.links_of(&dispatchers[0]), world.connections());
    let since = Instant::now();
    cut(&proxy);
    let in_flight = world.in_flight(&links);
    let took = world.wait_for_takeover(&links, &before, since);
    println!("links {links:?} were taken over {took:?} after the cut");
    world.check_in_doubt(&links, since, &in_flight);
    assert!(took < TAKEOVER_MAX, "{took:?}");
    world.carry_on(AFTERWARDS);
    heal(&proxy);
    world.wait_until_shared(&[&dispatchers[0], &dispatchers[1]]);
    world.check_that_nobody_sent_beside(&links, &before);
    let log = dispatchers[1].log();
    assert!(
        !log.contains("lease is over"),
        "it cost the other its links"
    );
    processes.extend(dispatchers);
    settle(world, processes);
}
