use super::*;
use std::sync::mpsc::channel;

fn writer(folder: &tempfile::TempDir) -> Arc<Writer> {
    let conn = crate::connect::open_writer(&folder.path().join("peyk.db"), 1_024).unwrap();
    Arc::new(Writer::start(conn, 100).unwrap())
}

/// A command that writes a row and then ends as it is told.
fn note(
    key: &'static str,
    end: Result<(), DbError>,
) -> impl FnMut(&mut Group<'_>) -> Result<(), DbError> {
    let mut end = Some(end);
    move |group| {
        group
            .conn
            .execute("INSERT INTO meta (key, value) VALUES (?1, 1)", [key])?;
        match end.take() {
            Some(Err(error)) => {
                end = Some(Err(DbError::Row(error.to_string())));
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_fails_after_it_wrote_fails_alone() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(&folder);
    let (go, wait) = channel::<()>();
    let (started, has_started) = channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let gate = tokio::spawn({
        let writer = Arc::clone(&writer);
        async move {
            let body = move |_: &mut Group<'_>| {
                let _ = started.send(());
                let _ = wait.lock().map(|wait| wait.recv());
                Ok(())
            };
            writer.run("gate", body).await
        }
    });
    tokio::task::spawn_blocking(move || has_started.recv())
        .await
        .unwrap()
        .unwrap();
    // The writer stands at the gate, so the next three meet in one group.
    let mut others = Vec::new();
    for (key, end) in [
        ("a", Ok(())),
        ("b", Err(DbError::Row("no".into()))),
        ("c", Ok(())),
    ] {
        let writer = Arc::clone(&writer);
        others.push(tokio::spawn(async move {
            writer.run("note", note(key, end)).await
        }));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    go.send(()).unwrap();
    gate.await.unwrap().unwrap();
    let mut answers = Vec::new();
    for other in others {
        answers.push(other.await.unwrap().is_ok());
    }
    assert_eq!(answers, [true, false, true]);
    let conn = crate::open_read_only(&folder.path().join("peyk.db")).unwrap();
    let mut keys = conn
        .prepare("SELECT key FROM meta WHERE length(key) = 1 ORDER BY key")
        .unwrap();
    let keys: Vec<String> = keys
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(keys, ["a", "c"]);
    assert!(writer.failure().borrow().is_none());
}

#[tokio::test]
async fn a_panic_in_the_writer_stops_the_store() {
    let folder = tempfile::tempdir().unwrap();
    let writer = writer(&folder);
    let answer = writer
        .run("panic", |_| -> Result<(), DbError> { panic!("a bug") })
        .await;
    assert!(matches!(answer, Err(StoreError::Stopped(_))), "{answer:?}");
    let mut failure = writer.failure();
    failure.wait_for(Option::is_some).await.unwrap();
    let later = writer.run("note", note("d", Ok(()))).await;
    assert!(matches!(later, Err(StoreError::Stopped(_))), "{later:?}");
}

#[tokio::test]
async fn a_writer_that_finds_the_file_locked_says_so_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peyk.db");
    let conn = crate::connect::open_writer(&path, 1_024).unwrap();
    conn.busy_timeout(Duration::from_millis(50)).unwrap();
    let writer = Writer::start(conn, 100).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let busy = writer.run("note", note("e", Ok(()))).await;
    assert!(matches!(busy, Err(StoreError::Other(_))), "{busy:?}");
    other.execute_batch("ROLLBACK").unwrap();
    writer.run("note", note("e", Ok(()))).await.unwrap();
}
