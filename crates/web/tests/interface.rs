//! The checked-in document of the interface against the program. `UPDATE_OPENAPI=1` writes it anew.

use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn the_checked_in_document_is_the_program_s() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let document = web::document();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, &document).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == document, "openapi.json is old: run `UPDATE_OPENAPI=1 cargo test -p web --test interface`");
}

#[test]
fn the_document_has_every_route_and_no_other() {
    let document: serde_json::Value = serde_json::from_str(&web::document()).unwrap();
    let documented: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let routes: BTreeSet<(String, String)> =
        web::routes().iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    assert_eq!(documented, routes);
}
