#!/usr/bin/env bash
# Changes one expression after the other in a copy (cargo-mutants) and runs the changed crate's own tests: a change that no test
# notices is an error. Names of crates, or paths of files, as arguments change those alone; many hours for all of them.
#
# What lives on though nothing is wrong with the tests is left out by .cargo/mutants.toml, with its reason in docs/mutation.md. A
# change under which the tests do not end counts as found. VIGIE_MUTATE_TESTS names the tests that are run ("--lib --test time";
# all of the crate), which saves time where one file of tests is about one file of code: what fewer tests notice, all do. Lists and
# logs are in target/mutate/<crate>/mutants.out.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

VERSION=27.1.0
CRATES=(seal ledger auditor policy)
TOOL="$VIGIE_CACHE/cargo-mutants-$VERSION"
TREE="$VIGIE_TARGET/mutate/tree"

install_tool() {
    [ -x "$TOOL/bin/cargo-mutants" ] && return
    echo "mutate: installing cargo-mutants $VERSION in $TOOL"
    CARGO_TARGET_DIR="$VIGIE_TARGET/mutate/tool" cargo install --quiet --locked --root "$TOOL" "cargo-mutants@$VERSION"
    rm -rf "$VIGIE_TARGET/mutate/tool"
}

# What is tracked or new, written only where it differs: what did not change is not built again, and what a run that was stopped
# left changed is set right.
copy_tree() {
    mkdir -p "$TREE"
    local file
    while IFS= read -r -d '' file; do
        [ -f "$file" ] || continue # removed, and not yet said so
        cmp -s "$file" "$TREE/$file" || install -D "$file" "$TREE/$file"
    done < <(git ls-files -z --cached --others --exclude-standard)
}

# $1 crate, then files of it (none: all)
mutate() {
    local crate="$1" output="$VIGIE_TARGET/mutate/$1" options=() status=0 word
    shift
    for word in "$@"; do options+=(--file "$word"); done
    for word in ${VIGIE_MUTATE_TESTS:---tests}; do options+=("--cargo-arg=$word"); done
    mkdir -p "$output"
    # what an earlier run that was stopped built of its last change is not taken for the crate as it stands
    rm -rf "$VIGIE_TARGET/mutate/build/debug/incremental/$crate"-*
    touch "$TREE/crates/$crate/src/lib.rs"
    echo "== $crate ${options[*]}"
    # in place, in the copy: a copy of cargo-mutants' own would be built from nothing each time
    (cd "$TREE" && CARGO_TARGET_DIR="$VIGIE_TARGET/mutate/build" nice -n 10 "$TOOL/bin/cargo-mutants" mutants \
        --in-place --package "$crate" --output "$output" --colors never "${options[@]}") || status=$?
    case "$status" in
        0 | 2 | 3) ;; # 2: some were missed; 3: under some, the tests did not end, whether or not others were missed
        *)
            echo "mutate: cargo-mutants ended with $status in $crate, logs are in $output/mutants.out" >&2
            exit "$status"
            ;;
    esac
    [ ! -s "$output/mutants.out/missed.txt" ] || missed+=("$crate")
}

scripts/setup.sh
install_tool
copy_tree
missed=()
declare -A files=()
if [ "$#" = 0 ]; then set -- "${CRATES[@]}"; fi
for wanted in "$@"; do
    case "$wanted" in
        crates/*/*) files["$(cut -d/ -f2 <<<"$wanted")"]+=" $wanted" ;;
        *) files["$wanted"]+="" ;;
    esac
done
for crate in "${CRATES[@]}"; do
    # shellcheck disable=SC2086 # no path of ours has a space
    [ -z "${files[$crate]+named}" ] || mutate "$crate" ${files[$crate]}
done
for crate in ${missed[@]+"${missed[@]}"}; do
    echo "mutate: no test of $crate notices:" >&2
    cat "$VIGIE_TARGET/mutate/$crate/mutants.out/missed.txt" >&2
done
[ "${#missed[@]}" = 0 ] || exit 1
echo "mutate: every change is noticed"
