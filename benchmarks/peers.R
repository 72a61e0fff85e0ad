# Seconds and log likelihoods of lme4 and glmmTMB for one model, as JSON.
#
# Rscript benchmarks/peers.R data.csv formula family points [log exposure or -] [factors, separated by commas or -]

arguments <- commandArgs(trailingOnly = TRUE)
frame <- read.csv(arguments[1])
formula <- as.formula(arguments[2])
family <- arguments[3]
points <- as.integer(arguments[4])
frame$.offset <- if (arguments[5] == "-") 0 else frame[[arguments[5]]]
if (arguments[6] != "-") for (name in strsplit(arguments[6], ",")[[1]]) frame[[name]] <- factor(frame[[name]])

measured <- function(package, fit) {
  if (!requireNamespace(package, quietly = TRUE)) return(list(seconds = NA, ll = NA))
  suppressPackageStartupMessages(library(package, character.only = TRUE))
  times <- c()
  # Slow models are fitted once.
  while (length(times) < 3 && sum(times) < 20) {
    times <- c(times, system.time(found <- suppressMessages(suppressWarnings(fit())))[["elapsed"]])
  }
  list(seconds = median(times), ll = as.numeric(logLik(found)))
}

lme4_fit <- function() {
  if (family == "gaussian") return(lme4::lmer(formula, frame, REML = FALSE, offset = .offset))
  lme4::glmer(formula, frame, family = family, nAGQ = points, offset = .offset)
}
glmmtmb_fit <- function() glmmTMB::glmmTMB(formula, frame, family = family, offset = .offset)

lme4 <- measured("lme4", lme4_fit)
# lme4 leaves constants out of the log likelihood with more than one point.
if (points > 1) lme4$ll <- NA
# glmmTMB has one point only.
glmmTMB <- if (points > 1) list(seconds = NA, ll = NA) else measured("glmmTMB", glmmtmb_fit)
cat(jsonlite::toJSON(list(lme4 = lme4, glmmTMB = glmmTMB), auto_unbox = TRUE, digits = 12, na = "null"), "\n")
