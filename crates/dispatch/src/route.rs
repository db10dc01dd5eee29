//! Which link carries which lane now, and how much. Pure.

use domain::ids::{LineId, LinkId};
use domain::line::Line;
use domain::time::UnixMillis;
use std::collections::{HashMap, HashSet};
use store::{Lane, LaneShare, LinkShare};

/// What the links and lines can take at this moment.
pub(crate) struct Capacity {
    /// Parts that each link can take; a link that is down is absent.
    pub links: HashMap<LinkId, u32>,
    /// Links that are up in another process: what they carry is not for a fallback.
    pub elsewhere: HashSet<LinkId>,
    /// Parts that each paced line may send; a line without a rate is absent.
    pub lines: HashMap<LineId, u32>,
}

/// What to claim, and when to look again for lanes that are closed now.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What to claim for each link. Under which epoch is for the engine to say.
    pub shares: Vec<LinkShare>,
    /// When the next closed line opens.
    pub next_opening: Option<UnixMillis>,
}

/// Distributes the due lanes over the links. `turn` rotates the lanes from call to call, so that
/// the lanes of a paced line take turns.
pub(crate) fn plan(
    due: &[Lane],
    lines: &HashMap<LineId, Line>,
    capacity: &Capacity,
    now: UnixMillis,
    turn: usize,
) -> Plan {
    let mut plan = Plan::default();
    let mut left_of_line = capacity.lines.clone();
    let start = if due.is_empty() { 0 } else { turn % due.len() };
    for lane in due[start..].iter().chain(&due[..start]) {
        let Some(line) = lines.get(&lane.line) else {
            continue;
        };
        if let Some(hours) = line.settings.hours.filter(|hours| !hours.is_open(now)) {
            let opening = hours.next_opening(now);
            plan.next_opening = Some(plan.next_opening.map_or(opening, |at| at.min(opening)));
            continue;
        }
        let Some(link) = carrier(line, *lane, capacity) else {
            continue;
        };
        let free = capacity.links.get(&link).copied().unwrap_or(0);
        let line_left = left_of_line.get_mut(&lane.line);
        let parts_max = line_left.as_deref().map_or(free, |left| free.min(*left));
        if parts_max == 0 {
            continue;
        }
        if let Some(left) = line_left {
            *left -= parts_max;
        }
        add(
            &mut plan.shares,
            link,
            free,
            LaneShare {
                lane: *lane,
                parts_max,
            },
        );
    }
    plan
}

/// The link that carries a lane now: its own, or the fallback while its own is down. `None` also
/// where another process carries it.
fn carrier(line: &Line, lane: Lane, capacity: &Capacity) -> Option<LinkId> {
    let route = line.settings.route(lane.operator)?;
    let is_here = |link: &LinkId| capacity.links.contains_key(link);
    [Some(route.link), route.fallback]
        .into_iter()
        .flatten()
        .find(|link| is_here(link) || capacity.elsewhere.contains(link))
        .filter(is_here)
}

fn add(shares: &mut Vec<LinkShare>, link: LinkId, free: u32, lane: LaneShare) {
    match shares.iter_mut().find(|share| share.link == link) {
        Some(share) => share.lanes.push(lane),
        None => shares.push(LinkShare {
            link,
            epoch: 0,
            parts_max: free,
            lanes: vec![lane],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ids::OperatorId;
    use domain::line::{LineSettings, Route};
    use domain::line_number::LineNumber;
    use domain::schedule::SendingHours;

    /// 2026-11-22 12:00:00 in Tehran.
    const NOON: UnixMillis = UnixMillis(1_795_336_200_000);

    fn lane(line: i64, operator: u8) -> Lane {
        Lane {
            line: LineId(line),
            operator: OperatorId(operator),
        }
    }

    fn line(id: i64, settings: LineSettings) -> (LineId, Line) {
        let display = format!("300050{id}");
        let number = LineNumber::parse(&display).expect("a number");
        (
            LineId(id),
            Line {
                id: LineId(id),
                number,
                display,
                settings,
            },
        )
    }

    fn routed(routes: Vec<Route>) -> LineSettings {
        LineSettings {
            routes,
            ..LineSettings::default()
        }
    }

    fn any(link: i64, fallback: Option<i64>) -> Route {
        Route {
            operator: None,
            link: LinkId(link),
            fallback: fallback.map(LinkId),
        }
    }

    fn capacity(links: &[(i64, u32)], lines: &[(i64, u32)]) -> Capacity {
        Capacity {
            links: links
                .iter()
                .map(|(id, free)| (LinkId(*id), *free))
                .collect(),
            lines: lines
                .iter()
                .map(|(id, free)| (LineId(*id), *free))
                .collect(),
            elsewhere: HashSet::new(),
        }
    }

    #[test]
    fn a_lane_goes_to_its_operators_link_and_to_the_fallback_while_that_is_down() {
        let own = Route {
            operator: Some(OperatorId(2)),
            link: LinkId(7),
            fallback: None,
        };
        let lines = HashMap::from([line(1, routed(vec![any(5, Some(6)), own]))]);
        let due = [lane(1, 1), lane(1, 2)];
        let all = plan(
            &due,
            &lines,
            &capacity(&[(5, 10), (6, 10), (7, 10)], &[]),
            NOON,
            0,
        );
        let links: Vec<_> = all.shares.iter().map(|share| share.link.0).collect();
        assert_eq!(links, [5, 7]);
        let some = plan(&due, &lines, &capacity(&[(6, 10)], &[]), NOON, 0);
        let links: Vec<_> = some.shares.iter().map(|share| share.link.0).collect();
        assert_eq!(links, [6]);
        assert_eq!(
            plan(&due, &lines, &capacity(&[], &[]), NOON, 0),
            Plan::default()
        );
    }

    #[test]
    fn what_another_process_carries_is_not_for_the_fallback() {
        let lines = HashMap::from([line(1, routed(vec![any(5, Some(6))]))]);
        let mut capacity = capacity(&[(6, 10)], &[]);
        capacity.elsewhere.insert(LinkId(5));
        let plan = |capacity: &Capacity| plan(&[lane(1, 1)], &lines, capacity, NOON, 0);
        assert_eq!(plan(&capacity), Plan::default());
        capacity.elsewhere.clear();
        assert_eq!(plan(&capacity).shares[0].link, LinkId(6));
    }

    #[test]
    fn the_lanes_of_a_paced_line_share_its_rate_and_take_turns() {
        let lines = HashMap::from([line(1, routed(vec![any(5, None)]))]);
        let due = [lane(1, 1), lane(1, 2)];
        let first = |turn| {
            let plan = plan(&due, &lines, &capacity(&[(5, 100)], &[(1, 3)]), NOON, turn);
            assert_eq!(plan.shares[0].lanes.len(), 1);
            plan.shares[0].lanes[0]
        };
        assert_eq!(
            first(0),
            LaneShare {
                lane: lane(1, 1),
                parts_max: 3
            }
        );
        assert_eq!(
            first(1),
            LaneShare {
                lane: lane(1, 2),
                parts_max: 3
            }
        );
    }

    #[test]
    fn a_closed_line_claims_nothing_and_says_when_it_opens() {
        let hours: SendingHours = "08:00-11:00".parse().expect("hours");
        let settings = LineSettings {
            hours: Some(hours),
            ..routed(vec![any(5, None)])
        };
        let lines = HashMap::from([line(1, settings)]);
        let plan = plan(&[lane(1, 1)], &lines, &capacity(&[(5, 100)], &[]), NOON, 0);
        assert!(plan.shares.is_empty());
        assert_eq!(plan.next_opening, Some(NOON.plus_seconds(20 * 3600)));
    }

    #[test]
    fn a_line_that_is_gone_or_without_a_route_claims_nothing() {
        let lines = HashMap::from([line(1, routed(Vec::new()))]);
        let plan = plan(
            &[lane(1, 1), lane(9, 1)],
            &lines,
            &capacity(&[(5, 1)], &[]),
            NOON,
            0,
        );
        assert_eq!(plan, Plan::default());
    }
}
