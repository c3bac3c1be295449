#!/bin/sh
# Starts Redis in its official image. The password comes by standard input, so that no list of processes shows it.
set -eu

refuse() {
    echo "redis: $1" >&2
    exit 1
}

[ -n "${REDIS_PASSWORD:-}" ] ||
    refuse "REDIS_PASSWORD is missing: write .env.production with docker/init-env.sh, and start with docker compose --env-file .env.production up -d"
case $REDIS_PASSWORD in
*[!A-Za-z0-9_.~-]*) refuse "REDIS_PASSWORD may hold letters, digits and - _ . ~ only, since it becomes part of a URL" ;;
esac
[ ${#REDIS_PASSWORD} -ge 16 ] ||
    refuse "REDIS_PASSWORD has fewer than 16 characters: docker/init-env.sh makes a good one"

exec docker-entrypoint.sh redis-server - <<CONFIGURATION
include /etc/passerelle/redis.conf
requirepass $REDIS_PASSWORD
maxmemory ${REDIS_MAXMEMORY:-256mb}
CONFIGURATION
