# Loads every exported CSV table as examples/export/read_table.R does, and compares names and types with the data dictionary. Apart from
# booleans, the types are also those that R infers. load.R DIRECTORY read_table.R
arguments <- commandArgs(trailingOnly = TRUE)
directory <- arguments[1]
source(arguments[2])
dictionary <- read.csv(file.path(directory, "columns.csv"))
fits <- list(
  text = is.character,
  integer = function(cells) is.numeric(cells) && all(cells == round(cells), na.rm = TRUE),
  real = is.double,
  boolean = is.logical
)
check <- function(table, expected, types) {
  for (column in which(expected$type %in% types)) {
    if (!fits[[expected$type[column]]](table[[column]])) {
      stop(expected$table[column], ".", names(table)[column], " is ", class(table[[column]]), ", not ", expected$type[column])
    }
  }
}
for (name in setdiff(unique(dictionary$table), "summary.metric")) {
  expected <- dictionary[dictionary$table == name, ]
  table <- read_table(directory, name)
  stopifnot(identical(names(table), expected$name))
  check(table, expected, names(fits))
  inferred <- read.csv(file.path(directory, paste0(name, ".csv")), na.strings = "")
  expected$type[vapply(inferred, function(cells) all(is.na(cells)), TRUE)] <- "empty"
  check(inferred, expected, c("text", "integer", "real"))
  cat(name, ": ", nrow(table), " rows\n", sep = "")
}
