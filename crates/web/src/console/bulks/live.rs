//! A bulk while somebody looks at it: where it stands is written anew when it changed.
//!
//! Each open page has a stream of server-sent events that looks once a second. There are at most
//! [`STREAMS_MAX`]; pages beyond ask again by themselves, more seldom.

use super::super::door::{Door, Visitor};
use super::super::stream::Received;
use super::super::trouble::{Trouble, html};
use super::super::ui::Ui;
use super::one::StateView;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::ids::BulkNo;
use domain::time::UnixMillis;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc, watch};

/// Streams that one process keeps open.
const STREAMS_MAX: usize = 200;
static STREAMS: Semaphore = Semaphore::const_new(STREAMS_MAX);
/// Between two looks at a bulk.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks after which it is asked whether the person is still signed in.
const LOOKS_PER_SESSION_CHECK: u32 = 30;
/// How long one stream lasts; the browser opens the next by itself.
const STREAM_MILLIS_MAX: i64 = 30 * 60 * 1_000;
/// Between two signs of life of a stream on which nothing changes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How htmx is told to ask no more.
const NO_MORE: u16 = 286;

/// How a page follows its bulk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Nothing changes any more.
    Not,
    /// By a stream.
    Stream,
    /// By asking every few seconds.
    Asking,
}

/// How the page of this bulk follows it.
pub(super) fn how(state: &StateView) -> How {
    if state.is_finished() {
        How::Not
    } else if STREAMS.available_permits() > 0 {
        How::Stream
    } else {
        How::Asking
    }
}

#[derive(Template)]
#[template(path = "console/bulks/state.html")]
struct Fragment<'a> {
    ui: &'a Ui,
    state: &'a StateView,
}

/// Where a bulk stands, once.
pub(super) async fn state(visitor: Visitor, Path(no): Path<String>) -> Result<Response, Trouble> {
    let account = visitor.account()?;
    let (app, ui) = (&visitor.app, &visitor.ui);
    let item = super::found(app, account, &no).await?;
    let state = StateView::of(ui, app, account, item).await?;
    let page = html(&Fragment { ui, state: &state })?;
    let status = match state.is_finished() {
        true => StatusCode::from_u16(NO_MORE).unwrap_or(StatusCode::OK),
        false => StatusCode::OK,
    };
    Ok((status, page).into_response())
}

/// Where a bulk stands, whenever that changes.
pub(super) async fn stream(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    Path(no): Path<String>,
) -> Result<Response, Trouble> {
    let account = visitor.account()?;
    let bulk = super::found(&visitor.app, account, &no).await?.report.no;
    let Ok(permit) = STREAMS.try_acquire() else {
        return Err(Trouble::Unavailable);
    };
    // One event ahead: whoever reads slowly gets the newest and not all.
    let (events, received) = mpsc::channel(1);
    let watch = Watch {
        began_at: visitor.ui.now,
        visitor,
        bulk,
        events,
        _permit: permit,
    };
    tokio::spawn(watch.run(door.shutdown.clone()));
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let events = Sse::new(Received(received)).keep_alive(keep_alive);
    // Proxies that gather replies before they pass them on are told not to.
    Ok(([("x-accel-buffering", "no")], events).into_response())
}

/// One open stream.
struct Watch {
    visitor: Visitor,
    bulk: BulkNo,
    began_at: UnixMillis,
    events: mpsc::Sender<Result<Event, Infallible>>,
    _permit: SemaphorePermit<'static>,
}

impl Watch {
    /// Looks until the bulk is finished, the page is closed, the person is signed out, the program
    /// stops, or the time is over.
    async fn run(self, mut shutdown: watch::Receiver<bool>) {
        let stops = async {
            // Nobody who could say that it stops: then it never does.
            if shutdown.wait_for(|stops| *stops).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stops => {}
            () = self.events.closed() => {}
            () = self.look() => {}
        }
    }

    async fn look(&self) {
        let mut shown = String::new();
        let mut looks: u32 = 0;
        loop {
            // A store that fails for a moment is asked again with the next look.
            if let Ok((text, finished)) = self.text().await {
                if text != shown {
                    shown.clone_from(&text);
                    self.send("state", &text).await;
                }
                if finished {
                    return self.send("end", "finished").await;
                }
            }
            looks += 1;
            let age = self.visitor.app.clock().now().millis_since(self.began_at);
            if age > STREAM_MILLIS_MAX {
                return;
            }
            if looks.is_multiple_of(LOOKS_PER_SESSION_CHECK) && !self.is_signed_in().await {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn text(&self) -> Result<(String, bool), Trouble> {
        let app = &self.visitor.app;
        let account = self.visitor.account()?;
        let ui = Ui {
            now: app.clock().now(),
            ..self.visitor.ui.clone()
        };
        let item = app.bulk(account, self.bulk).await?;
        let item = item.ok_or(Trouble::NotFound)?;
        let state = StateView::of(&ui, app, account, item).await?;
        let text = Fragment {
            ui: &ui,
            state: &state,
        };
        Ok((text.render()?, state.is_finished()))
    }

    /// Nobody takes events any more where this fails: `run` sees that.
    async fn send(&self, name: &str, text: &str) {
        let event = Event::default().event(name).data(text.replace('\r', ""));
        drop(self.events.send(Ok(event)).await);
    }

    async fn is_signed_in(&self) -> bool {
        let session = &self.visitor.person.session;
        let app = &self.visitor.app;
        match app.sessions(session.account, session.user).await {
            Ok(sessions) => sessions.iter().any(|one| one.id == session.id),
            // A store that cannot answer is no reason to end what others watch.
            Err(_) => true,
        }
    }
}
