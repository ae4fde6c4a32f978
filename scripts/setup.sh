#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: Debian packages, a Python for the independent readers.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/places.sh

# package → the command whose absence asks for it
declare -A command_of=(
    [build-essential]=cc [pkg-config]=pkg-config [cmake]=cmake [ffmpeg]=ffprobe
    [softhsm2]=softhsm2-util [chromium]=chromium [python3]=python3 [jq]=jq [openssl]=openssl
    [poppler-utils]=pdftotext [qpdf]=qpdf # papers, read back by programs that did not make them
    [cvc5]=cvc5 # proofs about the law, scripts/prove.sh
    [xfsprogs]=xfs_io [fiu-utils]=fiu-ctrl [faketime]=faketime # faults of disks, calls and clocks
)

missing_packages() {
    for package in "${!command_of[@]}"; do
        command -v "${command_of[$package]}" >/dev/null || echo "$package"
    done
    python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
    [ -e /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ] || echo fonts-dejavu-core
    # cameras of another maker, for programs/simulated/tests/streams.rs; Debian's own Python has the bindings
    /usr/bin/python3 -c 'import gi; gi.require_version("GstRtspServer", "1.0")' 2>/dev/null ||
        printf '%s\n' python3-gi gir1.2-gst-rtsp-server-1.0
    compgen -G '/usr/lib/*/gstreamer-1.0/libgstrtp.so' >/dev/null || echo gstreamer1.0-plugins-good
    compgen -G '/usr/lib/*/gstreamer-1.0/libgstmpegtsdemux.so' >/dev/null || echo gstreamer1.0-plugins-bad
    # what vigie-picture is linked with, and the reader of its headers (decision 0080)
    compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || echo libclang-dev
    local library
    for library in libavcodec libavformat libavutil libswscale; do
        compgen -G "/usr/lib/*/pkgconfig/$library.pc" >/dev/null || echo "$library-dev"
    done
}

install() {
    local root=()
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "setup: missing: $*. Install them as root: apt-get install $*" >&2
            exit 1
        fi
        root=(sudo)
    fi
    echo "setup: installing $*"
    "${root[@]}" apt-get -q update
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
        -o DPkg::Lock::Timeout=300 "$@" </dev/null
}

# $1 name, $2 version found, $3 version needed
at_least() {
    if [ "$(printf '%s\n%s\n' "$3" "$2" | sort -V | head -n 1)" != "$3" ]; then
        echo "setup: $1 $2 is too old, $3 is needed: $4" >&2
        exit 1
    fi
}

check_compilers() {
    local rust
    rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    command -v cargo >/dev/null || { echo "setup: no cargo: install Rust $rust (rustup)" >&2; exit 1; }
    command -v npm >/dev/null || { echo "setup: no npm: install Node 20.19 or later" >&2; exit 1; }
    at_least Rust "$(rustc --version | cut -d' ' -f2)" "$rust" "rustup update stable"
    at_least Node "$(node --version | tr -d v)" 20.19 "install Node 20.19 or later"
}

# The readers of our formats that share no code with us stand on two of these libraries only; the third makes requests out of
# the document of the interface. One folder per list of requirements and Python, so that a change of either makes a new one; a
# second run at the same time waits.
make_venv() {
    [ -e "$VIGIE_VENV/ready" ] && return
    mkdir -p "$VIGIE_CACHE"
    (
        flock 9
        [ -e "$VIGIE_VENV/ready" ] && exit
        rm -rf "$VIGIE_VENV"
        echo "setup: a Python for what shares no code with ours in $VIGIE_VENV"
        python3 -m venv "$VIGIE_VENV"
        "$VIGIE_VENV/bin/python3" -m pip install --quiet --only-binary :all: "${VIGIE_WHEELS[@]}"
        "$VIGIE_VENV/bin/python3" -c 'import blake3, cryptography, schemathesis'
        touch "$VIGIE_VENV/ready"
    ) 9>"$VIGIE_CACHE/venv.lock"
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
    install "${missing[@]}"
fi
check_compilers
. scripts/places.sh # python3 may be new
make_venv
# tests find it here whatever the list was
ln -sfn "$VIGIE_VENV" "$VIGIE_CACHE/venv"
