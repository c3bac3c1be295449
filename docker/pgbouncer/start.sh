#!/bin/sh
# Starts PgBouncer for the gateway: transactions share connections, prepared statements are followed.
set -eu
umask 077

case ${AUTHENTICATOR_PASSWORD:-} in
'' | *[!A-Za-z0-9_.~-]*)
    echo "pgbouncer: AUTHENTICATOR_PASSWORD is missing or holds more than letters, digits and - _ . ~: docker/init-env.sh makes one" >&2
    exit 1
    ;;
esac
printf '"authenticator" "%s"\n' "$AUTHENTICATOR_PASSWORD" >/tmp/users.txt
cat >/tmp/pgbouncer.ini <<CONFIGURATION
[databases]
$POSTGRES_DB = host=postgres port=5432 dbname=$POSTGRES_DB

[pgbouncer]
listen_addr = *
listen_port = 6432
unix_socket_dir =
auth_type = scram-sha-256
auth_file = /tmp/users.txt
pool_mode = transaction
default_pool_size = ${POOL_SIZE:-20}
max_client_conn = 1000
max_prepared_statements = 500
ignore_startup_parameters = extra_float_digits,options
CONFIGURATION
exec pgbouncer /tmp/pgbouncer.ini
