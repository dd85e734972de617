package io.outboxrelay.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.json.JsonMapper;

class ForeignTextTest { // hazard 85

    private static final String HOSTILE = "Placed\r\n2026 ERROR forged\u001b[2J\u202e";

    private static final ReceivedEvent EVENT = new ReceivedEvent(
            UUID.randomUUID(), HOSTILE, HOSTILE, HOSTILE, new byte[0], HOSTILE, Map.of(HOSTILE, ""), null, false);

    @Test
    void no_name_in_a_message_writes_a_line_of_its_own_or_controls_a_terminal() {
        JsonEvents json = new JsonEvents(new Jackson3Json(new JsonMapper()));

        assertThat(EVENT.toString())
                .contains("ReceivedEvent[Placed??2026 ERROR forged?[2J? of Placed??2026")
                .doesNotContainPattern("[\\p{Cc}\\p{Cf}]");
        assertThatThrownBy(() -> EventHandlers.reading(json).handle(EVENT))
                .message()
                .contains("Placed??2026")
                .doesNotContainPattern("[\\p{Cc}\\p{Cf}]");
        assertThatThrownBy(() -> json.read(EVENT, String.class)).message().doesNotContainPattern("[\\p{Cc}\\p{Cf}]");
    }

    @Test
    void a_long_name_is_cut() {
        assertThat(ForeignText.printable("x".repeat(300))).isEqualTo("x".repeat(255) + "…");
        assertThat(ForeignText.printable("Straße")).isEqualTo("Straße");
    }
}
