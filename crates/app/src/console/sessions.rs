//! Sessions: from a token in a browser's cookie to a person, and their end.
//!
//! The store keeps a digest of the token alone, so whoever reads a backup is signed in nowhere.

use super::{Person, owner};
use crate::App;
use domain::ids::{AccountId, UserNo};
use domain::time::UnixMillis;
use domain::user::User;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use store::{EndSessions, Session, SessionId, StoreError, TouchSession};

/// Octets of a token: more than anybody can guess.
const TOKEN_BYTES: usize = 32;
/// Characters that are kept of what a browser calls itself.
const AGENT_CHARS_MAX: usize = 200;
/// Milliseconds within which the use of a session is written down once.
const TOUCHED_EVERY_MILLIS: i64 = 60_000;

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionLimits {
    /// Hours after which a session ends, however much it is used.
    pub session_hours: u32,
    /// Minutes without a request after which it ends.
    pub idle_minutes: u32,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            session_hours: 12,
            idle_minutes: 120,
        }
    }
}

impl SessionLimits {
    /// Whether the values can be used.
    ///
    /// # Errors
    /// A sentence that names the setting and its range.
    pub fn check(&self) -> Result<(), String> {
        if !(1..=24 * 31).contains(&self.session_hours) {
            return Err("session_hours must be between 1 and 744".into());
        }
        if !(5..=60 * 24 * 31).contains(&self.idle_minutes) {
            return Err("idle_minutes must be between 5 and 44640".into());
        }
        Ok(())
    }

    fn end(self, created_at: UnixMillis, now: UnixMillis) -> UnixMillis {
        let whole = created_at.plus_seconds(i64::from(self.session_hours) * 3_600);
        whole.min(now.plus_seconds(i64::from(self.idle_minutes) * 60))
    }
}

/// What a browser holds to show that it is signed in. Shown once, never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token([u8; TOKEN_BYTES]);

impl Token {
    fn new() -> Result<Self, StoreError> {
        let mut bytes = [0; TOKEN_BYTES];
        getrandom::fill(&mut bytes)
            .map_err(|error| StoreError::Other(format!("no random numbers: {error}")))?;
        Ok(Self(bytes))
    }

    /// Reads what [`Token::text`] wrote.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        if text.len() != 2 * TOKEN_BYTES {
            return None;
        }
        let mut bytes = [0; TOKEN_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |c: u8| char::from(c).to_digit(16);
            let value = digit(pair[0])? * 16 + digit(pair[1])?;
            *byte = u8::try_from(value).ok()?;
        }
        Some(Self(bytes))
    }

    /// The token for a cookie: hexadecimal digits.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(2 * TOKEN_BYTES);
        for byte in self.0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        text
    }

    fn id(&self) -> SessionId {
        SessionId(*blake3::hash(&self.0).as_bytes())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl App {
    /// Begins a session for somebody whose password, and second factor where they have one, was
    /// found right.
    pub(super) async fn begin_session(
        &self,
        user: &User,
        from: IpAddr,
        agent: &str,
        limits: SessionLimits,
    ) -> Result<Token, StoreError> {
        let (token, now) = (Token::new()?, self.now());
        let session = Session {
            id: token.id(),
            account: user.account,
            user: user.no,
            created_at: now,
            seen_at: now,
            expires_at: limits.end(now, now),
            address: from.to_canonical().to_string(),
            agent: agent.chars().take(AGENT_CHARS_MAX).collect(),
        };
        self.store().create_session(session).await?;
        Ok(token)
    }

    /// The person behind a token; `None` where its session has ended, or they may not sign in any
    /// more. Its use is written down, at most once a minute.
    ///
    /// # Errors
    /// The store failed.
    pub async fn signed_in(
        &self,
        token: &Token,
        from: IpAddr,
        limits: SessionLimits,
    ) -> Result<Option<Person>, StoreError> {
        let now = self.now();
        let Some(session) = self.store().session(token.id(), now).await? else {
            return Ok(None);
        };
        let Some(person) = self.person_of(session).await? else {
            return Ok(None);
        };
        let session = &person.session;
        let address = from.to_canonical().to_string();
        let age = now.millis_since(session.seen_at);
        if !(0..TOUCHED_EVERY_MILLIS).contains(&age) || session.address != address {
            let touch = TouchSession {
                id: session.id,
                seen_at: now,
                expires_at: limits.end(session.created_at, now),
                address,
            };
            self.store().touch_session(touch).await?;
        }
        Ok(Some(person))
    }

    async fn person_of(&self, session: Session) -> Result<Option<Person>, StoreError> {
        let account = match session.account {
            None => None,
            Some(id) => match self.store().account_by_id(id).await? {
                None => return Ok(None),
                Some(account) => Some(Arc::new(account)),
            },
        };
        let found = self.store().user(session.account, session.user).await?;
        let user = match (found, &account) {
            (Some(user), _) => user,
            (None, Some(account)) if session.user == UserNo(0) => {
                owner(account.id, account.created_at)
            }
            (None, _) => return Ok(None),
        };
        let person = Person {
            user,
            account,
            session,
        };
        Ok((!person.user.settings.locked).then_some(person))
    }

    /// The sessions of a person, the one seen last first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
    ) -> Result<Vec<Session>, StoreError> {
        self.store().sessions(account, user, self.now()).await
    }

    /// Ends sessions of a person; says how many.
    ///
    /// # Errors
    /// The store failed.
    pub async fn end_sessions(
        &self,
        account: Option<AccountId>,
        user: UserNo,
        which: EndSessions,
    ) -> Result<u32, StoreError> {
        self.store().end_sessions(account, user, which).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let token = Token([0xa7; TOKEN_BYTES]);
        assert_eq!(Token::read(&token.text()), Some(token.clone()));
        for text in [
            "",
            "a7",
            &"g7".repeat(32),
            &"a7".repeat(33),
            &"é".repeat(32),
        ] {
            assert_eq!(Token::read(text), None, "{text:?}");
        }
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn a_session_ends_when_it_is_old_or_idle_whichever_is_first() {
        let limits = SessionLimits {
            session_hours: 1,
            idle_minutes: 30,
        };
        let minute = |minutes: i64| UnixMillis(minutes * 60_000);
        assert_eq!(limits.end(minute(0), minute(0)), minute(30));
        assert_eq!(limits.end(minute(0), minute(20)), minute(50));
        assert_eq!(limits.end(minute(0), minute(45)), minute(60));
    }
}
