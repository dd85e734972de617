-- What a service does in the transaction that changes its own data.
INSERT INTO outbox (aggregate_type, aggregate_id, event_type, payload, content_type)
VALUES ('Order', '4711', 'OrderPlaced', convert_to('{"total": 12.50}', 'UTF8'), 'application/json')
RETURNING event_id;
