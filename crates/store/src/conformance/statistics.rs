//! Statistics: each message is counted once, in the hour in which it was accepted, where it stands.

use super::Harness;
use super::fixture::*;
use crate::{
    AcceptBulk, HOURLY_STATISTICS_HOURS, PauseBulk, Statistic, StatisticCounts, StatisticQuery,
    StopBulk, StopReason, SubmitResult,
};
use domain::ids::{AccountId, BulkNo, LineId};
use domain::line::LineSettings;
use domain::line_number::LineNumber;
use domain::money::Rials;
use domain::recipient::NewRecipient;
use domain::schedule::tehran_hour;
use domain::status::ReceiptKind;

async fn statistics(w: &World<'_>, account: Option<AccountId>) -> Vec<Statistic> {
    let query = StatisticQuery {
        account,
        from_hour: i64::MIN,
        to_hour: i64::MAX,
    };
    w.statistics(query).await.expect("statistics")
}

/// The counts of an account that has one row.
async fn only(w: &World<'_>, account: AccountId) -> StatisticCounts {
    let rows = statistics(w, Some(account)).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    let hour = tehran_hour(T0);
    let row = (
        rows[0].account,
        rows[0].hour,
        rows[0].line,
        rows[0].operator,
    );
    assert_eq!(row, (Some(account), hour, w.line, OPERATOR));
    rows[0].counts
}

/// So many messages in each state, of one part each: unsent, submitted, delivered, failed, other.
fn counts(states: [i64; 5], parts: i64) -> StatisticCounts {
    let [unsent, submitted, delivered, failed, other] = states;
    StatisticCounts {
        unsent,
        submitted,
        delivered,
        failed,
        other,
        parts,
        price: Rials(parts * PRICE),
    }
}

pub(super) async fn messages_are_counted_where_they_stand(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    assert_eq!(statistics(&w, Some(account)).await, []);
    let mut to = long_recipients(4, 3);
    to.extend([discarded(5), invalid("12")]);
    let bulk = w.accept(w.bulk_of(account, to)).await;
    assert_eq!(only(&w, account).await, counts([4, 0, 0, 1, 1], 12));
    let claimed = w.claim(at(1), 9).await;
    assert_eq!(only(&w, account).await, counts([4, 0, 0, 1, 1], 12));
    w.take(at(2), &claimed).await;
    w.crash().await;
    assert_eq!(only(&w, account).await, counts([1, 3, 0, 1, 1], 12));
    w.deliver(at(3), &claimed[..1]).await;
    let failed = parts_of(&claimed[1..2]).into_iter();
    let failed = failed.map(|part| receipt(part, ReceiptKind::Undeliverable));
    w.receive(at(4), failed.collect()).await;
    assert_eq!(only(&w, account).await, counts([1, 1, 1, 2, 1], 12));
    w.cancel(account, bulk).await;
    w.sweep_all(at(1_000_000)).await;
    assert_eq!(only(&w, account).await, counts([0, 0, 1, 2, 3], 12));
    w.finish().await;
}

pub(super) async fn each_hour_line_and_operator_has_its_own_counts(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let line = crate::NewLine {
        number: LineNumber::parse("3000200").expect("a line"),
        display: "3000200".into(),
        settings: LineSettings::default(),
    };
    let other: LineId = w.create_line(line).await.expect("create_line");
    let hour = tehran_hour(T0);
    let mut expected = Vec::new();
    for (hours, line, operator, count) in [
        (0, w.line, OPERATOR, 1),
        (0, w.line, OTHER_OPERATOR, 2),
        (0, other, OPERATOR, 3),
        (1, w.line, OPERATOR, 4),
        (5, w.line, OPERATOR, 5),
    ] {
        let to: Vec<NewRecipient> = (0..count)
            .map(|n| NewRecipient {
                operator,
                ..recipient(n)
            })
            .collect();
        let command = AcceptBulk {
            accepted_at: at(hours * 3_600),
            line,
            ..w.bulk_of(account, to)
        };
        w.accept(command).await;
        expected.push(Statistic {
            account: Some(account),
            hour: hour + hours,
            line,
            operator,
            counts: counts([count.into(), 0, 0, 0, 0], count.into()),
        });
    }
    assert_eq!(statistics(&w, Some(account)).await, expected);
    let query = StatisticQuery {
        account: Some(account),
        from_hour: hour + 1,
        to_hour: hour + 5,
    };
    let some = w.statistics(query).await.expect("statistics");
    assert_eq!(some, expected[3..4]);
    w.finish().await;
}

pub(super) async fn a_bulk_that_is_built_is_counted_from_its_first_command(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let begin = AcceptBulk {
        whole: false,
        ..w.bulk_of(account, recipients(2))
    };
    let bulk = w.accept(begin).await;
    assert_eq!(only(&w, account).await, counts([2, 0, 0, 0, 0], 2));
    let more: Vec<NewRecipient> = (2..5).map(recipient).collect();
    w.add(account, bulk, more).await.expect("added");
    assert_eq!(only(&w, account).await, counts([5, 0, 0, 0, 0], 5));
    let refused = w.add(account, BulkNo(20_000), vec![recipient(9)]).await;
    assert_refused(refused);
    let abandon = StopBulk {
        account,
        bulk,
        reason: StopReason::Abandoned,
        now: at(1),
    };
    w.stop_all(abandon).await;
    assert_eq!(only(&w, account).await, counts([0, 0, 0, 0, 5], 5));
    w.finish().await;
}

pub(super) async fn what_ends_before_it_leaves_is_counted(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let account = w.account(1_000_000).await;
    let valid = AcceptBulk {
        expires_at: Some(at(100)),
        ..w.bulk_of(account, recipients(3_000))
    };
    w.accept(valid).await;
    w.sweep_all(at(200)).await;
    assert_eq!(only(&w, account).await, counts([0, 0, 0, 3_000, 0], 3_000));
    let refused = w.send(account, 1).await;
    let claimed = w.claim(at(201), 10).await;
    assert_eq!(claimed[0].key.bulk, refused);
    w.answer(at(202), &claimed, SubmitResult::Refused { code: 11 })
        .await;
    assert_eq!(only(&w, account).await, counts([0, 0, 0, 3_001, 0], 3_001));
    w.finish().await;
}

pub(super) async fn what_comes_back_is_counted_once(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(10_000).await;
    let bulk = w.send(account, 4).await;
    let claimed = w.claim(at(1), 3).await;
    let command = PauseBulk {
        account,
        bulk,
        pause: true,
        now: at(2),
    };
    w.pause_bulk(command).await.expect("pause_bulk");
    w.answer(at(3), &claimed[..1], SubmitResult::NotSent).await;
    w.take(at(4), &claimed[1..2]).await;
    w.take(at(5), &claimed[1..2]).await;
    w.crash().await;
    w.recover_all(at(6)).await;
    assert_eq!(only(&w, account).await, counts([3, 1, 0, 0, 0], 4));
    // A receipt that came before its answer, and one that comes twice.
    let go_on = PauseBulk {
        pause: false,
        ..command
    };
    w.pause_bulk(go_on).await.expect("pause_bulk");
    let claimed = w.claim_all(at(100)).await;
    w.deliver(at(101), &claimed).await;
    w.take(at(102), &claimed).await;
    w.deliver(at(103), &claimed).await;
    assert_eq!(only(&w, account).await, counts([0, 1, 3, 0, 0], 4));
    w.finish().await;
}

pub(super) async fn statistics_of_all_are_the_sum_over_accounts(harness: &dyn Harness) {
    let w = World::fresh(harness).await;
    let (one, two) = (w.account(10_000).await, w.account(10_000).await);
    w.send(one, 3).await;
    w.take(at(1), &w.claim(at(1), 2).await).await;
    w.send(two, 4).await;
    let later = AcceptBulk {
        accepted_at: at(3_600),
        ..w.bulk_of(two, recipients(1))
    };
    w.accept(later).await;
    let row = |hours: i64, counts| Statistic {
        account: None,
        hour: tehran_hour(T0) + hours,
        line: w.line,
        operator: OPERATOR,
        counts,
    };
    let expected = [
        row(0, counts([5, 2, 0, 0, 0], 7)),
        row(1, counts([1, 0, 0, 0, 0], 1)),
    ];
    assert_eq!(statistics(&w, None).await, expected);
    assert_eq!(only(&w, one).await, counts([1, 2, 0, 0, 0], 3));
    assert_eq!(statistics(&w, Some(AccountId(99))).await, []);
    w.finish().await;
}

pub(super) async fn old_hours_are_folded_into_their_day(harness: &dyn Harness) {
    let mut w = World::fresh(harness).await;
    let account = w.account(100_000).await;
    let (first, hours) = (tehran_hour(T0), 60);
    for hour in 0..hours {
        let command = AcceptBulk {
            accepted_at: at(hour * 3_600),
            ..w.bulk_of(account, recipients(1))
        };
        w.accept(command).await;
    }
    let rows = statistics(&w, Some(account)).await;
    assert_eq!(rows.len(), 60, "an hour each");
    // All but the last ten hours are old by then.
    let now = at((HOURLY_STATISTICS_HOURS + hours - 10) * 3_600);
    w.sweep_all(now).await;
    let rows = statistics(&w, Some(account)).await;
    let old = |hour: i64| hour < first + hours - 10;
    let kept = rows.iter().filter(|row| !old(row.hour));
    assert_eq!(kept.count(), 10, "{rows:?}");
    for row in rows.iter().filter(|row| old(row.hour)) {
        assert_eq!(row.hour.rem_euclid(24), 0, "{row:?}");
    }
    let sum: i64 = rows.iter().map(|row| row.counts.unsent).sum();
    assert_eq!(sum, hours);
    w.crash().await;
    // What happens afterwards is counted in the day.
    let claimed = w.claim_all(now).await;
    assert_eq!(claimed.len(), hours as usize);
    w.take(now, &claimed).await;
    w.sweep_all(now).await;
    let after = statistics(&w, Some(account)).await;
    assert_eq!(after.len(), rows.len());
    for (after, before) in after.iter().zip(&rows) {
        assert_eq!(after.hour, before.hour);
        let sent = counts([0, before.counts.unsent, 0, 0, 0], before.counts.parts);
        assert_eq!(after.counts, sent);
    }
    w.finish().await;
}
