-- Statistics by hour, line and operator, counted with every change of a recipient.
--
-- A process that does not know this table goes on working and leaves it alone: what it accepts and
-- records, also while this migration runs, is not counted, and `peyk doctor` says so afterwards
-- (rule `statistics`; docs/operating.md says how to count anew). It cannot read a bulk that is
-- paused (stage 6): pause none while such a process works with the database.

CREATE TABLE statistic (
    account_id int8 NOT NULL,
    hour int8 NOT NULL,                   -- domain::schedule::tehran_hour of the bulk's acceptance
    line_id int8 NOT NULL,
    unsent int8 NOT NULL DEFAULT 0,       -- waiting or with a link
    submitted int8 NOT NULL DEFAULT 0,    -- or held
    delivered int8 NOT NULL DEFAULT 0,
    failed int8 NOT NULL DEFAULT 0,
    other int8 NOT NULL DEFAULT 0,        -- left out, cancelled or never reported
    parts int8 NOT NULL DEFAULT 0,
    price int8 NOT NULL DEFAULT 0,
    operator int2 NOT NULL,
    PRIMARY KEY (account_id, hour, line_id, operator)
) WITH (fillfactor = 50);
CREATE INDEX statistic_hour ON statistic (hour);
-- What is folded into its day in the end: its first hour stays.
CREATE INDEX statistic_hourly ON statistic (hour) WHERE hour % 24 <> 0;

-- What is there already. Tehran has been at +03:30 since 2022, before there were any bulks. Parts
-- and price of those that ended at acceptance are left out; whoever came onto a blacklist while
-- waiting looks like them here.
INSERT INTO statistic (account_id, hour, line_id, operator, unsent, submitted, delivered, failed,
    other, parts, price)
    SELECT b.account_id, (b.accepted_at + 12600000) / 3600000, b.line_id, r.operator,
        count(*) FILTER (WHERE r.state IN (0, 1)), count(*) FILTER (WHERE r.state IN (2, 3)),
        count(*) FILTER (WHERE r.state = 4), count(*) FILTER (WHERE r.state = 5),
        count(*) FILTER (WHERE r.state >= 6),
        coalesce(sum(r.parts) FILTER (WHERE NOT (r.state IN (5, 6) AND r.link_id IS NULL
            AND r.attempts = 0)), 0),
        coalesce(sum(r.parts * r.unit_price) FILTER (WHERE NOT (r.state IN (5, 6)
            AND r.link_id IS NULL AND r.attempts = 0)), 0)
    FROM bulk b JOIN recipient r ON r.account_id = b.account_id AND r.bulk_no = b.bulk_no
    GROUP BY 1, 2, 3, 4;
