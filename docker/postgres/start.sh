#!/bin/sh
# Starts PostgreSQL in its official image: refuses what cannot work, and sizes it by the memory of its container.
set -eu

refuse() {
    echo "postgres: $1" >&2
    exit 1
}

[ -n "${POSTGRES_PASSWORD:-}" ] ||
    refuse "POSTGRES_PASSWORD is missing: write .env.production with docker/init-env.sh, and start with docker compose --env-file .env.production up -d"
case $POSTGRES_PASSWORD in
*[!A-Za-z0-9_.~-]*) refuse "POSTGRES_PASSWORD may hold letters, digits and - _ . ~ only, since it becomes part of a URL" ;;
esac
[ ${#POSTGRES_PASSWORD} -ge 16 ] ||
    refuse "POSTGRES_PASSWORD has fewer than 16 characters: docker/init-env.sh makes a good one"

data=${PGDATA:-/var/lib/postgresql/data}
if [ -s "$data/PG_VERSION" ]; then
    theirs=$(cat "$data/PG_VERSION")
    ours=$(postgres --version | sed 's/^[^0-9]*\([0-9]*\).*/\1/')
    [ "$theirs" = "$ours" ] ||
        refuse "the volume holds a database of PostgreSQL $theirs and this is $ours: nothing was touched; docs/operations.md says how to move it"
fi

# Bytes that this container may use, or that the machine has.
limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || echo max)
total=$(awk '/^MemTotal:/ { printf "%d", $2 * 1024 }' /proc/meminfo)
memory=$(awk -v limit="$limit" -v total="$total" 'BEGIN { printf "%d", (limit == "max" || limit + 0 > total) ? total : limit }')
megabytes=$((memory / 1048576))
share() { # share DIVISOR LEAST MOST, in megabytes
    value=$((megabytes / $1))
    [ "$value" -ge "$2" ] || value=$2
    [ "$value" -le "$3" ] || value=$3
    echo "${value}MB"
}

exec docker-entrypoint.sh postgres \
    -c hba_file=/etc/passerelle/pg_hba.conf \
    -c listen_addresses='*' \
    -c password_encryption=scram-sha-256 \
    -c wal_level=logical \
    -c max_wal_senders=20 \
    -c max_replication_slots=20 \
    -c max_slot_wal_keep_size=2GB \
    -c max_connections=200 \
    -c shared_buffers="$(share 4 64 16384)" \
    -c effective_cache_size="$(share 2 128 131072)" \
    -c maintenance_work_mem="$(share 16 32 1024)" \
    -c work_mem="$(share 200 4 64)" \
    -c max_wal_size="$(share 1 1024 8192)" \
    -c checkpoint_completion_target=0.9 \
    -c random_page_cost=1.1 \
    -c log_min_duration_statement=1000 \
    -c log_parameter_max_length=0 \
    -c log_checkpoints=off \
    "$@"
