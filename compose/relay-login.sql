-- Lets the relay in. What it may do there, migrate grants to this role: read and delete events, keep leases, no DDL.
\set password `cat /run/secrets/relay-password`
CREATE ROLE outbox_relay LOGIN PASSWORD :'password';
