//! Statements that are sent one behind the other without waiting for answers between them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// A statement under way. It must send itself when it is first polled: a prepared one does.
pub(crate) type Sent<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Awaits all of them; they are first polled, and so sent, in their order. Where one cannot be
/// sent, those behind it are not sent either: a COMMIT must not follow half of its statements.
pub(crate) async fn in_order<T, E>(
    mut statements: Vec<Sent<'_, Result<T, E>>>,
) -> Vec<Result<T, E>> {
    let mut answers: Vec<Option<Result<T, E>>> = statements.iter().map(|_| None).collect();
    let mut all_sent = false;
    poll_fn(|context| {
        let mut waiting = false;
        for (statement, answer) in statements.iter_mut().zip(&mut answers) {
            if answer.is_some() {
                continue;
            }
            match statement.as_mut().poll(context) {
                Poll::Ready(ready) => {
                    let failed = ready.is_err();
                    *answer = Some(ready);
                    if failed && !all_sent {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending => waiting = true,
            }
        }
        all_sent = true;
        if waiting {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
    answers.into_iter().flatten().collect()
}
