# shellcheck shell=bash disable=SC2034
# Sourced by every finding: a temporary folder that goes away, ways to fill it, and the comparison.
#
# `background PID` names a process to end at the end. `seen WHAT WANTED GOT` prints what was got and ends the
# script with 1 if it is not what the finding says.
set -euo pipefail
work=$(mktemp -d)
started=()
tidy() {
    local pid
    for pid in "${started[@]}"; do
        kill "$pid" 2> /dev/null || true
        wait "$pid" 2> /dev/null || true
    done
    chmod -R u+rwX "$work" 2> /dev/null || true
    rm -rf "$work"
}
trap tidy EXIT
cd "$work"

background() { started+=("$1"); }

seen() {
    if [ "$2" = "$3" ]; then
        printf 'as found: %s: %s\n' "$1" "$3"
    else
        printf 'CHANGED: %s\n  the finding says: %s\n  now: %s\n' "$1" "$2" "$3" >&2
        exit 1
    fi
}

# Python packages, NAME==VERSION; then "$python" has them.
pip_packages() {
    python3 -m venv env
    env/bin/pip install --quiet --disable-pip-version-check "$@"
    python=$work/env/bin/python
}

# npm packages, NAME@VERSION, without their install scripts.
npm_packages() {
    npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$work" "$@"
}

# Debian packages, NAME=VERSION, unpacked and not installed; their programs and libraries come first.
deb_packages() {
    (mkdir debs && cd debs && apt-get download -qq "$@" 2> /dev/null)
    local package
    for package in debs/*.deb; do dpkg -x "$package" root; done
    export PATH=$work/root/usr/bin:$work/root/usr/sbin:$PATH
    export LD_LIBRARY_PATH=$work/root/usr/lib/x86_64-linux-gnu${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
}

# Maven artifacts, GROUP:NAME:VERSION; then `jars` is a class path.
maven_packages() {
    local coordinate dependencies='' group name version
    for coordinate in "$@"; do
        IFS=: read -r group name version <<< "$coordinate"
        dependencies+="<dependency><groupId>$group</groupId><artifactId>$name</artifactId><version>$version</version></dependency>"
    done
    cat > pom.xml << EOF
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>finding</groupId><artifactId>finding</artifactId><version>1</version>
<dependencies>$dependencies</dependencies></project>
EOF
    mvn -q -B dependency:copy-dependencies -DoutputDirectory="$work/lib" > /dev/null
    jars="$work/lib/*:$work"
}

# A Go program on standard input, with modules NAME@VERSION; then ./program is it.
go_program() {
    mkdir -p program.d
    cat > program.d/main.go
    (cd program.d && go mod init finding 2> /dev/null && go get "$@" 2> /dev/null &&
        GOFLAGS=-mod=mod go build -o ../program . 2> ../go.log) || { cat go.log >&2; exit 1; }
}

# A Rust program on standard input; arguments are lines of [dependencies].
rust_program() {
    mkdir -p crate/src
    cat > crate/src/main.rs
    { printf '[package]\nname="finding"\nversion="0.1.0"\nedition="2021"\n[profile.dev]\ndebug=0\n[dependencies]\n'; printf '%s\n' "$@"; } > crate/Cargo.toml
    (cd crate && CARGO_TARGET_DIR=$work/target cargo build -q)
    cp target/debug/finding program
}

# Debian's registry 2.8.2 on a free port of 127.0.0.1; then $registry is its address.
debian_registry() {
    deb_packages docker-registry=2.8.2+ds1-1
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat > registry.yml << EOF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/blobs}}
http: {addr: "127.0.0.1:$port"}
EOF
    docker-registry serve registry.yml > registry.log 2>&1 &
    background $!
    registry=http://127.0.0.1:$port
    curl -s -o /dev/null --retry 50 --retry-delay 1 --retry-connrefused --max-time 60 "$registry/v2/"
}

digest_of() { printf 'sha256:%s' "$(sha256sum "$1" | cut -d' ' -f1)"; }

# push_blob REPOSITORY FILE
push_blob() {
    local where
    where=$(curl -s -D - -o /dev/null -X POST "$registry/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
    curl -sf -o /dev/null -X PUT --data-binary @"$2" -H 'Content-Type: application/octet-stream' "$where&digest=$(digest_of "$2")"
}

# A docker that writes its arguments down, a line each, into `calls`, and does nothing.
fake_docker() {
    printf '#!/bin/sh\necho "$*" >> %s/calls\n' "$work" > fake-docker
    chmod +x fake-docker
}

# podman-compose 1.6.0 with a podman that writes its arguments down, a line each, into `calls` and does nothing.
podman_compose() {
    [ -d env ] || pip_packages podman-compose==1.6.0 pyyaml==6.0.3 python-dotenv==1.2.1
    mkdir -p fake
    cat > fake/podman << EOF
#!/bin/sh
echo "\$*" >> $work/calls
case "\$*" in
    *--version*) echo 'podman version 5.4.0' ;;
    ps*|*inspect*) echo '[]' ;;
esac
EOF
    chmod +x fake/podman
    rm -f calls
    PATH=$work/fake:$PATH env/bin/podman-compose "$@" > compose.log 2>&1
}

# aardvark-dns 1.4.0 with one network, 127.0.0.1 as its gateway, and the container `web` at 10.9.0.2; then
# `python3 ask.py NAME` prints the code of the answer and, if there is one, address and time to live.
aardvark() {
    deb_packages aardvark-dns=1.4.0-3
    local port
    port=$(python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir config
    printf '127.0.0.1\n%064d 10.9.0.2  web\n' 1 > config/front
    cat > ask.py << EOF
import socket, struct, sys
question = b''.join(bytes([len(part)]) + part.encode() for part in sys.argv[1].split('.')) + b'\0' + struct.pack('>HH', 1, 1)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(5)
for attempt in range(10):
    client.connect(('127.0.0.1', $port))
    client.send(struct.pack('>HHHHHH', 7, 0x100, 1, 0, 0, 0) + question)
    try:
        answer = client.recv(512)
        break
    except ConnectionRefusedError:
        __import__('time').sleep(0.5)  # it is only starting
code = {0: 'NOERROR', 3: 'NXDOMAIN'}.get(answer[3] & 15, answer[3] & 15)
found = answer[12 + len(question):] if struct.unpack('>H', answer[6:8])[0] else b''
print(code, *([socket.inet_ntoa(found[-4:]), struct.unpack('>I', found[-10:-6])[0]] if found else []))
EOF
    root/usr/lib/podman/aardvark-dns --config config -p "$port" run > aardvark.log 2>&1 &
    local wait_for=$!
    python3 ask.py web > /dev/null
    # It runs on in a process of its own.
    if [ -s config/aardvark.pid ]; then background "$(cat config/aardvark.pid)"; else background "$wait_for"; fi
}
