-- The registry, version 11: a copy says when it was taken and how far the ledger reached then, until the keeper that begins with
-- it has entered so. A registry in use has no row here.
create table taken (
  site bytea not null references site (site),
  entries bigint not null,
  root bytea not null,
  at bigint not null,
  primary key (site)
);
