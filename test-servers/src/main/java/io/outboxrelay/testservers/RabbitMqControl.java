package io.outboxrelay.testservers;

import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Administers a RabbitMQ node by its command line tool. */
final class RabbitMqControl implements BrokerControl {
    /** {@code EX_UNAVAILABLE} of sysexits.h: there is no node to talk to. */
    private static final int NODE_IS_DOWN = 69;

    private static final Logger LOG = LoggerFactory.getLogger(RabbitMqControl.class);
    private static final String ACTING_USER = "test-servers";

    /** Runs rabbitmqctl where the node can be reached. */
    interface Tool {
        ChildProcess.Result run(List<String> arguments) throws Exception;
    }

    private final String user;
    private final BooleanSupplier isRunning;
    private final Tool tool;

    /**
     * @param user with all rights in the virtual hosts
     * @param isRunning whether the node runs; checked first, because the tool takes long to find out
     * @param tool how to reach the node
     */
    RabbitMqControl(String user, BooleanSupplier isRunning, Tool tool) {
        this.user = user;
        this.isRunning = isRunning;
        this.tool = tool;
    }

    @Override
    public boolean isRunning() {
        return isRunning.getAsBoolean();
    }

    /** One command for all: each command starts an Erlang machine, which takes a second of a processor. */
    @Override
    public void changeVirtualHosts(List<String> create, List<String> delete) {
        StringBuilder commands = new StringBuilder();
        for (String name : create) {
            commands.append("""
                    rabbit_vhost:add(<<"%2$s">>, <<"%3$s">>),
                    ok = rabbit_auth_backend_internal:set_permissions(
                        <<"%1$s">>, <<"%2$s">>, <<".*">>, <<".*">>, <<".*">>, <<"%3$s">>),
                    """.formatted(user, name, ACTING_USER));
        }
        commands.append("""
                [{Name, Result} || Name <- [%s], Result <- [catch rabbit_vhost:delete(Name, <<"%s">>)],
                    Result =/= ok, Result =/= {error, {no_such_vhost, Name}}].
                """.formatted(
                delete.stream().map(name -> "<<\"" + name + "\">>").collect(Collectors.joining(", ")), ACTING_USER));
        ChildProcess.Result result = execute("eval", commands.toString());
        if (result.status() == NODE_IS_DOWN && create.isEmpty()) {
            return;
        }
        if (result.status() != 0) {
            throw failure(result, "eval");
        }
        if (!result.output().strip().equals("[]")) {
            LOG.error(
                    "Some virtual hosts could not be deleted: {}",
                    result.output().strip());
        }
    }

    @Override
    public String run(String... arguments) {
        ChildProcess.Result result = execute(arguments);
        if (result.status() != 0) {
            throw failure(result, arguments);
        }
        return result.output();
    }

    private ChildProcess.Result execute(String... arguments) {
        if (!isRunning.getAsBoolean()) {
            return new ChildProcess.Result(NODE_IS_DOWN, "", "the broker is not running");
        }
        try {
            return tool.run(List.of(arguments));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while running rabbitmqctl " + arguments[0], e);
        } catch (Exception e) {
            throw new IllegalStateException(
                    "rabbitmqctl %s could not be run: %s".formatted(arguments[0], e.getMessage()), e);
        }
    }

    private static IllegalStateException failure(ChildProcess.Result result, String... arguments) {
        return new IllegalStateException("rabbitmqctl %s ended with status %d: %s %s"
                .formatted(
                        String.join(" ", arguments),
                        result.status(),
                        result.output().strip(),
                        result.error().strip()));
    }
}
