-- Empties the orders service's replicas and makes its inbox forget the events that they were built from, as the owner of the
-- tables and while the service runs:
--
--     psql --set ON_ERROR_STOP=1 --file rebuild-replicas.sql
--
-- Then send the events of customers and products once more, to this queue alone:
--
--     outbox-relay replay --source customers --aggregate-type customer --queue orders.replicas --reason "replicas are rebuilt"
--     outbox-relay replay --source products --aggregate-type product --queue orders.replicas --reason "replicas are rebuilt"
--
-- Both sources must have retained their events since the first one. New events may arrive at any moment: each row keeps its
-- highest version. Until the replays are done, orders of customers or products that are still missing are answered with 422;
-- sagas go on, from another queue. GET /replicas begins anew too, and does not tell how far a replay is.
BEGIN;

-- Waits for events in hand, and lets none in before the commit: what the inbox knows and what the replicas have stays the
-- same. In the order in which the service touches them.
LOCK TABLE customer_replica, product_replica, freshness IN EXCLUSIVE MODE;

DELETE FROM customer_replica;
DELETE FROM product_replica;
DELETE FROM freshness;
DELETE FROM inbox WHERE consumer = 'orders.replicas';

COMMIT;
