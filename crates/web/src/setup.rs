//! The one-time link: a token from the address's fragment, posted by the page, gives an account its password and its
//! second factor (P8).

use crate::{
    extract::Body,
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State};
use domain::{
    Sensitive,
    limit::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
};
use keeper::wire::{SetUpBegun, SetUpDenied};
use qrcodegen::{QrCode, QrCodeEcc};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub struct SetupLink {
    /// Works once, for 15 minutes.
    #[schema(value_type = String, format = Password)]
    token: Sensitive<String>,
}

/// What a link is for, and what an authenticator needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetupBegun {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    /// A name of the closed list of roles.
    role: &'static str,
    /// `otpauth://totp/…`, with the seed.
    #[schema(value_type = String, format = Password)]
    otpauth: Sensitive<String>,
    /// The same as a QR code: a row a line, `1` is dark, without the margin of four.
    #[schema(value_type = Vec<String>)]
    qr: Sensitive<Vec<String>>,
}

#[derive(Deserialize, ToSchema)]
pub struct Setup {
    /// Works once, for 15 minutes.
    #[schema(value_type = String, format = Password)]
    token: Sensitive<String>,
    /// 12 to 256 characters.
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    /// The six digits that the authenticator shows now.
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

/// The account that can sign in now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    /// A name of the closed list of roles.
    role: &'static str,
    /// Each works once instead of a code. They are told this once.
    #[schema(value_type = Vec<String>)]
    recovery_codes: Sensitive<Vec<Sensitive<String>>>,
}

/// Look at a one-time link: whose it is, and the seed for the person's authenticator
///
/// The link stays as it is.
#[utoipa::path(post, path = "/api/setup/begin", tag = "session", request_body = SetupLink,
    responses((status = 200, body = SetupBegun), (status = 410, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_setup_begin(
    State(web): State<Arc<Web>>,
    Body(SetupLink { token }): Body<SetupLink>,
) -> Result<Json<SetupBegun>, Problem> {
    let begun = web.ask_keeper(move |keeper| keeper.set_up_begin(token)).await?;
    let SetUpBegun { name, role, otpauth } = begun.ok_or(&problem::SETUP_GONE)?;
    let qr = Sensitive::new(qr_rows(otpauth.reveal()).ok_or(&problem::FAILED)?);
    Ok(Json(SetupBegun { name, role: role.name(), otpauth, qr }))
}

/// Give an account its password and its second factor, with a one-time token
///
/// A wrong code leaves the link as it is.
#[utoipa::path(post, path = "/api/setup", tag = "session", request_body = Setup,
    responses(
        (status = 200, body = Account), (status = 400, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 410, body = ProblemBody), (status = 429, body = ProblemBody, headers(("Retry-After" = u32))),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_setup(
    State(web): State<Arc<Web>>,
    Body(Setup { token, password, code }): Body<Setup>,
) -> Result<Json<Account>, Problem> {
    // before the token is used: a link works once
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.reveal().chars().count()) {
        return Err((&problem::PASSWORD_LENGTH).into());
    }
    match web.ask_keeper(move |keeper| keeper.set_up(token, password, code)).await? {
        Ok(done) => {
            let recovery_codes = Sensitive::new(done.recovery);
            Ok(Json(Account { name: done.name, role: done.role.name(), recovery_codes }))
        }
        Err(SetUpDenied::NoLink) => Err((&problem::SETUP_GONE).into()),
        Err(SetUpDenied::WrongCode { wait_seconds: 0 }) => Err((&problem::WRONG_CODE).into()),
        Err(SetUpDenied::WrongCode { wait_seconds }) => Err(Problem::wait(wait_seconds)),
    }
}

/// Of medium redundancy: a screen is clean, and the picture stays small enough for a phone's camera.
fn qr_rows(text: &str) -> Option<Vec<String>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let row = |y| (0..code.size()).map(|x| if code.get_module(x, y) { '1' } else { '0' }).collect();
    Some((0..code.size()).map(row).collect())
}
