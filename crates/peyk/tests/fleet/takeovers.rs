//! What was in flight whenever a link got another holder, as the store itself saw it at that
//! instant: the test's own trigger writes it down in the transaction that takes the link over, so
//! no commit of the last holder can fall between. Only that may be sent a second time.

use crate::world::{Part, World, number};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// By how much times of the database and of the operators may seem to differ.
const CLOCKS_APART_MAX: Duration = Duration::from_millis(500);

/// A change of holder, and what was in flight on the link then.
pub struct Takeover {
    pub link: i64,
    pub at: Instant,
    pub in_flight: BTreeSet<Part>,
}

const TRIGGER: &str = "
    CREATE SCHEMA fleet_test;
    CREATE TABLE fleet_test.takeover (at int8, link int8, number int8, outstanding int4);
    CREATE FUNCTION fleet_test.note() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        moment int8 := extract(epoch FROM clock_timestamp()) * 1000;
    BEGIN
        INSERT INTO fleet_test.takeover VALUES (moment, NEW.duty, 0, 0);
        INSERT INTO fleet_test.takeover
        SELECT moment, NEW.duty, r.number, r.outstanding
        FROM public.recipient r WHERE r.outstanding <> 0 AND r.link_id = NEW.duty;
        RETURN NEW;
    END $$;
    CREATE TRIGGER note BEFORE UPDATE ON public.lease FOR EACH ROW
        WHEN (OLD.epoch <> NEW.epoch) EXECUTE FUNCTION fleet_test.note()";

/// Has takeovers written down from now on.
pub fn watch(world: &World) {
    world.rows(TRIGGER);
}

/// All takeovers so far, in the order of time.
pub fn all(world: &World) -> Vec<Takeover> {
    let clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8";
    let now_millis = number(&world.rows(clock)[0][0]);
    let now = Instant::now();
    let rows = world.rows("SELECT at, link, number, outstanding FROM fleet_test.takeover");
    let mut found: BTreeMap<(i64, i64), BTreeSet<Part>> = BTreeMap::new();
    for row in rows {
        let parts = found.entry((number(&row[0]), number(&row[1]))).or_default();
        parts.extend(parts_of(&row[2], &row[3]));
    }
    let takeover = |((at, link), in_flight): ((i64, i64), _)| Takeover {
        link,
        at: now - Duration::from_millis(u64::try_from(now_millis - at).unwrap_or(0)),
        in_flight,
    };
    found.into_iter().map(takeover).collect()
}

/// The parts of a recipient that are in a set of bits.
pub fn parts_of(recipient: &str, bits: &str) -> Vec<Part> {
    let bits = number(bits);
    let parts = (0..32u8).filter(|part| bits >> part & 1 == 1);
    parts.map(|part| (recipient.to_owned(), part)).collect()
}

/// Each time after the first that a part was submitted must follow a takeover that found it in
/// flight, and no two of them the same.
pub fn check_doubles(takeovers: &[Takeover], sent: &BTreeMap<Part, Vec<Instant>>) {
    for (part, times) in sent {
        for pair in times.windows(2) {
            let excused = takeovers.iter().any(|takeover| {
                let after = pair[0] <= takeover.at + CLOCKS_APART_MAX;
                let before = takeover.at <= pair[1] + CLOCKS_APART_MAX;
                after && before && takeover.in_flight.contains(part)
            });
            assert!(
                excused,
                "{part:?} was sent twice without a reason: {pair:?}"
            );
        }
        let found = |takeover: &&Takeover| takeover.in_flight.contains(part);
        let reasons = takeovers.iter().filter(found).count();
        assert!(times.len() <= reasons + 1, "{part:?}: {times:?}");
    }
}
