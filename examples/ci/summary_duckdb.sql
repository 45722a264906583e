-- Rates and fairness of a run, one line for each configuration: cd runs/RUN && duckdb < summary_duckdb.sql
create view figures as
select * from read_csv('summary.csv', types = {'configuration': 'varchar'});

create view configurations as
select * from read_csv('configurations.csv', types = {'configuration': 'varchar'});

select c.backend, c.vms, c.measured, c.invalid, c.failed,
       round(max(f.mean) filter (where f.metric = 'total_rate_tps'), 1) as total_rate_tps,
       round(max(f.mean) filter (where f.metric = 'bias_rate_percent'), 1) as bias_rate_percent,
       round(max(f.mean) filter (where f.metric = 'p99_latency_us'), 1) as p99_latency_us
from configurations c join figures f using (configuration)
group by all
order by c.backend, c.vms;
