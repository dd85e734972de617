package io.outboxrelay.samples.storefront;

import static org.springframework.http.HttpStatus.NOT_FOUND;
import static org.springframework.http.HttpStatus.SERVICE_UNAVAILABLE;

import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.HttpMethod;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Maps this service's failures to HTTP. It comes before the chassis, which handles every exception. */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class Problems {

    @ExceptionHandler
    ProblemDetail away(ServiceUnavailable away, HttpMethod method) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(
                SERVICE_UNAVAILABLE, "%s. %s".formatted(away.getMessage(), advice(away, method)));
        problem.setProperty("service", away.service());
        return problem;
    }

    private static String advice(ServiceUnavailable away, HttpMethod method) {
        if (method.equals(HttpMethod.GET)) {
            return "Try again later";
        }
        return away.asked()
                ? "The request may have been carried out: check before you repeat it"
                : "The request was not carried out: try again later";
    }

    @ExceptionHandler
    ProblemDetail missing(NoSuchOrder missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }

    @ExceptionHandler
    ProblemDetail missing(NoEventYet missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }
}
