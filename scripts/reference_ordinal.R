# Reference values for ordinal models, by R: writes tests/reference/ordinal.json.
#
# Needs ordinal, jsonlite (Debian: r-cran-ordinal, r-cran-jsonlite).
# Run from the repository's root: Rscript scripts/reference_ordinal.R
#
# clmm's cut points and coefficients have the signs of the package's: Pr(y <= k) = F(cut_k - eta), for its link cloglog
# with F(x) = 1 - exp(-exp(x)). It reports the standard deviation of the random intercept, here squared; the
# standard error of the variance is 2 sd^2 times that of log sd, which is the last parameter of its Hessian.
#
# clmm of ordinal 2022.11-16 has the links cloglog and loglog the wrong way round; clm has not. The link that gives clm's
# likelihood as the variance goes to zero is the one that is meant, so that cloglog is fitted by clmm's loglog.

suppressPackageStartupMessages(library(ordinal))

root <- "tests/reference"
wine <- read.csv(file.path(root, "data", "wine.csv"))
wine$rating <- factor(wine$rating, ordered = TRUE)
values <- list()

meant <- c(logit = "logit", probit = "probit", cloglog = "loglog")
for (link in names(meant)) {
  fit <- clmm(rating ~ warm + contact + (1 | judge),
    data = wine, link = meant[[link]], nAGQ = 25,
    control = clmm.control(method = "nlminb", gradTol = 1e-9)
  )
  cuts <- fit$alpha
  names(cuts) <- paste0("/cut", seq_along(cuts))
  variance <- as.numeric(VarCorr(fit)$judge)
  covariance <- solve(fit$Hessian)
  se <- sqrt(diag(covariance))
  k <- length(se)
  par <- c(fit$beta, cuts, "/var(_cons[judge])" = variance)
  errors <- c(se[length(cuts) + seq_along(fit$beta)], se[seq_along(cuts)], 2 * variance * se[k])
  names(errors) <- names(par)
  values[[length(values) + 1]] <- list(
    id = paste0("wine-ordinal-", link), data = "wine",
    command = sprintf("meglm rating warm contact || judge:, family(ordinal) link(%s) intpoints(25)", link),
    method = "agq", note = "ordinal::clmm, nAGQ = 25", ll = as.numeric(fit$logLik),
    params = as.list(par), se = as.list(errors)
  )
  cat(sprintf("%-20s %.6f\n", link, as.numeric(fit$logLik)))
}

writeLines(
  jsonlite::toJSON(
    list(
      made_by = "scripts/reference_ordinal.R", software = paste("R", getRversion(), "ordinal", packageVersion("ordinal")),
      models = values
    ),
    auto_unbox = TRUE, digits = 10, pretty = TRUE
  ),
  file.path(root, "ordinal.json")
)
