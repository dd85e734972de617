# The program is built before the image, by the project's own build: ./mvnw -pl relay -am package
#   docker build -t outbox-relay .
#   docker run --rm outbox-relay --help

# The runtime of both stages. A tag can come to mean another image: for builds that can be repeated give a digest,
#   --build-arg RUNTIME=eclipse-temurin@sha256:...
ARG RUNTIME=eclipse-temurin:25-jre

# First stage: run the program once and keep what the Java runtime learned of its classes (an ahead-of-time cache, JEP 514).
# With it a relay and each command start in about half the time. It fits the very jar and runtime that it was made
# with; both are the same in the second stage.
FROM $RUNTIME AS prepare
WORKDIR /app
COPY relay/target/outbox-relay.jar .
# The training run has no servers: it starts, tries to reach them, answers for its health and is told to stop.
RUN java -XX:+UseSerialGC -XX:AOTCacheOutput=/app/outbox-relay.aot -Xlog:disable -Xlog:all=error:stderr -jar outbox-relay.jar run \
        --set broker.uri=amqp://127.0.0.1:1 --set sources[0].name=training \
        --set sources[0].url=jdbc:postgresql://127.0.0.1:1/training --set sources[0].user=training > /dev/null & relay=$! \
    && for attempt in 1 2 3 4 5 6 7 8 9 10; do java -jar outbox-relay.jar health --live 2> /dev/null && break; done \
    && kill -TERM $relay && wait $relay && test -s outbox-relay.aot

FROM $RUNTIME
LABEL org.opencontainers.image.title="Outbox Relay" \
      org.opencontainers.image.description="Publishes the domain events of outbox tables to RabbitMQ: confirmed and in order." \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=prepare /app /app
COPY relay/outbox-relay.sh /usr/local/bin/outbox-relay
# A fixed id, so that a cluster can be told that the container needs no root: runAsUser 10001.
USER 10001:10001
WORKDIR /app
EXPOSE 8080
ENTRYPOINT ["outbox-relay"]
CMD ["run"]
# Ready, not only live: other containers wait for it, and the engine itself restarts nothing because of it. Who restarts
# by health asks for "health --live", which does not depend on the servers. It costs no Java runtime while a relay
# answers on port 8080, or on the one that OUTBOX_RELAY_HTTP_PORT names.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["outbox-relay", "health"]
