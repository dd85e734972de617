package io.outboxrelay.samples.chassis;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.context.MessageSourceResolvable;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.validation.FieldError;
import org.springframework.validation.method.ParameterValidationResult;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.InputCoercionException;
import tools.jackson.core.exc.StreamReadException;
import tools.jackson.databind.exc.InvalidFormatException;
import tools.jackson.databind.exc.MismatchedInputException;

/**
 * Reports invalid requests as problem details (RFC 9457), with the JSON name of each field, its value and the rule.
 * Programs find the same in the property {@code faults}. Names and values come from the caller, and are truncated.
 */
@RestControllerAdvice
class RequestProblems extends ResponseEntityExceptionHandler {

    private static final int LONGEST_VALUE = 100;

    /**
     * One fault.
     *
     * @param field its name in the request
     * @param value of the field; null if it is missing
     * @param message the rule
     */
    record Fault(String field, @Nullable String value, String message) {

        static Fault of(String property, @Nullable Object value, @Nullable String message) {
            String field = property.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
            return new Fault(field, value == null ? null : shortened(value.toString()), String.valueOf(message));
        }

        private static String shortened(String value) {
            return value.length() <= LONGEST_VALUE ? value : value.substring(0, LONGEST_VALUE) + "…";
        }

        String sentence() {
            return value == null ? field + " " + message : "%s %s, not '%s'".formatted(field, message, value);
        }
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleMethodArgumentNotValid(
            MethodArgumentNotValidException refused, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        List<Fault> faults =
                refused.getFieldErrors().stream().map(RequestProblems::fault).toList();
        return answer(refused, refused.getBody(), faults, headers, request);
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleHandlerMethodValidationException(
            HandlerMethodValidationException refused, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        List<Fault> faults = refused.getParameterValidationResults().stream()
                .flatMap(RequestProblems::faults)
                .toList();
        return answer(refused, refused.getBody(), faults, headers, request);
    }

    @Override
    protected @Nullable ResponseEntity<Object> handleHttpMessageNotReadable(
            HttpMessageNotReadableException refused, HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        ProblemDetail problem = ProblemDetail.forStatus(status);
        Throwable cause = refused.getCause();
        if (cause instanceof JacksonException unread && !unread.getPath().isEmpty()) {
            return answer(refused, problem, List.of(fault(unread)), headers, request);
        }
        problem.setDetail(
                cause instanceof StreamReadException broken
                        ? "The body is not valid JSON: error at line %d, column %d"
                                .formatted(
                                        broken.getLocation().getLineNr(),
                                        broken.getLocation().getColumnNr())
                        : "The body is missing or is not a JSON object: see /v3/api-docs");
        return handleExceptionInternal(refused, problem, headers, status, request);
    }

    private @Nullable ResponseEntity<Object> answer(
            Exception refused, ProblemDetail problem, List<Fault> faults, HttpHeaders headers, WebRequest request) {
        problem.setDetail(faults.stream().map(Fault::sentence).sorted().collect(Collectors.joining("; ")));
        problem.setProperty("faults", faults);
        HttpStatusCode status = HttpStatusCode.valueOf(problem.getStatus());
        return handleExceptionInternal(refused, problem, headers, status, request);
    }

    private static Fault fault(FieldError error) {
        return Fault.of(error.getField(), error.getRejectedValue(), error.getDefaultMessage());
    }

    private static Stream<Fault> faults(ParameterValidationResult parameter) {
        return parameter.getResolvableErrors().stream().map(error -> fault(parameter, error));
    }

    private static Fault fault(ParameterValidationResult parameter, MessageSourceResolvable error) {
        return error instanceof FieldError field
                ? fault(field)
                : Fault.of(
                        String.valueOf(parameter.getMethodParameter().getParameterName()),
                        parameter.getArgument(),
                        error.getDefaultMessage());
    }

    private static Fault fault(JacksonException unread) {
        Object value = unread instanceof InvalidFormatException format ? format.getValue() : null;
        return Fault.of(path(unread.getPath()), value, "must be " + kind(unread));
    }

    private static String path(List<JacksonException.Reference> path) {
        StringBuilder written = new StringBuilder();
        for (JacksonException.Reference step : path) {
            if (step.getPropertyName() == null) {
                written.append('[').append(step.getIndex()).append(']');
            } else {
                written.append(written.isEmpty() ? "" : ".").append(step.getPropertyName());
            }
        }
        return written.toString();
    }

    private static String kind(JacksonException unread) {
        if (unread instanceof InputCoercionException) {
            return "an integer in range";
        }
        Class<?> type = unread instanceof MismatchedInputException mismatch ? mismatch.getTargetType() : null;
        if (type == null) {
            return "of another type";
        }
        if (type == String.class) {
            return "a text";
        }
        if (Number.class.isAssignableFrom(type) || type.isPrimitive()) {
            return "an integer";
        }
        return Collection.class.isAssignableFrom(type) ? "a list" : "a JSON object";
    }
}
