//! When which change of the schema is carried out, and which programs may work meanwhile: *expand,
//! then contract*. Pure decisions that every adapter shares; how a migration is run, and where its
//! number is kept, is the adapter's.
//!
//! Processes of two releases may work on one database while it is brought from the one to the
//! other. So a release only adds at first ([`Kind::Expand`]), and both go on. What the older one
//! needed is taken away later ([`Kind::Contract`]), when somebody asks for it and nobody is left
//! who needs it. The release that brings a contraction therefore works before and after it.
//!
//! A database keeps two numbers: how many migrations were applied, and the *oldest* program that
//! may still work with it. A program's number is how many migrations it knows.

use thiserror::Error;

/// What a migration means for programs that do not know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Part of what the first release begins with: there are no older programs.
    First,
    /// They go on working. Carried out when a program that knows it opens the database.
    Expand,
    /// They would fail. Carried out when it is asked for, see [`contract`]; and at once in an empty
    /// database.
    Contract,
}

impl Kind {
    /// The kind in a word, for people and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Expand => "expand",
            Self::Contract => "contract",
        }
    }
}

/// One change of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name for people, such as `0007_tickets`.
    pub name: &'static str,
    /// What it means for programs that do not know it.
    pub kind: Kind,
    /// The statements, in the adapter's own SQL.
    pub sql: &'static str,
}

/// What a database says of itself. The default is an empty one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// How many migrations were applied.
    pub applied: u32,
    /// The lowest number of a program that may still work with it.
    pub oldest: u32,
}

impl State {
    /// Whether a program that knows `known` migrations may work with it.
    ///
    /// # Errors
    /// [`Refused::Newer`].
    pub fn admit(self, known: u32) -> Result<(), Refused> {
        // A database with fewer migrations than its oldest program knows does not exist.
        if self.applied > known && known < self.oldest {
            return Err(Refused::Newer {
                found: self.applied,
                oldest: self.oldest,
                known,
            });
        }
        Ok(())
    }
}

/// A migration with its place.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Its number; the first is 1.
    pub number: u32,
    /// What is to be done.
    pub migration: &'a Migration,
    /// What the database says of itself afterwards.
    pub after: State,
}

/// What a program finds in a database, and what it does about it.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// What the database says of itself.
    pub state: State,
    /// How many migrations the program knows.
    pub known: u32,
    /// What is carried out now, in this order.
    pub run: Vec<Step<'a>>,
    /// What waits for somebody to ask for it. The program works without.
    pub waiting: Vec<Step<'a>>,
}

impl Plan<'_> {
    /// What the database says of itself once [`Plan::run`] is done.
    #[must_use]
    pub fn after(&self) -> State {
        self.run.last().map_or(self.state, |step| step.after)
    }
}

/// A process that works with the database, as far as a contraction asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Living {
    /// Which one, for people.
    pub name: String,
    /// How many migrations it knows; `None` where nobody can tell, which counts as too few.
    pub schema: Option<u32>,
}

impl Living {
    /// A process by what it says of itself: its name, and a version made by [`version`].
    #[must_use]
    pub fn of(name: &str, version: &str) -> Self {
        let schema = version.rsplit_once(VERSION_MARK);
        Self {
            name: format!("the process {name} ({version})"),
            schema: schema.and_then(|(_, number)| number.parse().ok()),
        }
    }
}

/// What stands between a program's version and the number of its schema, which is build metadata
/// in the words of semantic versions.
const VERSION_MARK: &str = "+schema.";

/// The version that a process says of itself in the table of processes: it tells others which
/// schema it knows.
#[must_use]
pub fn version(program: &str, migrations: &[Migration]) -> String {
    format!("{program}{VERSION_MARK}{}", migrations.len())
}

/// Milliseconds after its end for which a process still counts as living when something is to be
/// taken away: clocks differ, and one that was paused for a moment goes on.
pub const GONE_AFTER_MILLIS: i64 = 60_000;

/// Why a program may not work with a database, or may not change it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// A newer program took away what this one needs. The binary shows it and ends.
    #[error(
        "the database has schema {found}, for programs that know schema {oldest} or later; this \
         one knows {known}: use a newer peyk"
    )]
    Newer {
        /// Migrations that were applied.
        found: u32,
        /// The oldest program that may work with it.
        oldest: u32,
        /// Migrations that this program knows.
        known: u32,
    },
    /// An expansion stands behind a contraction that nobody has asked for yet. The binary shows it
    /// and ends.
    #[error(
        "the database has schema {found}, and this program needs what comes after migration \
         {number}, which takes something away from older programs: when none of them runs any \
         more, carry it out with `peyk migrate --contract`"
    )]
    ContractFirst {
        /// Migrations that were applied.
        found: u32,
        /// The contraction in the way.
        number: u32,
    },
    /// A process that does not know the schema still works with the database. `peyk migrate` shows
    /// it and ends.
    #[error(
        "{process} works with this database and {}; migration {number} would take away what it \
         needs: stop it or start it anew with a newer peyk first",
        knows(*.schema)
    )]
    Living {
        /// Which one.
        process: String,
        /// How many migrations it knows, where that is known.
        schema: Option<u32>,
        /// The contraction that it does not know.
        number: u32,
    },
}

fn knows(schema: Option<u32>) -> String {
    schema.map_or_else(
        || "does not tell which schema it knows".into(),
        |schema| format!("knows schema {schema}"),
    )
}

/// What a program that knows `migrations` does with a database when it opens it: it expands, and
/// leaves contractions to [`contract`]. An empty database is brought to the end at once, since
/// nobody works with it yet.
///
/// Ask again under the lock that the migrations run under: another process may have been faster.
///
/// # Errors
/// The program may not work with the database: [`Refused::Newer`], [`Refused::ContractFirst`].
pub fn plan(state: State, migrations: &[Migration]) -> Result<Plan<'_>, Refused> {
    state.admit(number(migrations.len()))?;
    let mut run = pending(state, migrations);
    let contraction = run
        .iter()
        .position(|step| step.migration.kind == Kind::Contract && state.applied > 0);
    let waiting = contraction.map_or(Vec::new(), |at| run.split_off(at));
    if let Some(first) = waiting.first()
        && waiting
            .iter()
            .any(|step| step.migration.kind != Kind::Contract)
    {
        return Err(Refused::ContractFirst {
            found: state.applied,
            number: first.number,
        });
    }
    Ok(Plan {
        state,
        known: number(migrations.len()),
        run,
        waiting,
    })
}

/// What a program does when it is asked to contract: everything that is pending. `living` are the
/// other processes that work with the database.
///
/// # Errors
/// The program may not work with the database ([`Refused::Newer`]), or a living process does not
/// know a contraction ([`Refused::Living`]).
pub fn contract<'a>(
    state: State,
    migrations: &'a [Migration],
    living: &[Living],
) -> Result<Plan<'a>, Refused> {
    state.admit(number(migrations.len()))?;
    let run = pending(state, migrations);
    let last = run
        .iter()
        .rfind(|step| step.migration.kind == Kind::Contract);
    if let Some(last) = last
        && let Some(process) = living
            .iter()
            .find(|process| process.schema.is_none_or(|schema| schema < last.number))
    {
        return Err(Refused::Living {
            process: process.name.clone(),
            schema: process.schema,
            number: last.number,
        });
    }
    Ok(Plan {
        state,
        known: number(migrations.len()),
        run,
        waiting: Vec::new(),
    })
}

/// Whether a list of migrations can be what it says: what the first release begins with stands at
/// its head, and names are in order. For a test of each adapter.
///
/// # Errors
/// The name of the first migration that stands wrong.
pub fn check_list(migrations: &[Migration]) -> Result<(), &'static str> {
    for pair in migrations.windows(2) {
        let first_again = pair[1].kind == Kind::First && pair[0].kind != Kind::First;
        if first_again || pair[0].name >= pair[1].name {
            return Err(pair[1].name);
        }
    }
    Ok(())
}

/// Everything that a database lacks, in its order; whether and when it may be carried out is
/// another question.
#[must_use]
pub fn pending(state: State, migrations: &[Migration]) -> Vec<Step<'_>> {
    let mut before = state;
    (1..)
        .zip(migrations)
        .skip(state.applied as usize)
        .map(|(number, migration)| {
            let oldest = match migration.kind {
                Kind::First | Kind::Contract => number,
                Kind::Expand => before.oldest,
            };
            before = State {
                applied: number,
                oldest,
            };
            Step {
                number,
                migration,
                after: before,
            }
        })
        .collect()
}

/// Migrations are few.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list by the first letters of its kinds.
    fn list(kinds: &str) -> Vec<Migration> {
        let kind = |letter| match letter {
            'f' => Kind::First,
            'e' => Kind::Expand,
            _ => Kind::Contract,
        };
        kinds
            .chars()
            .map(|letter| Migration {
                name: "",
                kind: kind(letter),
                sql: "",
            })
            .collect()
    }

    fn state(applied: u32, oldest: u32) -> State {
        State { applied, oldest }
    }

    fn numbers(steps: &[Step<'_>]) -> Vec<u32> {
        steps.iter().map(|step| step.number).collect()
    }

    #[test]
    fn opening_expands_and_leaves_contractions_waiting() {
        // Migrations that the program knows, state found, run, waiting, state after.
        for (kinds, found, run, waiting, after) in [
            ("ff", state(0, 0), vec![1, 2], vec![], state(2, 2)),
            ("ff", state(1, 1), vec![2], vec![], state(2, 2)),
            ("ff", state(2, 2), vec![], vec![], state(2, 2)),
            ("ffe", state(2, 2), vec![3], vec![], state(3, 2)),
            ("ffee", state(2, 2), vec![3, 4], vec![], state(4, 2)),
            ("ffec", state(2, 2), vec![3], vec![4], state(3, 2)),
            ("ffec", state(3, 2), vec![], vec![4], state(3, 2)),
            ("ffec", state(4, 4), vec![], vec![], state(4, 4)),
            ("ffecc", state(3, 2), vec![], vec![4, 5], state(3, 2)),
            ("ffece", state(4, 4), vec![5], vec![], state(5, 4)),
            // Nobody works with an empty database yet.
            ("ffec", state(0, 0), vec![1, 2, 3, 4], vec![], state(4, 4)),
            (
                "ffece",
                state(0, 0),
                vec![1, 2, 3, 4, 5],
                vec![],
                state(5, 4),
            ),
        ] {
            let list = list(kinds);
            let plan = plan(found, &list).unwrap();
            assert_eq!(numbers(&plan.run), run, "{kinds} {found:?}");
            assert_eq!(numbers(&plan.waiting), waiting, "{kinds} {found:?}");
            assert_eq!(plan.after(), after, "{kinds} {found:?}");
        }
    }

    #[test]
    fn an_older_program_works_until_what_it_needs_is_taken_away() {
        for (kinds, found, refused) in [
            ("ff", state(3, 2), None),
            ("ff", state(9, 2), None),
            (
                "ff",
                state(4, 4),
                Some(Refused::Newer {
                    found: 4,
                    oldest: 4,
                    known: 2,
                }),
            ),
            (
                "ffe",
                state(6, 4),
                Some(Refused::Newer {
                    found: 6,
                    oldest: 4,
                    known: 3,
                }),
            ),
            ("ffec", state(6, 4), None),
        ] {
            let list = list(kinds);
            let answer = plan(found, &list);
            let nothing = answer
                .as_ref()
                .map_or(true, |plan| plan.run.is_empty() && plan.waiting.is_empty());
            assert!(nothing, "{kinds} {found:?}");
            assert_eq!(answer.err(), refused, "{kinds} {found:?}");
        }
    }

    #[test]
    fn an_expansion_behind_a_contraction_waits_for_it() {
        let list = list("ffece");
        let refused = plan(state(3, 2), &list).unwrap_err();
        let expected = Refused::ContractFirst {
            found: 3,
            number: 4,
        };
        assert_eq!(refused, expected);
        let plan = contract(state(3, 2), &list, &[]).unwrap();
        assert_eq!(numbers(&plan.run), [4, 5]);
        assert_eq!(plan.after(), state(5, 4));
    }

    #[test]
    fn nothing_is_taken_away_under_a_living_process_that_needs_it() {
        let living = |schema| Living {
            name: "one".into(),
            schema,
        };
        for (kinds, known, allowed) in [
            ("ffec", vec![], true),
            ("ffec", vec![Some(4)], true),
            ("ffec", vec![Some(4), Some(9)], true),
            ("ffec", vec![Some(4), Some(3)], false),
            ("ffec", vec![None], false),
            // Only as far as the last contraction is it necessary to know.
            ("ffece", vec![Some(4)], true),
            ("ffecc", vec![Some(4)], false),
            // Without a contraction everybody goes on.
            ("ffee", vec![Some(2), None], true),
        ] {
            let list = list(kinds);
            let living: Vec<_> = known.iter().copied().map(living).collect();
            let answer = contract(state(2, 2), &list, &living);
            assert_eq!(answer.is_ok(), allowed, "{kinds} {known:?}");
            if let Err(refused) = answer {
                assert!(matches!(refused, Refused::Living { .. }), "{refused}");
            }
        }
    }

    #[test]
    fn a_program_too_old_to_work_is_too_old_to_contract() {
        let list = list("ff");
        let refused = contract(state(4, 4), &list, &[]).unwrap_err();
        assert!(matches!(refused, Refused::Newer { known: 2, .. }));
    }

    #[test]
    fn a_process_tells_by_its_version_which_schema_it_knows() {
        let known = |version: &str| Living::of("a", version).schema;
        assert_eq!(known(&version("0.1.0", &list("ffe"))), Some(3));
        assert_eq!(known("0.1.0"), None);
        assert_eq!(known("0.1.0+schema."), None);
    }

    #[test]
    fn a_list_out_of_order_is_named() {
        let named = |name, kind| Migration {
            name,
            kind,
            sql: "",
        };
        let sound = [named("1", Kind::First), named("2", Kind::Expand)];
        assert_eq!(check_list(&sound), Ok(()));
        let late = [named("1", Kind::Expand), named("2", Kind::First)];
        assert_eq!(check_list(&late), Err("2"));
        let twice = [named("1", Kind::Expand), named("1", Kind::Expand)];
        assert_eq!(check_list(&twice), Err("1"));
    }
}
