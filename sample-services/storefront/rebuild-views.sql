-- Empties the storefront's views and lets its inbox forget, so that a replay builds them again. To be run by the owner of the
-- tables, with the storefront running or not:
--
--   1.  psql --set ON_ERROR_STOP=1 --file rebuild-views.sql storefront
--   2.  outbox-relay replay --queue storefront.events … for each source (customers, products, orders)
--   3.  psql --command 'DELETE FROM out_of_order' storefront
--
-- Live events may go on meanwhile. They meet a view that lacks what came before them, which is noted in out_of_order and does
-- no harm: each row ends as its newest event says, whichever way that came. Until the replay has ended the views are
-- incomplete, however fresh they say they are.

BEGIN;

-- Whoever handles an event has written into the inbox first. With this lock all of them have ended and none begins, so that
-- nothing is applied but not forgotten, or forgotten but still applied. Readers see the old views until the commit.
LOCK TABLE inbox IN SHARE ROW EXCLUSIVE MODE;

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
DELETE FROM out_of_order;

COMMIT;
