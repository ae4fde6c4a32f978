//! The interface against its own document, by a foreign generator of requests: nothing the document allows, and nothing close
//! to it, brings an error of the server's or an answer that the document does not name.

mod support;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};
use support::{Site, look_back, python, town};

const REMEDY: &str = "`make test` installs it, or scripts/setup.sh";
/// It would sign the generator out; `crates/web/tests` holds it.
const SIGN_OUT: &str = "DELETE /api/session";
/// A seed: the same requests each time.
const SEED: &str = "20260101";
const EXAMPLES: &str = "12";
/// What the generator reads in the folder it stands in.
const CONFIGURATION: &str = "schemathesis.toml";

/// Pictures as they come have no end.
const LIVE: [&str; 2] = ["GET /media/{permit}/live", "GET /media/{permit}/{camera}/live"];

fn generate(address: &str, cookie: Option<&str>, folder: &Path) -> Output {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
    let mut command = Command::new(python());
    command.args(["-m", "schemathesis.cli", "run"]).arg(&document).args(["--url", address, "--seed", SEED]);
    command.args(["--max-examples", EXAMPLES, "--phases", "examples,coverage,fuzzing", "--mode", "all"]);
    command.args(["--checks", "not_a_server_error,status_code_conformance,content_type_conformance"]);
    command.args(["--checks", "response_schema_conformance", "--exclude-name", SIGN_OUT, "--no-color"]);
    command.args(["--request-timeout", "20", "--header", "vigie-request: 1", "--suppress-health-check", "all"]);
    for endless in LIVE.iter().filter(|_| folder.join(CONFIGURATION).exists()) {
        command.args(["--exclude-name", endless]);
    }
    if let Some(cookie) = cookie {
        command.args(["--header", &format!("cookie: {cookie}")]);
    }
    // it keeps what it found in the folder it stands in
    command.current_dir(folder).env("HYPOTHESIS_STORAGE_DIRECTORY", folder);
    command.output().unwrap_or_else(|error| panic!("no Python at {}: {error}: {REMEDY}", python().display()))
}

#[test]
fn generated_requests_find_no_error_of_the_server_and_no_answer_that_the_document_does_not_name() {
    let town = town(1);
    let site = Site::serving();
    let camera = site.add(&town, 1, 2);
    site.until_recording(&camera);
    let (operator, administrator) = (site.operator(), site.administrator());
    let permit = look_back(&operator, &[&camera], site.now().plus_seconds(-60), site.now());
    let real = format!(
        "[parameters]\n\"path.id\" = \"{camera}\"\n\"path.camera\" = \"{camera}\"\n\"path.permit\" = \"{permit}\"\n"
    );
    for (who, browser, parameters) in [
        ("nobody", None, None),
        ("an operator", Some(&operator), None),
        ("an operator who knows a camera and has a permit", Some(&operator), Some(&real)),
        ("an administrator", Some(&administrator), None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        if let Some(parameters) = parameters {
            fs::write(folder.path().join(CONFIGURATION), parameters).unwrap();
        }
        let cookie = browser.map(|browser| browser.cookie().unwrap());
        let ran = generate(&site.site.address(), cookie, folder.path());
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "as {who}:\n{said}\n{}", String::from_utf8_lossy(&ran.stderr));
        assert!(said.contains("generated") || said.contains("passed"), "it asked nothing:\n{said}");
        if let Some(browser) = browser {
            browser.get("/api/session").expect("whoever asked is still signed in");
        }
    }
    site.until_recording(&camera);
    let log = fs::read_to_string(site.site.log()).unwrap();
    assert!(!log.contains("panicked"), "{log}");
}
