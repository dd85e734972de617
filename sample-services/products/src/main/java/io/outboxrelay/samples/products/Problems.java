package io.outboxrelay.samples.products;

import static org.springframework.http.HttpStatus.NOT_FOUND;

import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Maps this service's refusals to HTTP. */
@RestControllerAdvice
class Problems {

    @ExceptionHandler
    ProblemDetail missing(NoSuchProduct missing) {
        return ProblemDetail.forStatusAndDetail(NOT_FOUND, missing.getMessage());
    }
}
