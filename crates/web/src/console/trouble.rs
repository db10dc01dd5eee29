//! What a page answers instead of itself: it is not there, not theirs, or cannot be had now.

use super::ui::Ui;
use app::console::NotAudited;
use app::{ManageError, StoreError};
use askama::Template;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};

/// Why there is no page. Each is told in plain words, and with what to do.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// There is nothing at this address, or it is another account's.
    NotFound,
    /// It belongs to another kind of person.
    NotYours,
    /// The account is restricted or over: it may look, and nothing else.
    Restricted,
    /// The form was another site's.
    OtherSite,
    /// What was asked for makes no sense, in words for the person.
    Invalid(String),
    /// The store failed, or is overloaded: it may work in a moment.
    Unavailable,
    /// A mistake of ours.
    Ours,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "a page of the console could not be had");
        Self::Unavailable
    }
}

impl From<ManageError> for Trouble {
    fn from(error: ManageError) -> Self {
        match error {
            ManageError::Store(error) => error.into(),
            ManageError::Unknown(_) => Self::NotFound,
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl From<NotAudited> for Trouble {
    fn from(NotAudited(error): NotAudited) -> Self {
        error.into()
    }
}

impl From<askama::Error> for Trouble {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "a page of the console could not be written");
        Self::Ours
    }
}

impl Trouble {
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::NotYours | Self::Restricted | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ours => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn title(&self, ui: &Ui) -> &'static str {
        let [fa, en] = match self {
            Self::NotFound => ["این صفحه پیدا نشد", "There is nothing here"],
            Self::NotYours => ["این بخش برای شما باز نیست", "This is not open to you"],
            Self::Restricted => ["حساب محدود است", "The account is restricted"],
            Self::OtherSite => ["درخواست پذیرفته نشد", "The request was not taken"],
            Self::Invalid(_) => ["این درخواست انجام‌شدنی نیست", "This cannot be done"],
            Self::Unavailable => ["اکنون در دسترس نیست", "Not available at the moment"],
            Self::Ours => ["خطایی در سامانه رخ داد", "Something went wrong"],
        };
        ui.lang.pick(fa, en)
    }

    fn advice(&self, ui: &Ui) -> String {
        let [fa, en] = match self {
            Self::NotFound => [
                "نشانی نادرست است، یا آنچه می‌خواهید دیگر وجود ندارد.",
                "The address is wrong, or what you look for does not exist any more.",
            ],
            Self::NotYours => [
                "نقش شما اجازهٔ دیدن این بخش را ندارد. اگر لازم است، از صاحب حساب بخواهید.",
                "Your role does not include this part. Ask the owner of the account if you need it.",
            ],
            Self::Restricted => [
                "حساب محدود شده یا زمان آن به پایان رسیده است؛ فقط گزارش‌ها را می‌توان دید.",
                "The account was restricted or has ended; only its reports can be seen.",
            ],
            Self::OtherSite => [
                "این فرم از سایت دیگری فرستاده شد. صفحه را از خود پنل باز کنید و دوباره بکوشید.",
                "The form came from another site. Open the page in the console itself and try again.",
            ],
            Self::Invalid(why) => return why.clone(),
            Self::Unavailable => [
                "چیزی ثبت نشد. چند لحظهٔ دیگر دوباره بکوشید.",
                "Nothing was written. Try again in a moment.",
            ],
            Self::Ours => [
                "اگر تکرار شد، زمان رخداد را به پشتیبانی بگویید.",
                "If it happens again, tell support when it did.",
            ],
        };
        ui.lang.pick(fa, en).to_owned()
    }
}

impl IntoResponse for Trouble {
    /// A response without a page: [`shown`] writes it, which knows who looks at it.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[derive(Template)]
#[template(path = "console/trouble.html")]
struct Page<'a> {
    ui: &'a Ui,
    title: &'a str,
    advice: &'a str,
    status: u16,
}

/// Writes the page of whatever trouble a handler answered.
pub(super) async fn shown(request: Request, next: Next) -> Response {
    let ui = request.extensions().get::<Ui>().cloned();
    let mut response = next.run(request).await;
    if let Some(ui) = ui {
        response.extensions_mut().insert(ui);
    }
    write(response)
}

/// Writes the page where the response has a trouble, and who looks at it.
pub(super) fn write(response: Response) -> Response {
    let extensions = response.extensions();
    let (Some(trouble), Some(ui)) = (extensions.get::<Trouble>(), extensions.get::<Ui>()) else {
        return response;
    };
    let page = Page {
        ui,
        title: trouble.title(ui),
        advice: &trouble.advice(ui),
        status: trouble.status().as_u16(),
    };
    match page.render() {
        Ok(html) => (trouble.status(), Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page of the console could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Where no page is.
pub(super) async fn nothing_here() -> Trouble {
    Trouble::NotFound
}

/// A page that was written.
pub(super) fn html(page: &impl Template) -> Result<Response, Trouble> {
    Ok(Html(page.render()?).into_response())
}
