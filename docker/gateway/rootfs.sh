#!/bin/sh
# Lays out the files of the gateway's image: rootfs.sh BINARY DIRECTORY, from the root of the repository.
set -eu
binary=$1
root=$2

mkdir -p "$root/usr/bin" "$root/usr/share/passerelle" "$root/etc/ssl/certs"
install -m 755 "$binary" "$root/usr/bin/passerelle"
# The program loader and the libraries, where the binary looks for them.
ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
mkdir "$root/usr/share/passerelle/hub-lib"
cp sql/hub-lib/app.toml sql/hub-lib/init.sql sql/hub-lib/policies.sql "$root/usr/share/passerelle/hub-lib/"
echo 'passerelle:x:10001:10001::/:/usr/bin/passerelle' >"$root/etc/passwd"
echo 'passerelle:x:10001:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
