-- The registry, version 13: the register of requests for access. Facts are sealed by the keeper, bound to the request and its
-- version: a row that was edited, or copied to another one, does not open.
create table access_request (
  site bytea not null references site (site),
  request bytea not null,
  version bigint not null,
  recorded_at bigint not null,
  -- without a gap within a year
  year bigint not null,
  number bigint not null,
  facts bytea not null,
  primary key (site, request, version)
);
