# What backup.sh and restore.sh have in common: how they fail, and how they count.
# shellcheck shell=bash

: "${PGHOST:=localhost}" "${POSTGRES_DB:=hub_lib}" "${POSTGRES_USER:=hub_lib_user}" "${BACKUP_DIR:=/backups}"
: "${REDIS_HOST:=}" "${REDIS_PORT:=6379}" "${REDIS_DIR:=/redis}"
export PGHOST PGUSER=$POSTGRES_USER PGDATABASE=$POSTGRES_DB PGPASSWORD=${POSTGRES_PASSWORD:-}
# Values look the same in every session that counts them.
export PGOPTIONS='-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c bytea_output=hex -c extra_float_digits=1 -c client_min_messages=warning'

refuse() {
    echo "${0##*/}: $1" >&2
    exit 1
}

attempt() { # attempt WHAT COMMAND…: one sentence when it fails
    local what=$1 said
    shift
    said=$(mktemp)
    if "$@" 2>"$said"; then
        rm -f "$said"
        return 0
    fi
    local last
    last=$(grep -v '^$' "$said" | grep -iE 'error|fatal|no space|denied' | head -n 1 || true)
    [ -n "$last" ] || last=$(grep -v '^$' "$said" | tail -n 1 || true)
    rm -f "$said"
    refuse "$what${last:+: $last}"
}

query() { # query DATABASE SQL
    psql -qAtX -v ON_ERROR_STOP=1 -d "$1" -c "$2"
}

# A statement for each table: its name, its rows, and a sum over them that does not depend on their order.
COUNT_TABLES="select format(
    'select %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %I.%I t',
    n.nspname || '.' || c.relname, n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence <> 't' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
order by n.nspname collate \"C\", c.relname collate \"C\" \\gexec"

count_tables() { # count_tables DATABASE
    psql -qAtX -F '	' -v ON_ERROR_STOP=1 -d "$1" <<<"$COUNT_TABLES"
}
