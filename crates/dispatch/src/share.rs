//! Which duties a process takes and gives away, so that each dispatcher gets its part. Pure: every
//! process decides for itself, out of what the store says about all.

use domain::ids::{LinkId, ProcessId};
use domain::time::UnixMillis;
use std::collections::{BTreeSet, HashMap};
use store::{Duty, Lease};

/// What a process knows when it decides.
pub(crate) struct Situation<'a> {
    /// Itself.
    pub(crate) own: ProcessId,
    /// All links of the catalog, in the order of their ids.
    pub(crate) links: &'a [LinkId],
    /// The dispatchers that live, in the order of their ids; itself is among them.
    pub(crate) living: &'a [ProcessId],
    /// Every lease that the store has.
    pub(crate) leases: &'a [Lease],
    /// The time now, by the clock of the leases.
    pub(crate) now: UnixMillis,
    /// The links that it serves.
    pub(crate) serving: &'a BTreeSet<LinkId>,
    /// Duties that it holds and is about to give back.
    pub(crate) ending: &'a BTreeSet<Duty>,
    /// True for a while after it gave a link away, so that it does not take the same one again
    /// before the other has seen it.
    pub(crate) resting: bool,
}

/// What it does.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// Duties to take beside those that it holds.
    pub(crate) take: Vec<Duty>,
    /// A link to let end and give back.
    pub(crate) give_away: Option<LinkId>,
}

/// Takes what is free up to the fair share, and gives one link away where another dispatcher has
/// at least two fewer.
pub(crate) fn decide(at: &Situation<'_>) -> Decision {
    let leases: HashMap<Duty, &Lease> = at.leases.iter().map(|lease| (lease.duty, lease)).collect();
    let is_free = |duty: Duty| {
        let own = |lease: &&Lease| lease.holder == at.own && !at.ending.contains(&duty);
        match leases.get(&duty) {
            None => true,
            Some(lease) => lease.expires_at <= at.now || own(lease),
        }
    };
    let free: Vec<LinkId> = at
        .links
        .iter()
        .copied()
        .filter(|link| !at.serving.contains(link) && is_free(Duty::Link(*link)))
        .collect();
    let alone = at.living.len() < 2;
    let share = at.links.len().div_ceil(at.living.len().max(1));
    let wanted = if at.resting && !alone {
        0
    } else {
        share.saturating_sub(at.serving.len())
    };
    // Each begins elsewhere, so that those who start together do not all reach for the same.
    let rank = at.living.iter().take_while(|id| **id < at.own).count();
    let start = (rank * share).checked_rem(free.len()).unwrap_or(0);
    let in_turn = free[start..].iter().chain(&free[..start]);
    let mut take: Vec<Duty> = in_turn.take(wanted).map(|link| Duty::Link(*link)).collect();
    if is_free(Duty::Inbound) {
        take.push(Duty::Inbound);
    }
    let settled = free.is_empty() && at.ending.is_empty() && !alone;
    let give_away = if settled { surplus(at) } else { None };
    Decision { take, give_away }
}

fn surplus(at: &Situation<'_>) -> Option<LinkId> {
    let held_by = |process: &ProcessId| {
        let of = |lease: &&Lease| {
            let is_link = matches!(lease.duty, Duty::Link(_));
            is_link && lease.holder == *process && lease.expires_at > at.now
        };
        at.leases.iter().filter(of).count()
    };
    let others = at.living.iter().filter(|process| **process != at.own);
    let fewest = others.map(held_by).min()?;
    if fewest + 2 > at.serving.len() {
        return None;
    }
    at.serving.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    /// A few processes that share links through a store as simple as it can be.
    struct Model {
        links: Vec<LinkId>,
        processes: Vec<ProcessId>,
        leases: Vec<Lease>,
    }

    impl Model {
        fn new(links: i64) -> Self {
            Self {
                links: (1..=links).map(LinkId).collect(),
                processes: Vec::new(),
                leases: Vec::new(),
            }
        }

        fn join(&mut self, id: i64) {
            self.processes.push(ProcessId(id));
            self.processes.sort_unstable();
        }

        fn die(&mut self, id: i64) {
            self.processes.retain(|process| process.0 != id);
            for lease in &mut self.leases {
                if lease.holder.0 == id {
                    lease.expires_at = NOW;
                }
            }
        }

        fn count(&self, process: ProcessId) -> usize {
            let links = |lease: &&Lease| lease.duty != Duty::Inbound && lease.holder == process;
            self.leases.iter().filter(links).count()
        }

        /// Each process decides once, in turn. Who gave a link away rests until the next round.
        fn round(&mut self) {
            for own in self.processes.clone() {
                let serving = self
                    .leases
                    .iter()
                    .filter(|lease| lease.holder == own && lease.expires_at > NOW)
                    .filter_map(|lease| match lease.duty {
                        Duty::Link(link) => Some(link),
                        Duty::Inbound => None,
                    })
                    .collect();
                let decision = decide(&Situation {
                    own,
                    links: &self.links,
                    living: &self.processes,
                    leases: &self.leases,
                    now: NOW,
                    serving: &serving,
                    ending: &BTreeSet::new(),
                    resting: false,
                });
                let given = decision.give_away.map(Duty::Link);
                self.leases.retain(|lease| Some(lease.duty) != given);
                for duty in decision.take {
                    self.leases.retain(|lease| lease.duty != duty);
                    self.leases.push(Lease {
                        duty,
                        holder: own,
                        epoch: 1,
                        expires_at: UnixMillis(NOW.0 + 1),
                    });
                }
            }
        }

        fn is_fair(&self) -> bool {
            let counts: Vec<_> = self.processes.iter().map(|id| self.count(*id)).collect();
            let (least, most) = (counts.iter().min(), counts.iter().max());
            let even = least
                .zip(most)
                .is_none_or(|(least, most)| most - least <= 1);
            even && counts.iter().sum::<usize>() == self.links.len()
        }
    }

    #[test]
    fn one_process_takes_everything_and_a_second_one_gets_its_half() {
        let mut model = Model::new(5);
        model.join(2);
        model.round();
        assert_eq!(model.count(ProcessId(2)), 5);
        assert_eq!(model.leases.len(), 6, "the messages from handsets too");
        model.join(1);
        for _ in 0..6 {
            model.round();
        }
        assert_eq!(model.count(ProcessId(2)), 3);
        assert_eq!(model.count(ProcessId(1)), 2);
        model.die(2);
        model.round();
        assert_eq!(model.count(ProcessId(1)), 5);
    }

    #[test]
    fn what_is_about_to_be_given_back_is_not_taken_again() {
        let ending = BTreeSet::from([Duty::Link(LinkId(1))]);
        let lease = Lease {
            duty: Duty::Link(LinkId(1)),
            holder: ProcessId(1),
            epoch: 1,
            expires_at: UnixMillis(NOW.0 + 1),
        };
        let mut situation = Situation {
            own: ProcessId(1),
            links: &[LinkId(1)],
            living: &[ProcessId(1)],
            leases: &[lease],
            now: NOW,
            serving: &BTreeSet::new(),
            ending: &ending,
            resting: false,
        };
        assert_eq!(decide(&situation).take, vec![Duty::Inbound]);
        // Its own by the store, though it does not know: the answer to the taking was lost.
        let none = BTreeSet::new();
        situation.ending = &none;
        let both = vec![Duty::Link(LinkId(1)), Duty::Inbound];
        assert_eq!(decide(&situation).take, both);
    }

    proptest! {
        #[test]
        fn the_links_are_always_shared_evenly_in_the_end(
            links in 0_i64..12,
            joins in prop::collection::vec(1_i64..8, 1..5),
            dies in prop::collection::vec(1_i64..8, 0..3),
        ) {
            let mut model = Model::new(links);
            for id in &joins {
                if !model.processes.contains(&ProcessId(*id)) {
                    model.join(*id);
                }
                model.round();
            }
            for id in &dies {
                if model.processes.len() > 1 {
                    model.die(*id);
                }
                model.round();
            }
            for _ in 0..40 {
                model.round();
            }
            prop_assert!(model.is_fair(), "{:?}", model.leases);
            let before = model.leases.clone();
            model.round();
            prop_assert_eq!(before, model.leases, "it does not come to rest");
        }
    }
}
