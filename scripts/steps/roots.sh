# Root filesystems for the end-to-end tests: Debian ones that are made here, once, and the reference images.
# shellcheck shell=bash disable=SC2154

# The reference images, when they are checked out beside us.
shared() {
    local dir=${CORACLE_SHARED:-$PWD/../shared}
    [ ! -d "$dir/images" ] || (cd "$dir" && pwd)
}

# debian_root NAME PACKAGE… : a Debian root with apt and these packages, made once, as $stage/NAME.tar.
# Their database cluster, PostgreSQL's compiler (a third of it) and the code of Go's own tools (more than a half of
# it) are left out.
debian_root() {
    local name=$1 packages tar
    shift
    packages=$(IFS=,; echo "$*")
    tar=$cache/$name-$(cksum <<< "$packages" | cut -d' ' -f1).tar
    if [ ! -s "$tar" ]; then
        mkdir -p "$cache"
        # shellcheck disable=SC2016 # for the shell of the hook
        mmdebstrap --quiet --format=tar --variant=apt --dpkgopt='path-exclude=/usr/share/doc/*' \
            --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
            --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' --dpkgopt='path-exclude=/usr/lib/*/libz3*' \
            --dpkgopt='path-exclude=/usr/lib/go-*/pkg/linux_*/cmd/*' \
            --dpkgopt='path-exclude=/usr/share/go-*/src/cmd/*' --dpkgopt='path-exclude=/usr/share/go-*/test/*' \
            --dpkgopt='path-exclude=/usr/share/go-*/api/*' --dpkgopt=force-unsafe-io \
            --customize-hook='rm -rf "$1"/var/lib/postgresql/15/* "$1"/etc/postgresql/15/*' \
            ${packages:+--include="$packages"} bookworm "$tar.$$" && mv "$tar.$$" "$tar"
    fi
    [ -s "$tar" ] && install -m 644 "$tar" "$stage/$name.tar"
}

# The roots for the tests that install real services, for whole applications on Compose, and for builds of them.
debian_roots() {
    debian_root debian
    debian_root apps gunicorn nginx-light postgresql-15 python3-django python3-psycopg2 python3-redis python3-venv \
        redis-server
    debian_root node nodejs npm
    debian_root golang golang-go
}
