-- The registry, version 8: what a camera films, its commune, its groups; the teams of a person. Rows are added, never changed.
alter table camera add column films text not null default 'voie_publique';
-- INSEE code; none: the controller's own territory.
alter table camera add column commune text;
-- A list of names, as JSON.
alter table camera add column in_groups text not null default '[]';

create table team (
  site bytea not null,
  account bytea not null,
  version bigint not null,
  valid_from bigint not null,
  recorded_at bigint not null,
  -- A list of names, as JSON.
  teams text not null,
  primary key (site, account, version),
  foreign key (site, account) references account (site, account)
);
