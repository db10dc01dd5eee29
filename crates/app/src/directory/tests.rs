use super::*;
use crate::Limits;
use crate::fake_store::{FakeStore, account, line};
use crate::send_numbers::NumbersRequest;
use ::directory::build::{Input, Plan, build};
use domain::ids::LineId;
use domain::line::LineClass;
use domain::money::Rials;
use domain::operator::Operators;
use domain::tariff::TariffRow;
use domain::text::Alphabet;
use domain::time::ManualClock;
use tempfile::TempDir;

const JOBS: &str = "1\tx\n1\t11\ta\n1\t12\tb\n2\ty\n2\t21\tc\n";
const PEOPLE: &str = "number,operator,gender,postal_code,trends\n\
    09121111111,,1,1113344556,11;12\n\
    09351111111,,2,1113344557,12;21\n\
    09351111112,tci,2,1913344557,21\n";

struct Scene {
    app: App,
    store: Arc<FakeStore>,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

impl Scene {
    fn without_directory() -> Self {
        let store = Arc::new(FakeStore::default());
        store.with(|state| state.credit = 1_000);
        store.change_catalog(|catalog| {
            catalog.lines = vec![line(1, "20001000"), line(2, "3000505")];
            catalog.lines[0].settings.class = LineClass::Advertising;
            catalog.grants = [1, 2].map(|id| (account("shop").id, LineId(id))).to_vec();
            catalog.tariffs = vec![TariffRow {
                line: None,
                operator: None,
                alphabet: Alphabet::Ucs2,
                price: Rials(10),
            }];
        });
        let clock = Arc::new(ManualClock::at(UnixMillis(1_795_329_672_000)));
        let operators = Arc::new(Operators::embedded());
        let app = App::new(
            store.clone(),
            clock.clone(),
            operators,
            Limits::default(),
            [7; 32],
        );
        let folder = tempfile::tempdir().unwrap();
        let areas = Areas::parse("11\tx\n").unwrap();
        let jobs = Jobs::parse(JOBS).unwrap();
        let path = folder.path().join("people.directory");
        app.attach_directory(DirectorySource::new(&path, areas, jobs));
        Self {
            app,
            store,
            clock,
            folder,
        }
    }

    fn new() -> Self {
        let scene = Self::without_directory();
        scene.build(PEOPLE);
        scene
    }

    fn build(&self, people: &str) {
        let plan = Plan {
            operators: &Operators::embedded(),
            jobs: &Jobs::parse(JOBS).unwrap(),
            out: &self.folder.path().join("people.directory"),
            temporary: None,
            strict: true,
        };
        let from = Box::new(std::io::Cursor::new(people.to_owned().into_bytes()));
        let name = "people.csv".into();
        build(plan, vec![Input { name, from }], &mut |_| {}).unwrap();
    }

    async fn count(&self, query: DirectoryQuery<'_>) -> Result<u64, u16> {
        self.app.directory_count(query).await.map_err(code)
    }

    async fn send(&self, from: &str, query: DirectoryQuery<'_>) -> Result<u32, u16> {
        let request = NumbersRequest {
            from,
            text: "سلام",
            time: None,
            idempotency_key: None,
            masked: false,
        };
        let shop = account("shop");
        let sent = self.app.send_to_directory(&shop, request, query).await;
        sent.map(|bulk| bulk.0).map_err(code)
    }
}

fn code(error: SendError) -> u16 {
    match error {
        SendError::Refused(refusal) => refusal.code(),
        SendError::Unavailable(_) => 503,
    }
}

fn postal<'a>(operator: &'a str, gender: &'a str, prefix: &'a str) -> DirectoryQuery<'a> {
    DirectoryQuery::Postal {
        operator,
        gender,
        prefix,
    }
}

fn strings(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn people_are_counted_by_place_operator_and_gender() {
    let scene = Scene::new();
    for (query, count) in [
        (postal("", "", "11"), 2),
        (postal("", "0", "۱۱"), 2),
        (postal("TCI", "0", "11"), 1),
        (postal("mtn", "2", "1113344557"), 1),
        (postal("mtn", "1", "11"), 0),
        (postal("tci", "2", "19"), 1),
    ] {
        assert_eq!(scene.count(query).await, Ok(count), "{query:?}");
    }
}

#[tokio::test]
async fn whoever_has_several_of_the_trends_is_counted_once() {
    let scene = Scene::new();
    for (trends, job, count) in [
        (&["11", "12"][..], "", 2),
        (&["11", "12", "12"], "1", 2),
        (&["12", "21"], "", 3),
        (&["۲۱"], "2", 2),
    ] {
        let trends = &strings(trends);
        let query = DirectoryQuery::Trends { trends, job };
        assert_eq!(scene.count(query).await, Ok(count), "{query:?}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_not_read_as_something_else() {
    let scene = Scene::new();
    for query in [
        postal("nobody", "", "11"),
        postal("", "3", "11"),
        postal("", "men", "11"),
        postal("", "", "1"),
        postal("", "", ""),
        postal("", "", "12345678901"),
        postal("", "", "<script>"),
        postal("", "", "1\u{0}1"),
    ] {
        assert_eq!(scene.count(query).await, Err(422), "{query:?}");
        assert_eq!(scene.send("20001000", query).await, Err(422), "{query:?}");
    }
    let many: Vec<String> = (0..1_001).map(|_| "11".to_owned()).collect();
    for (trends, job) in [
        (vec![], ""),
        (strings(&["13"]), ""),
        (strings(&["11", ""]), ""),
        (strings(&["=1"]), ""),
        (strings(&["11", "21"]), "1"),
        (strings(&["11"]), "x"),
        (strings(&["99999999999999999999999"]), ""),
        (many, ""),
    ] {
        let query = DirectoryQuery::Trends {
            trends: &trends,
            job,
        };
        assert_eq!(scene.count(query).await, Err(422), "{query:?}");
    }
}

#[tokio::test]
async fn a_send_goes_to_everybody_who_was_counted_and_is_marked_as_masked() {
    let scene = Scene::new();
    assert_eq!(
        scene.send("20001000", postal("", "", "11")).await,
        Ok(10_001)
    );
    scene.store.with(|state| {
        let bulk = &state.bulks[0];
        assert!(bulk.masked);
        let mut to: Vec<_> = bulk
            .recipients
            .iter()
            .map(|one| one.address.clone())
            .collect();
        to.sort_by_key(|address| format!("{address:?}"));
        let mobile =
            |text| domain::recipient::Address::Mobile(domain::msisdn::Msisdn::parse(text).unwrap());
        assert_eq!(to, [mobile("09121111111"), mobile("09351111111")]);
        assert_eq!(state.credit, 980);
    });
}

#[tokio::test]
async fn only_lines_for_advertising_may_send_and_nobody_is_no_recipient() {
    let scene = Scene::new();
    assert_eq!(scene.send("3000505", postal("", "", "11")).await, Err(7));
    assert_eq!(scene.send("99", postal("", "", "11")).await, Err(3));
    assert_eq!(scene.send("20001000", postal("", "", "55")).await, Err(4));
    scene.store.with(|state| assert!(state.bulks.is_empty()));
}

#[tokio::test]
async fn without_a_directory_nobody_is_counted_and_nothing_is_listed_or_sent() {
    let scene = Scene::without_directory();
    assert_eq!(scene.count(postal("", "", "11")).await, Ok(0));
    assert_eq!(scene.send("20001000", postal("", "", "11")).await, Err(4));
    assert_eq!(scene.app.directory_areas().await.unwrap().len(), 0);
    assert_eq!(scene.app.directory_jobs().await.unwrap().len(), 0);
    assert_eq!(scene.app.directory_trends("").await.unwrap().len(), 0);
    scene.build(PEOPLE);
    scene.clock.set(UnixMillis(1_795_329_672_000 + 1_000));
    assert_eq!(scene.app.directory_areas().await.unwrap().len(), 1);
    assert_eq!(scene.app.directory_trends("1").await.unwrap().len(), 2);
    assert_eq!(scene.app.directory_trends("").await.unwrap().len(), 3);
    assert_eq!(
        scene
            .app
            .directory_trends("x")
            .await
            .map(|_| ())
            .map_err(code),
        Err(422)
    );
}

#[tokio::test]
async fn a_damaged_directory_is_an_outage_and_not_a_count_of_nobody() {
    let scene = Scene::without_directory();
    std::fs::write(scene.folder.path().join("people.directory"), "garbage").unwrap();
    assert_eq!(scene.count(postal("", "", "11")).await, Err(503));
    assert_eq!(scene.send("20001000", postal("", "", "11")).await, Err(503));
}

#[tokio::test]
async fn more_people_than_a_list_may_have_are_too_many() {
    let scene = Scene::new();
    let limits = Limits {
        numbers_max: 1,
        ..Limits::default()
    };
    let operators = Arc::new(Operators::embedded());
    let app = App::new(
        scene.store.clone(),
        scene.clock.clone(),
        operators,
        limits,
        [7; 32],
    );
    let path = scene.folder.path().join("people.directory");
    let jobs = Jobs::parse(JOBS).unwrap();
    app.attach_directory(DirectorySource::new(&path, Areas::embedded(), jobs));
    let scene = Scene { app, ..scene };
    assert_eq!(scene.send("20001000", postal("", "", "11")).await, Err(98));
}

#[tokio::test]
async fn who_is_on_a_blacklist_is_left_out_and_not_reported() {
    let scene = Scene::new();
    let listed = [domain::msisdn::Msisdn::parse("09121111111").unwrap()];
    let list = domain::blacklist::BlackList::Regulator;
    let added = scene.app.change_blacklist(list, &listed, true).await;
    added.unwrap();
    let sent = scene.send("20001000", postal("", "", "11")).await;
    assert_eq!(sent, Ok(10_001));
    scene.store.with(|state| {
        let to: Vec<_> = state.bulks[0].recipients.iter().collect();
        assert_eq!(to.len(), 1, "{to:?}");
        assert_eq!(state.credit, 990);
    });
    let nobody = scene.send("20001000", postal("tci", "0", "11")).await;
    assert_eq!(nobody, Err(4), "everybody is on the list");
}
