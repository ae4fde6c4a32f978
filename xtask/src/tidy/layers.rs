//! The crates depend on each other as the layer table of `ARCHITECTURE.md` draws them, and downwards only.

use crate::manifest::{self, Manifest};
use crate::tree::{Finding, Tree};
use std::collections::BTreeMap;

const PAGE: &str = "ARCHITECTURE.md";
const TABLE: &str = "| layer | crate | may use |";

/// One row of the table. In its last cell `domain` is a use of a lower layer and `keyring → disk` one in the same layer.
struct Row {
    line: usize,
    layer: u8,
    uses: Vec<Use>,
}

struct Use {
    name: String,
    sideways: bool,
}

pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else {
        return vec![Finding::new(PAGE, 0, "there is no layer table", format!("write one that begins with `{TABLE}`"))];
    };
    let (rows, mut findings) = drawn(page);
    if rows.is_empty() {
        findings.push(Finding::new(
            PAGE,
            0,
            "there is no layer table",
            format!("write one that begins with `{TABLE}`"),
        ));
        return findings;
    }
    let (manifests, unreadable) = manifest::all(tree);
    findings.extend(unreadable);
    for manifest in &manifests {
        findings.extend(compare(manifest, &manifests, &rows));
    }
    for (name, row) in &rows {
        if !manifests.iter().any(|manifest| manifest.name == *name) {
            findings.push(Finding::new(
                PAGE,
                row.line,
                format!("`{name}` is drawn and does not exist"),
                "remove the row",
            ));
        }
        findings.extend(row.uses.iter().filter_map(|used| direction(name, row, used, &rows)));
    }
    findings
}

/// The rows by crate, and what cannot be read of them.
fn drawn(page: &str) -> (BTreeMap<String, Row>, Vec<Finding>) {
    let (mut rows, mut findings) = (BTreeMap::new(), vec![]);
    let table = page.lines().enumerate().skip_while(|(_, line)| line.trim() != TABLE).skip(2);
    for (at, line) in table.take_while(|(_, line)| line.starts_with('|')) {
        match row(at + 1, line) {
            Some((name, row)) => drop(rows.insert(name, row)),
            None => findings.push(Finding::new(
                PAGE,
                at + 1,
                "this row is not `| L1 | crate | uses |`",
                "write the layer as L0 to L5 and the crate's name in backticks",
            )),
        }
    }
    (rows, findings)
}

fn row(line: usize, text: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = text.trim().trim_matches('|').split('|').map(str::trim).collect();
    let [layer, name, uses] = cells[..] else { return None };
    let name = ticked(name).next()?.to_owned();
    let uses = ticked(uses).map(|used| Use {
        name: used.rsplit('→').next().unwrap_or(used).trim().to_owned(),
        sideways: used.split_once('→').is_some_and(|(from, _)| from.trim() == name),
    });
    let uses = uses.collect();
    Some((name, Row { line, layer: layer.trim_start_matches('L').parse().ok()?, uses }))
}

fn ticked(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// One manifest against its row, both ways.
fn compare(manifest: &Manifest, all: &[Manifest], rows: &BTreeMap<String, Row>) -> Vec<Finding> {
    let name = &manifest.name;
    let Some(row) = rows.get(name) else {
        let what = format!("crate `{name}` is not in the layer table of {PAGE}");
        return vec![Finding::new(&manifest.path, 0, what, "draw it: a crate earns its place in a layer")];
    };
    let ours = |used: &str| all.iter().any(|manifest| manifest.name == used);
    let built = manifest.dependencies.iter().filter(|used| !used.dev && ours(&used.name));
    let undrawn = built.filter(|used| !row.uses.iter().any(|drawn| drawn.name == used.name)).map(|used| {
        let what = format!("`{name}` uses `{}`, which {PAGE} does not draw", used.name);
        Finding::new(&manifest.path, used.line, what, "remove the dependency, or draw it and say why")
    });
    let unbuilt = row.uses.iter().filter(|drawn| !manifest.dependencies.iter().any(|d| !d.dev && d.name == drawn.name));
    let unbuilt = unbuilt.map(|drawn| {
        let what = format!("`{name}` is drawn to use `{}` and does not", drawn.name);
        Finding::new(PAGE, row.line, what, "remove it from the row")
    });
    undrawn.chain(unbuilt).collect()
}

/// Down is always right, sideways where the row says so, up never.
fn direction(name: &str, row: &Row, used: &Use, rows: &BTreeMap<String, Row>) -> Option<Finding> {
    let below = rows.get(&used.name)?.layer;
    if below < row.layer || (below == row.layer && used.sideways) {
        return None;
    }
    let what = format!("`{name}` (L{}) may not use `{}` (L{below}): it is not below", row.layer, used.name);
    let remedy = format!("turn the dependency round; within one layer declare it as `{name} → {}`", used.name);
    Some(Finding::new(PAGE, row.line, what, remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &str) -> String {
        format!("# x\n\n{TABLE}\n| --- | --- | --- |\n{rows}\nafter\n")
    }

    fn whats(rows: &str, manifests: &[(&str, &str)]) -> Vec<String> {
        let page = table(rows);
        let texts: Vec<(String, String)> = manifests
            .iter()
            .map(|(name, uses)| {
                let uses: String = uses.split_whitespace().map(|used| format!("{used}.workspace = true\n")).collect();
                let text = format!(
                    "[package]\nname = \"{name}\"\n[dependencies]\n{uses}[dev-dependencies]\ntop.workspace = true\n"
                );
                (format!("crates/{name}/Cargo.toml"), text)
            })
            .collect();
        let mut files: Vec<(&str, &str)> = texts.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        files.push((PAGE, &page));
        check(&Tree::of(&files)).into_iter().map(|finding| finding.what).collect()
    }

    const ROWS: &str =
        "| L0 | `low` | |\n| L1 | `mid` | `low`, `mid → side` |\n| L1 | `side` | `low` |\n| L2 | `top` | `mid` |";
    const BUILT: [(&str, &str); 4] = [("low", "serde"), ("mid", "low side"), ("side", "low"), ("top", "mid")];

    #[test]
    fn a_tree_as_drawn_passes() {
        assert_eq!(whats(ROWS, &BUILT), Vec::<String>::new());
    }

    #[test]
    fn a_use_that_is_not_drawn_is_refused() {
        let built = [("low", ""), ("mid", "low side"), ("side", "low"), ("top", "mid low")];
        assert_eq!(whats(ROWS, &built), ["`top` uses `low`, which ARCHITECTURE.md does not draw"]);
    }

    #[test]
    fn a_drawn_use_or_crate_that_does_not_exist_is_refused() {
        let built = [("low", ""), ("mid", "low side"), ("side", "")];
        let expected = ["`side` is drawn to use `low` and does not", "`top` is drawn and does not exist"];
        assert_eq!(whats(ROWS, &built), expected);
    }

    #[test]
    fn a_crate_that_is_not_drawn_is_refused() {
        let built = [BUILT[0], BUILT[1], BUILT[2], BUILT[3], ("new", "")];
        assert_eq!(whats(ROWS, &built), ["crate `new` is not in the layer table of ARCHITECTURE.md"]);
    }

    #[test]
    fn upwards_and_undeclared_sideways_are_refused() {
        let rows = "| L0 | `low` | `low → mid` |\n| L1 | `mid` | `side` |\n| L1 | `side` | |";
        let expected = [
            "`low` (L0) may not use `mid` (L1): it is not below",
            "`mid` (L1) may not use `side` (L1): it is not below",
        ];
        assert_eq!(whats(rows, &[("low", "mid"), ("mid", "side"), ("side", "")]), expected);
    }

    #[test]
    fn a_page_without_its_table_is_refused() {
        assert_eq!(check(&Tree::of(&[])).len(), 1);
        assert_eq!(check(&Tree::of(&[(PAGE, "# nothing")])).len(), 1);
    }
}
