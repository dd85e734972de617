-- Empties the storefront's views, its inbox and the events that it has parked, so that the history rebuilds the views, each
-- event once and in order. Run it as the owner of the tables:
--
--   1.  stop the storefront
--   2.  psql --set ON_ERROR_STOP=1 --file rebuild-views.sql storefront
--   3.  start the storefront with STOREFRONT_CATCH_UP=true: new events wait in its queue for the history
--   4.  when it logs "waits for the history of the queue":
--       outbox-relay subscribe --queue storefront.events --from BEGINNING … for all sources (customers, products, orders)
--
-- Until the storefront logs that it has handled the history, the views are incomplete, whatever age they show. From then on
-- the setting changes nothing.

BEGIN;

-- Should a storefront still run: every handler first writes into the inbox or, when a parked event is retried, locks its row
-- in inbox_failure. With these locks all handlers have ended and none begins, so the inbox and the views stay consistent.
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
DELETE FROM inbox_history WHERE consumer = 'storefront';
DELETE FROM out_of_order;

COMMIT;
