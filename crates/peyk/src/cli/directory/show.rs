//! `peyk directory info` and `peyk directory count`: what is in a directory. Counts only; no
//! command prints a number of it.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, Table, count as marked, say};
use crate::parse::{Words, choice};
use ::directory::{Audience, Directory, Gender, Jobs, PostalPrefix, Selection, TagCount, Who};
use anyhow::{Context, Result, bail};
use clap::Args;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Instant;

const GENDERS: Words<Gender> = &[("man", Gender::Man), ("woman", Gender::Woman)];

/// Show how many people a directory has, by operator, gender, job and trend
#[derive(Args)]
pub struct InfoArgs {
    /// The directory [default: directory.path, people.directory beside the database]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// Read all of it, to see whether it is damaged
    #[arg(long)]
    check: bool,
    /// Also list every trend
    #[arg(long)]
    trends: bool,
    #[command(flatten)]
    output: JsonFlag,
}

/// Count the different people who live somewhere, or have any of some trends
#[derive(Args)]
pub struct CountArgs {
    /// What the postal code begins with: 2 to 10 digits
    #[arg(long, value_name = "PREFIX", group = "audience", required = true)]
    postal: Option<String>,
    /// Ids of trends (repeatable, or parted by commas)
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "audience")]
    trend: Vec<u32>,
    /// Id of a job
    #[arg(long, value_name = "ID", group = "audience")]
    job: Option<u32>,
    /// Only numbers of this operator, such as mtn
    #[arg(long, value_name = "KEY")]
    operator: Option<String>,
    /// Only men or only women
    #[arg(long, value_parser = choice(GENDERS))]
    gender: Option<Gender>,
    /// Only people born in these Jalali years, such as 1370-1380
    #[arg(long, value_name = "YEARS", value_parser = years)]
    born: Option<RangeInclusive<u16>>,
    /// The directory [default: directory.path, people.directory beside the database]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    output: JsonFlag,
}

fn years(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let year = |text: &str| text.trim().parse::<u16>().ok();
    let pair = year(first)
        .zip(year(last))
        .filter(|(first, last)| first <= last);
    pair.map(|(first, last)| first..=last)
        .ok_or_else(|| format!("`{text}` are no years; write them like 1370-1380"))
}

fn number(number: u64) -> String {
    marked(i64::try_from(number).unwrap_or(i64::MAX))
}

fn gender_word(gender: u8) -> &'static str {
    match gender {
        1 => "men",
        2 => "women",
        _ => "unknown",
    }
}

pub(super) fn info(args: &InfoArgs, config: &Config) -> Result<Exit> {
    let path = super::path(args.directory.as_ref(), config);
    let directory = super::open(&path)?;
    if args.check {
        let checked = directory.check(&mut |_| {});
        checked.with_context(|| format!("{} must be built again", path.display()))?;
    }
    if args.output.json {
        output::json(&info_json(&directory, &path))?;
        return Ok(Exit::Done);
    }
    say!("{}", path.display());
    say!(
        "  {} people, {} bytes",
        number(directory.people()),
        number(directory.bytes())
    );
    say!(
        "  {} with a postal code",
        number(directory.with_postal_code())
    );
    say!(
        "  {} with a job or trend, {} different sets",
        number(directory.with_tags()),
        number(directory.groups())
    );
    if args.check {
        say!("  every block is as it was written");
    }
    say!("");
    let mut table = Table::new(["OPERATOR", "GENDER", "PEOPLE"]);
    for (key, gender, people) in directory.classes() {
        table.row([
            key.to_owned(),
            gender_word(gender).to_owned(),
            number(people),
        ]);
    }
    table.print("Nobody is in it.");
    let jobs = config.directory.jobs()?;
    say!("");
    tags_table(&directory, &jobs, args.trends).print("Nobody has a job or a trend.");
    Ok(Exit::Done)
}

/// Jobs, each before its trends.
fn tags_table(directory: &Directory, jobs: &Jobs, trends: bool) -> Table {
    let mut rows = Vec::new();
    for tag in directory.tags().filter(|tag| tag.is_job || trends) {
        let (job, title) = if tag.is_job {
            (Some(tag.id), jobs.job(tag.id).map(|job| &job.title))
        } else {
            let trend = jobs.trend(tag.id);
            (
                trend.map(|trend| trend.job),
                trend.map(|trend| &trend.title),
            )
        };
        rows.push((job, !tag.is_job, tag, title));
    }
    rows.sort_by_key(|(job, is_trend, tag, _)| (job.unwrap_or(u32::MAX), *is_trend, tag.id));
    let mut table = Table::new(["JOB", "TREND", "PEOPLE", "TITLE"]);
    for (job, is_trend, tag, title) in rows {
        table.row([
            job.map_or_else(|| "-".into(), |job| job.to_string()),
            if is_trend {
                tag.id.to_string()
            } else {
                "-".into()
            },
            number(tag.people),
            title
                .map_or("(not in the jobs file)", |title| title)
                .to_owned(),
        ]);
    }
    table
}

fn info_json(directory: &Directory, path: &std::path::Path) -> Value {
    let classes = directory
        .classes()
        .map(|(key, gender, people)| json!({"operator": key, "gender": gender, "people": people}));
    let tags = |is_job: bool| {
        let meant = directory.tags().filter(move |tag| tag.is_job == is_job);
        let shown = meant.map(|TagCount { id, people, .. }| json!({"id": id, "people": people}));
        shown.collect::<Vec<_>>()
    };
    json!({
        "path": path, "people": directory.people(), "bytes": directory.bytes(),
        "with_postal_code": directory.with_postal_code(),
        "with_job_or_trend": directory.with_tags(), "groups": directory.groups(),
        "classes": classes.collect::<Vec<_>>(), "jobs": tags(true), "trends": tags(false),
    })
}

pub(super) fn count(args: &CountArgs, config: &Config) -> Result<Exit> {
    let audience = match (&args.postal, args.job) {
        (Some(prefix), _) => {
            let read = PostalPrefix::parse(prefix);
            let said = || format!("`{prefix}` is no prefix of 2 to 10 digits");
            Audience::Postal(read.with_context(said)?)
        }
        (None, Some(job)) => Audience::Job(job),
        (None, None) => Audience::Trends(args.trend.clone()),
    };
    let jobs = config.directory.jobs()?;
    if let Some(unknown) = args
        .trend
        .iter()
        .find(|trend| jobs.trend(**trend).is_none())
    {
        bail!("there is no trend {unknown} in the jobs file");
    }
    let operators = config.operators()?;
    let operator = match &args.operator {
        None => None,
        Some(key) => match operators.by_key(key) {
            Some(operator) => Some(operator.key.clone()),
            None => bail!("there is no operator `{key}`"),
        },
    };
    let who = Who {
        operator,
        gender: args.gender,
        born: args.born.clone(),
    };
    let directory = super::open(&super::path(args.directory.as_ref(), config))?;
    let begun = Instant::now();
    let people = directory.count(&Selection { audience, who })?;
    let micros = begun.elapsed().as_micros();
    if args.output.json {
        output::json(&json!({"people": people, "micros": u64::try_from(micros)?}))?;
    } else {
        say!("{}", number(people));
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_are_one_or_a_range_that_goes_up() {
        assert_eq!(years("1370-1380"), Ok(1_370..=1_380));
        assert_eq!(years("1370"), Ok(1_370..=1_370));
        for wrong in ["", "x", "1380-1370", "1370-", "-1370", "99999"] {
            assert!(years(wrong).is_err(), "{wrong}");
        }
    }
}
