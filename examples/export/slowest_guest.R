#!/usr/bin/env Rscript
# The slowest guest of each configuration over its valid trials: Rscript slowest_guest.R csv
directory <- commandArgs(trailingOnly = TRUE)[1]
guests <- read.csv(file.path(directory, "guests.csv"))
valid <- guests[guests$outcome == "measured" & !is.na(guests$rate_tps), ]
rates <- aggregate(rate_tps ~ backend + vms + guest, valid, mean)
slowest <- do.call(rbind, lapply(split(rates, list(rates$backend, rates$vms), drop = TRUE), function(own) {
  least <- own[which.min(own$rate_tps), ]
  data.frame(backend = least$backend, vms = least$vms, guest = least$guest, min = round(least$rate_tps, 1),
             percent_of_mean = round(100 * least$rate_tps / mean(own$rate_tps), 1))
}))
print(slowest[order(slowest$backend, slowest$vms), ], row.names = FALSE)
