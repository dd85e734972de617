-- Empties the orders service's replicas, and removes their events from its inbox and from the parked ones. Run it as the
-- owner of the tables; the service may be running:
--
--     psql --set ON_ERROR_STOP=1 --file rebuild-replicas.sql
--
-- Then replay the events of customers and products to this queue alone:
--
--     outbox-relay replay --source customers --aggregate-type customer --queue orders.replicas --reason "replicas are rebuilt"
--     outbox-relay replay --source products --aggregate-type product --queue orders.replicas --reason "replicas are rebuilt"
--
-- Both sources must have retained all their events. New events may arrive at any moment, because each row keeps its
-- highest version. Until the replays have ended, orders of missing customers or products are refused with 422. Sagas
-- wait for the commit of this script, and then continue, because they use another queue. GET /replicas begins anew too,
-- and does not show the progress of a replay.
BEGIN;

-- Waits for events that are being handled, and blocks new ones until the commit, so that the inbox and the replicas
-- stay consistent. Every handler first writes into the inbox or, when a parked event is retried, locks its row in
-- inbox_failure. A batch of events then touches the other tables in any order.
LOCK TABLE inbox, inbox_failure IN EXCLUSIVE MODE;

DELETE FROM customer_replica;
DELETE FROM product_replica;
DELETE FROM freshness;
DELETE FROM inbox WHERE consumer = 'orders.replicas';
DELETE FROM inbox_failure WHERE consumer = 'orders.replicas';

COMMIT;
