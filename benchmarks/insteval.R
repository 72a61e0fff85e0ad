# University lecture evaluations of ETH Zurich, lme4's InstEval (GPL >= 2): writes benchmarks/data/insteval.csv.xz.
#
# Needs lme4 (Debian: r-cran-lme4). Run from the repository's root: Rscript benchmarks/insteval.R

suppressPackageStartupMessages(library(lme4))

evaluations <- with(InstEval, data.frame(
  s = as.integer(as.character(s)), d = as.integer(as.character(d)), service = as.integer(as.character(service)),
  rating = as.integer(y)
))
evaluations <- evaluations[order(evaluations$s, evaluations$d), ]
write.csv(evaluations, xzfile("benchmarks/data/insteval.csv.xz", compression = 9), row.names = FALSE, quote = FALSE)
