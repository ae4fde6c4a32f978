//! Every route, once: the router, the document of the interface and the table of refusals in the tests are made of this list.

use crate::{
    access, answers, break_glass, cameras, day, exports, health, holds, links, live, looks, oidc, opinions, papers,
    passkeys, reason, replay, requisitions, reviews, server::Web, session, setup, site, wall,
};
use axum::{
    http::Method,
    routing::{MethodRouter, delete, get, post},
};
use std::sync::Arc;

/// One method at one path.
pub struct Route {
    pub method: Method,
    /// With `{name}` for parts that vary, as in OpenAPI.
    pub path: &'static str,
    pub(crate) handler: MethodRouter<Arc<Web>>,
}

pub fn routes() -> Vec<Route> {
    people_and_looks().into_iter().chain(desk()).collect()
}

fn route(method: Method, path: &'static str, handler: MethodRouter<Arc<Web>>) -> Route {
    Route { method, path, handler }
}

fn people_and_looks() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/site", get(site::get_site)),
        route(Method::GET, "/api/session", get(session::get_session)),
        route(Method::POST, "/api/session", post(session::post_session)),
        route(Method::DELETE, "/api/session", delete(session::delete_session)),
        route(Method::POST, "/api/session/active", post(session::post_active)),
        route(Method::POST, "/api/session/passkey/begin", post(passkeys::post_begin_sign_in)),
        route(Method::POST, "/api/session/passkey", post(passkeys::post_sign_in)),
        route(Method::POST, "/api/session/oidc/begin", post(oidc::post_oidc_begin)),
        route(Method::POST, "/api/session/oidc", post(oidc::post_oidc)),
        route(Method::POST, "/api/session/oidc/code", post(oidc::post_oidc_code)),
        route(Method::POST, "/api/session/oidc/leave", post(oidc::post_oidc_leave)),
        route(Method::GET, "/api/passkeys", get(passkeys::get_passkeys)),
        route(Method::POST, "/api/passkeys/begin", post(passkeys::post_begin)),
        route(Method::POST, "/api/passkeys", post(passkeys::post_passkey)),
        route(Method::DELETE, "/api/passkeys/{id}", delete(passkeys::delete_passkey)),
        route(Method::POST, "/api/setup/begin", post(setup::post_setup_begin)),
        route(Method::POST, "/api/setup", post(setup::post_setup)),
        route(Method::GET, "/api/cameras", get(cameras::get_cameras)),
        route(Method::GET, "/api/cameras/{id}/day", get(day::get_day)),
        route(Method::POST, "/api/looks", post(looks::post_look)),
        route(Method::DELETE, "/api/looks/{permit}", delete(looks::delete_look)),
        route(Method::POST, "/api/reviews/trace", post(reviews::post_trace)),
        route(Method::POST, "/api/reviews/accounts", post(reviews::post_accounts)),
        route(Method::POST, "/api/reviews/questions", post(reviews::post_questions)),
        route(Method::POST, "/api/reviews/name", post(reviews::post_name)),
        route(Method::GET, "/api/trace", get(reviews::get_own_trace)),
        route(Method::GET, "/api/break-glass", get(break_glass::get_break_glass)),
        route(Method::POST, "/api/break-glass", post(break_glass::post_break_glass)),
        route(Method::POST, "/api/break-glass/{id}/confirm", post(break_glass::post_confirm)),
        route(Method::POST, "/api/break-glass/{id}/acknowledge", post(break_glass::post_acknowledge)),
        route(Method::DELETE, "/api/break-glass/{id}", delete(break_glass::delete_break_glass)),
        route(Method::GET, "/api/reason", get(reason::get_reason)),
        route(Method::DELETE, "/api/reason", delete(reason::delete_reason)),
        route(Method::GET, "/api/health", get(health::get_health)),
        route(Method::GET, "/media/{permit}/live", get(wall::get_wall)),
        route(Method::GET, "/media/{permit}/{camera}/live", get(live::get_live)),
        route(Method::GET, "/media/{permit}/{camera}/replay", get(replay::get_replay)),
    ]
}

/// Where footage lawfully leaves.
fn desk() -> Vec<Route> {
    vec![
        route(Method::GET, "/api/requisitions", get(requisitions::get_requisitions)),
        route(Method::POST, "/api/requisitions", post(requisitions::post_requisition)),
        route(Method::POST, "/api/requisitions/scan", post(requisitions::post_scan)),
        route(Method::POST, "/api/requisitions/{id}/answer", post(answers::post_answer)),
        route(Method::POST, "/api/requisitions/{id}/deliveries", post(answers::post_delivery)),
        route(Method::POST, "/api/requisitions/{id}/viewings", post(answers::post_sight)),
        route(Method::POST, "/api/requisitions/{id}/opinion", post(opinions::post_opinion)),
        route(Method::GET, "/api/opinions", get(opinions::get_opinions)),
        route(Method::GET, "/api/access", get(access::get_access)),
        route(Method::POST, "/api/access", post(access::post_access)),
        route(Method::POST, "/api/access/{id}/identity", post(access::post_identity)),
        route(Method::POST, "/api/access/{id}/viewings", post(access::post_viewing)),
        route(Method::POST, "/api/access/{id}/answer", post(access::post_access_answer)),
        route(Method::GET, "/api/holds", get(holds::get_holds)),
        route(Method::POST, "/api/holds", post(holds::post_hold)),
        route(Method::POST, "/api/holds/weigh", post(holds::post_weigh)),
        route(Method::POST, "/api/holds/{id}/requisition", post(holds::post_hold_requisition)),
        route(Method::POST, "/api/holds/{id}/lift", post(holds::post_hold_lift)),
        route(Method::POST, "/api/exports", post(exports::post_export)),
        route(Method::GET, "/api/exports/{id}", get(exports::get_export)),
        route(Method::POST, "/api/exports/{id}/package", post(exports::post_package)),
        route(Method::DELETE, "/api/exports/{id}/package", delete(exports::delete_package)),
        route(Method::POST, "/api/exports/{id}/links", post(links::post_link)),
        route(Method::DELETE, "/api/exports/{id}/links/{link}", delete(links::delete_link)),
        route(Method::GET, "/api/requisitions/{id}/letter.pdf", get(papers::get_requisition_letter)),
        route(Method::GET, "/api/requisitions/{id}/deliveries/{export}/report.pdf", get(papers::get_delivery_report)),
        route(Method::GET, "/api/access/{id}/letter.pdf", get(papers::get_access_letter)),
        route(Method::GET, "/api/holds/{id}/certificate.pdf", get(papers::get_hold_certificate)),
        route(Method::GET, "/api/cameras/{id}/destruction.pdf", get(papers::get_destruction)),
        route(Method::GET, "/api/exports/{id}/constat.pdf", get(papers::constat::get_constat)),
        route(Method::GET, "/api/exports.pdf", get(papers::get_exports_journal)),
        route(Method::GET, "/media/exports/{id}", get(exports::get_package)),
    ]
}
