package io.outboxrelay.spring;

import io.outboxrelay.client.AvroEvents;
import io.outboxrelay.schemas.contract.Contracts;
import org.apache.avro.Schema;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnResource;
import org.springframework.context.annotation.Bean;
import org.springframework.core.io.ResourceLoader;

/** The maker of events of Avro records, where the class path has Avro, the module {@code schemas}, and contracts. */
@AutoConfiguration
@ConditionalOnClass({Contracts.class, Schema.class})
@ConditionalOnResource(resources = "classpath:contracts/contracts.yaml")
public class AvroAutoConfiguration {

    /** Called by Spring. */
    AvroAutoConfiguration() {}

    @Bean
    @ConditionalOnMissingBean
    AvroEvents avroEvents(ResourceLoader resources) {
        ClassLoader classes = resources.getClassLoader();
        return AvroEvents.onClassPath(classes == null ? AvroAutoConfiguration.class.getClassLoader() : classes);
    }
}
