package io.outboxrelay.samples.storefront;

import static org.springframework.http.HttpStatus.NOT_FOUND;
import static org.springframework.http.HttpStatus.SERVICE_UNAVAILABLE;

import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** How what this service cannot answer looks over HTTP. Asked before the chassis, which has an answer to everything. */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class Problems {

    @ExceptionHandler
    ProblemDetail away(ServiceAway away, HttpMethod method) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(
                SERVICE_UNAVAILABLE, "%s. %s".formatted(away.getMessage(), advice(away, method)));
        problem.setProperty("service", away.service());
        return problem;
    }

    private static String advice(ServiceAway away, HttpMethod method) {
        if (method.equals(HttpMethod.GET)) {
            return "Try again later";
        }
        return away.asked()
                ? "What you asked for may have been done: look before you ask again"
                : "Nothing was done: try again later";
    }

    @ExceptionHandler
    ProblemDetail missing(NoSuchOrder missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }

    @ExceptionHandler
    ProblemDetail missing(NotHeardOf missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }
}
