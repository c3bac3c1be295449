#!/bin/bash
# Restores a backup: restore.sh FOLDER. The database of now stays as it is until the restored one has been compared with
# the backup; then they change places, and the one of before is kept under another name.
set -euo pipefail
umask 077
# shellcheck source=docker/backup/lib.sh
. "$(dirname "$0")/lib.sh"

backup=${1:-}
[ -n "$backup" ] || refuse "name the folder of a backup"
[ -d "$backup" ] || backup=$BACKUP_DIR/$backup
[ -f "$backup/database.dump" ] || refuse "there is no backup ${1:-}"
[ -n "$PGPASSWORD" ] || refuse "POSTGRES_PASSWORD is missing"
(cd "$backup" && sha256sum --quiet --check SHA256SUMS >/dev/null 2>&1) || refuse "$backup was damaged: its files differ from SHA256SUMS"

for _ in $(seq 120); do
    pg_isready -q -d postgres && break
    sleep 0.5
done
attempt "the database server cannot be reached" query postgres "select 1" >/dev/null

now=$(date -u +%Y%m%dT%H%M%SZ)
new=${POSTGRES_DB}_restoring_$$
before=${POSTGRES_DB}_before_$now
clean() {
    query postgres "drop database if exists \"$new\"" >/dev/null 2>&1 || true
    query postgres "alter database \"$POSTGRES_DB\" allow_connections true" >/dev/null 2>&1 || true
}
trap clean EXIT
trap 'exit 1' INT TERM

# Roles that exist keep their passwords, which are not in the backup: the gateway sets its own.
roles() {
    sed 's/^CREATE ROLE .*;$/do $$ begin & exception when duplicate_object then null; end $$;/' "$backup/roles.sql" |
        psql -qX -v ON_ERROR_STOP=1 -d postgres >/dev/null
}
attempt "the roles cannot be restored" roles
attempt "the new database cannot be made" query postgres "create database \"$new\" template template0"
attempt "the backup cannot be restored" pg_restore --exit-on-error --dbname="$new" "$backup/database.dump"
counted=$(mktemp)
attempt "the restored tables cannot be counted" count_tables "$new" >"$counted"
cmp -s "$counted" "$backup/tables.tsv" || refuse "the restored tables differ from those of the backup; nothing was changed"
rm -f "$counted"

swap() {
    if [ "$(query postgres "select count(*) from pg_database where datname = '$POSTGRES_DB'")" = 0 ]; then
        query postgres "alter database \"$new\" rename to \"$POSTGRES_DB\""
        return
    fi
    query postgres "alter database \"$POSTGRES_DB\" allow_connections false"
    query postgres "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '$POSTGRES_DB'" >/dev/null
    query postgres "select pg_drop_replication_slot(slot_name) from pg_replication_slots where database = '$POSTGRES_DB' and not active" >/dev/null
    query postgres "begin; alter database \"$POSTGRES_DB\" rename to \"$before\"; alter database \"$new\" rename to \"$POSTGRES_DB\"; commit"
    query postgres "alter database \"$before\" allow_connections true"
    echo "the database of before is \"$before\" now; to be rid of it: drop database \"$before\""
}
attempt "the databases cannot change places" swap
echo "$backup: $(wc -l <"$backup/tables.tsv") tables restored and compared"

# Redis reads its log of commands, not its snapshot, so the snapshot becomes the beginning of a log.
if [ -f "$backup/redis.rdb" ] && [ -n "$REDIS_HOST" ]; then
    if timeout 2 bash -c "exec 3<>/dev/tcp/$REDIS_HOST/$REDIS_PORT" 2>/dev/null; then
        refuse "the database is restored, Redis is not: it has to be stopped first"
    fi
    log=$REDIS_DIR/.appendonlydir-$now
    attempt "the database is restored, Redis is not" mkdir "$log"
    attempt "the database is restored, Redis is not" cp "$backup/redis.rdb" "$log/appendonly.aof.1.base.rdb"
    echo "file appendonly.aof.1.base.rdb seq 1 type b" >"$log/appendonly.aof.manifest"
    rm -rf "$REDIS_DIR/appendonlydir"
    mv "$log" "$REDIS_DIR/appendonlydir"
    chown -R --reference="$REDIS_DIR" "$REDIS_DIR/appendonlydir"
    echo "Redis will read its snapshot at the next start"
fi
