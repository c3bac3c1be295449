#!/bin/bash
# Makes a backup every day at BACKUP_AT (in the zone TZ), and goes on when one fails.
set -euo pipefail

[[ ${BACKUP_AT:=02:00} =~ ^([01][0-9]|2[0-3]):[0-5][0-9]$ ]] || {
    echo "schedule.sh: BACKUP_AT is a time of day, such as 02:00, not \"$BACKUP_AT\"" >&2
    exit 1
}
trap 'exit 0' INT TERM
while :; do
    now=$(date +%s)
    next=$(date -d "today $BACKUP_AT" +%s)
    [ "$next" -gt "$now" ] || next=$(date -d "tomorrow $BACKUP_AT" +%s)
    echo "the next backup begins at $(date -d "@$next" '+%Y-%m-%d %H:%M %Z')"
    sleep $((next - now)) &
    wait $!
    "$BASH" "$(dirname "$0")/backup.sh" || true
done
