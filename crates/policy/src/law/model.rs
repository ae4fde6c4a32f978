//! A request in the words of the schema: one question for each camera that is asked for.

use super::LawError;
use crate::calendar;
use crate::reason::ReasonForm;
use crate::request::{CameraFacts, Controller, Request};
use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request as Question, RestrictedExpression, Schema,
};
use domain::{CameraId, UtcMicros};
use std::{
    collections::{HashMap, HashSet},
    error::Error,
};

type Asked = Result<(Question, Entities), Box<dyn Error>>;

/// One question for each camera; of a request for no camera one about a camera to which nothing can be objected, so that
/// what is wrong with the request itself is still said.
pub(super) fn questions(request: &Request, schema: &Schema) -> Vec<(CameraId, Asked)> {
    let nothing = CameraFacts::unobjectionable();
    let cameras = if request.cameras.is_empty() { std::slice::from_ref(&nothing) } else { &request.cameras[..] };
    cameras.iter().map(|camera| (camera.id, question(request, camera, schema))).collect()
}

/// Whether requests can be put in the words of this schema: a pack of another one is refused whole, not question by question.
pub(super) fn check(schema: &Schema) -> Result<(), LawError> {
    let nothing = CameraFacts::unobjectionable();
    let request = Request::nothing(&nothing);
    question(&request, &nothing, schema).map(drop).map_err(|error| LawError::Malformed {
        file: "schema.cedarschema".into(),
        what: format!(
            "this program speaks of persons and cameras in other words ({error}): use pack and program of one release"
        ),
    })
}

fn question(request: &Request, camera: &CameraFacts, schema: &Schema) -> Asked {
    let person = uid("Vigie::Person", &request.person.account.to_string())?;
    let resource = uid("Vigie::Camera", &camera.id.to_string())?;
    let action = uid("Vigie::Action", request.action.name())?;
    let entities = [person_entity(request, person.clone())?, camera_entity(camera, resource.clone())?];
    let entities = Entities::from_entities(entities, Some(schema))?;
    let context = Context::from_pairs(context(request))?;
    Ok((Question::new(person, action, resource, context, Some(schema))?, entities))
}

fn person_entity(request: &Request, uid: EntityUid) -> Result<Entity, Box<dyn Error>> {
    let person = &request.person;
    let territories = person.territories.iter().map(|territory| text(territory));
    let attributes = [
        ("role", text(person.role.name())),
        ("habilitated", RestrictedExpression::new_bool(person.habilitated)),
        ("territories", RestrictedExpression::new_set(territories)),
    ];
    Ok(Entity::new(uid, pairs(attributes), parents("Vigie::Team", &person.teams)?)?)
}

fn camera_entity(camera: &CameraFacts, uid: EntityUid) -> Result<Entity, Box<dyn Error>> {
    let purposes = camera.purposes.iter().map(|purpose| RestrictedExpression::new_long(i64::from(purpose.number())));
    let missing = camera.missing.iter().map(|kind| text(kind.name()));
    let attributes = [
        ("name", text(&camera.name)),
        ("place", text(&camera.place)),
        ("known", RestrictedExpression::new_bool(camera.exists)),
        ("inService", RestrictedExpression::new_bool(camera.recording)),
        ("publicRoad", RestrictedExpression::new_bool(camera.public_road)),
        ("purposes", RestrictedExpression::new_set(purposes)),
        ("missing", RestrictedExpression::new_set(missing)),
        ("territory", text(&camera.territory)),
    ];
    Ok(Entity::new(uid, pairs(attributes), parents("Vigie::Group", &camera.groups)?)?)
}

/// What `in` looks through: the groups of a camera, the teams of a person.
fn parents(kind: &str, names: &[String]) -> Result<HashSet<EntityUid>, Box<dyn Error>> {
    names.iter().map(|name| uid(kind, name)).collect()
}

fn context(request: &Request) -> Vec<(String, RestrictedExpression)> {
    let (hour, weekday) = calendar::hour_and_weekday(request.now);
    let form = ReasonForm::of(request.reason.reveal());
    let number = |count: usize| RestrictedExpression::new_long(i64::try_from(count).unwrap_or(i64::MAX));
    let controller = match request.controller {
        Controller::Commune => "commune",
        Controller::State => "state",
    };
    let papers = request.papers.iter().map(|paper| text(paper.name()));
    let mut asked = vec![
        ("now", instant(request.now)),
        ("hour", RestrictedExpression::new_long(hour)),
        ("weekday", RestrictedExpression::new_long(weekday)),
        ("controller", text(controller)),
        ("cameras", number(request.cameras.len())),
        ("reasonLength", number(form.length)),
        ("reasonSigns", number(form.signs)),
        ("reasonIsCode", RestrictedExpression::new_bool(form.is_code)),
        ("seconds", RestrictedExpression::new_long(request.permit_seconds)),
        ("papers", RestrictedExpression::new_set(papers)),
        ("secondPerson", RestrictedExpression::new_bool(request.second_person)),
    ];
    if let Some(purpose) = request.purpose {
        asked.push(("purpose", RestrictedExpression::new_long(i64::from(purpose.number()))));
    }
    if let Some(span) = request.span {
        asked.push(("from", instant(span.from())));
        asked.push(("to", instant(span.to())));
    }
    asked.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn pairs<const N: usize>(attributes: [(&str, RestrictedExpression); N]) -> HashMap<String, RestrictedExpression> {
    attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, Box<dyn Error>> {
    let kind: EntityTypeName = kind.parse()?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// Cedar counts milliseconds: an instant is its epoch and an offset, whatever the year.
fn instant(at: UtcMicros) -> RestrictedExpression {
    RestrictedExpression::new_datetime(jiff::Timestamp::from_millisecond(at.millis()).map_or_else(
        |_| "1970-01-01T00:00:00.000Z".to_owned(),
        |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    ))
}
