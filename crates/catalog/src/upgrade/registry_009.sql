-- The registry, version 9: what a camera mainly films (arrêté of 3 August 2007); null where nobody stated it.
alter table camera add column class text;
