//! Replies that are written while the browser takes them: a task makes the pieces, a few ahead, and
//! ends when nobody takes them any more.

use super::trouble::Trouble;
use app::sheet::SheetError;
use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::{Semaphore, mpsc};

/// Pieces that are made ahead.
const PIECES_AHEAD: usize = 2;
/// Octets of a finished file that are read at a time.
const READ_BYTES: usize = 64 * 1024;
/// Files that one process writes at the same time; whoever comes then is asked to try again.
const EXPORTS_MAX: usize = 8;
/// Held by whoever writes a file.
pub(super) static EXPORTS: Semaphore = Semaphore::const_new(EXPORTS_MAX);
/// What exported files are.
pub(super) const CSV_TYPE: &str = "text/csv; charset=utf-8";
pub(super) const XLSX_TYPE: &str =
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// What comes out of a channel, as a stream. It ends when its sender is dropped.
pub(super) struct Received<T>(pub(super) mpsc::Receiver<T>);

impl<T> Stream for Received<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        self.0.poll_recv(context)
    }
}

/// One piece of a reply; an error cuts the reply off, which no program takes for its end.
pub(super) type Piece = Result<Bytes, io::Error>;

/// A body, and where its pieces go.
pub(super) fn body() -> (mpsc::Sender<Piece>, Body) {
    let (sender, receiver) = mpsc::channel(PIECES_AHEAD);
    (sender, Body::from_stream(Received(receiver)))
}

/// A reply that the browser keeps as a file. Of its name only plain letters, digits and `.-_` stay.
pub(super) fn attachment(name: &str, content_type: &'static str, body: Body) -> Response {
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    let name: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, body).into_response()
}

/// Sends a finished file, which is at its beginning. Blocks.
pub(super) fn send_file(mut file: File, pieces: &mpsc::Sender<Piece>) {
    loop {
        let mut piece = vec![0; READ_BYTES];
        let read = file.read(&mut piece);
        let ended = !matches!(read, Ok(1..));
        let piece = match read {
            Ok(0) => return,
            Ok(length) => {
                piece.truncate(length);
                Ok(piece.into())
            }
            Err(error) => Err(error),
        };
        if pieces.blocking_send(piece).is_err() || ended {
            return;
        }
    }
}

/// What is answered where an export could not be written.
pub(super) fn unwritable(error: SheetError) -> Trouble {
    tracing::error!(%error, "an export could not be written");
    Trouble::Ours
}

/// Runs what writes files where waiting for a disk holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SheetError> + Send + 'static,
) -> Result<T, Trouble> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Trouble::Ours)?.map_err(unwritable)
}
