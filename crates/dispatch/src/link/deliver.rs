//! `deliver_sm`: a receipt or a message from a handset is written first and answered after.

use super::{Shared, lock};
use domain::link::{IdFormat as LinkIdFormat, LinkSettings};
use domain::status::ReceiptKind;
use domain::time::UnixMillis;
use smpp::concat::Parts;
use smpp::{
    CommandStatus, DeliverRef, DeliverSm, IdFormat, IdRules, MessageState, Receipt, Recognise,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::{InboundPart, NewReceipt, RecordReceipts, Store, StoreError};
use tokio::sync::Notify;
use tokio::sync::mpsc::UnboundedReceiver;

/// Messages of one command, so that its transaction stays short.
const BATCH_MAX: usize = 2_000;
/// Pause before a failed write is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// Where a bind's answers wait until it writes them.
#[derive(Default)]
pub(super) struct Answers {
    ready: Mutex<Vec<(DeliverRef, CommandStatus)>>,
    wake: Arc<Notify>,
}

impl Answers {
    pub(super) fn new(wake: Arc<Notify>) -> Self {
        Self {
            ready: Mutex::default(),
            wake,
        }
    }

    pub(super) fn take(&self) -> Vec<(DeliverRef, CommandStatus)> {
        std::mem::take(&mut *lock(&self.ready))
    }
}

/// A `deliver_sm` that waits for its commit.
pub(super) struct Delivered {
    pub(super) reply: DeliverRef,
    pub(super) sm: DeliverSm,
    pub(super) answers: Arc<Answers>,
}

/// How this link writes message ids.
pub(super) fn id_rules(settings: &LinkSettings) -> IdRules {
    let format = |format| match format {
        LinkIdFormat::AsIs => IdFormat::AsIs,
        LinkIdFormat::Hex => IdFormat::Hex,
        LinkIdFormat::Decimal => IdFormat::Decimal,
    };
    IdRules {
        answer: format(settings.answer_id),
        receipt: format(settings.receipt_id),
        strip_leading_zeros: settings.ids_without_leading_zeros,
        ignore_case: settings.ids_ignore_case,
    }
}

/// Ends when every bind of the link has ended. What waits here is bounded by what a bind reads
/// ahead without an answer.
pub(super) async fn run(
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    mut delivered: UnboundedReceiver<Vec<Delivered>>,
) {
    let rules = id_rules(&shared.link.settings);
    while let Some(mut batch) = delivered.recv().await {
        while batch.len() < BATCH_MAX {
            let Ok(more) = delivered.try_recv() else {
                break;
            };
            batch.extend(more);
        }
        let now = shared.clock.now();
        let (mut receipts, mut inbound) = (Vec::new(), Vec::new());
        for item in &batch {
            sort(&shared, &rules, &item.sm, now, &mut receipts, &mut inbound);
        }
        let written = write_receipts(&*store, &shared, now, receipts).await
            && write_inbound(&*store, &shared, inbound).await;
        if !written {
            // Not answered: the operator will send them again to the next process.
            return;
        }
        answer(batch);
    }
}

fn sort(
    shared: &Shared,
    rules: &IdRules,
    sm: &DeliverSm,
    now: UnixMillis,
    receipts: &mut Vec<NewReceipt>,
    inbound: &mut Vec<InboundPart>,
) {
    let Some(receipt) = Receipt::from_deliver(sm, Recognise::Marked) else {
        inbound.push(inbound_part(shared, sm, now));
        return;
    };
    if receipt.message_id.is_empty() {
        tracing::warn!(
            link = shared.link.name,
            "a receipt without a message id was dropped"
        );
        metrics::counter!("peyk_receipts_without_id_total").increment(1);
        return;
    }
    receipts.push(NewReceipt {
        message_id: rules.receipt_key(&receipt.message_id).into(),
        kind: kind(receipt.state),
        error: receipt.error,
    });
}

fn kind(state: MessageState) -> ReceiptKind {
    match state {
        MessageState::Delivered => ReceiptKind::Delivered,
        MessageState::Expired => ReceiptKind::Expired,
        MessageState::Deleted => ReceiptKind::Deleted,
        MessageState::Undeliverable => ReceiptKind::Undeliverable,
        MessageState::Rejected => ReceiptKind::Rejected,
        _ => ReceiptKind::Intermediate,
    }
}

fn inbound_part(shared: &Shared, sm: &DeliverSm, at: UnixMillis) -> InboundPart {
    let parts = Parts::of_deliver(sm);
    // Addresses may hold any octet; Latin-1 keeps each of them.
    let latin1 = |octets: &[u8]| {
        octets
            .iter()
            .map(|octet| char::from(*octet))
            .collect::<String>()
    };
    InboundPart {
        link: shared.link.id,
        at,
        from: latin1(&sm.source.digits).into(),
        to: latin1(&sm.destination.digits).into(),
        data_coding: sm.data_coding,
        payload: parts.text.into(),
        part: parts
            .segment
            .map(|segment| (segment.reference, segment.total, segment.number)),
        // A header is preceded by its length in one octet.
        header_octets: u8::try_from(parts.header.len()).unwrap_or(u8::MAX),
        disturbed_at: Some(shared.disturbed_at()),
    }
}

/// `false` when the store has stopped for good.
async fn write_receipts(
    store: &dyn Store,
    shared: &Shared,
    now: UnixMillis,
    receipts: Vec<NewReceipt>,
) -> bool {
    if receipts.is_empty() {
        return true;
    }
    let command = RecordReceipts {
        link: shared.link.id,
        now,
        receipts,
    };
    loop {
        match store.record_receipts(command.clone()).await {
            Ok(recorded) => {
                metrics::counter!("peyk_receipts_total", "match" => "known")
                    .increment(u64::from(recorded.matched));
                metrics::counter!("peyk_receipts_total", "match" => "parked")
                    .increment(u64::from(recorded.parked));
                return true;
            }
            Err(error) => {
                if !pause_after(&error, shared).await {
                    return false;
                }
            }
        }
    }
}

/// `false` when the store has stopped for good.
async fn write_inbound(store: &dyn Store, shared: &Shared, parts: Vec<InboundPart>) -> bool {
    if parts.is_empty() {
        return true;
    }
    loop {
        let count = parts.len() as u64;
        match store.record_inbound(parts.clone()).await {
            Ok(()) => {
                metrics::counter!("peyk_inbound_parts_total").increment(count);
                return true;
            }
            Err(error) => {
                if !pause_after(&error, shared).await {
                    return false;
                }
            }
        }
    }
}

async fn pause_after(error: &StoreError, shared: &Shared) -> bool {
    if matches!(error, StoreError::Stopped(_)) {
        return false;
    }
    tracing::error!(%error, link = shared.link.name, "receipts are kept until they can be written");
    tokio::time::sleep(RETRY_PAUSE).await;
    true
}

fn answer(batch: Vec<Delivered>) {
    let mut last: Option<Arc<Answers>> = None;
    for item in batch {
        lock(&item.answers.ready).push((item.reply, CommandStatus::ESME_ROK));
        // A batch holds long runs of one bind: wake it once a run.
        if last
            .as_ref()
            .is_some_and(|before| !Arc::ptr_eq(before, &item.answers))
            && let Some(before) = last.take()
        {
            before.wake.notify_one();
        }
        last = Some(item.answers);
    }
    if let Some(answers) = last {
        answers.wake.notify_one();
    }
}
