# Design-based standard errors of models without random effects, by R's survey.
# Run from the repository's root: Rscript scripts/reference_survey.R
suppressPackageStartupMessages(library(survey))
library(jsonlite)

set.seed(20)
units <- 40
stratum <- rep(1:4, each = 10)
psu <- rep(seq_len(units), times = sample(4:9, units, replace = TRUE))
frame <- data.frame(stratum = stratum[psu], psu = psu)
n <- nrow(frame)
frame$x <- round(rnorm(n), 3)
frame$w <- round(runif(n, 0.5, 4), 2)
frame$fpc <- c(25, 40, 60, 100)[frame$stratum]
effect <- rnorm(units, sd = 0.7)[psu]
frame$y <- rbinom(n, 1, plogis(0.2 + 0.6 * frame$x + effect))
frame$k <- rpois(n, exp(0.3 + 0.4 * frame$x + 0.5 * effect))
frame$inside <- as.integer(frame$x > -0.4)
write.csv(frame, "tests/reference/data/survey.csv", row.names = FALSE)

designs <- list(
  unstratified = svydesign(~psu, weights = ~w, data = frame),
  stratified = svydesign(~psu, strata = ~stratum, weights = ~w, data = frame),
  corrected = svydesign(~psu, strata = ~stratum, weights = ~w, fpc = ~fpc, data = frame)
)
values <- list()
for (name in names(designs)) {
  for (sub in c(FALSE, TRUE)) {
    design <- if (sub) subset(designs[[name]], inside == 1) else designs[[name]]
    logit <- svyglm(y ~ x, design, family = quasibinomial(), control = glm.control(epsilon = 1e-14))
    counts <- svyglm(k ~ x, design, family = quasipoisson(), control = glm.control(epsilon = 1e-14))
    for (fit in list(logit, counts)) {
      values[[length(values) + 1]] <- list(
        design = name, subpopulation = sub, depvar = all.vars(formula(fit))[1],
        b = unname(rev(coef(fit))), se = unname(rev(SE(fit)))
      )
    }
  }
}
write_json(values, "tests/reference/survey.json", digits = 15, auto_unbox = TRUE, pretty = TRUE)
