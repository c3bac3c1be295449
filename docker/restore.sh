#!/bin/sh
# Restores a backup into a Hub-Lib of containers: docker/restore.sh NAME, the name of a folder in BACKUP_DIR. The gateway and
# Redis are stopped meanwhile. ENV_FILE names another file than .env.production.
set -eu
cd "$(dirname "$0")/.."
env_file=${ENV_FILE:-.env.production}
[ -f "$env_file" ] || { echo "restore.sh: there is no $env_file" >&2; exit 1; }
[ $# = 1 ] || { echo "restore.sh: name the folder of a backup" >&2; exit 1; }
compose() { docker compose --env-file "$env_file" "$@"; }
compose up -d postgres
compose stop gateway redis
# Whatever happens, what was stopped runs again.
trap 'compose up -d' EXIT
compose run --rm -T --no-deps --entrypoint bash backup /etc/passerelle/restore.sh "$(basename "$1")"
