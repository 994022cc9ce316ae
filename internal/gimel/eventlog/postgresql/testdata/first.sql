-- The schema as the first version made it: rows were not counted as they came.
create schema if not exists gimel;

-- A counter of one life of an experiment: what rows would else repeat.
create table if not exists gimel.counter (
  id         integer generated always as identity primary key,
  namespace  text not null,
  experiment text not null,
  life       text not null,
  event      text not null,
  variant    text not null,
  began      timestamptz not null,
  month      date not null,
  digest     text not null unique -- SHA-256 of the names: an index takes no long ones
);

-- An event. Its partition is the month in which the experiment began, which an event keeps
-- whenever it is sent again: so the key, which has to hold the partition's, is one for all.
create table if not exists gimel.counted (
  counter     integer not null,
  fingerprint bigint not null,
  month       date not null,
  at          timestamptz,
  value       double precision,
  primary key (counter, fingerprint, month)
) partition by range (month);
create index if not exists counted_at on gimel.counted using brin (at);

create or replace view gimel.events as
  select namespace, experiment, life, began, event, variant, fingerprint, at, value
  from gimel.counted join gimel.counter on counter.id = counted.counter and counter.month = counted.month;

create or replace view gimel.totals as
  select namespace, experiment, life, began, event, variant, count(*) as events,
    count(*) filter (where at is null) as untimed, min(at) as first, max(at) as last,
    sum(value) as value
  from gimel.events group by namespace, experiment, life, began, event, variant;

create or replace view gimel.daily as
  select namespace, experiment, life, event, variant, (at at time zone 'UTC')::date as day,
    count(*) as events, sum(value) as value
  from gimel.events where at is not null
  group by namespace, experiment, life, event, variant, day;
