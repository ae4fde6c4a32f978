//! The command line of a site's upkeep on real processes: what `vigie restore` refuses and leaves as it was, and a delay that is
//! asked for, approved and cancelled.

mod support;

use std::{fs, path::Path};
use support::{Site, now, town};

/// A backup of a site that serves, its key, and the site.
fn backed_up(folder: &Path, name: &str) -> Site {
    let site = Site::serving();
    let key = folder.join(format!("{name}.key"));
    let recipient = site.site.attempt(&["backup", "key", key.to_str().unwrap()], None).unwrap();
    assert_eq!(recipient.code, Some(0), "{recipient:?}");
    site.configure(|text| format!("{text}\n[backup]\nrecipient = \"{}\"\n", recipient.stdout.trim()));
    let file = folder.join(format!("{name}.age"));
    let said = site.site.run(&["backup", file.to_str().unwrap()], None).unwrap();
    assert!(said.contains("SHA-256"), "{said}");
    site
}

#[test]
fn what_must_not_be_restored_is_refused_with_a_remedy_and_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut site = backed_up(folder.path(), "first");
    let other = backed_up(folder.path(), "other");
    drop(other);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (mine, key) = (path("first.age"), path("first.key"));
    let twice = site.site.attempt(&["backup", &mine], None).unwrap();
    assert!(twice.code == Some(1) && twice.stderr.contains("rien n'est écrasé"), "{twice:?}");
    let refused = |site: &Site, file: &str, key: &str, words: &str| {
        let said = site.site.attempt(&["restore", file, "--key", key], None).unwrap();
        assert!(said.code == Some(1) && said.stderr.contains(words), "`{words}` expected: {said:?}");
    };
    refused(&site, &mine, &key, "arrêtez-le d'abord");
    site.site.stop().unwrap();
    let registry = site.site.folder.join("data/registry.db");
    let before = fs::read(&registry).unwrap();
    let whole = fs::read(&mine).unwrap();
    let mut changed = whole.clone();
    changed[whole.len() / 2] ^= 1;
    fs::write(path("changed.age"), &changed).unwrap();
    fs::write(path("cut.age"), &whole[..whole.len() - 1]).unwrap();
    fs::write(path("words.age"), "ceci n'est pas une sauvegarde").unwrap();
    refused(&site, &path("changed.age"), &key, "est abîmée");
    refused(&site, &path("cut.age"), &key, "est abîmée");
    refused(&site, &path("words.age"), &key, "est abîmée");
    refused(&site, &mine, &path("other.key"), "autre identité");
    refused(&site, &path("other.age"), &path("other.key"), "autre site");
    refused(&site, &mine, &path("words.age"), "inutilisable");
    refused(&site, &path("none.age"), &key, "ne peut être lu");
    simulator::clock::set_offset(&site.clock, 331 * 86_400 * 1_000_000).unwrap();
    refused(&site, &mine, &key, "330 jours");
    simulator::clock::set_offset(&site.clock, 0).unwrap();
    assert!(fs::read(&registry).unwrap() == before && !registry.with_file_name("registry.replaced").exists());
    // and the right one goes in
    let said = site.site.run(&["restore", &mine, "--key", &key], None).unwrap();
    assert!(said.contains("deux personnes"), "{said}");
    assert_eq!(fs::read(registry.with_file_name("registry.replaced")).unwrap(), before);
    site.site.serve().unwrap();
    let status = site.site.attempt(&["status"], None).unwrap();
    assert!(status.code == Some(2) && status.stdout.contains("✗ Base du site restaurée"), "{status:?}");
}

#[test]
fn a_shorter_delay_is_shown_asked_for_approved_and_cancelled_at_the_command_line() {
    let town = town(1);
    let site = Site::serving();
    site.site.add_account("dpo", "dpo", &site.operator).unwrap();
    let camera = site.add(&town, 1, 3);
    site.until_recording(&camera);
    let shown = site.site.run(&["delay", "preview", "--days", "2"], None).unwrap();
    assert!(shown.contains("cam-1 · 2 jour(s)") && shown.contains("Rien n'a été fait"), "{shown}");
    let word = |account: &str| {
        let password = if account == "admin" { &site.administrator } else { &site.operator };
        format!("{}\n{}\n", password.reveal(), site.site.code(account).unwrap().reveal())
    };
    let asked = ["delay", "ask", "--days", "2", "--camera", "cam-1", "--account", "dpo"];
    let said = site.site.run(&asked, Some(&word("dpo"))).unwrap();
    let request = said.split("Demande ").nth(1).unwrap().split(',').next().unwrap().to_owned();
    let same = site.site.attempt(&["delay", "approve", &request, "--account", "dpo"], Some(&word("dpo"))).unwrap();
    assert!(same.code == Some(1) && same.stdout.contains("il en faut une autre"), "{same:?}");
    let said = site.site.run(&["delay", "approve", &request, "--account", "admin"], Some(&word("admin"))).unwrap();
    assert!(said.contains("Approuvée : l'ordre vaut à partir du"), "{said}");
    let list = site.site.run(&["delay", "list"], None).unwrap();
    assert!(list.contains(&request) && list.contains("approuvée"), "{list}");
    let said = site.site.run(&["delay", "cancel", &request, "--account", "dpo"], Some(&word("dpo"))).unwrap();
    assert!(said.contains("Annulée"), "{said}");
    assert!(site.site.run(&["delay", "list"], None).unwrap().contains("Aucune demande"));
    assert!(site.site.run(&["verify", "--ledger-only"], None).is_ok(), "{}", now());
}
