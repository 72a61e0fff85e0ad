# Writes the two data frames of mlmRev that ship with the package, as they are, to a folder of CSV files.
# Called by make_datasets.py, which corrects, orders and packs them.
folder <- commandArgs(trailingOnly = TRUE)[1]
suppressPackageStartupMessages(library(mlmRev))

number <- function(factor) as.integer(as.character(factor))

write.csv(
  with(Contraception, data.frame(
    district = number(district), c_use = as.integer(use == "Y"), urban = as.integer(urban == "Y"),
    age = format(age, digits = 15, trim = TRUE), children = as.integer(livch) - 1L
  )),
  file.path(folder, "bangladesh.csv"), row.names = FALSE, quote = FALSE
)
write.csv(
  with(ScotsSec, data.frame(
    pid = number(primary), sid = number(second), attain = as.integer(attain),
    vrq = as.integer(verbal), sex = as.integer(sex == "F")
  )),
  file.path(folder, "fifeschool.csv"), row.names = FALSE, quote = FALSE
)
