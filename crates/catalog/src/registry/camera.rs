//! Cameras as dated versions: "what did we know on 5 March about the cameras of 1 March" is a query, not a backup.

use super::Registry;
use crate::column;
use crate::error::{CatalogError, Failure};
use domain::{CameraClass, CameraId, CameraRights, Purpose, Sensitive, UtcMicros, rights::RightsError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

/// The facts of one camera.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Camera {
    pub id: CameraId,
    /// Unique among the cameras in service.
    pub name: String,
    pub place: String,
    /// RTSP address without user name or password.
    pub url: String,
    /// RTSP address of the same device's sub-stream, recorded beside the main one; mostly none.
    pub sub_url: Option<String>,
    /// User name and password, sealed under a key of the keyring (K13).
    pub credential: Option<Sensitive<Vec<u8>>>,
    /// The delay that the prefect's order authorises, in days.
    pub delay_days: u32,
    /// The purposes of the order (CSI L251-2).
    pub purposes: Vec<Purpose>,
    /// The device pinned at `camera add` (R13).
    pub fingerprint: Option<String>,
    /// By what rules tell it apart from others.
    pub rights: CameraRights,
    /// What it mainly films, as somebody stated it (arrêté of 3 August 2007).
    pub class: Option<CameraClass>,
}

/// One dated version.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CameraVersion {
    pub camera: Camera,
    /// From 1, without holes.
    pub version: u32,
    /// The facts hold from here on, until a version with a later `valid_from` begins.
    pub valid_from: UtcMicros,
    /// The facts are known from here on.
    pub recorded_at: UtcMicros,
    /// From `valid_from` on the camera is out of service.
    pub removed: bool,
}

impl Registry {
    /// Adds a version: a new camera, or new facts of one. Its number.
    ///
    /// # Errors
    /// [`CatalogError::CameraNameTaken`], [`CatalogError::CredentialInUrl`], [`CatalogError::RecordedBackwards`].
    pub fn camera_put(
        &self,
        camera: &Camera,
        valid_from: UtcMicros,
        recorded_at: UtcMicros,
    ) -> Result<u32, CatalogError> {
        if holds_credential(&camera.url) || camera.sub_url.as_deref().is_some_and(holds_credential) {
            return Err(CatalogError::CredentialInUrl);
        }
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let in_service = versions_at(db, site, valid_from.max(recorded_at), recorded_at).await?;
            let namesake = |known: &CameraVersion| known.camera.name == camera.name && known.camera.id != camera.id;
            if in_service.iter().filter(|known| !known.removed).any(namesake) {
                return Err(CatalogError::CameraNameTaken { name: camera.name.clone() }.into());
            }
            add_version(db, site, camera, valid_from, recorded_at, false).await
        })
    }

    /// Takes a camera out of service from `valid_from` on: its last facts, marked as removed. The version's number.
    ///
    /// # Errors
    /// [`CatalogError::UnknownCamera`] if it is unknown or removed already, [`CatalogError::RecordedBackwards`].
    pub fn camera_remove(
        &self,
        id: CameraId,
        valid_from: UtcMicros,
        recorded_at: UtcMicros,
    ) -> Result<u32, CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let known = versions_at(db, site, valid_from, recorded_at).await?;
            let last = known.into_iter().find(|version| version.camera.id == id && !version.removed);
            let last = last.ok_or(CatalogError::UnknownCamera { camera: id })?;
            add_version(db, site, &last.camera, valid_from, recorded_at, true).await
        })
    }

    /// The cameras in service at `now`, as known now, by name.
    pub fn cameras(&self, now: UtcMicros) -> Result<Vec<CameraVersion>, CatalogError> {
        self.cameras_at(now, now)
    }

    /// The cameras in service at `valid_time` as they were known at `recorded_time`, by name.
    ///
    /// Of each camera's versions recorded by then and holding by then, the one with the latest `valid_from` counts; of
    /// two with the same, the one recorded last.
    pub fn cameras_at(
        &self,
        valid_time: UtcMicros,
        recorded_time: UtcMicros,
    ) -> Result<Vec<CameraVersion>, CatalogError> {
        let site = &self.site.id.0;
        let all = self.database.run(async |db| versions_at(db, site, valid_time, recorded_time).await)?;
        Ok(all.into_iter().filter(|version| !version.removed).collect())
    }

    /// One camera at `now`, also if it is removed; `None` if it was never known.
    pub fn camera(&self, id: CameraId, now: UtcMicros) -> Result<Option<CameraVersion>, CatalogError> {
        let all = self.database.run(async |db| versions_at(db, &self.site.id.0, now, now).await)?;
        Ok(all.into_iter().find(|version| version.camera.id == id))
    }

    /// All versions of a camera, in the order in which they were recorded.
    pub fn camera_history(&self, id: CameraId) -> Result<Vec<CameraVersion>, CatalogError> {
        let site = &self.site.id.0[..];
        self.database.run(async |db| {
            let query = sqlx::query("select * from camera where site = $1 and camera = $2 order by version");
            let rows = query.bind(site).bind(&id.0[..]).fetch_all(db).await?;
            Ok(rows.iter().map(version_of).collect::<Result<_, _>>()?)
        })
    }
}

/// Whether an address has a user part: `rtsp://user:password@host/`.
fn holds_credential(url: &str) -> bool {
    let after_scheme = url.split_once("://").map_or(url, |(_, rest)| rest);
    after_scheme.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

async fn versions_at(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    valid_time: UtcMicros,
    recorded_time: UtcMicros,
) -> Result<Vec<CameraVersion>, Failure> {
    let query = sqlx::query(
        "select * from (
           select camera.*, row_number() over (partition by camera order by valid_from desc, version desc) as nth
           from camera where site = $1 and valid_from <= $2 and recorded_at <= $3
         ) as dated where nth = 1 order by name, camera",
    );
    let rows = query.bind(&site[..]).bind(valid_time.0).bind(recorded_time.0).fetch_all(db).await?;
    Ok(rows.iter().map(version_of).collect::<Result<_, _>>()?)
}

async fn add_version(
    db: &mut SqliteConnection,
    site: &[u8; 16],
    camera: &Camera,
    valid_from: UtcMicros,
    recorded_at: UtcMicros,
    removed: bool,
) -> Result<u32, Failure> {
    let last = sqlx::query(
        "select coalesce(max(version), 0) as version, max(recorded_at) as recorded_at
         from camera where site = $1 and camera = $2",
    );
    let last = last.bind(&site[..]).bind(&camera.id.0[..]).fetch_one(&mut *db).await?;
    if column::micros_or_none(&last, "recorded_at")?.is_some_and(|known| known > recorded_at) {
        return Err(CatalogError::RecordedBackwards { camera: camera.id }.into());
    }
    let version = column::count::<u32>(&last, "version")? + 1;
    let insert = sqlx::query(
        "insert into camera (site, camera, version, valid_from, recorded_at, removed, name, place, url, credential,
           delay_days, purposes, fingerprint, sub_url, films, commune, in_groups, class)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
    );
    let credential = camera.credential.as_ref().map(|sealed| sealed.reveal().as_slice());
    let insert = insert.bind(&site[..]).bind(&camera.id.0[..]).bind(i64::from(version)).bind(valid_from.0);
    let insert = insert.bind(recorded_at.0).bind(removed).bind(&camera.name).bind(&camera.place).bind(&camera.url);
    let insert = insert.bind(credential).bind(i64::from(camera.delay_days));
    let insert = insert.bind(column::purposes_text(&camera.purposes)).bind(&camera.fingerprint);
    let CameraRights { films, commune, groups } = &camera.rights;
    let insert = insert.bind(&camera.sub_url).bind(films.name()).bind(commune.as_ref().map(|commune| commune.code()));
    let insert = insert.bind(column::json(groups)?).bind(camera.class.map(CameraClass::name));
    insert.execute(db).await?;
    Ok(version)
}

fn version_of(row: &SqliteRow) -> Result<CameraVersion, sqlx::Error> {
    let camera = Camera {
        id: CameraId(column::array(row, "camera")?),
        name: row.try_get("name")?,
        place: row.try_get("place")?,
        url: row.try_get("url")?,
        sub_url: row.try_get("sub_url")?,
        credential: row.try_get::<Option<Vec<u8>>, _>("credential")?.map(Sensitive::new),
        delay_days: column::count(row, "delay_days")?,
        purposes: column::purposes(row, "purposes")?,
        fingerprint: row.try_get("fingerprint")?,
        rights: rights_of(row)?,
        class: column::class(row, "class")?,
    };
    Ok(CameraVersion {
        camera,
        version: column::count(row, "version")?,
        valid_from: column::micros(row, "valid_from")?,
        recorded_at: column::micros(row, "recorded_at")?,
        removed: row.try_get("removed")?,
    })
}

fn rights_of(row: &SqliteRow) -> Result<CameraRights, sqlx::Error> {
    let (films, commune): (String, Option<String>) = (row.try_get("films")?, row.try_get("commune")?);
    Ok(CameraRights {
        films: films.parse().map_err(|error: RightsError| column::wrong("films", error.to_string()))?,
        commune: commune
            .map(|code| code.parse())
            .transpose()
            .map_err(|error: RightsError| column::wrong("commune", error.to_string()))?,
        groups: column::from_json(row, "in_groups")?,
    })
}
