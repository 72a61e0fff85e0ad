# Reference values for crossed effects, by R: writes tests/reference/crossed.json and files of tests/reference/data.
#
# Needs lme4, glmmTMB, ordinal, numDeriv, jsonlite (Debian: r-cran-*).
# Run from the repository's root: Rscript scripts/reference_crossed.R
#
#   laplace   glmmTMB, polished by Newton steps on its exact gradient.
#   clmm      ordinal's clmm, polished by Newton steps on differences of its log likelihood.
# Standard errors come from the observed information in all parameters as reported, variances on their own scale.

suppressPackageStartupMessages({
  library(lme4)
  library(glmmTMB)
  library(ordinal)
})

root <- "tests/reference"
values <- list()

keep <- function(name, frame) {
  # What is fitted is what is written: read back, so that rounding in the file cannot matter.
  path <- file.path(root, "data", paste0(name, ".csv"))
  write.csv(frame, path, row.names = FALSE, quote = FALSE)
  read.csv(path)
}

grouse <- keep("grouseticks", with(grouseticks, data.frame(
  ticks = TICKS, y96 = as.integer(YEAR == 96), y97 = as.integer(YEAR == 97), height = round(cHEIGHT / 100, 6),
  chick = as.integer(INDEX), brood = as.integer(BROOD), location = as.integer(LOCATION)
)))
some <- subset(VerbAgg, as.integer(id) <= 100)
verbal <- keep("verbagg", with(some, data.frame(
  id = as.integer(id), item = as.integer(item), response = as.integer(resp), yes = as.integer(r2 == "Y"),
  doing = as.integer(mode == "do"), anger = (Anger - 20) / 10
)))
penicillin <- keep("penicillin", with(Penicillin, data.frame(
  diameter = diameter, plate = as.integer(plate), sample = as.integer(sample)
)))
record <- function(id, data, command, par, se, ll, names, note) {
  names(par) <- names(se) <- names
  cat(sprintf("%-30s %.6f\n", id, ll))
  values[[length(values) + 1]] <<- list(
    id = id, data = data, command = command, method = "laplace", note = note, ll = ll, params = as.list(par),
    se = as.list(se)
  )
}

# `report`: from glmmTMB's parameters by kind to what is reported, in our order.
add <- function(id, data, command, formula, frame, family, names, report, note = "glmmTMB, polished by Newton steps.") {
  fit <- glmmTMB(formula, frame, family = family, control = glmmTMBControl(optCtrl = list(iter.max = 2000, eval.max = 3000)))
  obj <- fit$obj
  par <- fit$fit$par
  kinds <- names(par)
  for (iteration in 1:6) par <- par - drop(solve(numDeriv::jacobian(obj$gr, par), drop(obj$gr(par))))
  reported <- function(par) unname(report(par[kinds == "beta"], par[kinds == "theta"], par[kinds %in% c("betad", "betadisp")]))
  jac <- numDeriv::jacobian(reported, par)
  v <- jac %*% solve(numDeriv::jacobian(obj$gr, par)) %*% t(jac)
  record(id, data, command, reported(par), sqrt(diag(v)), -as.numeric(obj$fn(par)), names, note)
}

last <- function(b) c(b[-1], b[1])
plain <- function(beta, theta, disp) c(last(beta), exp(2 * theta))

add(
  "grouse-poisson", "grouseticks", "mepoisson ticks y96 y97 height || _all: R.location || _all: R.brood || chick:",
  ticks ~ y96 + y97 + height + (1 | location) + (1 | brood) + (1 | chick), grouse, poisson,
  c("y96", "y97", "height", "_cons", "/var(_cons[_all>location])", "/var(_cons[_all>brood])", "/var(_cons[chick])"), plain
)
add(
  "grouse-nbinomial", "grouseticks", "menbreg ticks y96 y97 height || _all: R.location || brood:",
  ticks ~ y96 + y97 + height + (1 | location) + (1 | brood), grouse, nbinom2,
  c("y96", "y97", "height", "_cons", "/lnalpha", "/var(_cons[_all>location])", "/var(_cons[brood])"),
  function(beta, theta, disp) c(last(beta), -disp, exp(2 * theta))
)
for (link in c("logit", "probit", "cloglog")) {
  add(
    paste0("verbal-", link), "verbagg",
    sprintf("meglm yes doing anger || _all: R.item || id:, family(bernoulli) link(%s)", link),
    yes ~ doing + anger + (1 | item) + (1 | id), verbal, binomial(link),
    c("doing", "anger", "_cons", "/var(_cons[_all>item])", "/var(_cons[id])"), plain
  )
}
# A random coefficient crossed with the items; glmmTMB has the correlation as t / sqrt(1 + t^2).
add(
  "verbal-slope", "verbagg", "melogit yes doing anger || _all: R.item || id: doing, covariance(unstructured)",
  yes ~ doing + anger + (1 | item) + (1 + doing | id), verbal, binomial,
  c(
    "doing", "anger", "_cons", "/var(_cons[_all>item])", "/var(doing[id])", "/var(_cons[id])",
    "/cov(doing[id],_cons[id])"
  ),
  function(beta, theta, disp) {
    rho <- theta[4] / sqrt(1 + theta[4]^2)
    c(last(beta), exp(2 * theta[c(1, 3, 2)]), rho * exp(theta[2] + theta[3]))
  }
)
add(
  "penicillin", "penicillin", "meglm diameter || _all: R.sample || plate:",
  diameter ~ 1 + (1 | sample) + (1 | plate), penicillin, gaussian,
  c("_cons", "/var(_cons[_all>sample])", "/var(_cons[plate])", "/var(e.diameter)"),
  # The log of the variance, in newer versions of the standard deviation.
  function(beta, theta, disp) c(beta, exp(2 * theta), exp(disp * if (packageVersion("glmmTMB") < "1.1.8") 1 else 2))
)

# clmm's own Hessian is good to three digits: Newton steps by differences of its log likelihood do the rest.
ordinal_fit <- function(id, data, command, formula, frame, fixed, groups) {
  fit <- clmm(formula, data = frame, link = "logit")
  n <- c(length(fit$alpha), length(fit$beta), length(unlist(fit$ST)))
  rho <- clmm(formula, data = frame, link = "logit", doFit = FALSE, control = clmm.control(gradTol = 1e-10))
  # Cut points, coefficients, standard deviations in the order of ST.
  value <- function(par) -ordinal:::getNLA(rho, par)
  par <- unname(c(fit$alpha, fit$beta, unlist(fit$ST)))
  stopifnot(abs(value(par) - as.numeric(fit$logLik)) < 1e-5)
  for (iteration in 1:4) par <- par - solve(numDeriv::hessian(value, par), numDeriv::grad(value, par))
  covariance <- solve(-numDeriv::hessian(value, par))
  sd <- par[-seq_len(n[1] + n[2])]
  se <- sqrt(diag(covariance)) * c(rep(1, n[1] + n[2]), 2 * sd)
  estimates <- c(par[seq_len(n[1] + n[2])], sd^2)
  order <- c(n[1] + seq_len(n[2]), seq_len(n[1]), n[1] + n[2] + match(groups, names(fit$ST)))
  names <- c(fixed, paste0("/cut", seq_len(n[1])), sprintf("/var(_cons[%s%s])", c("_all>", ""), groups))
  record(id, data, command, estimates[order], se[order], value(par), names, "ordinal::clmm, polished by Newton steps.")
}
verbal$level <- factor(verbal$response, ordered = TRUE)
verbal$item <- factor(verbal$item)
verbal$id <- factor(verbal$id)
ordinal_fit(
  "verbal-ordinal", "verbagg", "meologit response doing anger || _all: R.item || id:",
  level ~ doing + anger + (1 | item) + (1 | id), verbal, c("doing", "anger"), c("item", "id")
)

software <- paste(
  "R", getRversion(), "glmmTMB", packageVersion("glmmTMB"), "ordinal", packageVersion("ordinal"), "lme4",
  packageVersion("lme4")
)
writeLines(
  jsonlite::toJSON(
    list(made_by = "scripts/reference_crossed.R", software = software, models = values),
    auto_unbox = TRUE, digits = 10, pretty = TRUE
  ),
  file.path(root, "crossed.json")
)
