# A table with the types that columns.csv names, in base R: source("read_table.R"); proofs <- read_table("csv", "proofs")
# Without them, R takes `true` and `false` for words, and calls the column `repeat` `repeat.`.
read_table <- function(directory, name) {
  columns <- read.csv(file.path(directory, "columns.csv"))
  classes <- c(text = "character", integer = "numeric", real = "numeric", boolean = "logical")
  types <- columns$type[columns$table == name]
  path <- file.path(directory, paste0(name, ".csv"))
  read.csv(path, colClasses = unname(classes[types]), na.strings = "", check.names = FALSE)
}
