//! Parts put together: each part that a link took down becomes a message, or waits for the others
//! of its message; what the operator sends a second time is dropped.
//!
//! An operator repeats what it got no answer for. Of a part of several, the reference makes sure
//! that it is a repetition. A whole message has no such mark: the same words again are a person's,
//! unless a connection of the link ended in between, which is when answers are lost.

use crate::App;
use crate::catalog::CatalogView;
use crate::lines::shown;
use domain::inbound::coding::{PartOctets, joined};
use domain::inbound::{owner, sender_shown};
use domain::line_number::LineNumber;
use domain::time::UnixMillis;
use store::{
    Becomes, Gathered, InboundPart, Joined, NewInbound, QueuedInbound, Repetition, SortInbound,
    SortedInbound, StoreError,
};

/// Seconds after the last part for which the others are awaited, where the configuration does not
/// say.
pub const PARTS_WAIT_SECONDS_DEFAULT: u32 = 900;

/// Parts that one step sorts.
const PARTS_PER_STEP: u32 = 500;
/// Messages of several parts that one step puts together.
const JOINED_PER_STEP: u32 = 100;
/// Seconds within which an operator sends something a second time.
const REPEATED_WITHIN_SECONDS: i64 = 900;
/// Seconds before the end of a connection in which an answer may have been lost with it.
const UNANSWERED_SECONDS: i64 = 120;

/// What one step put together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Assembled {
    /// Messages that were written.
    pub messages: u32,
    /// Parts that were dropped because they had come before.
    pub repeated: u32,
    /// True when there may be more to do at once.
    pub more: bool,
}

impl App {
    /// Puts a slice of what came together. `parts_wait_seconds` after its last part a message is
    /// kept with what came, and marked as incomplete.
    ///
    /// # Errors
    /// The store failed; what was done stays done, and the rest is done by the next call.
    pub async fn assemble_inbound(&self, parts_wait_seconds: u32) -> Result<Assembled, StoreError> {
        let now = self.now();
        let queued = self.store().inbound_queue(PARTS_PER_STEP).await?;
        let mut done = Assembled {
            more: queued.len() == PARTS_PER_STEP as usize,
            ..Assembled::default()
        };
        if !queued.is_empty() {
            let view = self.view().await?;
            let parts = queued.iter().map(|part| sorted(&view, part)).collect();
            let forget_before = now.plus_seconds(-2 * REPEATED_WITHIN_SECONDS);
            let command = SortInbound {
                now,
                forget_before,
                parts,
            };
            let sorted = self.store().sort_inbound(command).await?;
            done.messages = sorted.messages;
            done.repeated = sorted.repeated;
        }
        let quiet_since = now.plus_seconds(-i64::from(parts_wait_seconds));
        let gathered = self.store().gathered(quiet_since, JOINED_PER_STEP).await?;
        if !gathered.is_empty() {
            done.more |= gathered.len() == JOINED_PER_STEP as usize;
            let view = self.view().await?;
            let messages = gathered.iter().filter_map(|one| join(&view, one)).collect();
            done.messages += self.store().record_joined(messages).await?;
        }
        metrics::counter!("peyk_inbound_messages_total").increment(u64::from(done.messages));
        metrics::counter!("peyk_inbound_repeated_total").increment(u64::from(done.repeated));
        Ok(done)
    }
}

fn sorted(view: &CatalogView, queued: &QueuedInbound) -> SortedInbound {
    let part = &queued.part;
    let becomes = match part.part {
        Some(_) => Becomes::Gathered,
        None => Becomes::Message(Box::new(message(view, part, &[Some(octets(part))]))),
    };
    SortedInbound {
        n: queued.n,
        repetition: Repetition {
            digest: digest(part),
            between: repeated_between(part),
        },
        becomes,
    }
}

/// When the same must have come before for this to be a repetition.
fn repeated_between(part: &InboundPart) -> Option<(UnixMillis, UnixMillis)> {
    let earliest = part.at.plus_seconds(-REPEATED_WITHIN_SECONDS);
    if part.part.is_some() {
        return Some((earliest, part.at));
    }
    let disturbed_at = part.disturbed_at.filter(|at| *at >= earliest)?;
    Some((disturbed_at.plus_seconds(-UNANSWERED_SECONDS), disturbed_at))
}

/// Digest of everything in which a repetition is the same.
fn digest(part: &InboundPart) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut field = |octets: &[u8]| {
        hasher.update(&(octets.len() as u64).to_le_bytes());
        hasher.update(octets);
    };
    field(part.from.as_bytes());
    field(part.to.as_bytes());
    field(&[part.data_coding]);
    field(&part.payload);
    if let Some((reference, total, number)) = part.part {
        field(&reference.to_le_bytes());
        field(&[total, number]);
    }
    *hasher.finalize().as_bytes()
}

fn octets(part: &InboundPart) -> PartOctets<'_> {
    PartOctets {
        data_coding: part.data_coding,
        header_octets: part.header_octets,
        octets: &part.payload,
    }
}

/// The message of a gathering; `None` for one that has lost its parts, which cannot be.
fn join(view: &CatalogView, gathered: &Gathered) -> Option<Joined> {
    let first = gathered.parts.iter().min_by_key(|part| part.at)?;
    let mut places = vec![None; usize::from(gathered.total)];
    for part in &gathered.parts {
        let number = part.part.map_or(0, |(_, _, number)| usize::from(number));
        if let Some(place) = number.checked_sub(1).and_then(|at| places.get_mut(at)) {
            *place = Some(octets(part));
        }
    }
    Some(Joined {
        id: gathered.id,
        parts: u8::try_from(gathered.parts.len()).unwrap_or(u8::MAX),
        message: message(view, first, &places),
    })
}

fn message(
    view: &CatalogView,
    first: &InboundPart,
    places: &[Option<PartOctets<'_>>],
) -> NewInbound {
    let number = LineNumber::parse(&first.to);
    let line = number
        .as_ref()
        .and_then(|number| view.line_by_number(number))
        .map(|line| &**line);
    let alphabet = view
        .link(first.link)
        .map(|link| link.settings.inbound_alphabet)
        .unwrap_or_default();
    let to = match (line, number) {
        (Some(line), _) => shown(line),
        (None, Some(number)) => number.to_string(),
        (None, None) => sender_shown(&first.to),
    };
    let missing = places.iter().filter(|place| place.is_none()).count();
    NewInbound {
        owner: owner(line, &view.catalog.grants).map(|(account, _)| account),
        line: line.map(|line| line.id),
        link: first.link,
        at: first.at,
        from: sender_shown(&first.from),
        to,
        text: joined(places, alphabet),
        parts: u8::try_from(places.len()).unwrap_or(u8::MAX),
        missing: u8::try_from(missing).unwrap_or(u8::MAX),
    }
}
