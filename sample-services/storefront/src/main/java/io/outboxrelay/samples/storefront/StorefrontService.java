package io.outboxrelay.samples.storefront;

import io.outboxrelay.client.ConsumerQueue;
import io.outboxrelay.client.IdempotentConsumer;
import io.outboxrelay.samples.customers.client.CustomersClient;
import io.outboxrelay.spring.IdempotentConsumers;
import io.swagger.v3.oas.annotations.OpenAPIDefinition;
import io.swagger.v3.oas.annotations.info.Info;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.concurrent.CustomizableThreadFactory;
import org.springframework.web.client.RestClient;

/** The storefront as a process. Its settings are in {@code storefront.yaml}. */
@SpringBootApplication(proxyBeanMethods = false)
@EnableConfigurationProperties(StorefrontSettings.class)
@OpenAPIDefinition(
        info =
                @Info(
                        title = "Storefront",
                        version = "1",
                        description =
                                "The data that customers of the shop see: views, built from events, each with its age;"
                                        + " and orders composed from the current answers of the owning services."))
public class StorefrontService {

    /** The consumer's name in the inbox. */
    public static final String CONSUMER = "storefront";

    /** Every event of the shop. */
    public static final ConsumerQueue QUEUE = ConsumerQueue.named("storefront.events")
            .boundToEvents("events", "customer")
            .boundToEvents("events", "country")
            .boundToEvents("events", "currency")
            .boundToEvents("events", "product")
            .boundToEvents("events", "reservation")
            .boundToEvents("events", "order")
            .boundToEvents("events", "heartbeat");

    /**
     * Number of parts that are requested at the same time: those of two of the largest orders. Further parts are
     * missing.
     */
    private static final int MOST_QUESTIONS = 256;

    /**
     * Runs until it is terminated.
     *
     * @param arguments settings for Spring Boot, such as {@code --server.port=8084}
     */
    public static void main(String[] arguments) {
        new SpringApplicationBuilder(StorefrontService.class)
                .properties("spring.config.name=storefront")
                .run(arguments);
    }

    /** @param catchUp whether the views are empty, so that the history comes first: see {@code rebuild-views.sql} */
    @Bean
    IdempotentConsumer events(
            IdempotentConsumers consumers,
            ViewUpdates handler,
            @Value("${shop.queues.declare:true}") boolean declare,
            @Value("${shop.catch-up:false}") boolean catchUp) {
        IdempotentConsumer.Builder consumer = consumers.builder().name(CONSUMER).handler(handler);
        ConsumerQueue queue = catchUp ? QUEUE.catchUp() : QUEUE;
        return (declare ? consumer.queue(queue) : consumer.queue(queue.name())).build();
    }

    @Bean
    RemoteService orders(StorefrontSettings settings, RestClient.Builder http) {
        return new RemoteService("orders", settings.ordersUrl(), settings.calls(), http);
    }

    @Bean
    RemoteService products(StorefrontSettings settings, RestClient.Builder http) {
        return new RemoteService("products", settings.productsUrl(), settings.calls(), http);
    }

    @Bean
    CustomersClient customers(StorefrontSettings settings) {
        return new CustomersClient(settings.customersUrl());
    }

    @Bean
    OrderComposition orderComposition(
            RemoteService orders,
            CustomersClient customers,
            RemoteService products,
            ExecutorService questions,
            StorefrontSettings settings) {
        return new OrderComposition(orders, customers, products, questions, settings.patience());
    }

    @Bean(destroyMethod = "shutdownNow")
    ExecutorService questions() {
        return new ThreadPoolExecutor(
                0,
                MOST_QUESTIONS,
                30,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                new CustomizableThreadFactory("question-"));
    }
}
