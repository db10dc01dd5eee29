//! Who is next: shares between urgent and other bulks, lanes and accounts. Pure bookkeeping; the
//! rows are the adapter's.

use crate::Lane;
use domain::ids::LinkId;
use std::collections::HashMap;

/// Of each share one part in so many is kept for bulks that are not urgent, while they wait.
const NOT_URGENT_ONE_IN: u32 = 10;

/// Remembers fractions of shares between claims, so that the part of a small share is not always
/// rounded away.
#[derive(Default)]
pub struct Floors {
    carried: HashMap<(LinkId, Option<Lane>), u32>,
}

impl Floors {
    /// How much of `share` is to be kept for what is not urgent; counts the fraction on.
    pub fn keep(&mut self, link: LinkId, lane: Option<Lane>, share: u32) -> u32 {
        let carried = self.carried.entry((link, lane)).or_default();
        let tenths = carried.saturating_add(share);
        let kept = (tenths / NOT_URGENT_ONE_IN).min(share);
        *carried = (tenths - kept * NOT_URGENT_ONE_IN).min(NOT_URGENT_ONE_IN);
        kept
    }
}

/// A lane of a link while its share is handed out.
#[derive(Clone, Debug)]
pub struct LaneBudget {
    /// Which lane.
    pub lane: Lane,
    /// Parts that the lane may still take.
    pub left: u32,
    /// Parts of them kept for what is not urgent.
    pub floor: u32,
}

/// Hands out `budget` parts in turns: to the lanes alike, and in each lane to its accounts alike.
/// `take(lane, account, parts)` claims at most so many parts (the last message may go over) and
/// says how many; less than it was offered means that the account has no more.
///
/// # Errors
/// The first one of `take`.
pub fn hand_out<E>(
    lanes: &mut [LaneBudget],
    accounts: &mut [Vec<i64>],
    mut budget: u32,
    mut take: impl FnMut(usize, i64, u32) -> Result<u32, E>,
) -> Result<u32, E> {
    let mut total = 0;
    loop {
        let open = |lane: usize, lanes: &[LaneBudget], accounts: &[Vec<i64>]| {
            lanes[lane].left > 0 && !accounts[lane].is_empty()
        };
        let active = (0..lanes.len())
            .filter(|lane| open(*lane, lanes, accounts))
            .count();
        let Some(lane_share) = share_of(budget, active) else {
            return Ok(total);
        };
        for lane in 0..lanes.len() {
            if budget == 0 || !open(lane, lanes, accounts) {
                continue;
            }
            let mut left = lane_share.min(lanes[lane].left).min(budget);
            let each = share_of(left, accounts[lane].len()).unwrap_or(0);
            let mut spent = Vec::new();
            let mut served = 0;
            for account in accounts[lane].iter().copied() {
                if left == 0 {
                    break;
                }
                let offer = each.min(left);
                let taken = take(lane, account, offer)?;
                served += 1;
                left = left.saturating_sub(taken);
                lanes[lane].left = lanes[lane].left.saturating_sub(taken);
                budget = budget.saturating_sub(taken);
                total += taken;
                if taken < offer {
                    spent.push(account);
                }
            }
            accounts[lane].rotate_left(served);
            accounts[lane].retain(|account| !spent.contains(account));
        }
    }
}

/// An equal share, at least 1; `None` when there is nothing or nobody.
fn share_of(budget: u32, between: usize) -> Option<u32> {
    let between = u32::try_from(between).unwrap_or(u32::MAX);
    (budget > 0 && between > 0).then(|| (budget / between).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::{LineId, OperatorId};

    fn lane(line: i64, left: u32) -> LaneBudget {
        let lane = Lane {
            line: LineId(line),
            operator: OperatorId(1),
        };
        LaneBudget {
            lane,
            left,
            floor: 0,
        }
    }

    fn run(lanes: &mut [LaneBudget], accounts: &[Vec<i64>], budget: u32, has: u32) -> Vec<u32> {
        let mut stock: HashMap<(usize, i64), u32> = HashMap::new();
        let mut given: HashMap<i64, u32> = HashMap::new();
        let mut turns = accounts.to_vec();
        hand_out(lanes, &mut turns, budget, |lane, account, parts| {
            let left = stock.entry((lane, account)).or_insert(has);
            let taken = parts.min(*left);
            *left -= taken;
            *given.entry(account).or_default() += taken;
            Ok::<_, ()>(taken)
        })
        .unwrap();
        let mut names: Vec<i64> = accounts.concat();
        names.sort_unstable();
        names
            .iter()
            .map(|name| given.get(name).copied().unwrap_or(0))
            .collect()
    }

    #[test]
    fn accounts_of_a_lane_get_the_same() {
        assert_eq!(
            run(&mut [lane(1, 90)], &[vec![1, 2, 3]], 100, 1_000),
            [30, 30, 30]
        );
    }

    #[test]
    fn lanes_of_a_link_get_the_same_and_what_one_leaves_the_other_takes() {
        let lanes = &mut [lane(1, 1_000), lane(2, 20)];
        assert_eq!(run(lanes, &[vec![1], vec![2]], 100, 1_000), [80, 20]);
    }

    #[test]
    fn nobody_gets_more_than_there_is() {
        assert_eq!(run(&mut [lane(1, 100)], &[vec![1, 2]], 100, 5), [5, 5]);
        assert_eq!(
            run(&mut [lane(1, 100)], &[vec![]], 100, 5),
            Vec::<u32>::new()
        );
    }

    #[test]
    fn of_ten_shares_of_one_part_one_is_kept() {
        let mut floors = Floors::default();
        let kept: u32 = (0..100).map(|_| floors.keep(LinkId(1), None, 1)).sum();
        assert_eq!(kept, 10);
        assert_eq!(floors.keep(LinkId(1), None, 1_000), 100);
    }
}
