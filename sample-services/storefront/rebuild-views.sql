-- Empties the storefront's views, its inbox and the events that it has parked, so that a replay rebuilds the views. Run it
-- as the owner of the tables; the storefront may be running:
--
--   1.  psql --set ON_ERROR_STOP=1 --file rebuild-views.sql storefront
--   2.  outbox-relay replay --queue storefront.events … for each source (customers, products, orders)
--   3.  psql --command 'DELETE FROM out_of_order' storefront
--
-- Live events may continue meanwhile. The view then lacks their predecessors, which out_of_order records and which does
-- no harm: each row ends as its newest event says, whichever way that came. Until the replay has ended the views are
-- incomplete, whatever age they show.

BEGIN;

-- Every handler first writes into the inbox or, when a parked event is retried, locks its row in inbox_failure. With these
-- locks all handlers have ended and none begins, so the inbox and the views stay consistent. Readers see the old views
-- until the commit.
LOCK TABLE inbox, inbox_failure IN EXCLUSIVE MODE;

DELETE FROM customer_view;
DELETE FROM credit_view;
DELETE FROM product_view;
DELETE FROM country_view;
DELETE FROM currency_view;
DELETE FROM order_view;
DELETE FROM order_line_view;
DELETE FROM saga_step;
DELETE FROM freshness;
DELETE FROM heard;
DELETE FROM inbox WHERE consumer = 'storefront';
DELETE FROM inbox_failure WHERE consumer = 'storefront';
DELETE FROM out_of_order;

COMMIT;
