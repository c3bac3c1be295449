#!/bin/sh
# Makes a backup of a running Hub-Lib, for hand and cron: docker/backup.sh. ENV_FILE names another file than .env.production.
set -eu
cd "$(dirname "$0")/.."
env_file=${ENV_FILE:-.env.production}
[ -f "$env_file" ] || { echo "backup.sh: there is no $env_file" >&2; exit 1; }
# What takes the backup elsewhere runs here, where its programs are.
hook=${BACKUP_HOOK:-$(sed -n 's/^BACKUP_HOOK=//p' "$env_file" | tail -n 1)}
folder=${BACKUP_DIR:-$(sed -n 's/^BACKUP_DIR=//p' "$env_file" | tail -n 1)}
status=0
said=$(docker compose --env-file "$env_file" run --rm -T --entrypoint bash -e BACKUP_HOOK= backup /etc/passerelle/backup.sh) || status=$?
[ -z "$said" ] || echo "$said"
name=$(echo "$said" | sed -n 's|^/backups/\([^:]*\): .* compared$|\1|p')
if [ -n "$hook" ] && [ -n "$name" ]; then
    "$hook" "${folder:-backups}/$name" || { echo "backup.sh: $hook failed: $name is here and nowhere else" >&2; exit 1; }
fi
exit "$status"
