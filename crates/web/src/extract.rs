//! What handlers take from a request: the session, the JSON body, the query, parts of the path; every failure is a Problem.

use crate::{
    problem::{self, Problem},
    server::Web,
    session::{cookie_of, device_of},
};
use axum::{
    Json,
    extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
};
use domain::Sensitive;
use keeper::wire::Browser;
use serde::de::DeserializeOwned;
use std::{convert::Infallible, net::SocketAddr, sync::Arc};
use vault::keeper::SessionSecret;

/// A request that comes with a session. Whether the session holds is for the keeper to say.
pub struct SignedIn(pub SessionSecret);

/// Somebody who wants to sign in: from where, and what this browser is known by. It serves to slow strangers down only.
pub struct Stranger {
    place: [u8; 16],
    pub device: Option<Sensitive<String>>,
}

/// The address at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Place(pub SocketAddr);

/// A JSON body.
pub struct Body<T>(pub T);

/// The query string.
pub struct Asked<T>(pub T);

/// Parts of the path.
pub struct Named<T>(pub T);

impl FromRequestParts<Arc<Web>> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<SignedIn, Problem> {
        let secret = cookie_of(web, &parts.headers).ok_or(&problem::NO_SESSION)?;
        Ok(SignedIn(Sensitive::new(secret)))
    }
}

impl FromRequestParts<Arc<Web>> for Stranger {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Stranger, Infallible> {
        let place = parts.extensions.get::<ConnectInfo<Place>>().map(|ConnectInfo(Place(address))| address.ip());
        let device = device_of(web, &parts.headers).map(Sensitive::new);
        Ok(Stranger { place: web.digest_of_place(place), device })
    }
}

impl Stranger {
    pub fn browser(&self) -> Browser {
        Browser { place: self.place, device: self.device.clone() }
    }
}

impl<T: DeserializeOwned> FromRequest<Arc<Web>> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Body<T>, Problem> {
        match Json::<T>::from_request(request, web).await {
            Ok(Json(body)) => Ok(Body(body)),
            // the parser's words may repeat what was typed, a password too: they are dropped
            Err(JsonRejection::MissingJsonContentType(_)) => Err((&problem::NOT_JSON).into()),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => Err((&problem::TOO_LARGE).into()),
            Err(_) => Err((&problem::MALFORMED).into()),
        }
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Web>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Asked<T>, Problem> {
        let asked = Query::<T>::from_request_parts(parts, web).await.map_err(|_| Problem::from(&problem::MALFORMED))?;
        Ok(Asked(asked.0))
    }
}

impl<T: DeserializeOwned + Send> FromRequestParts<Arc<Web>> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Named<T>, Problem> {
        let named = Path::<T>::from_request_parts(parts, web).await.map_err(|_| Problem::from(&problem::NOT_FOUND))?;
        Ok(Named(named.0))
    }
}

/// An instant in ISO 8601.
pub fn instant(text: &str) -> Result<domain::UtcMicros, Problem> {
    let instant: jiff::Timestamp = text.parse().map_err(|_| Problem::from(&problem::MALFORMED))?;
    Ok(domain::UtcMicros(instant.as_microsecond()))
}
