//! Where the store and the [`Model`](super::model::Model) must agree.

use super::fixture::*;
use super::model::ModelBulk;
use super::model_run::Walk;
use crate::{ClaimDue, Lane, WaitingLanes};
use domain::ids::{AccountId, BulkNo};
use domain::time::UnixMillis;
use std::collections::BTreeSet;

impl Walk<'_> {
    /// Panics where they do not.
    pub(super) async fn compare(&self, when: &str) {
        for ((account, no), bulk) in &self.model.bulks {
            let name = format!("{when}: bulk {no} of account {account}");
            let found = self.w.all(*account, *no).await;
            for (found, expected) in found.iter().zip(bulk.reports()) {
                assert_eq!(found, &expected, "{name}");
            }
            assert_eq!(found.len(), bulk.recipients.len(), "{name}");
            assert_eq!(
                self.w.report(*account, *no).await,
                bulk.report(*no),
                "{name}"
            );
        }
        for (account, balance) in &self.model.balances {
            let found = self.w.balance(*account).await.expect("balance");
            assert_eq!(&found, balance, "{when}: account {account}");
        }
        let totals = self.w.totals().await.expect("totals");
        let is_open =
            |(key, bulk): &(&(AccountId, BulkNo), &ModelBulk)| bulk.report(key.1).counts.open() > 0;
        let open = self.model.bulks.iter().filter(is_open).count() as u64;
        let found = (totals.open_bulks, totals.parked_receipts);
        assert_eq!(
            found,
            (open, self.model.parked()),
            "{when}: open bulks, parked receipts"
        );
        self.compare_lanes(when).await;
        let findings = self.w.check().await.expect("check");
        assert!(findings.is_empty(), "{when}: {findings:#?}");
    }

    async fn compare_lanes(&self, when: &str) {
        let lanes = self.w.waiting_lanes(self.now).await.expect("waiting_lanes");
        let found: BTreeSet<_> = lanes.due.iter().copied().collect();
        assert_eq!(
            found.len(),
            lanes.due.len(),
            "{when}: a lane stands twice in {lanes:?}"
        );
        let all = [self.w.lane(OPERATOR), self.w.lane(OTHER_OPERATOR)];
        for lane in all {
            let must = !self.model.claimable(self.now, &[lane]).is_empty();
            let is = found.contains(&lane);
            assert!(is || !must, "{when}: {lane:?} is due and not in {lanes:?}");
            if is && !must {
                self.claim_of_nothing(lane, when).await;
            }
        }
        self.compare_next_due(when, &lanes);
    }

    /// A lane may be named in vain once: after a claim that finds nothing it is named no more, or
    /// who serves it would ask for ever. What is past its validity may show until it is swept.
    async fn claim_of_nothing(&self, lane: Lane, when: &str) {
        let links = vec![self.w.share(1_000, &[lane])];
        let claim = ClaimDue {
            now: self.now,
            links,
        };
        assert_eq!(
            self.w.claim_due(claim).await.expect("claim_due"),
            vec![],
            "{when}"
        );
        let again = self.w.waiting_lanes(self.now).await.expect("waiting_lanes");
        let over = self.model.has_waiting_past_validity(self.now);
        assert!(
            over || !again.due.contains(&lane),
            "{when}: nothing of {lane:?} is due: {again:?}"
        );
    }

    /// The next time is known where nothing of its lane is due: who claims a lane that is due asks
    /// again by itself.
    fn compare_next_due(&self, when: &str, lanes: &WaitingLanes) {
        let mut next: Option<UnixMillis> = None;
        for bulk in self.model.bulks.values() {
            let quiet = bulk
                .recipients
                .iter()
                .filter(|one| !lanes.due.contains(&bulk.lane(one)));
            for at in quiet.filter_map(|one| bulk.claimable_at(one)) {
                if at > self.now {
                    next = Some(next.map_or(at, |before| before.min(at)));
                }
            }
        }
        if let Some(next) = next {
            let told = lanes.next_due_at.is_some_and(|at| at <= next);
            assert!(
                told,
                "{when}: the next is due at {next:?}, and told is {lanes:?}"
            );
        }
    }
}
