//! Telling an account that its credit is low: once when it falls below what the account named, and
//! again only after it was above.
//!
//! That it was told stands with the account itself as a person, where a change says which version
//! it was made from; so it survives restarts, and of two processes that look at the same time one
//! writes it. The message has a key that holds the version: sent, and not written down before the
//! program ended, it is the same message when it is sent again. Not here: the loop (`inbound`).

use crate::App;
use crate::access::Access;
use crate::lines;
use crate::send::{SendError, SendRequest, Texts};
use domain::account::{Account, AccountSettings, LowCredit};
use domain::ids::{AccountId, UserNo};
use domain::money::Rials;
use domain::msisdn::Msisdn;
use domain::user::{Role, UserSettings};
use store::{AccountSummary, ChangeUser, StoreError};

/// Accounts that one step looks at.
const ACCOUNTS_PER_STEP: u32 = 500;
/// Lines from which the message is tried, where those before refuse it.
const LINES_TRIED_MAX: usize = 5;

/// Where the rounds over all accounts stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CreditRound {
    /// Messages that were sent.
    pub sent: u32,
    /// The account after which to go on; `None` at the end of the round.
    pub next: Option<AccountId>,
}

impl App {
    /// Looks at some accounts after `after` and tells those whose credit became low. Call it again
    /// from [`CreditRound::next`].
    ///
    /// # Errors
    /// The store failed; what was told is told.
    pub async fn tell_low_credit(
        &self,
        after: Option<AccountId>,
    ) -> Result<CreditRound, StoreError> {
        let accounts = self.store().accounts(after, ACCOUNTS_PER_STEP).await?;
        let mut round = CreditRound::default();
        if accounts.len() >= ACCOUNTS_PER_STEP as usize {
            round.next = accounts.last().map(|account| account.id);
        }
        for summary in accounts {
            if let Some(alert) = &summary.settings.low_credit
                && self.look_at_credit(&summary, alert).await?
            {
                round.sent += 1;
            }
        }
        Ok(round)
    }

    /// The account's credit where it is below what the account called low.
    ///
    /// # Errors
    /// The store failed.
    pub async fn low_credit(&self, account: &Account) -> Result<Option<Rials>, StoreError> {
        let Some(alert) = &account.settings.low_credit else {
            return Ok(None);
        };
        let credit = self.store().balance(account.id).await?.credit;
        Ok((credit < alert.below).then_some(credit))
    }

    /// Tells one account if it is time to; says whether a message was sent.
    async fn look_at_credit(
        &self,
        summary: &AccountSummary,
        alert: &LowCredit,
    ) -> Result<bool, StoreError> {
        let owner = self.store().user(Some(summary.id), UserNo(0)).await?;
        let (version, settings, second_factor) = match owner {
            Some(owner) => (owner.version, owner.settings, owner.second_factor),
            None => (0, UserSettings::default(), None),
        };
        let is_low = summary.balance.credit < alert.below;
        if is_low == settings.low_credit_told {
            return Ok(false);
        }
        let sent = match is_low {
            true => self.send_low_credit(summary, alert, version).await?,
            false => false,
        };
        let change = ChangeUser {
            account: Some(summary.id),
            no: UserNo(0),
            version,
            role: Role::Owner,
            settings: UserSettings {
                low_credit_told: is_low,
                ..settings
            },
            second_factor,
            at: self.now(),
        };
        // Whoever changed it meanwhile is looked at in the next round.
        self.store().change_user(change).await?;
        Ok(sent)
    }

    async fn send_low_credit(
        &self,
        summary: &AccountSummary,
        alert: &LowCredit,
        version: u64,
    ) -> Result<bool, StoreError> {
        let mobile = alert.mobile.as_deref().and_then(Msisdn::parse);
        let (Some(mobile), Some(account)) = (mobile, self.account_of(summary).await?) else {
            return Ok(false);
        };
        if account.is_restricted(self.now()) {
            return Ok(false);
        }
        let view = self.view().await?;
        let senders: Vec<String> = Access::of(&view, &account)
            .lines()
            .filter(|line| line.settings.can_send)
            .take(LINES_TRIED_MAX)
            .map(lines::shown)
            .collect();
        // The control character keeps it apart from the keys that callers choose.
        let key = format!("\u{1}low credit {version}");
        let text = text(&summary.settings, &summary.name, summary.balance.credit);
        let to = [mobile.to_string()];
        for from in &senders {
            let request = SendRequest {
                from,
                text: Texts::One(&text),
                to: &to,
                time: None,
                idempotency_key: Some(&key),
            };
            match self.send(&account, request).await {
                Ok(_) => return Ok(true),
                Err(SendError::Refused(refusal)) => {
                    let (account, refusal) = (account.id, refusal.name());
                    tracing::info!(%account, refusal, "that the credit is low could not be sent");
                }
                Err(SendError::Unavailable(error)) => return Err(error),
            }
        }
        Ok(false)
    }

    async fn account_of(&self, summary: &AccountSummary) -> Result<Option<Account>, StoreError> {
        self.store().account_by_id(summary.id).await
    }
}

/// One text for all, since nobody said which language its reader has.
fn text(settings: &AccountSettings, name: &str, credit: Rials) -> String {
    let title = match settings.title.as_str() {
        "" => name,
        title => title,
    };
    format!("اعتبار حساب پیامک «{title}» کم است: {credit} ریال.")
}
