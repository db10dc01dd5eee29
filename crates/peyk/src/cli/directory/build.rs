//! `peyk directory build`.

use crate::cli::JsonFlag;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{self, count, say};
use ::directory::build::{Built, Input, Plan, Progress, build};
use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::fs::File;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

/// Build the directory from CSV files, and put it in the place of the older one
#[derive(Args)]
pub struct BuildArgs {
    /// CSV files ("-" for stdin)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Where it is written [default: directory.path, people.directory beside the database]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Folder of temporary files, about 50 bytes a row [default: that of the directory]
    #[arg(long, value_name = "DIR")]
    temporary: Option<PathBuf>,
    /// Build nothing if any value cannot be used
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    output: JsonFlag,
}

pub(super) fn run(args: BuildArgs, config: &Config) -> Result<Exit> {
    let out = super::path(args.out.as_ref(), config);
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let (operators, jobs) = (config.operators()?, config.directory.jobs()?);
    let plan = Plan {
        operators: &operators,
        jobs: &jobs,
        out: &out,
        temporary: args.temporary.as_deref(),
        strict: args.strict,
    };
    if args.files.iter().filter(|file| is_stdin(file)).count() > 1 {
        bail!("stdin can be read only once");
    }
    let mut bars = Bars::new(&args.files)?;
    let inputs = args.files.iter().map(|file| input(file));
    let inputs: Vec<Input> = inputs.collect::<Result<_>>()?;
    let built = build(plan, inputs, &mut |progress| bars.show(progress));
    bars.bar.finish_and_clear();
    let built = built.context("nothing is built")?;
    if args.output.json {
        output::json(&json!({
            "path": out, "rows": built.rows, "people": built.people, "doubled": built.doubled,
            "with_postal_code": built.with_postal_code, "with_job_or_trend": built.with_tags,
            "groups": built.groups, "bytes": built.bytes,
            "problems": built.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
        }))?;
    } else {
        tell(&out, &built);
    }
    Ok(Exit::Done)
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

fn input(file: &Path) -> Result<Input> {
    if is_stdin(file) {
        return Ok(Input {
            name: "stdin".into(),
            from: Box::new(std::io::stdin()),
        });
    }
    let open = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Input {
        name: file.display().to_string(),
        from: Box::new(open),
    })
}

fn tell(out: &Path, built: &Built) {
    let number = |number: u64| count(i64::try_from(number).unwrap_or(i64::MAX));
    say!(
        "Built {}: {} people from {} rows, {} bytes.",
        out.display(),
        number(built.people),
        number(built.rows),
        number(built.bytes)
    );
    say!(
        "  {} with a postal code, {} with a job or trend ({} different sets).",
        number(built.with_postal_code),
        number(built.with_tags),
        number(built.groups)
    );
    if built.doubled > 0 {
        let doubled = number(built.doubled);
        say!("  {doubled} rows had a number that stands in another row; each is one person.");
    }
    if !built.problems.is_empty() {
        say!("  Values that could not be used:");
    }
    for problem in &built.problems {
        say!("    {problem}");
    }
}

/// A bar for each step; none where nobody looks.
struct Bars {
    bar: ProgressBar,
    step: &'static str,
}

impl Bars {
    /// The first step reads the files; it knows its end when all of them are files.
    fn new(files: &[PathBuf]) -> Result<Self> {
        let (bar, step) = (ProgressBar::hidden(), "");
        if !std::io::stderr().is_terminal() {
            return Ok(Self { bar, step });
        }
        let mut bytes = Some(0);
        for file in files {
            let length = std::fs::metadata(file)
                .ok()
                .filter(std::fs::Metadata::is_file);
            bytes = bytes.zip(length).map(|(sum, file)| sum + file.len());
        }
        let bar = match bytes {
            Some(bytes) => {
                let template = "reading {wide_bar} {bytes}/{total_bytes}, {eta} left";
                ProgressBar::new(bytes).with_style(ProgressStyle::with_template(template)?)
            }
            None => {
                let template = "reading {spinner} {bytes} ({bytes_per_sec})";
                ProgressBar::new_spinner().with_style(ProgressStyle::with_template(template)?)
            }
        };
        Ok(Self { bar, step })
    }

    fn show(&mut self, progress: Progress) {
        match progress {
            Progress::Read(bytes) => self.bar.inc(bytes),
            Progress::Step(step, done, all) => {
                if step != self.step && !self.bar.is_hidden() {
                    self.step = step;
                    self.bar.finish_and_clear();
                    let template = "{msg} {wide_bar} {human_pos}/{human_len}, {eta} left";
                    // The template is a constant that a person has seen.
                    if let Ok(style) = ProgressStyle::with_template(template) {
                        self.bar = ProgressBar::new(all).with_style(style).with_message(step);
                    }
                }
                self.bar.set_position(done);
            }
        }
    }
}
