#!/bin/sh
# keep.sh SETTLED COMMAND…: runs a service and starts it again when it dies, with growing pauses. One that dies within
# SETTLED seconds of its very first start is not kept: whoever starts it is told at once. TERM ends both.
settled=$1
shift
child=
stopping=
first=1
pause=1
trap 'stopping=1; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM INT

while :; do
  began=$(date +%s)
  "$@" &
  child=$!
  wait "$child"
  status=$?
  # A signal ends the wait before the child has ended.
  while kill -0 "$child" 2>/dev/null; do
    wait "$child"
    status=$?
  done
  child=
  [ -z "$stopping" ] || exit 0
  [ "$status" -ne 0 ] || exit 0
  lived=$(($(date +%s) - began))
  [ -z "$first" ] || [ "$lived" -ge "$settled" ] || exit "$status"
  first=
  [ "$lived" -lt 60 ] || pause=1
  printf '{"level":"error","timestamp":"%s","service":"%s","msg":"ended with status %s after %s s, started again in %s s"}\n' \
    "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "${SERVICE_NAME:-service}" "$status" "$lived" "$pause"
  sleep "$pause" &
  child=$!
  wait "$child"
  [ -z "$stopping" ] || exit 0
  pause=$((pause * 2))
  [ "$pause" -le 30 ] || pause=30
done
