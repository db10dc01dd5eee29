//! Charts of messages over time, for the dashboards: tables that `charts.js` draws, and that stay
//! for whoever cannot see a chart.

use super::format;
use super::ui::Ui;
use super::why;
use app::statistics::{messages, sent};
use app::{App, Group, Grouping, Period, StatisticCounts, TimeSeries};
use domain::schedule::{tehran_day, tehran_hour_start};
use domain::time::UnixMillis;

/// Colours of groups, by their names in the style sheet.
const COLOURS: [&str; 6] = ["accent", "info", "warn", "bad", "soft", "ink"];

/// A column of a chart.
pub(super) struct Column {
    pub(super) title: String,
    pub(super) colour: &'static str,
}

/// A figure: as a program reads it, and as a person does.
pub(super) struct Cell {
    pub(super) value: String,
    pub(super) shown: String,
}

/// A step of time.
pub(super) struct Step {
    /// Seconds since 1970.
    pub(super) at: i64,
    pub(super) label: String,
    pub(super) cells: Vec<Cell>,
}

/// A chart with its table.
pub(super) struct Chart {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) steps: Vec<Step>,
}

/// A choice that leads to the same page with another chart.
pub(super) struct Choice {
    pub(super) title: &'static str,
    pub(super) href: String,
    pub(super) chosen: bool,
}

/// The charts of a dashboard, and what else could be chosen.
pub(super) struct Charts {
    pub(super) messages: Chart,
    pub(super) rate: Chart,
    pub(super) periods: Vec<Choice>,
    pub(super) groupings: Vec<Choice>,
}

impl Charts {
    /// The charts of these counts. `path` is the page's address.
    pub(super) fn of(
        ui: &Ui,
        app: &App,
        series: &TimeSeries,
        (period, grouping): (Period, Grouping),
        path: &str,
    ) -> Self {
        let href = |period: Period, grouping: Grouping| {
            format!(
                "{path}?period={}&by={}#charts",
                period.word(),
                grouping.word()
            )
        };
        let periods = Period::ALL.map(|one| Choice {
            title: period_title(ui, one),
            href: href(one, grouping),
            chosen: one == period,
        });
        let groupings = Grouping::ALL.map(|one| Choice {
            title: grouping_title(ui, one),
            href: href(period, one),
            chosen: one == grouping,
        });
        let maker = Maker {
            ui,
            app,
            series,
            period,
        };
        Self {
            messages: maker.messages(grouping),
            rate: maker.rate(),
            periods: periods.into(),
            groupings: groupings.into(),
        }
    }
}

fn period_title(ui: &Ui, period: Period) -> &'static str {
    let [fa, en] = match period {
        Period::Day => ["۲۴ ساعت", "24 hours"],
        Period::Week => ["۷ روز", "7 days"],
        Period::Month => ["۳۰ روز", "30 days"],
    };
    ui.lang.pick(fa, en)
}

fn grouping_title(ui: &Ui, grouping: Grouping) -> &'static str {
    let [fa, en] = match grouping {
        Grouping::All => ["همه", "All"],
        Grouping::Line => ["به تفکیک خط", "By line"],
        Grouping::Operator => ["به تفکیک اپراتور", "By operator"],
    };
    ui.lang.pick(fa, en)
}

struct Maker<'a> {
    ui: &'a Ui,
    app: &'a App,
    series: &'a TimeSeries,
    period: Period,
}

impl Maker<'_> {
    /// How many messages; where all are one, with how many of them arrived and failed.
    fn messages(&self, grouping: Grouping) -> Chart {
        let t = |fa, en| self.ui.lang.pick(fa, en);
        let whole = [
            (t("همهٔ پیامک‌ها", "all messages"), "info"),
            (t("رسیده", "delivered"), "good"),
            (t("ناموفق", "failed"), "bad"),
        ];
        let columns = match grouping {
            Grouping::All => whole
                .into_iter()
                .map(|(title, colour)| Column {
                    title: title.to_owned(),
                    colour,
                })
                .collect(),
            Grouping::Line | Grouping::Operator => self.groups(),
        };
        let cells = |counts: &[StatisticCounts]| match grouping {
            Grouping::All => counts
                .iter()
                .flat_map(|one| [messages(one), one.delivered, one.failed])
                .map(|count| self.count(count))
                .collect(),
            _ => counts.iter().map(|one| self.count(messages(one))).collect(),
        };
        Chart {
            id: "chart-messages",
            title: t("پیامک‌ها", "Messages"),
            columns,
            steps: self.steps(cells),
        }
    }

    /// The share of what was sent that arrived, in percent; nothing where nothing was sent.
    fn rate(&self) -> Chart {
        let cells = |counts: &[StatisticCounts]| {
            let rate = |one: &StatisticCounts| Cell {
                value: match sent(one) {
                    0 => String::new(),
                    sent => format!("{:.1}", one.delivered as f64 * 100.0 / sent as f64),
                },
                shown: self.ui.percent(one.delivered, sent(one)),
            };
            counts.iter().map(rate).collect()
        };
        Chart {
            id: "chart-rate",
            title: self
                .ui
                .lang
                .pick("نرخ تحویل (درصد)", "Delivery rate (percent)"),
            columns: self.groups(),
            steps: self.steps(cells),
        }
    }

    fn groups(&self) -> Vec<Column> {
        let title = |group: &Group| match group {
            Group::All => self.ui.t("همه", "all").to_owned(),
            Group::Line(line) if line.is_empty() => {
                self.ui.t("خط برداشته‌شده", "a line that is gone").to_owned()
            }
            Group::Line(line) => format!("\u{2066}{}\u{2069}", format::shown(line)),
            Group::Operator(id) => why::operator(self.ui, self.app, *id),
            Group::Others => self.ui.t("بقیه", "the others").to_owned(),
        };
        let groups = self.series.groups.iter().zip(COLOURS.iter().cycle());
        groups
            .map(|(group, colour)| Column {
                title: title(group),
                colour,
            })
            .collect()
    }

    fn count(&self, count: i64) -> Cell {
        Cell {
            value: count.to_string(),
            shown: self.ui.num(count),
        }
    }

    fn steps(&self, cells: impl Fn(&[StatisticCounts]) -> Vec<Cell>) -> Vec<Step> {
        let steps = self.series.steps.iter();
        steps
            .map(|(hour, counts)| {
                let at = tehran_hour_start(*hour);
                Step {
                    at: at.0 / 1_000,
                    label: self.label(at),
                    cells: cells(counts),
                }
            })
            .collect()
    }

    fn label(&self, at: UnixMillis) -> String {
        match self.period {
            Period::Day => self.ui.lately(&at),
            Period::Week | Period::Month => {
                let weekday = format::weekday(self.ui.lang, tehran_day(at));
                format!("{weekday} {}", self.ui.date(&at))
            }
        }
    }
}
