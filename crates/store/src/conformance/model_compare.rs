//! Where the store and the [`Model`](super::model::Model) must agree.

use super::fixture::*;
use super::model::ModelBulk;
use super::model_run::Walk;
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
            let due = self.model.which(|bulk, one| {
                bulk.lane(one) == lane && bulk.claimable_at(one).is_some_and(|at| at <= self.now)
            });
            // What is past its validity and not swept yet may still show.
            let may = must || !due.is_empty();
            let is = found.contains(&lane);
            assert!(is || !must, "{when}: {lane:?} is due and not in {lanes:?}");
            assert!(
                !is || may,
                "{when}: {lane:?} is in {lanes:?}, and nothing of it is due"
            );
        }
        let mut next: Option<UnixMillis> = None;
        for bulk in self.model.bulks.values() {
            for at in bulk
                .recipients
                .iter()
                .filter_map(|one| bulk.claimable_at(one))
            {
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
