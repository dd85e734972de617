#!/bin/sh
# outbox-relay COMMAND...: the program of the image. It is the image's entry point, answers its health check, and runs
# commands beside the relay: docker compose exec relay-1 outbox-relay status
set -u

home=/app
# The first compiler is enough, docs/decisions/0017: the second takes the processors just when there is a backlog. The
# serial collector needs the least memory, docs/decisions/0039.
common="-XX:AOTCache=$home/outbox-relay.aot -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

# Asks the relay of this container for its health without starting a Java runtime, which every ten seconds would cost
# more than an idle relay. bash is part of Debian and Ubuntu, as curl is not. Only an answer of a relay counts: without
# one, the program itself asks. It also asks where a configuration file may name another port, on which a relay of another
# container may answer in a shared network: then set OUTBOX_RELAY_HTTP_PORT beside the file.
ask_health() {
    answer=$(timeout 4 bash -c '
        exec 3<> "/dev/tcp/127.0.0.1/$1" && printf "GET /health/ready HTTP/1.0\r\n\r\n" >&3 && cat <&3
    ' bash "${OUTBOX_RELAY_HTTP_PORT:-8080}" 2> /dev/null)
    body="{${answer#*\{}"
    case $answer in
        HTTP/1.?' 200 '*'{"status":"ready"'*) printf '%s\n' "$body" && exit 0 ;;
        HTTP/1.?' 503 '*'{"status":"not r'*) printf '%s\n' "$body" && exit 1 ;;
    esac
}

if [ "$*" = health ] && { [ -n "${OUTBOX_RELAY_HTTP_PORT:-}" ] || [ -z "${OUTBOX_RELAY_CONFIG:-}" ]; }; then
    ask_health
fi
added=${OUTBOX_RELAY_JAVA_OPTIONS:-}
unset OUTBOX_RELAY_JAVA_OPTIONS # the relay takes every variable with this prefix for a key of its configuration
case ${1:-run} in
    # The heap grows only if live data needs it. Half of the container is left for everything else, about 80 MB. Out of
    # memory ends the process: another relay takes over within the lease.
    run) options="-Xms16m -XX:MaxRAMPercentage=50 -XX:+ExitOnOutOfMemoryError $added" ;;
    # A command beside a relay takes no memory that the relay may need.
    health) options="-Xmx32m" ;;
    *) options="-Xmx128m" ;;
esac
# The options are words without blanks. exec makes the program the process that gets the container's signals.
# shellcheck disable=SC2086
exec java $common $options -jar "$home/outbox-relay.jar" "$@"
