-- The registry, version 12: the register of requisitions, and what left under them. Facts are sealed by the keeper, bound to the
-- requisition and its version: a row that was edited, or copied to another one, does not open.
create table requisition (
  site bytea not null references site (site),
  requisition bytea not null,
  version bigint not null,
  recorded_at bigint not null,
  -- without a gap within a year
  year bigint not null,
  number bigint not null,
  facts bytea not null,
  primary key (site, requisition, version)
);
create table export (
  site bytea not null references site (site),
  export bytea not null,
  requisition bytea not null,
  -- who asked, and the second person
  account bytea not null,
  second bytea not null,
  opened bigint not null,
  until bigint not null,
  windows text not null,
  purpose bigint not null,
  -- number of its entry in the ledger
  leaf bigint not null,
  -- of the package's manifest, once it is made
  manifest bytea,
  primary key (site, export)
);
