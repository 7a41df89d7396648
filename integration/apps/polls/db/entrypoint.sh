#!/bin/sh
# Makes the cluster on an empty volume, as the official image does, then runs the command as postgres.
set -e
[ -z "${POSTGRES_PASSWORD_FILE:-}" ] || POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
PATH=/usr/lib/postgresql/15/bin:$PATH
data=/var/lib/postgresql/data
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups env HOME=/tmp "$@"; }
mkdir -p /run/postgresql
chown -R postgres:postgres "$data" /run/postgresql
chmod 700 "$data"
if [ ! -s "$data/PG_VERSION" ]; then
    as_postgres initdb -D "$data" --auth=trust --no-sync > /dev/null
    echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
    as_postgres pg_ctl -D "$data" -w -o "-c listen_addresses=" start > /dev/null
    as_postgres psql -v ON_ERROR_STOP=1 -v user="$POSTGRES_USER" -v password="$POSTGRES_PASSWORD" -v db="$POSTGRES_DB" <<'SQL'
create role :"user" login superuser password :'password';
create database :"db" owner :"user";
SQL
    as_postgres pg_ctl -D "$data" -w -m fast stop > /dev/null
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@" -D "$data" -c listen_addresses='*'
