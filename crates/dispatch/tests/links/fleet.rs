//! Several dispatchers on one store: they share the links, take over from each other, and whoever
//! does not hold a link any more neither sends on it nor writes about it.

use crate::common::{World, process, sim, submits_by_recipient, to, until};
use dispatch::{Dispatch, Options};
use domain::ids::{LinkId, ProcessId};
use domain::line::{LineSettings, Route};
use domain::link::LinkSettings;
use domain::status::State;
use smsc_sim::{Behaviour, Sim};
use std::collections::HashSet;
use std::sync::mpsc;
use std::time::Duration;
use store::{Duty, HeldLink, Lease, RecoverInDoubt, TakeDuties};

/// How long leases last where a test waits for their end.
const SHORT: Duration = Duration::from_secs(2);

fn short_lived(id: i64) -> Options {
    Options {
        lease: SHORT,
        ..process(id)
    }
}

/// An SMSC that takes its time, so that something is always under way.
async fn slow_sim() -> Sim {
    sim(Behaviour {
        answer_delay: Duration::from_millis(30),
        ..Behaviour::default()
    })
    .await
}

async fn holder(world: &World, duty: Duty) -> Option<Lease> {
    let leases = world.store.duties().await.expect("a store");
    leases.into_iter().find(|lease| lease.duty == duty)
}

/// How many links each of these processes holds.
async fn held_by(world: &World, processes: [i64; 2]) -> [usize; 2] {
    let leases = world.store.duties().await.expect("a store");
    processes.map(|id| {
        let of = |lease: &&Lease| lease.duty != Duty::Inbound && lease.holder == ProcessId(id);
        leases.iter().filter(of).count()
    })
}

/// Takes a duty for a process that no dispatcher runs for, for a long time, once its lease has run
/// out.
async fn seize(world: &World, duty: Duty) -> u64 {
    let epoch = std::cell::Cell::new(0);
    until("the lease to run out", || {
        let now = world.clock.now();
        let command = TakeDuties {
            process: ProcessId(999),
            duties: vec![duty],
            now,
            expires_at: now.plus_seconds(3_600),
        };
        let taken = world.store.take_duties(command);
        let epoch = &epoch;
        async move {
            let taken = taken.await.expect("a store");
            epoch.set(taken.first().map_or(0, |lease| lease.epoch));
            !taken.is_empty()
        }
    })
    .await;
    epoch.get()
}

#[tokio::test]
async fn two_dispatchers_share_the_links_and_the_rest_goes_to_the_one_that_stays() {
    let sims = [
        sim(Behaviour::default()).await,
        sim(Behaviour::default()).await,
    ];
    let world = World::new(to(sims[0].addr()), LineSettings::default()).await;
    let second = to(sims[1].addr());
    let second = world.store.create_link("mtn-1".into(), second).await;
    let second = second.expect("a link");
    let first = world.dispatch(short_lived(1)).await;
    assert_eq!(held_by(&world, [1, 2]).await, [2, 0]);
    let other = world.dispatch(short_lived(2)).await;
    until("each to have a link", || async {
        held_by(&world, [1, 2]).await == [1, 1]
    })
    .await;
    for link in [world.link, second] {
        let line = LineSettings {
            routes: vec![Route {
                operator: None,
                link,
                fallback: None,
            }],
            ..LineSettings::default()
        };
        world
            .store
            .update_line(world.line, line)
            .await
            .expect("a line");
        let bulk = world.accept("x", 9_121_000_000, 20).await;
        world.until(bulk, State::Delivered, 20).await;
    }
    assert_eq!(sims.each_ref().map(|sim| sim.counts().accepted), [20, 20]);
    let inbound = holder(&world, Duty::Inbound).await.expect("held");
    assert_eq!(inbound.holder, ProcessId(1));
    first.stop().await;
    until("the second one to have everything", || async {
        let inbound = holder(&world, Duty::Inbound).await;
        held_by(&world, [1, 2]).await == [0, 2] && inbound.is_some()
    })
    .await;
    until("its part of the work", || async {
        *other.inbound().borrow()
    })
    .await;
    until("its binds", || async {
        sims.iter().all(|sim| sim.counts().binds == 1)
    })
    .await;
    other.stop().await;
    assert_eq!(world.store.duties().await.expect("a store"), []);
    world.must_be_sound().await;
}

#[tokio::test]
async fn the_links_of_a_dead_dispatcher_are_taken_over_with_what_it_had_in_flight() {
    let sim = slow_sim().await;
    let world = World::new(to(sim.addr()), LineSettings::default()).await;
    let dead = world.dispatch(short_lived(1)).await;
    let other = world.dispatch(short_lived(2)).await;
    let bulk = world.accept("x", 9_121_000_000, 300).await;
    until("some submits", || async { sim.counts().submits > 50 }).await;
    drop(dead);
    sim.drop_connections();
    let in_flight: HashSet<_> = world
        .recipients(bulk)
        .await
        .into_iter()
        .filter(|recipient| recipient.state == State::Attempted)
        .map(|recipient| (989_121_000_000 + u64::from(recipient.seq.0)).to_string())
        .collect();
    assert!(!in_flight.is_empty());
    world.until(bulk, State::Delivered, 300).await;
    for (recipient, count) in submits_by_recipient(&sim) {
        assert!(
            count == 1 || in_flight.contains(&recipient),
            "{recipient} went out {count} times"
        );
    }
    other.stop().await;
    world.must_be_sound().await;
}

/// A dispatcher on a thread of its own, which stands still when it is told to, as a process does
/// that is stopped by a signal.
struct Pausable {
    pause: Option<tokio::sync::oneshot::Sender<mpsc::Receiver<()>>>,
    end: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Pausable {
    async fn start(world: &World, options: Options) -> Self {
        let (store, clock) = (world.store.clone(), world.clock.clone());
        let (pause, paused) = tokio::sync::oneshot::channel::<mpsc::Receiver<()>>();
        let (end, ended) = tokio::sync::oneshot::channel();
        let (started, ready) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async move {
                let dispatch = Dispatch::start(store, clock, options).await;
                let dispatch = dispatch.expect("a dispatcher");
                started.send(()).expect("somebody waits");
                tokio::spawn(async move {
                    if let Ok(go_on) = paused.await {
                        // Blocks the only thread of this runtime: no task of it runs meanwhile.
                        let _ = go_on.recv();
                    }
                });
                let _ = ended.await;
                dispatch.stop().await;
            });
        });
        ready.await.expect("it starts");
        Self {
            pause: Some(pause),
            end: Some(end),
            thread: Some(thread),
        }
    }

    /// Stands still until the answer is dropped.
    fn pause(&mut self) -> mpsc::Sender<()> {
        let (go_on, waits) = mpsc::channel();
        let pause = self.pause.take().expect("paused once");
        pause.send(waits).expect("it runs");
        go_on
    }
}

impl Drop for Pausable {
    fn drop(&mut self) {
        drop(self.pause.take());
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispatcher_paused_beyond_its_lease_sends_nothing_more_and_writes_nothing() {
    let sim = slow_sim().await;
    let world = World::new(to(sim.addr()), LineSettings::default()).await;
    let mut paused = Pausable::start(&world, short_lived(1)).await;
    let bulk = world.accept("x", 9_121_000_000, 2_000).await;
    until("some submits", || async { sim.counts().submits > 50 }).await;
    let go_on = paused.pause();
    let duty = Duty::Link(world.link);
    let epoch = seize(&world, duty).await;
    let recover = RecoverInDoubt {
        links: vec![HeldLink {
            link: world.link,
            epoch,
        }],
        now: world.clock.now(),
    };
    let recovered = world.store.recover_in_doubt(recover).await;
    let recovered = recovered.expect("a store").recipients.len();
    assert!(recovered > 0, "it had nothing in flight");
    let (sent, before) = (sim.counts().submits, world.recipients(bulk).await);
    drop(go_on);
    until("it lets its connection go", || async {
        sim.counts().binds == 0
    })
    .await;
    assert_eq!(sim.counts().submits, sent, "sent after the lease's end");
    assert!(
        world.recipients(bulk).await == before,
        "written after the lease's end"
    );
    drop(paused);
    assert_eq!(sim.counts().submits, sent);
    let lease = holder(&world, duty).await.expect("held");
    assert_eq!((lease.holder, lease.epoch), (ProcessId(999), epoch));
    world.must_be_sound().await;
}

/// The same without the pause: the store gave the link to another, though its holder lives.
#[tokio::test]
async fn a_link_that_the_store_gave_to_another_is_dropped_at_once() {
    let sim = slow_sim().await;
    let mut world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 2_000).await;
    until("some submits", || async { sim.counts().submits > 50 }).await;
    let duty = Duty::Link(world.link);
    let before = holder(&world, duty).await.expect("held");
    world
        .store
        .release_duties(before.holder, vec![duty])
        .await
        .expect("a store");
    let epoch = seize(&world, duty).await;
    assert!(epoch > before.epoch);
    until("it lets its connection go", || async {
        sim.counts().binds == 0
    })
    .await;
    let attempted = world.bulk(bulk).await.counts.of(State::Attempted);
    assert!(attempted > 0, "what was in flight is left to the next one");
    let lease = holder(&world, duty).await.expect("held");
    assert_eq!(lease.epoch, epoch);
    world
        .store
        .release_duties(ProcessId(999), vec![duty])
        .await
        .expect("a store");
    // It is free, so the same process takes it anew, and settles what it left behind.
    world.until(bulk, State::Delivered, 2_000).await;
    let lease = holder(&world, duty).await.expect("held");
    assert!(lease.holder == before.holder && lease.epoch > epoch);
    world.stop().await;
    world.must_be_sound().await;
}

#[tokio::test]
async fn a_link_that_is_switched_off_has_a_holder_who_settles_it() {
    let sim = slow_sim().await;
    let mut world = World::running(to(sim.addr()), LineSettings::default()).await;
    let bulk = world.accept("x", 9_121_000_000, 100).await;
    until("some submits", || async { sim.counts().submits > 20 }).await;
    drop(world.dispatch.take());
    sim.drop_connections();
    let off = LinkSettings {
        enabled: false,
        ..to(sim.addr())
    };
    world
        .store
        .update_link(world.link, off)
        .await
        .expect("a link");
    assert!(world.bulk(bulk).await.counts.of(State::Attempted) > 0);
    world.start().await;
    world.until(bulk, State::Attempted, 0).await;
    assert!(holder(&world, Duty::Link(world.link)).await.is_some());
    assert_eq!(sim.counts().binds, 0);
    world.stop().await;
}

#[tokio::test]
async fn a_link_that_is_added_has_a_holder_soon() {
    let world = World::running(LinkSettings::default(), LineSettings::default()).await;
    let sim = sim(Behaviour::default()).await;
    let added = world
        .store
        .create_link("mtn-1".into(), to(sim.addr()))
        .await;
    let added: LinkId = added.expect("a link");
    until("a bind", || async { sim.counts().binds == 1 }).await;
    assert!(holder(&world, Duty::Link(added)).await.is_some());
}
