//! The console's part of a store in memory, as simple as it can be: the reference store of the
//! suite has it, and so may the fakes of use cases. It is no adapter; nothing of it is on disk.

use crate::{
    AUDIT_DETAILS_BYTES_MAX, AdminError, Audit, AuditPage, AuditPlace, AuditQuery, ChangeUser,
    DRAFT_BYTES_MAX, DRAFTS_MAX, Draft, EndSessions, NewAudit, NewUser, SESSIONS_PER_USER_MAX,
    SaveDraft, Session, SessionId, TouchSession, UserChanged,
};
use domain::ids::{AccountId, DraftNo, UserNo};
use domain::time::UnixMillis;
use domain::user::{Role, User};
use std::collections::BTreeMap;

type Owner = Option<AccountId>;

/// People, sessions, drafts and the audit log. The methods are those of [`crate::Console`]; where
/// an account must exist, the caller says whether it does.
#[derive(Clone, Debug, Default)]
pub struct ConsoleMemory {
    users: BTreeMap<(Owner, UserNo), User>,
    sessions: BTreeMap<SessionId, Session>,
    drafts: BTreeMap<(AccountId, DraftNo), Draft>,
    audit: BTreeMap<AuditPlace, Audit>,
    /// The last number of a person, of a draft and of an entry that was handed out.
    last: BTreeMap<Owner, (u32, u32, u64)>,
}

fn rules(user: &User) -> bool {
    user.account.is_none() && user.role == Role::Administrator && !user.settings.locked
}

impl ConsoleMemory {
    /// As [`crate::Console::create_user`].
    ///
    /// # Errors
    /// As there.
    pub fn create_user(&mut self, new: NewUser, exists: bool) -> Result<UserNo, AdminError> {
        if !exists {
            return Err(AdminError::Unknown("account"));
        }
        if new.name.is_empty() {
            return Err(AdminError::Refused("a person needs a name"));
        }
        if self.user_by_name(new.account, &new.name).is_some() {
            return Err(AdminError::Exists(new.name));
        }
        let people = self.users(new.account);
        if people.iter().filter(|user| user.no.0 > 0).count() >= new.users_max as usize {
            return Err(AdminError::Refused("there are as many people as may be"));
        }
        let (last, ..) = self.last.entry(new.account).or_default();
        *last += 1;
        let no = UserNo(*last);
        let user = User {
            account: new.account,
            no,
            name: new.name,
            role: new.role,
            settings: new.settings,
            second_factor: None,
            created_at: new.at,
            version: 0,
        };
        self.users.insert((new.account, no), user);
        Ok(no)
    }

    /// As [`crate::Console::change_user`].
    pub fn change_user(&mut self, change: ChangeUser, exists: bool) -> UserChanged {
        let key = (change.account, change.no);
        let mut user = match self.users.get(&key) {
            Some(user) => user.clone(),
            None if exists && change.account.is_some() && change.no == UserNo(0) => User {
                account: change.account,
                no: change.no,
                name: String::new(),
                role: Role::Owner,
                settings: change.settings.clone(),
                second_factor: None,
                created_at: change.at,
                version: 0,
            },
            None => return UserChanged::Unknown,
        };
        if user.version != change.version {
            return UserChanged::Outdated;
        }
        if change.no != UserNo(0) {
            user.role = change.role;
        }
        user.settings = change.settings;
        user.second_factor = change.second_factor;
        user.version += 1;
        if self.is_last_administrator(key) && !rules(&user) {
            return UserChanged::LastAdministrator;
        }
        if user.settings.locked {
            self.end_sessions(change.account, change.no, EndSessions::All);
        }
        self.users.insert(key, user);
        UserChanged::Done
    }

    fn is_last_administrator(&self, key: (Owner, UserNo)) -> bool {
        let mut administrators = self.users.iter().filter(|(_, user)| rules(user));
        administrators
            .next()
            .is_some_and(|(first, _)| *first == key)
            && administrators.next().is_none()
    }

    /// As [`crate::Console::remove_user`].
    pub fn remove_user(&mut self, account: Owner, no: UserNo) -> UserChanged {
        if no == UserNo(0) || !self.users.contains_key(&(account, no)) {
            return UserChanged::Unknown;
        }
        if self.is_last_administrator((account, no)) {
            return UserChanged::LastAdministrator;
        }
        self.users.remove(&(account, no));
        self.end_sessions(account, no, EndSessions::All);
        UserChanged::Done
    }

    /// As [`crate::Console::user`].
    #[must_use]
    pub fn user(&self, account: Owner, no: UserNo) -> Option<User> {
        self.users.get(&(account, no)).cloned()
    }

    /// As [`crate::Console::user_by_name`].
    #[must_use]
    pub fn user_by_name(&self, account: Owner, name: &str) -> Option<User> {
        let mut people = self.users(account).into_iter();
        people.find(|user| user.no.0 > 0 && user.name == name)
    }

    /// As [`crate::Console::users`].
    #[must_use]
    pub fn users(&self, account: Owner) -> Vec<User> {
        let users = self.users.values();
        users
            .filter(|user| user.account == account)
            .cloned()
            .collect()
    }

    /// As [`crate::Console::create_session`]; false where there is one of this id.
    pub fn create_session(&mut self, session: Session) -> bool {
        if self.sessions.contains_key(&session.id) {
            return false;
        }
        let (account, user) = (session.account, session.user);
        self.sessions.retain(|_, one| {
            let own = (one.account, one.user) == (account, user);
            !own || one.expires_at > session.created_at
        });
        let others = self.sessions(account, user, session.created_at);
        for one in others.iter().skip(SESSIONS_PER_USER_MAX as usize - 1) {
            self.sessions.remove(&one.id);
        }
        self.sessions.insert(session.id, session);
        true
    }

    /// As [`crate::Console::session`].
    #[must_use]
    pub fn session(&self, id: SessionId, now: UnixMillis) -> Option<Session> {
        let found = self.sessions.get(&id);
        found.filter(|one| one.expires_at > now).cloned()
    }

    /// As [`crate::Console::touch_session`].
    pub fn touch_session(&mut self, command: TouchSession) {
        let found = self.sessions.get_mut(&command.id);
        if let Some(one) = found.filter(|one| one.expires_at > command.seen_at) {
            one.seen_at = command.seen_at;
            one.expires_at = command.expires_at;
            one.address = command.address;
        }
    }

    /// As [`crate::Console::end_sessions`].
    pub fn end_sessions(&mut self, account: Owner, user: UserNo, which: EndSessions) -> u32 {
        let before = self.sessions.len();
        self.sessions.retain(|id, one| {
            let ends = match which {
                EndSessions::One(wanted) => *id == wanted,
                EndSessions::All => true,
                EndSessions::Others(kept) => *id != kept,
            };
            (one.account, one.user) != (account, user) || !ends
        });
        u32::try_from(before - self.sessions.len()).unwrap_or(u32::MAX)
    }

    /// As [`crate::Console::sessions`].
    #[must_use]
    pub fn sessions(&self, account: Owner, user: UserNo, now: UnixMillis) -> Vec<Session> {
        let own = |one: &&Session| (one.account, one.user) == (account, user);
        let sessions = self.sessions.values().filter(own);
        let lasting = sessions.filter(|one| one.expires_at > now);
        let mut sessions: Vec<Session> = lasting.cloned().collect();
        sessions.sort_by_key(|one| std::cmp::Reverse((one.seen_at, one.id)));
        sessions
    }

    /// Forgets the sessions that ran out.
    pub fn sweep(&mut self, now: UnixMillis) {
        self.sessions.retain(|_, one| one.expires_at > now);
    }

    /// As [`crate::Console::save_draft`].
    ///
    /// # Errors
    /// As there.
    pub fn save_draft(&mut self, draft: SaveDraft, exists: bool) -> Result<DraftNo, AdminError> {
        if draft.content.len() > DRAFT_BYTES_MAX {
            return Err(AdminError::Refused("the draft is too long"));
        }
        if !exists {
            return Err(AdminError::Unknown("account"));
        }
        let no = match draft.no {
            Some(no) if self.drafts.contains_key(&(draft.account, no)) => no,
            Some(_) => return Err(AdminError::Unknown("draft")),
            None => self.new_draft(draft.account)?,
        };
        let kept = Draft {
            no,
            user: draft.user,
            title: draft.title,
            content: draft.content,
            updated_at: draft.at,
        };
        self.drafts.insert((draft.account, no), kept);
        Ok(no)
    }

    fn new_draft(&mut self, account: AccountId) -> Result<DraftNo, AdminError> {
        if self.drafts(account).len() >= DRAFTS_MAX as usize {
            return Err(AdminError::Refused("there are as many drafts as may be"));
        }
        let (_, last, _) = self.last.entry(Some(account)).or_default();
        *last += 1;
        Ok(DraftNo(*last))
    }

    /// As [`crate::Console::remove_draft`].
    pub fn remove_draft(&mut self, account: AccountId, no: DraftNo) -> bool {
        self.drafts.remove(&(account, no)).is_some()
    }

    /// As [`crate::Console::drafts`].
    #[must_use]
    pub fn drafts(&self, account: AccountId) -> Vec<Draft> {
        let own = self.drafts.iter().filter(|((id, _), _)| *id == account);
        let without_content = |draft: &Draft| Draft {
            content: String::new(),
            ..draft.clone()
        };
        let mut drafts: Vec<Draft> = own.map(|(_, draft)| without_content(draft)).collect();
        drafts.sort_by_key(|draft| std::cmp::Reverse((draft.updated_at, draft.no)));
        drafts
    }

    /// As [`crate::Console::draft`].
    #[must_use]
    pub fn draft(&self, account: AccountId, no: DraftNo) -> Option<Draft> {
        self.drafts.get(&(account, no)).cloned()
    }

    /// As [`crate::Console::begin_audit`].
    pub fn begin_audit(&mut self, mut entry: NewAudit) -> AuditPlace {
        while entry.details.len() > AUDIT_DETAILS_BYTES_MAX {
            entry.details.pop();
        }
        let (.., last) = self.last.entry(entry.account).or_default();
        *last += 1;
        let place = AuditPlace {
            at: entry.at,
            account: entry.account,
            no: *last,
        };
        let outcome = None;
        let kept = Audit {
            place,
            entry,
            outcome,
        };
        self.audit.insert(place, kept);
        place
    }

    /// As [`crate::Console::end_audit`].
    pub fn end_audit(&mut self, place: AuditPlace, outcome: String) {
        if let Some(entry) = self.audit.get_mut(&place) {
            entry.outcome.get_or_insert(outcome);
        }
    }

    /// As [`crate::Console::audit`].
    #[must_use]
    pub fn audit(&self, query: &AuditQuery) -> AuditPage {
        let mut asked = self.audit.values().rev().filter(|one| {
            let of = |account| one.place.account == Some(account);
            query.account.is_none_or(of) && query.before.is_none_or(|before| one.place < before)
        });
        let limit = query.limit as usize;
        let (mut entries, mut next) = (Vec::new(), None);
        for one in asked.by_ref().take(limit * 10) {
            let actor = query.actor.as_ref().is_none_or(|it| *it == one.entry.actor);
            let begins = |it: &String| one.entry.action.starts_with(it);
            if actor && query.action.as_ref().is_none_or(begins) {
                entries.push(one.clone());
            }
            next = Some(one.place);
            if entries.len() == limit {
                break;
            }
        }
        let next = next.filter(|_| asked.next().is_some());
        AuditPage { entries, next }
    }
}
