-- Statistics by hour, line and operator, counted with every change of a recipient.
--
-- A program that does not know this table goes on working and leaves it alone: what it accepts and
-- records is not counted, and `peyk doctor` says so afterwards (rule `statistics`;
-- docs/operating.md says how to count anew). It cannot read a bulk that is paused (stage 6): pause
-- none while such a program works with the file.

CREATE TABLE statistic (
    account_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,                -- domain::schedule::tehran_hour of the bulk's acceptance
    line_id INTEGER NOT NULL,
    operator INTEGER NOT NULL,
    unsent INTEGER NOT NULL DEFAULT 0,    -- waiting or with a link
    submitted INTEGER NOT NULL DEFAULT 0, -- or held
    delivered INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    other INTEGER NOT NULL DEFAULT 0,     -- left out, cancelled or never reported
    parts INTEGER NOT NULL DEFAULT 0,
    price INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, hour, line_id, operator)
) STRICT, WITHOUT ROWID;
CREATE INDEX statistic_hour ON statistic (hour);
-- What is folded into its day in the end: its first hour stays.
CREATE INDEX statistic_hourly ON statistic (hour) WHERE hour % 24 <> 0;

-- What is there already. Tehran has been at +03:30 since 2022, before there were any bulks. Parts
-- and price of those that ended at acceptance are left out; whoever came onto a blacklist while
-- waiting looks like them here.
INSERT INTO statistic (account_id, hour, line_id, operator, unsent, submitted, delivered, failed,
    other, parts, price)
    SELECT b.account_id, (b.accepted_at + 12600000) / 3600000, b.line_id, r.operator,
        sum(r.state IN (0, 1)), sum(r.state IN (2, 3)), sum(r.state = 4), sum(r.state = 5),
        sum(r.state >= 6),
        sum(iif(r.state IN (5, 6) AND r.link_id IS NULL AND r.attempts = 0, 0, r.parts)),
        sum(iif(r.state IN (5, 6) AND r.link_id IS NULL AND r.attempts = 0, 0,
            r.parts * r.unit_price))
    FROM bulk b JOIN recipient r ON r.account_id = b.account_id AND r.bulk_no = b.bulk_no
    GROUP BY 1, 2, 3, 4;
