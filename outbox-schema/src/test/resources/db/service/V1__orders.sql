CREATE TABLE orders (id varchar(64) PRIMARY KEY);
