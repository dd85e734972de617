package io.outboxrelay.samples.orders;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Checks for sagas whose answer is overdue, every {@code shop.saga.check}, in every instance of the service. */
@Component
class SagaDeadlines {

    private static final Logger LOG = LoggerFactory.getLogger(SagaDeadlines.class);

    /** A check ends after this many batches; the next check continues. */
    private static final int MOST_BATCHES = 100;

    private final PlaceOrderSaga saga;

    SagaDeadlines(PlaceOrderSaga saga) {
        this.saga = saga;
    }

    @Scheduled(fixedDelayString = "${shop.saga.check}")
    void check() {
        int overdue = 0;
        for (int batch = 0; batch < MOST_BATCHES; batch++) {
            int inBatch = saga.deadlinesPassed();
            overdue += inBatch;
            if (inBatch < PlaceOrderSaga.BATCH) {
                break;
            }
        }
        if (overdue > 0) {
            LOG.info("{} sagas got no answer in time; they now compensate, or have repeated their request", overdue);
        }
    }
}
