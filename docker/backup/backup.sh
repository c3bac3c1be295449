#!/bin/bash
# Makes a backup of the database and of Redis, proves that it can be restored, and removes old ones.
# It runs where PostgreSQL's programs are: in the service `backup`, or on a machine without Docker.
set -euo pipefail
umask 077
# shellcheck source=docker/backup/lib.sh
. "$(dirname "$0")/lib.sh"

[ -n "$PGPASSWORD" ] || refuse "POSTGRES_PASSWORD is missing"
[ -d "$BACKUP_DIR" ] || refuse "there is no folder $BACKUP_DIR"
case ${BACKUP_RETENTION_DAYS:=30} in
'' | *[!0-9]*) refuse "BACKUP_RETENTION_DAYS is a number of days, not \"$BACKUP_RETENTION_DAYS\"" ;;
esac
exec 9>"$BACKUP_DIR/.lock" || refuse "$BACKUP_DIR cannot be written to"
flock -n 9 || refuse "another backup is running"

name=$POSTGRES_DB-$(date -u +%Y%m%dT%H%M%SZ)
draft=$BACKUP_DIR/.partial-$name
scratch=${POSTGRES_DB}_verify_$$
session_pid=
clean() {
    [ -z "$session_pid" ] || kill "$session_pid" 2>/dev/null || true
    rm -rf "$draft"
    query postgres "drop database if exists \"$scratch\"" >/dev/null 2>&1 || true
}
trap clean EXIT
trap 'exit 1' INT TERM
rm -rf "$BACKUP_DIR"/.partial-*
attempt "$BACKUP_DIR cannot be written to" mkdir "$draft"

# One snapshot for the dump and for what is counted: an open transaction lends it.
attempt "the database cannot be reached" query "$POSTGRES_DB" "select 1" >/dev/null
coproc SESSION { psql -qAtX -F '	' -v ON_ERROR_STOP=1; }
# shellcheck disable=SC2153 # set by coproc
session_pid=$SESSION_PID
exec 7<&"${SESSION[0]}" 8>&"${SESSION[1]}"
echo "begin isolation level repeatable read read only; select pg_export_snapshot();" >&8
read -r -t 60 snapshot <&7 || refuse "the database gave no snapshot"
attempt "the database could not be dumped" \
    pg_dump --format=custom --snapshot="$snapshot" --file="$draft/database.dump" "$POSTGRES_DB"
printf '%s\n\\echo end\n' "$COUNT_TABLES" >&8
while read -r line <&7 && [ "$line" != end ]; do echo "$line"; done >"$draft/tables.tsv"
[ "${line:-}" = end ] || refuse "the tables could not be counted"
printf 'commit;\n\\q\n' >&8
exec 7<&- 8>&-
wait "$session_pid" 2>/dev/null || true
session_pid=
attempt "the roles could not be dumped" pg_dumpall --roles-only --no-role-passwords --file="$draft/roles.sql"

# A dump that was never restored is a hope.
attempt "the database for the proof could not be made" query postgres "create database \"$scratch\" template template0"
attempt "the dump cannot be restored" pg_restore --exit-on-error --no-owner --dbname="$scratch" "$draft/database.dump"
attempt "the restored tables cannot be counted" count_tables "$scratch" >"$draft/restored.tsv"
cmp -s "$draft/tables.tsv" "$draft/restored.tsv" ||
    refuse "the restored dump differs in $(diff "$draft/tables.tsv" "$draft/restored.tsv" | awk '/^[<>]/ { print $2 }' | sort -u | tr '\n' ' ')"
rm "$draft/restored.tsv"
query postgres "drop database \"$scratch\""

# Asks Redis and prints its answers, one line for each.
redis() {
    local command
    exec 3<>"/dev/tcp/$REDIS_HOST/$REDIS_PORT" || return 1
    printf 'AUTH %s\r\n' "${REDIS_PASSWORD:-}" >&3
    for command in "$@"; do printf '%s\r\n' "$command" >&3; done
    printf 'QUIT\r\n' >&3
    timeout 10 cat <&3 | tr -d '\r'
    exec 3<&- 3>&-
}
persistence() { # persistence KEY
    redis "INFO persistence" | sed -n "s/^$1://p"
}
snapshot_redis() {
    local before deadline=$((SECONDS + 600))
    before=$(persistence rdb_saves)
    [ -n "$before" ] || { echo "it cannot be reached, or refuses the password" >&2; return 1; }
    # One that is under way may have begun too early: the next one counts.
    while [ "$(persistence rdb_bgsave_in_progress)" != 0 ]; do
        [ $SECONDS -lt $deadline ] || { echo "it has been saving for ten minutes" >&2; return 1; }
        sleep 0.2
    done
    before=$(persistence rdb_saves)
    redis "BGSAVE SCHEDULE" | grep -q '^+Background' || { echo "it does not begin to save" >&2; return 1; }
    # The number counts beginnings; the end shows elsewhere.
    while [ "$(persistence rdb_saves)" = "$before" ] || [ "$(persistence rdb_bgsave_in_progress)" != 0 ]; do
        [ $SECONDS -lt $deadline ] || { echo "it did not save within ten minutes" >&2; return 1; }
        sleep 0.2
    done
    [ "$(persistence rdb_last_bgsave_status)" = ok ] || { echo "saving failed there: see its log" >&2; return 1; }
    cp "$REDIS_DIR/dump.rdb" "$draft/redis.rdb" && [ "$(head -c 5 "$draft/redis.rdb")" = REDIS ]
}
complaint=
if [ -n "$REDIS_HOST" ]; then
    said=$(mktemp)
    if ! snapshot_redis 2>"$said"; then
        complaint="$name is without Redis: $(tail -n 1 "$said")"
        rm -f "$draft/redis.rdb"
    fi
    rm -f "$said"
fi

(cd "$draft" && sha256sum -- * >SHA256SUMS)
attempt "the backup cannot be written to the disk" sync "$draft"/*
mv "$draft" "$BACKUP_DIR/$name"
rows=$(awk -F '\t' '{ rows += $2 } END { print rows + 0 }' "$BACKUP_DIR/$name/tables.tsv")
echo "$BACKUP_DIR/$name: $(wc -l <"$BACKUP_DIR/$name/tables.tsv") tables, $rows rows, restored and compared"

oldest=$POSTGRES_DB-$(date -u -d "-$BACKUP_RETENTION_DAYS days" +%Y%m%dT%H%M%SZ)
for old in "$BACKUP_DIR/$POSTGRES_DB"-[0-9]*Z; do
    [[ ${old##*/} < $oldest && ${old##*/} != "$name" ]] || continue
    rm -rf "$old"
    echo "$old: removed after $BACKUP_RETENTION_DAYS days"
done

if [ -n "${BACKUP_HOOK:-}" ]; then
    "$BACKUP_HOOK" "$BACKUP_DIR/$name" || refuse "$BACKUP_HOOK failed: $name is here and nowhere else"
fi
[ -z "$complaint" ] || refuse "$complaint"
