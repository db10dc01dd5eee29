//! What several pages say: the words of states, roles and refusals, in both languages. One word for
//! one thing.

use super::ui::Lang;
use domain::ledger::EntryKind;
use domain::link::LinkState;
use domain::state::State;
use domain::user::Role;

/// A recipient's state.
pub(super) fn state(lang: Lang, state: State) -> &'static str {
    let [fa, en] = match state {
        State::Waiting => ["در انتظار", "waiting"],
        State::Attempted => ["در حال ارسال", "being sent"],
        State::Submitted => ["ارسال‌شده به اپراتور", "sent to the operator"],
        State::Held => ["نامعلوم، نگه داشته شد", "unsure, held"],
        State::Delivered => ["رسیده", "delivered"],
        State::Failed => ["ناموفق", "failed"],
        State::Discarded => ["در لیست سیاه", "on a blacklist"],
        State::Cancelled => ["لغوشده", "cancelled"],
        State::Unreported => ["بدون گزارش تحویل", "never reported"],
    };
    lang.pick(fa, en)
}

/// The class of a badge for a recipient's state.
pub(super) fn state_class(state: State) -> &'static str {
    match state {
        State::Delivered => "good",
        State::Failed => "bad",
        State::Waiting | State::Attempted | State::Submitted => "going",
        State::Held | State::Unreported => "unsure",
        State::Discarded | State::Cancelled => "off",
    }
}

/// A link's state.
pub(super) fn link_state(lang: Lang, state: LinkState) -> &'static str {
    let [fa, en] = match state {
        LinkState::Up => ["برقرار", "up"],
        LinkState::Down => ["قطع", "down"],
        LinkState::Off => ["خاموش", "off"],
    };
    lang.pick(fa, en)
}

/// A kind of ledger entry.
pub(super) fn entry_kind(lang: Lang, kind: EntryKind) -> &'static str {
    let [fa, en] = match kind {
        EntryKind::TopUp => ["افزایش اعتبار", "paid in"],
        EntryKind::Reserve => ["کنار گذاشته برای ارسال", "set aside for a bulk"],
        EntryKind::Charge => ["هزینهٔ پیامک‌های پذیرفته", "charged"],
        EntryKind::Release => ["برگشت پیامک‌های ارسال‌نشده", "set free again"],
        EntryKind::Refund => ["برگشت پیامک‌های نرسیده", "refunded"],
        EntryKind::Transfer => ["انتقال اعتبار", "transferred"],
    };
    lang.pick(fa, en)
}

/// A person's role.
pub(super) fn role(lang: Lang, role: Role) -> &'static str {
    let [fa, en] = match role {
        Role::Owner => ["صاحب حساب", "owner"],
        Role::Sender => ["فرستنده", "sender"],
        Role::Accountant => ["حسابدار", "accountant"],
        Role::Viewer => ["بیننده", "viewer"],
        Role::Administrator => ["مدیر سامانه", "administrator"],
        Role::Operator => ["اپراتور شبکه", "operator"],
        Role::Moderator => ["ناظر متن", "moderator"],
        Role::Support => ["پشتیبان", "support"],
    };
    lang.pick(fa, en)
}
