#!/bin/sh
# Gets a certificate for SERVER_NAME, then renews it when it is due. nginx hands out the answers and takes the result.
set -eu

refuse() {
    echo "acme: $1" >&2
    # A start every few seconds would use up the limits of the authority.
    sleep 3600
    exit 1
}

[ -n "${SERVER_NAME:-}" ] || refuse "SERVER_NAME is missing: the host name that the certificate is for"
[ -n "${ACME_EMAIL:-}" ] || refuse "ACME_EMAIL is missing: where the authority writes to when a certificate is about to expire"

trap 'exit 0' TERM INT
while :; do
    certbot certonly --non-interactive --agree-tos --keep-until-expiring --webroot --webroot-path /var/www/acme \
        --server "$ACME_SERVER" --email "$ACME_EMAIL" --domain "$SERVER_NAME" --cert-name "$SERVER_NAME" ||
        echo "acme: no certificate this time; the next attempt is in twelve hours" >&2
    sleep 43200 &
    wait $!
done
