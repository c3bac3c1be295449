#!/bin/sh
# Writes nginx's configuration for what there is (certificates, frontend), starts it, and has it follow new certificates.
# With --test FOLDER it only writes it there and has nginx read it.
set -eu

here=$(dirname "$0")
conf=/tmp/nginx
[ "${1:-}" != --test ] || conf=$2
name=${SERVER_NAME:-}
mkdir -p "$conf"

refuse() {
    echo "nginx: $1" >&2
    exit 1
}

case $name in
*[!A-Za-z0-9.-]*) refuse "SERVER_NAME is one host name, such as app.example.com, not \"$name\"" ;;
esac
case ${FRONTEND_UPSTREAM:-} in
'') ;;
*[!A-Za-z0-9.:_-]*) refuse "FRONTEND_UPSTREAM is a host and a port, such as frontend:3000, not \"$FRONTEND_UPSTREAM\"" ;;
esac

certificate() { # the folder of the certificate in use, one's own before one of ACME; nothing without one
    for dir in /etc/nginx/tls "/etc/letsencrypt/live/${name:-none}"; do
        if [ -s "$dir/fullchain.pem" ] && [ -s "$dir/privkey.pem" ]; then
            echo "$dir"
            return
        fi
    done
}

state() { # changes when the certificate does
    dir=$(certificate)
    [ -z "$dir" ] || cksum "$dir/fullchain.pem" "$dir/privkey.pem"
}

write() {
    dir=$(certificate)
    if [ -n "${FRONTEND_UPSTREAM:-}" ]; then frontend=upstream; else frontend=folder; fi
    if [ -n "$dir" ]; then entry=tls; else entry=plain; fi
    # The resolver of the container: names are looked up when they are asked for, so nginx starts without them.
    resolver=$(awk '$1 == "nameserver" { print $2; exit }' /etc/resolv.conf)
    for file in nginx api frontend-folder frontend-upstream entry-tls entry-plain; do
        sed -e "s|@conf@|$conf|g" -e "s|@resolver@|${resolver:-127.0.0.11}|g" -e "s|@certificate@|$dir|g" \
            -e "s|@server_name@|${name:-_}|g" -e "s|@frontend_upstream@|${FRONTEND_UPSTREAM:-}|g" \
            -e "s|@frontend@|frontend-$frontend|g" -e "s|@entry@|entry-$entry|g" \
            "$here/$file.conf" >"$conf/$file.conf"
    done
}

follow() {
    seen=$(state)
    while sleep 30; do
        now=$(state)
        [ "$now" != "$seen" ] || continue
        seen=$now
        write
        if nginx -q -t -c "$conf/nginx.conf"; then
            nginx -c "$conf/nginx.conf" -s reload
            echo "nginx: the certificate has changed and is in use" >&2
        else
            echo "nginx: the new certificate cannot be used; the one before stays in use" >&2
        fi
    done
}

write
[ -n "$(certificate)" ] ||
    echo "nginx: no certificate: serving http alone; put fullchain.pem and privkey.pem into TLS_DIR, or use the profile acme" >&2
nginx -q -t -c "$conf/nginx.conf" || refuse "it cannot start with this configuration"
[ "${1:-}" != --test ] || exit 0
follow &
exec nginx -c "$conf/nginx.conf" -g 'daemon off;'
