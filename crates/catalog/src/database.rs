//! One SQLite file behind a blocking door: opening, upgrading step by step, and running work on a runtime of its own.

use crate::error::{CatalogError, Failure, Which};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Row, SqliteConnection};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::runtime::{Builder, Handle, Runtime};

/// What the opener is going to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Create the file where there is none.
    Create,
    /// The file must be there.
    Write,
    /// The file must be there and up to date; nothing is written.
    Read,
}

pub(crate) struct Database {
    /// Taken at drop only.
    runtime: Option<Runtime>,
    pool: SqlitePool,
    pub(crate) which: Which,
    pub(crate) path: PathBuf,
}

/// The schema's steps, numbered from 1; a step that was published is never edited, a new one is added.
const REGISTRY_STEPS: &[&str] = &[
    include_str!("upgrade/registry_001.sql"),
    include_str!("upgrade/registry_002.sql"),
    include_str!("upgrade/registry_003.sql"),
    include_str!("upgrade/registry_004.sql"),
    include_str!("upgrade/registry_005.sql"),
    include_str!("upgrade/registry_006.sql"),
    include_str!("upgrade/registry_007.sql"),
    include_str!("upgrade/registry_008.sql"),
    include_str!("upgrade/registry_009.sql"),
    include_str!("upgrade/registry_010.sql"),
    include_str!("upgrade/registry_011.sql"),
    include_str!("upgrade/registry_012.sql"),
    include_str!("upgrade/registry_013.sql"),
];
const FOOTAGE_STEPS: &[&str] = &[
    include_str!("upgrade/footage_001.sql"),
    include_str!("upgrade/footage_002.sql"),
    include_str!("upgrade/footage_003.sql"),
];

/// Steps behind which the program of the step before goes on as if nothing had happened: they only add tables, or columns with
/// a default, and what it writes without them is right for those who know them (decision 0060). Steps of which nothing is said
/// here are none: going back behind them is refused.
const REGISTRY_ADDITIVE: &[i64] = &[12, 13];
const FOOTAGE_ADDITIVE: &[i64] = &[];

/// A step of a program to come: what tests of going back and forth put behind ours (decision 0060). The product has none.
#[derive(Clone, Copy, Debug)]
pub struct StepToCome {
    pub sql: &'static str,
    pub is_additive: bool,
}

/// A writer waits this long for the other's lock before it says so.
const BUSY_SECONDS: u64 = 5;
/// Readers of one process that may ask at once; a writer has one connection, so its own statements never collide.
const READERS_MAX: u32 = 4;

impl Database {
    pub(crate) fn open(path: &Path, which: Which, mode: Mode) -> Result<Database, CatalogError> {
        Database::open_with(path, which, mode, &[])
    }

    /// The same with the steps of a program to come behind ours.
    pub(crate) fn open_with(
        path: &Path,
        which: Which,
        mode: Mode,
        to_come: &[StepToCome],
    ) -> Result<Database, CatalogError> {
        let file = |source| CatalogError::File { path: path.to_owned(), source };
        prepare_file(path, which, mode)?;
        let runtime = Builder::new_current_thread().enable_time().build().map_err(file)?;
        let connections = if mode == Mode::Read { READERS_MAX } else { 1 };
        let options = SqlitePoolOptions::new().max_connections(connections).acquire_timeout(Duration::from_secs(30));
        let connect = connect_options(path, mode);
        let pool = runtime.block_on(async { options.connect_with(connect).await });
        let pool = pool.map_err(|source| Failure::Sql(source).at(which, path))?;
        let database = Database { runtime: Some(runtime), pool, which, path: path.to_owned() };
        let schema = Schema::of(which, to_come);
        database.run(async |connection| upgrade(connection, &schema, path, mode).await)?;
        if which == Which::Registry {
            database.run(async |connection| check_whole(connection).await)?;
        }
        Ok(database)
    }

    /// Runs `work` in one transaction: all of it holds, or nothing does.
    pub(crate) fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, Failure>,
    ) -> Result<T, CatalogError> {
        let runtime = self.runtime.as_ref().expect("the runtime is taken at drop only");
        let answer = runtime.block_on(async {
            let mut connection = self.pool.acquire().await?;
            let mut transaction = connection.begin().await?;
            let value = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(value)
        });
        answer.map_err(|failure: Failure| failure.at(self.which, &self.path))
    }
}

impl Database {
    /// The whole database as it is at one moment, into an empty file; outside a transaction, as SQLite wants it.
    pub(crate) fn vacuum_into(&self, path: &Path) -> Result<(), CatalogError> {
        let runtime = self.runtime.as_ref().expect("the runtime is taken at drop only");
        let answer = runtime.block_on(async {
            let mut connection = self.pool.acquire().await?;
            let into = path.to_string_lossy().into_owned();
            sqlx::query("vacuum into $1").bind(into).execute(&mut *connection).await?;
            Ok(())
        });
        answer.map_err(|failure: Failure| failure.at(self.which, path))
    }
}

impl Drop for Database {
    /// Closes in order, which folds the write-ahead log into the file; inside async code, where waiting is impossible,
    /// the connection's own thread closes it.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            if Handle::try_current().is_err() {
                runtime.block_on(self.pool.close());
            }
            runtime.shutdown_background();
        }
    }
}

/// A new file belongs to its owner alone; SQLite gives its companions (-wal, -shm) the same rights.
fn prepare_file(path: &Path, which: Which, mode: Mode) -> Result<(), CatalogError> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = |source| CatalogError::File { path: path.to_owned(), source };
    if path.try_exists().map_err(file)? {
        return Ok(());
    }
    if mode != Mode::Create {
        return Err(CatalogError::Missing { which, path: path.to_owned() });
    }
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(file)
        }
        _ => Ok(()),
    }
}

fn connect_options(path: &Path, mode: Mode) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .busy_timeout(Duration::from_secs(BUSY_SECONDS))
        .foreign_keys(true)
        // what a statement sorts stays in memory: no folder of all users sees it, and a confined process can write to none
        .pragma("temp_store", "memory");
    if mode == Mode::Read {
        return options.read_only(true);
    }
    // Full for both: a registry row may not be lost, and a footage row lost in a power cut hides footage that is safe on
    // disk until the catalog is rebuilt. One commit a second costs one more fsync a second.
    let synchronous = SqliteSynchronous::Full;
    // What is deleted is overwritten: a row of a dead hour does not linger in a free page.
    options.journal_mode(SqliteJournalMode::Wal).synchronous(synchronous).pragma("secure_delete", "on")
}

/// What this program knows of a database's schema.
struct Schema {
    which: Which,
    /// Each with whether it is additive.
    steps: Vec<(&'static str, bool)>,
}

impl Schema {
    fn of(which: Which, to_come: &[StepToCome]) -> Schema {
        let (steps, additive) = match which {
            Which::Registry => (REGISTRY_STEPS, REGISTRY_ADDITIVE),
            Which::Footage => (FOOTAGE_STEPS, FOOTAGE_ADDITIVE),
        };
        let ours = (1i64..).zip(steps).map(|(number, sql)| (*sql, additive.contains(&number)));
        Schema { which, steps: ours.chain(to_come.iter().map(|step| (step.sql, step.is_additive))).collect() }
    }

    fn known(&self) -> i64 {
        self.steps.len() as i64
    }

    /// The oldest version whose program can go on with what this one leaves.
    fn oldest(&self) -> i64 {
        let last_break = self.steps.iter().rposition(|(_, is_additive)| !is_additive);
        last_break.map_or(1, |index| index as i64 + 1)
    }
}

/// Brings the schema from the version found to the newest, each step recorded with what it changed. A file of a later program
/// is taken as it is where that program said that this one may; nothing of its schema is changed.
async fn upgrade(connection: &mut SqliteConnection, schema: &Schema, path: &Path, mode: Mode) -> Result<(), Failure> {
    let which = schema.which;
    let (found, known) = (version(connection, which, path).await?, schema.known());
    let path = path.to_owned();
    if found > known {
        return match oldest_said(connection, which).await? {
            Some(oldest) if oldest <= known => Ok(()),
            _ => Err(CatalogError::Newer { which, path, found, known }.into()),
        };
    }
    if found == 0 && (mode == Mode::Read || (which == Which::Registry && mode == Mode::Write)) {
        return Err(CatalogError::Missing { which, path }.into());
    }
    if found < known && mode == Mode::Read {
        return Err(CatalogError::Older { which, path, found, known }.into());
    }
    if found == known {
        return Ok(());
    }
    for (number, (step, _)) in (1i64..).zip(&schema.steps).skip(found as usize) {
        sqlx::raw_sql(*step).execute(&mut *connection).await?;
        let record = sqlx::query("insert into upgrade (kind, version) values ($1, $2)");
        record.bind(which.name()).bind(number).execute(&mut *connection).await?;
    }
    say_oldest(connection, schema).await
}

/// Leaves word for older programs: from which version on they may go on with this file.
async fn say_oldest(connection: &mut SqliteConnection, schema: &Schema) -> Result<(), Failure> {
    let table = "create table if not exists compatible (kind text primary key, oldest bigint not null)";
    sqlx::raw_sql(table).execute(&mut *connection).await?;
    let forget = sqlx::query("delete from compatible where kind = $1");
    forget.bind(schema.which.name()).execute(&mut *connection).await?;
    let say = sqlx::query("insert into compatible (kind, oldest) values ($1, $2)");
    say.bind(schema.which.name()).bind(schema.oldest()).execute(connection).await?;
    Ok(())
}

/// What a later program said; none where it said nothing.
async fn oldest_said(connection: &mut SqliteConnection, which: Which) -> Result<Option<i64>, Failure> {
    let table = sqlx::query("select name from sqlite_master where type = 'table' and name = 'compatible'");
    if table.fetch_optional(&mut *connection).await?.is_none() {
        return Ok(None);
    }
    let said = sqlx::query("select oldest from compatible where kind = $1").bind(which.name());
    Ok(match said.fetch_optional(connection).await? {
        Some(row) => Some(row.try_get("oldest")?),
        None => None,
    })
}

/// The version of the schema: 0 for an empty file.
async fn version(connection: &mut SqliteConnection, which: Which, path: &Path) -> Result<i64, Failure> {
    let tables = sqlx::query("select name from sqlite_master where type = 'table'").fetch_all(&mut *connection).await?;
    if tables.is_empty() {
        return Ok(0);
    }
    let foreign = || CatalogError::Foreign { which, path: path.to_owned() };
    let ours = tables.iter().any(|row| row.try_get::<String, _>("name").is_ok_and(|name| name == "upgrade"));
    if !ours {
        return Err(foreign().into());
    }
    let query = sqlx::query("select max(version) as version from upgrade where kind = $1");
    let row = query.bind(which.name()).fetch_one(connection).await?;
    row.try_get::<Option<i64>, _>("version")?.ok_or_else(|| foreign().into())
}

/// Reads every page once. The registry is small; footage is too large for this, and its damage shows when it is met.
async fn check_whole(connection: &mut SqliteConnection) -> Result<(), Failure> {
    let row = sqlx::query("pragma quick_check(1)").fetch_one(connection).await?;
    let answer: String = row.try_get(0)?;
    if answer == "ok" { Ok(()) } else { Err(crate::column::wrong("quick_check", answer).into()) }
}
