//! Sending a pattern's message: the text is made here, and then goes the way of every message.

use crate::App;
use crate::send::{SendError, SendRequest, TextSource, Texts, count};
use domain::account::Account;
use domain::ids::BulkNo;
use domain::pattern::{PatternStatus, Value};
use domain::refusal::Refusal;

/// What a client asks for, decoded but not judged.
#[derive(Clone, Copy)]
pub struct PatternSend<'a> {
    /// The sender line, as given.
    pub from: &'a str,
    /// The recipients, as given; all get the same text.
    pub to: &'a [String],
    /// The pattern's code, as given.
    pub code: &'a str,
    /// The variables' values; a name that the pattern does not have is an error. `None` where they
    /// could not be read: refused in its turn.
    pub values: Option<&'a [Value]>,
    /// Values for what `values` leaves out; names that the pattern does not have are ignored.
    pub spare: &'a [Value],
    /// The same key within 24 hours answers the first bulk.
    pub idempotency_key: Option<&'a str>,
}

impl App {
    /// Sends a pattern's message to the recipients of one request: one bulk, whose number is
    /// answered when it is on disk.
    ///
    /// # Errors
    /// The first refusal in the order 971 (not a code), 404, 997, 971 (rejected), 996, 970, 972,
    /// and then those of [`App::send`] from 98 on; or the store failed.
    pub async fn send_pattern(
        &self,
        account: &Account,
        request: PatternSend<'_>,
    ) -> Result<BulkNo, SendError> {
        let outcome = self.send_pattern_judged(account, request).await;
        count(&outcome, TextSource::Pattern);
        outcome
    }

    async fn send_pattern_judged(
        &self,
        account: &Account,
        request: PatternSend<'_>,
    ) -> Result<BulkNo, SendError> {
        // As with other messages a repeated request is not judged again.
        if let Some(bulk) = self.sent_before(account, request.idempotency_key).await? {
            return Ok(bulk);
        }
        let met = self.met_pattern(account, request.code).await?;
        match met.status {
            PatternStatus::Active => {}
            PatternStatus::Rejected => return Err(Refusal::PatternWrong.into()),
            PatternStatus::Inactive | PatternStatus::Waiting => {
                return Err(Refusal::PatternInactive.into());
            }
        }
        let values = request.values.ok_or(Refusal::PatternParametersWrong)?;
        let text = met.form.fill(values, request.spare).map_err(|error| {
            // Names only, so that it helps the one who asks why and tells nothing else.
            tracing::debug!(account = %account.id, pattern = request.code, %error, "refused");
            Refusal::PatternParametersWrong
        })?;
        let request = SendRequest {
            from: request.from,
            text: Texts::One(&text),
            to: request.to,
            time: None,
            idempotency_key: request.idempotency_key,
        };
        self.send_judged(account, request, TextSource::Pattern)
            .await
    }
}
