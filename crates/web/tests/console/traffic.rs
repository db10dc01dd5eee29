//! Messages of `shop`, and the operator at the other end of its line.

use crate::fixture::{Installation, LINE};
use app::{SendRequest, Texts};
use domain::ids::{BulkNo, LineId, LinkId, PartKey};
use domain::link::{LinkState, LinkStatus};
use domain::status::ReceiptKind;
use store::{
    ClaimDue, ClaimedMessage, Lane, LaneShare, LinkShare, NewReceipt, Outcome, RecordOutcomes,
    RecordReceipts, SubmitResult,
};

/// The refusal of the operator in these tests: an SMPP `command_status`.
pub const REFUSAL: u32 = 11;

impl Installation {
    /// Sends a text from `shop` to these numbers.
    pub async fn send(&self, text: &str, to: &[&str]) -> BulkNo {
        self.send_with(Texts::One(text), to, None).await
    }

    /// As [`Installation::send`], with texts or a time.
    pub async fn send_with(&self, text: Texts<'_>, to: &[&str], time: Option<&str>) -> BulkNo {
        let to: Vec<String> = to.iter().map(|&number| number.to_owned()).collect();
        let request = SendRequest {
            from: LINE,
            text,
            to: &to,
            time,
            idempotency_key: None,
        };
        let shop = self.account("shop").await;
        self.app.send(&shop, request).await.unwrap()
    }

    async fn way(&self) -> (LineId, LinkId) {
        let catalog = self.app.catalog().await.unwrap();
        (catalog.lines[0].id, catalog.links[0].id)
    }

    /// Writes down what the link is doing.
    pub async fn link_is(&self, state: LinkState, error: Option<&str>) {
        let (_, link) = self.way().await;
        let status = LinkStatus {
            link,
            state,
            since: self.now(),
            at: self.now(),
            binds_up: 1,
            per_second: None,
            rate_learnt: None,
            in_flight: 0,
            last_error: error.map(str::to_owned),
        };
        self.store.save_link_status(status).await.unwrap();
    }

    /// Everything that is due, as the dispatcher takes it.
    pub async fn claim(&self) -> Vec<ClaimedMessage> {
        let (line, link) = self.way().await;
        let lanes = self.app.operators().iter().map(|operator| LaneShare {
            lane: Lane {
                line,
                operator: operator.id,
            },
            parts_max: 10_000,
        });
        let links = vec![LinkShare {
            link,
            epoch: 0,
            parts_max: 10_000,
            lanes: lanes.collect(),
        }];
        let now = self.now();
        self.store.claim_due(ClaimDue { now, links }).await.unwrap()
    }

    /// Lets everything that is due leave. The operator takes messages of one part and answers
    /// with a receipt at once; where `refuses` says so it refuses them.
    pub async fn deliver(&self, refuses: impl Fn(&ClaimedMessage) -> bool) {
        let (_, link) = self.way().await;
        let now = self.now();
        let mut outcomes = Vec::new();
        let mut receipts = Vec::new();
        for (place, message) in self.claim().await.iter().enumerate() {
            let id = format!("{}-{place}", message.key.bulk).into_bytes();
            let result = if refuses(message) {
                SubmitResult::Refused { code: REFUSAL }
            } else {
                receipts.push(NewReceipt {
                    message_id: id.clone().into(),
                    kind: ReceiptKind::Delivered,
                    error: None,
                });
                SubmitResult::Accepted {
                    message_id: Some(id.into()),
                }
            };
            outcomes.push(Outcome {
                part: PartKey {
                    recipient: message.key,
                    part: 0,
                },
                result,
            });
        }
        let command = RecordOutcomes {
            link,
            epoch: 0,
            now,
            outcomes,
        };
        self.store.record_outcomes(command).await.unwrap();
        let command = RecordReceipts {
            link,
            now,
            receipts,
        };
        self.store.record_receipts(command).await.unwrap();
    }
}
