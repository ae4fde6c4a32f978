//! The document of the interface (OpenAPI), made of the handlers' own types.

use crate::{
    access, answers, break_glass, cameras, day, exports, health, holds, links, live, looks, oidc, opinions, papers,
    passkeys, reason, replay, requisitions, reviews, session, setup, site, wall,
};
use axum::http::StatusCode;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self, Content, RefOr, Required, ResponseBuilder,
        path::{Operation, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, SecurityScheme},
    },
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Vigie",
        description = "HTTP interface of a town's video-protection recorder. Every POST and DELETE needs the header `Vigie-Request: 1`; every route but GET /api/site, POST /api/session, those under /api/session/passkey and /api/setup needs the cookie `vigie-session`. Times are ISO 8601 in UTC with milliseconds."
    ),
    paths(
        site::get_site,
        session::get_session,
        session::post_session,
        session::delete_session,
        session::post_active,
        passkeys::post_begin_sign_in,
        passkeys::post_sign_in,
        oidc::post_oidc_begin,
        oidc::post_oidc,
        oidc::post_oidc_code,
        oidc::post_oidc_leave,
        passkeys::get_passkeys,
        passkeys::post_begin,
        passkeys::post_passkey,
        passkeys::delete_passkey,
        break_glass::get_break_glass,
        break_glass::post_break_glass,
        break_glass::post_confirm,
        break_glass::post_acknowledge,
        break_glass::delete_break_glass,
        setup::post_setup_begin,
        setup::post_setup,
        cameras::get_cameras,
        day::get_day,
        looks::post_look,
        looks::delete_look,
        reviews::post_trace,
        reviews::post_accounts,
        reviews::post_questions,
        reviews::post_name,
        reviews::get_own_trace,
        reason::get_reason,
        reason::delete_reason,
        requisitions::get_requisitions,
        requisitions::post_requisition,
        requisitions::post_scan,
        access::get_access,
        access::post_access,
        access::post_identity,
        access::post_viewing,
        access::post_access_answer,
        holds::get_holds,
        holds::post_hold,
        holds::post_weigh,
        holds::post_hold_requisition,
        holds::post_hold_lift,
        answers::post_answer,
        answers::post_delivery,
        answers::post_sight,
        opinions::get_opinions,
        opinions::post_opinion,
        exports::post_export,
        exports::get_export,
        exports::post_package,
        exports::delete_package,
        exports::get_package,
        links::post_link,
        links::delete_link,
        papers::get_requisition_letter,
        papers::get_delivery_report,
        papers::get_access_letter,
        papers::get_hold_certificate,
        papers::get_destruction,
        papers::constat::get_constat,
        papers::get_exports_journal,
        health::get_health,
        wall::get_wall,
        live::get_live,
        replay::get_replay,
    ),
    modifiers(&Common)
)]
struct Document;

/// Pretty JSON with a newline at its end, as checked in.
pub fn document() -> String {
    let mut text = Document::openapi().to_pretty_json().expect("a document of plain data serialises");
    text.push('\n');
    text
}

/// What holds for every operation, so that no handler repeats it.
struct Common;

impl Modify for Common {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("vigie-session")));
        document.components.get_or_insert_default().add_security_scheme("session", cookie);
        for item in document.paths.paths.values_mut() {
            for changes in [&mut item.post, &mut item.delete].into_iter().flatten() {
                changes.parameters.get_or_insert_default().push(RefOr::T(own_page()));
                refuses(changes, StatusCode::FORBIDDEN);
                if changes.request_body.is_some() {
                    for status in BODY_REFUSALS {
                        refuses(changes, status);
                    }
                }
            }
            for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
                describe(operation);
            }
        }
    }
}

/// A body that is no JSON, says so nowhere, or is too long.
const BODY_REFUSALS: [StatusCode; 3] =
    [StatusCode::BAD_REQUEST, StatusCode::UNSUPPORTED_MEDIA_TYPE, StatusCode::PAYLOAD_TOO_LARGE];

/// This operation may answer a problem of this status too.
fn refuses(operation: &mut Operation, status: StatusCode) {
    let problem = Content::builder().schema(Some(openapi::Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().content("application/json", problem).build();
    operation.responses.responses.entry(status.as_str().to_owned()).or_insert(RefOr::T(response));
}

fn own_page() -> openapi::path::Parameter {
    ParameterBuilder::new()
        .name("Vigie-Request")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some("`1`: asked by the console's own page"))
        .schema(Some(openapi::Object::with_type(openapi::Type::String)))
        .build()
}

/// Each response has its description; each refusal is a problem (RFC 9457).
fn describe(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        let RefOr::T(response) = response else { continue };
        let Ok(status) = status.parse::<StatusCode>() else { continue };
        if response.description.is_empty() {
            response.description = status.canonical_reason().unwrap_or_default().to_owned();
        }
        if !status.is_success()
            && let Some(content) = response.content.swap_remove("application/json")
        {
            response.content.insert("application/problem+json".to_owned(), content);
        }
    }
}
