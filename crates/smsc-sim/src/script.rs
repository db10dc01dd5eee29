//! How the SMSC behaves, changeable at any time.
//!
//! For each `submit_sm` it decides what to answer and which receipts follow. It does neither
//! itself, and owns no connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use smpp::{CommandStatus, MessageState, SubmitSm};
use tokio::time::Instant;

use crate::garbage::Garbage;
use crate::mailbox::lock;

/// The span over which a rate is counted.
const RATE_SPAN: Duration = Duration::from_secs(1);

/// What to do with one `submit_sm`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Action {
    /// Take it and answer with its id.
    #[default]
    Accept,
    /// Answer with this status and forget it.
    Refuse(CommandStatus),
    /// Answer with `generic_nack` and forget it.
    Nack(CommandStatus),
    /// Take it, receipts included, and answer with status 0 and no body.
    AcceptWithoutBody,
    /// Take it, receipts included, and never answer.
    LoseAnswer,
    /// Neither take nor answer it.
    Swallow,
    /// Take it and answer this much later.
    DelayAnswer(Duration),
    /// Close the connection without an answer; answers before it are still written.
    Disconnect {
        /// Whether the message was taken all the same, receipts included.
        accepted: bool,
    },
    /// Take it, answer, and send this after the answer.
    AcceptAndSend(Garbage),
}

/// Which messages a rule is for; all given conditions must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Match {
    /// How the recipient begins.
    pub dest_prefix: Vec<u8>,
    /// How the recipient ends.
    pub dest_suffix: Vec<u8>,
    /// How the sender begins.
    pub source_prefix: Vec<u8>,
    /// Only every n-th of those that match otherwise, counted by the rule; 0 and 1 are all.
    pub every_nth: u64,
}

impl Match {
    fn holds(&self, sm: &SubmitSm) -> bool {
        let destination = &sm.destination.digits;
        destination.starts_with(&self.dest_prefix)
            && destination.ends_with(&self.dest_suffix)
            && sm.source.digits.starts_with(&self.source_prefix)
    }
}

/// A behaviour for some messages. The first rule that matches counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rule {
    /// For which messages.
    pub when: Match,
    /// What to do with them.
    pub action: Action,
    /// Which receipts follow; `None` for those of the [`Behaviour`].
    pub receipts: Option<ReceiptPlan>,
}

/// One possible end of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How often, in relation to the other outcomes.
    pub weight: u32,
    /// The state in the receipt.
    pub state: MessageState,
    /// The error number in the receipt.
    pub error: u32,
}

impl Outcome {
    /// This outcome, always.
    pub const fn always(state: MessageState) -> Self {
        Self {
            weight: 1,
            state,
            error: 0,
        }
    }
}

/// Which receipts follow an accepted message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptPlan {
    /// What they say, drawn by weight; empty for no receipts at all.
    pub outcomes: Vec<Outcome>,
    /// How long after the message.
    pub delay: Duration,
    /// Up to this much longer, drawn evenly; more than the spacing of messages reorders receipts.
    pub jitter: Duration,
    /// How many of each: 0 for none, 2 for doubles.
    pub copies: u32,
    /// Whether the receipt leaves before the answer, which is then held back for 50 ms. `delay`
    /// and `jitter` do not count then.
    pub before_answer: bool,
    /// Whether the receipt names an id that no message has.
    pub unknown_id: bool,
    /// Whether to send receipts that `registered_delivery` did not ask for.
    pub unasked: bool,
}

impl Default for ReceiptPlan {
    fn default() -> Self {
        Self {
            outcomes: vec![Outcome::always(MessageState::Delivered)],
            delay: Duration::ZERO,
            jitter: Duration::ZERO,
            copies: 1,
            before_answer: false,
            unknown_id: false,
            unasked: false,
        }
    }
}

impl ReceiptPlan {
    /// No receipts.
    pub fn never() -> Self {
        Self {
            copies: 0,
            ..Self::default()
        }
    }
}

/// How the SMSC behaves until told otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Behaviour {
    /// Binds are answered with this error.
    pub refuse_binds: Option<CommandStatus>,
    /// At most this many messages are taken in each second, all connections together; those above
    /// get `ESME_RTHROTTLED`.
    pub throttle_per_second: Option<u32>,
    /// All answers to messages come this much later.
    pub answer_delay: Duration,
    /// Which receipts follow.
    pub receipts: ReceiptPlan,
    /// Exceptions, first match first.
    pub rules: Vec<Rule>,
}

/// What was decided for one message.
#[derive(Debug)]
pub(crate) struct Decision {
    pub(crate) action: Action,
    pub(crate) answer_delay: Duration,
    pub(crate) plan: Arc<ReceiptPlan>,
}

#[derive(Debug)]
pub(crate) struct ScriptState {
    pub(crate) behaviour: Behaviour,
    /// Plans shared, so that a decision copies no list: that of the behaviour, then of each rule.
    default_plan: Arc<ReceiptPlan>,
    rule_plans: Vec<Option<Arc<ReceiptPlan>>>,
    rule_hits: Vec<u64>,
    next: VecDeque<(u64, Action)>,
    span_begun: Option<Instant>,
    span_taken: u32,
    random: u64,
}

impl ScriptState {
    fn new(behaviour: Behaviour, seed: u64) -> Self {
        let mut state = Self {
            behaviour: Behaviour::default(),
            default_plan: Arc::default(),
            rule_plans: Vec::new(),
            rule_hits: Vec::new(),
            next: VecDeque::new(),
            span_begun: None,
            span_taken: 0,
            random: seed,
        };
        state.set(behaviour);
        state
    }

    fn set(&mut self, behaviour: Behaviour) {
        self.default_plan = Arc::new(behaviour.receipts.clone());
        let plans = behaviour.rules.iter().map(|rule| &rule.receipts);
        self.rule_plans = plans.map(|plan| plan.clone().map(Arc::new)).collect();
        self.rule_hits = vec![0; behaviour.rules.len()];
        self.behaviour = behaviour;
    }

    /// Decides on one message: actions for the next messages come first, then the rate, then the
    /// rules.
    pub(crate) fn decide(&mut self, sm: &SubmitSm, now: Instant) -> Decision {
        let rule = self.matching_rule(sm);
        let plan = rule.and_then(|at| self.rule_plans[at].clone());
        let action = match self.next_action() {
            Some(action) => action,
            None if self.over_the_rate(now) => Action::Refuse(CommandStatus::ESME_RTHROTTLED),
            None => rule.map_or(Action::Accept, |at| self.behaviour.rules[at].action.clone()),
        };
        Decision {
            action,
            answer_delay: self.behaviour.answer_delay,
            plan: plan.unwrap_or_else(|| Arc::clone(&self.default_plan)),
        }
    }

    /// Draws the outcome of one message; `None` when the plan has none.
    pub(crate) fn draw(&mut self, plan: &ReceiptPlan) -> Option<Outcome> {
        if let [only] = plan.outcomes[..] {
            return Some(only);
        }
        let total: u64 = plan.outcomes.iter().map(|one| u64::from(one.weight)).sum();
        if total == 0 {
            return None;
        }
        let mut point = self.random() % total;
        plan.outcomes.iter().copied().find(|one| {
            let weight = u64::from(one.weight);
            let found = point < weight;
            point = point.saturating_sub(weight);
            found
        })
    }

    /// A share of the jitter, drawn evenly.
    pub(crate) fn jitter(&mut self, most: Duration) -> Duration {
        if most.is_zero() {
            return Duration::ZERO;
        }
        let nanos = u64::try_from(most.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(self.random() % nanos)
    }

    fn matching_rule(&mut self, sm: &SubmitSm) -> Option<usize> {
        let rules = self.behaviour.rules.iter().zip(&mut self.rule_hits);
        for (at, (rule, hits)) in rules.enumerate() {
            if !rule.when.holds(sm) {
                continue;
            }
            *hits += 1;
            if rule.when.every_nth <= 1 || hits.is_multiple_of(rule.when.every_nth) {
                return Some(at);
            }
        }
        None
    }

    fn next_action(&mut self) -> Option<Action> {
        let (left, action) = self.next.front_mut()?;
        *left -= 1;
        if *left == 0 {
            return self.next.pop_front().map(|(_, action)| action);
        }
        Some(action.clone())
    }

    fn over_the_rate(&mut self, now: Instant) -> bool {
        let Some(most) = self.behaviour.throttle_per_second else {
            return false;
        };
        let fresh = self.span_begun.is_none_or(|begun| now >= begun + RATE_SPAN);
        if fresh {
            self.span_begun = Some(now);
            self.span_taken = 0;
        }
        let over = self.span_taken >= most;
        self.span_taken += u32::from(!over);
        over
    }

    /// `SplitMix64`: enough for drawing lots, and repeatable.
    fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// A handle on the behaviour of a running SMSC.
#[derive(Debug, Clone)]
pub struct Script(pub(crate) Arc<Mutex<ScriptState>>);

impl Script {
    pub(crate) fn new(behaviour: Behaviour, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(ScriptState::new(behaviour, seed))))
    }

    /// Behaves like this from the next message on. Actions from [`Script::next`] stay.
    pub fn set(&self, behaviour: Behaviour) {
        lock(&self.0).set(behaviour);
    }

    /// Changes a part of the behaviour; the counts of the rules begin anew.
    pub fn update(&self, change: impl FnOnce(&mut Behaviour)) {
        let mut state = lock(&self.0);
        let mut behaviour = state.behaviour.clone();
        change(&mut behaviour);
        state.set(behaviour);
    }

    /// How it behaves now.
    pub fn behaviour(&self) -> Behaviour {
        lock(&self.0).behaviour.clone()
    }

    /// Does this with the next `count` messages, after those of earlier calls. So "disconnect
    /// after 10" is `next(10, Accept)` and then `next(1, Disconnect)`.
    pub fn next(&self, count: u64, action: Action) {
        if count > 0 {
            lock(&self.0).next.push_back((count, action));
        }
    }

    /// Forgets all actions of [`Script::next`] that were not used yet.
    pub fn clear_next(&self) {
        lock(&self.0).next.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(behaviour: Behaviour) -> ScriptState {
        ScriptState::new(behaviour, 1)
    }

    fn action(state: &mut ScriptState, now: Instant) -> Action {
        state.decide(&SubmitSm::default(), now).action
    }

    #[test]
    fn each_second_takes_no_more_than_the_rate() {
        let mut state = state(Behaviour {
            throttle_per_second: Some(2),
            ..Behaviour::default()
        });
        let begun = Instant::now();
        let throttled = Action::Refuse(CommandStatus::ESME_RTHROTTLED);
        for second in 0..3 {
            let now = begun + Duration::from_secs(second);
            assert_eq!(action(&mut state, now), Action::Accept);
            assert_eq!(action(&mut state, now), Action::Accept);
            assert_eq!(action(&mut state, now), throttled);
        }
    }

    #[test]
    fn actions_for_the_next_messages_are_used_in_order_and_once() {
        let state = Script::new(Behaviour::default(), 1);
        state.next(2, Action::Swallow);
        state.next(0, Action::LoseAnswer);
        state.next(1, Action::LoseAnswer);
        let mut state = lock(&state.0);
        let now = Instant::now();
        let actions = [(); 4].map(|()| action(&mut state, now));
        let wanted = [
            Action::Swallow,
            Action::Swallow,
            Action::LoseAnswer,
            Action::Accept,
        ];
        assert_eq!(actions, wanted);
    }

    #[test]
    fn outcomes_are_drawn_by_weight_and_repeatably() {
        let one = |weight, state| Outcome {
            weight,
            ..Outcome::always(state)
        };
        let plan = ReceiptPlan {
            outcomes: vec![
                one(9, MessageState::Delivered),
                one(1, MessageState::Expired),
                one(0, MessageState::Rejected),
            ],
            ..ReceiptPlan::default()
        };
        let draw = || {
            let mut state = state(Behaviour::default());
            let drawn = (0..1000).map(|_| state.draw(&plan).map(|one| one.state));
            drawn.collect::<Vec<_>>()
        };
        let expired = Some(MessageState::Expired);
        let count = draw().iter().filter(|state| **state == expired).count();
        assert!((50..200).contains(&count), "{count}");
        assert!(!draw().contains(&Some(MessageState::Rejected)));
        assert_eq!(draw(), draw());
        let none = ReceiptPlan {
            outcomes: Vec::new(),
            ..ReceiptPlan::default()
        };
        assert_eq!(state(Behaviour::default()).draw(&none), None);
    }
}
