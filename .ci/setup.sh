#!/bin/sh
# Make .venv from uv.lock: find a Python, find or fetch uv, install, compile the kernel. Does nothing when nothing changed.
#
#   .ci/setup.sh          .venv, everything a developer needs
#   .ci/setup.sh docs     .venv-docs, only what builds the site
#
# Environment: PYTHON (interpreter to use), UV (uv to use), and pip's and uv's own index settings.
set -eu
cd "$(dirname "$0")/.."

purpose=${1:-dev}
case $purpose in
    dev) environment=.venv groups="" ;;
    docs) environment=.venv-docs groups="--only-group docs" ;;
    *) echo "setup: unknown purpose '$purpose'; use dev or docs" >&2; exit 2 ;;
esac
bootstrap=.venv-bootstrap

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

# --- is there anything to do? -------------------------------------------------------------------------------------

fingerprint() { cat uv.lock pyproject.toml .ci/setup.sh | cksum; pwd; }
kernel_fingerprint() { find rustybt/kernel rustybt/model rustybt/sweeps rustybt/data/text rustybt/data/scan.py -name '*.py' -exec cksum {} + 2>/dev/null | sort -k 3; }
same() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

installed() { same "$environment/.installed" "$(fingerprint)" && "$environment/bin/python" -c "" 2>/dev/null; }
warmed() { [ "$purpose" != dev ] || same "$environment/.warmed" "$(kernel_fingerprint)"; }

# --- Python -------------------------------------------------------------------------------------------------------

# Prints the real interpreter behind a command, or nothing. The command has to run: a pyenv shim exists on PATH even
# where no chosen version provides it.
real_python() {
    "$1" -I -c '
import sys
good = sys.version_info >= (3, 12) and sys.implementation.name == "cpython"
if good:
    import sysconfig
    good = not sysconfig.get_config_var("Py_GIL_DISABLED")
    import ctypes, sqlite3, ssl, zlib
    print(getattr(sys, "_base_executable", "") or sys.executable)
sys.exit(not good)' 2>/dev/null </dev/null
}

on_path() { # every executable of that name on PATH, not the first alone
    old_ifs=$IFS; IFS=:
    for folder in $PATH; do
        if [ -x "$folder/$1" ] && [ ! -d "$folder/$1" ]; then echo "$folder/$1"; fi
    done
    IFS=$old_ifs
}

pyenv_versions() {
    { pyenv root 2>/dev/null || true; echo "${PYENV_ROOT:-}"; echo "${HOME:-}/.pyenv"; } | sort -u | while read -r root; do
        if [ -n "$root" ] && [ -d "$root/versions" ]; then echo "$root/versions"; fi
    done
}

python_candidates() {
    for name in python3.12 python3.13 python3.14 python3 python; do on_path "$name"; done
    pyenv_versions | while read -r versions; do
        for minor in 12 13 14; do ls -d "$versions"/3.$minor*/bin/python 2>/dev/null || true; done
    done
    for pattern in "${UV_PYTHON_INSTALL_DIR:-${HOME:-}/.local/share/uv/python}" /opt/python /opt/conda; do
        ls "$pattern"/bin/python3 "$pattern"/*/bin/python3 2>/dev/null || true
    done
    ls /usr/bin/python3.1? /usr/local/bin/python3.1? /opt/homebrew/bin/python3.1? 2>/dev/null || true
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        real_python "$PYTHON" || true
        return
    fi
    python_candidates | while read -r candidate; do
        if real_python "$candidate"; then break; fi
    done
}

# --- uv -----------------------------------------------------------------------------------------------------------

usable_uv() { # runs, and knows dependency groups and lock revisions (0.5 and later)
    case "$("$1" --version 2>/dev/null </dev/null)" in
        "uv 0.0."* | "uv 0.1."* | "uv 0.2."* | "uv 0.3."* | "uv 0.4."*) return 1 ;;
        "uv "*) return 0 ;;
        *) return 1 ;;
    esac
}

uv_candidates() {
    if [ -n "${UV:-}" ]; then echo "$UV"; fi
    on_path uv
    for place in "$bootstrap/bin/uv" "${HOME:-}/.local/bin/uv" "${HOME:-}/.cargo/bin/uv" /usr/local/bin/uv /opt/homebrew/bin/uv; do
        if [ -x "$place" ]; then echo "$place"; fi
    done
    pyenv_versions | while read -r versions; do ls "$versions"/*/bin/uv 2>/dev/null || true; done
}

find_uv() {
    uv_candidates | while read -r candidate; do
        if usable_uv "$candidate"; then echo "$candidate"; break; fi
    done
}

fetch_uv_with() {
    rm -rf "$bootstrap"
    "$1" -m venv "$bootstrap" && "$bootstrap/bin/python" -m pip install --quiet uv && return
    rm -rf "$bootstrap"
    "$1" -m pip install --quiet --target "$bootstrap" uv
}

# Any Python with venv or pip can fetch uv: it need not be the one that runs RustyBT.
fetch_uv() {
    { echo "$python"; on_path python3; on_path python; } | while read -r helper; do
        [ -n "$helper" ] || continue
        if fetch_uv_with "$helper" >>"$log" 2>&1 </dev/null; then break; fi
    done
    usable_uv "$bootstrap/bin/uv" && echo "$bootstrap/bin/uv"
}

# --- install ------------------------------------------------------------------------------------------------------

# The index somebody chose instead of pypi.org, if any. The lock file names files on pypi.org, which such a machine may
# not reach; the versions and hashes in it hold for every mirror.
other_index() {
    chosen=${UV_DEFAULT_INDEX:-${UV_INDEX_URL:-${PIP_INDEX_URL:-}}}
    if [ -z "$chosen" ]; then chosen=$("$python" -m pip config get global.index-url 2>/dev/null || true); fi
    case $chosen in
        "" | https://pypi.org/simple | https://pypi.org/simple/) ;;
        *) echo "$chosen" ;;
    esac
}

install_locked() {
    # shellcheck disable=SC2086  # groups is a list of words
    "$uv" sync --quiet --frozen --compile-bytecode $groups
}

install_from() {
    # shellcheck disable=SC2086
    "$uv" export --quiet --frozen --no-header --no-emit-project $groups --output-file "$environment.requirements" >/dev/null &&
        "$uv" venv --quiet --allow-existing "$environment" &&
        "$uv" pip sync --quiet --default-index "$1" --require-hashes --compile-bytecode --python "$environment/bin/python" \
            "$environment.requirements" &&
        rm -f "$environment.requirements" || return 1
    if [ "$purpose" = dev ]; then
        "$uv" pip install --quiet --default-index "$1" --no-deps --python "$environment/bin/python" --editable .
    fi
}

# uv trusts its own list of authorities; a company's proxy is known to the system only. pip already looks there.
trust_system_certificates() {
    for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
        if [ -s "$bundle" ]; then
            export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-1}" UV_NATIVE_TLS="${UV_NATIVE_TLS:-1}"
            return
        fi
    done
}

install() {
    log=$(mktemp "${TMPDIR:-/tmp}/rustybt-setup.XXXXXX")
    trap 'rm -f "$log"' EXIT
    python=$(find_python)
    if [ -n "${PYTHON:-}" ] && [ -z "$python" ]; then
        fail "PYTHON=$PYTHON is not a working CPython 3.12 or later (with ctypes, sqlite3, ssl and zlib)"
    fi
    trust_system_certificates
    uv=$(find_uv)
    if [ -z "$uv" ]; then
        if [ -z "$python$(on_path python3)" ]; then fail "missing: Python 3.12 or later; install it, or set PYTHON=/path/to/python3.12"; fi
        say "fetching uv"
        uv=$(fetch_uv) || fail "missing: uv, and it could not be fetched ($(tail -n 1 "$log")); see https://docs.astral.sh/uv/"
    fi

    export UV_PROJECT_ENVIRONMENT="$environment"
    unset VIRTUAL_ENV UV_PYTHON UV_PYTHON_PREFERENCE
    if [ -z "$python" ]; then
        say "no Python 3.12 or later on this machine; asking uv to download one"
        "$uv" python install --quiet 3.12 >"$log" 2>&1 </dev/null && python=$("$uv" python find 3.12 2>>"$log") ||
            fail "missing: Python 3.12 or later, and it could not be downloaded; install it, or set PYTHON=/path/to/python3.12"
    fi
    export UV_PYTHON="$python" UV_PYTHON_DOWNLOADS=never
    export UV_COMPILE_BYTECODE_TIMEOUT="${UV_COMPILE_BYTECODE_TIMEOUT:-600}" # a busy machine takes longer than the minute uv allows

    say "installing into $environment with $("$python" -V) ($python)"
    index=$(other_index)
    if [ -n "$index" ]; then install_from "$index"; else install_locked; fi || fail "installing failed; the lines above say why"
    fingerprint >"$environment/.installed"
}

# --- compile ------------------------------------------------------------------------------------------------------

warm() {
    if "$environment/bin/rustybt" warm --help >/dev/null 2>&1; then
        say "compiling the kernel, sweeps and the reader of large files, about half a minute, once"
        if ! "$environment/bin/rustybt" warm --json >/dev/null; then
            say "the kernel could not be compiled ahead; the first run of each process will compile it, about 15 seconds"
            return
        fi
    fi
    kernel_fingerprint >"$environment/.warmed"
}

installed || install
warmed || warm
