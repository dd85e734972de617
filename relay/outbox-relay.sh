#!/bin/sh
# outbox-relay COMMAND...: the program of the image. It is the image's entry point, answers its health check, and runs
# commands beside the relay: docker compose exec relay-1 outbox-relay status
set -u

# The first compiler is enough, docs/decisions/0017: the second takes the processors just when there is a backlog.
home=/app
common="-XX:AOTCache=$home/outbox-relay.aot -XX:TieredStopAtLevel=1"

# Asks the relay of this container for its health without starting a Java runtime, which every ten seconds would cost
# more than an idle relay. Only an answer of a relay counts. Without one, the program itself asks: the configuration may
# name another port.
ask_health() {
    address="http://127.0.0.1:${OUTBOX_RELAY_HTTP_PORT:-8080}/health/ready"
    answer=$(curl -s -m 4 -w ' %{http_code}' "$address" 2>/dev/null)
    case $answer in
        '{"status":"ready"'*' 200') status=0 ;;
        '{"status":"not r'*' 503') status=1 ;;
        *) return ;;
    esac
    echo "${answer% *}"
    exit $status
}

if [ "$*" = health ] && command -v curl >/dev/null; then
    ask_health
fi
case ${1:-run} in
    # Memory is the container's to give. Out of memory ends the process: another relay takes over within the lease.
    run) options="-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError" ;;
    # A command beside a relay takes no memory that the relay may need.
    health) options="-XX:+UseSerialGC -Xmx32m" ;;
    *) options="-XX:+UseSerialGC -Xmx128m" ;;
esac
# The options are words without blanks. exec makes the program the process that gets the container's signals.
# shellcheck disable=SC2086
exec java $common $options -jar "$home/outbox-relay.jar" "$@"
