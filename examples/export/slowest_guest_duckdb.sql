-- The slowest guest of each configuration over its valid trials: cd tables && duckdb < slowest_guest_duckdb.sql
with rates as (
    select backend, vms, guest, avg(rate_tps) as rate
    from 'guests.parquet'
    where outcome = 'measured' and rate_tps is not null
    group by all
)
select backend, vms, arg_min(guest, rate) as guest, round(min(rate), 1) as min,
       round(100 * min(rate) / avg(rate), 1) as percent_of_mean
from rates
group by all
order by backend, vms;
