#!/bin/sh
# Starts a replica: copies the primary on the first start, then follows it.
set -eu

refuse() {
    echo "replica: $1" >&2
    exit 1
}

for name in POSTGRES_PASSWORD REPLICATION_PASSWORD; do
    eval "value=\${$name:-}"
    [ -n "$value" ] ||
        refuse "$name is missing: complete .env.production with docker/init-env.sh, and start with docker compose --env-file .env.production"
    case $value in
    *[!A-Za-z0-9_.~-]*) refuse "$name may hold letters, digits and - _ . ~ only, since it becomes part of a URL" ;;
    esac
done

data=${PGDATA:-/var/lib/postgresql/data}
owner="host=postgres user=$POSTGRES_USER password=$POSTGRES_PASSWORD dbname=$POSTGRES_DB"
if [ ! -s "$data/PG_VERSION" ]; then
    # The role that replicates has no other right, and its password is that of the environment.
    psql "$owner" -qX -v ON_ERROR_STOP=1 -v password="$REPLICATION_PASSWORD" <<'SQL' || refuse "the primary cannot be reached as $POSTGRES_USER"
select 'create role replicator' where not exists (select from pg_roles where rolname = 'replicator') \gexec
alter role replicator with login replication password :'password';
select pg_create_physical_replication_slot('replica')
where not exists (select from pg_replication_slots where slot_name = 'replica') \g /dev/null
SQL
    mkdir -p "$data"
    find "$data" -mindepth 1 -delete
    pg_basebackup --pgdata="$data" --wal-method=stream --slot=replica --write-recovery-conf --checkpoint=fast \
        --dbname="host=postgres user=replicator password=$REPLICATION_PASSWORD application_name=replica" ||
        refuse "the primary could not be copied; the next start tries again"
    [ "$(id -u)" != 0 ] || chown -R postgres "$data"
    chmod 700 "$data"
fi
exec sh /etc/passerelle/start.sh -c hot_standby=on
