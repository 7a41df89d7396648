# The users that tests and measurements run as.
# shellcheck shell=bash

# A user as `adduser` makes it, subordinate ids included.
ensure_user() {
    id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
    grep -q "^$1:" /etc/subuid || usermod --add-subuids 1000000-1065535 --add-subgids 1000000-1065535 "$1"
}

# A user without subordinate ids, as many directories (LDAP) give them.
ensure_plain_user() {
    id "$1" > /dev/null 2>&1 || useradd --create-home --shell /bin/bash "$1"
    sed -i "/^$1:/d" /etc/subuid /etc/subgid
}
