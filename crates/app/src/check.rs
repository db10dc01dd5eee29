//! Where a bulk stands as a whole (`checkmessage`).

use crate::App;
use crate::link_health::operator_reachable;
use domain::account::Account;
use domain::bulk::{BulkReport, StatusMessage};
use domain::ids::{AccountId, BulkNo, OperatorId, Seq};
use domain::line::Line;
use domain::recipient::Address;
use domain::status::State;
use store::StoreError;

/// Recipients at the end of a bulk that are looked at for the operators it still waits for. Bulks
/// are sent front to back, so what waits is at the end.
const TAIL_RECIPIENTS: u32 = 1_000;
/// The answer to `checkmessage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkCheck {
    /// Where it stands.
    pub status: StatusMessage,
    /// Whether its text may be sent: `approve`, `notconfirm` or `cancel`.
    pub valid: &'static str,
}

impl App {
    /// Where a bulk stands; `None` when the account has no such bulk.
    ///
    /// # Errors
    /// The store failed.
    pub async fn check_message(
        &self,
        account: &Account,
        bulk: BulkNo,
    ) -> Result<Option<BulkCheck>, StoreError> {
        let Some(report) = self.store().bulk(account.id, bulk).await? else {
            return Ok(None);
        };
        let now = self.now();
        let mut status = report.status_message(true, now);
        // The links matter only to a bulk that would go on if one were up.
        if report.status_message(false, now) != status
            && !self.can_go_on(account.id, &report).await?
        {
            status = report.status_message(false, now);
        }
        Ok(Some(BulkCheck {
            status,
            valid: report.stage.valid_message(),
        }))
    }

    /// Whether a link is up that could carry anything of what the bulk waits for.
    async fn can_go_on(&self, account: AccountId, bulk: &BulkReport) -> Result<bool, StoreError> {
        let view = self.view().await?;
        let Some(line) = view.line(bulk.line) else {
            return Ok(false);
        };
        let operators = self.waiting_operators(account, bulk, line).await?;
        let statuses = self.link_statuses().await?;
        let now = self.now();
        let up = |operator| operator_reachable(&line.settings, operator, &statuses, now);
        Ok(operators.into_iter().any(up))
    }

    /// The operators that a bulk waits for. Where its end does not tell, all operators that the
    /// line has a route for.
    pub(crate) async fn waiting_operators(
        &self,
        account: AccountId,
        bulk: &BulkReport,
        line: &Line,
    ) -> Result<Vec<OperatorId>, StoreError> {
        let before_tail = bulk
            .counts
            .total()
            .checked_sub(TAIL_RECIPIENTS + 1)
            .map(Seq);
        let tail = self
            .store()
            .recipients(account, bulk.no, before_tail, TAIL_RECIPIENTS)
            .await?;
        let mut operators = Vec::new();
        for recipient in tail {
            if let Address::Mobile(number) = recipient.address
                && matches!(recipient.state, State::Waiting | State::Attempted)
            {
                let operator = self.operators().resolve(number);
                if !operators.contains(&operator) {
                    operators.push(operator);
                }
            }
        }
        if operators.is_empty() {
            let routed = |id: &OperatorId| line.settings.route(*id).is_some();
            operators = self
                .operators()
                .iter()
                .map(|operator| operator.id)
                .filter(routed)
                .collect();
        }
        Ok(operators)
    }
}

#[cfg(test)]
mod tests;
