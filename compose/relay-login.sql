-- Creates the relay's login. `migrate` grants its rights to this role: read and delete events, hold leases, no DDL.
\set password `cat /run/secrets/relay-password`
CREATE ROLE outbox_relay LOGIN PASSWORD :'password';
