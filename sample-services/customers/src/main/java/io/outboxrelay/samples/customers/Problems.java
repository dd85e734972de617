package io.outboxrelay.samples.customers;

import static org.springframework.http.HttpStatus.NOT_ACCEPTABLE;
import static org.springframework.http.HttpStatus.NOT_FOUND;
import static org.springframework.http.HttpStatus.UNPROCESSABLE_CONTENT;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.http.ProblemDetail;
import org.springframework.web.accept.InvalidApiVersionException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Maps this service's refusals to HTTP. It comes before the chassis, which handles every exception. */
@RestControllerAdvice
@Order(Ordered.HIGHEST_PRECEDENCE)
class Problems {

    private final String versions;

    Problems(@Value("${spring.mvc.apiversion.supported}") String versions) {
        this.versions = versions;
    }

    @ExceptionHandler
    ProblemDetail missing(NoSuchCustomer missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }

    @ExceptionHandler
    ProblemDetail unknown(UnknownCode unknown) {
        return ProblemDetail.forStatusAndDetail(UNPROCESSABLE_CONTENT, unknown.getMessage());
    }

    /** A client for another version of the API gets a clear status instead of answers that it would misread. */
    @ExceptionHandler
    ProblemDetail notServed(InvalidApiVersionException refused) {
        return ProblemDetail.forStatusAndDetail(
                NOT_ACCEPTABLE,
                "This service supports version %s of its API, not %s as in Accept-Version: use a matching client"
                        .formatted(versions, refused.getVersion()));
    }
}
