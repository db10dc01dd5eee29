//! What the operations on the demographic directory have in common: the parameters by which
//! people are chosen, and those of a send to them.

use app::{DirectoryQuery, NumbersRequest};
use domain::refusal::Refusal;

use super::params::{Params, Value};
use super::registry::Call;
use super::reply::{Failure, Reply};
use super::send::{FROM, MESSAGE, idempotency_key};

const OPERATOR: [&str; 2] = ["type", "operator"];
const POSTAL_CODE: [&str; 2] = ["postalcode", "postal_code"];
const TRENDS: [&str; 3] = ["trendid", "trend_id", "trendsid"];
const JOB: [&str; 4] = ["jobsid", "jobs_id", "jobid", "job_id"];

/// The first of the names that has something in it, or nothing.
fn text(params: &Params, names: &[&str]) -> String {
    params.first_of(names).unwrap_or_default().into_owned()
}

/// The id of a job, or nothing.
pub(super) fn job(params: &Params) -> String {
    text(params, &JOB)
}

/// People by postal code.
pub(super) struct Postal {
    operator: String,
    gender: String,
    prefix: String,
}

impl Postal {
    pub(super) fn read(params: &Params) -> Self {
        Self {
            operator: text(params, &OPERATOR),
            gender: text(params, &["gender"]),
            prefix: text(params, &POSTAL_CODE),
        }
    }

    pub(super) fn query(&self) -> DirectoryQuery<'_> {
        DirectoryQuery::Postal {
            operator: &self.operator,
            gender: &self.gender,
            prefix: &self.prefix,
        }
    }
}

/// People by trends.
pub(super) struct Trends {
    trends: Vec<String>,
    job: String,
}

impl Trends {
    pub(super) fn read(params: &Params) -> Self {
        let given = TRENDS.iter().find(|name| params.contains(name));
        let list = given.and_then(|name| params.list(name));
        Self {
            trends: list.unwrap_or_default().items,
            job: job(params),
        }
    }

    pub(super) fn query(&self) -> DirectoryQuery<'_> {
        DirectoryQuery::Trends {
            trends: &self.trends,
            job: &self.job,
        }
    }
}

/// `[0,"<count>"]`
pub(super) async fn count(call: Call<'_>, query: DirectoryQuery<'_>) -> Result<Reply, Failure> {
    let count = call.app.directory_count(query).await?;
    Ok(Reply::text(&count.to_string()))
}

/// `[0,<bulk id>]`
pub(super) async fn send(call: Call<'_>, query: DirectoryQuery<'_>) -> Result<Reply, Failure> {
    let params = call.params;
    if MESSAGE.iter().any(|name| is_real_array(params, name)) {
        // A text for each recipient has no meaning here, and JSON is nobody's message.
        return Err(Refusal::InputInvalid.into());
    }
    let key = idempotency_key(params, call.headers)?;
    let time = params.text("time").filter(|time| !time.trim().is_empty());
    let request = NumbersRequest {
        from: &text(params, &FROM),
        text: &text(params, &MESSAGE),
        time: time.as_deref(),
        idempotency_key: key.as_deref(),
        masked: true,
    };
    let bulk = call.app.send_to_directory(call.account, request, query);
    Ok(Reply::number(bulk.await?.0.into()))
}

fn is_real_array(params: &Params, name: &str) -> bool {
    matches!(
        params.get(name),
        Some(Value::Json(value)) if value.is_array() || value.is_object()
    )
}
