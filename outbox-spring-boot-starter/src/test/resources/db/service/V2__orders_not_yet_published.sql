-- A migration of the service's own that refers to the outbox.
CREATE VIEW orders_not_yet_published AS
    SELECT o.id FROM orders o JOIN outbox e ON e.aggregate_type = 'order' AND e.aggregate_id = o.id;
