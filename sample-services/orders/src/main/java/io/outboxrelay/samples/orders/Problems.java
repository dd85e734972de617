package io.outboxrelay.samples.orders;

import org.springframework.http.HttpStatus;
import org.springframework.http.ProblemDetail;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/** Maps this service's refusals to HTTP. */
@RestControllerAdvice
class Problems {

    @ExceptionHandler
    ProblemDetail missing(NoSuchOrder refused) {
        return problem(HttpStatus.NOT_FOUND, "No such order", refused);
    }

    @ExceptionHandler
    ProblemDetail notConfirmed(NotConfirmed refused) {
        return problem(HttpStatus.CONFLICT, "Order is not confirmed", refused);
    }

    @ExceptionHandler
    ProblemDetail notOrderable(NotOrderable refused) {
        return problem(HttpStatus.UNPROCESSABLE_CONTENT, "Cannot be ordered", refused);
    }

    @ExceptionHandler
    ProblemDetail declined(PaymentDeclined refused) {
        return problem(HttpStatus.PAYMENT_REQUIRED, "Payment declined", refused);
    }

    private static ProblemDetail problem(HttpStatus status, String title, RuntimeException refused) {
        ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, refused.getMessage());
        problem.setTitle(title);
        return problem;
    }
}
