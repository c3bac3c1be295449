#!/bin/sh
# The interface of the official image: the server runs as redis, in /data, which it owns.
set -e
if [ "$(id -u)" = 0 ]; then
    chown -R redis /data
    exec gosu redis "$0" "$@"
fi
exec "$@"
