#!/bin/sh
# Starts Grafana in its official image, which has a password that everybody knows where none is set.
set -eu
if [ -z "${GF_SECURITY_ADMIN_PASSWORD:-}" ] || [ "$GF_SECURITY_ADMIN_PASSWORD" = admin ]; then
    echo "grafana: GRAFANA_ADMIN_PASSWORD is missing: complete .env.production with docker/init-env.sh, and start with docker compose --env-file .env.production" >&2
    exit 1
fi
exec /run.sh
