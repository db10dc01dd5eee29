//! The people who use the console, and their sessions: who there is, who was faster, who is signed
//! out by what.

use super::Harness;
use super::fixture::*;
use crate::{
    AdminError, ChangeUser, EndSessions, NewUser, SESSIONS_PER_USER_MAX, Session, SessionId, Store,
    TouchSession, UserChanged,
};
use domain::ids::{AccountId, UserNo};
use domain::user::{Role, SecondFactor, User, UserSettings};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Whose: an account's, or the staff's.
type Owner = Option<AccountId>;

/// The account itself.
const ITSELF: UserNo = UserNo(0);

/// Seconds for which the sessions of these cases last.
const LASTS_SECONDS: i64 = 3_600;

fn settings(title: &str) -> UserSettings {
    UserSettings {
        title: title.into(),
        password_hash: "$argon2id$".into(),
        locked: false,
        language: "fa".into(),
        theme: "dark".into(),
        mobile: "09120000000".into(),
        low_credit_told: true,
    }
}

fn locked() -> UserSettings {
    UserSettings {
        locked: true,
        ..settings("بسته")
    }
}

fn new_user(account: Owner, name: &str, role: Role) -> NewUser {
    NewUser {
        account,
        name: name.into(),
        role,
        settings: settings("علی <b>"),
        at: T0,
        users_max: 100,
    }
}

async fn add(w: &World<'_>, account: Owner, name: &str, role: Role) -> UserNo {
    let added = w.create_user(new_user(account, name, role)).await;
    added.expect("create_user")
}

async fn administrator(w: &World<'_>, name: &str) -> UserNo {
    add(w, None, name, Role::Administrator).await
}

async fn read(w: &World<'_>, account: Owner, no: UserNo) -> User {
    let found = w.user(account, no).await.expect("user");
    found.expect("a person")
}

/// The change that leaves a person as they are.
fn same(user: &User) -> ChangeUser {
    ChangeUser {
        account: user.account,
        no: user.no,
        version: user.version,
        role: user.role,
        settings: user.settings.clone(),
        second_factor: user.second_factor.clone(),
        at: at(1),
    }
}

/// The change that locks a person.
fn lock(user: &User) -> ChangeUser {
    ChangeUser {
        settings: locked(),
        ..same(user)
    }
}

/// The first change of the account itself.
fn first(account: AccountId) -> ChangeUser {
    ChangeUser {
        account: Some(account),
        no: ITSELF,
        version: 0,
        role: Role::Viewer,
        settings: settings("خود"),
        second_factor: None,
        at: at(7),
    }
}

async fn change(w: &World<'_>, command: ChangeUser) -> UserChanged {
    w.change_user(command).await.expect("change_user")
}

async fn remove(w: &World<'_>, account: Owner, no: UserNo) -> UserChanged {
    w.remove_user(account, no).await.expect("remove_user")
}

async fn numbers(w: &World<'_>, account: Owner) -> Vec<u32> {
    let users = w.users(account).await.expect("users");
    users.iter().map(|user| user.no.0).collect()
}

/// A session of a person, begun so many seconds after the beginning. `n` tells ids apart.
fn session(account: Owner, user: UserNo, n: u8, seconds: i64) -> Session {
    Session {
        id: SessionId([n; 32]),
        account,
        user,
        created_at: at(seconds),
        seen_at: at(seconds),
        expires_at: at(seconds + LASTS_SECONDS),
        address: "2001:db8::1".into(),
        agent: "Mozilla/5.0 (\"x\") فایرفاکس".into(),
    }
}

async fn sign_in(w: &World<'_>, account: Owner, user: UserNo, n: u8) -> Session {
    let session = session(account, user, n, n.into());
    w.create_session(session.clone())
        .await
        .expect("create_session");
    session
}

async fn signed_in(w: &World<'_>, account: Owner, user: UserNo, seconds: i64) -> Vec<u8> {
    let sessions = w.sessions(account, user, at(seconds)).await;
    let sessions = sessions.expect("sessions");
    sessions.iter().map(|one| one.id.0[0]).collect()
}

async fn end(w: &World<'_>, account: Owner, user: UserNo, which: EndSessions) -> u32 {
    let ended = w.end_sessions(account, user, which).await;
    ended.expect("end_sessions")
}

/// What many commands at once answered.
async fn answers(mut tasks: JoinSet<UserChanged>) -> Vec<UserChanged> {
    let mut all = Vec::new();
    while let Some(done) = tasks.join_next().await {
        all.push(done.expect("a task panicked"));
    }
    all
}

fn count(answers: &[UserChanged], wanted: UserChanged) -> usize {
    answers.iter().filter(|one| **one == wanted).count()
}

pub(super) async fn a_person_is_found_by_number_and_name_as_they_were_added(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    for owner in [account, None] {
        let role = if owner.is_some() {
            Role::Sender
        } else {
            Role::Moderator
        };
        let no = add(&w, owner, "علی", role).await;
        assert_eq!(no, UserNo(1));
        let expected = User {
            account: owner,
            no,
            name: "علی".into(),
            role,
            settings: settings("علی <b>"),
            second_factor: None,
            created_at: T0,
            version: 0,
        };
        w.crash().await;
        assert_eq!(read(&w, owner, no).await, expected);
        let named = w.user_by_name(owner, "علی").await.expect("user_by_name");
        assert_eq!(named, Some(expected.clone()));
        assert_eq!(w.users(owner).await.expect("users"), [expected]);
        let nobody = w.user_by_name(owner, "رضا").await.expect("user_by_name");
        assert_eq!(nobody, None);
        assert_eq!(w.user(owner, UserNo(2)).await.expect("user"), None);
    }
    w.finish().await;
}

pub(super) async fn a_name_is_given_once_in_an_account(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (Some(w.account(0).await), Some(w.account(0).await));
    for owner in [one, other, None] {
        add(&w, owner, "ali", Role::Viewer).await;
        let again = w.create_user(new_user(owner, "ali", Role::Viewer)).await;
        assert!(
            matches!(&again, Err(AdminError::Exists(name)) if name == "ali"),
            "{again:?}"
        );
    }
    let nameless = w.create_user(new_user(one, "", Role::Viewer)).await;
    assert!(
        matches!(nameless, Err(AdminError::Refused(_))),
        "{nameless:?}"
    );
    let nobody = Some(AccountId(999));
    let added = w.create_user(new_user(nobody, "ali", Role::Viewer)).await;
    assert!(
        matches!(added, Err(AdminError::Unknown("account"))),
        "{added:?}"
    );
    assert_eq!(numbers(&w, one).await, [1]);
    assert_eq!(numbers(&w, nobody).await, [0_u32; 0]);
    w.finish().await;
}

pub(super) async fn an_account_has_no_more_people_than_it_may(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    // The account itself is not counted.
    assert_eq!(change(&w, first(account)).await, UserChanged::Done);
    for owner in [Some(account), None] {
        let new = |name: &str| NewUser {
            users_max: 2,
            ..new_user(owner, name, Role::Viewer)
        };
        for name in ["a", "b"] {
            w.create_user(new(name)).await.expect("create_user");
        }
        let more = w.create_user(new("c")).await;
        assert!(matches!(more, Err(AdminError::Refused(_))), "{more:?}");
        assert_eq!(remove(&w, owner, UserNo(1)).await, UserChanged::Done);
        w.create_user(new("c")).await.expect("there is room again");
    }
    w.finish().await;
}

pub(super) async fn a_persons_number_is_never_handed_out_again(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    for owner in [account, None] {
        let first = add(&w, owner, "a", Role::Viewer).await;
        let second = add(&w, owner, "b", Role::Viewer).await;
        assert_eq!((first, second), (UserNo(1), UserNo(2)));
        assert_eq!(remove(&w, owner, second).await, UserChanged::Done);
        w.reopen().await;
        assert_eq!(add(&w, owner, "b", Role::Viewer).await, UserNo(3));
        assert_eq!(numbers(&w, owner).await, [1, 3]);
    }
    w.finish().await;
}

pub(super) async fn people_added_at_the_same_time_are_as_many_as_may_be(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let mut tasks = JoinSet::new();
    for n in 0..16 {
        let store = w.shared();
        let new = NewUser {
            users_max: 5,
            ..new_user(account, &format!("u{}", n / 2), Role::Viewer)
        };
        tasks.spawn(async move { store.create_user(new).await.is_ok() });
    }
    let added = tasks.join_all().await.into_iter().filter(|done| *done);
    assert_eq!(added.count(), 5);
    assert_eq!(numbers(&w, account).await, [1, 2, 3, 4, 5]);
    w.finish().await;
}

pub(super) async fn a_change_of_a_person_is_made_from_what_they_are_now(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let no = add(&w, account, "ali", Role::Sender).await;
    let before = read(&w, account, no).await;
    let factor = SecondFactor {
        secret: vec![0, 1, 255],
        last_step: u64::from(u32::MAX) + 1,
        recovery: vec![[0; 32], [255; 32]],
    };
    let command = ChangeUser {
        role: Role::Accountant,
        settings: settings("دیگر"),
        second_factor: Some(factor.clone()),
        ..same(&before)
    };
    assert_eq!(change(&w, command.clone()).await, UserChanged::Done);
    w.crash().await;
    let after = User {
        role: Role::Accountant,
        settings: settings("دیگر"),
        second_factor: Some(factor),
        version: 1,
        ..before
    };
    assert_eq!(read(&w, account, no).await, after);
    // From what they were before.
    assert_eq!(change(&w, command).await, UserChanged::Outdated);
    let ahead = ChangeUser {
        version: 2,
        ..same(&after)
    };
    assert_eq!(change(&w, ahead).await, UserChanged::Outdated);
    assert_eq!(read(&w, account, no).await, after);
    let without = ChangeUser {
        second_factor: None,
        ..same(&after)
    };
    assert_eq!(change(&w, without).await, UserChanged::Done);
    let after = read(&w, account, no).await;
    assert_eq!((after.second_factor, after.version), (None, 2));
    w.finish().await;
}

pub(super) async fn nobody_is_changed_or_removed_who_is_not_there(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (Some(w.account(0).await), Some(w.account(0).await));
    let no = add(&w, one, "ali", Role::Sender).await;
    let user = read(&w, one, no).await;
    for (account, no) in [
        (other, no),
        (None, no),
        (Some(AccountId(999)), no),
        (Some(AccountId(999)), ITSELF),
        (None, ITSELF),
        (one, UserNo(2)),
    ] {
        let elsewhere = ChangeUser {
            account,
            no,
            ..same(&user)
        };
        assert_eq!(change(&w, elsewhere).await, UserChanged::Unknown);
        assert_eq!(remove(&w, account, no).await, UserChanged::Unknown);
        assert_eq!(w.user(account, no).await.expect("user"), None);
    }
    assert_eq!(remove(&w, one, no).await, UserChanged::Done);
    assert_eq!(remove(&w, one, no).await, UserChanged::Unknown);
    assert_eq!(change(&w, same(&user)).await, UserChanged::Unknown);
    w.finish().await;
}

pub(super) async fn the_account_itself_comes_into_being_with_its_first_change(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let owner = Some(account);
    assert_eq!(w.user(owner, ITSELF).await.expect("user"), None);
    assert_eq!(numbers(&w, owner).await, [0_u32; 0]);
    let later = ChangeUser {
        version: 1,
        ..first(account)
    };
    assert_eq!(change(&w, later).await, UserChanged::Outdated);
    assert_eq!(change(&w, first(account)).await, UserChanged::Done);
    assert_eq!(change(&w, first(account)).await, UserChanged::Outdated);
    let itself = read(&w, owner, ITSELF).await;
    let expected = User {
        account: owner,
        no: ITSELF,
        name: String::new(),
        role: Role::Owner,
        settings: settings("خود"),
        second_factor: None,
        created_at: at(7),
        version: 1,
    };
    assert_eq!(itself, expected);
    let viewer = ChangeUser {
        role: Role::Viewer,
        ..same(&itself)
    };
    assert_eq!(change(&w, viewer).await, UserChanged::Done);
    let itself = read(&w, owner, ITSELF).await;
    assert_eq!((itself.role, itself.version), (Role::Owner, 2));
    let named = w.user_by_name(owner, "").await.expect("user_by_name");
    assert_eq!(named, None);
    // It is nobody whom one removes, and takes nobody's number.
    assert_eq!(remove(&w, owner, ITSELF).await, UserChanged::Unknown);
    add(&w, owner, "ali", Role::Sender).await;
    assert_eq!(numbers(&w, owner).await, [0, 1]);
    w.finish().await;
}

pub(super) async fn of_changes_from_one_version_one_is_made(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let no = add(&w, Some(account), "ali", Role::Sender).await;
    let ali = same(&read(&w, Some(account), no).await);
    // The first change of the account itself, too, is made once.
    for (no, command) in [(no, ali), (ITSELF, first(account))] {
        let mut tasks = JoinSet::new();
        for n in 0..12 {
            let store = w.shared();
            let command = ChangeUser {
                settings: settings(&format!("{n}")),
                ..command.clone()
            };
            tasks.spawn(async move { store.change_user(command).await.expect("change_user") });
        }
        let answers = answers(tasks).await;
        assert_eq!(count(&answers, UserChanged::Done), 1, "{answers:?}");
        assert_eq!(count(&answers, UserChanged::Outdated), 11, "{answers:?}");
        assert_eq!(read(&w, Some(account), no).await.version, 1);
    }
    w.finish().await;
}

pub(super) async fn an_administrator_who_may_sign_in_is_left(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let reza = administrator(&w, "reza").await;
    let sara = administrator(&w, "sara").await;
    let zahra = add(&w, None, "zahra", Role::Support).await;
    // One of another account does not count, whatever its role says.
    let account = Some(w.account(0).await);
    add(&w, account, "ali", Role::Administrator).await;
    let moderator = ChangeUser {
        role: Role::Moderator,
        ..same(&read(&w, None, sara).await)
    };
    assert_eq!(change(&w, moderator).await, UserChanged::Done);
    let last = read(&w, None, reza).await;
    let demoted = ChangeUser {
        role: Role::Moderator,
        ..same(&last)
    };
    for command in [demoted, lock(&last)] {
        assert_eq!(change(&w, command).await, UserChanged::LastAdministrator);
    }
    assert_eq!(remove(&w, None, reza).await, UserChanged::LastAdministrator);
    assert_eq!(read(&w, None, reza).await, last);
    // They themselves may be changed, and who is none may go.
    assert_eq!(change(&w, same(&last)).await, UserChanged::Done);
    assert_eq!(remove(&w, None, zahra).await, UserChanged::Done);
    // A locked one is none who could be left.
    let other = administrator(&w, "other").await;
    let other = read(&w, None, other).await;
    assert_eq!(change(&w, lock(&other)).await, UserChanged::Done);
    assert_eq!(remove(&w, None, reza).await, UserChanged::LastAdministrator);
    assert_eq!(remove(&w, None, other.no).await, UserChanged::Done);
    administrator(&w, "next").await;
    assert_eq!(remove(&w, None, reza).await, UserChanged::Done);
    w.finish().await;
}

pub(super) async fn administrators_who_leave_at_the_same_time_leave_one(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    for round in 0..6 {
        let mut tasks = JoinSet::new();
        let before = w.users(None).await.expect("users");
        let added = ["a", "b", "c"].map(|name| format!("{name}{round}"));
        for name in &added {
            administrator(&w, name).await;
        }
        for user in w.users(None).await.expect("users") {
            let (store, command) = (w.shared(), lock(&user));
            tasks.spawn(async move {
                match user.no.0 % 2 {
                    0 => store.remove_user(None, user.no).await.expect("remove_user"),
                    _ => store.change_user(command).await.expect("change_user"),
                }
            });
        }
        let answers = answers(tasks).await;
        assert_eq!(
            count(&answers, UserChanged::LastAdministrator),
            1,
            "{answers:?}"
        );
        let users = w.users(None).await.expect("users");
        let left = users.iter().filter(|user| !user.settings.locked).count();
        assert_eq!(left, 1, "{before:?} {users:?}");
        // The locked ones go, so that the next round counts anew.
        for user in users.iter().filter(|user| user.settings.locked) {
            assert_eq!(remove(&w, None, user.no).await, UserChanged::Done);
        }
    }
    w.finish().await;
}

pub(super) async fn who_is_locked_or_removed_is_signed_out_at_once(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(0).await;
    let owner = Some(account);
    let ali = add(&w, owner, "ali", Role::Sender).await;
    let sara = add(&w, owner, "sara", Role::Sender).await;
    // The same number among the staff is somebody else.
    let reza = administrator(&w, "reza").await;
    assert_eq!(reza, ali);
    for (n, (owner, user)) in [(owner, ali), (owner, ali), (owner, sara), (None, reza)]
        .into_iter()
        .enumerate()
    {
        sign_in(&w, owner, user, n as u8).await;
    }
    sign_in(&w, owner, ITSELF, 9).await;
    let user = read(&w, owner, ali).await;
    assert_eq!(change(&w, same(&user)).await, UserChanged::Done);
    assert_eq!(signed_in(&w, owner, ali, 10).await, [1, 0]);
    let user = read(&w, owner, ali).await;
    assert_eq!(change(&w, lock(&user)).await, UserChanged::Done);
    assert_eq!(signed_in(&w, owner, ali, 10).await, [0_u8; 0]);
    assert_eq!(signed_in(&w, owner, sara, 10).await, [2]);
    assert_eq!(remove(&w, owner, sara).await, UserChanged::Done);
    let gone = w.session(SessionId([2; 32]), at(10)).await;
    assert_eq!(gone.expect("session"), None);
    assert_eq!(signed_in(&w, None, reza, 10).await, [3]);
    let itself = ChangeUser {
        settings: locked(),
        ..first(account)
    };
    assert_eq!(change(&w, itself).await, UserChanged::Done);
    assert_eq!(signed_in(&w, owner, ITSELF, 10).await, [0_u8; 0]);
    w.finish().await;
}

pub(super) async fn a_session_is_found_until_it_runs_out(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    for (n, owner) in [(1, account), (2, None)] {
        let session = sign_in(&w, owner, UserNo(1), n).await;
        w.crash().await;
        let found = w.session(session.id, at(10)).await.expect("session");
        assert_eq!(found, Some(session.clone()));
        let last = session.expires_at.plus_millis(-1);
        let found = w.session(session.id, last).await.expect("session");
        assert_eq!(found, Some(session.clone()));
        let found = w.session(session.id, session.expires_at).await;
        assert_eq!(found.expect("session"), None);
        let listed = w.sessions(owner, UserNo(1), session.expires_at).await;
        assert_eq!(listed.expect("sessions"), []);
        let twice = w.create_session(session).await;
        assert!(twice.is_err(), "an id is not given twice");
    }
    let unknown = w.session(SessionId([7; 32]), T0).await.expect("session");
    assert_eq!(unknown, None);
    w.finish().await;
}

pub(super) async fn a_session_that_is_used_lasts_longer_and_one_that_ended_does_not(
    harness: &dyn Harness,
) {
    let w = World::fresh(harness).await;
    let touch = |n: u8, seconds: i64| TouchSession {
        id: SessionId([n; 32]),
        seen_at: at(seconds),
        expires_at: at(seconds + LASTS_SECONDS),
        address: "192.0.2.1".into(),
    };
    let used = sign_in(&w, None, UserNo(1), 1).await;
    w.touch_session(touch(1, 3_000)).await.expect("touch");
    let expected = Session {
        seen_at: at(3_000),
        expires_at: at(3_000 + LASTS_SECONDS),
        address: "192.0.2.1".into(),
        ..used
    };
    let found = w.session(used.id, at(5_000)).await.expect("session");
    assert_eq!(found, Some(expected));
    // One that ran out, one that was ended, and one that never was.
    let ran_out = sign_in(&w, None, UserNo(1), 2).await;
    let late = ran_out.expires_at.0 - T0.0;
    w.touch_session(touch(2, late / 1_000))
        .await
        .expect("touch");
    sign_in(&w, None, UserNo(1), 3).await;
    let which = EndSessions::One(SessionId([3; 32]));
    assert_eq!(end(&w, None, UserNo(1), which).await, 1);
    for n in [3, 4] {
        w.touch_session(touch(n, 3_000)).await.expect("touch");
    }
    for n in [2, 3, 4] {
        let found = w.session(SessionId([n; 32]), at(late / 1_000)).await;
        assert_eq!(found.expect("session"), None, "{n}");
    }
    w.finish().await;
}

pub(super) async fn sessions_of_a_person_end_as_asked_and_nobody_elses(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, other) = (Some(w.account(0).await), Some(w.account(0).await));
    let person = UserNo(1);
    for n in 1..=4 {
        sign_in(&w, one, person, n).await;
    }
    for (n, owner, user) in [(5, other, person), (6, None, person), (7, one, UserNo(2))] {
        sign_in(&w, owner, user, n).await;
    }
    // The one seen last comes first.
    let touch = TouchSession {
        id: SessionId([2; 32]),
        seen_at: at(60),
        expires_at: at(60 + LASTS_SECONDS),
        address: String::new(),
    };
    w.touch_session(touch).await.expect("touch");
    assert_eq!(signed_in(&w, one, person, 60).await, [2, 4, 3, 1]);
    let id = |n: u8| SessionId([n; 32]);
    assert_eq!(end(&w, one, person, EndSessions::One(id(3))).await, 1);
    assert_eq!(end(&w, one, person, EndSessions::One(id(3))).await, 0);
    // Not theirs.
    for n in 5..=7 {
        assert_eq!(end(&w, one, person, EndSessions::One(id(n))).await, 0);
    }
    assert_eq!(signed_in(&w, one, person, 60).await, [2, 4, 1]);
    assert_eq!(end(&w, one, person, EndSessions::Others(id(4))).await, 2);
    assert_eq!(signed_in(&w, one, person, 60).await, [4]);
    assert_eq!(end(&w, one, person, EndSessions::All).await, 1);
    assert_eq!(end(&w, one, person, EndSessions::All).await, 0);
    assert_eq!(signed_in(&w, one, person, 60).await, [0_u8; 0]);
    assert_eq!(signed_in(&w, other, person, 60).await, [5]);
    assert_eq!(signed_in(&w, None, person, 60).await, [6]);
    assert_eq!(signed_in(&w, one, UserNo(2), 60).await, [7]);
    w.finish().await;
}

pub(super) async fn of_too_many_sessions_the_one_seen_least_lately_ends(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let most = u8::try_from(SESSIONS_PER_USER_MAX).expect("few");
    sign_in(&w, account, UserNo(2), 200).await;
    for n in 1..=most {
        sign_in(&w, account, UserNo(1), n).await;
    }
    let touch = TouchSession {
        id: SessionId([1; 32]),
        seen_at: at(100),
        expires_at: at(100 + LASTS_SECONDS),
        address: String::new(),
    };
    w.touch_session(touch).await.expect("touch");
    sign_in(&w, account, UserNo(1), most + 1).await;
    let left: Vec<u8> = [1].into_iter().chain((3..=most + 1).rev()).collect();
    assert_eq!(signed_in(&w, account, UserNo(1), 100).await, left);
    // One that was seen least lately of all, by its clock, but is new.
    let slow = session(account, UserNo(1), 100, -50);
    w.create_session(slow).await.expect("create_session");
    let left = signed_in(&w, account, UserNo(1), 100).await;
    assert_eq!((left.len(), left.last()), (usize::from(most), Some(&100)));
    assert!(!left.contains(&3), "{left:?}");
    // Of those that ran out none counts, so they make nobody go.
    let late = session(account, UserNo(1), 101, 99 + LASTS_SECONDS);
    w.create_session(late).await.expect("create_session");
    assert_eq!(
        signed_in(&w, account, UserNo(1), 99 + LASTS_SECONDS).await,
        [101, 1]
    );
    assert_eq!(signed_in(&w, account, UserNo(2), 200).await, [200]);
    w.finish().await;
}

pub(super) async fn sessions_begun_at_the_same_time_are_not_too_many(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = Some(w.account(0).await);
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let store: Arc<dyn Store> = w.shared();
        let session = session(account, UserNo(1), n, 0);
        tasks.spawn(async move { store.create_session(session).await.expect("begun") });
    }
    tasks.join_all().await;
    let left = signed_in(&w, account, UserNo(1), 1).await;
    assert_eq!(left.len(), SESSIONS_PER_USER_MAX as usize, "{left:?}");
    w.finish().await;
}

pub(super) async fn a_sweep_forgets_the_sessions_that_ran_out(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    for n in 1..=3 {
        sign_in(&w, None, UserNo(1), n).await;
    }
    let now = at(2 + LASTS_SECONDS);
    while w.sweep(now).await.expect("sweep").more {}
    // Only those that a sweep has left are still there to be ended.
    assert_eq!(signed_in(&w, None, UserNo(1), 2 + LASTS_SECONDS).await, [3]);
    assert_eq!(end(&w, None, UserNo(1), EndSessions::All).await, 1);
    w.finish().await;
}
