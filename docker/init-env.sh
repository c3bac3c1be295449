#!/bin/sh
# Writes .env.production with secrets of its own, or completes the one that is there. Usage: docker/init-env.sh [FILE]
# What has a value keeps it, so it can be run again after an update that brings new variables.
set -eu
umask 077

file=${1:-$(dirname "$0")/../.env.production}

refuse() {
    echo "init-env: $1" >&2
    exit 1
}

command -v openssl >/dev/null || refuse "openssl is missing, which makes the secrets: install the package openssl"
[ ! -e "$file" ] || [ -f "$file" ] || refuse "$file is no file"
draft=$file.new
trap 'rm -f "$draft"' EXIT
if [ -f "$file" ]; then cp "$file" "$draft"; else : >"$draft"; fi
# A last line without its end would swallow what is appended.
[ ! -s "$draft" ] || [ -z "$(tail -c 1 "$draft")" ] || echo >>"$draft"

value() { # value NAME: what the file says
    sed -n "s/^$1=//p" "$draft" | tail -n 1 | sed -e "s/^'\(.*\)'\$/\1/" -e 's/^"\(.*\)"$/\1/'
}

added=
add() { # add NAME VALUE [COMMENT]: where it has none
    [ -z "$(value "$1")" ] || return 0
    sed -i "/^$1=\$/d" "$draft"
    [ -z "${3:-}" ] || printf '# %s\n' "$3" >>"$draft"
    printf '%s=%s\n' "$1" "$2" >>"$draft"
    added="$added $1"
}

offer() { # offer NAME COMMENT: a variable that stays empty unless somebody fills it
    grep -q "^#* *$1=" "$draft" || printf '# %s\n%s=\n' "$2" "$1" >>"$draft"
}

random() { openssl rand -hex 24; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

sign() { # sign TEXT: with JWT_SECRET
    secret=$(value JWT_SECRET | tr -d '\n' | od -An -v -tx1 | tr -d ' \n')
    printf '%s' "$1" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$secret" -binary | base64url
}

key() { # key ROLE: a key for clients, signed with JWT_SECRET, good for ten years
    now=$(date +%s)
    head=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
    claims=$(printf '{"iss":"passerelle","role":"%s","iat":%d,"exp":%d}' "$1" "$now" $((now + 315360000)) | base64url)
    printf '%s.%s.%s' "$head" "$claims" "$(sign "$head.$claims")"
}

fits() { # fits NAME: a key that is there was made with the secret that is there
    there=$(value "$1")
    [ -z "$there" ] || [ "$(sign "${there%.*}")" = "${there##*.}" ] ||
        refuse "$1 was not signed with JWT_SECRET: empty it, and another one is made"
}

add POSTGRES_DB hub_lib
add POSTGRES_USER hub_lib_user
add POSTGRES_PASSWORD "$(random)"
add AUTHENTICATOR_PASSWORD "$(random)" "The roles of the gateway; it tells the database these passwords itself."
add FEED_PASSWORD "$(random)"
add REPLICATION_PASSWORD "$(random)"
add REDIS_PASSWORD "$(random)"
add JWT_SECRET "$(openssl rand -hex 32)"
[ "$(value JWT_SECRET | tr -d '\n' | wc -c)" -ge 32 ] || refuse "JWT_SECRET in $file has fewer than 32 characters"
fits ANON_KEY
fits SERVICE_ROLE_KEY
add ANON_KEY "$(key anon)" "The key of the frontend (VITE_SUPABASE_ANON_KEY), signed with JWT_SECRET."
add SERVICE_ROLE_KEY "$(key service_role)" "The key that may do everything: for servers only."
add GRAFANA_ADMIN_PASSWORD "$(random)"
add BACKUP_RETENTION_DAYS 30
offer SERVER_NAME "The host name people use, such as app.example.com."
offer PUBLIC_URL "Where the gateway is reached, such as https://app.example.com."
offer SITE_URL "Where links in mails lead, such as https://app.example.com."
offer CORS_ORIGIN "Origins of other sites that may call, such as https://app.example.com; empty allows all."
offer ACME_EMAIL "For the profile acme: where Let's Encrypt writes to."
offer SMTP_URL "The mail server, such as smtp://user:password@mail.example.com:587."
offer MAIL_FROM "Who mails come from, such as no-reply@example.com."
offer FRONTEND_DIR "The folder of the built frontend."
offer FRONTEND_UPSTREAM "Or a server of its own, such as frontend:3000."

mv "$draft" "$file"
chmod 600 "$file"
if [ -n "$added" ]; then echo "$file: set$added" >&2; else echo "$file: nothing was missing" >&2; fi
